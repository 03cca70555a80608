//! One virtual device: a task that carries out what the device's state machine says, on real sockets.

mod arrivals;
mod call;
pub(crate) mod identity;
mod link;
mod playout;
mod port;
mod talk;
mod watch;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use call::{Call, Came};
use link::{Link, LinkEvent};
pub(crate) use port::{Hubs, bind};
use sidetone_mqtt::Options;
use sidetone_protocol::device::{Activity, Device, EndCause, Failure, Input, Output};
use sidetone_protocol::message::{DeviceBody, DeviceMessage, GatewayBody, GatewayMessage, ListenMode};
use sidetone_protocol::topic::ClientId;
use sidetone_protocol::{Media, Time};
use talk::{Step, User};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use crate::random::Random;
use crate::stats::{count, enter, leave};
use crate::{Config, Error, Pattern, Shared, trouble};

/// How soon a device that has no call tries again after one failed.
const RETRY: Duration = Duration::from_secs(5);

/// Everything that makes one device this device.
pub(crate) struct VirtualDevice {
    shared: Arc<Shared>,
    index: u32,
    id: ClientId,
    options: Options,
    machine: Device,
    random: Random,
    link: Link,
    call: Option<Box<Call>>,
    online: bool,
    connecting_since: Duration,
    hello_at: Option<Duration>,
    plan: Plan,
}

/// When the next call begins, or this one ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// No more calls.
    Nothing,
    /// A call begins then.
    Call(Duration),
    /// The call that was begun ends then.
    Hangup(Duration),
}

enum Event {
    Ending,
    Link(LinkEvent),
    Readable,
    Due,
}

impl VirtualDevice {
    /// Device `index` of the fleet.
    ///
    /// # Errors
    /// Where the configured group makes no client id.
    pub(crate) fn new(shared: &Arc<Shared>, index: u32) -> Result<Self, Error> {
        let config = &shared.config;
        let number = config.first + index;
        let id = identity::client_id(config, number)?;
        let mut random = Random::of(config.seed, u64::from(number) << 8);
        Ok(Self {
            shared: Arc::clone(shared),
            index,
            options: identity::options(config, &shared.options, &id),
            id,
            machine: Device::new(config.kind.machine(), random.bits()),
            random,
            link: Link::Off,
            call: None,
            online: false,
            connecting_since: Duration::ZERO,
            hello_at: None,
            plan: Plan::Nothing,
        })
    }

    /// Lives until the fleet ends: connects when it is its turn, makes its calls, says goodbye.
    pub(crate) async fn live(mut self, mut ending: Receiver<bool>) {
        let turn = Duration::from_secs_f64(f64::from(self.index) / self.shared.config.ramp);
        tokio::select! {
            biased;
            () = ended(&mut ending) => return,
            () = sleep_until(self.instant(turn)) => {}
        }
        self.plan = match self.config().pattern {
            Pattern::Calls(_) => self.next_call(0, turn),
            Pattern::Idle => Plan::Nothing,
        };
        let mut calls = 0;
        self.input(Input::Start).await;
        loop {
            self.follow_plan(&mut calls).await;
            match self.event(&mut ending).await {
                Event::Ending => break,
                Event::Link(event) => self.link_event(event).await,
                Event::Readable => {
                    let Some(call) = &mut self.call else { continue };
                    if call.receive(&self.shared) == Came::Audio {
                        self.input(Input::AudioHeard).await;
                    }
                }
                Event::Due => self.due().await,
            }
        }
        if self.has_call() {
            count(&self.shared.stats.counters.calls_cut);
        }
        self.plan = Plan::Nothing;
        self.input(Input::Stop).await;
    }

