//! The listener: slow and stray peers at the door, and a system that has nothing left.

use crate::common::{let_in, listen, options};
use sidetone_mqtt::tls::{self, Identity};
use sidetone_mqtt::{ConnectError, Limits, Listener, ListenerOptions, Transport, connect};
use sidetone_test_broker::Certificates;
use sidetone_testbed::apart;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const LOOPBACK: &str = "127.0.0.1:0";

#[tokio::test]
async fn who_never_finishes_a_handshake_holds_nobody_up() {
    let certificates = Certificates::new().unwrap();
    let identity = Identity { certificate: certificates.server(), key: certificates.server_key() };
    let server = tls::server(&identity, None).unwrap();
    for transport in [Transport::WebSocket, Transport::Tls(server)] {
        let bounds = ListenerOptions {
            max_handshakes: 2,
            // Nobody's time is over before the test is.
            handshake_timeout: Duration::from_secs(3600),
            ..ListenerOptions::default()
        };
        let mut listener = Listener::bind(LOOPBACK.parse().unwrap(), transport, bounds).await.unwrap();
        let (address, scheme) = (listener.local_addr(), listener.transport().scheme());
        // More than there are places, from the very address that the client has.
        let mut mute = Vec::new();
        for _ in 0..10 {
            mute.push(TcpStream::connect(address).await.unwrap());
        }
        let mut stray = TcpStream::connect(address).await.unwrap();
        stray.write_all(&[0; 100]).await.unwrap();
        let mut options = options(&format!("{scheme}://localhost:{}", address.port()));
        options.tls = Some(tls::client(Some(&certificates.ca()), None).unwrap());
        let client = tokio::spawn(async move { connect(&options).await.map(drop) });
        let connection = let_in(&mut listener, &Limits::default()).await;
        assert_eq!(connection.client_id(), "lamp");
        client.await.unwrap().unwrap();
        for mut pushed_out in mute.drain(..9) {
            assert!(matches!(pushed_out.read(&mut [0; 1]).await, Ok(0) | Err(_)), "closed");
        }
    }
}

#[tokio::test]
async fn a_handshake_has_its_time() {
    let bounds = ListenerOptions { handshake_timeout: Duration::from_millis(100), ..ListenerOptions::default() };
    let mut listener = Listener::bind(LOOPBACK.parse().unwrap(), Transport::WebSocket, bounds).await.unwrap();
    let (mut mute, mut byte) = (TcpStream::connect(listener.local_addr()).await.unwrap(), [0; 1]);
    tokio::select! {
        _ = listener.accept() => panic!("nobody is let in"),
        read = mute.read(&mut byte) => assert!(matches!(read, Ok(0) | Err(_)), "closed"),
    }
}

#[tokio::test]
async fn a_websocket_is_let_in_at_its_path_only() {
    let bounds = ListenerOptions { path: Some("/mqtt".to_owned()), ..ListenerOptions::default() };
    let mut listener = Listener::bind(LOOPBACK.parse().unwrap(), Transport::WebSocket, bounds).await.unwrap();
    let url = format!("ws://{}", listener.local_addr());
    let served = tokio::spawn(async move { let_in(&mut listener, &Limits::default()).await });
    let error = connect(&options(&format!("{url}/other"))).await.unwrap_err();
    assert!(matches!(&error, ConnectError::WebSocket { why, .. } if why.contains("404")), "{error}");
    connect(&options(&url)).await.unwrap();
    assert_eq!(served.await.unwrap().client_id(), "lamp");
}

#[tokio::test]
async fn a_websocket_for_something_else_is_turned_away() {
    let (mut listener, url) = listen(Transport::WebSocket).await;
    let served = tokio::spawn(async move { listener.accept().await });
    let mut socket = TcpStream::connect(url.trim_start_matches("ws://")).await.unwrap();
    let request = "GET /mqtt HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("offer the subprotocol mqtt"), "{answer}");
    assert!(!served.is_finished());
    served.abort();
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let (listener, _) = listen(Transport::Tcp).await;
    let address = listener.local_addr();
    let error = Listener::bind(address, Transport::Tcp, ListenerOptions::default()).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {address}: ")), "{error}");
}

#[cfg(unix)]
#[test]
fn a_process_without_file_descriptors_goes_on_when_it_has_some_again() {
    apart::passes(apart::with_open_files(60, &apart::ignored("listener::without_file_descriptors")));
}

#[tokio::test]
#[ignore = "needs a low limit of open files: run by the test before"]
async fn without_file_descriptors() {
    let (mut listener, _) = listen(Transport::Tcp).await;
    let address = listener.local_addr();
    let mut fillers: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).take(1000).collect();
    assert!(fillers.len() < 60, "the limit is low");
    fillers.pop();
    // It takes the last one; none is left for our end of it.
    let _client = TcpStream::connect(address).await.unwrap();
    assert!(timeout(Duration::from_millis(550), listener.accept()).await.is_err());
    let errors = listener.accept_errors();
    assert!((1..=6).contains(&errors), "{errors} errors in half a second: it neither ended nor spun");
    fillers.pop();
    timeout(Duration::from_secs(10), listener.accept()).await.expect("the connection, now that there is a descriptor");
}
