//! What guests do to the pool, and what it loses by it: one frame, of that session only.

use crate::support::*;
use sidetone_host::pool::{CloseReason, Event, Reply, RestartCause, RestartPolicy};
use sidetone_host::{Cause, EngineConfig, Error, PoolError, Quota};
use sidetone_session::{Config, Quality};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[test]
fn each_fault_costs_one_frame_of_one_session_and_no_nonce_twice() {
    type Expected = fn(&Cause) -> bool;
    let pool = build(builder(8, 1));
    let is_trap = |cause: &Cause| matches!(cause, Cause::Trap(_));
    // The guest's own stack, which lies at the start of its memory, or wasmtime's.
    let is_stack = |cause: &Cause| matches!(cause, Cause::StackOverflow | Cause::Trap(_));
    let is_memory = |cause: &Cause| matches!(cause, Cause::Memory { .. });
    let is_broken = |cause: &Cause| matches!(cause, Cause::BrokenReturn(_));
    let cases: [(u32, Expected); 8] = [
        (TRAP, is_trap),
        (RECURSION, is_stack),
        (MEMORY_BOMB, is_memory),
        (LYING_LENGTH, is_broken),
        (NONCE_TWICE, is_broken),
        (LYING_POINTER, is_broken),
        (LYING_COUNT, is_broken),
        (SWOLLEN, is_broken),
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
        assert_eq!(sick.stats().wait().map(|stats| (stats.counts.restarts, stats.counts.lost_frames)), Ok((1, 1)));
    }
    assert_eq!(pool.stats().restarts.values().sum::<u64>(), 8);
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
    }
    assert_eq!(pool.stats().restarts["deadline"], 2);
}

#[test]
fn a_hanging_start_ends_at_its_deadline_and_touches_nobody_else() {
    let deadline = EngineConfig::default().init_deadline;
    assert_eq!(deadline, Duration::from_millis(500));
    let engine = EngineConfig { init_deadline: deadline, ..engine(8) };
    let pool = build_alone(builder(8, 1).engine(engine));
    let well = open(&pool, 1);
    for n in 0..2 {
        let start = Instant::now();
        let hanging = pool.open("a", &key(), Config::gateway(fault(HANG_ON_OPEN, 0)));
        // The same worker, and the same tenant: another thread serves it meanwhile.
        for frame in 0..10 {
            assert_eq!(send(&well, n * 10 + frame).map(|sent| sequence(&sent[0])), Ok(n * 10 + frame + 1));
        }
        match hanging.wait() {
            Err(PoolError::Guest(Error::Failed(failure))) => {
                assert_eq!(failure.cause, Cause::Deadline(deadline));
                assert!(!failure.backtrace.is_empty(), "the log has where it hung");
            }
            other => panic!("{other:?}"),
        }
        assert!(start.elapsed() >= deadline - Duration::from_millis(20), "{:?}", start.elapsed());
    }
    let stats = pool.stats();
    assert_eq!((stats.sessions, stats.slots_used, stats.tenants["a"].restarts), (1, 1, 0), "no slot is kept");
}

#[test]
fn a_session_that_hangs_while_it_is_opened_again_is_opened_later_or_closed() {
    let quota = Quota { init_deadline: Some(Duration::from_millis(20)), ..Quota::UNLIMITED };
    let policy = RestartPolicy { limit: 3, base: Duration::ZERO, ..RestartPolicy::default() };
    let pool = build(builder(8, 1).tenant("a", Quota { deadline: Some(PATIENT), ..quota }).restart(policy));
    let sick = open(&pool, fault(TRAP_ON_RESTART, 2));
    assert!(send(&sick, 0).is_ok());
    let reason = (1..20).find_map(|n| match send(&sick, n) {
        Err(PoolError::Closed(reason)) => Some(reason),
        _ => None,
    });
    assert!(matches!(reason, Some(CloseReason::Storm { restarts: 3, .. })), "{reason:?}");
    let hangs = pool.open("a", &key(), Config { resume: used(), ..Config::gateway(fault(HANG_ON_RESTART, 200)) });
    match hangs.wait() {
        Err(PoolError::Guest(Error::Failed(failure))) => {
            assert_eq!(failure.cause, Cause::Deadline(Duration::from_millis(20)), "the tenant's own");
        }
        other => panic!("{other:?}"),
    }
}

/// The state of a session that was used before.
fn used() -> sidetone_session::State {
    let mut state = sidetone_session::State::START;
    state.position = 1440;
    state
}

#[test]
fn an_endless_loop_keeps_nobody_waiting_but_its_own_session() {
    let deadline = Duration::from_millis(2000);
    let pool = build_alone(builder(8, 1).engine(EngineConfig { deadline, ..engine(8) }));
    let (sick, well) = (open(&pool, fault(LOOP, 2)), open(&pool, 1));
    assert!(send(&sick, 0).is_ok());
    let stuck = sick.send(speech(1), 60);
    let behind = sick.send(speech(2), 120);
    let start = Instant::now();
    for n in 0..20 {
        assert_eq!(send(&well, n).map(|sent| sequence(&sent[0])), Ok(n + 1));
    }
    let took = start.elapsed();
    let cause = RestartCause::Guest(Cause::Deadline(deadline));
    assert_eq!(stuck.wait(), Err(PoolError::Restarted { cause, lost_frames: 1 }));
    assert!(took < start.elapsed(), "all of them were served before the loop had ended");
    assert_eq!(behind.wait().map(|sent| sequence(&sent[0])), Ok(2), "in order, after the one that failed");
    let stats = pool.stats();
    assert!(stats.reliefs >= 1, "{}", stats.reliefs);
    assert_eq!((stats.restarts["deadline"], stats.tenants["a"].lost_frames), (1, 1));
    assert_eq!(pool.worker_stats()[0].queued, 0);
}

