//! What callers and settings do to the pool.

use crate::support::*;
use sidetone_host::pool::{CloseReason, Reply};
use sidetone_host::{PoolError, Quota};
use sidetone_session::Config;
use std::time::Duration;

#[test]
fn callers_that_let_go_of_what_they_asked_for_leave_nothing() {
    let few = Quota { sessions: Some(5), ..Quota::UNLIMITED };
    let pool = build(builder(40, 2).tenant("b", few));
    let storm = |caller: u32| {
        for n in 0..60 {
            let asked = pool.open(if caller.is_multiple_of(2) { "a" } else { "b" }, &key(), Config::gateway(n));
            if n.is_multiple_of(4) {
                // Before it is open.
                drop(asked);
                continue;
            }
            let Ok(session) = asked.wait() else { continue };
            let replies: Vec<_> = (0..3).map(|n| session.send(speech(n), n * 60)).collect();
            match n % 4 {
                1 => drop((replies, session)),
                2 => drop((replies, session.close())),
                _ => {
                    drop(session);
                    // What was queued before is done.
                    assert!(replies.into_iter().map(Reply::wait).all(|sent| sent.is_ok_and(|sent| sent.len() == 1)));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for caller in 0..4 {
            let storm = &storm;
            scope.spawn(move || storm(caller));
        }
    });
    while pool.stats().sessions > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let stats = pool.stats();
    assert_eq!((stats.slots_used, stats.pending_requests, stats.restarts.len()), (0, 0, 0));
    assert!(stats.tenants.values().all(|tenant| (tenant.sessions, tenant.memory) == (0, 0)), "{:?}", stats.tenants);
}

#[test]
fn a_pool_that_is_dropped_answers_every_call_in_flight() {
    let pool = build(builder(8, 2));
    let sessions: Vec<_> = (0..8).map(|_| open(&pool, fault(SLOW, 40))).collect();
    // Far more than the half second that a pool takes to go.
    let calls: Vec<_> =
        (0..40).flat_map(|n| sessions.iter().map(move |session| session.send(speech(n), n * 60))).collect();
    drop(pool);
    let closed = PoolError::Closed(CloseReason::ShutDown);
    let answers: Vec<_> = calls.into_iter().map(Reply::wait).collect();
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    let late = answers.iter().filter(|answer| **answer == Err(closed.clone())).count();
    assert_eq!(done + late, 320);
    assert!(late > 0, "{done} were done");
    assert!(sessions.iter().all(|session| send(session, 40) == Err(closed.clone())));
}

#[test]
fn no_workers_and_no_room_in_the_queues_are_one_of_each() {
    let pool = build(builder(2, 0).queues(0, 0));
    assert_eq!(pool.workers(), 1);
    assert_eq!(send(&open(&pool, 1), 0).map(|sent| sent.len()), Ok(1));
}

#[test]
fn a_worker_that_looks_for_work_for_an_hour_ends_with_its_pool() {
    let pool = build(builder(2, 2).spin(Duration::from_secs(3600)));
    assert_eq!(send(&open(&pool, 1), 0).map(|sent| sent.len()), Ok(1));
    assert!(pool.shutdown(PATIENT));
}

#[test]
fn a_deadline_without_end_is_none() {
    let quota = Quota { deadline: Some(Duration::MAX), init_deadline: Some(Duration::MAX), ..Quota::UNLIMITED };
    let pool = build(builder(2, 1).tenant("a", quota));
    let session = open(&pool, fault(SLOW, 40));
    assert!((0..3).all(|n| send(&session, n).is_ok()));
}
