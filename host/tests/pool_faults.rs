//! What guests do to the pool, and what it loses by it: one frame, of that session only.

use sidetone_host::pool::{Clock, CloseReason, Event, Reply, RestartCause, RestartPolicy};
use sidetone_host::{Cause, Component, Engine, EngineConfig, Error, Key, Pool, PoolError, PoolSession, Quota};
use sidetone_session::{Config, Quality};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

const FRAME: usize = 1440;
const TRAP: u32 = 1;
const LOOP: u32 = 2;
const RECURSION: u32 = 3;
const MEMORY_BOMB: u32 = 4;
const LYING_LENGTH: u32 = 5;
const SLOW: u32 = 6;
const TRAP_ON_OPEN: u32 = 7;
const TRAP_ON_RESTART: u32 = 8;
const NONCE_TWICE: u32 = 9;
const LEAVE_SECRET: u32 = 10;
const LOOK_FOR_SECRET: u32 = 11;
const RANDOM: u32 = 12;

/// The connection id that asks for a fault at a call.
const fn fault(kind: u32, call: u32) -> u32 {
    0xfa17 << 16 | kind << 8 | call
}

fn builder(instances: u32, workers: usize) -> sidetone_host::pool::Builder {
    Pool::builder()
        .workers(workers)
        .engine(EngineConfig { instances, deadline: Duration::from_secs(10), ..EngineConfig::default() })
        .tenant("a", Quota::UNLIMITED)
        .max_wait(Duration::from_secs(600))
}

/// A pool on the one component that these tests compile.
fn build(builder: sidetone_host::pool::Builder) -> Pool {
    static COMPONENT: OnceLock<Component> = OnceLock::new();
    let compile = || {
        let config = EngineConfig { instances: 600, deadline: Duration::from_secs(10), ..EngineConfig::default() };
        Engine::new(&config).and_then(|engine| engine.compile(sidetone_faulty_artifact::COMPONENT))
    };
    let component = COMPONENT.get_or_init(|| compile().expect("the component compiles"));
    builder.build_on(component.clone()).expect("the pool starts")
}

/// A pool with slots of its own.
fn build_alone(builder: sidetone_host::pool::Builder) -> Pool {
    builder.build(sidetone_faulty_artifact::COMPONENT).expect("the pool starts")
}

fn open(pool: &Pool, id: u32) -> PoolSession {
    pool.open("a", &Key::new([7; 16]), Config::gateway(id)).wait().expect("a session opens")
}

fn speech(n: u32) -> Vec<i16> {
    (0..FRAME as u32).map(|i| (((n * 1440 + i) * (i % 97 + 3)) % 8000) as i16 - 4000).collect()
}

fn send(session: &PoolSession, n: u32) -> Result<Vec<Vec<u8>>, PoolError> {
    session.send(speech(n), n * 60).wait()
}

fn sequence(datagram: &[u8]) -> u32 {
    u32::from_be_bytes([datagram[12], datagram[13], datagram[14], datagram[15]])
}

#[test]
fn each_fault_costs_one_frame_of_one_session_and_no_nonce_twice() {
    type Expected = fn(&Cause) -> bool;
    let pool = build(builder(8, 1));
    let is_trap = |cause: &Cause| matches!(cause, Cause::Trap(_));
    // The guest's own stack, which lies at the start of its memory, or wasmtime's.
    let is_stack = |cause: &Cause| matches!(cause, Cause::StackOverflow | Cause::Trap(_));
    let is_memory = |cause: &Cause| matches!(cause, Cause::Memory { .. });
    let is_broken = |cause: &Cause| matches!(cause, Cause::BrokenReturn(_));
    let cases: [(u32, Expected); 5] = [
        (TRAP, is_trap),
        (RECURSION, is_stack),
        (MEMORY_BOMB, is_memory),
        (LYING_LENGTH, is_broken),
        (NONCE_TWICE, is_broken),
    ];
    for (kind, expected) in cases {
        let (sick, well) = (open(&pool, fault(kind, 3)), open(&pool, 1));
        let mut sequences = Vec::new();
        for n in 0..5 {
            match send(&sick, n) {
                Ok(sent) => sequences.extend(sent.iter().map(|datagram| sequence(datagram))),
                Err(PoolError::Restarted { cause: RestartCause::Guest(cause), lost_frames: 1 }) => {
                    assert!(n == 2 && expected(&cause), "fault {kind}, frame {n}: {cause:?}");
                }
                other => panic!("fault {kind}: {other:?}"),
            }
            assert_eq!(send(&well, n).map(|sent| sequence(&sent[0])), Ok(n + 1));
        }
        // The third frame is lost; its number was never seen outside and is the next frame's.
        assert_eq!(sequences, [1, 2, 3, 4], "fault {kind}");
        assert_eq!(sick.stats().wait().map(|stats| (stats.restarts, stats.lost_frames)), Ok((1, 1)));
    }
    assert_eq!(pool.stats().restarts.values().sum::<u64>(), 5);
}

