//! `cargo xtask bench pool`: what the pool costs beside the bare guest, and how many calls two cores hold.

use anyhow::{Context, Result};
use sidetone_bench::machine::resident_kib;
use sidetone_bench::plot::{Line, svg};
use sidetone_bench::speech::Speech;
use sidetone_bench::{Report, Variant, take_turns};
use sidetone_host::pool::{Builder, Reply, RestartPolicy};
use sidetone_host::{Engine, EngineConfig, Key, Pool, PoolSession, Quota};
use sidetone_session::{Config, Quality};
use std::time::{Duration, Instant};

const FRAME: usize = 1440;
const WORKERS: usize = 2;
const PATIENT: Duration = Duration::from_secs(60);
/// Connection id of a session that traps at its first frame, in the faulty component.
const TRAPS: u32 = 0xfa17_0101;
const LEVELS: [(Quality, &str, &str); 3] = [
    (Quality::Minimal, "c0", "full_duplex_sessions_c0"),
    (Quality::Medium, "c5", "full_duplex_sessions_c5"),
    (Quality::Full, "c10", "full_duplex_sessions_c10"),
];

fn main() -> Result<()> {
    let seconds = match std::env::args().nth(1) {
        Some(seconds) => seconds.parse()?,
        None => 3,
    };
    let speech = Speech::load()?;
    let down = speech.frames(24_000, FRAME)?;
    let down = &down[..down.len().min(FRAME * 200)];
    println!("speech: {}; 60 ms frames at 24 kHz, {WORKERS} workers\n", speech.source);
    let mut report = Report::new("pool");
    throughput(&mut report, down)?;
    overhead(&mut report, down)?;
    open_and_restart(&mut report)?;
    memory(&mut report)?;
    full_duplex(&mut report, &speech, down, Duration::from_secs(seconds))?;
    report.finish()
}

fn key() -> Key {
    Key::new([7; 16])
}

/// A pool in which no frame is too old.
fn pool(instances: u32, quality: Quality) -> Result<Pool> {
    Ok(builder(instances, quality).max_wait(PATIENT).build(sidetone_artifact::COMPONENT)?)
}

fn builder(instances: u32, quality: Quality) -> Builder {
    // Load on the machine must not end a guest or change its quality while it is measured.
    let engine = EngineConfig { instances, deadline: Duration::from_secs(1), ..EngineConfig::default() };
    let quota = Quota { pin: Some(quality), ..Quota::UNLIMITED };
    Pool::builder().workers(WORKERS).engine(engine).tenant("a", quota)
}

