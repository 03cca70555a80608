//! A device on a link of the test's own, with real UDP and the real session code.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod events;
pub(crate) mod http;
pub(crate) mod speech_server;
pub(crate) mod turns;
pub(crate) mod web;
pub(crate) mod webhook;

use sidetone_audio::{Pcm, measure, resample, wav};
use sidetone_gateway::config::{ApplicationName, Listen};
use sidetone_gateway::link::{Carrier, Gone, Identity, Link, Said};
use sidetone_gateway::{Config, Gateway};
use sidetone_mqtt::client::{Client, Event, connect};
use sidetone_mqtt::{Options, Qos};
use sidetone_opus::{Application, Bitrate};
use sidetone_protocol::Media;
use sidetone_protocol::message::{
    DeviceBody, DeviceHello, DeviceMessage, GatewayBody, GatewayMessage, Listen as Listening, ListenMode, Tts,
};
use sidetone_protocol::topic::{ClientId, Dialect};
use sidetone_session::{Libopus, Quality, Session};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Longest wait for anything. Long, for machines that are busy: nothing here is measured in time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a packet lasts. Live speech that comes faster than that is dropped where the device has enough of it.
pub(crate) const FRAME_TIME: Duration = Duration::from_millis(60);

/// A device that was silent for so long may have moved, and strangers are listened to.
pub(crate) const PAUSE: Duration = Duration::from_millis(600);

/// What both directions are coded at, and for: what comes back, coded twice, is compared sample by sample. (Coding for
/// speech keeps how it sounds, not its waveform: once at a usual rate, this clip correlates at 0.87.)
pub(crate) const BITRATE: Bitrate = Bitrate::BitsPerSecond(64_000);

/// The speech in the repository, at the device's rate.
pub(crate) fn speech() -> Vec<i16> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fleet/assets/speech.wav");
    let pcm = wav::read(path).expect("the repository carries it");
    resample(&pcm, 16_000).expect("16 kHz is a usual rate").samples
}

/// A gateway on the embedded default, at ports of the system's choice.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.mqtt.listen = Listen::OFF;
    config.web.listen = Listen::OFF;
    config.web.transport_listen = Listen::OFF;
    config.http.listen = Listen::OFF;
    config.udp.listen = Listen::loopback(0);
    config.limits.calls = 16;
    // A machine that stands still for a moment costs no frame.
    config.pool.deadline = PATIENCE.as_millis() as u64;
    config.pool.wait = Some(config.pool.deadline);
    config.audio.bitrate = Some(64_000);
    config.audio.application = ApplicationName::Audio;
    config
}

/// A link whose other end is the test.
pub(crate) struct Pipe {
    carrier: Carrier,
    said: mpsc::Receiver<Said>,
    told: mpsc::Sender<Told>,
}

/// What a device was told.
#[derive(Debug)]
pub(crate) enum Told {
    Message(GatewayMessage),
    Audio(Vec<u8>),
}

impl Link for Pipe {
    fn carrier(&self) -> Carrier {
        self.carrier
    }

    async fn receive(&mut self) -> Option<Said> {
        self.said.recv().await
    }

    async fn send(&mut self, message: &GatewayMessage) -> Result<(), Gone> {
        self.told.send(Told::Message(message.clone())).await.map_err(|_| Gone)
    }

    async fn send_audio(&mut self, _: u32, payload: &[u8]) -> Result<(), Gone> {
        self.told.send(Told::Audio(payload.to_vec())).await.map_err(|_| Gone)
    }

    async fn close(self) {}
}

/// A device.
pub(crate) struct Device {
    pub(crate) say: mpsc::Sender<Said>,
    pub(crate) told: mpsc::Receiver<Told>,
    pub(crate) socket: UdpSocket,
    pub(crate) gateway: SocketAddr,
    pub(crate) media: Option<Media>,
    pub(crate) session: Option<Session<Libopus>>,
    session_id: String,
}

impl Device {
    /// Connects a device to a gateway.
    pub(crate) async fn connect(gateway: &mut Gateway, name: &str) -> Self {
        Self::connect_by(gateway, name, Carrier::Datagrams).await
    }

    pub(crate) async fn connect_by(gateway: &mut Gateway, name: &str, carrier: Carrier) -> Self {
        let (say, said) = mpsc::channel(64);
        let (tell, told) = mpsc::channel(1024);
        let identity = Identity {
            device: name.parse().expect("a valid client id"),
            tenant: "default".into(),
            peer: None,
            local: Some(Ipv4Addr::LOCALHOST.into()),
        };
        gateway.serve(identity, Pipe { carrier, said, told: tell });
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has ports");
        let address = gateway.addresses().udp.expect("UDP listens");
        Self { say, told, socket, gateway: address, media: None, session: None, session_id: String::new() }
    }

