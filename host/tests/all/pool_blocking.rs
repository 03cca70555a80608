//! Callers that block do their frames themselves where their worker has nothing else to do. All else is as on a worker's
//! thread: the order, the deadline, the restarts, the others' turn.

use crate::support::*;
use sidetone_host::pool::{Builder, CloseReason, Event, Refusal, Reply, RestartCause, RestartPolicy};
use sidetone_host::{Cause, EncoderConfig, EngineConfig, Pool, PoolError, PoolSession, Quota};
use sidetone_opus::{Bitrate, Channels, SampleRate};
use sidetone_packet::{FLAG_DOWNLINK, Header};
use sidetone_session::Quality;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

fn send_here(session: &PoolSession, n: u32) -> Result<Vec<Vec<u8>>, PoolError> {
    session.blocking_send(speech(n), n * 60)
}

/// A pool that may restart as often as it likes, and says on which thread it was told to: that of the call that failed.
fn telling(builder: Builder) -> (Pool, Arc<Mutex<Vec<ThreadId>>>) {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let sink = threads.clone();
    let told = move |event: &Event| {
        if matches!(event, Event::Restarted { .. }) {
            sink.lock().unwrap().push(thread::current().id());
        }
    };
    let policy = RestartPolicy { base: Duration::ZERO, limit: u32::MAX, ..RestartPolicy::default() };
    (build(builder.restart(policy).on_event(told)), threads)
}

