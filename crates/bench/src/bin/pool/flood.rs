//! What a tenant that floods does to another: p99 of 60 calls, while the other tenant keeps to its quota, and while it
//! asks for 50 times as much.
//!
//! To make 5,000 frames a second, and to wake up for each, takes time of the same two cores, which is not the pool's
//! doing. So the other tenant always makes as many; what differs is how many of them it hands over. One pool runs all
//! the time, and that changes every second, so that a noisy machine is noisy to all: at quota, flood, flood, at quota,
//! none at all. Each group of these gives one ratio, and their median is the figure; its error is of their spread.
//!
//! Who kept to the quota may have saved up a second's worth of it, which passes at once when the flood begins. That
//! moment is counted by itself; what is compared begins after it.

use crate::calls::talk;
use crate::{FRAME, Input, WORKERS, engine, key};
use anyhow::{Result, ensure};
use sidetone_bench::Report;
use sidetone_bench::spread::{error_of_median, median};
use sidetone_host::pool::LatencyCounts;
use sidetone_host::{Component, Engine, Pool, PoolSession, Quota};
use sidetone_session::{Config, Quality};
use std::hint::black_box;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

const CALLS: u32 = 60;
const SESSIONS: u32 = 10;
/// The tenant's quota, in frames a second: no even number of them in the 60 ms in which the calls repeat. In step with
/// these, all of its frames would meet one of theirs, or none would.
const QUOTA: u32 = 97;
/// As many times its quota it makes.
const TIMES: u32 = 50;
const GROUPS: usize = 20;
/// What was saved up passes in the first of these; nothing is compared until all of them are over.
const SETTLE: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(150)];
const SLICE: Duration = Duration::from_secs(1);

/// What becomes of the frames that the other tenant makes.
#[derive(Clone, Copy, PartialEq)]
enum Other {
    /// It hands over none.
    Silent,
    /// It hands over what its quota allows.
    Within,
    /// It hands over all of them.
    Floods,
    /// It ends.
    Over,
}

const GROUP: [Other; 5] = [Other::Within, Other::Floods, Other::Floods, Other::Within, Other::Silent];

pub(crate) fn flood(report: &mut Report, input: &Input) -> Result<()> {
    let component = Engine::new(&engine(100))?.compile(sidetone_artifact::COMPONENT)?;
    let (pool, calls, sessions) = opened(&component)?;
    let other = AtomicU8::new(Other::Silent as u8);
    // By what the other tenant does; and as a flood begins.
    let (mut all, mut onset) = (<[LatencyCounts; 3]>::default(), LatencyCounts::default());
    let mut changes = Vec::new();
    std::thread::scope(|scope| -> Result<()> {
        scope.spawn(|| make(&sessions, &other, input));
        scope.spawn(|| talk(&calls, input, |_| other.load(Relaxed) == Other::Over as u8));
        let mut group = || {
            let (mut group, mut before) = (<[LatencyCounts; 3]>::default(), Other::Silent);
            for now in GROUP {
                let Some([first, slice]) = slice(&pool, &other, now) else { return false };
                if now == Other::Floods && before != now {
                    onset.add(&first);
                }
                group[now as usize].add(&slice);
                before = now;
            }
            let [_, within, floods] = group.each_ref().map(p99);
            eprintln!(
                "flood: p99 {within:.3} ms at its quota, {floods:.3} ms at {TIMES} times ({}/{GROUPS})",
                changes.len() + 1
            );
            changes.push((floods / within - 1.0) * 100.0);
            all.iter_mut().zip(&group).for_each(|(all, group)| all.add(group));
            true
        };
        let measured = (0..2 * GROUPS).filter(|_| group()).take(GROUPS).count();
        other.store(Other::Over as u8, Relaxed);
        ensure!(measured == GROUPS, "this machine is too busy to make {} frames a second evenly", TIMES * QUOTA);
        Ok(())
    })?;
    let [alone, within, floods] = all.each_ref().map(p99);
    report.figure("flood_p99_ms_alone", alone);
    report.figure("flood_p99_ms_at_quota", within);
    report.figure("flood_p99_ms_at_50_times", floods);
    report.figure("flood_p99_ms_first_100_ms", p99(&onset));
    report.figure("flood_p99_change_percent", median(changes.clone()));
    report.figure("flood_p99_change_error_percent", error_of_median(changes));
    report.figure("refusal_us", refusal(&sessions[0], input));
    Ok(())
}

