//! Any bytes as MQTT, to the endpoint and to the client: no panic, an end, and the same events however the bytes are cut.
//!
//! Input: a byte of set-up, then what the peer sends before it closes. `setup & 3`: 0 the bytes as they are, to the
//! endpoint; 1 behind a CONNECT of 3.1.1; 2 behind one of 5; 3 to a client (of 5 if `setup & 4`), behind a CONNACK.
//! `setup >> 3`: how many bytes the peer sends at a time, 0 for all at once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_mqtt::client::{self, connect_over};
use sidetone_mqtt::{Event, Limits, Options, Stream, Version, accept};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const CONNECT_V311: &[u8] = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04lamp";
const CONNECT_V5: &[u8] = b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x04lamp";
const CONNACK_V311: &[u8] = &[0x20, 2, 0, 0];
const CONNACK_V5: &[u8] = &[0x20, 3, 0, 0, 0];

fuzz_target!(|input: &[u8]| {
    let Some((&setup, bytes)) = input.split_first() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let piece = usize::from(setup >> 3);
    runtime.block_on(async {
        match setup & 3 {
            3 => {
                let version = if setup & 4 == 0 { Version::V311 } else { Version::V5 };
                let whole = client(version, bytes, 0).await;
                assert_eq!(whole, client(version, bytes, piece).await);
            }
            kind => {
                let connect = [&[][..], CONNECT_V311, CONNECT_V5][usize::from(kind)];
                let bytes = [connect, bytes].concat();
                let whole = endpoint(&bytes, 0).await;
                assert_eq!(whole, endpoint(&bytes, piece).await);
            }
        }
    });
});

/// What the endpoint makes of the bytes.
async fn endpoint(bytes: &[u8], piece: usize) -> (Vec<Event>, String) {
    let limits = Limits { max_packet: 1024, max_subscriptions: 4, max_in_flight: 4, ..Limits::default() };
    let mut events = Vec::new();
    let knock = match accept(Stream::new(Peer::new(bytes, piece)), &limits).await {
        Ok(knock) => knock,
        Err(error) => return (events, error.to_string()),
    };
    let mut connection = match knock.welcome().await {
        Ok(connection) => connection,
        Err(error) => return (events, error.to_string()),
    };
    loop {
        match connection.receive().await {
            Ok(event) => events.push(event),
            Err(error) => return (events, error.to_string()),
        }
        assert!(connection.subscriptions().len() <= 4 && events.len() <= bytes.len());
    }
}

/// What a client makes of the bytes.
async fn client(version: Version, bytes: &[u8], piece: usize) -> (Vec<client::Event>, String) {
    let mut options = Options::new("mqtt://peer").expect("a URL");
    (options.version, options.max_packet, options.max_in_flight) = (version, 1024, 4);
    let connack = if version == Version::V5 { CONNACK_V5 } else { CONNACK_V311 };
    let bytes = [connack, bytes].concat();
    let mut events = Vec::new();
    let mut client = match connect_over(Stream::new(Peer::new(&bytes, piece)), &options).await {
        Ok(client) => client,
        Err(error) => return (events, error.to_string()),
    };
    loop {
        match client.receive().await {
            Ok(event) => events.push(event),
            Err(error) => return (events, error.to_string()),
        }
        assert!(events.len() <= bytes.len());
    }
}

/// Sends its bytes, closes, and takes all it is sent.
struct Peer {
    bytes: Vec<u8>,
    sent: usize,
    piece: usize,
}

impl Peer {
    fn new(bytes: &[u8], piece: usize) -> Self {
        Self { bytes: bytes.to_vec(), sent: 0, piece: if piece == 0 { usize::MAX } else { piece } }
    }
}

impl AsyncRead for Peer {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let length = (self.bytes.len() - self.sent).min(self.piece).min(buf.remaining());
        buf.put_slice(&self.bytes[self.sent..self.sent + length]);
        self.sent += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
