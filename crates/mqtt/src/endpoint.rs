//! The server's end, up to the welcome: a CONNECT is read, and somebody decides whether its sender may come in.

use crate::connection::Connection;
use crate::engine::Engine;
use crate::error::{AcceptError, ConnectionError, Fault};
use crate::hello::Connect;
use crate::link::{Input, Link, is_hang_up};
use crate::packet::{Incoming, Version};
use crate::stream::Stream;
use mqtt::common::Cursor;
use mqtt::connection::{PacketBuildResult, PacketBuilder, RawPacket};
use mqtt::packet::{
    AssignedClientIdentifier, GenericPacketTrait, Packet, Property, SharedSubscriptionAvailable,
    SubscriptionIdentifierAvailable, v3_1_1, v5_0,
};
use mqtt::result_code::{ConnectReasonCode, ConnectReturnCode, MqttError};
use mqtt::role;
use mqtt_protocol_core::mqtt;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// Bounds of one connection to the endpoint.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest packet that is taken, in bytes, its header included. Default: 64 KiB and 1 KiB.
    pub max_packet: usize,
    /// Time for the whole CONNECT, from the moment of [`accept`]. Default: 10 s.
    pub connect_timeout: Duration,
    /// Filters one peer may subscribe to. Default: 64.
    pub max_subscriptions: usize,
    /// The longest filter, in bytes. Default: 1024.
    pub max_filter: usize,
    /// Messages of QoS 1 and 2 that a peer may have under way. Default: 128.
    pub max_in_flight: u16,
    /// Time for the peer to take what is sent to it, packet by packet. Default: 5 s.
    pub send_timeout: Duration,
    /// How long a peer that asks for no keep-alive may be silent. Default: one hour.
    pub silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_packet: 65 << 10,
            connect_timeout: Duration::from_secs(10),
            max_subscriptions: 64,
            max_filter: 1024,
            max_in_flight: 128,
            send_timeout: Duration::from_secs(5),
            silence: Duration::from_secs(3600),
        }
    }
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// User name or password are wrong.
    BadCredentials,
    /// The client may not connect.
    NotAuthorized,
    /// Not now: full, or about to stop.
    ServerUnavailable,
    /// The client id is not one that is served here.
    BadClientId,
}

/// A CONNECT that waits for its answer. Dropped, it closes the connection without one.
pub struct Knock {
    link: Link<role::Server>,
    client_id: String,
    assigned: bool,
    username: Option<String>,
    password: Option<Zeroizing<Vec<u8>>>,
    keep_alive: Duration,
    limits: Limits,
}

/// The password is not shown.
impl fmt::Debug for Knock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knock")
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("version", &self.version())
            .field("stream", self.link.stream())
            .finish_non_exhaustive()
    }
}

/// Reads the CONNECT.
///
/// # Errors
/// None comes in time, or it is not one; the stream is closed. A peer that speaks another version of MQTT is told so.
pub async fn accept(mut stream: Stream, limits: &Limits) -> Result<Knock, AcceptError> {
    let mut input = Input::default();
    let raw = timeout(limits.connect_timeout, read_connect(&mut stream, &mut input, limits.max_packet));
    let raw = raw.await.map_err(|_| AcceptError::Timeout(limits.connect_timeout))??;
    let connect = match Connect::parse(&raw) {
        Ok(connect) => connect,
        Err(error) => {
            let code = match error {
                AcceptError::Version(_) => Some(ConnectReturnCode::UnacceptableProtocolVersion),
                AcceptError::NoClientId => Some(ConnectReturnCode::IdentifierRejected),
                _ => None,
            };
            if let Some(code) = code {
                // Whether the peer hears it or not, it is refused.
                let _ = timeout(limits.send_timeout, tell(&mut stream, code)).await;
            }
            return Err(error);
        }
    };
    let mut engine = Engine::new(connect.version, limits.max_packet, limits.max_in_flight, None);
    // The engine gets the parts that it works with, no more: not the password, and not a topic alias maximum of 0, which
    // MQTT allows and which makes the protocol library panic.
    let essence = connect.essence().map_err(Fault::from)?.to_continuous_buffer();
    match engine.feed(&mut &essence[..]) {
        Ok(Some(Incoming::Unexpected)) => {}
        _ => return Err(Fault::OutOfOrder.into()),
    }
    let silence = connect.keep_alive.is_zero().then_some(limits.silence);
    let link = Link::new(engine, stream, input, limits.send_timeout, silence);
    let Connect { client_id, assigned, username, password, keep_alive, .. } = connect;
    Ok(Knock { link, client_id, assigned, username, password, keep_alive, limits: limits.clone() })
}

