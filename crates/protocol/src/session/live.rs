//! A session between hello and goodbye: the microphone, the speech, and the clocks that end it.

use super::{Config, EndCause, Output};
use crate::Time;
use crate::message::{DeviceBody, GatewayBody, GatewayMessage, Listen, ListenMode, Tts, Unknown};

/// The type of a message that says nothing. Firmware of all years passes over a type that it does not know, and counts
/// it as a sign of life. (An MCP ping would be answered, and the answer reach the back end.)
const KEEPALIVE: &str = "keepalive";

#[derive(Debug)]
pub(super) struct Live {
    pub(super) session_id: String,
    pub(super) connection_id: Option<u32>,
    capture: Option<Capture>,
    speech: Speech,
    /// Last time that anything came from the device.
    heard_at: Time,
    /// Last time that anybody said something; in the future while something is being played.
    active_at: Time,
    /// When the device will have played all that was sent.
    playing_until: Time,
    /// Last time that the device was told or sent anything.
    told_at: Time,
}

/// An open microphone.
#[derive(Debug, Clone, Copy)]
struct Capture {
    mode: ListenMode,
    since: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    Silent,
    Speaking,
    /// A stop waits for the tail to be played.
    Stopping,
}

impl Live {
    pub(super) const fn new(session_id: String, connection_id: Option<u32>, now: Time) -> Self {
        Self {
            session_id,
            connection_id,
            capture: None,
            speech: Speech::Silent,
            heard_at: now,
            active_at: now,
            playing_until: now,
            told_at: now,
        }
    }

    pub(super) fn is_meant(&self, named: Option<&str>) -> bool {
        named.is_none_or(|named| named == self.session_id)
    }

    pub(super) const fn is_capturing(&self) -> bool {
        self.capture.is_some()
    }

    pub(super) fn is_speaking(&self) -> bool {
        self.speech != Speech::Silent
    }

    /// Takes note of what the device is told.
    pub(super) fn note_told(&mut self, now: Time, out: &[Output]) {
        if out.iter().any(|output| matches!(output, Output::Send(_))) {
            self.told_at = now;
        }
    }

    /// A message of the device that is neither hello nor goodbye.
    pub(super) fn message(&mut self, now: Time, body: DeviceBody, out: &mut Vec<Output>) {
        self.heard(now, false);
        match body {
            DeviceBody::Listen(Listen::Start { mode }) => {
                self.capture = Some(Capture { mode, since: now });
                out.push(Output::StartCapture { mode });
            }
            DeviceBody::Listen(Listen::Stop) => self.stop_capture(out),
            DeviceBody::Listen(Listen::Detect { text }) => out.push(Output::WakeWord { text }),
            DeviceBody::Abort { reason } => {
                out.push(Output::Abort { reason });
                self.playing_until = now;
                self.active_at = now;
                if self.is_speaking() {
                    self.stop_speech(out);
                }
            }
            DeviceBody::Mcp { payload } => out.push(Output::Mcp { payload }),
            DeviceBody::Unknown(unknown) => out.push(Output::Relay(unknown)),
            DeviceBody::Hello(_) | DeviceBody::Goodbye => {}
        }
    }

    /// A message of the back end that is neither hello nor goodbye.
    pub(super) fn send(&mut self, now: Time, config: &Config, body: GatewayBody, out: &mut Vec<Output>) {
        match &body {
            GatewayBody::Hello(_) | GatewayBody::Goodbye => return,
            GatewayBody::Tts(tts) => {
                self.active_at = self.active_at.max(now);
                match tts {
                    Tts::Start => self.start_speech(out),
                    Tts::SentenceStart { .. } => {
                        self.start_speech(out);
                        self.push(body, out);
                    }
                    Tts::Stop => {
                        if self.is_speaking() {
                            self.speech = Speech::Stopping;
                            self.expire(now, config, out);
                        }
                    }
                }
                return;
            }
            GatewayBody::Stt { .. } | GatewayBody::Llm { .. } => self.active_at = self.active_at.max(now),
            // What machines say among themselves keeps no session alive.
            GatewayBody::Mcp { .. } | GatewayBody::Alert(_) | GatewayBody::Error { .. } | GatewayBody::Unknown(_) => {}
        }
        self.push(body, out);
    }

    pub(super) fn heard(&mut self, now: Time, silent: bool) {
        self.heard_at = now;
        if !silent {
            self.active_at = self.active_at.max(now);
        }
    }

    pub(super) fn played(&mut self, now: Time, until: Time) {
        self.told_at = now;
        self.playing_until = self.playing_until.max(until);
        self.active_at = self.active_at.max(until);
    }

    /// Sends a stop that is due.
    pub(super) fn expire(&mut self, now: Time, config: &Config, out: &mut Vec<Output>) {
        if self.speech == Speech::Stopping && now >= self.playing_until + config.tail {
            self.stop_speech(out);
        }
    }

    /// Sends a word to a device that was told nothing for long.
    pub(super) fn keep_alive(&mut self, now: Time, config: &Config, out: &mut Vec<Output>) {
        self.note_told(now, out);
        if now >= self.told_at + config.keepalive {
            self.told_at = now;
            let word = Unknown { kind: KEEPALIVE.into(), fields: serde_json::Map::new() };
            self.push(GatewayBody::Unknown(word), out);
        }
    }

    /// Whether the session has come to its end.
    pub(super) fn ended(&self, now: Time, config: &Config) -> Option<EndCause> {
        if self.silence_deadline(config).is_some_and(|at| now >= at) {
            return Some(EndCause::DeviceSilence);
        }
        (now >= self.active_at + config.inactivity).then_some(EndCause::Inactivity)
    }

    pub(super) fn next_timeout(&self, config: &Config) -> Time {
        let stop = (self.speech == Speech::Stopping).then(|| self.playing_until + config.tail);
        let inactivity = self.active_at + config.inactivity;
        let keepalive = Some(self.told_at + config.keepalive);
        [stop, keepalive, self.silence_deadline(config)].into_iter().flatten().fold(inactivity, Time::min)
    }

    fn silence_deadline(&self, config: &Config) -> Option<Time> {
        self.capture.map(|capture| capture.since.max(self.heard_at) + config.device_silence)
    }

    fn start_speech(&mut self, out: &mut Vec<Output>) {
        let was = core::mem::replace(&mut self.speech, Speech::Speaking);
        if was == Speech::Silent {
            // The device closes its microphone by itself, and says nothing about it.
            if self.capture.is_some_and(|capture| capture.mode != ListenMode::Realtime) {
                self.stop_capture(out);
            }
            self.push(GatewayBody::Tts(Tts::Start), out);
        }
    }

    fn stop_speech(&mut self, out: &mut Vec<Output>) {
        self.speech = Speech::Silent;
        self.push(GatewayBody::Tts(Tts::Stop), out);
    }

    fn stop_capture(&mut self, out: &mut Vec<Output>) {
        if self.capture.take().is_some() {
            out.push(Output::StopCapture);
        }
    }

    fn push(&self, body: GatewayBody, out: &mut Vec<Output>) {
        out.push(Output::Send(GatewayMessage::new(&self.session_id, body)));
    }
}
