//! A pool that nothing goes wrong in: order, placement, quotas, bounds, quality, swap, shutdown.

use sidetone_host::pool::{CloseReason, Refusal, Swap};
use sidetone_host::{Component, Engine, EngineConfig, Error, Key, Pool, PoolError, PoolSession, Quota};
use sidetone_session::{Config, Quality};
use std::sync::OnceLock;
use std::time::Duration;

const FRAME: usize = 1440;

fn key() -> Key {
    Key::new([7; 16])
}

fn engine(instances: u32) -> EngineConfig {
    // A busy machine must not fail a test.
    EngineConfig { instances, deadline: Duration::from_secs(10), ..EngineConfig::default() }
}

fn pool(workers: usize) -> Pool {
    let builder = Pool::builder().workers(workers).tenant("a", Quota::UNLIMITED);
    builder.max_wait(Duration::from_secs(60)).build_on(component()).expect("the pool starts")
}

/// The one component that most of these tests compile.
fn component() -> Component {
    static COMPONENT: OnceLock<Component> = OnceLock::new();
    let compile = || Engine::new(&engine(100)).and_then(|engine| engine.compile(sidetone_artifact::COMPONENT));
    COMPONENT.get_or_init(|| compile().expect("the component compiles")).clone()
}

fn open(pool: &Pool, id: u32) -> PoolSession {
    pool.open("a", &key(), Config::gateway(id)).wait().expect("a session opens")
}

#[test]
fn a_call_goes_through_the_pool_in_order() -> Result<(), PoolError> {
    let pool = pool(2);
    let gateway = open(&pool, 1);
    let device = pool.open("a", &key(), Config::device(1)).wait()?;
    let replies: Vec<_> = (0..40).map(|n| device.send(vec![100; 960], n * 60)).collect();
    let mut heard = Vec::new();
    for reply in replies {
        for datagram in reply.wait()? {
            heard.push(gateway.receive(datagram));
        }
    }
    assert_eq!(heard.len(), 40);
    for (index, reply) in heard.into_iter().enumerate() {
        let received = reply.wait()?;
        assert_eq!((received.sequence, received.samples.len()), (index as u32 + 1, 960));
    }
    assert_eq!(gateway.state().wait()?.opened.highest, Some(40));
    assert_eq!(gateway.state().wait()?.position, 40 * 960);
    assert_eq!(device.state().wait()?.sealed.next_sequence, 41);
    let stats = pool.stats();
    assert_eq!((stats.performance.frames_processed, stats.tenants["a"].frames), (80, 80));
    Ok(())
}

#[test]
fn what_the_pool_keeps_of_a_session_is_what_the_guest_has() -> Result<(), Error> {
    let component = component();
    let mut device = component.open(&key(), &Config::device(1))?;
    let mut reference = component.open(&key(), &Config::gateway(1))?;
    let pool = pool(1);
    let gateway = open(&pool, 1);
    for n in 0..60u32 {
        for datagram in device.send(&[50; 960], n * 60)? {
            // Losses, a replay, a late packet and noise.
            if n % 7 == 3 {
                continue;
            }
            for datagram in [datagram.clone(), datagram, vec![1; 9]] {
                let _ = reference.receive(&datagram);
                let _ = gateway.receive(datagram).wait();
            }
        }
        if n % 3 == 0 {
            reference.send(&[3; FRAME], n * 60)?;
            gateway.send(vec![3; FRAME], n * 60).wait().expect("sends");
        }
    }
    assert_eq!(gateway.state().wait().expect("a state"), reference.state()?);
    Ok(())
}

#[test]
fn sessions_spread_over_the_workers() {
    let pool = pool(3);
    let sessions: Vec<_> = (0..9).map(|id| open(&pool, id)).collect();
    let on = |worker| sessions.iter().filter(|session| session.worker() == worker).count();
    assert_eq!([on(0), on(1), on(2)], [3, 3, 3]);
    let mut sessions = sessions;
    let gone = sessions.iter().position(|session| session.worker() == 1).expect("one there");
    sessions.remove(gone).close().wait().expect("closes");
    assert_eq!(open(&pool, 99).worker(), 1);
}

