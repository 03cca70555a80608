//! What the tests of the pool share. Each test binary uses a part of it.
#![allow(dead_code, unreachable_pub)]

use sidetone_host::pool::{Builder, Clock, Event};
use sidetone_host::{Component, Engine, EngineConfig, Key, Pool, PoolError, PoolSession, Quota};
use sidetone_session::Config;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Samples of 60 ms at 24 kHz.
pub const FRAME: usize = 1440;

/// Ways in which the faulty component fails.
pub const TRAP: u32 = 1;
pub const LOOP: u32 = 2;
pub const RECURSION: u32 = 3;
pub const MEMORY_BOMB: u32 = 4;
pub const LYING_LENGTH: u32 = 5;
pub const SLOW: u32 = 6;
pub const TRAP_ON_OPEN: u32 = 7;
pub const TRAP_ON_RESTART: u32 = 8;
pub const NONCE_TWICE: u32 = 9;
pub const LEAVE_SECRET: u32 = 10;
pub const LOOK_FOR_SECRET: u32 = 11;
pub const RANDOM: u32 = 12;
pub const HANG_ON_OPEN: u32 = 13;
pub const LYING_POINTER: u32 = 14;
pub const LYING_COUNT: u32 = 15;
pub const HANG_ON_RESTART: u32 = 16;
pub const SWOLLEN: u32 = 17;

/// The connection id that asks for a fault at a call.
pub const fn fault(kind: u32, call: u32) -> u32 {
    0xfa17 << 16 | kind << 8 | call
}

/// A deadline that a busy machine does not make a well guest miss.
pub const PATIENT: Duration = Duration::from_secs(10);

pub fn engine(instances: u32) -> EngineConfig {
    EngineConfig { instances, deadline: PATIENT, init_deadline: PATIENT, ..EngineConfig::default() }
}

pub fn builder(instances: u32, workers: usize) -> Builder {
    let builder = Pool::builder().workers(workers).engine(engine(instances)).tenant("a", Quota::UNLIMITED);
    builder.max_wait(Duration::from_secs(600))
}

/// A pool on the one faulty component that a test binary compiles.
pub fn build(builder: Builder) -> Pool {
    static COMPONENT: OnceLock<Component> = OnceLock::new();
    let compile = || Engine::new(&engine(600)).and_then(|engine| engine.compile(sidetone_faulty_artifact::COMPONENT));
    let component = COMPONENT.get_or_init(|| compile().expect("the component compiles"));
    builder.build_on(component.clone()).expect("the pool starts")
}

/// A pool with slots and deadlines of its own.
pub fn build_alone(builder: Builder) -> Pool {
    builder.build(sidetone_faulty_artifact::COMPONENT).expect("the pool starts")
}

pub fn key() -> Key {
    Key::new([7; 16])
}

pub fn open(pool: &Pool, id: u32) -> PoolSession {
    open_for(pool, "a", id)
}

pub fn open_for(pool: &Pool, tenant: &str, id: u32) -> PoolSession {
    pool.open(tenant, &key(), Config::gateway(id)).wait().expect("a session opens")
}

/// Frame `n` of something like speech.
pub fn speech(n: u32) -> Vec<i16> {
    (0..FRAME as u32).map(|i| (((n * 1440 + i) * (i % 97 + 3)) % 8000) as i16 - 4000).collect()
}

pub fn send(session: &PoolSession, n: u32) -> Result<Vec<Vec<u8>>, PoolError> {
    session.send(speech(n), n * 60).wait()
}

pub fn sequence(datagram: &[u8]) -> u32 {
    u32::from_be_bytes([datagram[12], datagram[13], datagram[14], datagram[15]])
}

/// A clock that stands until it is moved, in ms.
pub fn clock(start: u64) -> (Arc<AtomicU64>, Clock) {
    let time = Arc::new(AtomicU64::new(start));
    let read = time.clone();
    (time, Clock::new(move || Duration::from_millis(read.load(Ordering::Relaxed))))
}

/// Where events go.
pub type Events = Arc<Mutex<Vec<Event>>>;

pub fn listen(builder: Builder) -> (Builder, Events) {
    let events = Events::default();
    let sink = events.clone();
    (builder.on_event(move |event| sink.lock().unwrap().push(event.clone())), events)
}

/// Resident memory in KiB, where the system tells.
pub fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

/// Fails where resident memory moved by more than a twentieth since `before`.
pub fn assert_flat(before: Option<u64>) {
    if let (Some(before), Some(after)) = (before, resident()) {
        assert!(after.abs_diff(before) * 20 <= before, "{before} KiB resident before, {after} after");
    }
}
