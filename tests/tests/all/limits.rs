//! What the host holds an instance to: memory, slots, time; and what is left of one that went too far.

use sidetone_host::{Cause, Encoder, EncoderConfig, EngineConfig, Error, Key, Session};
use sidetone_opus::{Channels, SampleRate};
use sidetone_session::Config;
use sidetone_tests::datagrams::{CONNECTION, DTX, KEY, uplink};
use sidetone_tests::{host, speech};
use std::thread;
use std::time::{Duration, Instant};

fn open(component: &sidetone_host::Component) -> Result<Session, Error> {
    component.open(&Key::new(KEY), &Config::gateway(CONNECTION))
}

fn cause<T: std::fmt::Debug>(result: Result<T, Error>) -> Cause {
    match result {
        Err(Error::Failed(failure)) => failure.cause,
        other => panic!("{other:?} is no failure"),
    }
}

#[test]
fn an_instance_that_asks_for_too_much_memory_is_ended_alone() {
    let limit = 4 << 20;
    let component = host::compile(&EngineConfig { instances: 2, memory: limit, ..host::patient() });
    let mut greedy = open(&component).unwrap();
    let mut other = open(&component).unwrap();
    assert_eq!(cause(greedy.send(&vec![0; 4 << 20], 0)), Cause::Memory { limit }, "8 MiB of PCM in one call");
    assert_eq!(greedy.receive(&uplink(1, DTX)), Err(Error::Dead));
    assert_eq!(greedy.stats().unwrap_err(), Error::Dead);
    assert_eq!(greedy.close().unwrap_err(), Error::Dead);
    assert_eq!(other.receive(&uplink(1, DTX)).unwrap().samples.len(), 960);
    assert!(open(&component).is_ok(), "the slot of the dead one is free again");
}

#[test]
fn a_memory_limit_below_what_the_module_needs_is_an_error_and_no_trap() {
    let component = sidetone_host::Engine::new(&EngineConfig { instances: 1, memory: 64 << 10, ..host::patient() })
        .and_then(|engine| engine.compile(sidetone_artifact::COMPONENT));
    let error = match component.and_then(|component| component.instantiate()) {
        Ok(instance) => panic!("{instance:?} in 64 KiB"),
        Err(error) => error,
    };
    println!("{error}");
    assert!(error.to_string().contains("memory"), "{error}");
}

#[test]
fn every_limit_between_starving_and_plenty_gives_a_session_or_a_memory_error() {
    let mut served = Vec::new();
    for memory in [9, 11, 16].map(|pages| pages << 16) {
        let component = host::compile(&EngineConfig { instances: 1, memory, ..host::patient() });
        let result = open(&component).and_then(|mut session| session.send(&speech::clip(24_000)[..1440 * 4], 0));
        match result {
            Ok(datagrams) => served.push(datagrams.len()),
            Err(Error::Config(error)) => assert!(error.to_string().contains("memory"), "{memory} bytes: {error}"),
            Err(error) => assert_eq!(cause(Err::<(), _>(error)), Cause::Memory { limit: memory }),
        }
    }
    println!("{} of 3 limits serve a session", served.len());
    assert!((1..3).contains(&served.len()), "at 1 MiB a session works, at 9 pages it cannot");
    assert!(served.iter().all(|&datagrams| datagrams == 4));
}

#[test]
fn one_instance_more_than_slots_is_refused_as_busy() {
    let component = host::compile(&EngineConfig { instances: 3, ..host::patient() });
    let mut sessions: Vec<_> = (0..3).map(|_| open(&component).unwrap()).collect();
    assert_eq!(open(&component).unwrap_err(), Error::Busy { instances: 3 });
    assert!(!Error::Busy { instances: 3 }.is_fatal());
    for session in &mut sessions {
        assert_eq!(session.receive(&uplink(1, DTX)).unwrap().samples.len(), 960, "the others go on");
    }
    sessions.pop();
    assert!(open(&component).is_ok());
}

