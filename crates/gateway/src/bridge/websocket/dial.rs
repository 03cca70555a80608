//! Connecting to the speech server, and why that failed.

use super::Server;
use super::settings::Framing;
use crate::bridge::Call;
use sidetone_protocol::message::MAX_MESSAGE;
use sidetone_protocol::topic::{ClientId, Mac};
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Error};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

/// How long name, TCP, TLS and HTTP may take together.
const CONNECT: Duration = Duration::from_secs(5);

/// The most bytes of a frame or message that is read at all. What is above a message's own bound is told apart from it.
const MOST_READ: usize = 2 * MAX_MESSAGE;

/// Bytes read at a time: a few packets. The library's own choice, 128 KiB a connection, is for files.
const READ_AHEAD: usize = 8 * 1024;

/// Bytes that wait to be written, at most.
const WRITE_AHEAD: usize = 4 * MAX_MESSAGE;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// There is no connection.
#[derive(Debug, Error)]
pub(super) enum DialError {
    /// Trying again may help.
    #[error("{0}")]
    Passing(String),
    /// It does not: something is set wrong, here or there.
    #[error("{0}")]
    Lasting(String),
}

/// Connects, as a device with a proxy would.
pub(super) async fn dial(server: &Server, call: &Call) -> Result<Socket, DialError> {
    let settings = &server.settings;
    let request = request(server, call).map_err(|error| DialError::Lasting(format!("no request: {error}")))?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_AHEAD)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_AHEAD)
        .max_message_size(Some(MOST_READ))
        .max_frame_size(Some(MOST_READ));
    let connecting = connect_async_tls_with_config(request, Some(config), true, Some(settings.connector.clone()));
    match timeout(CONNECT, connecting).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(explained(&settings.place, &error)),
        Err(_) => Err(DialError::Passing(format!("{} does not answer within {CONNECT:?}", settings.place))),
    }
}

fn request(server: &Server, call: &Call) -> Result<Request, tungstenite::Error> {
    let settings = &server.settings;
    let mut request = settings.url.as_str().into_client_request()?;
    let mut set = |name: &'static str, value: &str| -> Result<(), tungstenite::Error> {
        let mut value = HeaderValue::from_str(value)?;
        value.set_sensitive(name == "authorization");
        request.headers_mut().insert(HeaderName::from_static(name), value);
        Ok(())
    };
    if let Some(token) = &settings.token {
        set("authorization", &zeroize::Zeroizing::new(format!("Bearer {}", token.expose())))?;
    }
    set("protocol-version", if settings.framing == Framing::Gateway { "2" } else { "1" })?;
    let id: Option<ClientId> = call.device.parse().ok();
    let mac = id.as_ref().and_then(ClientId::mac).map(with_colons);
    set("device-id", mac.as_deref().unwrap_or(&call.device))?;
    set("client-id", id.as_ref().and_then(ClientId::uuid).unwrap_or(&call.session_id))?;
    if let Some(peer) = call.peer {
        set("x-forwarded-for", &peer.to_string())?;
    }
    Ok(request)
}

/// A MAC address as servers know it.
fn with_colons(mac: Mac) -> String {
    mac.to_string().replace('_', ":")
}

fn explained(place: &str, error: &Error) -> DialError {
    match error {
        Error::Http(answer) => match answer.status().as_u16() {
            status @ (401 | 403) => {
                DialError::Lasting(format!("{place} refuses us (HTTP {status}): check bridge.token"))
            }
            404 => DialError::Lasting(format!("{place} has no such path (HTTP 404): check bridge.url")),
            status @ 400..=428 => DialError::Lasting(format!("{place} answers HTTP {status}: check bridge.url")),
            status => DialError::Passing(format!("{place} answers HTTP {status}")),
        },
        Error::Io(io) => match io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(why)) => DialError::Lasting(format!(
                "{place} shows a certificate that is not trusted ({why:?}): set bridge.ca to the authority that signed it"
            )),
            Some(tls) => DialError::Lasting(format!("{place} does not agree on TLS: {tls}")),
            None => DialError::Passing(format!("{place} cannot be reached: {io}")),
        },
        Error::Tls(tls) => DialError::Lasting(format!("{place} does not agree on TLS: {tls}")),
        other => DialError::Passing(format!("{place} does not speak WebSocket: {other}")),
    }
}
