//! Answering a hello: a session in the pool, a leg to the back end, a place for its datagrams.

use super::call::Call;
use super::uplink::Way;
use crate::bridge::{self, BridgeError, Form, Leg};
use crate::link::{Carrier, Identity};
use crate::shared::{Phase, Shared};
use sidetone_host::{Key, PoolError, PoolSession};
use sidetone_opus::{Bitrate, Channels, FrameDuration, SampleRate};
use sidetone_packet::{Direction, Opener, OpenerConfig, Sealer};
use sidetone_protocol::Media;
use sidetone_protocol::message::{AudioFormat, AudioParams, DeviceHello};
use sidetone_protocol::session::{GRANT_RANDOM, Grant, HelloId};
use sidetone_session::{Config, Delivery, Payload};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a hello is refused.
#[derive(Debug, Error)]
pub(super) enum Refused {
    #[error("the gateway is shutting down")]
    Draining,
    #[error("too many hellos a second")]
    Rate,
    #[error("all {0} calls are taken")]
    Calls(u32),
    #[error("{0}")]
    Pool(#[from] PoolError),
    #[error("{0}")]
    Bridge(#[from] BridgeError),
    #[error("no random bytes: {0}")]
    Random(getrandom::Error),
    #[error("connection ids run into each other")]
    ConnectionId,
    #[error("{0} is not known")]
    Audio(String),
}

impl Refused {
    /// What the user is shown.
    pub(super) const fn said(&self) -> &'static str {
        match self {
            Self::Draining => "The server is restarting. Please try again.",
            Self::Bridge(_) => "The speech service is not available. Please try again later.",
            Self::Audio(_) => "This device's audio is not supported.",
            _ => "The server is busy. Please try again.",
        }
    }
}

/// A call that is ready to start once its hello is granted.
pub(super) struct Prepared {
    session: PoolSession,
    leg: Leg,
    way: Way,
    config: Config,
    identity: Identity,
    hello: DeviceHello,
}

pub(super) async fn prepare(
    shared: &Arc<Shared>,
    identity: &Identity,
    id: HelloId,
    hello: DeviceHello,
    carrier: Carrier,
) -> Result<(Grant, Prepared), Refused> {
    if *shared.phase.borrow() != Phase::Serving {
        return Err(Refused::Draining);
    }
    if !shared.admits_hello() {
        return Err(Refused::Rate);
    }
    let most = shared.config().limits.calls;
    if shared.calls.len() >= most as usize {
        return Err(Refused::Calls(most));
    }
    let mut random = Zeroizing::new([0; GRANT_RANDOM]);
    getrandom::fill(&mut *random).map_err(Refused::Random)?;
    let downlink = downlink(shared, &hello);
    let (host, port) = shared.udp_endpoint(identity);
    let mut grant = Grant::with_udp(id, &mut random, downlink, &host, port);
    let Some(udp) = &grant.udp else { return Err(Refused::ConnectionId) };
    let (key, connection_id) = (Key::new(*udp.key.expose()), udp.nonce.connection_id());

    let way = if carrier == Carrier::Datagrams {
        let frame = Duration::from_millis(hello.audio_params.frame_duration.into());
        let (registration, inbox) = shared.media.register(connection_id, frame).ok_or(Refused::ConnectionId)?;
        Way::datagrams(registration, inbox)
    } else {
        let sealer = Sealer::new(key.bytes(), connection_id, Direction::Uplink);
        let opener = Opener::new(key.bytes(), connection_id, Direction::Downlink, OpenerConfig::default());
        grant.udp = None;
        Way::Link { sealer, opener }
    };

    let call = bridge::Call {
        session_id: grant.session_id.clone(),
        device: identity.device.to_string(),
        tenant: identity.tenant.clone(),
        peer: identity.peer,
        hello: hello.clone(),
        downlink: (grant.downlink.sample_rate, grant.downlink.frame_duration),
        codecs: bridge::Codecs::new(shared.pool.clone()),
    };
    let leg = shared.bridge.open(&call)?;
    let config = session_config(shared, connection_id, &hello.audio_params, &grant.downlink, &leg)?;
    let session = shared.pool.open(&identity.tenant, &key, config).await?;
    Ok((grant, Prepared { session, leg, way, config, identity: identity.clone(), hello }))
}

impl Prepared {
    pub(super) fn start(self, shared: &Arc<Shared>, media: &Media) -> Call {
        let Self { session, leg, way, config, identity, hello } = self;
        Call::start(shared, media, session, leg, way, config, &identity, &hello)
    }
}

/// What the device is told that it will hear. A device that asks for PCM gets it where it fits a packet.
fn downlink(shared: &Shared, hello: &DeviceHello) -> AudioParams {
    let gateway = shared.config();
    let audio = &gateway.audio;
    let opus = AudioParams { sample_rate: audio.rate, frame_duration: audio.frame, ..AudioParams::GATEWAY };
    if hello.audio_params.format == AudioFormat::Pcm {
        // Checked by the protocol: it fits.
        return AudioParams { play_buffer_duration: None, ..hello.audio_params.clone() };
    }
    opus
}

fn session_config(
    shared: &Shared,
    connection_id: u32,
    uplink: &AudioParams,
    downlink: &AudioParams,
    leg: &Leg,
) -> Result<Config, Refused> {
    let gateway = shared.config();
    let audio = &gateway.audio;
    let mut config = Config::gateway(connection_id);
    config.quality = audio.quality.into();
    let (payload, frame, channels) = coding(uplink)?;
    let incoming = &mut config.incoming;
    (incoming.payload, incoming.frame, incoming.channels) = (payload, frame, channels);
    match (leg.uplink, payload) {
        // What is not coded is not resampled either.
        (form, Payload::Pcm) if form != Form::Pcm(rate(uplink.sample_rate)?) => {
            return Err(Refused::Audio(format!("PCM at {} Hz for this back end", uplink.sample_rate)));
        }
        (Form::Pcm(rate), _) => incoming.rate = rate,
        (Form::Packets, _) => incoming.delivery = Delivery::Packets,
    }
    let (payload, frame, channels) = coding(downlink)?;
    let outgoing = &mut config.outgoing;
    (outgoing.payload, outgoing.frame, outgoing.channels) = (payload, frame, channels);
    outgoing.rate = leg.rate;
    if payload == Payload::Pcm && leg.rate.hz() != downlink.sample_rate {
        return Err(Refused::Audio(format!("PCM at {} Hz for this back end", downlink.sample_rate)));
    }
    outgoing.application = audio.application.into();
    outgoing.bitrate = audio.bitrate.map_or(Bitrate::Auto, Bitrate::BitsPerSecond);
    (outgoing.fec, outgoing.expected_loss) = (audio.fec, audio.expected_loss);
    Ok(config)
}

fn coding(audio: &AudioParams) -> Result<(Payload, FrameDuration, Channels), Refused> {
    let unknown = |what: &str| Refused::Audio(format!("{what} of {audio:?}"));
    let payload = match audio.format {
        AudioFormat::Opus => Payload::Opus,
        AudioFormat::Pcm => Payload::Pcm,
        AudioFormat::Other(_) => return Err(unknown("format")),
    };
    let frame = FrameDuration::from_micros(audio.frame_duration * 1000).map_err(|_| unknown("frame duration"))?;
    let channels = if audio.channels == 2 { Channels::Stereo } else { Channels::Mono };
    Ok((payload, frame, channels))
}

fn rate(hz: u32) -> Result<SampleRate, Refused> {
    SampleRate::try_from(hz).map_err(|_| Refused::Audio(format!("sample rate of {hz} Hz")))
}
