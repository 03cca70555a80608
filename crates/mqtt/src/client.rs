//! The client's end.

use crate::engine::Engine;
use crate::error::{ConnectError, ConnectionError, Fault, OptionsError};
use crate::link::{Input, Link, is_hang_up};
use crate::options::{Options, Server};
use crate::packet::{self, Incoming, Qos, Version};
use crate::stream::Stream;
use crate::{tls, topic, websocket};
use bytes::Bytes;
use mqtt::packet::{Packet, Property, SessionExpiryInterval, v3_1_1, v5_0};
use mqtt::result_code::MqttError;
use mqtt::role;
use mqtt_protocol_core::mqtt;
use rustls::pki_types::ServerName;
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, TlsStream};

/// Events kept while an answer is waited for.
const MAX_PENDING: usize = 1024;

/// What a server did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It sent a message.
    Publish {
        /// The topic: never empty, without wildcards.
        topic: String,
        /// The message.
        payload: Bytes,
        /// The QoS it was sent at. Of QoS 2, repetitions are not delivered.
        qos: Qos,
        /// Whether it had been kept from earlier.
        retain: bool,
    },
    /// The connection has ended. The last event.
    Disconnected {
        /// Whether the server said a goodbye that means no harm.
        clean: bool,
        /// Why, as far as it said.
        reason: String,
    },
}

/// A connection to a server.
pub struct Client {
    link: Link<role::Client>,
    /// What came while an answer was waited for.
    pending: VecDeque<Event>,
    /// Messages of QoS 1 that are not acknowledged.
    in_flight: HashSet<u16>,
    max_in_flight: usize,
    /// The subscription that is waited for, and what came of it.
    asked: Option<u16>,
    answer: Option<Vec<u8>>,
    answer_timeout: Duration,
    ended: bool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("stream", self.link.stream()).finish_non_exhaustive()
    }
}

