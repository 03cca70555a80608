//! What a tenant may take of an instance, and that it is held to it alone.

use crate::support::*;
use sidetone_host::pool::{Refusal, RestartCause, Room};
use sidetone_host::{Cause, EngineConfig, Error, OpenError, PoolError, Quota, SealError, SendError};
use sidetone_session::{Config, Quality};
use std::time::Duration;

#[test]
fn a_tenants_memory_is_bounded_hard_and_by_the_slot() {
    let memory = |bytes| Quota { memory: Some(bytes), ..Quota::UNLIMITED };
    let engine = EngineConfig { memory: 4 << 20, ..engine(16) };
    let builder = builder(16, 1).engine(engine).tenant("two", memory(2 << 20)).tenant("all", memory(1 << 30));
    let pool = build_alone(builder);
    for (tenant, limit) in [("two", 2 << 20), ("all", 4 << 20), ("a", 4 << 20)] {
        let (bomb, well) = (open_for(&pool, tenant, fault(MEMORY_BOMB, 2)), open_for(&pool, tenant, 1));
        assert!(send(&bomb, 0).is_ok());
        let cause = RestartCause::Guest(Cause::Memory { limit });
        assert_eq!(send(&bomb, 1), Err(PoolError::Restarted { cause, lost_frames: 1 }), "{tenant}");
        assert!(send(&well, 0).is_ok());
        let used = pool.stats().tenants[tenant].memory;
        assert!(used > 0 && used <= 2 * limit as u64, "{used} bytes of two instances");
    }
}

#[test]
fn a_tenant_with_less_memory_than_a_session_needs_hears_so_and_no_other_does() {
    let quota = Quota { memory: Some(64 << 10), ..Quota::UNLIMITED };
    let pool = build(builder(4, 1).tenant("tiny", quota));
    let opened = pool.open("tiny", &key(), Config::gateway(1)).wait().map(drop);
    assert!(
        matches!(&opened, Err(PoolError::Guest(Error::Failed(_) | Error::Compile(_)) | PoolError::Exhausted { .. })),
        "{opened:?}"
    );
    let well = open(&pool, 1);
    assert!(send(&well, 0).is_ok());
    let stats = pool.stats();
    assert_eq!((stats.sessions, stats.tenants["tiny"].sessions, stats.tenants["tiny"].memory), (1, 0, 0));
}

#[test]
fn a_tenants_own_start_deadline_counts_for_it_alone() {
    let short = Duration::from_millis(50);
    let quota = Quota { init_deadline: Some(short), ..Quota::UNLIMITED };
    let engine = EngineConfig { init_deadline: Duration::from_millis(150), ..engine(8) };
    let pool = build_alone(builder(8, 2).engine(engine).tenant("short", quota));
    for (tenant, deadline) in [("short", short), ("a", Duration::from_millis(150))] {
        match pool.open(tenant, &key(), Config::gateway(fault(HANG_ON_OPEN, 0))).wait() {
            Err(PoolError::Guest(Error::Failed(failure))) => assert_eq!(failure.cause, Cause::Deadline(deadline)),
            other => panic!("{other:?}"),
        }
    }
    assert!(send(&open_for(&pool, "short", 1), 0).is_ok());
}

#[test]
fn a_tenants_pin_holds_for_its_sessions_and_for_no_other() -> Result<(), PoolError> {
    let quota = Quota { pin: Some(Quality::Minimal), ..Quota::UNLIMITED };
    let pool = build(builder(4, 1).tenant("pinned", quota));
    let (pinned, free) = (open_for(&pool, "pinned", 1), open(&pool, 2));
    send(&pinned, 0)?;
    send(&free, 0)?;
    assert_eq!(pinned.stats().wait()?.quality, Quality::Minimal);
    assert_eq!(free.stats().wait()?.quality, Quality::Full);
    Ok(())
}

#[test]
fn a_machine_with_less_room_gives_a_smaller_pool_that_says_so() {
    // 200 KiB a session.
    let room = Room { memory: Some(2 << 20), ..Room::default() };
    let pool = build_alone(builder(1000, 1).room(room));
    assert_eq!((pool.slots(), pool.stats().slots), (10, 10));
    let opened: Vec<_> = (0..11).map(|id| pool.open("a", &key(), Config::gateway(id)).wait()).collect();
    assert_eq!(opened.iter().filter(|result| result.is_ok()).count(), 10);
    assert!(matches!(opened[10], Err(PoolError::Busy { instances: 10 })), "{:?}", opened[10]);
}

