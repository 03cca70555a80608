//! The server's end after the welcome.

use crate::endpoint::Limits;
use crate::error::ConnectionError;
use crate::link::{Link, is_hang_up};
use crate::packet::{self, Incoming, Qos, Verdict, Version};
use crate::topic::{self, Subscriptions};
use bytes::Bytes;
use mqtt_protocol_core::mqtt::result_code::MqttError;
use mqtt_protocol_core::mqtt::role;
use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;

/// What a client of the endpoint did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It published a message, which is acknowledged already where it asked for that.
    Publish {
        /// The topic: never empty, without wildcards.
        topic: String,
        /// The message.
        payload: Bytes,
        /// The QoS it was sent at. Of QoS 2, repetitions are not delivered.
        qos: Qos,
        /// Whether it wants it kept for later subscribers. Nothing is.
        retain: bool,
    },
    /// It subscribed. Known to [`Connection::is_subscribed`] already.
    Subscribed {
        /// The filter, valid, perhaps with wildcards.
        filter: String,
    },
    /// It takes a subscription back.
    Unsubscribed {
        /// The filter.
        filter: String,
    },
    /// The connection has ended. The last event.
    Disconnected {
        /// Whether it said goodbye first.
        clean: bool,
    },
}

/// A client that was let in.
pub struct Connection {
    link: Link<role::Server>,
    client_id: String,
    subscriptions: Subscriptions,
    max_subscriptions: usize,
    max_filter: usize,
    /// What one packet brought, and is not yet received. Bounded by that packet's size.
    pending: VecDeque<Event>,
    ended: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("client_id", &self.client_id)
            .field("version", &self.version())
            .field("stream", self.link.stream())
            .finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) fn new(link: Link<role::Server>, client_id: String, limits: &Limits) -> Self {
        Self {
            link,
            client_id,
            subscriptions: Subscriptions::default(),
            max_subscriptions: limits.max_subscriptions,
            max_filter: limits.max_filter,
            pending: VecDeque::new(),
            ended: false,
        }
    }

    /// The client id.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The version of MQTT that it speaks.
    pub fn version(&self) -> Version {
        self.link.engine.version()
    }

    /// The peer's address, where it is known.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.link.stream().peer_addr()
    }

    /// What the client does next. Keep calling it: acknowledgements, answers to pings and the keep-alive deadline are in
    /// here. May be cancelled (as in `select!`); nothing is lost.
    ///
    /// # Errors
    /// All are fatal. A client that simply goes is no error, but [`Event::Disconnected`].
    pub async fn receive(&mut self) -> Result<Event, ConnectionError> {
        loop {
            if self.ended {
                return Err(ConnectionError::Closed);
            }
            if !self.pending.is_empty() {
                // What answers the packet goes first.
                if let Err(error) = self.link.flush().await {
                    return self.end(error);
                }
                if let Some(event) = self.pending.pop_front() {
                    self.ended = matches!(event, Event::Disconnected { .. });
                    return Ok(event);
                }
            }
            match self.link.next().await {
                Ok(packet) => {
                    if let Err(error) = self.handle(packet) {
                        self.link.fail(error);
                    }
                }
                Err(error) => return self.end(error),
            }
        }
    }

    fn end(&mut self, error: ConnectionError) -> Result<Event, ConnectionError> {
        self.ended = true;
        match error {
            ConnectionError::Io(error) if is_hang_up(&error) => Ok(Event::Disconnected { clean: false }),
            error => Err(error),
        }
    }

    fn handle(&mut self, packet: Incoming) -> Result<(), MqttError> {
        match packet {
            Incoming::Publish { topic, payload, qos, retain, .. } => {
                if !topic::is_valid_topic(&topic) {
                    return Err(MqttError::TopicNameInvalid);
                }
                self.pending.push_back(Event::Publish { topic, payload, qos, retain });
            }
            Incoming::Subscribe { id, filters } => {
                let verdicts: Vec<Verdict> = filters.iter().map(|filter| self.subscribe(filter)).collect();
                self.link.engine.send(packet::suback(self.version(), id, &verdicts)?)?;
                let granted = filters.into_iter().zip(verdicts).filter(|(_, verdict)| *verdict == Verdict::Granted);
                self.pending.extend(granted.map(|(filter, _)| Event::Subscribed { filter }));
            }
            Incoming::Unsubscribe { id, filters } => {
                let existed: Vec<bool> = filters.iter().map(|filter| self.subscriptions.remove(filter)).collect();
                self.link.engine.send(packet::unsuback(self.version(), id, &existed)?)?;
                let gone = filters.into_iter().zip(existed).filter(|(_, existed)| *existed);
                self.pending.extend(gone.map(|(filter, _)| Event::Unsubscribed { filter }));
            }
            Incoming::Disconnect { clean, .. } => {
                self.pending.push_back(Event::Disconnected { clean });
            }
            Incoming::Nothing => {}
            // We send at QoS 0, to which no acknowledgement belongs; the rest only a server sends.
            _ => return Err(MqttError::ProtocolError),
        }
        Ok(())
    }

    fn subscribe(&mut self, filter: &str) -> Verdict {
        if !topic::is_valid_filter(filter) || filter.len() > self.max_filter {
            Verdict::Invalid
        } else if topic::is_shared(filter) {
            Verdict::Shared
        } else if self.subscriptions.add(filter, self.max_subscriptions) {
            Verdict::Granted
        } else {
            Verdict::TooMany
        }
    }

    /// Sends a message at QoS 0 to this client, whether it has subscribed to the topic or not: the firmware of devices
    /// never subscribes. Done when the transport has taken it. If cancelled, the message may still go with the next one.
    ///
    /// # Errors
    /// [`ConnectionError::Topic`] and [`ConnectionError::TooLarge`] leave the connection as it was. The others are
    /// fatal, above all [`ConnectionError::SlowReader`]: the client did not take it within [`Limits::send_timeout`].
    pub async fn publish(&mut self, topic: &str, payload: &[u8]) -> Result<(), ConnectionError> {
        if self.ended {
            return Err(ConnectionError::Closed);
        }
        if !topic::is_valid_topic(topic) {
            return Err(ConnectionError::Topic(topic.to_owned()));
        }
        let packet = packet::publish(self.version(), topic, payload, Qos::AtMostOnce, None);
        let sent = self.link.send(packet.map_err(|_| ConnectionError::TooLarge(payload.len()))?).await;
        self.ended |= sent.as_ref().is_err_and(ConnectionError::is_fatal);
        sent
    }

    /// What it has subscribed to, in no particular order.
    pub fn subscriptions(&self) -> impl ExactSizeIterator<Item = &str> {
        self.subscriptions.iter()
    }

    /// Whether one of its subscriptions matches `topic`.
    pub fn is_subscribed(&self, topic: &str) -> bool {
        self.subscriptions.matches(topic)
    }

    /// Ends the connection: with a DISCONNECT where the version has one for servers (5). Takes no longer than
    /// [`Limits::send_timeout`] and a second.
    pub async fn close(mut self) {
        if self.version() == Version::V5
            && !self.ended
            && let Ok(packet) = packet::disconnect(Version::V5)
        {
            // A client that takes no packet as small as this is closed all the same.
            let _ = self.link.push(packet);
        }
        self.link.close().await;
    }
}
