//! A gateway for the fleet to run against, on real sockets and with the real protocol and codec, that does one thing
//! the real one does not: it errs as it is told to, so that what the fleet measures is known beforehand.
#![allow(dead_code, reason = "no test uses all of it")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sidetone_mqtt::{Connection, Event, Limits, Listener, ListenerOptions, Refusal, Stream, Transport, accept};
use sidetone_opus::SampleRate;
use sidetone_protocol::credential::SignatureKey;
use sidetone_protocol::message::{AudioParams, DeviceMessage, GatewayBody, ListenMode, Tts};
use sidetone_protocol::session::{Config, EndCause, GatewaySession, Grant, Input, Output};
use sidetone_protocol::topic::{ClientId, Dialect};
use sidetone_protocol::{Media, Time};
use sidetone_session::{Config as Audio, Delivery, Kind, Session};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const FRAME: Duration = Duration::from_millis(60);

/// How the gateway errs.
#[derive(Clone, Default)]
pub(crate) struct Behaviour {
    /// Every packet is held for so long before it is sent back.
    pub(crate) delay: Duration,
    /// Packets are sent back undecoded.
    pub(crate) pass_through: bool,
    /// Every so many packets one is not sent.
    pub(crate) lose_every: Option<u32>,
    /// Every so many packets one is sent twice.
    pub(crate) twice_every: Option<u32>,
    /// A goodbye comes so long after the hello.
    pub(crate) goodbye_after: Option<Duration>,
    /// Hellos are not answered.
    pub(crate) deaf: bool,
    /// Passwords are checked.
    pub(crate) key: Option<SignatureKey>,
    /// Where devices are answered.
    pub(crate) dialect: Dialect,
    /// Only those are answered that have subscribed, as a broker does it.
    pub(crate) broker: bool,
}

/// Serves until it is dropped.
pub(crate) struct Gateway {
    pub(crate) url: String,
    _tasks: JoinSet<()>,
}

impl Gateway {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let mut listener = Listener::bind(address, Transport::Tcp, ListenerOptions::default()).await.unwrap();
        let url = format!("mqtt://{}", listener.local_addr());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let stream = listener.accept().await;
                connections.spawn(serve(stream, behaviour.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { url, _tasks: tasks }
    }
}

async fn serve(stream: Stream, behaviour: Behaviour) {
    let Ok(knock) = accept(stream, &Limits::default()).await else { return };
    let Ok(id) = knock.client_id().parse::<ClientId>() else { return };
    if let Some(key) = &behaviour.key {
        let (username, password) = (knock.username().unwrap_or(""), knock.password().unwrap_or(b""));
        let password = std::str::from_utf8(password).unwrap();
        if key.check(id.as_str(), username, password).is_err() {
            knock.refuse(Refusal::BadCredentials).await;
            return;
        }
    }
    let Ok(connection) = knock.welcome().await else { return };
    let downlink = behaviour.dialect.downlink(&id);
    let uplink = behaviour.dialect.uplink(&id);
    let call = Call {
        behaviour,
        connection,
        uplink,
        downlink,
        machine: GatewaySession::new(Config::default()),
        start: Instant::now(),
        media: None,
        goodbye: None,
    };
    call.run().await;
}

struct Call {
    behaviour: Behaviour,
    connection: Connection,
    uplink: String,
    downlink: String,
    machine: GatewaySession,
    start: Instant,
    media: Option<Sound>,
    goodbye: Option<Instant>,
}

struct Sound {
    socket: Arc<UdpSocket>,
    peer: Option<std::net::SocketAddr>,
    session: Session<sidetone_session::Libopus>,
    mode: Option<ListenMode>,
    sent: u32,
    under_way: VecDeque<(Instant, Vec<u8>)>,
    /// What was heard in a turn, and how many silent frames came last.
    turn: Vec<Vec<i16>>,
    spoken: bool,
    silent: usize,
    /// When the answer is over.
    stop: Option<Instant>,
}

impl Call {
    async fn run(mut self) {
        loop {
            let next = self.media.as_ref().and_then(|media| {
                let due = media.under_way.front().map(|(due, _)| *due);
                [due, media.stop].into_iter().flatten().min()
            });
            let next = [next, self.goodbye].into_iter().flatten().min();
            let mut buffer = [0; 2048];
            let socket = self.media.as_ref().map(|media| Arc::clone(&media.socket));
            let datagram = async {
                match socket {
                    Some(socket) => socket.recv_from(&mut buffer).await.unwrap(),
                    None => std::future::pending().await,
                }
            };
            let due = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = self.connection.receive() => match event {
                    Ok(Event::Publish { topic, payload, .. }) => {
                        assert_eq!(topic, self.uplink);
                        let Ok(message) = DeviceMessage::parse(&payload) else { return };
                        self.input(Input::Message(message)).await;
                    }
                    Ok(Event::Disconnected { .. }) | Err(_) => return,
                    Ok(_) => {}
                },
                (length, from) = datagram => self.heard(&buffer[..length], from).await,
                () = due => self.due().await,
            }
        }
    }