/// A server that does not let a client subscribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server refuses the subscription (code {0:#04x}): check what the client may subscribe to")]
pub struct Refused(
    /// The return code (3.1.1: always 0x80) or reason code (5).
    pub u8,
);

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
    let stream = match (server.tls, &server.websocket) {
        (false, None) => tcp.into(),
        (true, None) => encrypt(tcp, options).await?.into(),
        (false, Some(url)) => {
            let stream = websocket::connect(tcp, url, options.max_packet).await;
            stream.map_err(|error| no_websocket(server, &error))?
        }
        (true, Some(url)) => {
            let stream = websocket::connect(encrypt(tcp, options).await?, url, options.max_packet).await;
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
    let engine = Engine::new(options.version, options.max_packet, options.max_in_flight, Some(options.answer_timeout));
    let mut link = Link::new(engine, stream, Input::default(), options.send_timeout, None);
    let packet = hello(options).map_err(|error| failed(Fault::from(error).into()))?;
    link.send(packet).await.map_err(failed)?;
    match link.next().await.map_err(failed)? {
        Incoming::Connack { code: 0, .. } => Ok(Client {
            link,
            pending: VecDeque::new(),
            in_flight: HashSet::new(),
            max_in_flight: options.max_in_flight.max(1).into(),
            asked: None,
            answer: None,
            answer_timeout: options.answer_timeout,
            ended: false,
        }),
        Incoming::Connack { code, why } => Err(ConnectError::Refused { server: options.server(), code, why }),
        _ => Err(failed(Fault::OutOfOrder.into())),
    }
}

/// The CONNECT.
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
            if let Some(password) = &options.password {
                builder = builder.password(&**password)?;
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

impl Client {
    /// The version of MQTT that is spoken.
    pub fn version(&self) -> Version {
        self.link.engine.version()
    }

    /// What the server does next. Keep calling it: pings, acknowledgements and their deadlines are in here. May be
    /// cancelled (as in `select!`); nothing is lost.
    ///
    /// # Errors
    /// All are fatal. A server that simply goes is no error, but [`Event::Disconnected`].
    pub async fn receive(&mut self) -> Result<Event, ConnectionError> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                self.ended |= matches!(event, Event::Disconnected { .. });
                return Ok(event);
            }
            self.step().await?;
        }
    }

    /// One packet of the server's.
    async fn step(&mut self) -> Result<(), ConnectionError> {
        if self.ended {
            return Err(ConnectionError::Closed);
        }
        match self.link.next().await {
            Ok(packet) => {
                if let Err(error) = self.handle(packet) {
                    self.link.fail(error);
                }
                Ok(())
            }
            Err(ConnectionError::Io(error)) if is_hang_up(&error) => {
                self.gone(false, "the connection broke without a word");
                Ok(())
            }
            Err(error) => {
                self.ended = true;
                Err(error)
            }
        }
    }

    fn gone(&mut self, clean: bool, reason: &str) {
        self.ended = true;
        self.pending.push_back(Event::Disconnected { clean, reason: reason.to_owned() });
    }

    fn handle(&mut self, packet: Incoming) -> Result<(), MqttError> {
        match packet {
            Incoming::Publish { topic, payload, qos, retain, .. } => {
                if !topic::is_valid_topic(&topic) {
                    return Err(MqttError::TopicNameInvalid);
                }
                self.pending.push_back(Event::Publish { topic, payload, qos, retain });
            }
            Incoming::Puback { id } => {
                self.in_flight.remove(&id);
            }
            Incoming::Suback { id, codes } if self.asked == Some(id) => self.answer = Some(codes),
            Incoming::Unsuback { id } if self.asked == Some(id) => self.answer = Some(Vec::new()),
            // Of a subscription that nobody waits for any longer.
            Incoming::Suback { .. } | Incoming::Unsuback { .. } | Incoming::Nothing => {}
            Incoming::Disconnect { clean, reason } => self.gone(clean, &reason),
            // A second CONNACK, and what only a client sends.
            _ => return Err(MqttError::ProtocolError),
        }
        Ok(())
    }

    /// Sends a message, at QoS 0 or 1. Done when the transport has taken it; of QoS 1 the acknowledgement comes in
    /// [`Self::receive`], see [`Self::unacknowledged`]. If cancelled, the message may still go with the next one.
    ///
    /// # Errors
    /// Those that are not [fatal](ConnectionError::is_fatal) leave the connection as it was.
    pub async fn publish(&mut self, topic: &str, payload: &[u8], qos: Qos) -> Result<(), ConnectionError> {
        if !topic::is_valid_topic(topic) {
            return Err(ConnectionError::Topic(topic.to_owned()));
        }
        let id = match qos {
            Qos::AtMostOnce => None,
            Qos::AtLeastOnce if self.in_flight.len() >= self.max_in_flight => {
                return Err(ConnectionError::TooManyInFlight(self.in_flight.len()));
            }
            Qos::AtLeastOnce => Some(self.link.engine.acquire_id().map_err(Fault::from)?),
            Qos::ExactlyOnce => return Err(ConnectionError::QosNotSent),
        };
        let packet = packet::publish(self.version(), topic, payload, qos, id).map_err(Fault::from)?;
        // Counted before it is sent: the id is in use even if this is cancelled.
        self.in_flight.extend(id);
        let sent = self.send(packet).await;
        if let (Err(ConnectionError::TooLarge(_)), Some(id)) = (&sent, id) {
            self.in_flight.remove(&id);
            self.link.engine.release_id(id);
        }
        sent
    }

    async fn send(&mut self, packet: Packet) -> Result<(), ConnectionError> {
        if self.ended {
            return Err(ConnectionError::Closed);
        }
        let sent = self.link.send(packet).await;
        match sent {
            // Told by `receive`, like any other end.
            Err(ConnectionError::Io(error)) if is_hang_up(&error) => {
                self.gone(false, "the connection broke without a word");
                Err(error.into())
            }
            sent => {
                self.ended |= sent.as_ref().is_err_and(ConnectionError::is_fatal);
                sent
            }
        }
    }

    /// Messages of QoS 1 that were sent and not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.in_flight.len()
    }

    /// Subscribes to `filters`, `$share/<group>/<filter>` among them, and waits for the answer: for each filter the QoS
    /// that the server will send at, at most `qos`, or that it refuses. Messages that come meanwhile are kept.
    ///
    /// # Errors
    /// An invalid filter leaves the connection as it was; the others are fatal.
    pub async fn subscribe(
        &mut self,
        filters: &[&str],
        qos: Qos,
    ) -> Result<Vec<Result<Qos, Refused>>, ConnectionError> {
        check(filters)?;
        let id = self.link.engine.acquire_id().map_err(Fault::from)?;
        let packet = packet::subscribe(self.version(), id, filters, qos).map_err(Fault::from)?;
        let codes = self.ask(id, packet).await?;
        if codes.len() != filters.len() {
            self.ended = true;
            return Err(Fault::Malformed.into());
        }
        let results = codes.into_iter().map(|code| match code {
            0 => Ok(Qos::AtMostOnce),
            1 => Ok(Qos::AtLeastOnce),
            2 => Ok(Qos::ExactlyOnce),
            code => Err(Refused(code)),
        });
        Ok(results.collect())
    }

    /// Takes subscriptions back, and waits for the answer.
    ///
    /// # Errors
    /// As of [`Self::subscribe`].
    pub async fn unsubscribe(&mut self, filters: &[&str]) -> Result<(), ConnectionError> {
        check(filters)?;
        let id = self.link.engine.acquire_id().map_err(Fault::from)?;
        let packet = packet::unsubscribe(self.version(), id, filters).map_err(Fault::from)?;
        self.ask(id, packet).await.map(drop)
    }

    async fn ask(&mut self, id: u16, packet: Packet) -> Result<Vec<u8>, ConnectionError> {
        self.asked = Some(id);
        self.answer = None;
        let within = self.answer_timeout;
        let answer = async {
            self.send(packet).await?;
            loop {
                if let Some(answer) = self.answer.take() {
                    self.asked = None;
                    return Ok(answer);
                }
                if self.pending.len() >= MAX_PENDING {
                    self.ended = true;
                    return Err(ConnectionError::Flooded(MAX_PENDING));
                }
                self.step().await?;
            }
        };
        let answer = timeout(within, answer).await;
        answer.unwrap_or_else(|_| {
            self.ended = true;
            Err(ConnectionError::NoAnswer(within))
        })
    }

    /// Says goodbye, so that no last will is published, and closes. Takes no longer than [`Options::send_timeout`] and a
    /// second.
    ///
    /// # Errors
    /// The goodbye was not taken; the connection is closed all the same.
    pub async fn disconnect(mut self) -> Result<(), ConnectionError> {
        let goodbye = packet::disconnect(self.version()).map_err(Fault::from)?;
        let sent = self.send(goodbye).await;
        self.link.close().await;
        sent
    }
}

fn check(filters: &[&str]) -> Result<(), ConnectionError> {
    if filters.is_empty() {
        return Err(ConnectionError::Topic(String::new()));
    }
    match filters.iter().find(|filter| !topic::is_valid_filter(filter)) {
        Some(filter) => Err(ConnectionError::Topic((*filter).to_owned())),
        None => Ok(()),
    }
}