/// Does something until this thread has done it: its worker may take a while to go to sleep.
fn until_it_is_done_here(threads: &Mutex<Vec<ThreadId>>, mut call: impl FnMut()) {
    let start = Instant::now();
    while start.elapsed() < PATIENT {
        call();
        if threads.lock().unwrap().pop() == Some(thread::current().id()) {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("a thread of the pool did it every time");
}

#[test]
fn a_frame_that_nothing_is_ahead_of_is_done_on_its_callers_thread() {
    let (pool, threads) = telling(builder(4, 1));
    let sick = open(&pool, fault(TRAP, 1));
    until_it_is_done_here(&threads, || assert!(matches!(send_here(&sick, 0), Err(PoolError::Restarted { .. }))));
    // One whose reply is awaited never is.
    for n in 0..20 {
        assert!(matches!(send(&sick, n), Err(PoolError::Restarted { .. })));
        assert_ne!(threads.lock().unwrap().pop(), Some(thread::current().id()));
    }
}

#[test]
fn deep_recursion_ends_the_instance_and_not_the_callers_thread_however_small_its_stack() {
    let (pool, threads) = telling(builder(4, 1));
    let sick = open(&pool, fault(RECURSION, 1));
    let recurse = || match send_here(&sick, 0) {
        Err(PoolError::Restarted { cause: RestartCause::Guest(Cause::StackOverflow | Cause::Trap(_)), .. }) => {}
        other => panic!("{other:?}"),
    };
    until_it_is_done_here(&threads, recurse);
    // So small that the system does not hand out a larger one that another thread has left.
    let small = thread::Builder::new().stack_size(256 << 10);
    thread::scope(|scope| {
        let ten_times = || {
            (0..10).for_each(|_| recurse());
            assert!(!threads.lock().unwrap().contains(&thread::current().id()));
        };
        small.spawn_scoped(scope, ten_times).expect("a thread").join().expect("it lives");
    });
}

#[test]
fn frames_stay_in_order_and_come_out_as_on_a_workers_thread() {
    let pinned = |builder: Builder| builder.tenant("a", Quota { pin: Some(Quality::Full), ..Quota::UNLIMITED });
    let (pool, reference) = (build(pinned(builder(4, 1))), build(pinned(builder(4, 1))));
    let (session, twin) = (open(&pool, 1), open(&reference, 1));
    for n in (0..40).step_by(4) {
        let ahead: Vec<_> = (n..n + 3).map(|n| session.send(speech(n), n * 60)).collect();
        let last = send_here(&session, n + 3);
        let all = ahead.into_iter().map(Reply::wait).chain([last]);
        for (result, n) in all.zip(n..) {
            assert_eq!(result, send(&twin, n));
        }
    }
    // Asked of the worker, which has noted down all before it.
    assert_eq!(session.stats().wait().map(|stats| stats.counts.frames), Ok(40));
    let stats = pool.stats();
    assert_eq!((stats.tenants["a"].frames, stats.total.count, stats.tenant_latency["a"].count), (40, 40, 40));
}

#[test]
fn many_threads_that_block_and_many_that_do_not_lose_nothing() {
    let pool = build(builder(16, 2).queues(1000, 100_000));
    let sessions: Vec<_> = (0..8).map(|id| open(&pool, id)).collect();
    let mut sequences: Vec<Vec<u32>> = thread::scope(|scope| {
        let caller = |index: usize| {
            let session = &sessions[index / 2];
            let mut sequences = Vec::new();
            for n in 0..60 {
                // Two threads share a session; one of them blocks most of the time, the other one rarely.
                let sent = if (n + index as u32) % 4 < 3 { send_here(session, n) } else { send(session, n) };
                sequences.extend(sent.expect("is sent").iter().map(|datagram| sequence(datagram)));
            }
            sequences
        };
        let callers: Vec<_> = (0..16).map(|index| scope.spawn(move || caller(index))).collect();
        callers.into_iter().map(|caller| caller.join().expect("no caller panics")).collect()
    });
    for both in sequences.chunks_mut(2) {
        assert!(both.iter().all(|own| own.is_sorted()), "each thread's in order");
        let mut all = both.concat();
        all.sort_unstable();
        assert_eq!(all, (1..=120).collect::<Vec<_>>(), "no nonce twice, and none left out");
    }
    assert_eq!(pool.stats().tenants["a"].frames, 8 * 120);
    assert!(pool.shutdown(PATIENT));
    assert_eq!((pool.stats().sessions, pool.stats().slots_used), (0, 0));
}

#[test]
fn a_callers_guest_that_takes_long_keeps_nobody_waiting_but_its_own_session() {
    let deadline = Duration::from_millis(500);
    let at_once = RestartPolicy { base: Duration::ZERO, limit: u32::MAX, ..RestartPolicy::default() };
    let pool = build_alone(builder(8, 1).restart(at_once).engine(EngineConfig { deadline, ..engine(8) }));
    let (sick, well) = (open(&pool, fault(LOOP, 1)), open(&pool, 1));
    for round in 0..3 {
        thread::scope(|scope| {
            let stuck = scope.spawn(|| (send_here(&sick, 0), Instant::now()));
            let mut served = 0;
            while !stuck.is_finished() {
                let n = pool.stats().tenants["a"].frames as u32;
                let sent = if n.is_multiple_of(2) { send(&well, n) } else { send_here(&well, n) };
                assert_eq!(sent.map(|sent| sequence(&sent[0])), Ok(n + 1));
                served += 1;
            }
            let cause = RestartCause::Guest(Cause::Deadline(deadline));
            let (result, _) = stuck.join().expect("the caller lives");
            assert_eq!(result, Err(PoolError::Restarted { cause, lost_frames: 1 }));
            assert!(served > 10, "round {round}: {served}");
        });
    }
    assert!(pool.stats().reliefs >= 3, "{}", pool.stats().reliefs);
    assert!(pool.shutdown(PATIENT));
    assert_eq!((pool.stats().sessions, pool.stats().slots_used), (0, 0));
}

#[test]
fn a_pool_that_is_shut_down_under_a_callers_endless_loop_ends_with_it() {
    for _ in 0..3 {
        let deadline = Duration::from_millis(200);
        let pool = build_alone(builder(8, 1).engine(EngineConfig { deadline, ..engine(8) }));
        let (sick, well) = (open(&pool, fault(LOOP, 1)), open(&pool, 1));
        thread::scope(|scope| {
            let stuck = scope.spawn(|| send_here(&sick, 0));
            assert!(send(&well, 0).is_ok());
            assert!(pool.shutdown(PATIENT));
            let ended = stuck.join().expect("the caller lives");
            let shut_down = PoolError::Closed(CloseReason::ShutDown);
            assert!(matches!(&ended, Err(PoolError::Restarted { .. })) || ended == Err(shut_down.clone()), "{ended:?}");
            assert_eq!(send_here(&well, 1), Err(shut_down));
        });
        assert_eq!((pool.stats().sessions, pool.stats().slots_used, pool.stats().tenants["a"].memory), (0, 0, 0));
    }
}

#[test]
fn a_panic_of_the_host_on_a_callers_thread_is_survived_by_both() {
    let here = thread::current().id();
    let panicked = Arc::new(AtomicBool::new(false));
    let sink = {
        let panicked = panicked.clone();
        move |event: &Event| {
            let quality = matches!(event, Event::Quality { .. });
            if quality && thread::current().id() == here && !panicked.swap(true, Relaxed) {
                panic!("an embedder's callback");
            }
        }
    };
    // The tenant's pin is met by the first frame of each session, and told of on the thread that does it.
    let quota = Quota { pin: Some(Quality::Minimal), ..Quota::UNLIMITED };
    let pool = build(builder(4, 1).tenant("a", quota).on_event(sink));
    let start = Instant::now();
    while !panicked.load(Relaxed) && start.elapsed() < PATIENT {
        thread::sleep(Duration::from_millis(1));
        let met = open(&pool, 1);
        thread::sleep(Duration::from_millis(1));
        match send_here(&met, 0) {
            Err(PoolError::Lost) => assert!(panicked.load(Relaxed)),
            sent => assert_eq!(sent.map(|sent| sequence(&sent[0])), Ok(1)),
        }
        let next = send_here(&met, 1).map(|sent| sequence(&sent[0]));
        assert_eq!(next, Ok(if panicked.load(Relaxed) { 1 } else { 2 }));
    }
    let stats = pool.stats();
    assert_eq!((stats.restarts["host_panic"], stats.workers_replaced), (1, 0));
    assert!(pool.shutdown(PATIENT));
}

#[test]
fn a_quota_counts_frames_that_callers_do_themselves() {
    let quota = Quota { frames_per_second: Some(10), ..Quota::UNLIMITED };
    let (_, clock) = clock(1000);
    let pool = build(builder(4, 1).clock(clock).tenant("a", quota));
    let session = open(&pool, 1);
    let results: Vec<_> = (0..30).map(|n| send_here(&session, n).map(|sent| sent.len())).collect();
    assert!(results[..10].iter().all(|result| *result == Ok(1)), "{results:?}");
    assert!(results[10..].iter().all(|result| *result == Err(Refusal::Frames { limit: 10 }.into())), "{results:?}");
    assert_eq!((pool.stats().tenants["a"].frames, pool.stats().tenants["a"].refused), (10, 20));
}

#[test]
fn codecs_and_packets_are_done_here_too() -> Result<(), PoolError> {
    let (pool, threads) = telling(builder(8, 1));
    let voice = |bitrate| EncoderConfig {
        bitrate: Bitrate::BitsPerSecond(bitrate),
        ..EncoderConfig::voice(SampleRate::Hz24000, Channels::Mono)
    };
    let encoder = pool.encoder("a", voice(24_000)).wait()?;
    let decoder = pool.decoder("a", SampleRate::Hz24000, Channels::Mono).wait()?;
    let packet = encoder.blocking_encode(speech(0))?;
    assert_eq!(decoder.blocking_decode(packet)?.len(), FRAME);
    let sick = pool.encoder("a", voice(0x1_0000 | TRAP << 8 | 1)).wait()?;
    until_it_is_done_here(&threads, || {
        assert!(matches!(sick.blocking_encode(speech(0)), Err(PoolError::Restarted { .. })));
    });

    let header = Header { flags: FLAG_DOWNLINK, payload_len: 0, connection_id: 9, timestamp: 60, sequence: 1 };
    let datagram = pool.blocking_seal("a", &key(), header, vec![5; 20])?;
    assert_eq!(pool.blocking_open_packet("a", &key(), datagram)?.payload, [5; 20]);
    Ok(())
}