#[test]
fn many_endless_loops_at_once_end_in_time_and_the_other_tenant_goes_on() {
    let deadline = Duration::from_millis(100);
    let engine = EngineConfig { deadline: PATIENT, ..engine(40) };
    let quota = Quota { deadline: Some(deadline), ..Quota::UNLIMITED };
    let pool = build_alone(builder(40, 1).engine(engine).tenant("a", quota).tenant("b", Quota::UNLIMITED));
    let sick: Vec<_> = (0..16).map(|_| open(&pool, fault(LOOP, 1))).collect();
    let well = open_for(&pool, "b", 1);
    let stuck: Vec<_> = sick.iter().map(|session| session.send(speech(0), 0)).collect();
    for n in 0..10 {
        assert_eq!(send(&well, n).map(|sent| sequence(&sent[0])), Ok(n + 1));
    }
    for reply in stuck {
        let cause = RestartCause::Guest(Cause::Deadline(deadline));
        assert_eq!(reply.wait(), Err(PoolError::Restarted { cause, lost_frames: 1 }));
    }
    assert_eq!((pool.stats().tenants["a"].restarts, pool.stats().tenants["b"].restarts), (16, 0));
    assert!(pool.shutdown(PATIENT));
    assert_eq!((pool.stats().sessions, pool.stats().slots_used), (0, 0));
}

#[test]
fn however_many_guests_of_a_tenant_hang_one_thread_is_left_for_the_others() {
    let engine = EngineConfig { deadline: PATIENT, ..engine(16) };
    let quota = Quota { deadline: Some(Duration::from_secs(3)), ..Quota::UNLIMITED };
    let pool = build_alone(builder(16, 1).engine(engine).tenant("a", quota).tenant("b", Quota::UNLIMITED));
    let well = open_for(&pool, "b", 1);
    let sick: Vec<_> = (0..8).map(|_| open(&pool, fault(LOOP, 1))).collect();
    let stuck: Vec<_> = sick.iter().map(|session| session.send(speech(0), 0)).collect();
    while pool.stats().reliefs < 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    // Time for the third to hang, and for a fourth, were it let.
    std::thread::sleep(Duration::from_millis(50));
    for n in 0..10 {
        assert_eq!(send(&well, n).map(|sent| sequence(&sent[0])), Ok(n + 1));
    }
    assert_eq!(pool.stats().restarts.get("deadline"), None, "served before the first of them had ended");
    let lost = stuck.into_iter().map(Reply::wait).filter(Result::is_err).count();
    assert_eq!((lost, pool.stats().tenants["a"].restarts), (8, 8));
}

#[test]
fn a_pool_that_is_shut_down_under_an_endless_loop_ends_with_it() {
    let deadline = Duration::from_millis(300);
    let pool = build_alone(builder(8, 1).engine(EngineConfig { deadline, ..engine(8) }));
    let (sick, well) = (open(&pool, fault(LOOP, 1)), open(&pool, 1));
    let stuck = sick.send(speech(0), 0);
    assert!(send(&well, 0).is_ok(), "relieved");
    assert!(pool.shutdown(PATIENT));
    assert!(matches!(stuck.wait(), Err(PoolError::Restarted { .. })));
    assert_eq!((pool.stats().sessions, pool.stats().slots_used, pool.stats().tenants["a"].memory), (0, 0, 0));
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
    let well = open_for(&pool, "b", 1);
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
        let opened = pool.open("a", &key(), Config::gateway(fault(TRAP_ON_OPEN, 0))).wait();
        assert!(matches!(opened, Err(PoolError::Guest(Error::Failed(_)))), "{opened:?}");
    }
    assert_eq!(send(&open(&pool, 1), 0).map(|sent| sent.len()), Ok(1));
}

#[test]
fn a_session_that_fails_at_every_restart_waits_longer_and_longer_and_is_closed() {
    let (time, clock) = clock(0);
    let policy = RestartPolicy { limit: 5, ..RestartPolicy::default() };
    let (builder, events) = listen(builder(2, 1).clock(clock).restart(policy));
    let pool = build_alone(builder);
    let sick = open(&pool, fault(TRAP_ON_RESTART, 2));
    assert!(send(&sick, 0).is_ok());
    let (mut backing_off, mut lost) = (0, 0);
    let reason = (1..10_000).find_map(|n| {
        time.fetch_add(5, Ordering::Relaxed);
        lost += 1;
        match send(&sick, n) {
            Err(PoolError::BackingOff { .. }) => backing_off += 1,
            Err(PoolError::Restarted { lost_frames, .. }) => assert_eq!(lost_frames, 1),
            Err(PoolError::Closed(reason)) => return Some(reason),
            other => panic!("{other:?}"),
        }
        None
    });
    assert_eq!((sick.meters().read().lost_frames, pool.stats().tenants["a"].lost_frames), (lost, lost));
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
fn nothing_that_one_tenant_leaves_in_a_slot_is_found_by_the_next() {
    let pool = build_alone(builder(1, 1).tenant("b", Quota::UNLIMITED));
    for _ in 0..3 {
        // In the stack, the heap and pages that were added.
        open(&pool, fault(LEAVE_SECRET, 0)).close().wait().expect("closes");
        // It would trap, had it found anything.
        open_for(&pool, "b", fault(LOOK_FOR_SECRET, 0)).close().wait().expect("closes");
    }
}

#[test]
fn an_hour_forward_or_back_sheds_what_waited_and_nothing_else() {
    let (time, clock) = clock(7_200_000);
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
