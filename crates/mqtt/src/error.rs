//! What can go wrong, one type for each thing one can try.

use mqtt_protocol_core::mqtt::result_code::MqttError;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// How the peer broke the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// A packet larger than this end takes ([`Limits::max_packet`](crate::Limits::max_packet)).
    #[error("its packet is larger than allowed")]
    TooLarge,
    /// Bytes that are no MQTT packet.
    #[error("its packet is malformed")]
    Malformed,
    /// A packet that is not allowed here and now, such as a second CONNECT.
    #[error("its packet is not allowed at this point")]
    OutOfOrder,
    /// More messages of QoS 1 or 2 under way than allowed.
    #[error("it has too many unacknowledged messages under way")]
    TooManyInFlight,
    /// A message to a topic that is empty or holds wildcards.
    #[error("it published to an invalid topic")]
    Topic,
    /// Anything else, as the protocol library names it.
    #[error("{0}")]
    Other(&'static str),
}

impl From<MqttError> for Fault {
    fn from(error: MqttError) -> Self {
        match error {
            MqttError::PacketTooLarge => Self::TooLarge,
            MqttError::MalformedPacket | MqttError::InsufficientBytes => Self::Malformed,
            MqttError::ProtocolError => Self::OutOfOrder,
            MqttError::ReceiveMaximumExceeded => Self::TooManyInFlight,
            MqttError::TopicNameInvalid => Self::Topic,
            MqttError::UnsupportedProtocolVersion => Self::Other("its protocol version is not supported"),
            MqttError::ClientIdentifierNotValid => Self::Other("its client id is not valid"),
            MqttError::BadUserNameOrPassword => Self::Other("its user name or password is not valid text"),
            MqttError::TopicAliasInvalid => Self::Other("it used a topic alias that was not agreed"),
            MqttError::InvalidQos => Self::Other("its quality of service is not 0, 1 or 2"),
            _ => Self::Other("the protocol library refused its packet"),
        }
    }
}

/// Why no CONNECT came of a stream. The stream is closed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// No whole CONNECT in time.
    #[error("no CONNECT within {0:?}: the peer is too slow, or does not speak MQTT")]
    Timeout(Duration),
    /// The peer closed before it had sent a CONNECT.
    #[error("closed before a CONNECT had come")]
    Closed,
    /// The first packet is something else.
    #[error(
        "the first byte is {0:#04x}, where MQTT begins with CONNECT, 0x10: another protocol, or TLS on a plain port"
    )]
    NotConnect(u8),
    /// A protocol level that is neither 4 (3.1.1) nor 5. The peer has been told.
    #[error("the peer speaks MQTT of level {0}: only 4 (3.1.1) and 5 are understood")]
    Version(u8),
    /// An empty client id with a session to be kept, which 3.1.1 forbids. The peer has been told.
    #[error("the peer names no client id, yet wants its session kept: let it set one, or clean session")]
    NoClientId,
    /// A CONNECT that is not valid.
    #[error("the peer's CONNECT is refused: {0}")]
    Fault(#[from] Fault),
    /// The stream failed.
    #[error("the connection failed before a CONNECT had come: {0}")]
    Io(#[from] io::Error),
}

/// Why a connection ended, or why it did not send. See [`ConnectionError::is_fatal`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The peer broke the protocol. It has been told, where its version of MQTT can be told.
    #[error("the peer broke the protocol: {0}")]
    Fault(#[from] Fault),
    /// Nothing was heard for one and a half keep-alive times, or no answer came to a ping.
    #[error("the peer has been silent for too long: it is gone, or its network is")]
    Silent,
    /// The peer did not take what was sent to it.
    #[error("the peer took nothing for {0:?}: it is too slow or gone, and was dropped")]
    SlowReader(Duration),
    /// The stream failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// It had ended before.
    #[error("the connection has ended already")]
    Closed,
    /// The topic or filter cannot be sent; the connection lives on.
    #[error("{0:?} is no valid topic: 1 to 65535 bytes, no NUL, wildcards in filters only and only as a whole level")]
    Topic(String),
    /// The packet is larger than MQTT or this peer allows; the connection lives on.
    #[error("a packet of {0} bytes is more than the peer takes; send less at a time")]
    TooLarge(usize),
    /// As many messages of QoS 1 are unacknowledged as allowed; the connection lives on.
    #[error("{0} messages are unacknowledged, as many as allowed: receive until some are, or publish at QoS 0")]
    TooManyInFlight(usize),
    /// QoS 2 is not sent by this crate; the connection lives on.
    #[error("messages are sent at QoS 0 and 1 only")]
    QosNotSent,
    /// While an answer was waited for, more messages came than are kept.
    #[error("{0} messages came before the answer to a subscription: receive them before subscribing again")]
    Flooded(usize),
    /// The server did not answer a subscription.
    #[error("no answer to a subscription within {0:?}")]
    NoAnswer(Duration),
}

impl ConnectionError {
    /// Whether the connection is over. The others refuse one message and leave the connection as it was.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::Topic(_) | Self::TooLarge(_) | Self::TooManyInFlight(_) | Self::QosNotSent)
    }
}

