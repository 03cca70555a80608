//! A device's audio between hello and goodbye: the UDP channel, both ways, through the impairment.

use std::net::SocketAddr;
use std::time::Duration;

use sidetone_opus::packet::Packet;
use sidetone_packet::{Direction, HEADER_LEN, Header, KeySchedule, MAX_PAYLOAD, Sealer};
use sidetone_protocol::device::{Receiver, Verdict};
use sidetone_protocol::message::UdpEndpoint;

use super::arrivals::Arrivals;
use super::playout::{Played, Playout};
use super::port::{Port, ROOM, bind};
use super::talk::{Spoken, User};
use super::watch::{Heard, WARM_UP, Watch};
use crate::impairment::{Delay, Fate, Line};
use crate::random::Random;
use crate::speech::FRAME_MS;
use crate::stats::{Stats, add, count};
use crate::{Kind, Shared, trouble};

/// Time between two packets of a device.
pub(super) const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);
/// Two downlink packets nearer than this make small devices stutter.
const BUNCH: Duration = Duration::from_millis(10);
/// The most lost frames that an improved device makes up in a row.
const MOST_MADE_UP: u32 = 5;
/// A device whose process was held up for longer does not send what it missed.
const STALL: Duration = Duration::from_secs(1);
/// The most datagrams taken from a socket at a time.
const MOST_AT_ONCE: usize = 64;

/// A packet on its way to the gateway.
struct Outbound {
    datagram: Box<[u8]>,
    mark: Option<usize>,
}

/// A packet on its way from the gateway.
struct Inbound {
    datagram: Box<[u8]>,
    raw: Duration,
}

/// An open microphone.
struct Capture {
    user: User,
    next: Duration,
}

/// The audio of a session.
pub(super) struct Call {
    pub(super) opened: Duration,
    port: Port,
    server: SocketAddr,
    sealer: Sealer,
    opener: KeySchedule,
    duration_us: u32,
    frame: Duration,
    receiver: Receiver,
    arrivals: Arrivals,
    playout: Playout,
    playing: bool,
    up: Line,
    down: Line,
    uplink: Delay<Outbound>,
    downlink: Delay<Inbound>,
    capture: Option<Capture>,
    /// The user, while the microphone is closed.
    user: Option<User>,
    /// Since when the first packet of an answer is waited for.
    awaited: Option<Duration>,
    started: bool,
    listens: bool,
    watch: Option<Box<Watch>>,
    rebind_at: Option<Duration>,
    rebound: Option<Duration>,
}

/// What came of a packet, for the device's state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    Nothing,
    Audio,
}

impl Call {
    /// Opens the channel that a hello reply named.
    pub(super) async fn open(
        shared: &Shared,
        udp: &UdpEndpoint,
        downlink_ms: u32,
        index: u32,
        random: &mut Random,
        now: Duration,
    ) -> std::io::Result<Self> {
        let server = resolve(&udp.server, udp.port).await?;
        let config = &shared.config;
        let connection_id = udp.nonce.connection_id();
        let rules = config.kind.machine().receive;
        let frame = Duration::from_millis(downlink_ms.into());
        let [up, down] = [(config.uplink, FRAME), (config.downlink, frame)]
            .map(|(impairment, frame)| Line::new(impairment, frame, Random::new(random.bits())));
        shared.saw_server(server);
        let port = match config.shared_sockets {
            Some(sockets) => {
                let number = (index % u32::from(sockets.get())) as u16;
                shared.hubs.berth(server, number, connection_id).await?
            }
            None => Port::Own(bind(server).await?),
        };
        Ok(Self {
            opened: now,
            port,
            server,
            sealer: Sealer::new(udp.key.expose(), connection_id, Direction::Uplink),
            opener: KeySchedule::new(udp.key.expose()),
            duration_us: downlink_ms * 1_000,
            frame,
            receiver: Receiver::new(rules),
            arrivals: Arrivals::new(frame),
            playout: Playout::new(rules, frame),
            playing: false,
            up,
            down,
            uplink: Delay::default(),
            downlink: Delay::default(),
            capture: None,
            user: None,
            awaited: None,
            started: false,
            listens: config.listeners.is_none_or(|listeners| index < listeners),
            watch: None,
            rebind_at: config.rebind.map(|after| now + after),
            rebound: None,
        })
    }