fn open(pool: &Pool, quality: Quality) -> Result<PoolSession> {
    Ok(pool.open("a", &key(), Config { quality, ..Config::gateway(1) }).wait()?)
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

/// Encodes a second, one frame at a time, then with eight sessions that have one each in flight.
fn throughput(report: &mut Report, pcm: &[i16]) -> Result<()> {
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
                        session.send(frame.to_vec(), n as u32 * 60).wait()?;
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

/// The pool over the bare call of the guest, frame by frame in turns.
fn overhead(report: &mut Report, pcm: &[i16]) -> Result<()> {
    let quality = Quality::Medium;
    let engine =
        Engine::new(&EngineConfig { instances: 4, deadline: Duration::from_secs(1), ..EngineConfig::default() })?;
    let component = engine.compile(sidetone_artifact::COMPONENT)?;
    let mut bare = component.open(&key(), &Config { quality, ..Config::gateway(1) })?;
    for (spin, figure) in
        [(Duration::ZERO, "overhead_us_p50"), (Duration::from_micros(200), "overhead_spinning_us_p50")]
    {
        let quota = Quota { pin: Some(quality), ..Quota::UNLIMITED };
        let pool =
            Pool::builder().workers(1).max_wait(PATIENT).spin(spin).tenant("a", quota).build_on(component.clone())?;
        let pooled = open(&pool, quality)?;
        let mut more = Vec::new();
        for (n, frame) in pcm.chunks_exact(FRAME).cycle().take(1000).enumerate() {
            let start = Instant::now();
            bare.send(frame, n as u32 * 60)?;
            let direct = start.elapsed();
            let start = Instant::now();
            pooled.send(frame.to_vec(), n as u32 * 60).wait()?;
            more.push(start.elapsed().as_secs_f64() * 1e6 - direct.as_secs_f64() * 1e6);
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

fn open_and_restart(report: &mut Report) -> Result<()> {
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

/// Resident memory a session, after it was used in both directions.
fn memory(report: &mut Report) -> Result<()> {
    let devices = pool(1, Quality::Minimal)?;
    let device = devices.open("a", &key(), Config::device(1)).wait()?;
    let datagrams = device.send(vec![100; 960 * 3], 0).wait()?;
    let sizes = [(100, "rss_session_kib_100"), (1000, "rss_session_kib_1000"), (5000, "rss_session_kib_5000")];
    for (count, figure) in sizes {
        let pool = pool(count, Quality::Medium)?;
        let Some(before) = resident_kib() else { return Ok(()) };
        let mut sessions = Vec::new();
        for _ in 0..pool.slots() {
            let session = open(&pool, Quality::Medium)?;
            for datagram in &datagrams {
                session.receive(datagram.clone()).wait()?;
            }
            session.send(vec![100; FRAME * 2], 0).wait()?;
            sessions.push(session);
        }
        let after = resident_kib().unwrap_or(before);
        report.figure(figure, after.saturating_sub(before) as f64 / f64::from(pool.slots()));
    }
    Ok(())
}

/// More and more calls at once, in real time, until one is late.
fn full_duplex(report: &mut Report, speech: &Speech, down: &[i16], time: Duration) -> Result<()> {
    let up = speech.frames(16_000, 960)?;
    let devices = pool(1, Quality::Minimal)?;
    let device = devices.open("a", &key(), Config::device(1)).wait()?;
    let mut datagrams = Vec::new();
    for (n, frame) in up.chunks_exact(960).take(300).enumerate() {
        datagrams.extend(device.send(frame.to_vec(), n as u32 * 60).wait()?);
    }
    let mut lines = Vec::new();
    for (quality, name, figure) in LEVELS {
        let (mut points, mut held) = (Vec::new(), 0);
        for step in 1.. {
            let sessions = 25 * step;
            let (p99, late) = calls(quality, sessions, down, &datagrams, time)?;
            eprintln!("{name}: {sessions} calls, p99 {p99:.2} ms, {late} late");
            points.push((f64::from(sessions), p99));
            if p99 >= 10.0 || late > 0 {
                break;
            }
            held = sessions;
        }
        report.figure(figure, f64::from(held));
        lines.push(Line { name: name.to_owned(), points });
    }
    let plot = svg("p99 of a frame, queue and guest", ("full-duplex calls", "ms"), 10.0, &lines);
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), std::path::PathBuf::from);
    let path = target.join("bench/pool.svg");
    std::fs::create_dir_all(target.join("bench"))
        .and_then(|()| std::fs::write(&path, plot))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Runs `count` calls for `time`; p99 in ms of queue and guest, and the frames given up.
fn calls(quality: Quality, count: u32, down: &[i16], up: &[Vec<u8>], time: Duration) -> Result<(f64, u64)> {
    let pool = builder(count, quality).build(sidetone_artifact::COMPONENT)?;
    let sessions = (0..count).map(|_| open(&pool, quality)).collect::<Result<Vec<_>>>()?;
    let start = Instant::now();
    for n in 0.. {
        for (index, session) in sessions.iter().enumerate() {
            let due = Duration::from_secs_f64((f64::from(n) + index as f64 / f64::from(count)) * 0.06);
            if let Some(early) = due.checked_sub(start.elapsed()) {
                std::thread::sleep(early);
            }
            let frame = (n as usize + index * 7) % (down.len() / FRAME) * FRAME;
            // What becomes of them is in the pool's histogram.
            drop(session.receive(up[n as usize % up.len()].clone()));
            drop(session.send(down[frame..frame + FRAME].to_vec(), n * 60));
        }
        if start.elapsed() > time {
            break;
        }
    }
    let stats = pool.stats();
    let tenant = &stats.tenants["a"];
    Ok((stats.total.p99, tenant.shed + tenant.lost_frames))
}
