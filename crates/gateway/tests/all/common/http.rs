//! A gateway that answers over HTTP, and a client that sends what it is told to.

use super::{PATIENCE, config};
use serde_json::Value;
use sidetone_gateway::config::Listen;
use sidetone_gateway::{Config, Gateway};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    /// As text, whatever it is.
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> (Gateway, SocketAddr) {
    let mut config = config();
    config.http.listen = Listen::loopback(0);
    change(&mut config);
    let gateway = Gateway::start(config).await.unwrap();
    let http = gateway.addresses().http.expect("HTTP listens");
    (gateway, http)
}

/// Sends a request as it is, and reads until the server closes.
pub(crate) async fn raw(http: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(http).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an end").unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let (head, body) = (String::from_utf8(bytes[..end].to_vec()).unwrap(), &bytes[end + 4..]);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer {
        status,
        head: head.to_ascii_lowercase(),
        body: String::from_utf8_lossy(body).into_owned(),
        bytes: body.to_vec(),
    }
}

pub(crate) async fn ask(http: SocketAddr, method: &str, path: &str, headers: &str) -> Answer {
    raw(http, &format!("{method} {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n{headers}\r\n")).await
}

pub(crate) async fn get(http: SocketAddr, path: &str) -> Answer {
    ask(http, "GET", path, "").await
}

/// Sends JSON.
pub(crate) async fn post(http: SocketAddr, path: &str, headers: &str, body: &str) -> Answer {
    let headers = format!("Content-Type: application/json\r\nContent-Length: {}\r\n{headers}", body.len());
    raw(http, &format!("POST {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n{headers}\r\n{body}")).await
}
