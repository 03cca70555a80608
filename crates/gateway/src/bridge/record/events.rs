//! What goes into the lines of a session's `.jsonl`.

use crate::bridge::{Call, Speech, ToBackEnd, ToDevice};
use serde_json::{Value, json};
use sidetone_protocol::message::{DeviceBody, DeviceMessage, GatewayBody, GatewayMessage, Listen};

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

/// What the back end said; `None` for audio.
pub(super) fn said(what: &ToDevice) -> Option<Value> {
    let body = match what {
        ToDevice::Speech(Speech::Mark(tts)) => GatewayBody::Tts(tts.clone()),
        ToDevice::Speech(_) => return None,
        ToDevice::Say(body) => body.clone(),
        ToDevice::Closed(why) => return Some(json!({ "event": "lost", "why": why })),
    };
    Some(json!({ "event": "server", "message": GatewayMessage::without_session(body) }))
}
