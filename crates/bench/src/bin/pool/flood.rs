//! What a tenant that floods does to another: p99 of 60 calls, while another tenant keeps to its quota, and while it
//! asks for 50 times as much.
//!
//! To make 5,000 frames a second, and to wake up for each, takes time of the same two cores, which is not the pool's
//! doing. So a tenant that keeps to its quota makes as many, and hands over every fiftieth. All take turns, so that
//! a noisy machine is noisy to all; how noisy, the same twice tells.

use crate::calls::talk;
use crate::{FRAME, Input, WORKERS, engine, key};
use anyhow::Result;
use sidetone_bench::Report;
use sidetone_host::{Component, Engine, Pool, PoolSession, Quota};
use sidetone_session::{Config, Quality};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

const CALLS: u32 = 60;
const SESSIONS: u32 = 10;
/// The tenant's quota, in frames a second.
const QUOTA: u32 = 100;
/// As many times its quota it makes.
const TIMES: u32 = 50;
const ROUNDS: usize = 9;

/// What becomes of the frames that the other tenant makes.
#[derive(Clone, Copy)]
enum Other {
    /// It makes none.
    Silent,
    /// It hands over what its quota allows.
    Within,
    /// It hands over all of them.
    Floods,
}

pub(crate) fn flood(report: &mut Report, input: &Input) -> Result<()> {
    let component = Engine::new(&engine(100))?.compile(sidetone_artifact::COMPONENT)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let [alone, within, floods, again] =
            [Other::Silent, Other::Within, Other::Floods, Other::Within].map(|other| round(&component, other, input));
        rounds.push([alone?, within?, floods?, again?]);
    }
    let over_rounds = |of: fn(&[f64; 4]) -> f64| median(rounds.iter().map(of).collect());
    report.figure("flood_p99_ms_alone", over_rounds(|round| round[0]));
    report.figure("flood_p99_ms_at_quota", over_rounds(|round| (round[1] + round[3]) / 2.0));
    report.figure("flood_p99_ms_at_50_times", over_rounds(|round| round[2]));
    // To what came just before and just after it.
    let percent = over_rounds(|round| (round[2] / ((round[1] + round[3]) / 2.0) - 1.0) * 100.0);
    report.figure("flood_p99_change_percent", percent);
    let noise = over_rounds(|round| (round[3] / round[1] - 1.0).abs() * 100.0);
    report.figure("flood_p99_noise_percent", noise);
    report.figure("refusal_us", refusal(&component, input)?);
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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

/// p99 in ms of the quiet tenant's frames.
fn round(component: &Component, other: Other, input: &Input) -> Result<f64> {
    let (pool, calls, sessions) = opened(component)?;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| make(&sessions, other, input, &over));
        talk(&calls, input, input.time);
        over.store(true, Relaxed);
    });
    Ok(pool.stats().tenant_latency["quiet"].p99)
}

/// Makes so many frames a second until it is over.
fn make(sessions: &[PoolSession], other: Other, input: &Input, over: &AtomicBool) {
    let start = Instant::now();
    for n in 0u32.. {
        if over.load(Relaxed) || matches!(other, Other::Silent) {
            return;
        }
        let due = Duration::from_secs_f64(f64::from(n) / f64::from(TIMES * QUOTA));
        if let Some(early) = due.checked_sub(start.elapsed()) {
            std::thread::sleep(early);
        }
        let frame = frame(input, n);
        if matches!(other, Other::Floods) || n % TIMES == 0 {
            drop(sessions[n as usize % sessions.len()].send(frame, n));
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
fn refusal(component: &Component, input: &Input) -> Result<f64> {
    let (_pool, _, sessions) = opened(component)?;
    let frames: Vec<_> = (0..5_000).map(|n| frame(input, n)).collect();
    let count = frames.len() as f64;
    let start = Instant::now();
    for frame in frames {
        drop(sessions[0].send(frame, 0));
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / count)
}
