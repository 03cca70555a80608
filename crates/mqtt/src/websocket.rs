//! The WebSocket handshake, both sides, with the subprotocol `mqtt`; small buffers.

use crate::messages::{Frame, MAX_MESSAGE_OUT, Messages};
use crate::stream::{Duplex, Stream};
use std::io;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config, client_async_with_config};

const SUBPROTOCOL: &str = "mqtt";

/// Bytes read at a time, which every WebSocket keeps for itself.
const READ: usize = 4096;

fn config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ)
        .write_buffer_size(0)
        // One of ours, and the pongs that we owe.
        .max_write_buffer_size(2 * MAX_MESSAGE_OUT)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
}

fn stream<T: Duplex + 'static>(socket: WebSocketStream<T>) -> Stream {
    let open = |message| match message {
        Message::Binary(bytes) => Frame::Binary(bytes),
        Message::Text(_) => Frame::Text,
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Frame::Control,
        Message::Close(_) => Frame::Close,
    };
    let fault = |error| match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::ConnectionReset.into(),
        Error::Protocol(tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            io::ErrorKind::ConnectionReset.into()
        }
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    };
    Stream::websocket(Messages::new(socket, open, Message::Binary, fault))
}

/// The server's side. `path`, where it is given, is the only one that is let in.
pub(crate) async fn accept<T: Duplex + 'static>(
    tcp: T,
    path: Option<&str>,
    max_message: usize,
) -> Result<Stream, Error> {
    // The size of the error is the library's choice.
    #[expect(clippy::result_large_err)]
    let agree = |request: &Request, response: Response| agree(request, response, path);
    accept_hdr_async_with_config(tcp, agree, Some(config(max_message))).await.map(stream)
}

#[expect(clippy::result_large_err)]
fn agree(request: &Request, mut response: Response, path: Option<&str>) -> Result<Response, ErrorResponse> {
    let refuse = |status, why: &str| {
        let mut refusal = ErrorResponse::new(Some(why.to_owned()));
        *refusal.status_mut() = status;
        Err(refusal)
    };
    if path.is_some_and(|path| path != request.uri().path()) {
        return refuse(StatusCode::NOT_FOUND, "MQTT is served at another path\n");
    }
    if !offers_mqtt(request.headers()) {
        return refuse(StatusCode::BAD_REQUEST, "offer the subprotocol mqtt (Sec-WebSocket-Protocol: mqtt)\n");
    }
    // Who offers nothing may get nothing; some clients forget to.
    if request.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    Ok(response)
}

fn offers_mqtt(headers: &HeaderMap) -> bool {
    let mut offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().peekable();
    if offers.peek().is_none() {
        return true;
    }
    let mut names = offers.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim);
    names.any(|name| name == SUBPROTOCOL)
}

/// The client's side. `url` says host and path.
pub(crate) async fn connect<T: Duplex + 'static>(tcp: T, url: &str, max_message: usize) -> Result<Stream, Error> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    let (socket, _) = client_async_with_config(request, tcp, Some(config(max_message))).await?;
    Ok(stream(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mqtt_is_found_among_the_subprotocols() {
        let offers = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(value));
            }
            offers_mqtt(&headers)
        };
        assert!(offers(&[]) && offers(&["mqtt"]) && offers(&["mqttv3.1, mqtt"]) && offers(&["chat", "mqtt"]));
        assert!(!offers(&["chat"]) && !offers(&["mqttv3.1"]) && !offers(&[""]));
    }
}