#[test]
fn the_async_form_needs_no_runtime_of_its_own() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let pool = std::sync::Arc::new(pool(2));
    let task = |id: u32| {
        let pool = pool.clone();
        async move {
            let gateway = pool.open("a", &key(), Config::gateway(id)).await?;
            let mut sent = 0;
            for n in 0..20 {
                sent += gateway.send(vec![n; FRAME], 60 * n as u32).await?.len();
            }
            gateway.close().await?;
            Ok::<_, PoolError>(sent)
        }
    };
    let tasks: Vec<_> = (0..8).map(|id| runtime.spawn(task(id))).collect();
    for task in tasks {
        assert_eq!(runtime.block_on(task).expect("joins").expect("runs"), 20);
    }
}

#[test]
fn fifty_slots_hold_fifty_sessions_and_the_others_hear_busy() {
    let builder = Pool::builder().workers(2).engine(engine(50)).tenant("a", Quota::UNLIMITED);
    let pool = builder.build(sidetone_artifact::COMPONENT).expect("starts");
    let opened: Vec<_> = (0..60).map(|id| pool.open("a", &key(), Config::gateway(id)).wait()).collect();
    let busy = opened.iter().filter(|result| matches!(result, Err(PoolError::Busy { instances: 50 }))).count();
    assert_eq!((opened.iter().filter(|result| result.is_ok()).count(), busy), (50, 10));
    drop(opened);
    let again: Vec<_> = (0..50).map(|id| open(&pool, id)).collect();
    assert_eq!((again.len(), pool.stats().sessions), (50, 50));
}

#[test]
fn a_tenant_over_its_quota_hears_which() {
    let quota = Quota { sessions: Some(2), frames_per_second: Some(10), ..Quota::UNLIMITED };
    let builder = Pool::builder().workers(1).tenant("small", quota).tenant("big", Quota::UNLIMITED);
    let pool = builder.max_wait(Duration::from_secs(60)).build_on(component()).expect("starts");
    let open = |tenant: &str| pool.open(tenant, &key(), Config::gateway(1)).wait();
    let (first, _second) = (open("small").expect("opens"), open("small").expect("opens"));
    assert_eq!(open("small").map(drop), Err(Refusal::Sessions { limit: 2 }.into()));
    assert_eq!(open("nobody").map(drop), Err(PoolError::UnknownTenant("nobody".to_owned())));
    let replies: Vec<_> = (0..100).map(|n| first.send(vec![0; FRAME], n * 60)).collect();
    let refused = Err(Refusal::Frames { limit: 10 }.into());
    let refused = replies.into_iter().map(|reply| reply.wait().map(drop)).filter(|result| *result == refused).count();
    assert!((85..=90).contains(&refused), "{refused}");
    assert_eq!(open("big").expect("opens").send(vec![0; FRAME], 0).wait().expect("sends").len(), 1);
    assert_eq!(pool.stats().tenants["small"].refused, refused as u64 + 1, "and a session");
    assert_eq!(pool.stats().tenants["big"].refused, 0);
    first.close().wait().expect("closes");
    assert!(open("small").is_ok(), "there is room as soon as close has answered");
}

#[test]
fn a_tenants_guests_may_take_only_their_time() {
    let quota = Quota { cpu_per_second: Some(Duration::from_millis(2)), ..Quota::UNLIMITED };
    let builder = Pool::builder().workers(1).tenant("a", quota);
    let pool = builder.max_wait(Duration::from_secs(60)).build_on(component()).expect("starts");
    let session = open(&pool, 1);
    let results: Vec<_> = (0..60).map(|n| session.send(noise(n), n * 60).wait()).collect();
    let limit = Duration::from_millis(2);
    assert!(results.iter().any(Result::is_ok) && results.contains(&Err(Refusal::Cpu { limit }.into())));
}

