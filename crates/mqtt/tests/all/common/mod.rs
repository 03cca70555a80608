//! What the tests share: endpoints, clients, and packets written by hand.
#![allow(dead_code, reason = "each test file uses its part of it")]

use sidetone_mqtt::{
    AcceptError, Client, Connection, ConnectionError, Event, Limits, Listener, ListenerOptions, Options, Stream,
    Transport, accept, client,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// A listener on a free loopback port, and a URL for it.
pub(crate) async fn listen(transport: Transport) -> (Listener, String) {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), transport, ListenerOptions::default()).await.unwrap();
    // By name where a certificate is checked.
    let url = format!("{}://localhost:{}", listener.transport().scheme(), listener.local_addr().port());
    (listener, url.replace("mqtt://localhost", "mqtt://127.0.0.1"))
}

/// Options of a client called `lamp`.
pub(crate) fn options(url: &str) -> Options {
    let mut options = Options::new(url).unwrap();
    options.client_id = "lamp".to_owned();
    options
}

/// Lets in who comes next.
pub(crate) async fn let_in(listener: &mut Listener, limits: &Limits) -> Connection {
    accept(listener.accept().await, limits).await.unwrap().welcome().await.unwrap()
}

/// An endpoint in memory, and our end of the wire to it.
pub(crate) fn endpoint(limits: Limits) -> (tokio::task::JoinHandle<Result<Connection, AcceptError>>, DuplexStream) {
    let (ours, theirs) = duplex(256 << 10);
    let connection = tokio::spawn(async move {
        let knock = accept(Stream::new(theirs), &limits).await?;
        Ok(knock.welcome().await.unwrap())
    });
    (connection, ours)
}

/// A connection in memory that was let in after `connect`, and our end of the wire to it.
pub(crate) async fn connected(connect: &[u8], limits: Limits) -> (Connection, DuplexStream) {
    let (connection, mut wire) = endpoint(limits);
    wire.write_all(connect).await.unwrap();
    let connection = connection.await.unwrap().unwrap();
    let mut connack = [0; 2];
    wire.read_exact(&mut connack).await.unwrap();
    assert_eq!(connack[0], 0x20, "a CONNACK");
    let mut rest = vec![0; usize::from(connack[1])];
    wire.read_exact(&mut rest).await.unwrap();
    assert_eq!(rest[1], 0, "accepted");
    (connection, wire)
}

/// A client and the connection that it has, in memory.
pub(crate) async fn pair(mut set: impl FnMut(&mut Options)) -> (Client, Connection) {
    let (ours, theirs) = duplex(256 << 10);
    let mut options = options("mqtt://in-memory");
    set(&mut options);
    let server = tokio::spawn(async move {
        let knock = accept(Stream::new(theirs), &Limits::default()).await.unwrap();
        knock.welcome().await.unwrap()
    });
    let client = client::connect_over(Stream::new(ours), &options).await.unwrap();
    (client, server.await.unwrap())
}

/// Receives up to the end.
pub(crate) async fn all(connection: &mut Connection) -> (Vec<Event>, Result<(), ConnectionError>) {
    let mut events = Vec::new();
    loop {
        match connection.receive().await {
            Ok(event) => {
                let last = matches!(event, Event::Disconnected { .. });
                events.push(event);
                if last {
                    return (events, Ok(()));
                }
            }
            Err(error) => return (events, Err(error)),
        }
    }
}

/// A message at QoS 0.
pub(crate) fn message(topic: &str, payload: &[u8], qos: sidetone_mqtt::Qos) -> Event {
    Event::Publish { topic: topic.to_owned(), payload: payload.to_vec().into(), qos, retain: false }
}

/// CONNECT of 3.1.1, with client id `lamp` and a clean session.
pub(crate) fn connect_v311(keep_alive: u16) -> Vec<u8> {
    let [high, low] = keep_alive.to_be_bytes();
    [&[0x10, 16, 0, 4], &b"MQTT"[..], &[4, 2, high, low, 0, 4], b"lamp"].concat()
}

/// CONNECT of 5, with client id `lamp` and these properties.
pub(crate) fn connect_v5(keep_alive: u16, properties: &[u8]) -> Vec<u8> {
    let [high, low] = keep_alive.to_be_bytes();
    let length = u8::try_from(properties.len()).unwrap();
    [&[0x10, 17 + length, 0, 4], &b"MQTT"[..], &[5, 2, high, low, length], properties, &[0, 4], b"lamp"].concat()
}

/// PUBLISH of 3.1.1; `flags` are DUP, QoS and RETAIN, the id is written where the QoS has one.
pub(crate) fn publish(flags: u8, topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
    body.extend(topic.as_bytes());
    if flags & 0b110 != 0 {
        body.extend(id.to_be_bytes());
    }
    body.extend(payload);
    packet(0x30 | flags, &body)
}

/// SUBSCRIBE of 3.1.1, at QoS 1.
pub(crate) fn subscribe(id: u16, filters: &[&str]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    for filter in filters {
        body.extend(u16::try_from(filter.len()).unwrap().to_be_bytes());
        body.extend(filter.as_bytes());
        body.push(1);
    }
    packet(0x82, &body)
}

/// A packet of up to 16383 bytes of body.
pub(crate) fn packet(header: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    let length = match length {
        0..128 => vec![u8::try_from(length).unwrap()],
        _ => vec![u8::try_from(length % 128).unwrap() | 0x80, u8::try_from(length / 128).unwrap()],
    };
    [&[header], &length[..], body].concat()
}

/// Exactly these bytes come next.
pub(crate) async fn expect(wire: &mut DuplexStream, bytes: &[u8]) {
    let mut got = vec![0; bytes.len()];
    wire.read_exact(&mut got).await.unwrap();
    assert_eq!(got, bytes);
}
