//! The device's end of a connection, for the fleet and the emulator: what firmware does, as a state machine.
//!
//! The connection (MQTT) and the session are two things: packets go on over UDP while the connection is away. As in
//! [`session`](crate::session), what happened goes in with the time, and what is to be done comes out.

mod config;
mod hear;
mod io;
mod receive;
mod reconnect;
mod talk;

pub use config::Config;
pub use io::{Activity, EndCause, Failure, Input, Output};
pub use receive::{PlayQueue, QUEUE, ReceiveRules, Receiver, SequenceRule, Verdict};
pub use reconnect::Reconnect;
use talk::Talk;

use crate::Time;
use crate::message::{DeviceBody, DeviceMessage, ListenMode};

/// The most outputs of one input.
pub const MAX_OUTPUTS: usize = 8;

/// One device.
///
/// ```
/// use sidetone_protocol::Time;
/// use sidetone_protocol::device::{Activity, Config, Device, Input, Output};
/// use sidetone_protocol::message::ListenMode;
///
/// let mut device = Device::new(Config::firmware(), 42);
/// let now = Time::from_millis(0);
/// assert_eq!(device.handle(now, Input::Start), [Output::Connect]);
/// assert_eq!(device.handle(now, Input::Connected), []);
/// let outputs = device.handle(now, Input::Listen(ListenMode::Auto));
/// assert!(matches!(&outputs[..], [Output::Send(hello)] if hello.to_json().starts_with(r#"{"type":"hello","version":3"#)));
/// assert_eq!(device.activity(), Activity::Opening);
/// assert_eq!(device.next_timeout(), Some(Time::from_millis(10_000)));
/// ```
#[derive(Debug)]
pub struct Device {
    config: Config,
    now: Time,
    random: u64,
    link: Link,
    failures: u32,
    call: Call,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Off,
    Waiting { until: Time },
    Connecting { since: Time },
    Online,
}

#[derive(Debug)]
enum Call {
    None,
    /// Wanted as soon as there is a connection.
    Wanted {
        mode: ListenMode,
    },
    Opening {
        since: Time,
        mode: ListenMode,
    },
    Live(Talk),
}

impl Device {
    /// A device that is switched off. `seed` scatters its reconnects: another one for each device.
    #[must_use]
    pub const fn new(config: Config, seed: u64) -> Self {
        Self { config, now: Time::from_millis(0), random: seed, link: Link::Off, failures: 0, call: Call::None }
    }

    /// Takes in what happened, after what time alone has brought about until `now`.
    #[must_use = "outputs are to be carried out"]
    pub fn handle(&mut self, now: Time, input: Input) -> Vec<Output> {
        self.now = self.now.max(now);
        let mut out = Vec::new();
        self.expire(&mut out);
        if input == Input::Stop {
            // Its goodbye goes out before the connection does.
            self.stop(&mut out);
            return out;
        }
        match input {
            Input::Start if self.link == Link::Off => self.connect(&mut out),
            Input::Start | Input::Tick => {}
            Input::Connected => self.connected(&mut out),
            Input::Disconnected => self.disconnected(&mut out),
            Input::Message(message) => self.message(message, &mut out),
            Input::Listen(mode) => self.listen(mode, &mut out),
            Input::Hangup => self.hangup(&mut out),
            input => {
                if let Call::Live(talk) = &mut self.call {
                    talk.input(self.now, input, &mut out);
                }
            }
        }
        self.drop_unsendable(&mut out);
        debug_assert!(out.len() <= MAX_OUTPUTS);
        out
    }

