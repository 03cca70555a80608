//! Components that are offered to a running pool: what differs is said, and a bad one changes nothing.

use crate::support::*;
use sidetone_host::pool::Swap;
use sidetone_host::{Error, Pool, PoolError};

fn refused(pool: &Pool, component: &[u8]) -> String {
    match pool.swap(component, Swap::Move) {
        Err(PoolError::Guest(Error::World(difference))) => difference,
        other => panic!("{other:?}"),
    }
}

/// A component in its binary form, put together from sections: its imports or exports are instances of plain types.
mod binary {
    /// LEB128 of a small number.
    fn sized(id: u8, body: &[u8]) -> Vec<u8> {
        assert!(body.len() < 128);
        [&[id, body.len() as u8], body].concat()
    }

    fn name(text: &str) -> Vec<u8> {
        [&[0, text.len() as u8], text.as_bytes()].concat()
    }

    const HEAD: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

    /// Exports nothing.
    pub(crate) fn empty() -> Vec<u8> {
        HEAD.to_vec()
    }

    /// Imports an instance of this name that has nothing in it.
    pub(crate) fn importing(interface: &str) -> Vec<u8> {
        // One type: an instance type of no declarations. One import: an instance (5) of type 0.
        let ty = sized(7, &[1, 0x42, 0]);
        let import = sized(10, &[&[1][..], &name(interface), &[5, 0]].concat());
        [&HEAD[..], &ty, &import].concat()
    }

    /// Exports an instance of this name that has nothing in it.
    pub(crate) fn exporting(interface: &str) -> Vec<u8> {
        // One instance, made of no exports (1, 0). One export of it: instance (5) 0, of no stated type (0).
        let instance = sized(5, &[1, 1, 0]);
        let export = sized(11, &[&[1][..], &name(interface), &[5, 0, 0]].concat());
        [&HEAD[..], &instance, &export].concat()
    }

    /// Exports an instance of this name, in which `inner` is another, empty instance.
    pub(crate) fn exporting_with(interface: &str, inner: &str) -> Vec<u8> {
        // Two instances, made of exports (1): none; and `inner`, which is instance (5) 0.
        let instances = sized(5, &[&[2, 1, 0, 1, 1][..], &name(inner), &[5, 0]].concat());
        let export = sized(11, &[&[1][..], &name(interface), &[5, 1, 0]].concat());
        [&HEAD[..], &instances, &export].concat()
    }
}

#[test]
fn another_world_is_refused_with_what_is_missing_new_and_changed() {
    let pool = builder(4, 1).build(sidetone_artifact::COMPONENT).expect("starts");
    let session = open(&pool, 1);
    assert!(send(&session, 0).is_ok());

    let difference = refused(&pool, &binary::empty());
    let lines: Vec<_> = difference.lines().collect();
    let has = |line: &str| lines.contains(&line);
    assert!(has("missing: sidetone:media/session@0.1.0: interface"), "{difference}");
    assert!(
        has("missing: sidetone:media/session@0.1.0#[method]stream.discard: func(self: borrow<resource>)"),
        "{difference}"
    );
    assert!(has("missing: sidetone:media/codec@0.1.0#libopus-version: func() -> tuple<u8, u8, u8>"), "{difference}");

    let difference = refused(&pool, &binary::exporting("sidetone:media/codec@0.1.0"));
    assert!(!difference.contains("missing: sidetone:media/codec@0.1.0: interface"), "{difference}");
    assert!(difference.contains("missing: sidetone:media/codec@0.1.0#[method]encoder.encode: func("), "{difference}");

    let other = binary::exporting_with("sidetone:media/codec@0.1.0", "libopus-version");
    let difference = refused(&pool, &other);
    let changed = "changed: sidetone:media/codec@0.1.0#libopus-version: func() -> tuple<u8, u8, u8> -> interface";
    assert!(difference.lines().any(|line| line == changed), "{difference}");

    let difference = refused(&pool, &binary::exporting("sidetone:media/video@0.1.0"));
    assert!(difference.lines().any(|line| line == "new: sidetone:media/video@0.1.0: interface"), "{difference}");

    let difference = refused(&pool, &binary::importing("wasi:clocks/wall-clock@0.2.0"));
    assert!(difference.lines().any(|line| line == "imports: wasi:clocks/wall-clock@0.2.0: interface"), "{difference}");

    assert_eq!(send(&session, 1).map(|sent| sequence(&sent[0])), Ok(2), "nothing has changed");
    assert_eq!(pool.stats().slots_used, 1);
}

#[test]
fn a_component_of_the_same_world_differs_in_nothing() {
    let engine = sidetone_host::Engine::new(&engine(2)).expect("an engine");
    let real = engine.compile(sidetone_artifact::COMPONENT).expect("compiles");
    let faulty = engine.compile(sidetone_faulty_artifact::COMPONENT).expect("compiles");
    assert!(real.difference(&faulty).is_none(), "{}", real.difference(&faulty));
}

#[test]
fn a_component_that_cannot_open_a_session_is_refused_by_the_trial() -> Result<(), PoolError> {
    let pool = builder(1, 1).build(sidetone_artifact::COMPONENT)?;
    let session = open(&pool, 1);
    // No slot is left to try it in.
    let busy = pool.swap(sidetone_faulty_artifact::COMPONENT, Swap::Drain);
    assert_eq!(busy, Err(PoolError::Guest(Error::Busy { instances: 1 })));
    send(&session, 0)?;
    session.close().wait()?;
    pool.swap(sidetone_faulty_artifact::COMPONENT, Swap::Drain)?;
    assert!(send(&open(&pool, fault(TRAP, 1)), 0).is_err(), "new sessions are on the new one");
    Ok(())
}
