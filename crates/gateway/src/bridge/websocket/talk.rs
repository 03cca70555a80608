//! One call's conversation with the server, connections and all. A task a call.

use super::Server;
use super::connection::{Came, Connection};
use super::dial::{DialError, dial};
use super::frames;
use super::listening::{Listening, Outgoing};
use super::retry::Retry;
use super::speech::SpeechQueue;
use crate::bridge::{Call, Coding, LegEnd, Over, Room, Speech, ToBackEnd, ToDevice, Transcoder};
use crate::retry::random;
use sidetone_opus::Channels;
use sidetone_opus::packet::Packet;
use sidetone_packet::MAX_PAYLOAD;
use sidetone_protocol::message::{
    Alert, AudioFormat, DeviceHello, DeviceMessage, GatewayBody, GatewayMessage, Transport, Tts,
};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

/// How long a server may take to answer our hello.
const HELLO: Duration = Duration::from_secs(5);

/// Frames and messages in a row that are not understood, after which the server is taken to be something else.
const NONSENSE: u32 = 64;

/// How long what was said may take to be played when the server ends the call: what the leg holds, and a margin.
const LAST_WORDS: Duration = Duration::from_secs(150);

/// What the device holds when the leg is empty, to be played before it is told goodbye.
const TAIL: Duration = Duration::from_millis(600);

/// Why a connection is given up whose writer gave up.
const DEAF: &str = "it does not read";

pub(super) struct Talk {
    server: Arc<Server>,
    call: Call,
    end: LegEnd,
    started: Instant,
    listening: Listening,
    speech: SpeechQueue,
    transcoder: Transcoder,
    /// Of the turn: its packets are not what the device was told.
    transcodes: bool,
    retry: Retry,
    /// The user was told that the server is away.
    told: bool,
    /// What was not understood, in a row.
    nonsense: u32,
    /// The server answered on this connection.
    live: bool,
}

/// How a conversation ended.
enum End {
    /// The device is gone.
    Over,
    /// The server said goodbye.
    Goodbye,
    /// The server is gone.
    Closed(String),
}

/// Why a connection ended.
enum Broken {
    Over,
    Goodbye,
    Lost(String),
}

impl Talk {
    pub(super) fn new(server: Arc<Server>, call: Call, end: LegEnd, coding: Coding) -> Self {
        let transcoder = call.codecs.transcoder(coding);
        Self {
            listening: Listening::new(call.hello.features.aec),
            transcodes: false,
            speech: SpeechQueue::default(),
            started: Instant::now(),
            retry: Retry::new(Duration::ZERO),
            told: false,
            nonsense: 0,
            live: false,
            server,
            call,
            end,
            transcoder,
        }
    }

    pub(super) async fn run(mut self) {
        // Over in between: nobody is left to be told.
        let last = match self.serve().await {
            End::Over => return,
            End::Closed(why) => ToDevice::Closed(why),
            End::Goodbye => {
                let _ = timeout(LAST_WORDS, self.play_out()).await;
                GatewayBody::Goodbye.into()
            }
        };
        let _ = self.end.send(last).await;
    }

    async fn serve(&mut self) -> End {
        loop {
            let connection = match self.connect().await {
                Ok(connection) => connection,
                Err(end) => return end,
            };
            self.server.counts.connections.add(1);
            self.live = false;
            let why = match self.converse(connection).await {
                Broken::Over => return End::Over,
                Broken::Goodbye => return End::Goodbye,
                Broken::Lost(why) => why,
            };
            if !self.live {
                self.server.health.failed(Instant::now());
            }
            self.retry.lost(self.elapsed());
            self.speech.cut();
            if let Err(end) = self.wait_after(&why).await {
                return end;
            }
        }
    }

    /// A connection, however often it takes.
    async fn connect(&mut self) -> Result<Connection, End> {
        loop {
            let (server, call) = (self.server.clone(), self.call.clone());
            let dialled = self.meanwhile(async move { dial(&server, &call).await }).await;
            match dialled.map_err(|Over| End::Over)? {
                Ok(socket) => return Ok(Connection::new(socket)),
                Err(DialError::Lasting(why)) => {
                    self.failed(&why);
                    return Err(End::Closed(why));
                }
                Err(DialError::Passing(why)) => {
                    self.server.health.failed(Instant::now());
                    self.wait_after(&why).await?;
                }
            }
        }
    }

    fn failed(&self, why: &str) {
        self.server.counts.failures.add(1);
        self.server.health.failed(Instant::now());
        tracing::warn!(call = self.call.session_id, why, "the speech server refuses a call");
    }

    /// Waits until it is time to try again.
    async fn wait_after(&mut self, why: &str) -> Result<(), End> {
        self.server.counts.failures.add(1);
        // Without random bytes all calls come back at the same time, which is only unkind.
        let random = random();
        let Some(wait) = self.retry.wait(self.elapsed(), random) else {
            return Err(End::Closed(why.into()));
        };
        tracing::info!(call = self.call.session_id, why, ?wait, "the speech server is away");
        self.meanwhile(sleep(wait)).await.map_err(|Over| End::Over)
    }

