//! A speech server on WebSocket (xiaozhi-server): one connection a call, opened behind the leg.
//!
//! Opus goes through untouched in both directions, where it can: to the server always, but for a device that speaks
//! PCM; to the device where a packet has the duration and channels that it was told. What does not fit is coded anew in
//! the sandbox. Messages go through as parsed JSON: numbers beyond 64 bits, the order of fields, and doubled ones are
//! not kept.
//!
//! | the server                     | the call                                                              |
//! |--------------------------------|-----------------------------------------------------------------------|
//! | is not there, or says no hello | tries again for 6 s, then ends with an alert                          |
//! | refuses us                     | ends with an alert                                                    |
//! | goes away                      | tries again for 15 s; the user is told after 2 s, once                |
//! | closes in good order (1000)    | ends with a goodbye, after what was said has been played              |
//! | does not read                  | loses the oldest audio; after 5 s the connection, as above            |
//! | sends more than can be played  | two minutes or 512 KiB are read ahead, then the server waits          |
//! | sends what is not understood   | passes over it; after 64 in a row loses the connection, as above      |

mod connection;
mod dial;
mod frames;
mod health;
mod listening;
mod retry;
mod settings;
mod speech;
mod talk;

use super::{Bridge, BridgeError, Call, Coding, Form, Leg, leg};
use crate::config::BridgeConfig;
use crate::counters::SpeechServerCounts;
use crate::error::StartError;
use health::Health;
use settings::Settings;
use sidetone_opus::{FrameDuration, SampleRate};
use sidetone_protocol::message::AudioFormat;
use std::sync::Arc;
use talk::Talk;
use tokio::time::Instant;

/// The bridge `websocket`.
#[derive(Debug)]
pub struct SpeechServer(Arc<Server>);

/// What all calls to one server have in common.
#[derive(Debug)]
struct Server {
    settings: Settings,
    health: Health,
    counts: SpeechServerCounts,
}

impl SpeechServer {
    /// Takes in where the server is. Does not connect.
    ///
    /// # Errors
    /// [`StartError`] names the setting that does not go.
    pub fn new(config: &BridgeConfig) -> Result<Self, StartError> {
        let settings = Settings::new(config)?;
        Ok(Self(Arc::new(Server { settings, health: Health::default(), counts: SpeechServerCounts::default() })))
    }

    /// What it counted, by name: connections, failures, what was dropped and why.
    #[must_use]
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        self.0.counts.list().collect()
    }

    /// Where to read [`counts`](Self::counts) once a gateway has the bridge.
    pub fn watch(&self) -> impl Fn() -> Vec<(&'static str, u64)> + Send + Sync + use<> {
        let server = self.0.clone();
        move || server.counts.list().collect()
    }
}

impl Bridge for SpeechServer {
    fn name(&self) -> &'static str {
        "websocket"
    }

    fn open(&self, call: &Call) -> Result<Leg, BridgeError> {
        let (form, rate, coding) = audio(call, self.0.settings.transcode)?;
        let (leg, end) = leg(form, rate);
        tokio::spawn(Talk::new(self.0.clone(), call.clone(), end, coding).run());
        Ok(leg)
    }

    fn is_ready(&self) -> bool {
        self.0.health.is_ready(Instant::now())
    }

    fn instances(&self) -> u32 {
        1
    }
}

/// The form of the leg, the rate of its PCM, and how what does not fit is coded.
fn audio(call: &Call, transcode: bool) -> Result<(Form, SampleRate, Coding), BridgeError> {
    let unavailable = |error: sidetone_opus::Error| BridgeError::Unavailable(error.to_string());
    let said = &call.hello.audio_params;
    let rate = SampleRate::try_from(said.sample_rate).map_err(unavailable)?;
    let pcm = said.format == AudioFormat::Pcm;
    let downlink = if pcm { rate } else { SampleRate::try_from(call.downlink.0).map_err(unavailable)? };
    let coding = Coding {
        rate,
        channels: call.uplink_channels(),
        frame: FrameDuration::from_micros(said.frame_duration * 1_000).map_err(unavailable)?,
        decoded_rate: downlink,
        decoded_channels: call.downlink_channels(),
    };
    let form = if pcm || transcode { Form::Pcm(rate) } else { Form::Packets };
    Ok((form, downlink, coding))
}