    /// The microphone opens.
    pub(super) fn start_capture(&mut self, now: Duration, user: impl FnOnce() -> User) {
        let user = self.user.take().unwrap_or_else(user);
        self.capture = Some(Capture { user, next: now + FRAME });
    }

    /// The microphone closes.
    pub(super) fn stop_capture(&mut self) {
        if let Some(Capture { user, .. }) = self.capture.take() {
            self.user = Some(user);
        }
        self.watch = None;
    }

    /// The gateway begins to speak.
    pub(super) fn start_playback(&mut self, stats: &Stats) {
        self.playing = true;
        self.arrivals.restart();
        if self.user_mut().is_some_and(User::hear) {
            count(&stats.counters.answered);
        }
    }

    /// Playing ends. What is cut off by it is counted where `stats` are given.
    pub(super) fn stop_playback(&mut self, now: Duration, stats: Option<&Stats>) {
        self.playing = false;
        let cut = self.playout.stop(now) as u64;
        if let Some(stats) = stats {
            add(&stats.counters.cut, cut);
        }
        if let Some(user) = self.user_mut() {
            user.answered(now);
        }
    }

    pub(super) fn user_mut(&mut self) -> Option<&mut User> {
        self.capture.as_mut().map(|capture| &mut capture.user).or(self.user.as_mut())
    }

    fn user(&self) -> Option<&User> {
        self.capture.as_ref().map(|capture| &capture.user).or(self.user.as_ref())
    }

    /// When to come with [`tick`](Self::tick).
    pub(super) fn next_tick(&self) -> Option<Duration> {
        let capture = self.capture.as_ref().map(|capture| capture.next);
        let step = self.user().and_then(User::next_step);
        [capture, step, self.uplink.next_due(), self.downlink.next_due(), self.rebind_at].into_iter().flatten().min()
    }

    /// Waits until a datagram may have come. May be cancelled. (Exclusive, because the decoder is not `Sync`.)
    pub(super) async fn readable(&mut self) {
        self.port.readable().await;
    }

    /// Time passed: speaks, lets go what was delayed. Returns whether the user has finished an utterance, and whether
    /// audio came.
    pub(super) async fn tick(&mut self, shared: &Shared, now: Duration) -> (bool, Came) {
        if self.rebind_at.is_some_and(|at| now >= at) {
            self.rebind(shared, now).await;
        }
        let finished = self.capture(shared, now);
        while let Some((_, Outbound { datagram, mark })) = self.uplink.pop(now) {
            self.transmit(shared, &datagram, mark);
        }
        let mut came = Came::Nothing;
        while let Some((due, Inbound { mut datagram, raw })) = self.downlink.pop(now) {
            if self.arrive(shared, &mut datagram, raw, due) == Came::Audio {
                came = Came::Audio;
            }
        }
        (finished, came)
    }