    /// Does something that takes time, while the device plays what there is.
    async fn meanwhile<T>(&mut self, act: impl Future<Output = T>) -> Result<T, Over> {
        tokio::pin!(act);
        let tell_at = self.started + self.retry.tell_at();
        loop {
            tokio::select! {
                done = &mut act => return Ok(done),
                () = self.end.over() => return Err(Over),
                room = self.end.room(), if !self.speech.is_empty() => speak(room?, &mut self.speech),
                () = sleep_until(tell_at), if !self.told => {
                    self.told = true;
                    let alert = Alert::sad("Connecting", "The speech service is away. Trying again.");
                    self.end.send(GatewayBody::Alert(alert)).await?;
                }
            }
        }
    }

    async fn converse(&mut self, mut connection: Connection) -> Broken {
        match self.talk(&mut connection).await {
            Ok(broken) => broken,
            Err(Over) => Broken::Over,
        }
    }

    async fn talk(&mut self, connection: &mut Connection) -> Result<Broken, Over> {
        let to = connection.to();
        let hello = tungstenite::Message::text(self.hello().to_json());
        if to.send(hello).await.is_err() {
            return Ok(Broken::Lost(DEAF.into()));
        }
        let hello_by = Instant::now() + HELLO;
        // The server's session, once it said hello, and its id.
        let mut session: Option<Option<String>> = None;
        self.nonsense = 0;
        loop {
            let event = self.event(connection, &to, session.is_some(), hello_by).await;
            let id = session.as_ref().and_then(Option::as_deref);
            let broken = match event {
                Event::Told(Told::This(item)) => self.tell(&to, item, id).await.err().map(|_| DEAF),
                Event::Told(Told::Over) => return Ok(Broken::Over),
                Event::Told(Told::Deaf) => Some(DEAF),
                Event::Came(Came::Text(text)) => match self.message(text.as_bytes(), &mut session).await? {
                    Understood::Message => None,
                    Understood::Goodbye => return Ok(Broken::Goodbye),
                    Understood::Hello => {
                        self.answered();
                        let id = session.as_ref().and_then(Option::as_deref);
                        let announced = self.listening.announcement().map(|body| Outgoing::Say(body).written(id));
                        match announced {
                            Some(message) => to.send(message).await.err().map(|_| DEAF),
                            None => None,
                        }
                    }
                },
                Event::Came(Came::Binary(bytes)) => {
                    self.audio(&bytes).await;
                    None
                }
                Event::Came(Came::Finished) if session.is_some() => return Ok(Broken::Goodbye),
                Event::Came(Came::Finished) => Some("it closed the connection without a hello"),
                Event::Came(Came::Lost(why)) => return Ok(Broken::Lost(why)),
                Event::NoHello => return Ok(Broken::Lost(format!("no hello within {HELLO:?}"))),
                Event::Check => (!connection.check()).then_some("it has not said anything for too long"),
                Event::Spoken(Err(Over)) => return Err(Over),
                Event::Spoken(Ok(())) | Event::Came(Came::Nothing) => None,
            };
            if let Some(why) = broken {
                return Ok(Broken::Lost(why.into()));
            }
            if self.nonsense >= NONSENSE {
                return Ok(Broken::Lost(format!("nothing of the last {NONSENSE} messages is understood")));
            }
        }
    }

    /// What happens next. Cancel-safe.
    async fn event(
        &mut self,
        connection: &mut Connection,
        to: &mpsc::Sender<tungstenite::Message>,
        live: bool,
        hello_by: Instant,
    ) -> Event {
        let (full, empty) = (self.speech.is_full(), self.speech.is_empty());
        if full {
            connection.excuse();
        }
        let check_at = connection.check_at();
        tokio::select! {
            told = told(to, &self.end), if live => Event::Told(told),
            () = self.end.over(), if !live => Event::Told(Told::Over),
            came = connection.next(), if !full => Event::Came(came),
            room = self.end.room(), if !empty => Event::Spoken(room.map(|room| speak(room, &mut self.speech))),
            () = sleep_until(hello_by), if !live => Event::NoHello,
            () = sleep_until(check_at) => Event::Check,
        }
    }

    fn answered(&mut self) {
        self.retry.answered(self.elapsed());
        self.server.health.answered();
        (self.live, self.told) = (true, false);
    }

    /// Tells the server what the device did.
    async fn tell(
        &mut self,
        to: &mpsc::Sender<tungstenite::Message>,
        told: ToBackEnd,
        session_id: Option<&str>,
    ) -> Result<(), mpsc::error::SendError<tungstenite::Message>> {
        let speaking = self.speech.is_speaking();
        if matches!(told, ToBackEnd::Abort(_)) {
            self.speech.interrupt();
        }
        let elapsed = self.started.elapsed();
        let Self { listening, server, transcoder, .. } = self;
        for outgoing in listening.take(server, transcoder, told, speaking, elapsed).await {
            to.send(outgoing.written(session_id)).await?;
        }
        Ok(())
    }