    /// Connects a device over MQTT, as firmware does: it subscribes to nothing.
    pub(crate) async fn connect_mqtt(gateway: &Gateway, options: Options, dialect: Dialect) -> Self {
        let client = connect(&options).await.expect("it is let in");
        Self::on_client(gateway, client, &options.client_id, dialect).await
    }

    /// Connects a device over a broker: it subscribes to its topic.
    pub(crate) async fn connect_broker(gateway: &Gateway, options: Options, dialect: Dialect) -> Self {
        let id: ClientId = options.client_id.parse().expect("a valid client id");
        let mut client = connect(&options).await.expect("the broker lets it in");
        let granted = client.subscribe(&[&dialect.downlink(&id)], Qos::AtMostOnce).await.expect("it answers");
        assert!(granted.iter().all(Result::is_ok));
        Self::on_client(gateway, client, &options.client_id, dialect).await
    }

    async fn on_client(gateway: &Gateway, mut client: Client, id: &str, dialect: Dialect) -> Self {
        let id: ClientId = id.parse().expect("a valid client id");
        let (say, mut said) = mpsc::channel::<Said>(64);
        let (tell, told) = mpsc::channel(1024);
        let (uplink, downlink) = (dialect.uplink(&id), dialect.downlink(&id));
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    said = said.recv() => match said {
                        Some(Said::Message(message)) => {
                            let json = message.to_json();
                            client.publish(&uplink, json.as_bytes(), Qos::AtMostOnce).await.expect("it is sent");
                        }
                        Some(_) => {}
                        None => return,
                    },
                    event = client.receive() => match event {
                        Ok(Event::Publish { topic, payload, .. }) => {
                            assert_eq!(topic, downlink, "answered under the dialect's topic");
                            let message = GatewayMessage::parse(&payload).expect("a message");
                            if tell.send(Told::Message(message)).await.is_err() {
                                return;
                            }
                        }
                        _ => return,
                    },
                }
            }
        });
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has ports");
        let address = gateway.addresses().udp.expect("UDP listens");
        Self { say, told, socket, gateway: address, media: None, session: None, session_id: String::new() }
    }

    pub(crate) async fn say(&self, body: DeviceBody) {
        let message = DeviceMessage::new(&self.session_id, body);
        self.say.send(Said::Message(message)).await.expect("the gateway reads");
    }

    /// The next message; `None` where the gateway dropped the link.
    pub(crate) async fn hear(&mut self) -> Option<GatewayMessage> {
        loop {
            match timeout(PATIENCE, self.told.recv()).await.expect("the gateway says something")? {
                Told::Message(message) => return Some(message),
                Told::Audio(_) => {}
            }
        }
    }

    /// Says hello, and opens what is granted.
    pub(crate) async fn hello(&mut self) {
        self.hello_as(DeviceHello::default()).await;
    }

    pub(crate) async fn hello_as(&mut self, hello: DeviceHello) {
        let uplink = hello.audio_params.clone();
        self.say.send(Said::Message(DeviceMessage::hello(hello))).await.expect("the gateway reads");
        let reply = self.hear().await.expect("a hello is answered");
        let GatewayBody::Hello(granted) = reply.body else { panic!("not granted: {reply:?}") };
        self.session_id = reply.session_id.expect("a session has an id");
        if let Some(udp) = &granted.udp {
            let mut config = sidetone_session::Config::device(udp.nonce.connection_id());
            config.outgoing.bitrate = BITRATE;
            config.outgoing.application = Application::Audio;
            config.quality = Quality::Full;
            self.session = Some(Session::new(udp.key.expose(), &config).expect("a usual session"));
            assert_eq!(SocketAddr::new(udp.server.parse().unwrap(), udp.port), self.gateway);
        }
        let session_id = self.session_id.clone();
        self.media = Some(Media { session_id, uplink, downlink: granted.audio_params, udp: granted.udp });
    }

    pub(crate) async fn listen(&self, mode: ListenMode) {
        self.say(DeviceBody::Listen(Listening::Start { mode })).await;
    }

    pub(crate) async fn stop_listening(&self) {
        self.say(DeviceBody::Listen(Listening::Stop)).await;
    }

    /// Seals speech, as the datagrams that carry it.
    pub(crate) fn seal(&mut self, pcm: &[i16]) -> Vec<Vec<u8>> {
        let session = self.session.as_mut().expect("after hello");
        let mut datagrams = Vec::new();
        session.send(pcm, 0, |datagram| datagrams.push(datagram.to_vec())).expect("it encodes");
        datagrams
    }

    /// Speaks: a frame each `pace`.
    pub(crate) async fn speak(&mut self, pcm: &[i16], pace: Duration) {
        let mut next = Instant::now();
        for datagram in self.seal(pcm) {
            self.send(&datagram).await;
            next += pace;
            sleep_until(next).await;
        }
    }

    pub(crate) async fn send(&self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.gateway).await.expect("loopback takes it");
    }

    /// What the gateway sends next over UDP, decoded.
    pub(crate) async fn receive(&mut self) -> Vec<i16> {
        self.receive_within(PATIENCE).await.expect("the gateway sends something")
    }

    /// The same, where it may send nothing.
    pub(crate) async fn receive_within(&mut self, time: Duration) -> Option<Vec<i16>> {
        let mut datagram = [0; 2048];
        let len = timeout(time, self.socket.recv(&mut datagram)).await.ok()?.expect("loopback");
        let session = self.session.as_mut().expect("after hello");
        Some(session.receive(&datagram[..len]).expect("a good packet").samples.to_vec())
    }

    /// Opens the microphone and speaks frames of silence to the echo, each as long as it lasts; every one comes back.
    pub(crate) async fn talks_and_hears(&mut self, frames: usize) {
        self.listen(ListenMode::Realtime).await;
        for datagram in self.seal(&vec![0; 960 * frames]) {
            self.send(&datagram).await;
            self.receive().await;
            sleep(FRAME_TIME).await;
        }
    }

    /// Speaks a second in manual mode, to the echo; how alike what comes back is.
    pub(crate) async fn speaks_and_hears(&mut self) -> f64 {
        self.listen(ListenMode::Manual).await;
        let spoken = &speech()[..16_000];
        self.speak(spoken, Duration::from_millis(8)).await;
        sleep(Duration::from_millis(200)).await;
        self.stop_listening().await;
        let (heard, _) = self.play_turn().await;
        likeness(spoken, &heard)
    }

    /// Plays one turn: what comes between tts start and stop, and the messages on the way.
    pub(crate) async fn play_turn(&mut self) -> (Vec<i16>, Vec<GatewayBody>) {
        let (mut heard, mut messages, mut datagram) = (Vec::new(), Vec::new(), [0; 2048]);
        let deadline = Instant::now() + PATIENCE;
        loop {
            tokio::select! {
                told = self.told.recv() => match told.expect("the link stands") {
                    Told::Message(message) => {
                        let stop = message.body == GatewayBody::Tts(Tts::Stop);
                        messages.push(message.body);
                        if stop {
                            return (heard, messages);
                        }
                    }
                    Told::Audio(payload) => heard.push(payload.len() as i16),
                },
                received = self.socket.recv(&mut datagram) => {
                    let len = received.expect("loopback");
                    let session = self.session.as_mut().expect("after hello");
                    heard.extend(session.receive(&datagram[..len]).expect("a good packet").samples);
                }
                () = sleep_until(deadline) => panic!("no tts stop; so far {messages:?}"),
            }
        }
    }
}