/// Why options are of no use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// Not a URL.
    #[error("{url:?} is no URL ({source}); write mqtt://host:1883, mqtts://, ws:// or wss://")]
    Url {
        /// What was given.
        url: String,
        /// Why not.
        source: url::ParseError,
    },
    /// Not a scheme of MQTT.
    #[error("{0:?} is no scheme for MQTT: use mqtt, mqtts, ws or wss")]
    Scheme(String),
    /// A URL without a host.
    #[error("{0:?} names no host")]
    NoHost(String),
    /// User and password belong into the options, where no log shows them.
    #[error("the URL holds a user name or password; put them into the options instead, so that no log shows them")]
    Credentials,
    /// A CONNECT cannot be made of them.
    #[error(
        "no CONNECT can be made of the options: client id, user name, password, the will's topic and message are of 65535 \
         bytes at most and without NUL, and a password needs a user name in 3.1.1"
    )]
    Unsendable,
}

/// Why a client did not connect.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The options are of no use.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The host cannot be reached.
    #[error("cannot connect to {server}: {source}")]
    Tcp {
        /// Host and port.
        server: String,
        /// Why not.
        source: io::Error,
    },
    /// The TLS handshake failed.
    #[error(
        "no TLS with {server}: {source}; check the CA file, the server's name in its certificate and the client certificate"
    )]
    Tls {
        /// Host and port.
        server: String,
        /// Why not.
        source: io::Error,
    },
    /// The configuration of TLS failed.
    #[error(transparent)]
    TlsFiles(#[from] TlsError),
    /// The WebSocket handshake failed.
    #[error("no WebSocket with {server}: {why}; check the path in the URL")]
    WebSocket {
        /// Host and port.
        server: String,
        /// Why not.
        why: String,
    },
    /// The server refuses, and will again with the same options.
    #[error("{server} refuses the connection: {why} (code {code:#04x})")]
    Refused {
        /// Host and port.
        server: String,
        /// The return code (3.1.1) or reason code (5) of its CONNACK.
        code: u8,
        /// What the code means.
        why: String,
    },
    /// The server did not answer in time.
    #[error("{server} did not answer within {after:?}")]
    Timeout {
        /// Host and port.
        server: String,
        /// [`Options::connect_timeout`](crate::Options::connect_timeout).
        after: Duration,
    },
    /// The server closed, or does not speak MQTT.
    #[error("{server} did not let us in: {source}")]
    Connection {
        /// Host and port.
        server: String,
        /// How it ended.
        source: ConnectionError,
    },
}

/// Why a configuration of TLS cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file that cannot be read or holds no PEM of the kind.
    #[error("{}: no {what} can be read from it: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// Certificate and key do not go together, or are of a kind rustls does not know.
    #[error("{} and {} are no usable certificate and key: {source}", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// The system has no trusted certificates.
    #[error("this system has no trusted root certificates: install ca-certificates or name a CA file")]
    NoRoots,
    /// Anything else.
    #[error("TLS cannot be set up: {0}")]
    Rustls(#[from] rustls::Error),
}

/// Why an address cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {source}; is something else on that port?")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// Why not.
    pub source: io::Error,
}