    /// Takes in a message of the server.
    async fn message(&mut self, json: &[u8], session: &mut Option<Option<String>>) -> Result<Understood, Over> {
        let message = match GatewayMessage::parse(json) {
            Ok(message) => message,
            Err(error) => {
                self.not_understood(&error);
                return Ok(Understood::Message);
            }
        };
        self.nonsense = 0;
        self.server.counts.messages_down.add(1);
        match message.body {
            GatewayBody::Hello(_) if session.is_some() => {}
            GatewayBody::Hello(hello) => {
                if !matches!(hello.audio_params.format, AudioFormat::Opus) {
                    tracing::warn!(format = hello.audio_params.format.as_str(), "the speech server does not send Opus");
                }
                *session = Some(message.session_id);
                return Ok(Understood::Hello);
            }
            GatewayBody::Goodbye => return Ok(Understood::Goodbye),
            GatewayBody::Tts(tts) => {
                if tts == Tts::Start {
                    self.transcodes = self.server.settings.transcode;
                }
                self.speech.mark(tts);
            }
            body => self.end.send(body).await?,
        }
        Ok(Understood::Message)
    }

    /// Takes in a binary frame of the server.
    async fn audio(&mut self, bytes: &[u8]) {
        let payload = frames::from_server(bytes);
        let counts = &self.server.counts;
        let packet = match Packet::parse(payload) {
            Ok(packet) => packet,
            Err(error) => return self.not_understood(&error),
        };
        self.nonsense = 0;
        counts.packets_down.add(1);
        if !self.speech.is_speaking() {
            return counts.stray.add(1);
        }
        self.transcodes |= !self.passes(&packet, payload.len());
        let speech = if self.transcodes {
            counts.transcoded.add(1);
            match self.transcoder.decode(payload).await {
                Ok(samples) => Speech::Pcm(samples),
                Err(error) => {
                    self.server.counts.untranscoded.add(1);
                    return tracing::debug!(%error, "a packet of the speech server was not decoded");
                }
            }
        } else {
            Speech::Packet(payload.to_vec())
        };
        self.speech.audio(speech);
    }

    /// Whether a packet is what the device was told that it would hear.
    fn passes(&self, packet: &Packet, len: usize) -> bool {
        let opus = self.call.hello.audio_params.format != AudioFormat::Pcm;
        let fits = packet.channels() == Channels::Mono || self.call.downlink_channels() == Channels::Stereo;
        opus && fits && packet.duration_micros() == self.call.downlink.1 * 1_000 && len <= MAX_PAYLOAD
    }

    fn not_understood(&mut self, error: &dyn std::fmt::Display) {
        self.nonsense += 1;
        self.server.counts.nonsense.add(1);
        tracing::debug!(call = self.call.session_id, %error, "the speech server is not understood");
    }

    /// Waits until everything that was said has been played.
    async fn play_out(&mut self) -> Result<(), Over> {
        self.speech.cut();
        while let Some(speech) = self.speech.pop() {
            self.end.send(speech).await?;
        }
        self.end.taken().await?;
        sleep(TAIL).await;
        Ok(())
    }

    /// Our hello: the device's, as we have it.
    fn hello(&self) -> DeviceMessage {
        use super::settings::Framing;
        let version = if self.server.settings.framing == Framing::Gateway { 2 } else { 1 };
        let mut hello = DeviceHello { version, transport: Transport::WebSocket, ..self.call.hello.clone() };
        // PCM is coded on the way.
        hello.audio_params.format = AudioFormat::Opus;
        DeviceMessage::hello(hello)
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// What a message of the server was.
enum Understood {
    Message,
    Hello,
    Goodbye,
}

/// What happens in a conversation.
enum Event {
    Told(Told),
    Came(Came),
    /// A piece of speech went to the leg.
    Spoken(Result<(), Over>),
    NoHello,
    /// It is time to see whether the server is there.
    Check,
}

/// What comes from the device while there is room to pass it on.
enum Told {
    This(ToBackEnd),
    Over,
    /// The server does not read.
    Deaf,
}

/// The next thing from the device, once there is room for it. Cancel-safe.
async fn told(to: &mpsc::Sender<tungstenite::Message>, end: &LegEnd) -> Told {
    tokio::select! {
        room = to.reserve() => match room {
            Ok(room) => drop(room),
            Err(_) => return Told::Deaf,
        },
        () = end.over() => {}
    }
    tokio::select! {
        item = end.receive() => item.map_or(Told::Over, Told::This),
        () = to.closed() => Told::Deaf,
    }
}

fn speak(room: Room<'_>, speech: &mut SpeechQueue) {
    if let Some(speech) = speech.pop() {
        room.send(speech);
    }
}
