//! An MQTT 3.1.1 client as devices are: QoS 0, clean session. Bytes in, bytes and [`Event`]s out; no socket, no clock.

use mqtt::common::Cursor;
use mqtt::connection::{ConnectionOptions, Event as CoreEvent, TimerKind};
use mqtt::packet::{GenericPacketTrait, Packet, Qos, SubEntry, SubOpts, v3_1_1};
use mqtt::result_code::MqttError;
use mqtt_protocol_core::mqtt;
use mqtt_protocol_core::mqtt::connection::role::Client as ClientRole;
use thiserror::Error;

/// The largest packet that is taken in, in bytes.
const MAX_PACKET: u32 = 64 * 1024;

/// How long (ms) the answer to a ping is waited for.
const PING_ANSWER: u64 = 10_000;

/// The connection cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The other end does not keep to MQTT, or what is to be sent cannot be said in it.
    #[error("MQTT: {0}")]
    Protocol(String),
    /// The gateway refused: wrong credentials, or an id that it does not accept.
    #[error("the gateway refused the connection: {0}")]
    Refused(String),
    /// The gateway did not answer a ping.
    #[error("the gateway does not answer: nothing came for too long")]
    Silent,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The gateway accepted the connection.
    Connected,
    /// A message.
    Message {
        /// Where it was published.
        topic: String,
        /// What it says.
        payload: Vec<u8>,
    },
    /// The other end said goodbye.
    Disconnected,
}

/// How a device connects.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Client id.
    pub client_id: String,
    /// User name; empty: none.
    pub username: String,
    /// Password; empty: none.
    pub password: String,
    /// Seconds; firmware has 240.
    pub keep_alive: u16,
}

/// One connection. Not `Debug`: what is to be sent holds a password.
pub struct Client {
    core: mqtt::Connection<ClientRole>,
    out: Vec<u8>,
    /// When the core wants to be told that so much time has passed, in ms, by [`KINDS`].
    deadlines: [Option<f64>; KINDS.len()],
    now: f64,
}

const KINDS: [TimerKind; 3] = [TimerKind::PingreqSend, TimerKind::PingreqRecv, TimerKind::PingrespRecv];

impl Client {
    /// A connection whose CONNECT waits to be [taken](Self::take_output).
    ///
    /// # Errors
    /// [`Fault::Protocol`], where the options cannot be said in MQTT.
    pub fn connect(now: f64, options: &Options) -> Result<Self, Fault> {
        let mut core = mqtt::Connection::with_options(
            mqtt::Version::V3_1_1,
            ConnectionOptions::new().maximum_packet_size_recv(MAX_PACKET),
        );
        core.set_auto_ping_response(true);
        core.set_pingresp_recv_timeout(PING_ANSWER);
        let mut client = Self { core, out: Vec::new(), deadlines: [None; 3], now };
        let mut packet = v3_1_1::Connect::builder()
            .client_id(options.client_id.as_str())
            .map_err(fault)?
            .clean_session(true)
            .keep_alive(options.keep_alive);
        if !options.username.is_empty() {
            packet = packet.user_name(options.username.as_str()).map_err(fault)?;
        }
        if !options.password.is_empty() {
            packet = packet.password(options.password.as_str()).map_err(fault)?;
        }
        client.send(packet.build().map_err(fault)?.into())?;
        Ok(client)
    }

    /// Bytes to be sent.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Publishes a message at QoS 0.
    ///
    /// # Errors
    /// [`Fault::Protocol`].
    pub fn publish(&mut self, now: f64, topic: &str, payload: &[u8]) -> Result<(), Fault> {
        self.now = now;
        let packet = v3_1_1::Publish::builder().topic_name(topic).map_err(fault)?.qos(Qos::AtMostOnce).payload(payload);
        self.send(packet.build().map_err(fault)?.into())
    }

