//! Devices that misbehave: they have an account and a session, and use them badly.

use std::time::Duration;

use sidetone_mqtt::client::Event;
use sidetone_mqtt::{Client, Qos};
use sidetone_packet::{Direction, HEADER_LEN, Header, KeySchedule, MAX_PAYLOAD, Sealer, seal_with};
use sidetone_protocol::device;
use sidetone_protocol::message::{
    DeviceBody, DeviceHello, DeviceMessage, GatewayBody, GatewayMessage, Listen, ListenMode, UdpEndpoint,
};
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::{sleep, timeout};

use super::pace::Pace;
use super::{Hostile, Mode};
use crate::Shared;
use crate::device::{bind, identity};
use crate::random::Random;
use crate::stats::{add, count};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an attacker that was thrown out waits.
const AGAIN: Duration = Duration::from_secs(1);
/// How far a sequence number jumps.
const FAR: u32 = 1_000_000;

/// An attacker's way in.
struct Way {
    client: Client,
    topic: String,
}

impl Way {
    async fn connect(shared: &Shared, number: u32) -> Option<Self> {
        let id = identity::client_id(&shared.config, number).ok()?;
        let options = identity::options(&shared.config, &shared.options, &id);
        let mut client = sidetone_mqtt::connect(&options).await.ok()?;
        let dialect = shared.config.dialect;
        if shared.config.subscribe {
            client.subscribe(&[&dialect.downlink(&id)], Qos::AtMostOnce).await.ok()?;
        }
        Some(Self { client, topic: dialect.uplink(&id) })
    }

    async fn say(&mut self, bytes: &[u8]) -> Option<()> {
        let said = timeout(PATIENCE, self.client.publish(&self.topic, bytes, Qos::AtMostOnce)).await;
        said.ok()?.ok()
    }

    /// The next message; `None` where the connection ended.
    async fn hear(&mut self) -> Option<GatewayMessage> {
        loop {
            match self.client.receive().await.ok()? {
                Event::Publish { payload, .. } => {
                    if let Ok(message) = GatewayMessage::parse(&payload) {
                        return Some(message);
                    }
                }
                Event::Disconnected { .. } => return None,
            }
        }
    }

    /// Says hello, and listens.
    async fn open(&mut self) -> Option<(String, UdpEndpoint)> {
        let hello = DeviceMessage::hello(DeviceHello::default());
        self.say(hello.to_json().as_bytes()).await?;
        let reply = async {
            loop {
                let message = self.hear().await?;
                if let GatewayBody::Hello(hello) = message.body {
                    return Some((message.session_id.unwrap_or_default(), hello.udp?));
                }
            }
        };
        let (session, udp) = timeout(PATIENCE, reply).await.ok()??;
        let body = DeviceBody::Listen(Listen::Start { mode: ListenMode::Realtime });
        self.say(DeviceMessage::new(&session, body).to_json().as_bytes()).await?;
        Some((session, udp))
    }
}

/// An attack with datagrams, in a session of the attacker's own; again and again.
pub(super) async fn attack(shared: &Shared, hostile: Hostile, number: u32, mut random: Random) {
    loop {
        if let Some(mut way) = Way::connect(shared, number).await
            && let Some((_, udp)) = way.open().await
        {
            tokio::select! {
                _ = send(shared, hostile, &udp, &mut random) => {}
                () = until_thrown_out(shared, &mut way) => count(&shared.stats.counters.hostile_refused),
            }
        }
        sleep(AGAIN).await;
    }
}

async fn until_thrown_out(shared: &Shared, way: &mut Way) {
    while let Some(message) = way.hear().await {
        match message.body {
            GatewayBody::Goodbye => return,
            GatewayBody::Error { .. } => count(&shared.stats.counters.hostile_refused),
            _ => {}
        }
    }
}

/// Sends until the socket fails, or for ever.
async fn send(shared: &Shared, hostile: Hostile, udp: &UdpEndpoint, random: &mut Random) -> Option<()> {
    let server = lookup_host((udp.server.as_str(), udp.port)).await.ok()?.next()?;
    let socket = bind(server).await.ok()?;
    let mut stream = Stream::new(udp, hostile.mode);
    let mut pace = Pace::new(hostile.rate);
    let mut place = 0;
    loop {
        for _ in 0..pace.due().await {
            stream.next(&socket, shared.speech.marked.packet(place), random);
            place += 1;
            count(&shared.stats.counters.hostile_sent);
        }
    }
}

/// The datagrams of one attacker.
struct Stream {
    mode: Mode,
    sealer: Sealer,
    schedule: KeySchedule,
    connection_id: u32,
    sent: u32,
    /// A packet from long ago.
    old: Vec<u8>,
}

impl Stream {
    fn new(udp: &UdpEndpoint, mode: Mode) -> Self {
        let mut key = *udp.key.expose();
        if mode == Mode::WrongKey {
            key[0] ^= 1;
        }
        let connection_id = udp.nonce.connection_id();
        let sealer = Sealer::new(&key, connection_id, Direction::Uplink);
        let schedule = KeySchedule::new(&key);
        zeroize::Zeroize::zeroize(&mut key);
        Self { mode, sealer, schedule, connection_id, sent: 0, old: Vec::new() }
    }

