//! The gateway's end of a device's connection: one [`GatewaySession`] a connection, in which sessions follow each other.
//!
//! What happened goes in as [`Input`] with the time; what is to be done comes out as [`Output`]s, in order and at most
//! [`MAX_OUTPUTS`]; [`next_timeout`](GatewaySession::next_timeout) says when to come back though nothing happened.
//!
//! | state | leaves it by                                                                   |
//! |-------|--------------------------------------------------------------------------------|
//! | idle  | hello → asked                                                                  |
//! | asked | grant → live; refuse, time-out, goodbye, disconnected → idle; hello → asked    |
//! | live  | goodbye, close, inactivity, silence, disconnected → idle; hello → asked        |
//!
//! Inside a live session capture (the microphone) and speech (`tts`) have a state each. There is never more than one
//! live session. A message for no live session is answered with goodbye, but a goodbye never is: firmware of 2025
//! answers each goodbye with one.

mod config;
mod grant;
mod io;
mod live;

use core::time::Duration;

pub use config::Config;
pub use grant::{GRANT_RANDOM, Grant, session_id};
pub use io::{EndCause, HelloId, Input, Output};
use live::Live;

use crate::message::{Alert, DeviceBody, DeviceHello, DeviceMessage, GatewayBody, GatewayHello, GatewayMessage};
use crate::message::{Transport, UnsupportedAudio};
use crate::{Media, Time};

/// The most outputs of one input.
pub const MAX_OUTPUTS: usize = 6;

/// How far ahead of the clock audio may be said to have been played: farther is taken for this. It bounds what a slip
/// can keep a session alive for.
pub const MAX_AHEAD: Duration = Duration::from_secs(60);

/// The longest session id that is repeated to a device that names a session there is not.
const MAX_ECHOED_ID: usize = 64;

/// One device's connection, the gateway's end.
///
/// ```
/// use sidetone_protocol::Time;
/// use sidetone_protocol::message::{AudioParams, DeviceHello, DeviceMessage};
/// use sidetone_protocol::session::{Config, GatewaySession, Grant, Input, Output};
///
/// let mut session = GatewaySession::new(Config::default());
/// let hello = DeviceMessage::hello(DeviceHello::default());
/// let outputs = session.handle(Time::from_millis(0), Input::Message(hello));
/// let [Output::Hello { hello, .. }] = outputs[..] else { panic!("a hello is asked about") };
///
/// let mut random = [7; 36]; // From a cryptographic random source.
/// let grant = Grant::with_udp(hello, &mut random, AudioParams::GATEWAY, "192.0.2.1", 8884);
/// let outputs = session.handle(Time::from_millis(2), Input::Grant(grant));
/// assert!(matches!(outputs[..], [Output::OpenMedia(_), Output::Send(_)]));
/// assert_eq!(session.next_timeout(), Some(Time::from_millis(60_002)));
/// ```
#[derive(Debug)]
pub struct GatewaySession {
    config: Config,
    now: Time,
    hellos: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    Asked { hello: HelloId, said: DeviceHello, since: Time },
    Live(Live),
}