#[test]
fn a_call_that_takes_too_long_is_ended_and_a_fresh_instance_works() {
    let deadline = Duration::from_millis(20);
    let config =
        EngineConfig { instances: 2, tick: Duration::from_millis(1), deadline, memory: 64 << 20, ..host::patient() };
    let component = host::compile(&config);
    let mut session = open(&component).unwrap();
    // Ten minutes of speech at full complexity: seconds of work.
    let long: Vec<i16> = speech::clip(24_000).into_iter().cycle().take(24_000 * 600).collect();
    let started = Instant::now();
    let failure = match session.send(&long, 0) {
        Err(Error::Failed(failure)) => failure,
        other => panic!("{:?} datagrams in 20 ms", other.map(|datagrams| datagrams.len())),
    };
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(failure.cause, Cause::Deadline(deadline));
    assert!(failure.backtrace.contains("wasm"), "{:?} names where it was", failure.backtrace);
    assert!(!session.instance().is_alive());
    assert_eq!(session.instance().memory(), 0);
    assert_eq!(session.send(&[0; 1440], 0), Err(Error::Dead));

    // A busy machine may need more than one try for a frame in 20 ms.
    let fresh = || open(&component).and_then(|mut session| session.send(&[0; 1440], 0));
    assert!((0..20).any(|_| fresh().is_ok_and(|datagrams| datagrams.len() == 1)));
}

#[test]
fn without_deadlines_a_long_call_ends_by_itself() {
    let config = EngineConfig { instances: 1, deadlines: false, deadline: Duration::from_nanos(1), ..host::patient() };
    let component = host::compile(&config);
    assert_eq!(open(&component).unwrap().send(&speech::clip(24_000), 0).unwrap().len(), 68);
}

#[test]
fn two_thousand_sessions_one_after_the_other_lose_no_slot() {
    let component = host::compile(&EngineConfig { instances: 2, ..host::patient() });
    let _keeper = open(&component).unwrap();
    for round in 0..2000u32 {
        let mut session = open(&component).unwrap_or_else(|error| panic!("round {round}: {error}"));
        match round % 4 {
            0 => drop(session),
            1 => drop(session.close().unwrap()),
            2 => assert_eq!(session.receive(&uplink(1, DTX)).unwrap().position, 0),
            // A slot is zeroed before it is used again: nothing of the session before is left.
            _ => assert_eq!(session.stats().unwrap().received, 0),
        }
    }
    assert!(open(&component).is_ok());
}

#[test]
fn an_instance_that_a_session_gave_back_can_be_used_again() {
    let component = host::compile(&EngineConfig { instances: 1, ..host::patient() });
    let mut session = open(&component).unwrap();
    session.send(&[0; 1440], 0).unwrap();
    let instance = session.close().unwrap();
    let memory = instance.memory();
    let config = EncoderConfig::voice(SampleRate::Hz24000, Channels::Mono);
    let mut encoder = Encoder::open(instance, &config).unwrap();
    assert!(encoder.encode(&[0; 1440]).is_ok());
    assert_eq!(open(&component).unwrap_err(), Error::Busy { instances: 1 }, "it still has its slot");
    assert!(memory > 0);
}

#[test]
fn engines_and_instances_of_many_threads_do_not_mix() {
    let said = speech::clip(24_000);
    let alone = open(host::component()).unwrap().send(&said, 0).unwrap();
    let other = host::compile(&EngineConfig { instances: 8, ..host::patient() });
    thread::scope(|scope| {
        for index in 0..8 {
            let component = if index % 2 == 0 { host::component() } else { &other };
            let (said, alone) = (&said, &alone);
            scope.spawn(move || {
                for _ in 0..4 {
                    let sent = open(component).unwrap().send(said, 0).unwrap();
                    assert!(sent == *alone, "thread {index} sends other bytes than one alone");
                }
            });
        }
        scope.spawn(|| drop(host::compile(&EngineConfig { instances: 1, ..host::patient() })));
    });
}
