//! [`Device`] with JSON in and out: what happened, and what is to be done.
//!
//! In: `{"input":"start"}`, `stop`, `connected`, `disconnected`, `audio-heard`, `listen` with `mode`, `stop-listening`,
//! `detect` with `text`, `abort` with `reason`, `mcp` with `payload`, `hangup`, `tick`.
//! Out: an array of `{"output":"connect"}`, `disconnect`, `send` with `text`, `open-media` with the hello's audio and
//! endpoint, `close-media`, `start-capture`, `stop-capture`, `start-playback`, `stop-playback`, `show` with `message`,
//! `mcp` with `payload`, `failed` with `failure`.

use serde::Deserialize;
use serde_json::{Value, json};
use sidetone_protocol::device::{Activity, Config, Device, EndCause, Failure, Input, Output};
use sidetone_protocol::message::{
    AudioParams, DeviceHello, Features, GatewayMessage, ListenMode, MessageError, Transport,
};
use sidetone_protocol::{Media, Time};
use thiserror::Error;

/// Something that is not understood.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Not the JSON that is asked for.
    #[error("not understood: {0}")]
    Json(#[from] serde_json::Error),
    /// What the gateway said is no message.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// What kind of device it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// `2026`, `2025`, or `improved`: which firmware it behaves like.
    pub firmware: Firmware,
    /// `udp` or `websocket`.
    pub transport: Carrier,
    /// Version in the hello; over WebSocket that of the binary frames.
    pub version: u32,
    /// Hz of what the device sends.
    pub sample_rate: u32,
    /// Milliseconds of a frame.
    pub frame_duration: u32,
    /// Answers MCP.
    pub mcp: bool,
    /// Leaves echo cancellation to the server.
    pub aec: bool,
    /// Scatters reconnects.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            firmware: Firmware::Improved,
            transport: Carrier::Udp,
            version: 3,
            sample_rate: 16_000,
            frame_duration: 60,
            mcp: true,
            aec: false,
            seed: 1,
        }
    }
}

/// Which firmware a device behaves like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Firmware {
    /// Of 2026-08.
    #[serde(rename = "2026")]
    Of2026,
    /// Of 2025-09.
    #[serde(rename = "2025")]
    Of2025,
    /// What a device could do.
    #[serde(rename = "improved")]
    Improved,
}

/// What carries the audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// Sealed packets.
    Udp,
    /// Frames of the WebSocket that carries the messages.
    Websocket,
}

impl Settings {
    fn config(&self) -> Config {
        let mut config = match self.firmware {
            Firmware::Of2026 => Config::firmware(),
            Firmware::Of2025 => Config::firmware_2025(),
            Firmware::Improved => Config::improved(),
        };
        config.hello = DeviceHello {
            version: self.version,
            transport: match self.transport {
                Carrier::Udp => Transport::Udp,
                Carrier::Websocket => Transport::WebSocket,
            },
            features: Features { mcp: self.mcp, aec: self.aec, others: Vec::new() },
            audio_params: AudioParams {
                sample_rate: self.sample_rate,
                frame_duration: self.frame_duration,
                ..AudioParams::DEVICE
            },
        };
        // A page has somebody in front of it: it does not wait a minute.
        config.reconnect = Config::improved().reconnect;
        // The audio of a WebSocket call ends with its WebSocket.
        config.reconnect_in_session |= self.transport == Carrier::Websocket;
        config
    }
}

#[derive(Deserialize)]
#[serde(tag = "input", rename_all = "kebab-case")]
enum Event {
    Start,
    Stop,
    Connected,
    Disconnected,
    AudioHeard,
    Listen { mode: Mode },
    StopListening,
    Detect { text: String },
    Abort { reason: Option<String> },
    Mcp { payload: Value },
    Hangup,
    Tick,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Auto,
    Manual,
    Realtime,
}

impl From<Mode> for ListenMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Auto => Self::Auto,
            Mode::Manual => Self::Manual,
            Mode::Realtime => Self::Realtime,
        }
    }
}

impl From<Event> for Input {
    fn from(event: Event) -> Self {
        match event {
            Event::Start => Self::Start,
            Event::Stop => Self::Stop,
            Event::Connected => Self::Connected,
            Event::Disconnected => Self::Disconnected,
            Event::AudioHeard => Self::AudioHeard,
            Event::Listen { mode } => Self::Listen(mode.into()),
            Event::StopListening => Self::StopListening,
            Event::Detect { text } => Self::Detect { text },
            Event::Abort { reason } => Self::Abort { reason },
            Event::Mcp { payload } => Self::Mcp { payload },
            Event::Hangup => Self::Hangup,
            Event::Tick => Self::Tick,
        }
    }
}

