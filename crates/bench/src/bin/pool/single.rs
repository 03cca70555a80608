//! One frame, one session, one failure: what the pool costs beside the bare guest.

use crate::{FRAME, LEVELS, PATIENT, key, open, percentile, pool};
use anyhow::Result;
use sidetone_bench::{Report, Variant, take_turns};
use sidetone_host::pool::{Reply, RestartPolicy};
use sidetone_host::{Engine, EngineConfig, Pool, PoolError, PoolSession, Quota};
use sidetone_session::{Config, Quality};
use std::time::{Duration, Instant};

/// Connection id of a session that traps at its first frame, in the faulty component.
const TRAPS: u32 = 0xfa17_0101;

/// Encodes a second, one frame at a time, then with eight sessions that have one each in flight.
pub(crate) fn throughput(report: &mut Report, pcm: &[i16]) -> Result<()> {
    let names = [
        ["ops_per_s_seq_c0", "p50_us_seq_c0", "p99_us_seq_c0", "ops_per_s_8_c0", "p50_us_8_c0", "p99_us_8_c0"],
        ["ops_per_s_seq_c5", "p50_us_seq_c5", "p99_us_seq_c5", "ops_per_s_8_c5", "p50_us_8_c5", "p99_us_8_c5"],
        ["ops_per_s_seq_c10", "p50_us_seq_c10", "p99_us_seq_c10", "ops_per_s_8_c10", "p50_us_8_c10", "p99_us_8_c10"],
    ];
    for ((quality, ..), names) in LEVELS.into_iter().zip(names) {
        let pool = pool(16, quality)?;
        for (threads, names) in [(1, &names[..3]), (8, &names[3..])] {
            let start = Instant::now();
            let mut took = std::thread::scope(|scope| {
                let caller = || -> Result<Vec<f64>> {
                    let session = open(&pool, quality)?;
                    let mut took = Vec::new();
                    for (n, frame) in pcm.chunks_exact(FRAME).cycle().enumerate() {
                        if start.elapsed() > Duration::from_secs(2) {
                            break;
                        }
                        let one = Instant::now();
                        session.blocking_send(frame.to_vec(), n as u32 * 60)?;
                        took.push(one.elapsed().as_secs_f64() * 1e6);
                    }
                    Ok(took)
                };
                let callers: Vec<_> = (0..threads).map(|_| scope.spawn(caller)).collect();
                let results = callers.into_iter().map(|caller| caller.join().expect("no caller panics"));
                results.collect::<Result<Vec<_>>>()
            })?
            .concat();
            took.sort_by(f64::total_cmp);
            report.figure(names[0], took.len() as f64 / start.elapsed().as_secs_f64());
            report.figure(names[1], percentile(&took, 0.5));
            report.figure(names[2], percentile(&took, 0.99));
        }
    }
    Ok(())
}

/// A way to send a frame.
type Call = fn(&PoolSession, Vec<i16>, u32) -> Result<Vec<Vec<u8>>, PoolError>;

/// The pool over the bare call of the guest, frame by frame in turns.
pub(crate) fn overhead(report: &mut Report, pcm: &[i16]) -> Result<()> {
    let quality = Quality::Medium;
    let engine =
        Engine::new(&EngineConfig { instances: 4, deadline: Duration::from_secs(1), ..EngineConfig::default() })?;
    let component = engine.compile(sidetone_artifact::COMPONENT)?;
    let mut bare = component.open(&key(), &Config { quality, ..Config::gateway(1) })?;
    let ways: [(&str, Duration, Call); 3] = [
        // On the caller's own thread.
        ("overhead_us_p50", Duration::ZERO, |session, pcm, at| session.blocking_send(pcm, at)),
        // On the worker's, which is woken, and wakes the caller: what async callers pay.
        ("overhead_woken_us_p50", Duration::ZERO, |session, pcm, at| session.send(pcm, at).wait()),
        ("overhead_spinning_us_p50", Duration::from_micros(200), |session, pcm, at| session.send(pcm, at).wait()),
    ];
    for (figure, spin, call) in ways {
        let quota = Quota { pin: Some(quality), ..Quota::UNLIMITED };
        let pool =
            Pool::builder().workers(1).max_wait(PATIENT).spin(spin).tenant("a", quota).build_on(component.clone())?;
        let pooled = open(&pool, quality)?;
        let mut more = Vec::new();
        for (n, frame) in pcm.chunks_exact(FRAME).cycle().take(1000).enumerate() {
            // Who goes first finds the caches cold.
            let mut direct = || -> Result<f64> {
                let start = Instant::now();
                bare.send(frame, n as u32 * 60)?;
                Ok(start.elapsed().as_secs_f64() * 1e6)
            };
            let through = || -> Result<f64> {
                let start = Instant::now();
                call(&pooled, frame.to_vec(), n as u32 * 60)?;
                Ok(start.elapsed().as_secs_f64() * 1e6)
            };
            let (direct, through) = if n % 2 == 0 {
                (direct()?, through()?)
            } else {
                let through = through()?;
                (direct()?, through)
            };
            more.push(through - direct);
        }
        more.sort_by(f64::total_cmp);
        report.figure(figure, percentile(&more, 0.5));
    }
    // Without the wake-ups: many in the queue, none of them sleeps or is slept for.
    let pool = Pool::builder()
        .workers(1)
        .max_wait(PATIENT)
        .queues(1000, 1000)
        .tenant("a", Quota::UNLIMITED)
        .build_on(component.clone())?;
    let (pooled, datagram) = (open(&pool, quality)?, vec![0; 8]);
    let queued = Variant::new("pool", || {
        let replies: Vec<_> = (0..500).map(|_| pooled.receive(datagram.clone())).collect();
        Ok(replies.into_iter().map(Reply::wait).count() as u32)
    });
    let direct =
        Variant::new("bare", || Ok((0..500).map(|_| bare.receive(&datagram)).filter(Result::is_err).count() as u32));
    let measured = take_turns(vec![direct, queued], 15)?;
    report.figure("overhead_queued_us", measured[1].min() - measured[0].min());
    Ok(())
}

/// Opening a session, and opening it again after a trap: the call that failed, till its answer.
pub(crate) fn open_and_restart(report: &mut Report) -> Result<()> {
    let pool_of_one = pool(4, Quality::Full)?;
    let mut opened = Vec::new();
    for _ in 0..500 {
        let start = Instant::now();
        let session = open(&pool_of_one, Quality::Full)?;
        opened.push(start.elapsed().as_secs_f64() * 1e6);
        session.close().wait()?;
    }
    opened.sort_by(f64::total_cmp);
    report.figure("open_us_p50", percentile(&opened, 0.5));

    // Each failure is the first of its window: opened again at once, within the call that failed.
    let at_once = RestartPolicy { window: Duration::ZERO, ..RestartPolicy::default() };
    let builder = Pool::builder().workers(1).max_wait(PATIENT).restart(at_once).tenant("a", Quota::UNLIMITED);
    let pool = builder.build(sidetone_faulty_artifact::COMPONENT)?;
    let session = pool.open("a", &key(), Config::gateway(TRAPS)).wait()?;
    let mut restarted = Vec::new();
    for n in 0..500 {
        let start = Instant::now();
        let failed = session.send(vec![0; FRAME], n * 60).wait();
        restarted.push(start.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(failed.is_err(), "the faulty component did not fail");
    }
    restarted.sort_by(f64::total_cmp);
    report.figure("restart_ms_p50", percentile(&restarted, 0.5));
    report.figure("restart_ms_p99", percentile(&restarted, 0.99));
    Ok(())
}