    /// Sends what is next. What the socket does not take is lost, as on any network.
    fn next(&mut self, socket: &UdpSocket, payload: &[u8], random: &mut Random) {
        let mut packet = [0; HEADER_LEN + MAX_PAYLOAD];
        self.sent += 1;
        let text;
        let payload = match self.mode {
            Mode::Text => {
                text = ["ping:0", "keepalive:0", "hello", "{\"type\":\"hello\"}"][self.sent as usize % 4];
                text.as_bytes()
            }
            _ => payload,
        };
        match self.mode {
            Mode::Oversized => {
                let _ = socket.try_send(&oversized(self.connection_id, self.sent, random));
                return;
            }
            Mode::FarFuture if self.sent.is_multiple_of(5) => {
                let sequence = self.sent.wrapping_mul(FAR);
                let header = Header { connection_id: self.connection_id, sequence, ..Header::default() };
                if let Ok(length) = seal_with(&self.schedule, &header, payload, &mut packet) {
                    let _ = socket.try_send(&packet[..length]);
                }
                return;
            }
            _ => {}
        }
        let Ok(header) = self.sealer.seal(0, payload, &mut packet) else { return };
        let packet = &packet[..header.packet_len()];
        let _ = socket.try_send(packet);
        if self.mode == Mode::Replay {
            let _ = socket.try_send(packet);
            if self.old.is_empty() {
                self.old = packet.to_vec();
            }
            let _ = socket.try_send(&self.old);
        }
    }
}

/// A datagram whose header is right, and which is longer than a packet may be.
fn oversized(connection_id: u32, sequence: u32, random: &mut Random) -> Vec<u8> {
    let length = MAX_PAYLOAD + 1 + random.below(60_000) as usize;
    let header = Header { payload_len: length as u16, connection_id, sequence, ..Header::default() };
    let mut datagram = header.to_bytes().to_vec();
    datagram.resize(HEADER_LEN + length, 0x5a);
    datagram
}

/// Messages that are not what they should be. One in ten is a hello that is all right but for one thing.
pub(super) async fn malformed_json(shared: &Shared, hostile: Hostile, number: u32, mut random: Random) {
    let good = DeviceMessage::hello(device::Config::firmware().hello).to_json();
    let mut pace = Pace::new(hostile.rate);
    loop {
        if let Some(mut way) = Way::connect(shared, number).await {
            let mut connected = true;
            while connected {
                tokio::select! {
                    due = pace.due() => {
                        for _ in 0..due {
                            connected &= way.say(&malformed(&good, &mut random)).await.is_some();
                        }
                        add(&shared.stats.counters.hostile_sent, due);
                    }
                    message = way.hear() => match message {
                        Some(message) => {
                            let refuses = matches!(message.body, GatewayBody::Error { .. } | GatewayBody::Goodbye);
                            add(&shared.stats.counters.hostile_refused, refuses.into());
                        }
                        None => connected = false,
                    },
                }
            }
            count(&shared.stats.counters.hostile_refused);
        }
        sleep(AGAIN).await;
    }
}

fn malformed(good: &str, random: &mut Random) -> Vec<u8> {
    let fixed: [&[u8]; 9] = [
        b"",
        b"{",
        b"null",
        b"[1,2,3]",
        b"{\"type\":7}",
        b"{\"type\":\"hello\",\"audio_params\":{\"sample_rate\":-1}}",
        b"{\"type\":\"listen\",\"state\":{}}",
        b"{\"type\":\"mcp\",\"session_id\":\"\\ud800\"}",
        &[0xff; 64],
    ];
    match random.below(fixed.len() as u64 + 3) as usize {
        known if known < fixed.len() => fixed[known].to_vec(),
        9 => b"[".repeat(40_000),
        10 => [b"{\"type\":\"", &[b'x'; 70_000][..], b"\"}"].concat(),
        _ => {
            let mut bytes = good.as_bytes().to_vec();
            let place = random.below(bytes.len() as u64) as usize;
            bytes[place] = random.bits() as u8;
            bytes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sidetone_packet::HeaderError;

    #[test]
    fn oversized_datagrams_are_refused_for_their_size() {
        let mut random = Random::new(1);
        for sequence in 0..100 {
            let datagram = oversized(7, sequence, &mut random);
            assert!(datagram.len() <= 65_507, "UDP carries no more");
            assert!(matches!(Header::split(&datagram), Err(HeaderError::PayloadSize { .. })));
        }
    }

    #[test]
    fn malformed_messages_are_bounded_and_mostly_refused() {
        let good = DeviceMessage::hello(DeviceHello::default()).to_json();
        let mut random = Random::new(1);
        let messages: Vec<Vec<u8>> = (0..500).map(|_| malformed(&good, &mut random)).collect();
        let refused = messages.iter().filter(|message| DeviceMessage::parse(message).is_err()).count();
        assert!(refused > 250, "{refused} of 500");
        assert!(messages.iter().all(|message| message.len() < 100_000));
    }
}