/// The payload of a datagram, whichever direction it goes.
pub(crate) fn payload(device: &Device, datagram: &[u8]) -> Vec<u8> {
    let udp = device.media.as_ref().and_then(|media| media.udp.as_ref()).expect("after hello, over UDP");
    let mut out = [0; sidetone_packet::MAX_PAYLOAD];
    let schedule = sidetone_packet::KeySchedule::new(udp.key.expose());
    let header = sidetone_packet::open_with(&schedule, datagram, &mut out).expect("a good packet");
    out[..usize::from(header.payload_len)].to_vec()
}

/// How alike two recordings of one speech are, each with its rate, once aligned: the correlation of what lies below
/// 4 kHz. (Above, a codec for speech keeps the energy of noise, not its shape.)
pub(crate) fn alike(spoken: (u32, &[i16]), heard: (u32, &[i16])) -> f64 {
    let telephone = |(rate, samples): (u32, &[i16])| {
        let pcm = Pcm::new(rate, 1, samples.to_vec()).expect("mono");
        resample(&pcm, 8_000).expect("a usual rate")
    };
    measure::compare(&telephone(spoken), &telephone(heard), 8_000).expect("both at 8 kHz").correlation
}

/// How alike what was heard (24 kHz) is to what was spoken (16 kHz), once aligned: the correlation.
pub(crate) fn likeness(spoken: &[i16], heard: &[i16]) -> f64 {
    let pcm = |rate, samples: &[i16]| {
        let pcm = Pcm::new(rate, 1, samples.to_vec()).expect("mono");
        resample(&pcm, 16_000).expect("a usual rate")
    };
    measure::compare(&pcm(16_000, spoken), &pcm(24_000, heard), 16_000).expect("both at 16 kHz").correlation
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}
