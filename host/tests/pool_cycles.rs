//! Ten thousand sessions come and go. Alone in its process, because it measures the process's memory.

#[path = "all/support/mod.rs"]
mod support;

use support::*;

#[test]
fn ten_thousand_sessions_come_and_go_and_leave_nothing() {
    let pool = build_alone(builder(64, 2));
    let cycles = |count: u32| {
        for id in 0..count {
            // One in ten dies of its first frame.
            let session = open(&pool, if id % 10 == 0 { fault(TRAP, 1) } else { id });
            assert_eq!(send(&session, 0).is_ok(), id % 10 != 0);
            session.close().wait().expect("closes");
        }
    };
    cycles(1000);
    let before = resident();
    cycles(9000);
    let stats = pool.stats();
    assert_eq!((stats.sessions, stats.slots_used, stats.tenants["a"].memory), (0, 0, 0));
    assert_eq!((stats.tenants["a"].frames, stats.restarts["trap"]), (9000, 1000));
    assert_flat(before);
}
