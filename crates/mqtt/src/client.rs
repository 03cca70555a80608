//! The client's end.

pub use crate::connect::{connect, connect_over};
use crate::error::{ConnectionError, Fault};
use crate::link::{Link, is_hang_up};
use crate::options::Options;
use crate::packet::{self, Incoming, Qos, Version};
use crate::topic;
use bytes::Bytes;
use mqtt_protocol_core::mqtt::packet::Packet;
use mqtt_protocol_core::mqtt::result_code::MqttError;
use mqtt_protocol_core::mqtt::role;
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::time::Duration;
use tokio::time::timeout;

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

impl Client {
    pub(crate) fn new(link: Link<role::Client>, options: &Options) -> Self {
        Self {
            link,
            pending: VecDeque::new(),
            in_flight: HashSet::new(),
            max_in_flight: options.max_in_flight.max(1).into(),
            asked: None,
            answer: None,
            answer_timeout: options.answer_timeout,
            ended: false,
        }
    }

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
        // Counted before it is sent: the id is in use even if this is cancelled.
        self.in_flight.extend(id);
        let sent = match packet::publish(self.version(), topic, payload, qos, id) {
            Ok(packet) => self.send(packet).await,
            Err(_) => Err(ConnectionError::TooLarge(payload.len())),
        };
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
        let packet = packet::subscribe(self.version(), id, filters, qos);
        let codes = self.ask(id, packet, filters).await?;
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
        let packet = packet::unsubscribe(self.version(), id, filters);
        self.ask(id, packet, filters).await.map(drop)
    }

    async fn ask(
        &mut self,
        id: u16,
        packet: Result<Packet, MqttError>,
        filters: &[&str],
    ) -> Result<Vec<u8>, ConnectionError> {
        let Ok(packet) = packet else {
            self.link.engine.release_id(id);
            return Err(ConnectionError::Topic(filters.join(" ")));
        };
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
        if let Ok(Err(ConnectionError::TooLarge(_))) = answer {
            self.link.engine.release_id(id);
        }
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
