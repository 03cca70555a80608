//! From options to a [`Client`]: the connection below MQTT, and the first packet each way.

use crate::client::Client;
use crate::engine::Engine;
use crate::error::{ConnectError, Fault, OptionsError};
use crate::link::{Input, Link};
use crate::options::{Options, Server};
use crate::packet::{Incoming, Version};
use crate::stream::Stream;
use crate::{tls, websocket};
use mqtt::packet::{Packet, Property, SessionExpiryInterval, v3_1_1, v5_0};
use mqtt::result_code::MqttError;
use mqtt_protocol_core::mqtt;
use rustls::pki_types::ServerName;
use std::fmt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, TlsStream};

/// The least that the limit of a WebSocket message is, in bytes.
const MIN_MESSAGE: usize = 1 << 20;

/// Connects, up to the server's consent.
///
/// # Errors
/// See [`ConnectError`]. Only [`ConnectError::Refused`], [`ConnectError::Options`] and [`ConnectError::TlsFiles`] will
/// not go away by themselves. Whoever tries again should wait longer each time, and not all clients equally long.
pub async fn connect(options: &Options) -> Result<Client, ConnectError> {
    let all = async {
        let stream = open(options).await?;
        over(stream, options).await
    };
    let late = |_| ConnectError::Timeout { server: options.server(), after: options.connect_timeout };
    timeout(options.connect_timeout, all).await.map_err(late)?
}

/// Connects over a stream that is there already. The options' URL is not used.
///
/// # Errors
/// As of [`connect`].
pub async fn connect_over(stream: Stream, options: &Options) -> Result<Client, ConnectError> {
    let late = |_| ConnectError::Timeout { server: options.server(), after: options.connect_timeout };
    timeout(options.connect_timeout, over(stream, options)).await.map_err(late)?
}

/// The connection below MQTT.
async fn open(options: &Options) -> Result<Stream, ConnectError> {
    let server = &options.server;
    let tcp = TcpStream::connect((server.host.as_str(), server.port)).await;
    let tcp = tcp.map_err(|source| ConnectError::Tcp { server: server.to_string(), source })?;
    // Where it cannot be set, packets only come later.
    let _ = tcp.set_nodelay(true);
    let peer = tcp.peer_addr().ok();
    // A broker may put many packets into one message.
    let max_message = options.max_packet.max(MIN_MESSAGE);
    let stream = match (server.tls, &server.websocket) {
        (false, None) => tcp.into(),
        (true, None) => encrypt(tcp, options).await?.into(),
        (false, Some(url)) => {
            let stream = websocket::connect(tcp, url, max_message).await;
            stream.map_err(|error| no_websocket(server, &error))?
        }
        (true, Some(url)) => {
            let stream = websocket::connect(encrypt(tcp, options).await?, url, max_message).await;
            stream.map_err(|error| no_websocket(server, &error))?
        }
    };
    Ok(stream.with_peer(peer))
}

fn no_websocket(server: &Server, error: &dyn fmt::Display) -> ConnectError {
    ConnectError::WebSocket { server: server.to_string(), why: error.to_string() }
}

async fn encrypt(tcp: TcpStream, options: &Options) -> Result<TlsStream<TcpStream>, ConnectError> {
    let server = &options.server;
    let config = match &options.tls {
        Some(config) => config.clone(),
        None => tls::client(None, None)?,
    };
    let name = ServerName::try_from(server.host.clone());
    let name = name.map_err(|_| OptionsError::NoHost(server.host.clone()))?;
    let stream = TlsConnector::from(config).connect(name, tcp).await;
    stream.map(TlsStream::from).map_err(|source| ConnectError::Tls { server: server.to_string(), source })
}

async fn over(stream: Stream, options: &Options) -> Result<Client, ConnectError> {
    let failed = |source| ConnectError::Connection { server: options.server(), source };
    let mut engine =
        Engine::new(options.version, options.max_packet, options.max_in_flight, Some(options.answer_timeout));
    // Where it is as usual, a server of version 5 may shorten it.
    if let Some(interval) = options.ping_interval().filter(|interval| *interval < options.keep_alive) {
        engine.ping_every(interval);
    }
    let mut link = Link::new(engine, stream, Input::default(), options.send_timeout, None);
    let packet = hello(options).map_err(|_| OptionsError::Unsendable)?;
    link.push(packet).map_err(failed)?;
    if let Some(password) = &options.password
        && !link.engine.add_password(password)
    {
        return Err(OptionsError::Unsendable.into());
    }
    link.flush().await.map_err(failed)?;
    match link.next().await.map_err(failed)? {
        Incoming::Connack { code: 0, .. } => Ok(Client::new(link, options)),
        Incoming::Connack { code, why } => Err(ConnectError::Refused { server: options.server(), code, why }),
        _ => Err(failed(Fault::OutOfOrder.into())),
    }
}

/// The CONNECT, without the password.
fn hello(options: &Options) -> Result<Packet, MqttError> {
    let keep_alive = u16::try_from(options.keep_alive.as_secs()).unwrap_or(u16::MAX);
    // The two builders are alike, but have nothing in common.
    macro_rules! fill {
        ($builder:expr) => {{
            let mut builder = $builder.client_id(options.client_id.as_str())?.keep_alive(keep_alive);
            if let Some(will) = &options.last_will {
                builder = builder.will_message(will.topic.as_str(), &will.payload, will.qos.into(), will.retain)?;
            }
            if let Some(username) = &options.username {
                builder = builder.user_name(username.as_str())?;
            }
            builder
        }};
    }
    Ok(match options.version {
        Version::V311 => fill!(v3_1_1::Connect::builder().clean_session(options.clean)).build()?.into(),
        Version::V5 => {
            let mut props: Vec<Property> = Vec::new();
            if !options.clean {
                let seconds = u32::try_from(options.session_expiry.as_secs()).unwrap_or(u32::MAX);
                props.push(SessionExpiryInterval::new(seconds)?.into());
            }
            fill!(v5_0::Connect::builder().clean_start(options.clean).props(props)).build()?.into()
        }
    })
}
