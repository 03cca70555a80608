//! A session in twenty lines: a device's speech through a pool.

use sidetone_host::{Key, Pool, Quota};
use sidetone_session::Config;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::builder().tenant("home", Quota::UNLIMITED).build(sidetone_artifact::COMPONENT)?;
    let key: Key = "000102030405060708090a0b0c0d0e0f".parse()?;
    let gateway = pool.open("home", &key, Config::gateway(0xa1b2_c3d4)).wait()?;
    let device = pool.open("home", &key, Config::device(0xa1b2_c3d4)).wait()?;

    // 60 ms at 16 kHz go in, a sealed datagram comes out; it would now travel by UDP.
    for datagram in device.send(vec![0; 960], 0).wait()? {
        let heard = gateway.receive(datagram).wait()?;
        println!("packet {}: {} samples", heard.sequence, heard.samples.len());
    }
    println!("{:?}", gateway.stats().wait()?);
    device.close().wait()?;
    gateway.close().wait()?;
    Ok(())
}

#[test]
fn it_runs() {
    // A busy machine may miss a deadline.
    assert!((0..3).any(|_| main().is_ok()));
}