/// The quiet tenant's frames while the other one does something: in its first moment, and once that has settled. `None`:
/// it did not, because the machine was busy elsewhere.
fn slice(pool: &Pool, other: &AtomicU8, now: Other) -> Option<[LatencyCounts; 2]> {
    let counts = || pool.tenant_latency("quiet").unwrap_or_default();
    other.store(now as u8, Relaxed);
    let start = counts();
    sleep(SETTLE[0]);
    let first = counts().since(&start);
    sleep(SETTLE[1]);
    let (start, before) = (counts(), refused(pool));
    sleep(SLICE);
    let (slice, refused) = (counts().since(&start), refused(pool) - before);
    let expected = (TIMES - 1) * QUOTA * u32::from(now == Other::Floods);
    let as_told = refused.abs_diff(expected.into()) < u64::from(TIMES * QUOTA / 10);
    as_told.then_some([first, slice])
}

fn p99(counts: &LatencyCounts) -> f64 {
    counts.quantile(0.99)
}

/// The pool, and the sessions of the quiet tenant and the other one.
fn opened(component: &Component) -> Result<(Pool, Vec<PoolSession>, Vec<PoolSession>)> {
    let pin = Some(Quality::Medium);
    let quota = Quota { frames_per_second: Some(QUOTA), pin, ..Quota::UNLIMITED };
    let pool = Pool::builder()
        .workers(WORKERS)
        .tenant("quiet", Quota { pin, ..Quota::UNLIMITED })
        .tenant("other", quota)
        .build_on(component.clone())?;
    let open = |tenant: &str, count: u32| -> Result<Vec<PoolSession>> {
        (0..count).map(|id| Ok(pool.open(tenant, &key(), Config::gateway(id)).wait()?)).collect()
    };
    let (quiet, other) = (open("quiet", CALLS)?, open("other", SESSIONS)?);
    Ok((pool, quiet, other))
}

fn refused(pool: &Pool) -> u64 {
    pool.reading().tenants.refused
}

/// Makes frames at 50 times the quota until it is over, and hands over those it is told to.
fn make(sessions: &[PoolSession], other: &AtomicU8, input: &Input) {
    let start = Instant::now();
    let mut handed = 0;
    for n in 0u32.. {
        let other = other.load(Relaxed);
        if other == Other::Over as u8 {
            return;
        }
        let due = Duration::from_secs_f64(f64::from(n) / f64::from(TIMES * QUOTA));
        if let Some(early) = due.checked_sub(start.elapsed()) {
            sleep(early);
        }
        let frame = frame(input, n);
        // Just below the quota, or its own jitter would be refused.
        let within = n.is_multiple_of(TIMES + 1) && other == Other::Within as u8;
        if within || other == Other::Floods as u8 {
            handed += 1;
            drop(sessions[handed % sessions.len()].send(frame, n));
        } else {
            drop(black_box(frame));
        }
    }
}

fn frame(input: &Input, n: u32) -> Vec<i16> {
    let frame = n as usize % (input.down.len() / FRAME) * FRAME;
    input.down[frame..frame + FRAME].to_vec()
}

/// µs that it takes to refuse a frame.
fn refusal(session: &PoolSession, input: &Input) -> f64 {
    let frames: Vec<_> = (0..5_000).map(|n| frame(input, n)).collect();
    let count = frames.len() as f64;
    let start = Instant::now();
    for frame in frames {
        drop(session.send(frame, 0));
    }
    start.elapsed().as_secs_f64() * 1e6 / count
}
