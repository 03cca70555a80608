//! Any messages into the parsers and into both ends' state machines: no panic, what is read is written the same, never
//! two sessions alive, and outputs stay bounded.
//!
//! Input: records. `op & 7`: 0 and 1 a device's message, to the gateway's end; 2 a gateway's message, to the device's
//! end; 3 an envelope; 4 a topic and a client id; 5 a binary frame of each kind; 6 time passes, `op >> 3` seconds; 7 the
//! hello that waits is granted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_fuzz::records;
use sidetone_protocol::Time;
use sidetone_protocol::device::{self, Device};
use sidetone_protocol::message::{AudioParams, DeviceMessage, GatewayMessage, ListenMode};
use sidetone_protocol::session::{self, GatewaySession, Grant, HelloId};
use sidetone_protocol::topic::{ClientId, DEVICE_SERVER, Dialect, Envelope, Uplink, parse_downlink};
use sidetone_protocol::websocket::{Frame, GatewayFrame, ServerFrame, Version};

fuzz_target!(|input: &[u8]| {
    let mut now = 0;
    let mut gateway = GatewaySession::new(session::Config::default());
    let mut device = Device::new(device::Config::firmware_2025(), 1);
    for input in [device::Input::Start, device::Input::Connected, device::Input::Listen(ListenMode::Auto)] {
        let _ = device.handle(Time::from_millis(0), input);
    }
    let (mut waiting, mut alive) = (HelloId(0), 0);

    for record in records(input) {
        let time = Time::from_millis(now);
        let input = match record.op & 7 {
            0 | 1 => match DeviceMessage::parse(record.bytes) {
                Ok(message) => {
                    assert_eq!(DeviceMessage::parse(message.to_json().as_bytes()).as_ref(), Ok(&message));
                    session::Input::Message(message)
                }
                Err(_) => continue,
            },
            2 => {
                let Ok(message) = GatewayMessage::parse(record.bytes) else { continue };
                assert_eq!(GatewayMessage::parse(message.to_json().as_bytes()).as_ref(), Ok(&message));
                let outputs = device.handle(time, device::Input::Message(message.clone()));
                assert!(outputs.len() <= device::MAX_OUTPUTS);
                session::Input::Send(message.body)
            }
            3 => {
                if let Ok(envelope) = Envelope::parse(record.bytes) {
                    assert_eq!(Envelope::parse(envelope.to_json().as_bytes()), Ok(envelope));
                }
                continue;
            }
            4 => {
                topics(record.bytes);
                continue;
            }
            5 => {
                frames(record.bytes);
                continue;
            }
            6 => {
                now += u64::from(record.op >> 3) * 1000;
                let _ = device.handle(Time::from_millis(now), device::Input::Tick);
                session::Input::Tick
            }
            _ => {
                let session_id = format!("s{}", waiting.0);
                session::Input::Grant(Grant { hello: waiting, session_id, downlink: AudioParams::GATEWAY, udp: None })
            }
        };
        let outputs = gateway.handle(Time::from_millis(now), input);
        assert!(outputs.len() <= session::MAX_OUTPUTS, "{} outputs", outputs.len());
        for output in outputs {
            match output {
                session::Output::Hello { hello, .. } => waiting = hello,
                session::Output::OpenMedia(_) => alive += 1,
                session::Output::CloseMedia { .. } => alive -= 1,
                _ => {}
            }
            assert!((0..=1).contains(&alive), "{alive} sessions alive");
        }
    }
});

fn topics(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let _ = (Uplink::parse(text, DEVICE_SERVER), parse_downlink(text));
    let Ok(id) = text.parse::<ClientId>() else { return };
    for dialect in [Dialect::Mac, Dialect::ClientId, Dialect::PerDevice] {
        let (up, down) = (dialect.uplink(&id), dialect.downlink(&id));
        assert!(!down.contains(['+', '#', '\0']) && parse_downlink(&down).is_ok(), "{down}");
        // A client that calls itself `p2p` has no topic of its own to publish to.
        assert!(text == "p2p" || Uplink::parse(&up, DEVICE_SERVER).is_ok_and(|up| up.belongs_to(&id)), "{up}");
    }
}

fn frames(bytes: &[u8]) {
    for version in [Version::V1, Version::V2, Version::V3] {
        if let Ok(frame) = Frame::decode(version, bytes) {
            let written = frame.encode(version).expect("was read");
            assert_eq!(Frame::decode(version, &written), Ok(frame));
        }
    }
    if let Ok(frame) = GatewayFrame::decode(bytes) {
        assert_eq!(GatewayFrame::decode(&frame.encode().expect("was read")), Ok(frame));
    }
    if let Ok(frame) = ServerFrame::decode(bytes) {
        assert_eq!(ServerFrame::decode(&frame.encode().expect("was read")), Ok(frame));
    }
}