#[test]
fn two_endless_loops_in_a_row_end_alike_and_in_time() {
    let deadline = Duration::from_millis(50);
    let engine = EngineConfig { instances: 4, deadline, ..EngineConfig::default() };
    let pool = build_alone(builder(4, 1).engine(engine));
    let sick = open(&pool, fault(LOOP, 1));
    for n in 0..2 {
        let start = Instant::now();
        let cause = RestartCause::Guest(Cause::Deadline(deadline));
        assert_eq!(send(&sick, n), Err(PoolError::Restarted { cause, lost_frames: 1 }));
        assert!(start.elapsed() >= Duration::from_millis(45), "{:?}", start.elapsed());
        std::thread::sleep(Duration::from_millis(30));
    }
    assert_eq!(pool.stats().restarts["deadline"], 2);
}

#[test]
fn a_tenants_own_deadline_is_the_shorter() {
    let quota = Quota { deadline: Some(Duration::from_millis(20)), ..Quota::UNLIMITED };
    let pool = build(builder(4, 1).tenant("a", quota));
    let sick = open(&pool, fault(LOOP, 1));
    let cause = RestartCause::Guest(Cause::Deadline(Duration::from_millis(20)));
    assert_eq!(send(&sick, 0), Err(PoolError::Restarted { cause, lost_frames: 1 }));
}

#[test]
fn slow_frames_are_served_and_the_other_tenant_is_not_starved() {
    let pool = build(builder(8, 1).tenant("b", Quota::UNLIMITED));
    let slow = open(&pool, fault(SLOW, 40));
    let well = pool.open("b", &Key::new([7; 16]), Config::gateway(1)).wait().expect("opens");
    let start = Instant::now();
    let slow: Vec<_> = (0..10).map(|n| slow.send(speech(n), n * 60)).collect();
    let well: Vec<_> = (0..10).map(|n| well.send(speech(n), n * 60)).collect();
    assert!(well.into_iter().all(|reply| reply.wait().is_ok()));
    let well_took = start.elapsed();
    assert!(slow.into_iter().all(|reply| reply.wait().is_ok()));
    assert!(well_took < start.elapsed() / 2, "{well_took:?} of {:?}", start.elapsed());
}

#[test]
fn a_trap_while_opening_is_the_openers_answer_and_takes_no_slot() {
    let pool = build_alone(builder(1, 1));
    for _ in 0..5 {
        let opened = pool.open("a", &Key::new([7; 16]), Config::gateway(fault(TRAP_ON_OPEN, 0))).wait();
        assert!(matches!(opened, Err(PoolError::Guest(Error::Failed(_)))), "{opened:?}");
    }
    assert_eq!(send(&open(&pool, 1), 0).map(|sent| sent.len()), Ok(1));
}

#[test]
fn a_session_that_fails_at_every_restart_waits_longer_and_longer_and_is_closed() {
    let time = Arc::new(AtomicU64::new(0));
    let clock = {
        let time = time.clone();
        Clock::new(move || Duration::from_millis(time.load(Ordering::Relaxed)))
    };
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let events = events.clone();
        move |event: &Event| events.lock().unwrap().push(event.clone())
    };
    let policy = RestartPolicy { limit: 5, ..RestartPolicy::default() };
    let pool = build_alone(builder(2, 1).clock(clock).restart(policy).on_event(sink));
    let sick = open(&pool, fault(TRAP_ON_RESTART, 2));
    assert!(send(&sick, 0).is_ok());
    let mut backing_off = 0;
    let reason = (1..10_000).find_map(|n| {
        time.fetch_add(5, Ordering::Relaxed);
        match send(&sick, n) {
            Err(PoolError::BackingOff { .. }) => backing_off += 1,
            Err(PoolError::Restarted { .. }) => {}
            Err(PoolError::Closed(reason)) => return Some(reason),
            other => panic!("{other:?}"),
        }
        None
    });
    assert!(matches!(reason, Some(CloseReason::Storm { restarts: 5, .. })), "{reason:?}");
    assert!((10..100).contains(&backing_off), "{backing_off}");
    assert!(send(&sick, 0).is_err_and(|error| error.is_closed()));
    assert!(matches!(events.lock().unwrap().last(), Some(Event::Closed { .. })));
    assert!(send(&open(&pool, 1), 0).is_ok() && send(&open(&pool, 2), 0).is_ok(), "its slot is free");
}