    /// Subscribes at QoS 0. Firmware never does; an external broker may need it.
    ///
    /// # Errors
    /// [`Fault::Protocol`].
    pub fn subscribe(&mut self, now: f64, topic: &str) -> Result<(), Fault> {
        self.now = now;
        let id = self.core.acquire_packet_id().map_err(fault)?;
        let entry = SubEntry::new(topic, SubOpts::new().set_qos(Qos::AtMostOnce)).map_err(fault)?;
        let packet = v3_1_1::Subscribe::builder().packet_id(id).entries(vec![entry]).build().map_err(fault)?;
        self.send(packet.into())
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// [`Fault::Protocol`].
    pub fn disconnect(&mut self, now: f64) -> Result<(), Fault> {
        self.now = now;
        self.send(v3_1_1::Disconnect::builder().build().map_err(fault)?.into())
    }

    /// Takes bytes in.
    ///
    /// # Errors
    /// [`Fault`]: the connection must end.
    pub fn receive(&mut self, now: f64, mut bytes: &[u8]) -> Result<Vec<Event>, Fault> {
        self.now = now;
        let mut events = Vec::new();
        while !bytes.is_empty() {
            let mut cursor = Cursor::new(bytes);
            let happened = self.core.recv(&mut cursor);
            let taken = usize::try_from(cursor.position()).unwrap_or(usize::MAX).min(bytes.len());
            if taken == 0 {
                return Err(Fault::Protocol("bytes that are no packet".into()));
            }
            bytes = &bytes[taken..];
            for packet in self.handle(happened)? {
                events.extend(read(&packet)?);
            }
        }
        Ok(events)
    }

    /// Lets the time pass: pings, and notices that nothing comes.
    ///
    /// # Errors
    /// [`Fault::Silent`].
    pub fn tick(&mut self, now: f64) -> Result<(), Fault> {
        self.now = now;
        for (index, kind) in KINDS.into_iter().enumerate() {
            if self.deadlines[index].is_some_and(|deadline| deadline <= now) {
                self.deadlines[index] = None;
                let events = self.core.notify_timer_fired(kind);
                self.handle(events)?;
            }
        }
        Ok(())
    }

    /// When (ms) to come with [`tick`](Self::tick).
    #[must_use]
    pub fn next_timeout(&self) -> Option<f64> {
        self.deadlines.iter().flatten().copied().min_by(f64::total_cmp)
    }

    fn send(&mut self, packet: Packet) -> Result<(), Fault> {
        let events = self.core.send(packet);
        match events
            .iter()
            .find_map(|event| if let CoreEvent::NotifyError(error) = event { Some(*error) } else { None })
        {
            Some(error) => Err(fault(error)),
            None => {
                // After a DISCONNECT the core asks to close: who sends it knows.
                self.carry_out(events);
                Ok(())
            }
        }
    }

    fn handle(&mut self, events: Vec<CoreEvent>) -> Result<Vec<Packet>, Fault> {
        let error =
            events.iter().find_map(|event| if let CoreEvent::NotifyError(error) = event { Some(*error) } else { None });
        let (packets, close) = self.carry_out(events);
        match (error, close) {
            (Some(error), _) => Err(fault(error)),
            (None, true) if packets.is_empty() => Err(Fault::Silent),
            _ => Ok(packets),
        }
    }

    fn carry_out(&mut self, events: Vec<CoreEvent>) -> (Vec<Packet>, bool) {
        let (mut packets, mut close) = (Vec::new(), false);
        for event in events {
            match event {
                CoreEvent::NotifyPacketReceived(packet) => packets.push(packet),
                CoreEvent::RequestSendPacket { packet, .. } => self.out.extend(packet.to_continuous_buffer()),
                CoreEvent::RequestTimerReset { kind, duration_ms } => {
                    self.set(kind, Some(self.now + duration_ms as f64));
                }
                CoreEvent::RequestTimerCancel(kind) => self.set(kind, None),
                CoreEvent::RequestClose => close = true,
                CoreEvent::NotifyError(_) | CoreEvent::NotifyPacketIdReleased(_) => {}
            }
        }
        (packets, close)
    }

    fn set(&mut self, kind: TimerKind, deadline: Option<f64>) {
        if let Some(index) = KINDS.iter().position(|known| *known == kind) {
            self.deadlines[index] = deadline;
        }
    }
}

fn read(packet: &Packet) -> Result<Option<Event>, Fault> {
    Ok(match packet {
        Packet::V3_1_1Connack(packet) if packet.return_code() as u8 == 0 => Some(Event::Connected),
        Packet::V3_1_1Connack(packet) => return Err(Fault::Refused(packet.return_code().to_string())),
        Packet::V3_1_1Publish(packet) => Some(Event::Message {
            topic: packet.topic_name().to_owned(),
            payload: packet.payload().as_slice().to_vec(),
        }),
        Packet::V3_1_1Disconnect(_) => Some(Event::Disconnected),
        _ => None,
    })
}

fn fault(error: MqttError) -> Fault {
    Fault::Protocol(error.to_string())
}
