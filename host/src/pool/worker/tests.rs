//! What a flood costs others, with the worker's lock in the test's hand.

use crate::pool::clock::Clock;
use crate::pool::reply::Reply;
use crate::pool::work::{StreamWork, Work};
use crate::pool::{Pool, PoolError, Quota};
use crate::{EngineConfig, Key};
use sidetone_session::Config;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const FRAME: usize = 1440;
const PATIENT: Duration = Duration::from_secs(10);

fn pool(clock: Clock, quota: Quota) -> Pool {
    let engine = EngineConfig { instances: 4, deadline: PATIENT, init_deadline: PATIENT, ..EngineConfig::default() };
    let builder = Pool::builder().workers(1).engine(engine).clock(clock).queues(2000, 4000);
    let builder = builder.tenant("flood", quota).tenant("quiet", Quota::UNLIMITED);
    builder.build(sidetone_artifact::COMPONENT).expect("starts")
}

#[test]
fn a_frame_over_quota_is_refused_on_its_callers_side_without_the_workers_lock() {
    let quota = Quota { frames_per_second: Some(10), ..Quota::UNLIMITED };
    let pool = pool(Clock::new(|| Duration::ZERO), quota);
    let session = pool.open("flood", &Key::new([7; 16]), Config::gateway(1)).wait().expect("opens");
    for n in 0..10 {
        assert!(session.send(vec![0; FRAME], n * 60).wait().is_ok());
    }
    let locked = pool.workers[0].lock();
    let (tell, told) = mpsc::channel();
    let flood = thread::spawn(move || {
        let refused = |n| matches!(session.send(vec![0; FRAME], n).wait(), Err(PoolError::Refused(_)));
        let refused_here = |n| matches!(session.blocking_send(vec![0; FRAME], n), Err(PoolError::Refused(_)));
        tell.send((0..500).filter(|&n| refused(n) && refused_here(n)).count()).expect("is heard");
        session
    });
    assert_eq!(told.recv_timeout(PATIENT), Ok(500));
    drop(locked);
    drop(flood.join());
    assert_eq!((pool.stats().tenants["flood"].refused, pool.stats().tenants["flood"].frames), (1000, 10));
}

#[test]
fn a_tenant_pays_for_the_time_in_which_its_old_frames_are_shed() {
    // To read this clock takes 10 µs.
    let time = Arc::new(AtomicU64::new(0));
    let read = time.clone();
    let pool = pool(Clock::new(move || Duration::from_micros(read.fetch_add(10, Relaxed))), Quota::UNLIMITED);
    let open = |tenant| pool.open(tenant, &Key::new([7; 16]), Config::gateway(1)).wait().expect("opens");
    let (flood, quiet) = (open("flood"), open("quiet"));
    let worker = &pool.workers[0];
    let mut queue = loop {
        let queue = worker.lock();
        if queue.asleep {
            break queue;
        }
        drop(queue);
        thread::yield_now();
    };
    time.fetch_add(1_000_000, Relaxed);
    let now = worker.shared.clock.now();
    let mut push = |lane, since, pcm| {
        let (answer, reply) = Reply::pair();
        assert!(queue.work.push(lane, since, Work::Stream(StreamWork::Send(pcm, 0, answer))).is_none());
        reply
    };
    let old: Vec<_> = (0..1000).map(|_| push(flood.0.meta.lane, Duration::ZERO, Vec::new())).collect();
    let fresh = push(quiet.0.meta.lane, now, vec![0; FRAME]);
    drop(queue);
    worker.wake.notify_one();
    assert_eq!(fresh.wait().map(|sent| sent.len()), Ok(1));
    assert!(old.into_iter().all(|reply| matches!(reply.wait(), Err(PoolError::Shed { .. }))));
    // A quantum of 1 ms: a hundred of the old frames, each of which takes one reading of the clock and meets another.
    let waited = quiet.stats().wait().expect("stats").counts.max_ms;
    assert!((1.9..2.2).contains(&waited), "{waited} ms");
}