/// A device that is spoken to in JSON.
#[derive(Debug)]
pub struct Control {
    device: Device,
}

impl Control {
    /// A device that is switched off; `settings` as JSON of [`Settings`].
    ///
    /// # Errors
    /// [`ControlError::Json`].
    pub fn new(settings: &str) -> Result<Self, ControlError> {
        let settings: Settings = serde_json::from_str(settings)?;
        Ok(Self { device: Device::new(settings.config(), settings.seed) })
    }

    /// Something happened at `now` (ms).
    ///
    /// # Errors
    /// [`ControlError::Json`].
    pub fn input(&mut self, now: f64, event: &str) -> Result<Value, ControlError> {
        let event: Event = serde_json::from_str(event)?;
        Ok(shown(self.device.handle(time(now), event.into())))
    }

    /// The gateway said something.
    ///
    /// # Errors
    /// [`ControlError::Message`].
    pub fn message(&mut self, now: f64, text: &[u8]) -> Result<Value, ControlError> {
        let message = GatewayMessage::parse(text)?;
        Ok(shown(self.device.handle(time(now), Input::Message(message))))
    }

    /// When (ms) to come with `tick`.
    #[must_use]
    pub fn next_timeout(&self) -> Option<f64> {
        self.device.next_timeout().map(|time| time.as_millis() as f64)
    }

    /// The device.
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.device
    }

    /// What it is doing: `off`, `offline`, `idle`, `opening`, `ready`, `listening`, `speaking`.
    #[must_use]
    pub fn activity(&self) -> &'static str {
        match self.device.activity() {
            Activity::Off => "off",
            Activity::Offline => "offline",
            Activity::Idle => "idle",
            Activity::Opening => "opening",
            Activity::Ready => "ready",
            Activity::Listening => "listening",
            Activity::Speaking => "speaking",
        }
    }
}

/// Milliseconds as the protocol counts them.
pub(crate) fn time(millis: f64) -> Time {
    Time::from_millis(millis.max(0.0) as u64)
}

fn shown(outputs: Vec<Output>) -> Value {
    outputs.into_iter().map(output).collect()
}

fn output(output: Output) -> Value {
    match output {
        Output::Connect => json!({"output": "connect"}),
        Output::Disconnect => json!({"output": "disconnect"}),
        Output::Send(message) => json!({"output": "send", "text": message.to_json()}),
        Output::OpenMedia(media) => open_media(&media),
        Output::CloseMedia { session_id, cause } => {
            json!({"output": "close-media", "sessionId": session_id, "cause": cause_name(cause)})
        }
        Output::StartCapture { mode } => json!({"output": "start-capture", "mode": mode.as_str()}),
        Output::StopCapture => json!({"output": "stop-capture"}),
        Output::StartPlayback => json!({"output": "start-playback"}),
        Output::StopPlayback => json!({"output": "stop-playback"}),
        Output::Show(body) => json!({"output": "show", "message": GatewayMessage::without_session(body)}),
        Output::Mcp { payload } => json!({"output": "mcp", "payload": payload}),
        Output::Failed(failure) => json!({"output": "failed", "failure": failure_name(failure)}),
        _ => json!({"output": "unknown"}),
    }
}

/// The key goes to the page, which hands it to the component: nobody else may have this JSON.
fn open_media(media: &Media) -> Value {
    let audio = |params: &AudioParams| {
        json!({
            "format": params.format.as_str(),
            "sampleRate": params.sample_rate,
            "channels": params.channels,
            "frameDuration": params.frame_duration,
        })
    };
    let udp = media.udp.as_ref().map(|udp| {
        json!({
            "server": udp.server,
            "port": udp.port,
            "key": udp.key.expose(),
            "connectionId": udp.nonce.connection_id(),
        })
    });
    json!({
        "output": "open-media",
        "sessionId": media.session_id,
        "uplink": audio(&media.uplink),
        "downlink": audio(&media.downlink),
        "udp": udp,
    })
}

const fn cause_name(cause: EndCause) -> &'static str {
    match cause {
        EndCause::GatewayGoodbye => "gateway-goodbye",
        EndCause::Hangup => "hangup",
        EndCause::Rekeyed => "rekeyed",
        EndCause::GatewaySilence => "gateway-silence",
        EndCause::Stopped => "stopped",
        _ => "unknown",
    }
}

const fn failure_name(failure: Failure) -> &'static str {
    match failure {
        Failure::NotConnected => "not-connected",
        Failure::HelloTimeout => "hello-timeout",
        Failure::BadHello => "bad-hello",
        _ => "unknown",
    }
}
