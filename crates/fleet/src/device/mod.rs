//! One virtual device: a task that carries out what the device's state machine says, on real sockets.

mod act;
mod arrivals;
mod call;
pub(crate) mod identity;
mod link;
mod playout;
mod port;
mod talk;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use call::{Call, Came};
use link::{Link, LinkEvent};
pub(crate) use port::{Hubs, bind};
use sidetone_mqtt::Options;
use sidetone_protocol::device::{Activity, Device, Input};
use sidetone_protocol::message::{GatewayBody, GatewayMessage, ListenMode};
use sidetone_protocol::topic::ClientId;
use talk::Step;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use crate::random::Random;
use crate::stats::{count, enter, leave};
use crate::{Config, Error, Pattern, Shared};

/// How soon a device that has no call tries again after one failed.
const RETRY: Duration = Duration::from_secs(5);

/// The same after a call that stood and was ended by the gateway: its user is in the middle of something. By half more
/// or less, so that not all come at once; with the nine seconds in which a broker notices a gateway that hangs, less than
/// ten.
const RESUME: Duration = Duration::from_millis(500);

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
    /// How soon it tries again, when it has no call.
    retry: Duration,
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
            retry: RETRY,
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
            // Messages first: a `tts start` comes right before the first packet, a `tts stop` long after the last one.
            event = link.event() => Event::Link(event),
            () = readable => Event::Readable,
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
                let retry = std::mem::replace(&mut self.retry, RETRY);
                self.plan = match self.next_call(*calls, now) {
                    Plan::Call(at) => Plan::Call(at.max(now + self.random.around(retry))),
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
