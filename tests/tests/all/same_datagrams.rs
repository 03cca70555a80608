//! Datagrams as the component seals them here, in a file that the tests of web/media read: the module in Node (and so in
//! a browser) must seal the same and open them. What one seals the other opens.

use serde_json::{Value, json};
use sidetone_host::{Key, Session};
use sidetone_session::{Config, Kind};
use sidetone_tests::datagrams::{CONNECTION, KEY};
use sidetone_tests::{hex, host, to_hex};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/datagrams.json");

/// Milliseconds and bytes of payloads that pass for Opus of 60 ms. Times stand still and run back; lengths lie on both
/// sides of a block's end.
const PAYLOADS: [(u32, usize); 8] =
    [(0, 1), (60, 15), (60, 16), (30, 17), (240, 147), (300, 266), (360, 1023), (420, 1024)];

fn payload(len: usize) -> Vec<u8> {
    std::iter::once(0x58).chain((1..len).map(|n| (n * 151 / 2) as u8)).collect()
}

fn both_ends() -> [(&'static str, Session, Session); 2] {
    let open = |config: &Config| host::component().open(&Key::new(KEY), config).unwrap();
    let (device, gateway) = (Config::device(CONNECTION), Config::gateway(CONNECTION));
    [("device", open(&device), open(&gateway)), ("gateway", open(&gateway), open(&device))]
}

fn sealed_here() -> Value {
    let mut file = json!({ "key": to_hex(&KEY), "connectionId": CONNECTION });
    for (name, mut sender, _) in both_ends() {
        let seal = |(timestamp, len)| {
            let (payload, sealed) = (payload(len), sender.send_payload(&payload(len), timestamp).unwrap());
            json!({ "timestamp": timestamp, "payload": to_hex(&payload), "datagram": to_hex(&sealed) })
        };
        file[name] = PAYLOADS.into_iter().map(seal).collect();
    }
    file
}

#[test]
fn the_component_seals_the_datagrams_of_the_golden_file() {
    let here = sealed_here();
    if std::env::var_os("SIDETONE_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(GOLDEN, format!("{here:#}\n")).unwrap();
    }
    let golden: Value = serde_json::from_slice(&std::fs::read(GOLDEN).unwrap()).unwrap();
    for (name, ..) in both_ends() {
        for (index, (ours, expected)) in
            here[name].as_array().unwrap().iter().zip(golden[name].as_array().unwrap()).enumerate()
        {
            assert_eq!(ours, expected, "{name}, packet {index}: devices in the field would not understand this change");
        }
    }
    assert_eq!(here, golden);
}

#[test]
fn the_component_opens_the_datagrams_of_the_golden_file() {
    let golden: Value = serde_json::from_slice(&std::fs::read(GOLDEN).unwrap()).unwrap();
    for (name, _, mut receiver) in both_ends() {
        for (index, packet) in golden[name].as_array().unwrap().iter().enumerate() {
            let received = receiver.receive(&hex(packet["datagram"].as_str().unwrap())).unwrap();
            assert_eq!((received.kind, received.sequence, received.lost), (Kind::Audio, index as u32 + 1, 0), "{name}");
        }
    }
}