    async fn input(&mut self, input: Input) {
        let now = Time::from_millis(self.start.elapsed().as_millis() as u64);
        for output in self.machine.handle(now, input) {
            match output {
                Output::Send(message) if !self.behaviour.broker || self.connection.is_subscribed(&self.downlink) => {
                    self.connection.publish(&self.downlink, message.to_json().as_bytes()).await.unwrap();
                }
                Output::Hello { hello, .. } if !self.behaviour.deaf => {
                    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                    let port = socket.local_addr().unwrap().port();
                    let mut random = [0; 36];
                    random[..2].copy_from_slice(&port.to_be_bytes());
                    random[16..18].copy_from_slice(&port.to_be_bytes());
                    random[20..22].copy_from_slice(&port.to_be_bytes());
                    let grant = Grant::with_udp(hello, &mut random, AudioParams::GATEWAY, "127.0.0.1", port);
                    self.media = Some(Sound::new(socket, grant.udp.as_ref().unwrap(), &self.behaviour));
                    self.goodbye = self.behaviour.goodbye_after.map(|after| Instant::now() + after);
                    Box::pin(self.input(Input::Grant(grant))).await;
                }
                Output::OpenMedia(Media { .. }) | Output::Hello { .. } => {}
                Output::CloseMedia { .. } => self.media = None,
                Output::StartCapture { mode } => {
                    self.media.as_mut().unwrap().mode = Some(mode);
                    if mode == ListenMode::Realtime {
                        Box::pin(self.input(Input::Send(GatewayBody::Tts(Tts::Start)))).await;
                    }
                }
                Output::StopCapture => Box::pin(self.answer()).await,
                _ => {}
            }
        }
    }

    async fn heard(&mut self, datagram: &[u8], from: std::net::SocketAddr) {
        let Some(media) = &mut self.media else { return };
        media.peer = Some(from);
        if media.heard(datagram, &self.behaviour) {
            self.answer().await;
        }
    }

    /// The speaker has finished.
    async fn answer(&mut self) {
        let Some(media) = &mut self.media else { return };
        media.mode = None;
        let turn = std::mem::take(&mut media.turn);
        (media.spoken, media.silent) = (false, 0);
        if turn.is_empty() {
            return;
        }
        let now = Instant::now() + self.behaviour.delay;
        for (index, samples) in turn.iter().enumerate() {
            let due = now + FRAME * index as u32;
            let Sound { session, under_way, .. } = media;
            session.send(samples, 0, |datagram| under_way.push_back((due, datagram.to_vec()))).unwrap();
        }
        media.stop = Some(now + FRAME * turn.len() as u32 + 2 * FRAME);
        self.input(Input::Send(GatewayBody::Stt { text: "what was said".into() })).await;
        self.input(Input::Send(GatewayBody::Tts(Tts::Start))).await;
    }

    async fn due(&mut self) {
        let now = Instant::now();
        if self.goodbye.is_some_and(|at| now >= at) {
            self.goodbye = None;
            self.input(Input::Close(EndCause::Operator)).await;
        }
        let Some(media) = &mut self.media else { return };
        while media.under_way.front().is_some_and(|(due, _)| *due <= now) {
            let (_, datagram) = media.under_way.pop_front().unwrap();
            media.send(&datagram, &self.behaviour).await;
        }
        if media.stop.is_some_and(|at| now >= at) {
            media.stop = None;
            self.input(Input::Send(GatewayBody::Tts(Tts::Stop))).await;
        }
    }
}

impl Sound {
    fn new(socket: UdpSocket, udp: &sidetone_protocol::message::UdpEndpoint, behaviour: &Behaviour) -> Self {
        let mut config = Audio::gateway(udp.nonce.connection_id());
        config.incoming.rate = SampleRate::Hz24000;
        if behaviour.pass_through {
            config.incoming.delivery = Delivery::Packets;
        }
        Self {
            socket: Arc::new(socket),
            peer: None,
            session: Session::new(udp.key.expose(), &config).unwrap(),
            mode: None,
            sent: 0,
            under_way: VecDeque::new(),
            turn: Vec::new(),
            spoken: false,
            silent: 0,
            stop: None,
        }
    }

    /// `true`: the speaker has finished.
    fn heard(&mut self, datagram: &[u8], behaviour: &Behaviour) -> bool {
        let due = Instant::now() + behaviour.delay;
        let Ok(received) = self.session.receive(datagram) else { return false };
        if received.kind != Kind::Audio {
            return false;
        }
        let (samples, payload) = (received.samples.to_vec(), received.payload.to_vec());
        let under_way = &mut self.under_way;
        match self.mode {
            Some(ListenMode::Realtime) if behaviour.pass_through => {
                self.session
                    .send_payload(&payload, 0, |datagram| under_way.push_back((due, datagram.to_vec())))
                    .unwrap();
                false
            }
            Some(ListenMode::Realtime) => {
                self.session.send(&samples, 0, |datagram| under_way.push_back((due, datagram.to_vec()))).unwrap();
                false
            }
            Some(mode) => {
                let loud = samples.iter().any(|sample| sample.unsigned_abs() > 300);
                self.spoken |= loud;
                self.silent = if loud { 0 } else { self.silent + 1 };
                self.turn.push(samples);
                mode == ListenMode::Auto && self.spoken && self.silent >= 8
            }
            None => false,
        }
    }

    async fn send(&mut self, datagram: &[u8], behaviour: &Behaviour) {
        self.sent += 1;
        let every = |number: Option<u32>| number.is_some_and(|number| self.sent.is_multiple_of(number));
        if every(behaviour.lose_every) {
            return;
        }
        let Some(peer) = self.peer else { return };
        for _ in 0..=u32::from(every(behaviour.twice_every)) {
            self.socket.send_to(datagram, peer).await.unwrap();
        }
    }
}
