//! What JavaScript sees. Times are in ms, as `performance.now()` has them.

use crate::control::Control;
use crate::impairment::{self, Impairment};
use crate::mqtt::{Client, Event, Options};
use crate::playout::adaptive::Adaptive;
use crate::playout::faithful::Faithful;
use crate::playout::{Arrival, Statistics, Step};
use crate::{identity, resample};
use serde_json::json;
use sidetone_protocol::device::ReceiveRules;
use sidetone_protocol::websocket::{Frame, Kind, Version};
use std::fmt::Display;
use wasm_bindgen::prelude::*;

fn thrown(error: impl Display) -> JsError {
    JsError::new(&error.to_string())
}

/// A device: see [`crate::control`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct Device(Control);

#[wasm_bindgen]
impl Device {
    /// A device that is switched off.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str) -> Result<Device, JsError> {
        Control::new(settings).map(Self).map_err(thrown)
    }

    /// Something happened; returns what is to be done.
    pub fn input(&mut self, now: f64, event: &str) -> Result<String, JsError> {
        self.0.input(now, event).map(|outputs| outputs.to_string()).map_err(thrown)
    }

    /// The gateway said something; returns what is to be done.
    pub fn message(&mut self, now: f64, text: &[u8]) -> Result<String, JsError> {
        self.0.message(now, text).map(|outputs| outputs.to_string()).map_err(thrown)
    }

    /// When to come with `tick`.
    #[wasm_bindgen(getter, js_name = nextTimeout)]
    pub fn next_timeout(&self) -> Option<f64> {
        self.0.next_timeout()
    }

    /// What it is doing.
    #[wasm_bindgen(getter)]
    pub fn activity(&self) -> String {
        self.0.activity().into()
    }

    /// Whether audio that comes is played.
    #[wasm_bindgen(getter, js_name = isPlaying)]
    pub fn is_playing(&self) -> bool {
        self.0.device().is_playing()
    }

    /// The session's id.
    #[wasm_bindgen(getter, js_name = sessionId)]
    pub fn session_id(&self) -> Option<String> {
        self.0.device().session_id().map(Into::into)
    }
}

/// A bad network for one direction: see [`crate::impairment`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct Network(Impairment);

#[wasm_bindgen]
impl Network {
    /// `settings` as JSON of [`impairment::Settings`].
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str, seed: f64) -> Result<Network, JsError> {
        let settings: impairment::Settings = serde_json::from_str(settings).map_err(thrown)?;
        Ok(Self(Impairment::new(settings, seed as u64)))
    }

    /// Other settings.
    pub fn set(&mut self, settings: &str) -> Result<(), JsError> {
        self.0.set(serde_json::from_str(settings).map_err(thrown)?);
        Ok(())
    }

    /// A packet starts.
    pub fn push(&mut self, now: f64, packet: &[u8]) {
        self.0.push(now, packet);
    }

    /// The next packet that has arrived.
    pub fn pop(&mut self, now: f64) -> Option<Vec<u8>> {
        self.0.pop(now)
    }

    /// When the next packet arrives.
    #[wasm_bindgen(getter, js_name = nextDue)]
    pub fn next_due(&self) -> Option<f64> {
        self.0.next_due()
    }

    /// Drops what is under way.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts, as JSON.
    pub fn counts(&self) -> String {
        json!(self.0.counts()).to_string()
    }
}

/// What the decoder is to make the next frame of.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Due {
    step: Step,
}

#[wasm_bindgen]
impl Due {
    /// `decode`, `recover`, `conceal` or `silence`.
    #[wasm_bindgen(getter)]
    pub fn step(&self) -> String {
        match self.step {
            Step::Decode(_) => "decode",
            Step::Recover(_) => "recover",
            Step::Conceal => "conceal",
            Step::Silence => "silence",
        }
        .into()
    }

    /// The packet, for `decode` and `recover`.
    #[wasm_bindgen(getter)]
    pub fn payload(&self) -> Option<Vec<u8>> {
        match &self.step {
            Step::Decode(payload) | Step::Recover(payload) => Some(payload.clone()),
            _ => None,
        }
    }
}