    /// Takes what has come from the socket.
    pub(super) fn receive(&mut self, shared: &Shared) -> Came {
        let mut buffer = [0; ROOM];
        let mut came = Came::Nothing;
        for _ in 0..MOST_AT_ONCE {
            match self.port.try_receive(&mut buffer) {
                Ok(length) => {
                    if self.came(shared, &mut buffer[..length]) == Came::Audio {
                        came = Came::Audio;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                // The answer to a packet of ours: nobody listens there.
                Err(error) => shared.stats.cause(&format!("UDP: {}", trouble(&error))),
            }
        }
        came
    }

    /// A datagram left the network.
    fn came(&mut self, shared: &Shared, datagram: &mut [u8]) -> Came {
        let (now, stats) = (shared.now(), &shared.stats);
        if let Some(rebound) = self.rebound.take() {
            stats.rebind.record(now.saturating_sub(rebound));
        }
        if let Some(head) = datagram.first_chunk::<HEADER_LEN>()
            && let Ok(header) = Header::parse(head)
            && self.playing
            && let Some(spacing) = self.arrivals.spacing(header.sequence, now)
        {
            stats.pacing.record(spacing.abs_diff(self.frame));
            if spacing < BUNCH {
                count(&stats.counters.bunched);
            }
        }
        if shared.config.downlink.is_none() {
            return self.arrive(shared, datagram, now, now);
        }
        match self.down.pass(now) {
            Fate::Lost => count(&stats.counters.impaired_down),
            Fate::Comes { due, copies } => {
                for _ in 0..copies {
                    let inbound = Inbound { datagram: (&*datagram).into(), raw: now };
                    if self.downlink.push(due, inbound).is_err() {
                        count(&stats.counters.impairment_overflow);
                    }
                }
            }
        }
        Came::Nothing
    }

    /// A datagram reaches the device at `now`; it left the network at `raw`.
    fn arrive(&mut self, shared: &Shared, datagram: &mut [u8], raw: Duration, now: Duration) -> Came {
        let (stats, counters) = (&shared.stats, &shared.stats.counters);
        let verdict = self.receiver.judge(datagram);
        let header = match verdict {
            Verdict::Malformed(_) => {
                count(&counters.malformed);
                return Came::Nothing;
            }
            Verdict::Play { header, .. } => header,
            // Firmware plays neither, but here they are told apart.
            Verdict::Old { .. } => match datagram.first_chunk().map(Header::parse) {
                Some(Ok(header)) => header,
                _ => return Came::Nothing,
            },
        };
        if header.connection_id != self.sealer.connection_id() {
            count(&counters.malformed);
            return Came::Nothing;
        }
        let arrival = self.arrivals.arrive(header.sequence, now);
        add(&counters.lost, arrival.lost.into());
        if arrival.reordered {
            counters.lost.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
            count(&counters.reordered);
        }
        if arrival.duplicate {
            count(&counters.duplicates);
        } else {
            count(&counters.downlink_packets);
        }
        if !matches!(verdict, Verdict::Play { .. }) {
            return Came::Audio;
        }
        let iv = header.to_bytes();
        let payload = &mut datagram[HEADER_LEN..];
        self.opener.apply_keystream(&iv, payload);
        let payload = &*payload;
        if !Packet::parse(payload).is_ok_and(|packet| packet.duration_micros() == self.duration_us) {
            count(&counters.undecodable);
            return Came::Audio;
        }
        if !self.playing {
            count(&counters.unplayed);
            return Came::Audio;
        }
        if arrival.late {
            count(&counters.late);
        }
        let lost = arrival.lost;
        let made_up = if shared.config.kind == Kind::Improved && lost <= MOST_MADE_UP { lost } else { 0 };
        add(&counters.concealed, made_up.into());
        match self.playout.arrive(now, made_up) {
            Played::Lost => count(&counters.overflowed),
            Played::At { time, dry } => {
                if dry {
                    count(&counters.dry);
                }
                if let Some(awaited) = self.awaited.take() {
                    stats.first_audio.record(time.saturating_sub(awaited));
                }
                self.listen(shared, Heard { sequence: header.sequence, payload, raw, played: time });
            }
        }
        Came::Audio
    }

    /// Looks for a mark.
    fn listen(&mut self, shared: &Shared, heard: Heard<'_>) {
        let Some(watch) = &mut self.watch else { return };
        if watch.hear(heard, &shared.speech.marked, &shared.stats) {
            count(&shared.stats.counters.marks_heard);
            self.watch = None;
        }
    }

    /// What the microphone picked up since the last time. Returns whether an utterance is finished.
    fn capture(&mut self, shared: &Shared, now: Duration) -> bool {
        let config = &shared.config;
        if self.watch.as_ref().is_some_and(|watch| watch.is_over(now)) {
            self.watch = None;
            count(&shared.stats.counters.marks_missed);
        }
        let mut any = false;
        while let Some(capture) = &mut self.capture
            && capture.next <= now
        {
            let lag = now - capture.next;
            shared.stats.own_lag.record(lag);
            capture.next = if lag > STALL { now + FRAME } else { capture.next + FRAME };
            if now < self.opened + config.late_start {
                continue;
            }
            if self.listens && self.watch.is_none() && capture.user.until_mark() == Some(WARM_UP) {
                self.watch = Watch::new().map(Box::new);
            }
            let Spoken { payload, place, finished } = capture.user.speak(now);
            let mark = place.filter(|place| crate::speech::Loop::until_mark(*place) == 0);
            let timestamp = match config.kind {
                Kind::Improved => (now - self.opened).as_millis() as u32,
                _ => 0,
            };
            let mut packet = [0; HEADER_LEN + MAX_PAYLOAD];
            // Out of sequence numbers: after eight years.
            let Ok(header) = self.sealer.seal(timestamp, payload, &mut packet) else { return any };
            count(&shared.stats.counters.uplink_packets);
            if !self.started && place.is_some() {
                self.awaited = Some(now);
            }
            self.started = true;
            if finished {
                self.awaited = Some(now);
                count(&shared.stats.counters.utterances);
            }
            any |= finished;
            self.send(shared, &packet[..header.packet_len()], mark, now);
        }
        any
    }

    fn send(&mut self, shared: &Shared, datagram: &[u8], mark: Option<usize>, now: Duration) {
        let stats = &shared.stats;
        let mark = mark.filter(|_| self.watch.is_some());
        if let (Some(place), Some(watch)) = (mark, &mut self.watch) {
            watch.spoken(place, now);
            count(&stats.counters.marks_sent);
        }
        if shared.config.uplink.is_none() {
            self.transmit(shared, datagram, mark);
            return;
        }
        match self.up.pass(now) {
            Fate::Lost => count(&stats.counters.impaired_up),
            Fate::Comes { due, copies } => {
                for _ in 0..copies {
                    if self.uplink.push(due, Outbound { datagram: datagram.into(), mark }).is_err() {
                        count(&stats.counters.impairment_overflow);
                    }
                }
            }
        }
    }

    fn transmit(&mut self, shared: &Shared, datagram: &[u8], mark: Option<usize>) {
        if let Err(error) = self.port.try_send(datagram) {
            shared.stats.cause(&format!("UDP: {}", trouble(&error)));
        }
        shared.overheard(self.server, datagram);
        if let (Some(place), Some(watch)) = (mark, &mut self.watch) {
            watch.left(place, shared.now());
        }
    }

    /// The NAT before the device gives it another port.
    async fn rebind(&mut self, shared: &Shared, now: Duration) {
        self.rebind_at = shared.config.rebind.map(|after| now + after);
        match bind(self.server).await {
            Ok(socket) => {
                self.port = Port::Own(socket);
                self.rebound = Some(now);
                count(&shared.stats.counters.rebinds);
            }
            Err(error) => shared.stats.cause(&format!("no other port: {}", trouble(&error))),
        }
    }
}

async fn resolve(host: &str, port: u16) -> std::io::Result<SocketAddr> {
    if let Ok(ip) = host.parse() {
        return Ok(SocketAddr::new(ip, port));
    }
    let found = tokio::time::timeout(Duration::from_secs(5), tokio::net::lookup_host((host, port))).await;
    let mut found = found.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
    found.next().ok_or_else(|| std::io::ErrorKind::NotFound.into())
}
