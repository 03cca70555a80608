//! What a tenant that floods does to another: p99 of 60 calls, while another tenant keeps to its quota, and while it
//! asks for 50 times as much. Both take turns, so that a noisy machine is noisy to both.

use crate::calls::talk;
use crate::{FRAME, Input, WORKERS, engine, key};
use anyhow::Result;
use sidetone_bench::Report;
use sidetone_host::{Component, Engine, Pool, PoolSession, Quota};
use sidetone_session::{Config, Quality};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

const CALLS: u32 = 60;
const SESSIONS: u32 = 10;
/// The tenant's quota, in frames a second.
const QUOTA: u32 = 100;
const ROUNDS: usize = 5;

pub(crate) fn flood(report: &mut Report, input: &Input) -> Result<()> {
    let component = Engine::new(&engine(100))?.compile(sidetone_artifact::COMPONENT)?;
    let mut p99 = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (times, p99) in [0, 1, 50].into_iter().zip(&mut p99) {
            p99.push(round(&component, times, input)?);
        }
    }
    let [alone, within, flooded] = p99.map(|mut values| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    });
    report.figure("flood_p99_ms_alone", alone);
    report.figure("flood_p99_ms_at_quota", within);
    report.figure("flood_p99_ms_at_50_times", flooded);
    report.figure("flood_p99_change_percent", (flooded / within - 1.0) * 100.0);
    Ok(())
}

/// p99 in ms of the calls, while the other tenant sends `times` its quota.
fn round(component: &Component, times: u32, input: &Input) -> Result<f64> {
    let pin = Some(Quality::Medium);
    let quota = Quota { frames_per_second: Some(QUOTA), pin, ..Quota::UNLIMITED };
    let pool = Pool::builder()
        .workers(WORKERS)
        .tenant("quiet", Quota { pin, ..Quota::UNLIMITED })
        .tenant("flood", quota)
        .build_on(component.clone())?;
    let open = |tenant: &str, count: u32| -> Result<Vec<PoolSession>> {
        (0..count).map(|id| Ok(pool.open(tenant, &key(), Config::gateway(id)).wait()?)).collect()
    };
    let (calls, flooding) = (open("quiet", CALLS)?, open("flood", SESSIONS)?);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| send(&flooding, times * QUOTA, input, &over));
        talk(&calls, input, input.time);
        over.store(true, Relaxed);
    });
    Ok(pool.stats().tenant_latency["quiet"].p99)
}

/// Sends so many frames a second until it is over.
fn send(sessions: &[PoolSession], per_second: u32, input: &Input, over: &AtomicBool) {
    let start = Instant::now();
    for n in 0u32.. {
        if over.load(Relaxed) || per_second == 0 {
            return;
        }
        let due = Duration::from_secs_f64(f64::from(n) / f64::from(per_second));
        if let Some(early) = due.checked_sub(start.elapsed()) {
            std::thread::sleep(early);
        }
        let frame = n as usize % (input.down.len() / FRAME) * FRAME;
        let session = &sessions[n as usize % sessions.len()];
        drop(session.send(input.down[frame..frame + FRAME].to_vec(), n));
    }
}
