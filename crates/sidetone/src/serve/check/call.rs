//! One call in realtime mode: each frame comes back as soon as it was heard.

use super::control::Control;
use super::measure::{self, Measured, Taken};
use crate::sandbox::Sandbox;
use anyhow::{Context, Result, bail};
use sidetone_host::{Key, Session};
use sidetone_opus::{Application, Bitrate};
use sidetone_protocol::device::{Config, Device, Input, Output};
use sidetone_protocol::message::ListenMode;
use sidetone_protocol::{Media, Time};
use sidetone_session::Quality;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until};

/// What the device speaks: the firmware's packets.
const FRAME: Duration = Duration::from_millis(60);

/// Samples of one, at 16 kHz.
const SAMPLES: usize = 960;

/// How long after the last frame was spoken the echo is listened to.
const TAIL: Duration = Duration::from_millis(600);

/// The largest datagram, and one byte more.
const DATAGRAM: usize = 2048;

/// Calls, speaks the clip (16 kHz, mono), and hangs up.
pub(super) async fn call(control: Control, udp: SocketAddr, clip: &[i16]) -> Result<Measured> {
    let mut caller = Caller::new(control, udp, clip).await?;
    caller.handle(Input::Start).await?;
    caller.handle(Input::Connected).await?;
    caller.handle(Input::Listen(ListenMode::Realtime)).await?;
    caller.talk().await?;
    caller.handle(Input::Hangup).await?;
    measure::judge(clip, caller.taken)
}

struct Caller<'a> {
    control: Control,
    socket: UdpSocket,
    sandbox: Sandbox,
    device: Device,
    epoch: Instant,
    session: Option<Session>,
    clip: std::slice::ChunksExact<'a, i16>,
    /// When the next frame is spoken.
    next: Option<Instant>,
    taken: Taken,
}

enum Happened {
    Message(sidetone_protocol::message::GatewayMessage),
    Datagram(usize),
    Frame,
}

impl<'a> Caller<'a> {
    async fn new(control: Control, udp: SocketAddr, clip: &'a [i16]) -> Result<Self> {
        let any: IpAddr = if udp.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).await.context("no UDP port for the device")?;
        socket.connect(udp).await.with_context(|| format!("UDP to {udp}"))?;
        let taken = Taken { way: control.name(), ..Taken::default() };
        Ok(Self {
            control,
            socket,
            sandbox: Sandbox::new()?,
            device: Device::new(Config::firmware().with_server_aec(), 1),
            epoch: Instant::now(),
            session: None,
            clip: clip.chunks_exact(SAMPLES),
            next: None,
            taken,
        })
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Tells the device's state machine, and does what it wants.
    async fn handle(&mut self, input: Input) -> Result<()> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = Time::from_millis(self.now().as_millis() as u64);
            for output in self.device.handle(now, input) {
                match output {
                    Output::Send(message) => {
                        if self.taken.hello.is_none() {
                            self.taken.hello = Some(self.now());
                        }
                        self.control.send(message).await?;
                    }
                    Output::OpenMedia(media) => self.open(&media)?,
                    Output::StartCapture { .. } => self.next = Some(Instant::now()),
                    Output::StopCapture => self.next = None,
                    Output::Failed(failure) => bail!("the call did not come about: {failure:?}"),
                    Output::CloseMedia { cause, .. } => self.taken.ended = Some(cause),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, media: &Media) -> Result<()> {
        self.taken.granted = Some(self.now());
        let udp = media.udp.as_ref().context("the gateway offers no UDP")?;
        let mut config = sidetone_session::Config::device(udp.nonce.connection_id());
        // Waveforms are compared: better than firmware codes.
        (config.quality, config.outgoing.application) = (Quality::Full, Application::Audio);
        config.outgoing.bitrate = Bitrate::BitsPerSecond(measure::BITRATE);
        let rate = sidetone_opus::SampleRate::try_from(measure::RATE).context("the rate of the check")?;
        config.incoming.rate = rate;
        config.incoming.frame = sidetone_opus::FrameDuration::from_micros(media.downlink.frame_duration * 1000)
            .context("a frame duration that is not Opus's")?;
        self.session = Some(self.sandbox.session(&Key::new(*udp.key.expose()), &config)?);
        Ok(())
    }

    /// Speaks the clip and hears the echo.
    async fn talk(&mut self) -> Result<()> {
        let mut datagram = [0; DATAGRAM];
        let mut until = None;
        loop {
            let next = self.next;
            let happened = tokio::select! {
                message = self.control.receive() => Happened::Message(message?),
                len = self.socket.recv(&mut datagram), if self.session.is_some() => Happened::Datagram(len.context("UDP")?),
                () = sleep(next) => Happened::Frame,
                () = sleep(until) => return Ok(()),
            };
            match happened {
                Happened::Message(message) => self.handle(Input::Message(message)).await?,
                Happened::Datagram(len) => self.hear(&datagram[..len]).await?,
                Happened::Frame => {
                    self.speak().await?;
                    if self.next.is_none() {
                        until = Some(Instant::now() + TAIL);
                    }
                }
            }
            if let Some(cause) = self.taken.ended {
                bail!("the gateway ended the call: {cause:?}");
            }
        }
    }

    async fn speak(&mut self) -> Result<()> {
        let (Some(due), Some(session)) = (self.next, self.session.as_mut()) else { return Ok(()) };
        let Some(frame) = self.clip.next() else {
            self.next = None;
            return Ok(());
        };
        let elapsed = self.epoch.elapsed();
        for datagram in session.send(frame, elapsed.as_millis() as u32)? {
            self.socket.send(&datagram).await.context("UDP")?;
            self.taken.spoken_at.get_or_insert(elapsed);
            self.taken.spoken += 1;
        }
        self.next = Some(due + FRAME);
        Ok(())
    }

    async fn hear(&mut self, datagram: &[u8]) -> Result<()> {
        let now = self.now();
        let Some(session) = self.session.as_mut() else { return Ok(()) };
        let received = session.receive(datagram).context("a packet of the gateway")?;
        self.handle(Input::AudioHeard).await?;
        if self.device.is_playing() {
            self.taken.heard_at.get_or_insert(now);
            self.taken.heard += 1;
            self.taken.samples.extend(received.samples);
        }
        Ok(())
    }
}

async fn sleep(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}
