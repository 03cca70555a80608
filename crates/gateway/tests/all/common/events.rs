//! The stream of events, as bytes.

use super::PATIENCE;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A stream of events.
pub(crate) struct Events {
    stream: TcpStream,
    pub(crate) text: String,
}

impl Events {
    pub(crate) async fn open(http: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(http).await.unwrap();
        let request = format!("GET /api/events HTTP/1.1\r\nHost: {http}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut events = Self { stream, text: String::new() };
        events.until(": from here on").await;
        events
    }

    /// Reads on until this was said. `false`: the stream ended before.
    pub(crate) async fn until(&mut self, what: &str) -> bool {
        let mut buffer = [0; 4096];
        while !self.text.contains(what) {
            let len = timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("something").unwrap();
            if len == 0 {
                return false;
            }
            self.text.push_str(std::str::from_utf8(&buffer[..len]).unwrap());
        }
        true
    }
}