    async fn event(&mut self, ending: &mut Receiver<bool>) -> Event {
        let plan = match self.plan {
            Plan::Call(at) | Plan::Hangup(at) => Some(at),
            Plan::Nothing => None,
        };
        let machine = self.machine.next_timeout().map(|time| Duration::from_millis(time.as_millis()));
        let call = self.call.as_ref().and_then(|call| call.next_tick());
        let due = [plan, machine, call].into_iter().flatten().min().map(|at| self.instant(at));
        let Self { link, call, .. } = self;
        let readable = async {
            match call {
                Some(call) => call.readable().await,
                None => std::future::pending().await,
            }
        };
        let due = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = ended(ending) => Event::Ending,
            () = readable => Event::Readable,
            event = link.event() => Event::Link(event),
            () = due => Event::Due,
        }
    }

    /// Begins the call that is due, or ends it.
    async fn follow_plan(&mut self, calls: &mut u32) {
        let now = self.shared.now();
        match self.plan {
            // Where there is no connection, whoever wants to talk makes the device connect at once.
            Plan::Call(at) if now >= at => {
                let Pattern::Calls(mode) = self.config().pattern else { return };
                *calls += 1;
                count(&self.shared.stats.counters.calls_started);
                let length = self.config().call_length.unwrap_or(Duration::MAX);
                self.plan = Plan::Hangup(now.saturating_add(length));
                self.input(Input::Listen(mode)).await;
            }
            Plan::Hangup(at) if now >= at => {
                let counters = &self.shared.stats.counters;
                if self.call.is_some() {
                    count(&counters.calls_completed);
                } else if self.has_call() {
                    self.shared.stats.cause("call failed: not opened before its end");
                    count(&counters.calls_failed);
                }
                self.hello_at = None;
                self.plan = self.next_call(*calls, now);
                self.input(Input::Hangup).await;
            }
            // It failed, or was ended by the gateway.
            Plan::Hangup(_) if !self.has_call() => {
                self.plan = match self.next_call(*calls, now) {
                    Plan::Call(at) => Plan::Call(at.max(now + self.random.around(RETRY))),
                    plan => plan,
                };
            }
            _ => {}
        }
    }

    fn next_call(&mut self, calls: u32, now: Duration) -> Plan {
        let config = &self.shared.config;
        match config.calls {
            Some(most) if calls >= most => Plan::Nothing,
            _ if calls == 0 => Plan::Call(now),
            _ => Plan::Call(now + self.random.around(config.pause)),
        }
    }

    async fn link_event(&mut self, event: LinkEvent) {
        let stats = &self.shared.stats;
        let input = match event {
            LinkEvent::Connected => {
                stats.connect.record(self.shared.now().saturating_sub(self.connecting_since));
                count(&stats.counters.connections);
                self.set_online(true);
                Input::Connected
            }
            LinkEvent::Failed(cause) => {
                count(&stats.counters.connect_failures);
                stats.cause(&format!("connect: {cause}"));
                Input::Disconnected
            }
            LinkEvent::Ended(cause) => {
                count(&stats.counters.disconnects);
                stats.cause(&format!("disconnected: {cause}"));
                self.set_online(false);
                Input::Disconnected
            }
            LinkEvent::Message(payload) => match GatewayMessage::parse(&payload) {
                Ok(message) => {
                    if matches!(message.body, GatewayBody::Hello(_))
                        && let Some(at) = self.hello_at.take()
                    {
                        stats.hello.record(self.shared.now().saturating_sub(at));
                    }
                    Input::Message(message)
                }
                Err(_) => {
                    count(&stats.counters.unreadable);
                    return;
                }
            },
        };
        self.input(input).await;
    }

    async fn due(&mut self) {
        let now = self.shared.now();
        if let Some(call) = &mut self.call {
            let (finished, came) = call.tick(&self.shared, now).await;
            let step = call.user_mut().map_or(Step::Nothing, |user| user.step(now));
            if came == Came::Audio {
                self.input(Input::AudioHeard).await;
            }
            if finished && self.config().pattern == Pattern::Calls(ListenMode::Manual) {
                self.input(Input::StopListening).await;
            }
            match step {
                Step::Nothing => {}
                Step::Unanswered => count(&self.shared.stats.counters.unanswered),
                Step::Press => self.input(Input::Listen(ListenMode::Manual)).await,
            }
        }
        self.input(Input::Tick).await;
    }

    /// Tells the state machine what happened, and does what it says.
    async fn input(&mut self, input: Input) {
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

    /// Whether there is a call, or one is wanted.
    fn has_call(&self) -> bool {
        self.call.is_some() || self.machine.activity() == Activity::Opening
    }

    fn set_online(&mut self, online: bool) {
        if std::mem::replace(&mut self.online, online) == online {
            return;
        }
        let counters = &self.shared.stats.counters;
        if online {
            enter(&counters.connected, &counters.connected_peak);
        } else {
            leave(&counters.connected);
        }
    }

    fn config(&self) -> &Config {
        &self.shared.config
    }

    fn instant(&self, at: Duration) -> Instant {
        // A run of 30 years is one without end.
        self.shared.start + at.min(Duration::from_secs(1 << 30))
    }
}

/// Until the fleet ends.
pub(crate) async fn ended(ending: &mut Receiver<bool>) {
    // An error says that the fleet is gone: that is an end, too.
    let _ = ending.wait_for(|ending| *ending).await;
}
