//! The protocol library, driven: bytes in, packets and bytes out, deadlines as instants. No I/O.

use crate::packet::{self, Incoming, Qos, Version};
use crate::password;
use mqtt::common::Cursor;
use mqtt::connection::role::RoleType;
use mqtt::connection::{ConnectionOptions, Event, TimerKind};
use mqtt::packet::{GenericPacketTrait, Packet};
use mqtt::result_code::MqttError;
use mqtt_protocol_core::mqtt;
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroize;

/// Why a connection must end, once what is to be sent has been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Fault(MqttError),
    Silent,
}

/// One end's state of the protocol.
pub(crate) struct Engine<R: RoleType> {
    core: mqtt::Connection<R>,
    version: Version,
    /// When the core wants to be told that so much time has passed, by [`kind`].
    deadlines: [Option<Instant>; 3],
    /// What is to be sent. Secrets pass through, hence zeroised.
    out: Vec<u8>,
    /// QoS 2 messages that were delivered but not yet released by their sender.
    unreleased: Vec<u16>,
}

const KINDS: [TimerKind; 3] = [TimerKind::PingreqSend, TimerKind::PingreqRecv, TimerKind::PingrespRecv];

fn index(kind: TimerKind) -> usize {
    match kind {
        TimerKind::PingreqSend => 0,
        TimerKind::PingreqRecv => 1,
        TimerKind::PingrespRecv => 2,
    }
}

impl<R: RoleType> Engine<R> {
    /// `max_packet` and `max_in_flight` bound what is received. `ping_answer` is how long a client waits for the answer
    /// to a ping.
    pub(crate) fn new(version: Version, max_packet: usize, max_in_flight: u16, ping_answer: Option<Duration>) -> Self {
        let max_packet = u32::try_from(max_packet.max(1)).unwrap_or(u32::MAX);
        let options =
            ConnectionOptions::new().maximum_packet_size_recv(max_packet).receive_maximum(max_in_flight.max(1));
        let mut core = mqtt::Connection::with_options(version.into(), options);
        core.set_auto_ping_response(true);
        // Acknowledgements are made in `received`: the library's own panic on a packet id of 0.
        core.set_auto_pub_response(false);
        if let Some(wait) = ping_answer {
            core.set_pingresp_recv_timeout(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        }
        Self { core, version, deadlines: [None; 3], out: Vec::new(), unreleased: Vec::new() }
    }

    /// Before a client connects: how often it pings, whatever was agreed.
    pub(crate) fn ping_every(&mut self, interval: Duration) {
        // Nothing is to be done for it before there is a connection.
        drop(self.core.set_pingreq_send_interval(Some(u64::try_from(interval.as_millis()).unwrap_or(u64::MAX))));
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// What is to be sent.
    pub(crate) fn out(&self) -> &[u8] {
        &self.out
    }

    /// Adds a password to the CONNECT that is to be sent. `false`: it is too long for one.
    pub(crate) fn add_password(&mut self, bytes: &[u8]) -> bool {
        let whole = password::insert(std::mem::take(&mut self.out), bytes);
        let fits = whole.is_some();
        self.out = whole.unwrap_or_default();
        fits
    }

    /// All of it has been sent: gives the memory back.
    pub(crate) fn sent(&mut self) {
        self.out.zeroize();
        self.out = Vec::new();
    }

    /// When to call [`Self::tick`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadlines.iter().flatten().min().copied()
    }

    /// Takes bytes up to the end of one packet.
    pub(crate) fn feed(&mut self, bytes: &mut &[u8]) -> Result<Option<Incoming>, End> {
        while !bytes.is_empty() {
            let mut cursor = Cursor::new(*bytes);
            let events = self.core.recv(&mut cursor);
            let taken = usize::try_from(cursor.position()).unwrap_or(usize::MAX).min(bytes.len());
            *bytes = &bytes[taken..];
            // An empty step would be an endless loop.
            if taken == 0 {
                return Err(End::Fault(MqttError::ProtocolError));
            }
            match self.handle(events)? {
                Some(packet) => return self.received(packet::read(&packet)).map(Some).map_err(End::Fault),
                None => continue,
            }
        }
        Ok(None)
    }

    /// Lets the time pass.
    pub(crate) fn tick(&mut self, now: Instant) -> Result<(), End> {
        for kind in KINDS {
            let deadline = &mut self.deadlines[index(kind)];
            if deadline.is_some_and(|deadline| deadline <= now) {
                *deadline = None;
                let events = self.core.notify_timer_fired(kind);
                self.handle(events)?;
            }
        }
        Ok(())
    }

    /// Sends a packet.
    pub(crate) fn send(&mut self, packet: Packet) -> Result<(), MqttError> {
        let events = self.core.send(packet);
        let error =
            events.iter().find_map(|event| if let Event::NotifyError(error) = event { Some(*error) } else { None });
        match (self.handle(events), error) {
            (_, Some(error)) => Err(error),
            // The core asks to close after a DISCONNECT or a refusal: who sends those knows.
            (_, None) => Ok(()),
        }
    }

    /// An id for a packet that will be acknowledged.
    pub(crate) fn acquire_id(&mut self) -> Result<u16, MqttError> {
        self.core.acquire_packet_id()
    }

    /// Gives an id back whose packet was not sent.
    pub(crate) fn release_id(&mut self, id: u16) {
        self.core.release_packet_id(id);
    }

    /// Acknowledges what has come.
    fn received(&mut self, packet: Incoming) -> Result<Incoming, MqttError> {
        match packet {
            Incoming::Publish { qos: Qos::AtLeastOnce, id, .. } => self.send(packet::puback(self.version, id)?)?,
            Incoming::Publish { qos: Qos::ExactlyOnce, id, .. } => {
                // The core answers a repeated one itself and does not deliver it.
                self.send(packet::pubrec(self.version, id)?)?;
                self.unreleased.push(id);
            }
            Incoming::Pubrel { id } => {
                let known = self.unreleased.iter().position(|known| *known == id);
                if let Some(position) = known {
                    self.unreleased.swap_remove(position);
                }
                self.send(packet::pubcomp(self.version, id, known.is_some())?)?;
                return Ok(Incoming::Nothing);
            }
            _ => {}
        }
        Ok(packet)
    }

    /// The packet that came, if one did.
    fn handle(&mut self, events: Vec<Event>) -> Result<Option<Packet>, End> {
        let (mut received, mut fault, mut close) = (None, None, false);
        for event in events {
            match event {
                Event::NotifyPacketReceived(packet) => received = Some(packet),
                Event::RequestSendPacket { packet, .. } => self.write(&packet),
                Event::RequestTimerReset { kind, duration_ms } => {
                    self.deadlines[index(kind)] = Instant::now().checked_add(Duration::from_millis(duration_ms));
                }
                Event::RequestTimerCancel(kind) => self.deadlines[index(kind)] = None,
                Event::NotifyError(error) => fault = fault.or(Some(error)),
                Event::RequestClose => close = true,
                Event::NotifyPacketIdReleased(_) => {}
            }
        }
        match (fault, close) {
            (Some(fault), _) => Err(End::Fault(fault)),
            // Without a fault, and unless we send a DISCONNECT, the core closes for silence only.
            (None, true) => Err(End::Silent),
            (None, false) => Ok(received),
        }
    }

    fn write(&mut self, packet: &Packet) {
        let mut bytes = packet.to_continuous_buffer();
        if self.out.is_empty() {
            self.out = bytes;
        } else {
            self.out.extend_from_slice(&bytes);
            bytes.zeroize();
        }
    }
}
