//! The whole way: a device's speech through a gateway's instance and back.

use sidetone_host::{Engine, EngineConfig, Error, Key};
use sidetone_session::Config;
use std::time::Duration;

#[test]
fn a_frame_travels_from_device_to_gateway() -> Result<(), Error> {
    // A busy machine must not fail the test.
    let deadline = Duration::from_secs(10);
    let engine = Engine::new(&EngineConfig { instances: 10, deadline, ..EngineConfig::default() })?;
    let component = engine.compile(sidetone_artifact::COMPONENT)?;
    let key = Key::new([7; 16]);
    let mut device = component.open(&key, &Config::device(1))?;
    let mut gateway = component.open(&key, &Config::gateway(1))?;

    let sent = device.send(&[0; 960 * 2 + 100], 0)?;
    assert_eq!(sent.len(), 2);
    for (index, datagram) in sent.iter().enumerate() {
        let received = gateway.receive(datagram)?;
        assert_eq!(received.samples.len(), 960);
        assert_eq!(received.sequence, index as u32 + 1);
    }
    Ok(())
}
