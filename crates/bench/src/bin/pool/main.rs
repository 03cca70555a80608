//! `cargo xtask bench pool`: what the pool costs beside the bare guest, and how many calls two cores hold.
//!
//! It has parts; `cargo xtask bench pool -- --help` lists them.

mod calls;
mod flood;
mod memory;
mod single;

use anyhow::Result;
use sidetone_bench::options::{Part, Wanted};
use sidetone_bench::speech::Speech;
use sidetone_host::pool::Builder;
use sidetone_host::{EngineConfig, Key, Pool, PoolSession, Quota};
use sidetone_session::{Config, Quality};
use std::time::Duration;

/// Samples of 60 ms at 24 kHz.
const FRAME: usize = 1440;
const WORKERS: usize = 2;
const PATIENT: Duration = Duration::from_secs(60);
const LEVELS: [(Quality, &str, &str); 3] = [
    (Quality::Minimal, "c0", "full_duplex_sessions_c0"),
    (Quality::Medium, "c5", "full_duplex_sessions_c5"),
    (Quality::Full, "c10", "full_duplex_sessions_c10"),
];

const ABOUT: &str = "What the pool costs beside the bare guest, and how many full-duplex calls two cores hold.";

const PARTS: [Part<Input>; 6] = [
    ("throughput", |report, input| single::throughput(report, &input.down)),
    ("overhead", |report, input| single::overhead(report, &input.down)),
    ("open", |report, _| single::open_and_restart(report)),
    ("memory", memory::memory),
    ("flood", flood::flood),
    ("calls", calls::full_duplex),
];

/// What all parts are fed with.
struct Input {
    /// 24 kHz, whole frames.
    down: Vec<i16>,
    /// Sealed by a device, 16 kHz.
    up: Vec<Vec<u8>>,
    /// Of a level of calls.
    time: Duration,
}

fn main() -> Result<()> {
    let wanted = Wanted::parse("pool", ABOUT, &PARTS, "3");
    let speech = Speech::load()?;
    let mut down = speech.frames(24_000, FRAME)?;
    down.truncate(FRAME * 200);
    let up = uplink(&speech)?;
    println!("speech: {}; 60 ms frames at 24 kHz, {WORKERS} workers\n", speech.source);
    wanted.run("pool", &PARTS, &Input { down, up, time: wanted.time })
}

fn uplink(speech: &Speech) -> Result<Vec<Vec<u8>>> {
    let frames = speech.frames(16_000, 960)?;
    let devices = pool(1, Quality::Minimal)?;
    let device = devices.open("a", &key(), Config::device(1)).wait()?;
    let mut datagrams = Vec::new();
    for (n, frame) in frames.chunks_exact(960).take(300).enumerate() {
        datagrams.extend(device.send(frame.to_vec(), n as u32 * 60).wait()?);
    }
    Ok(datagrams)
}

fn key() -> Key {
    Key::new([7; 16])
}

/// A pool in which no frame is too old.
fn pool(instances: u32, quality: Quality) -> Result<Pool> {
    let builder = builder(quality).engine(engine(instances)).max_wait(PATIENT);
    Ok(builder.build(sidetone_artifact::COMPONENT)?)
}

/// Load on the machine must not end a guest while it is measured.
fn engine(instances: u32) -> EngineConfig {
    EngineConfig { instances, deadline: Duration::from_secs(1), ..EngineConfig::default() }
}

/// Load on the machine must not change a guest's quality, either.
fn builder(quality: Quality) -> Builder {
    let quota = Quota { pin: Some(quality), ..Quota::UNLIMITED };
    Pool::builder().workers(WORKERS).tenant("a", quota)
}

fn open(pool: &Pool, quality: Quality) -> Result<PoolSession> {
    Ok(pool.open("a", &key(), Config { quality, ..Config::gateway(1) }).wait()?)
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}
