//! Pools that come and go leave nothing: no slot, no thread, no memory. Alone in its process, because it measures the
//! process's memory.

#[path = "all/support/mod.rs"]
mod support;

use sidetone_host::pool::{CloseReason, Reply};
use sidetone_host::{Engine, PoolError};
use std::time::Duration;
use support::*;

/// Threads of this process, where the system tells.
fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

#[test]
fn after_shutdown_nothing_is_left() {
    let engine = Engine::new(&engine(50)).expect("an engine");
    let component = engine.compile(sidetone_faulty_artifact::COMPONENT).expect("compiles");
    let round = || {
        let pool = builder(50, 2).build_on(component.clone()).expect("starts");
        // All slots, with frames in the queues, one session in ten dying.
        let sessions: Vec<_> = (0..50).map(|id| open(&pool, if id % 10 == 0 { fault(TRAP, 3) } else { id })).collect();
        let replies: Vec<_> =
            (0..5).flat_map(|n| sessions.iter().map(move |session| session.send(speech(n), n * 60))).collect();
        assert_eq!(pool.stats().slots_used, 50);
        assert!(pool.shutdown(Duration::from_secs(60)));
        let done = replies.into_iter().map(Reply::wait).filter(Result::is_ok).count();
        assert_eq!(done, 50 * 5 - 5, "what was queued was done, but for the one frame of each that died");
        let stats = pool.stats();
        assert_eq!((stats.sessions, stats.slots_used, stats.pending_requests), (0, 0, 0));
        assert_eq!((stats.tenants["a"].sessions, stats.tenants["a"].memory), (0, 0));
        let closed = PoolError::Closed(CloseReason::ShutDown);
        assert!(sessions.iter().all(|session| send(session, 9) == Err(closed.clone())));
    };
    // The next round opens as many as there are slots: it finds them all free.
    (0..3).for_each(|_| round());
    let (memory, tasks) = (resident(), threads());
    (0..10).for_each(|_| round());
    assert_flat(memory);
    assert_eq!(threads(), tasks);
}