fn arrival(arrival: Arrival) -> String {
    match arrival {
        Arrival::Queued => "queued",
        Arrival::Late => "late",
        Arrival::Duplicate => "duplicate",
        Arrival::Overflow => "overflow",
        Arrival::NotPlaying => "not-playing",
    }
    .into()
}

fn counts(statistics: Statistics) -> String {
    json!(statistics).to_string()
}

/// Playing as firmware does: see [`crate::playout::faithful`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct FaithfulPlayout(Faithful);

#[wasm_bindgen]
impl FaithfulPlayout {
    /// Right after a hello. `old`: the rules of firmware of 2025.
    #[wasm_bindgen(constructor)]
    pub fn new(old: bool) -> Self {
        Self(Faithful::new(if old { ReceiveRules::FIRMWARE_2025 } else { ReceiveRules::FIRMWARE }))
    }

    /// Whether firmware would decrypt this datagram.
    pub fn judge(&mut self, datagram: &[u8]) -> bool {
        self.0.judge(datagram).is_some()
    }

    /// Takes a payload in.
    pub fn push(&mut self, now: f64, timestamp: u32, payload: Vec<u8>) -> String {
        arrival(self.0.push(now, timestamp, payload))
    }

    /// Speech begins.
    pub fn start(&mut self) {
        self.0.start();
    }

    /// Speech is over.
    pub fn stop(&mut self) {
        self.0.stop();
    }

    /// A frame is due.
    pub fn step(&mut self) -> Due {
        Due { step: self.0.step() }
    }

    /// [`Statistics`] as JSON.
    pub fn statistics(&self) -> String {
        counts(self.0.statistics())
    }
}

/// Playing as a device could: see [`crate::playout::adaptive`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct AdaptivePlayout(Adaptive);

#[wasm_bindgen]
impl AdaptivePlayout {
    /// For packets of `frame` ms each.
    #[wasm_bindgen(constructor)]
    pub fn new(frame: f64) -> Self {
        Self(Adaptive::new(frame))
    }

    /// Takes a packet in.
    pub fn push(&mut self, now: f64, sequence: u32, timestamp: u32, payload: Vec<u8>) -> String {
        arrival(self.0.push(now, sequence, timestamp, payload))
    }

    /// Speech begins.
    pub fn start(&mut self, now: f64) {
        self.0.start(now);
    }

    /// Speech is over, but for what waits.
    pub fn drain(&mut self) {
        self.0.drain();
    }

    /// Speech is over at once.
    pub fn stop(&mut self) {
        self.0.stop();
    }

    /// Whether frames are being made.
    #[wasm_bindgen(getter, js_name = isPlaying)]
    pub fn is_playing(&self) -> bool {
        self.0.is_playing()
    }

    /// A frame is due.
    pub fn step(&mut self) -> Due {
        Due { step: self.0.step() }
    }

    /// A `recover` found nothing.
    #[wasm_bindgen(js_name = notRecovered)]
    pub fn not_recovered(&mut self) {
        self.0.not_recovered();
    }

    /// [`Statistics`] as JSON.
    pub fn statistics(&self) -> String {
        counts(self.0.statistics())
    }
}

/// An MQTT connection: see [`crate::mqtt`].
#[wasm_bindgen]
pub struct Mqtt(Client);

