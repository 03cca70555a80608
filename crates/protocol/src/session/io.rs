//! What goes into a gateway's session, and what comes out.

use serde_json::Value;

use super::Grant;
use crate::message::{Alert, DeviceHello, DeviceMessage, GatewayBody, GatewayMessage, ListenMode, Unknown};
use crate::{Media, Time};

/// Which hello of a connection. Counts up, so that a grant that comes too late finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HelloId(pub u64);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// The device said something.
    Message(DeviceMessage),
    /// Grants a hello.
    Grant(Grant),
    /// Refuses a hello, with an alert that the device shows: full, shutting down, not allowed.
    Refuse {
        /// The hello.
        hello: HelloId,
        /// What the user reads.
        alert: Alert,
    },
    /// A plausible audio packet came.
    AudioHeard {
        /// It holds no speech: a DTX packet of 1 or 2 bytes. A sign of life, but not of conversation.
        silent: bool,
    },
    /// Audio was sent that will have been played by `until` (no later than [`MAX_AHEAD`](super::MAX_AHEAD) from now).
    AudioPlayed {
        /// When the device will have played it.
        until: Time,
    },
    /// The back end says something to the device: tts, stt, llm, mcp, alert, goodbye, or what is not known here.
    /// Hellos are passed over: a [`Grant`] makes them. A `tts stop` waits until what was sent has been played.
    Send(GatewayBody),
    /// The gateway ends the session.
    Close(EndCause),
    /// The connection is gone, and with it the session: nothing can be said any more.
    Disconnected,
    /// Time passed.
    Tick,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Say this to the device.
    Send(GatewayMessage),
    /// A device asks for a session: answer with [`Input::Grant`] or [`Input::Refuse`].
    Hello {
        /// To be named in the answer.
        hello: HelloId,
        /// What it said.
        said: DeviceHello,
    },
    /// A hello needs no answer any more: another came, or the device went, or it took too long (and was refused).
    HelloCancelled {
        /// The hello.
        hello: HelloId,
    },
    /// Open the audio. Comes before the hello reply, so that the first packet finds it open.
    OpenMedia(Media),
    /// Close the audio, its keys and its back end. The session is over.
    CloseMedia {
        /// The session.
        session_id: String,
        /// The connection id of its packets; `None` over WebSocket.
        connection_id: Option<u32>,
        /// Why.
        cause: EndCause,
    },
    /// The microphone opens, or opens again for the next turn: what is heard goes to the back end.
    StartCapture {
        /// Who decides when the user has finished: the back end, but in manual mode.
        mode: ListenMode,
    },
    /// The microphone closes: the user has finished.
    StopCapture,
    /// A wake word was heard, or text was typed.
    WakeWord {
        /// The word.
        text: String,
    },
    /// The user interrupts: drop all audio that is queued, and tell the back end.
    Abort {
        /// As the device gave it.
        reason: Option<String>,
    },
    /// A JSON-RPC message for the back end.
    Mcp {
        /// The message.
        payload: Value,
    },
    /// A message that is not known here, for the back end.
    Relay(Unknown),
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndCause {
    /// The device said goodbye.
    DeviceGoodbye,
    /// The back end said goodbye.
    BackEndGoodbye,
    /// The device said hello anew; it has forgotten the old key.
    Rehello,
    /// Nobody said anything for too long.
    Inactivity,
    /// Nothing came from an open microphone for too long.
    DeviceSilence,
    /// The connection is gone.
    Disconnected,
    /// Packets in a row decrypt to nonsense.
    WrongKey,
    /// All nonces are used: a new hello brings a new key.
    KeyExhausted,
    /// The audio or its back end failed.
    Failed,
    /// The gateway is shutting down.
    Shutdown,
    /// An operator ended it.
    Operator,
}

impl EndCause {
    /// A word for metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeviceGoodbye => "device_goodbye",
            Self::BackEndGoodbye => "back_end_goodbye",
            Self::Rehello => "rehello",
            Self::Inactivity => "inactivity",
            Self::DeviceSilence => "device_silence",
            Self::Disconnected => "disconnected",
            Self::WrongKey => "wrong_key",
            Self::KeyExhausted => "key_exhausted",
            Self::Failed => "failed",
            Self::Shutdown => "shutdown",
            Self::Operator => "operator",
        }
    }
}
