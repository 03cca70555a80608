//! A device's audio between hello and goodbye: the UDP channel, both ways, through the impairment.

mod downlink;
mod uplink;

use std::net::SocketAddr;
use std::time::Duration;

use sidetone_packet::{Direction, KeySchedule, Sealer};
use sidetone_protocol::device::Receiver;
use sidetone_protocol::message::UdpEndpoint;

use super::arrivals::Arrivals;
use super::playout::Playout;
use super::port::{Port, bind};
use super::talk::User;
use super::watch::Watch;
use crate::impairment::{Delay, Line};
use crate::random::Random;
use crate::speech::FRAME_MS;
use crate::stats::{Stats, add, count};
use crate::{Shared, trouble};

/// Time between two packets of a device.
pub(super) const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);

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
        let server = match shared.config.udp {
            Some(server) => server,
            None => resolve(&udp.server, udp.port).await?,
        };
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