/// Reads one packet, which must be a CONNECT. What comes behind it stays in `input`.
async fn read_connect(stream: &mut Stream, input: &mut Input, max_packet: usize) -> Result<RawPacket, AcceptError> {
    let mut builder = PacketBuilder::with_maximum_packet_size(u32::try_from(max_packet).unwrap_or(u32::MAX));
    let mut begun = false;
    loop {
        match input.read(stream).await {
            Ok(0) => return Err(AcceptError::Closed),
            Ok(_) => {}
            Err(error) if is_hang_up(&error) => return Err(AcceptError::Closed),
            Err(error) => return Err(error.into()),
        }
        if !begun && input.rest()[0] != mqtt::packet::FixedHeader::Connect as u8 {
            return Err(AcceptError::NotConnect(input.rest()[0]));
        }
        begun = true;
        while !input.rest().is_empty() {
            let mut cursor = Cursor::new(input.rest());
            let result = builder.feed(&mut cursor);
            let taken = usize::try_from(cursor.position()).unwrap_or(usize::MAX).min(input.rest().len());
            input.take(taken);
            match result {
                PacketBuildResult::Complete(raw) => return Ok(raw),
                PacketBuildResult::Error(error) => return Err(Fault::from(error).into()),
                PacketBuildResult::Incomplete => {}
            }
        }
    }
}

/// Says no in the form of 3.1.1, which clients of other versions are told to expect too.
async fn tell(stream: &mut Stream, code: ConnectReturnCode) -> std::io::Result<()> {
    let refusal = v3_1_1::Connack::builder().session_present(false).return_code(code).build();
    let refusal = refusal.map_err(std::io::Error::other)?;
    stream.write_all(&refusal.to_continuous_buffer()).await?;
    stream.shutdown().await
}

impl Knock {
    /// The client id: as the client says, or one given to it if it names none (see [`Self::is_assigned`]).
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether the client named no id.
    pub fn is_assigned(&self) -> bool {
        self.assigned
    }

    /// The user name, if there is one.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The password, if there is one. Zeroised when this is dropped (copies inside the protocol library are not).
    pub fn password(&self) -> Option<&[u8]> {
        self.password.as_ref().map(|password| password.as_slice())
    }

    /// The longest time between two packets of the client's; zero if it makes no promise.
    pub fn keep_alive(&self) -> Duration {
        self.keep_alive
    }

    /// The version of MQTT that it speaks.
    pub fn version(&self) -> Version {
        self.link.engine.version()
    }

    /// The peer's address, where it is known.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.link.stream().peer_addr()
    }

    /// Lets the client in.
    ///
    /// # Errors
    /// The client has gone, or does not take the answer.
    pub async fn welcome(mut self) -> Result<Connection, ConnectionError> {
        let packet = self.connack().map_err(Fault::from)?;
        self.link.send(packet).await?;
        Ok(Connection::new(self.link, self.client_id, &self.limits))
    }

    fn connack(&self) -> Result<Packet, MqttError> {
        Ok(match self.version() {
            Version::V311 => {
                let packet = v3_1_1::Connack::builder().session_present(false);
                packet.return_code(ConnectReturnCode::Accepted).build()?.into()
            }
            Version::V5 => {
                let mut props: Vec<Property> =
                    vec![SharedSubscriptionAvailable::new(0)?.into(), SubscriptionIdentifierAvailable::new(0)?.into()];
                if self.assigned {
                    props.push(AssignedClientIdentifier::new(self.client_id.as_str())?.into());
                }
                let packet = v5_0::Connack::builder().session_present(false);
                packet.reason_code(ConnectReasonCode::Success).props(props).build()?.into()
            }
        })
    }

    /// Tells the client that it is not let in, and why, and closes. Takes no longer than
    /// [`Limits::send_timeout`] and a second.
    pub async fn refuse(mut self, why: Refusal) {
        let packet = match self.version() {
            Version::V311 => {
                let code = match why {
                    Refusal::BadCredentials => ConnectReturnCode::BadUserNameOrPassword,
                    Refusal::NotAuthorized => ConnectReturnCode::NotAuthorized,
                    Refusal::ServerUnavailable => ConnectReturnCode::ServerUnavailable,
                    Refusal::BadClientId => ConnectReturnCode::IdentifierRejected,
                };
                v3_1_1::Connack::builder().session_present(false).return_code(code).build().map(Packet::from)
            }
            Version::V5 => {
                let code = match why {
                    Refusal::BadCredentials => ConnectReasonCode::BadUserNameOrPassword,
                    Refusal::NotAuthorized => ConnectReasonCode::NotAuthorized,
                    Refusal::ServerUnavailable => ConnectReasonCode::ServerUnavailable,
                    Refusal::BadClientId => ConnectReasonCode::ClientIdentifierNotValid,
                };
                v5_0::Connack::builder().session_present(false).reason_code(code).build().map(Packet::from)
            }
        };
        // A client that is gone, or takes no packet as small as this, is refused all the same.
        if let Ok(packet) = packet {
            let _ = self.link.push(packet);
        }
        self.link.close().await;
    }
}