#[wasm_bindgen]
impl Mqtt {
    /// A connection whose first bytes wait in `takeOutput`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        now: f64,
        client_id: String,
        username: String,
        password: String,
        keep_alive: u16,
    ) -> Result<Mqtt, JsError> {
        Client::connect(now, &Options { client_id, username, password, keep_alive }).map(Self).map_err(thrown)
    }

    /// Bytes to be sent.
    #[wasm_bindgen(js_name = takeOutput)]
    pub fn take_output(&mut self) -> Vec<u8> {
        self.0.take_output()
    }

    /// Publishes a message.
    pub fn publish(&mut self, now: f64, topic: &str, payload: &[u8]) -> Result<(), JsError> {
        self.0.publish(now, topic, payload).map_err(thrown)
    }

    /// Subscribes.
    pub fn subscribe(&mut self, now: f64, topic: &str) -> Result<(), JsError> {
        self.0.subscribe(now, topic).map_err(thrown)
    }

    /// Says goodbye.
    pub fn disconnect(&mut self, now: f64) -> Result<(), JsError> {
        self.0.disconnect(now).map_err(thrown)
    }

    /// Takes bytes in; returns what came, as JSON: `connected`, `disconnected`, `message` with `topic` and `text`.
    pub fn receive(&mut self, now: f64, bytes: &[u8]) -> Result<String, JsError> {
        let events = self.0.receive(now, bytes).map_err(thrown)?;
        let shown: Vec<_> = events
            .into_iter()
            .map(|event| match event {
                Event::Connected => json!({"event": "connected"}),
                Event::Disconnected => json!({"event": "disconnected"}),
                Event::Message { topic, payload } => {
                    json!({"event": "message", "topic": topic, "text": String::from_utf8_lossy(&payload)})
                }
            })
            .collect();
        Ok(json!(shown).to_string())
    }

    /// Lets the time pass.
    pub fn tick(&mut self, now: f64) -> Result<(), JsError> {
        self.0.tick(now).map_err(thrown)
    }

    /// When to come with `tick`.
    #[wasm_bindgen(getter, js_name = nextTimeout)]
    pub fn next_timeout(&self) -> Option<f64> {
        self.0.next_timeout()
    }
}

/// A binary frame of a WebSocket call.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WebSocketFrame {
    json: bool,
    /// Milliseconds; 0 where the version has none.
    #[wasm_bindgen(readonly)]
    pub timestamp: u32,
    payload: Vec<u8>,
}

#[wasm_bindgen]
impl WebSocketFrame {
    /// Reads a frame.
    pub fn decode(version: u32, bytes: &[u8]) -> Result<WebSocketFrame, JsError> {
        let Frame { kind, timestamp, payload } = Frame::decode(known(version)?, bytes).map_err(thrown)?;
        Ok(Self { json: kind == Kind::Json, timestamp, payload: payload.to_vec() })
    }

    /// Writes a frame of Opus.
    pub fn encode(version: u32, timestamp: u32, payload: &[u8]) -> Result<Vec<u8>, JsError> {
        Frame { kind: Kind::Opus, timestamp, payload }.encode(known(version)?).map_err(thrown)
    }

    /// Whether it carries a message instead of audio.
    #[wasm_bindgen(getter, js_name = isJson)]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Opus or JSON.
    #[wasm_bindgen(getter)]
    pub fn payload(&self) -> Vec<u8> {
        self.payload.clone()
    }
}

fn known(version: u32) -> Result<Version, JsError> {
    Version::from_number(version).ok_or_else(|| JsError::new(&format!("WebSocket version {version}: 1, 2 or 3")))
}

/// From one sample rate to another: see [`resample`].
#[wasm_bindgen]
#[derive(Debug)]
pub struct Resampler(resample::Resampler);

#[wasm_bindgen]
impl Resampler {
    /// Rates in Hz.
    #[wasm_bindgen(constructor)]
    pub fn new(from: u32, to: u32) -> Self {
        Self(resample::Resampler::new(from, to))
    }

    /// Samples from -1 to 1 in, and out.
    pub fn process(&mut self, samples: &[f32]) -> Vec<f32> {
        self.0.process(samples)
    }

    /// Forgets what came before.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}

/// The client id of firmware.
#[wasm_bindgen(js_name = clientId)]
pub fn client_id(group: &str, mac: &str, uuid: &str) -> Result<String, JsError> {
    identity::client_id(group, mac, uuid).map_err(thrown)
}

/// `[user name, password]` for a signature key.
#[wasm_bindgen]
pub fn credentials(client_id: &str, signature_key: &str) -> Result<Vec<String>, JsError> {
    identity::credentials(client_id, signature_key).map(|(user, password)| vec![user, password]).map_err(thrown)
}

/// `[publish topic, answer topic]` of a dialect.
#[wasm_bindgen]
pub fn topics(client_id: &str, dialect: &str) -> Result<Vec<String>, JsError> {
    identity::topics(client_id, dialect).map(|(up, down)| vec![up, down]).map_err(thrown)
}

/// The token of a device over WebSocket, for a signature key.
#[wasm_bindgen]
pub fn token(device_id: &str, client_id: &str, signature_key: &str) -> Result<String, JsError> {
    identity::token(device_id, client_id, signature_key).map_err(thrown)
}
