//! What goes into the lines of a session's `.jsonl`.

use crate::bridge::{Call, Message, ToBackEnd};
use serde_json::{Value, json};
use sidetone_protocol::message::{DeviceBody, DeviceMessage, GatewayBody, GatewayMessage, Listen, Tts};

/// The first line.
pub(super) fn opened(call: &Call, time: &str) -> Value {
    let (rate, frame) = call.downlink;
    json!({
        "event": "opened", "time": time, "session": call.session_id, "device": call.device, "tenant": call.tenant,
        "peer": call.peer.map(|peer| peer.to_string()), "uplink": call.hello.audio_params,
        "downlink": { "sample_rate": rate, "frame_duration": frame, "channels": call.downlink_channels().count() },
    })
}

/// What the device did; `None` for audio.
pub(super) fn told(told: &ToBackEnd) -> Option<Value> {
    let body = match told {
        ToBackEnd::Audio(_) => return None,
        ToBackEnd::StartCapture(mode) => DeviceBody::Listen(Listen::Start { mode: *mode }),
        ToBackEnd::StopCapture => DeviceBody::Listen(Listen::Stop),
        ToBackEnd::WakeWord(text) => DeviceBody::Listen(Listen::Detect { text: text.clone() }),
        ToBackEnd::Abort(reason) => DeviceBody::Abort { reason: reason.clone() },
        ToBackEnd::Mcp(payload) => DeviceBody::Mcp { payload: payload.clone() },
        ToBackEnd::Relay(unknown) => DeviceBody::Unknown(unknown.clone()),
    };
    Some(json!({ "event": "device", "message": DeviceMessage { session_id: None, body } }))
}

/// What the back end said.
pub(super) fn said(message: &Message) -> Value {
    match message {
        Message::Say(body) => json!({ "event": "server", "message": GatewayMessage::without_session(body.clone()) }),
        Message::Closed(why) => json!({ "event": "lost", "why": why }),
    }
}

/// A mark between its speech.
pub(super) fn mark(tts: &Tts) -> Value {
    said(&Message::Say(GatewayBody::Tts(tts.clone())))
}