impl GatewaySession {
    /// A connection on which nothing was said yet.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self { config, now: Time::from_millis(0), hellos: 0, state: State::Idle }
    }

    /// Takes in what happened, after what time alone has brought about until `now`.
    #[must_use = "outputs are to be carried out"]
    pub fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        self.now = self.now.max(now);
        let mut out = Vec::new();
        self.expire(&mut out);
        match input {
            Input::Message(message) => self.message(message, &mut out),
            Input::Grant(grant) => self.grant(grant, &mut out),
            Input::Refuse { hello, alert } => self.refuse(hello, alert, &mut out),
            Input::Close(cause) => {
                self.give_up_hello(&mut out);
                self.close(cause, &mut out);
            }
            Input::Disconnected => {
                self.cancel_hello(&mut out);
                self.close(EndCause::Disconnected, &mut out);
            }
            Input::Send(GatewayBody::Goodbye) => self.close(EndCause::BackEndGoodbye, &mut out),
            Input::Send(body) => self.with_live(|live, now, config| live.send(now, config, body, &mut out)),
            Input::AudioHeard { silent } => self.with_live(|live, now, _| live.heard(now, silent)),
            Input::AudioPlayed { until } => self.with_live(|live, now, _| live.played(now, until.min(now + MAX_AHEAD))),
            Input::Tick => {}
        }
        self.with_live(|live, now, _| live.note_told(now, &out));
        debug_assert!(out.len() <= MAX_OUTPUTS);
        out
    }

    /// When to come with [`Input::Tick`], if nothing happens before. A deadline that has been handed out may move on,
    /// so that coming at the old one does nothing.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Idle => None,
            State::Asked { since, .. } => Some(*since + self.config.hello_timeout),
            State::Live(live) => Some(live.next_timeout(&self.config)),
        }
    }

    /// The live session's id.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        match &self.state {
            State::Live(live) => Some(&live.session_id),
            _ => None,
        }
    }

    /// Whether a hello waits for its answer.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        matches!(self.state, State::Asked { .. })
    }

    /// Whether the microphone is open, and with it whether uplink audio is for the back end.
    #[must_use]
    pub fn is_capturing(&self) -> bool {
        matches!(&self.state, State::Live(live) if live.is_capturing())
    }

    /// Whether the device plays: only then is there use in sending it audio.
    #[must_use]
    pub fn is_speaking(&self) -> bool {
        matches!(&self.state, State::Live(live) if live.is_speaking())
    }

    fn with_live(&mut self, act: impl FnOnce(&mut Live, Time, &Config)) {
        if let State::Live(live) = &mut self.state {
            act(live, self.now, &self.config);
        }
    }

    fn expire(&mut self, out: &mut Vec<Output>) {
        let (now, config) = (self.now, self.config);
        match &mut self.state {
            State::Idle => {}
            State::Asked { since, .. } => {
                if now >= *since + config.hello_timeout {
                    self.give_up_hello(out);
                }
            }
            State::Live(live) => {
                live.expire(now, &config, out);
                match live.ended(now, &config) {
                    Some(cause) => self.close(cause, out),
                    None => live.keep_alive(now, &config, out),
                }
            }
        }
    }

    fn message(&mut self, message: DeviceMessage, out: &mut Vec<Output>) {
        let DeviceMessage { session_id: named, body } = message;
        match (body, &mut self.state) {
            (DeviceBody::Hello(hello), _) => self.hello(hello, out),
            // A device that names no session means the one there is.
            (DeviceBody::Goodbye, State::Live(live)) if live.is_meant(named.as_deref()) => {
                self.close(EndCause::DeviceGoodbye, out);
            }
            (body, State::Live(live)) if live.is_meant(named.as_deref()) => live.message(self.now, body, out),
            // It gave up waiting.
            (DeviceBody::Goodbye, State::Asked { .. }) if named.is_none() => {
                self.cancel_hello(out);
            }
            (DeviceBody::Goodbye, _) => {}
            // It goes on before its hello is answered.
            (_, State::Asked { .. }) if named.is_none() => {}
            _ => {
                let session_id = named.filter(|id| id.len() <= MAX_ECHOED_ID);
                out.push(Output::Send(GatewayMessage { session_id, body: GatewayBody::Goodbye }));
            }
        }
    }

    fn hello(&mut self, said: DeviceHello, out: &mut Vec<Output>) {
        self.cancel_hello(out);
        self.close(EndCause::Rehello, out);
        if let Err(unsupported) = said.audio_params.check() {
            out.push(Output::Send(unsupported_alert(unsupported)));
            return;
        }
        self.hellos += 1;
        let hello = HelloId(self.hellos);
        out.push(Output::Hello { hello, said: said.clone() });
        self.state = State::Asked { hello, said, since: self.now };
    }

    fn grant(&mut self, grant: Grant, out: &mut Vec<Output>) {
        let State::Asked { hello, said, .. } = &self.state else { return };
        if *hello != grant.hello {
            return;
        }
        let Grant { session_id, downlink, udp, .. } = grant;
        let transport = if udp.is_some() { Transport::Udp } else { Transport::WebSocket };
        let (version, uplink) = (said.version, said.audio_params.clone());
        let reply = GatewayHello { version, transport, udp: udp.clone(), audio_params: downlink.clone() };
        let media = Media { session_id: session_id.clone(), uplink, downlink, udp };
        self.state = State::Live(Live::new(session_id.clone(), media.connection_id(), self.now));
        out.push(Output::OpenMedia(media));
        out.push(Output::Send(GatewayMessage { session_id: Some(session_id), body: GatewayBody::Hello(reply) }));
    }

    fn refuse(&mut self, refused: HelloId, alert: Alert, out: &mut Vec<Output>) {
        if matches!(self.state, State::Asked { hello, .. } if hello == refused) {
            self.state = State::Idle;
            out.push(Output::Send(GatewayMessage::without_session(GatewayBody::Alert(alert))));
        }
    }

    /// Refuses a hello that was not answered from outside.
    fn give_up_hello(&mut self, out: &mut Vec<Output>) {
        if let State::Asked { hello, .. } = self.state {
            out.push(Output::HelloCancelled { hello });
            self.refuse(hello, Alert::sad("Busy", "The server is busy. Please try again."), out);
        }
    }

    fn cancel_hello(&mut self, out: &mut Vec<Output>) {
        if let State::Asked { hello, .. } = self.state {
            self.state = State::Idle;
            out.push(Output::HelloCancelled { hello });
        }
    }

    /// Ends the live session, if there is one, with a goodbye where the device does not know yet.
    fn close(&mut self, cause: EndCause, out: &mut Vec<Output>) {
        if !matches!(self.state, State::Live(_)) {
            return;
        }
        let State::Live(live) = core::mem::replace(&mut self.state, State::Idle) else { return };
        let Live { session_id, connection_id, .. } = live;
        let knows = matches!(cause, EndCause::DeviceGoodbye | EndCause::Rehello | EndCause::Disconnected);
        if !knows {
            out.push(Output::Send(GatewayMessage::new(&session_id, GatewayBody::Goodbye)));
        }
        out.push(Output::CloseMedia { session_id, connection_id, cause });
    }
}

fn unsupported_alert(unsupported: UnsupportedAudio) -> GatewayMessage {
    GatewayMessage::without_session(GatewayBody::Alert(Alert::sad("Unsupported audio", &unsupported.to_string())))
}
