//! From the device to the server: its audio in frames, its messages with the server's session id.

use super::Server;
use super::frames;
use crate::bridge::{Heard, ToBackEnd, Transcoder};
use sidetone_protocol::message::{DeviceBody, DeviceMessage, Listen, ListenMode};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// What the device does, as far as the server must know.
#[derive(Debug)]
pub(super) struct Listening {
    /// The microphone is open.
    capture: Option<ListenMode>,
    /// The last time given to audio, in ms.
    sent_at: u32,
    /// Audio keeps the device's own times: the server needs them to cancel its echo. Firmware's are 0 otherwise, and
    /// servers sort by them.
    own_times: bool,
}

impl Listening {
    pub(super) const fn new(own_times: bool) -> Self {
        Self { capture: None, sent_at: 0, own_times }
    }

    /// What a server that is new to the call must be told.
    pub(super) fn announcement(&self) -> Option<DeviceBody> {
        self.capture.map(|mode| DeviceBody::Listen(Listen::Start { mode }))
    }

    /// What the device did, as messages for the server. `speaking`: the server speaks.
    pub(super) async fn take(
        &mut self,
        server: &Server,
        transcoder: &mut Transcoder,
        told: ToBackEnd,
        speaking: bool,
        elapsed: Duration,
    ) -> Vec<Outgoing> {
        let body = match told {
            ToBackEnd::Audio(heard) => return self.audio(server, transcoder, heard, elapsed).await,
            ToBackEnd::StartCapture(mode) => {
                self.capture = Some(mode);
                DeviceBody::Listen(Listen::Start { mode })
            }
            ToBackEnd::StopCapture => {
                // The device closes its microphone by itself when the server speaks, which knows that.
                match self.capture.take() {
                    None => return Vec::new(),
                    Some(ListenMode::Auto | ListenMode::Manual) if speaking => return Vec::new(),
                    Some(_) => DeviceBody::Listen(Listen::Stop),
                }
            }
            ToBackEnd::WakeWord(text) => DeviceBody::Listen(Listen::Detect { text }),
            ToBackEnd::Abort(reason) => DeviceBody::Abort { reason },
            ToBackEnd::Mcp(payload) => DeviceBody::Mcp { payload },
            ToBackEnd::Relay(unknown) => DeviceBody::Unknown(unknown),
        };
        vec![Outgoing::Say(body)]
    }

    async fn audio(
        &mut self,
        server: &Server,
        transcoder: &mut Transcoder,
        heard: Heard,
        elapsed: Duration,
    ) -> Vec<Outgoing> {
        let counts = &server.counts;
        let (packets, given) = match heard {
            Heard::Packet { payload, timestamp } => (vec![payload], Some(timestamp)),
            Heard::Pcm { samples, .. } => match transcoder.encode(samples).await {
                Ok(packets) => (packets, None),
                Err(error) => {
                    counts.untranscoded.add(1);
                    tracing::debug!(%error, "a frame for the speech server was not coded");
                    return Vec::new();
                }
            },
        };
        let mut frames = Vec::with_capacity(packets.len());
        for payload in packets {
            let timestamp = self.timestamp(given, elapsed);
            match frames::to_server(server.settings.framing, timestamp, &payload) {
                Ok(bytes) => frames.push(Outgoing::Frame(Message::binary(bytes))),
                Err(error) => tracing::debug!(%error, "a frame for the speech server was not made"),
            }
        }
        counts.packets_up.add(frames.len() as u64);
        frames
    }

    fn timestamp(&mut self, given: Option<u32>, elapsed: Duration) -> u32 {
        if self.own_times
            && let Some(given) = given
        {
            return given;
        }
        self.sent_at = self.sent_at.max(elapsed.as_millis() as u32);
        self.sent_at
    }
}

/// For the server.
#[derive(Debug)]
pub(super) enum Outgoing {
    Say(DeviceBody),
    Frame(Message),
}

impl Outgoing {
    /// As it goes out. `session_id` is the server's.
    pub(super) fn written(self, session_id: Option<&str>) -> Message {
        match self {
            Self::Frame(message) => message,
            Self::Say(body) => {
                let message = DeviceMessage { session_id: session_id.map(Into::into), body };
                Message::text(message.to_json())
            }
        }
    }
}