#[test]
fn a_panic_of_the_host_costs_the_frame_it_met_and_a_thread() {
    let armed = Arc::new(AtomicBool::new(true));
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let (armed, events) = (armed.clone(), events.clone());
        move |event: &Event| {
            if matches!(event, Event::Quality { .. }) && armed.swap(false, Ordering::Relaxed) {
                panic!("an embedder's callback");
            }
            events.lock().unwrap().push(event.clone());
        }
    };
    let pool = build(builder(4, 1).on_event(sink));
    let (met, other) = (open(&pool, 1), open(&pool, 2));
    let reference = build(builder(4, 1));
    let twin = open(&reference, 2);
    for n in 0..3 {
        assert!(send(&met, n).is_ok());
        assert_eq!(send(&other, n), send(&twin, n));
    }
    assert_eq!(met.set_quality(Some(Quality::Minimal)).wait(), Err(PoolError::Lost));
    for n in 3..6 {
        assert_eq!(send(&met, n).map(|sent| sequence(&sent[0])), Ok(n + 1));
        assert_eq!(send(&other, n), send(&twin, n), "the other session goes on bit for bit");
    }
    let stats = pool.stats();
    assert_eq!((stats.workers_replaced, stats.restarts["host_panic"]), (1, 1));
    let events = events.lock().unwrap();
    assert!(events.contains(&Event::WorkerReplaced { worker: 0 }), "{events:?}");
}

#[test]
fn of_two_hundred_sessions_one_fails_at_random_and_the_others_do_not_change_by_a_bit() {
    let policy = RestartPolicy { base: Duration::ZERO, limit: 10_000, ..RestartPolicy::default() };
    let run = |sick: u32| {
        // The ladder acts on load, which is never the same twice.
        let quota = Quota { pin: Some(Quality::Full), ..Quota::UNLIMITED };
        let pool = build(builder(200, 2).restart(policy).queues(100, 100_000).tenant("a", quota));
        let sessions: Vec<_> = (0..200).map(|id| open(&pool, if id == 77 { sick } else { id })).collect();
        let frames =
            (0..10).map(|n| sessions.iter().map(|session| session.send(speech(n), n * 60)).collect::<Vec<_>>());
        let replies: Vec<_> = frames.collect();
        let results: Vec<Vec<_>> = replies.into_iter().map(|row| row.into_iter().map(Reply::wait).collect()).collect();
        (results, pool.stats().tenants["a"].restarts)
    };
    let (with, restarts) = run(fault(RANDOM, 0));
    let (without, _) = run(77);
    assert!(restarts > 0);
    for (row, reference) in with.iter().zip(&without) {
        for (id, (result, expected)) in row.iter().zip(reference).enumerate() {
            assert!(id == 77 || (result == expected && result.is_ok()), "session {id}: {result:?}");
        }
    }
    let lost = with.iter().filter(|row| row[77].is_err()).count();
    assert_eq!(lost as u64, restarts, "one frame a restart");
}

#[test]
fn a_slot_is_zeroed_before_it_is_used_again() {
    let pool = build_alone(builder(1, 1));
    for _ in 0..3 {
        open(&pool, fault(LEAVE_SECRET, 0)).close().wait().expect("closes");
        // It would trap, had it found anything.
        open(&pool, fault(LOOK_FOR_SECRET, 0)).close().wait().expect("closes");
    }
}

#[test]
fn an_hour_forward_or_back_sheds_what_waited_and_nothing_else() {
    let time = Arc::new(AtomicU64::new(7_200_000));
    let clock = {
        let time = time.clone();
        Clock::new(move || Duration::from_millis(time.load(Ordering::Relaxed)))
    };
    let quota = Quota { frames_per_second: Some(1000), ..Quota::UNLIMITED };
    let pool = build(builder(4, 1).tenant("a", quota).clock(clock).max_wait(Duration::from_millis(60)));
    let (slow, well) = (open(&pool, fault(SLOW, 40)), open(&pool, 1));
    assert!(send(&slow, 0).is_ok() && send(&well, 0).is_ok());
    let waiting: Vec<_> = (1..6).map(|n| slow.send(speech(n), n * 60)).collect();
    time.fetch_add(3_600_000, Ordering::Relaxed);
    let shed =
        waiting.into_iter().map(Reply::wait).filter(|result| matches!(result, Err(PoolError::Shed { .. }))).count();
    assert!(shed >= 3, "{shed}");
    assert!(send(&slow, 6).is_ok() && send(&well, 1).is_ok());
    time.fetch_sub(2 * 3_600_000, Ordering::Relaxed);
    assert!(send(&slow, 7).is_ok() && send(&well, 2).is_ok());
    assert_eq!(pool.stats().tenants["a"].restarts, 0);
}

/// Resident memory in KiB, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

#[test]
#[ignore = "alone in its process, because it measures memory; ten seconds"]
fn ten_thousand_sessions_come_and_go_and_leave_nothing() {
    let pool = build_alone(builder(64, 2));
    let cycles = |count: u32| {
        for id in 0..count {
            let session = open(&pool, if id % 10 == 0 { fault(TRAP, 1) } else { id });
            drop(send(&session, 0));
            session.close().wait().expect("closes");
        }
    };
    cycles(1000);
    let before = resident();
    cycles(9000);
    assert_eq!((pool.stats().sessions, pool.stats().tenants["a"].memory), (0, 0));
    if let (Some(before), Some(after)) = (before, resident()) {
        assert!(after.abs_diff(before) * 20 <= before, "{before} KiB before, {after} after");
    }
}
