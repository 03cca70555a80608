//! A device between hello and goodbye.

use super::{Activity, EndCause, Input, Output};
use crate::Time;
use crate::message::{DeviceBody, DeviceMessage, GatewayBody, Listen, ListenMode, Tts};

#[derive(Debug)]
pub(super) struct Talk {
    pub(super) session_id: String,
    /// Last time that anything came from the gateway.
    pub(super) heard_at: Time,
    /// The mode it was woken in; `None` before it listened.
    mode: Option<ListenMode>,
    capturing: bool,
    playback: Playback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Playback {
    Silent,
    Playing,
    /// The user interrupted; the gateway's stop is yet to come.
    Aborted,
}

impl Talk {
    pub(super) const fn new(session_id: String, now: Time) -> Self {
        Self { session_id, heard_at: now, mode: None, capturing: false, playback: Playback::Silent }
    }

    pub(super) fn is_playing(&self) -> bool {
        self.playback == Playback::Playing
    }

    pub(super) const fn is_capturing(&self) -> bool {
        self.capturing
    }

    pub(super) fn activity(&self) -> Activity {
        match (self.playback, self.capturing) {
            (Playback::Playing, _) => Activity::Speaking,
            (_, true) => Activity::Listening,
            (_, false) => Activity::Ready,
        }
    }

    pub(super) fn input(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::AudioHeard => self.heard_at = now,
            Input::StopListening if self.capturing => {
                self.say(DeviceBody::Listen(Listen::Stop), out);
                self.stop_capture(out);
            }
            Input::Detect { text } => self.say(DeviceBody::Listen(Listen::Detect { text }), out),
            Input::Abort { reason } => {
                self.say(DeviceBody::Abort { reason }, out);
                if self.is_playing() {
                    self.playback = Playback::Aborted;
                    out.push(Output::StopPlayback);
                }
            }
            Input::Mcp { payload } => self.say(DeviceBody::Mcp { payload }, out),
            _ => {}
        }
    }

    pub(super) fn listen(&mut self, mode: ListenMode, out: &mut Vec<Output>) {
        self.mode = Some(mode);
        self.say(DeviceBody::Listen(Listen::Start { mode }), out);
        self.capturing = true;
        out.push(Output::StartCapture { mode });
    }

    /// A message that is neither hello nor goodbye.
    pub(super) fn message(&mut self, now: Time, body: GatewayBody, out: &mut Vec<Output>) {
        self.heard_at = now;
        match body {
            GatewayBody::Tts(Tts::Start) => self.start_playback(out),
            GatewayBody::Tts(Tts::Stop) => self.stop_playback(out),
            GatewayBody::Mcp { payload } => out.push(Output::Mcp { payload }),
            body => out.push(Output::Show(body)),
        }
    }

    pub(super) fn say(&self, body: DeviceBody, out: &mut Vec<Output>) {
        out.push(Output::Send(DeviceMessage::new(&self.session_id, body)));
    }

    pub(super) fn close(mut self, cause: EndCause, out: &mut Vec<Output>) {
        self.stop_capture(out);
        if self.is_playing() {
            out.push(Output::StopPlayback);
        }
        out.push(Output::CloseMedia { session_id: self.session_id, cause });
    }

    fn start_playback(&mut self, out: &mut Vec<Output>) {
        if self.is_playing() {
            return;
        }
        if self.mode != Some(ListenMode::Realtime) {
            self.stop_capture(out);
        }
        self.playback = Playback::Playing;
        out.push(Output::StartPlayback);
    }

    /// Firmware then listens again, in auto mode with a new `listen start`; in manual mode it waits for the button.
    fn stop_playback(&mut self, out: &mut Vec<Output>) {
        let was = core::mem::replace(&mut self.playback, Playback::Silent);
        if was == Playback::Silent {
            return;
        }
        if was == Playback::Playing {
            out.push(Output::StopPlayback);
        }
        if self.mode == Some(ListenMode::Auto) && !self.capturing {
            self.listen(ListenMode::Auto, out);
        }
    }

    fn stop_capture(&mut self, out: &mut Vec<Output>) {
        if core::mem::take(&mut self.capturing) {
            out.push(Output::StopCapture);
        }
    }
}