#[test]
fn sessions_that_wait_to_be_opened_are_bounded() {
    let deadline = Duration::from_secs(1);
    let engine = EngineConfig { init_deadline: deadline, ..engine(4) };
    let pool = build_alone(builder(4, 1).engine(engine).queues(1, 3));
    let asked: Vec<_> = (0..20).map(|_| pool.open("a", &key(), Config::gateway(fault(HANG_ON_OPEN, 0)))).collect();
    let answers: Vec<_> = asked.into_iter().map(|reply| reply.wait().map(drop)).collect();
    let busy = answers.iter().filter(|answer| **answer == Err(PoolError::Busy { instances: 4 })).count();
    let hung = answers.iter().filter(|answer| matches!(answer, Err(PoolError::Guest(Error::Failed(_))))).count();
    // Four in the slots, three that wait.
    assert_eq!((hung, busy), (7, 13), "{answers:?}");
    assert_eq!((pool.stats().sessions, pool.stats().tenants["a"].sessions), (0, 0));
}

#[test]
fn pcm_counts_as_the_frames_that_it_fills_and_a_second_is_the_most() {
    let quota = Quota { frames_per_second: Some(20), ..Quota::UNLIMITED };
    let (_, clock) = clock(0);
    let pool = build(builder(2, 1).tenant("a", quota).clock(clock));
    let session = open(&pool, 1);
    let frames = |count: usize| vec![0; count * FRAME];
    let refused = Err(PoolError::Refused(Refusal::Frames { limit: 20 }));
    assert_eq!(session.send(frames(16), 0).wait().map(|sent| sent.len()), Ok(16));
    assert_eq!(session.send(frames(5), 960).wait(), refused);
    assert_eq!(session.blocking_send(frames(5), 960), refused);
    assert_eq!(session.blocking_send(frames(3), 960).map(|sent| sent.len()), Ok(3));
    let too_long = SendError::TooLong { samples: 24_001, most: 24_000 };
    let too_long = Err(PoolError::Guest(Error::Send(too_long)));
    assert_eq!(session.send(vec![0; 24_001], 0).wait(), too_long);
    assert_eq!(session.blocking_send(vec![0; 24_001], 0), too_long);
    // Less than a frame is one all the same.
    assert_eq!(session.send(vec![0; 1], 0).wait(), Ok(vec![]));
    assert_eq!(session.send(vec![0; 1], 0).wait(), refused);
    assert_eq!(pool.stats().tenants["a"].refused, 3);
}

#[test]
fn what_is_too_long_for_a_packet_is_a_value_and_takes_no_memory_of_the_guest() {
    let pool = build(builder(2, 1));
    let session = open(&pool, 1);
    assert!(send(&session, 0).is_ok());
    let before = session.meters().read().memory;
    // Far more than a slot has.
    let long = 32 << 20;
    let received = session.receive(vec![1; long]).wait();
    assert_eq!(received, Err(PoolError::Guest(Error::Open(OpenError::PayloadSize(long as u32 - 16)))));
    let sent = session.send_payload(vec![1; long], 60).wait();
    let refused = SendError::Seal(SealError::PayloadSize(long as u32));
    assert_eq!(sent, Err(PoolError::Guest(Error::Send(refused))));
    assert!(send(&session, 1).is_ok());
    let counts = session.meters().read();
    assert_eq!((counts.memory, counts.restarts, counts.errors, counts.frames), (before, 0, 2, 2));
}

#[test]
fn a_tenant_whose_time_is_used_up_opens_nothing_more() {
    let limit = Duration::from_millis(1);
    let quota =
        Quota { cpu_per_second: Some(limit), init_deadline: Some(Duration::from_millis(50)), ..Quota::UNLIMITED };
    let pool = build(builder(4, 1).tenant("b", quota));
    let hanging = || pool.open("b", &key(), Config::gateway(fault(HANG_ON_OPEN, 0))).wait().map(drop);
    assert!(matches!(hanging(), Err(PoolError::Guest(Error::Failed(_)))));
    assert_eq!(hanging(), Err(PoolError::Refused(Refusal::Cpu { limit })));
    assert!(send(&open(&pool, 1), 0).is_ok(), "another tenant's time is its own");
}
