//! A component from a file in place of the one built in, then another one beside it while sessions talk:
//! `cargo run --example custom_component -- first.wasm [second.wasm]`.

use sidetone_host::pool::Swap;
use sidetone_host::{Key, Pool, PoolError, Quota};
use sidetone_session::Config;
use std::path::PathBuf;

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let mut files = std::env::args_os().skip(1).map(PathBuf::from);
    match run(files.next(), files.next())? {
        None => println!("the second component has taken over, or there was none"),
        Some(error) => println!("refused, and nothing has changed: {error}"),
    }
    Ok(())
}

/// Why the second component was refused, if it was.
fn run(first: Option<PathBuf>, second: Option<PathBuf>) -> Result<Option<PoolError>, Failed> {
    let first = first.map_or_else(|| Ok(sidetone_artifact::COMPONENT.to_vec()), std::fs::read)?;
    let pool = Pool::builder().tenant("home", Quota::UNLIMITED).build(&first)?;
    let session = pool.open("home", &Key::new([7; 16]), Config::gateway(1)).wait()?;
    println!("{} datagram(s)", session.send(vec![0; 1440], 0).wait()?.len());

    // Sessions that are open move to the new one before their next frame, with their nonces and replay window.
    let refused = match second {
        Some(second) => pool.swap(&std::fs::read(second)?, Swap::Move).err(),
        None => None,
    };
    println!("{} datagram(s)", session.send(vec![0; 1440], 60).wait()?.len());
    Ok(refused)
}

#[test]
fn one_that_is_good_is_taken_and_one_that_is_not_is_refused() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (good, bad) = (folder.path().join("good.wasm"), folder.path().join("bad.wasm"));
    std::fs::write(&good, sidetone_artifact::COMPONENT)?;
    std::fs::write(&bad, b"no component")?;
    // A busy machine may miss a deadline.
    assert!((0..3).any(|_| matches!(run(Some(good.clone()), Some(good.clone())), Ok(None))));
    assert!((0..3).any(|_| matches!(run(None, Some(bad.clone())), Ok(Some(_)))));
    Ok(())
}
