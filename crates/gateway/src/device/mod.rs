//! One connected device: its protocol, and the call it may have. One task each.

mod call;
mod downlink;
mod open;
mod pacer;
mod uplink;

use crate::bridge::ToBackEnd;
use crate::link::{Carrier, Gone, Identity, Link, Said};
use crate::protect::{Bucket, Seldom};
use crate::registry::{Command, Connected, Entered};
use crate::shared::{Phase, Shared};
use call::{Call, Happened};
use open::Prepared;
use sidetone_protocol::message::{Alert, GatewayBody, GatewayMessage};
use sidetone_protocol::session::{Config, EndCause, GatewaySession, Input, Output};
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

static NO_ROOM: Seldom = Seldom::new();
static ANEW: Seldom = Seldom::new();
static NOT_NOW: Seldom = Seldom::new();

/// Serves a device until its connection, or the gateway, ends.
pub(crate) async fn serve<L: Link>(shared: Arc<Shared>, identity: Identity, link: L) {
    match shared.enter(&identity) {
        Ok(entered) => serve_entered(shared, identity, entered, link).await,
        Err(full) => {
            shared.counters.totals.connections_refused.add(1);
            if let Some(times) = NO_ROOM.times() {
                tracing::warn!(device = %identity.device, %full, times, "a device was refused");
            }
            link.close().await;
        }
    }
}

/// The same for a device that has its place already: since before it was told that it is let in, so that of two that come
/// one after the other the later one is the newest.
pub(crate) async fn serve_entered<L: Link>(shared: Arc<Shared>, identity: Identity, entered: Entered, mut link: L) {
    let Entered { connected, commands, left, .. } = entered;
    let rate = f64::from(shared.config().limits.messages_per_second);
    let mut phase = shared.phase.subscribe();
    if *phase.borrow() != Phase::Serving {
        // It came in while the gateway began to end.
        phase.mark_changed();
    }
    let device = Device {
        protocol: GatewaySession::new(protocol_config(&shared)),
        messages: Bucket::new(rate, rate * 5.0, shared.now()),
        phase,
        identity,
        call: None,
        prepared: None,
        commands,
        connected,
        shared,
    };
    device.run(&mut link, left).await;
    link.close().await;
}

fn protocol_config(shared: &Shared) -> Config {
    let gateway = shared.config();
    let session = &gateway.session;
    Config {
        inactivity: Duration::from_secs(session.inactivity),
        device_silence: Duration::from_secs(session.device_silence),
        tail: Duration::from_millis(session.tail),
        ..Config::default()
    }
}

struct Device {
    shared: Arc<Shared>,
    identity: Identity,
    protocol: GatewaySession,
    call: Option<Box<Call>>,
    /// A call whose hello is being answered.
    prepared: Option<Prepared>,
    messages: Bucket,
    commands: mpsc::Receiver<Command>,
    phase: watch::Receiver<Phase>,
    /// Its place among the connected devices.
    connected: Connected,
}

enum Event {
    Said(Option<Said>),
    Call(Happened),
    Command(Option<Command>),
    Phase,
    Tick,
}

impl Device {
    async fn run<L: Link>(mut self, link: &mut L, left: Option<String>) {
        if let Some(session) = left
            && say_left(&session, link).await.is_err()
        {
            return;
        }
        loop {
            let timeout = self.protocol.next_timeout().map(|time| self.shared.instant(time));
            let event = tokio::select! {
                said = link.receive() => Event::Said(said),
                happened = next_of(&mut self.call) => Event::Call(happened),
                command = self.commands.recv() => Event::Command(command),
                _ = self.phase.changed() => Event::Phase,
                () = sleep(timeout) => Event::Tick,
            };
            let end = matches!(event, Event::Said(None) | Event::Phase);
            if self.take(event, link).await.is_err() || end {
                break;
            }
        }
        // Whatever call is left has nobody to be told, before the device is back. (Where the connection itself carries the
        // audio, the device knows; and behind a broker it was the device that began another call.)
        if let Some(call) = &self.call
            && link.carrier() == Carrier::Datagrams
            && self.identity.peer.is_some()
        {
            self.connected.leaves(call.id().to_owned());
        }
        for output in self.protocol.handle(self.shared.time(), Input::Disconnected) {
            if let Output::CloseMedia { cause, .. } = output {
                self.close(cause).await;
            }
        }
    }

