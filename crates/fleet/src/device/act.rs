//! Carries out what the state machine says.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sidetone_protocol::device::{EndCause, Failure, Input, Output};
use sidetone_protocol::message::{DeviceBody, DeviceMessage, GatewayBody, ListenMode};
use sidetone_protocol::{Media, Time};

use super::VirtualDevice;
use super::call::Call;
use super::talk::User;
use crate::random::Random;
use crate::stats::{count, enter, leave};
use crate::{Shared, trouble};

impl VirtualDevice {
    /// Tells the state machine what happened, and does what it says.
    pub(super) async fn input(&mut self, input: Input) {
        let mut outputs = VecDeque::from(self.handle(input));
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Connect => {
                    self.connecting_since = self.shared.now();
                    let filter = self.config().subscribe.then(|| self.config().dialect.downlink(&self.id));
                    self.link.connect(self.options.clone(), filter);
                }
                Output::Disconnect => {
                    self.link.disconnect().await;
                    self.set_online(false);
                }
                Output::Send(message) => outputs.extend(self.say(&message).await),
                Output::OpenMedia(media) => outputs.extend(self.open(&media).await),
                Output::CloseMedia { cause, .. } => self.close(cause),
                Output::StartCapture { mode } => self.start_capture(mode),
                Output::StopCapture => self.on_call(|call, _, _| call.stop_capture()),
                Output::StartPlayback => self.on_call(|call, shared, _| call.start_playback(&shared.stats)),
                Output::StopPlayback => {
                    // What the end of the call cuts off, no gateway is to blame for.
                    let ends = matches!(outputs.front(), Some(Output::CloseMedia { .. }));
                    self.on_call(|call, shared, now| call.stop_playback(now, (!ends).then_some(&shared.stats)));
                }
                Output::Show(body) => self.show(&body),
                Output::Mcp { payload } => outputs.extend(self.answer(&payload)),
                Output::Failed(failure) => self.failed(failure),
                _ => {}
            }
        }
    }

    fn handle(&mut self, input: Input) -> Vec<Output> {
        let now = Time::from_millis(self.shared.now().as_millis() as u64);
        self.machine.handle(now, input)
    }

    fn on_call(&mut self, act: impl FnOnce(&mut Call, &Shared, Duration)) {
        if let Some(call) = &mut self.call {
            act(call, &self.shared, self.shared.now());
        }
    }

    /// Says something. What is to be done where that fails, is told.
    async fn say(&mut self, message: &DeviceMessage) -> Vec<Output> {
        if matches!(message.body, DeviceBody::Hello(_)) {
            self.hello_at = Some(self.shared.now());
        }
        let topic = self.config().dialect.uplink(&self.id);
        if self.link.say(&topic, &message.to_json()).await {
            return Vec::new();
        }
        self.shared.stats.cause("a message could not be sent");
        self.set_online(false);
        self.handle(Input::Disconnected)
    }

    /// Opens the audio. What is to be done where that fails, is told.
    async fn open(&mut self, media: &Media) -> Vec<Output> {
        let shared = Arc::clone(&self.shared);
        let (stats, now) = (&shared.stats, shared.now());
        let opened = match &media.udp {
            Some(udp) => {
                let frame = media.downlink.frame_duration;
                let call = Call::open(&shared, udp, frame, self.index, &mut self.random, now).await;
                call.map_err(|error| format!("no UDP socket: {}", trouble(&error)))
            }
            None => Err("the hello reply names no UDP endpoint".into()),
        };
        match opened {
            Ok(call) => {
                self.call = Some(Box::new(call));
                count(&stats.counters.calls_opened);
                enter(&stats.counters.in_call, &stats.counters.in_call_peak);
                Vec::new()
            }
            Err(cause) => {
                stats.cause(&cause);
                count(&stats.counters.calls_failed);
                self.handle(Input::Hangup)
            }
        }
    }

    fn close(&mut self, cause: EndCause) {
        if self.call.take().is_none() {
            return;
        }
        let stats = &self.shared.stats;
        leave(&stats.counters.in_call);
        let lost = match cause {
            // Ended by this end: counted where that was decided.
            EndCause::Hangup | EndCause::Stopped => return,
            EndCause::GatewayGoodbye => "call lost: goodbye of the gateway",
            EndCause::GatewaySilence => "call lost: silence of the gateway",
            EndCause::Rekeyed => "another hello during a call",
            _ => "call lost",
        };
        stats.cause(lost);
        if cause != EndCause::Rekeyed {
            count(&stats.counters.calls_lost);
            self.retry = super::RESUME;
        }
    }

    fn start_capture(&mut self, mode: ListenMode) {
        let (shared, now) = (Arc::clone(&self.shared), self.shared.now());
        let random = Random::new(self.random.bits());
        if let Some(call) = &mut self.call {
            call.start_capture(now, || User::new(&shared.speech, mode, shared.config.pause, random, now));
        }
    }

    fn show(&self, body: &GatewayBody) {
        let stats = &self.shared.stats;
        match body {
            GatewayBody::Alert(alert) => {
                count(&stats.counters.alerts);
                stats.cause(&format!("alert: {}: {}", alert.status, alert.message));
            }
            GatewayBody::Error { message } => {
                count(&stats.counters.errors);
                stats.cause(&format!("error: {message}"));
            }
            _ => {}
        }
    }

    /// Answers a JSON-RPC request as a device without tools: a request without an answer would leave a back end
    /// waiting.
    fn answer(&mut self, request: &serde_json::Value) -> Vec<Output> {
        let Some(id) = request.get("id") else { return Vec::new() };
        let result = match request.get("method").and_then(serde_json::Value::as_str) {
            Some("initialize") => serde_json::json!({
                "protocolVersion": "2024-11-05", "capabilities": {"tools": {}},
                "serverInfo": {"name": "sidetone-fleet", "version": env!("CARGO_PKG_VERSION")},
            }),
            Some("tools/list") => serde_json::json!({"tools": []}),
            _ => serde_json::json!({}),
        };
        self.handle(Input::Mcp { payload: serde_json::json!({"jsonrpc": "2.0", "id": id, "result": result}) })
    }

    fn failed(&mut self, failure: Failure) {
        self.hello_at = None;
        let stats = &self.shared.stats;
        count(&stats.counters.calls_failed);
        stats.cause(match failure {
            Failure::NotConnected => "call failed: no connection",
            Failure::HelloTimeout => "call failed: hello not answered",
            Failure::BadHello => "call failed: the hello reply cannot be used",
            _ => "call failed",
        });
    }
}