    /// When to come with [`Input::Tick`], if nothing happens before.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        let link = match self.link {
            Link::Waiting { until } if self.may_reconnect() => Some(until.max(self.now)),
            Link::Connecting { since } => Some(since + self.config.hello_timeout),
            _ => None,
        };
        let call = match &self.call {
            Call::Opening { since, .. } => Some(*since + self.config.hello_timeout),
            Call::Live(talk) => Some(talk.heard_at + self.config.gateway_silence),
            _ => None,
        };
        [link, call].into_iter().flatten().min()
    }

    /// What it is doing.
    #[must_use]
    pub fn activity(&self) -> Activity {
        match (&self.call, self.link) {
            (Call::Live(talk), _) => talk.activity(),
            (Call::Opening { .. } | Call::Wanted { .. }, _) => Activity::Opening,
            (Call::None, Link::Off) => Activity::Off,
            (Call::None, Link::Online) => Activity::Idle,
            (Call::None, _) => Activity::Offline,
        }
    }

    /// Whether the connection stands.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.link == Link::Online
    }

    /// Whether audio that comes is played: firmware does so only between `tts start` and `tts stop`, and not after an
    /// abort.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        matches!(&self.call, Call::Live(talk) if talk.is_playing())
    }

    /// Whether the microphone is open.
    #[must_use]
    pub fn is_capturing(&self) -> bool {
        matches!(&self.call, Call::Live(talk) if talk.is_capturing())
    }

    /// The session's id.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        match &self.call {
            Call::Live(talk) => Some(&talk.session_id),
            _ => None,
        }
    }

    /// How it was set up.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    fn connect(&mut self, out: &mut Vec<Output>) {
        self.link = Link::Connecting { since: self.now };
        out.push(Output::Connect);
    }

    fn connected(&mut self, out: &mut Vec<Output>) {
        if !matches!(self.link, Link::Connecting { .. }) {
            return;
        }
        self.link = Link::Online;
        self.failures = 0;
        if let Call::Wanted { mode } = self.call {
            self.hello(mode, out);
        }
    }

    fn disconnected(&mut self, out: &mut Vec<Output>) {
        if !matches!(self.link, Link::Connecting { .. } | Link::Online) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let random = self.next_random();
        self.link = Link::Waiting { until: self.now + self.config.reconnect.delay(self.failures, random) };
        if matches!(self.call, Call::Wanted { .. } | Call::Opening { .. }) {
            self.fail(Failure::NotConnected, out);
        }
    }

    fn listen(&mut self, mode: ListenMode, out: &mut Vec<Output>) {
        match (&mut self.call, self.link) {
            (Call::Live(talk), _) => talk.listen(mode, out),
            (Call::Wanted { .. } | Call::Opening { .. }, _) | (Call::None, Link::Off) => {}
            (Call::None, Link::Online) => self.hello(mode, out),
            (Call::None, link) => {
                self.call = Call::Wanted { mode };
                // Somebody stands before it: it does not wait for its turn to reconnect.
                if matches!(link, Link::Waiting { .. }) {
                    self.connect(out);
                }
            }
        }
    }

    fn hello(&mut self, mode: ListenMode, out: &mut Vec<Output>) {
        self.call = Call::Opening { since: self.now, mode };
        out.push(Output::Send(DeviceMessage::hello(self.config.hello.clone())));
    }

    fn hangup(&mut self, out: &mut Vec<Output>) {
        match &self.call {
            Call::None => {}
            Call::Wanted { .. } | Call::Opening { .. } => self.call = Call::None,
            Call::Live(talk) => {
                talk.say(DeviceBody::Goodbye, out);
                self.close(EndCause::Hangup, out);
            }
        }
    }

    fn stop(&mut self, out: &mut Vec<Output>) {
        if let Call::Live(talk) = &self.call {
            talk.say(DeviceBody::Goodbye, out);
        }
        self.close(EndCause::Stopped, out);
        self.drop_unsendable(out);
        if self.link != Link::Off {
            self.link = Link::Off;
            out.push(Output::Disconnect);
        }
    }

    /// Ends the session, or the wish for one.
    fn close(&mut self, cause: EndCause, out: &mut Vec<Output>) {
        if let Call::Live(talk) = core::mem::replace(&mut self.call, Call::None) {
            talk.close(cause, out);
        }
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<Output>) {
        self.call = Call::None;
        out.push(Output::Failed(failure));
    }

    fn expire(&mut self, out: &mut Vec<Output>) {
        let (now, timeout) = (self.now, self.config.hello_timeout);
        match &self.call {
            Call::Opening { since, .. } if now >= *since + timeout => self.fail(Failure::HelloTimeout, out),
            Call::Live(talk) if now >= talk.heard_at + self.config.gateway_silence => {
                self.close(EndCause::GatewaySilence, out);
            }
            _ => {}
        }
        match self.link {
            Link::Connecting { since } if now >= since + timeout => {
                out.push(Output::Disconnect);
                self.disconnected(out);
            }
            Link::Waiting { until } if now >= until && self.may_reconnect() => self.connect(out),
            _ => {}
        }
    }

    fn may_reconnect(&self) -> bool {
        self.config.reconnect_in_session || !matches!(self.call, Call::Live(_))
    }

    /// What is said while the connection is away is lost.
    fn drop_unsendable(&self, out: &mut Vec<Output>) {
        if self.link != Link::Online {
            out.retain(|output| !matches!(output, Output::Send(_)));
        }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): scatters reconnects, keeps no secrets.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.random ^ self.random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}