    async fn take<L: Link>(&mut self, event: Event, link: &mut L) -> Result<(), Gone> {
        match event {
            Event::Said(Some(said)) => self.said(said, link).await,
            Event::Said(None) | Event::Command(None) => Err(Gone),
            Event::Call(happened) => {
                let Some(call) = &mut self.call else { return Ok(()) };
                for input in call.take(&self.shared, happened, link).await? {
                    self.feed(input, link).await?;
                }
                Ok(())
            }
            Event::Command(Some(Command::End { call, cause })) => {
                // A call that began since is another one.
                if self.call.as_ref().is_some_and(|live| live.id() == call) {
                    self.feed(Input::Close(cause), link).await?;
                }
                Ok(())
            }
            Event::Command(Some(Command::Stats(answer))) => {
                if let Some(call) = &self.call {
                    call.tell_stats(answer);
                }
                Ok(())
            }
            Event::Command(Some(Command::Left(session))) => say_left(&session, link).await,
            Event::Command(Some(Command::Replaced)) => {
                if let Some(times) = ANEW.times() {
                    tracing::info!(device = %self.identity.device, times, "a device connected anew");
                }
                Err(Gone)
            }
            Event::Phase => self.feed(Input::Close(EndCause::Shutdown), link).await,
            Event::Tick => self.feed(Input::Tick, link).await,
        }
    }

    async fn said<L: Link>(&mut self, said: Said, link: &mut L) -> Result<(), Gone> {
        let totals = &self.shared.counters.totals;
        if let Said::Audio { payload } = said {
            let Some(call) = &mut self.call else { return Ok(()) };
            if let Some(input) = call.take_payload(&self.shared, &payload).await {
                self.feed(input, link).await?;
            }
            return Ok(());
        }
        totals.messages.add(1);
        if !self.messages.take(self.shared.now()) {
            totals.messages_limited.add(1);
            return Ok(());
        }
        match said {
            Said::Message(message) => self.feed(Input::Message(message), link).await,
            Said::Malformed(error) => {
                totals.messages_malformed.add(1);
                tracing::debug!(device = %self.identity.device, %error, "a message is not understood");
                let error = GatewayBody::Error { message: error.to_string() };
                link.send(&GatewayMessage::without_session(error)).await
            }
            Said::Audio { .. } => Ok(()),
        }
    }

    /// Takes in what happened, and does what is to be done.
    async fn feed<L: Link>(&mut self, input: Input, link: &mut L) -> Result<(), Gone> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.protocol.handle(self.shared.time(), input) {
                inputs.extend(self.carry_out(output, link).await?);
            }
        }
        Ok(())
    }

    async fn carry_out<L: Link>(&mut self, output: Output, link: &mut L) -> Result<Vec<Input>, Gone> {
        let input = match output {
            Output::Send(message) => {
                if let (Some(call), GatewayBody::Tts(tts)) = (&mut self.call, &message.body) {
                    call.told(tts);
                }
                link.send(&message).await?;
                None
            }
            Output::Hello { hello, said } => {
                self.shared.counters.totals.hellos.add(1);
                let carrier = link.carrier();
                Some(match open::prepare(&self.shared, &self.identity, hello, said, carrier).await {
                    Ok((grant, prepared)) => {
                        self.prepared = Some(prepared);
                        Input::Grant(grant)
                    }
                    Err(refused) => {
                        self.shared.counters.totals.hellos_refused.add(1);
                        if let Some(times) = NOT_NOW.times() {
                            tracing::info!(device = %self.identity.device, %refused, times, "a hello was refused");
                        }
                        Input::Refuse { hello, alert: Alert::sad("Busy", refused.said()) }
                    }
                })
            }
            Output::HelloCancelled { .. } => {
                self.prepared = None;
                None
            }
            Output::OpenMedia(media) => {
                self.call = self.prepared.take().map(|prepared| Box::new(prepared.start(&self.shared, &media)));
                None
            }
            Output::CloseMedia { cause, .. } => {
                self.close(cause).await;
                None
            }
            Output::StartCapture { mode } => {
                let now = self.shared.now();
                self.call.as_mut().and_then(|call| call.start_capture(mode, now))
            }
            Output::StopCapture => self.call.as_mut().and_then(|call| call.stop_capture()),
            Output::WakeWord { text } => self.tell(ToBackEnd::WakeWord(text)),
            Output::Abort { reason } => {
                let Some(call) = &mut self.call else { return Ok(Vec::new()) };
                return Ok(call.abort(&self.shared, reason).await);
            }
            Output::Mcp { payload } => self.tell(ToBackEnd::Mcp(payload)),
            Output::Relay(unknown) => self.tell(ToBackEnd::Relay(unknown)),
            _ => None,
        };
        Ok(input.into_iter().collect())
    }

    fn tell(&mut self, what: ToBackEnd) -> Option<Input> {
        self.call.as_mut().and_then(|call| call.tell(what))
    }

    async fn close(&mut self, cause: EndCause) {
        if let Some(call) = self.call.take() {
            call.close(&self.shared, cause).await;
        }
    }
}

/// A call is over that ended with an earlier connection: firmware would speak on to nobody for two minutes.
async fn say_left<L: Link>(session: &str, link: &mut L) -> Result<(), Gone> {
    link.send(&GatewayMessage::new(session, GatewayBody::Goodbye)).await
}

async fn next_of(call: &mut Option<Box<Call>>) -> Happened {
    match call {
        Some(call) => call.next().await,
        None => pending().await,
    }
}

async fn sleep(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}
