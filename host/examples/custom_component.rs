//! A component from a file in place of the one built in, then another one beside it while sessions talk:
//! `cargo run --example custom_component -- first.wasm [second.wasm]`.

use sidetone_host::pool::Swap;
use sidetone_host::{Key, Pool, Quota};
use sidetone_session::Config;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = std::env::args_os().skip(1);
    let first = files.next().map_or_else(|| Ok(sidetone_artifact::COMPONENT.to_vec()), std::fs::read)?;
    let pool = Pool::builder().tenant("home", Quota::UNLIMITED).build(&first)?;
    let session = pool.open("home", &Key::new([7; 16]), Config::gateway(1)).wait()?;
    println!("{} datagram(s)", session.send(vec![0; 1440], 0).wait()?.len());

    if let Some(second) = files.next() {
        // A file that is no Sidetone component is refused, and nothing changes.
        match pool.swap(&std::fs::read(second)?, Swap::Move) {
            Ok(()) => println!("swapped"),
            Err(error) => println!("refused: {error}"),
        }
    }
    println!("{} datagram(s)", session.send(vec![0; 1440], 60).wait()?.len());
    Ok(())
}
