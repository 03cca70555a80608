//! MQTT 3.1.1 and 5 over any byte stream, both ends.
//!
//! - [`accept`] is the server's end of one connection: devices connect to it, and are published to whether they have
//!   subscribed or not. It is no broker: nothing is retained, no message is routed, wills are not published.
//! - [`connect`] is the client's end: of a broker (Mosquitto, EMQX, NATS), or of this crate's own endpoint.
//! - [`Listener`] makes a [`Stream`] of whatever connects by TCP, TLS, WebSocket or WebSocket over TLS.
//!
//! The protocol itself is `mqtt-protocol-core`'s; here are the sockets, the clocks and the bounds. **Both ends do their
//! work inside `receive`**: acknowledgements, pings and keep-alive deadlines. A connection whose `receive` is not polled
//! stands still, and the peer will end it.
//!
//! Every wait has a deadline and every buffer a bound: what a peer does not take is not queued, it costs the peer its
//! connection. Bad packets are typed errors, never panics.
//!
//! ```
//! use sidetone_mqtt::{Event, Limits, Listener, ListenerOptions, Options, Qos, Transport, accept, connect};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let address = "127.0.0.1:0".parse()?;
//! let mut listener = Listener::bind(address, Transport::Tcp, ListenerOptions::default()).await?;
//! let mut options = Options::new(&format!("mqtt://{}", listener.local_addr()))?;
//! options.client_id = "lamp".to_owned();
//! let device = tokio::spawn(async move {
//!     let mut client = connect(&options).await?;
//!     client.publish("device-server", b"hello", Qos::AtMostOnce).await?;
//!     let answer = client.receive().await?;
//!     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(answer)
//! });
//!
//! let knock = accept(listener.accept().await, &Limits::default()).await?;
//! assert_eq!(knock.client_id(), "lamp");
//! let mut connection = knock.welcome().await?;
//! let Event::Publish { topic, payload, .. } = connection.receive().await? else { panic!("not a message") };
//! assert_eq!((topic.as_str(), &payload[..]), ("device-server", &b"hello"[..]));
//! connection.publish("devices/p2p/lamp", b"hello to you").await?; // The lamp has not subscribed to anything.
//! # device.await?.map_err(|error| error.to_string())?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod client;
mod connect;
mod connection;
mod crowd;
mod endpoint;
mod engine;
mod error;
mod hello;
mod link;
mod listener;
mod messages;
mod options;
mod packet;
mod password;
mod stream;
pub mod tls;
pub mod topic;
mod websocket;

pub use client::Client;
pub use connect::connect;
pub use connection::{Connection, Event};
pub use crowd::{Crowd, Stranger, source_of};
pub use endpoint::{Knock, Limits, Refusal, accept};
pub use error::{AcceptError, ConnectError, ConnectionError, Fault, ListenError, OptionsError, TlsError};
pub use listener::{Listener, ListenerOptions, Transport};
pub use messages::Frame;
pub use options::{LastWill, Options};
pub use packet::{Qos, Version};
pub use stream::{Duplex, Stream};
