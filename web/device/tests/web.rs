//! The bindings, called from JavaScript's side: `wasm-pack test --node`.
#![cfg(target_arch = "wasm32")]

use sidetone_device::bindings::{
    AdaptivePlayout, Device, FaithfulPlayout, Mqtt, Network, Resampler, WebSocketFrame, client_id, credentials, token,
    topics,
};
use wasm_bindgen::{JsCast, JsError, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

fn said(error: JsError) -> String {
    JsValue::from(error).unchecked_into::<js_sys::Error>().message().into()
}

#[wasm_bindgen_test]
fn a_device_is_spoken_to_in_json() {
    let mut device = Device::new(r#"{"seed":3}"#).ok().unwrap();
    assert_eq!(device.activity(), "off");
    assert_eq!(device.input(0.0, r#"{"input":"start"}"#).ok().unwrap(), r#"[{"output":"connect"}]"#);
    assert_eq!((device.activity().as_str(), device.next_timeout()), ("offline", Some(10_000.0)));
    assert!(said(device.input(0.0, "{}").unwrap_err()).starts_with("not understood"));
    assert!(said(Device::new(r#"{"firmware":"1"}"#).unwrap_err()).contains("variant"));
}

#[wasm_bindgen_test]
fn a_network_gives_back_what_it_was_given() {
    let mut network = Network::new(r#"{"delay":10}"#, 1.0).ok().unwrap();
    network.push(0.0, b"one");
    assert_eq!((network.pop(9.0), network.next_due()), (None, Some(10.0)));
    assert_eq!(network.pop(10.0).as_deref(), Some(&b"one"[..]));
    let counts: serde_json::Value = serde_json::from_str(&network.counts()).unwrap();
    assert_eq!((&counts["packets"], &counts["lost"]), (&1.into(), &0.into()));
    assert!(network.set(r#"{"lag":1}"#).is_err());
}

#[wasm_bindgen_test]
fn both_playouts_say_what_is_due() {
    let mut adaptive = AdaptivePlayout::new(60.0);
    adaptive.start(0.0);
    assert_eq!(adaptive.push(0.0, 1, 0, vec![1]), "queued");
    assert_eq!(adaptive.push(0.0, 1, 0, vec![1]), "duplicate");
    assert_eq!(adaptive.push(60.0, 2, 60, vec![2]), "queued");
    let due = adaptive.step();
    assert_eq!((due.step().as_str(), due.payload()), ("decode", Some(vec![1])));
    let statistics: serde_json::Value = serde_json::from_str(&adaptive.statistics()).unwrap();
    assert_eq!((&statistics["received"], &statistics["notPlaying"]), (&3.into(), &0.into()));
    let mut faithful = FaithfulPlayout::new(false);
    assert_eq!(faithful.push(0.0, 0, vec![1]), "not-playing");
    faithful.start();
    assert_eq!(faithful.step().step(), "silence");
}

#[wasm_bindgen_test]
fn mqtt_frames_identities_and_rates() {
    let mut mqtt = Mqtt::new(0.0, "d".into(), String::new(), String::new(), 240).ok().unwrap();
    assert_eq!(mqtt.take_output()[0], 0x10);
    assert_eq!(mqtt.receive(0.0, &[0x20, 2, 0, 0]).ok().unwrap(), r#"[{"event":"connected"}]"#);
    let frame = WebSocketFrame::encode(2, 7, &[0x58]).ok().unwrap();
    let read = WebSocketFrame::decode(2, &frame).ok().unwrap();
    assert_eq!((read.is_json(), read.timestamp, read.payload()), (false, 7, vec![0x58]));
    assert!(said(WebSocketFrame::encode(4, 0, &[1]).unwrap_err()).contains("version 4"));
    let id = client_id("g", "02:00:00:00:00:01", "u").ok().unwrap();
    assert_eq!(topics(&id, "").ok().unwrap()[0], "device-server");
    assert_eq!(credentials(&id, "key").ok().unwrap().len(), 2);
    assert_eq!(token("mac", "id", "key").ok().unwrap().len(), 44);
    assert_eq!(Resampler::new(48_000, 16_000).process(&[0.0; 4800]).len(), 1583);
}
