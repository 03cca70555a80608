//! What goes into a device, and what comes out.

use serde_json::Value;

use crate::Media;
use crate::message::{DeviceMessage, GatewayBody, GatewayMessage, ListenMode};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// The device is switched on: it connects, and stays connected.
    Start,
    /// It is switched off: goodbye, and no more reconnecting.
    Stop,
    /// The connection stands.
    Connected,
    /// The connection broke, or was not made.
    Disconnected,
    /// The gateway said something.
    Message(GatewayMessage),
    /// An audio packet of the gateway was accepted.
    AudioHeard,
    /// The user wakes the device: it opens a session where there is none, and listens.
    Listen(ListenMode),
    /// The user lets go of the button.
    StopListening,
    /// A wake word was heard, or text was typed. Needs a session.
    Detect {
        /// The word.
        text: String,
    },
    /// The user interrupts.
    Abort {
        /// `wake_word_detected`, where that is the reason.
        reason: Option<String>,
    },
    /// A JSON-RPC answer.
    Mcp {
        /// The message.
        payload: Value,
    },
    /// The user ends the session.
    Hangup,
    /// Time passed.
    Tick,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Make the connection.
    Connect,
    /// Drop the connection.
    Disconnect,
    /// Say this to the gateway.
    Send(DeviceMessage),
    /// Open the audio.
    OpenMedia(Media),
    /// Close the audio: the session is over.
    CloseMedia {
        /// The session.
        session_id: String,
        /// Why.
        cause: EndCause,
    },
    /// Open the microphone.
    StartCapture {
        /// Until when.
        mode: ListenMode,
    },
    /// Close the microphone.
    StopCapture,
    /// Play what comes, from an empty queue.
    StartPlayback,
    /// Play no more, and drop what is queued.
    StopPlayback,
    /// Show this: a sentence, what was understood, a face, an alert, or what is not known here.
    Show(GatewayBody),
    /// A JSON-RPC request.
    Mcp {
        /// The message.
        payload: Value,
    },
    /// No session came about.
    Failed(Failure),
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndCause {
    /// The gateway said goodbye.
    GatewayGoodbye,
    /// The user ended it.
    Hangup,
    /// The gateway sent another hello: a new key.
    Rekeyed,
    /// Nothing came from the gateway for too long.
    GatewaySilence,
    /// The device was switched off.
    Stopped,
}

/// Why no session came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// No connection.
    NotConnected,
    /// The hello was not answered in time.
    HelloTimeout,
    /// It was answered with a transport or audio that cannot be used.
    BadHello,
}

/// What a device is doing, as its screen would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// Switched off.
    Off,
    /// Without a connection, and without a session.
    Offline,
    /// Connected, without a session.
    Idle,
    /// Waiting for a connection or for the answer to its hello, in order to listen.
    Opening,
    /// In a session, with a closed microphone, playing nothing.
    Ready,
    /// In a session, with an open microphone, playing nothing.
    Listening,
    /// In a session, playing; in realtime mode the microphone is open as well.
    Speaking,
}