fn noise(seed: u32) -> Vec<i16> {
    let mut x = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        (x >> 18) as i16
    };
    (0..FRAME).map(|_| next()).collect()
}

#[test]
fn a_pin_holds_and_the_ladder_never_goes_above_what_was_configured() -> Result<(), PoolError> {
    let pool = pool(1);
    let session = open(&pool, 1);
    session.set_quality(Some(Quality::Minimal)).wait()?;
    assert_eq!(session.stats().wait()?.quality, Quality::Minimal);
    session.set_quality(None).wait()?;
    assert_eq!(session.stats().wait()?.quality, Quality::Full);
    let device = pool.open("a", &key(), Config::device(1)).wait()?;
    device.send(vec![0; 960], 0).wait()?;
    assert_eq!(device.stats().wait()?.quality, Quality::Minimal);
    Ok(())
}

#[test]
fn a_swap_moves_sessions_with_their_state_and_a_bad_file_changes_nothing() -> Result<(), PoolError> {
    let pool = pool(1);
    let session = open(&pool, 1);
    assert_eq!(session.send(vec![0; FRAME * 2], 0).wait()?.len(), 2);
    let refused = pool.swap(b"\0asm", Swap::Move);
    assert!(matches!(refused, Err(PoolError::Guest(Error::Compile(_)))), "{refused:?}");
    pool.swap(sidetone_artifact::COMPONENT, Swap::Move)?;
    let sent = session.send(vec![0; FRAME], 120).wait()?;
    assert_eq!(sent[0][15], 3, "the sequence goes on");
    let stats = session.stats().wait()?;
    assert_eq!((stats.guest.sent, stats.counts.restarts, stats.counts.lost_frames), (1, 0, 0));
    assert_eq!(session.stats().wait()?.guest.sent, 1, "it moves once");
    Ok(())
}

#[test]
fn shutdown_finishes_what_is_queued_and_says_so_afterwards() {
    let pool = pool(2);
    let session = open(&pool, 1);
    let replies: Vec<_> = (0..20).map(|n| session.send(vec![0; FRAME], n * 60)).collect();
    assert!(pool.shutdown(Duration::from_secs(5)));
    for reply in replies {
        assert_eq!(reply.wait().map(|sent| sent.len()), Ok(1));
    }
    let closed = Err(PoolError::Closed(CloseReason::ShutDown));
    assert_eq!(session.send(vec![0; FRAME], 0).wait(), closed);
    assert_eq!(pool.open("a", &key(), Config::gateway(2)).wait().map(drop), closed.map(drop));
    assert_eq!((pool.stats().sessions, pool.stats().tenants["a"].sessions), (0, 0));
    assert_eq!(pool.stats().tenants["a"].memory, 0);
}

#[test]
fn stats_have_the_shape_that_operators_know() {
    let stats = serde_json::to_value(pool(2).stats()).expect("serialises");
    let names = |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let all = names(&stats);
    for name in ["workers", "activeWorkers", "pendingRequests", "performance"] {
        assert!(all.iter().any(|known| known == name), "{name} of {all:?}");
    }
    let mut performance = names(&stats["performance"]);
    performance.sort();
    let known = ["avgLatency", "avgQueueSize", "errors", "framesPerSecond", "framesProcessed", "maxLatency"];
    assert_eq!(performance, [&known[..], &["p50", "p95", "p99", "runtime"]].concat());
    assert!(stats["performance"].as_object().expect("an object").values().all(serde_json::Value::is_number));
    assert_eq!(
        (&stats["workers"], &stats["activeWorkers"], &stats["pendingRequests"]),
        (&2.into(), &0.into(), &0.into())
    );
}
