//! Recording: the audio of both directions and what was said besides, three files a session and more where audio
//! changes its form.
//!
//! | file               | what                                                                           |
//! |--------------------|--------------------------------------------------------------------------------|
//! | `….uplink.wav`     | what the device said, turn after turn; `.opus`, untouched, where the back end takes packets |
//! | `….downlink.wav`   | what the back end said, as PCM; `….downlink.opus` what it said as packets       |
//! | `….jsonl`          | a line an event: `ms` since the start, and where in the audio it was            |
//!
//! Files end in `.part` until the call is over. A disk that is full, slow or broken costs the recording, not the call.

mod events;
mod files;
mod name;
mod tap;
mod writer;

use super::{Bridge, BridgeError, Call, Form, Leg, leg};
use crate::config::BridgeConfig;
use crate::counters::RecordCounts;
use crate::error::StartError;
use sidetone_opus::SampleRate;
use std::sync::Arc;
use tap::Tap;
use writer::Writer;

/// Records calls: by itself the bridge `record`, which hears and says nothing, or around another.
#[derive(Debug)]
pub struct Recorder {
    around: Box<dyn Bridge>,
    /// Recording is all there is: the user is told when it fails.
    alone: bool,
    writer: Writer,
}

impl Recorder {
    /// Records what devices say. Makes the directory.
    ///
    /// # Errors
    /// [`StartError::File`], where the directory cannot be made or written to.
    pub fn new(config: &BridgeConfig) -> Result<Self, StartError> {
        Ok(Self { around: Box::new(Listener), alone: true, writer: Writer::start(config)? })
    }

    /// Records what goes through another bridge, in the form in which it does.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn around(bridge: Box<dyn Bridge>, config: &BridgeConfig) -> Result<Self, StartError> {
        Ok(Self { around: bridge, alone: false, writer: Writer::start(config)? })
    }

    /// Where to read what it counted, by name: files, bytes, what was lost and why.
    pub fn watch(&self) -> impl Fn() -> Vec<(&'static str, u64)> + Send + Sync + use<> {
        let counts: Arc<RecordCounts> = self.writer.counts();
        move || counts.list().collect()
    }
}

impl Bridge for Recorder {
    fn name(&self) -> &'static str {
        if self.alone { "record" } else { self.around.name() }
    }

    fn open(&self, call: &Call) -> Result<Leg, BridgeError> {
        let inner = self.around.open(call)?;
        let (outer, end) = leg(inner.uplink, inner.rate);
        let session = self.writer.open(call, inner.uplink, inner.rate);
        tokio::spawn(Tap::new(end, inner, session, self.alone).run());
        Ok(outer)
    }

    fn is_ready(&self) -> bool {
        self.around.is_ready()
    }

    fn instances(&self) -> u32 {
        self.around.instances()
    }
}

/// A back end that hears, and says nothing.
#[derive(Debug)]
struct Listener;

impl Bridge for Listener {
    fn name(&self) -> &'static str {
        "record"
    }

    fn open(&self, call: &Call) -> Result<Leg, BridgeError> {
        let unavailable = |error: sidetone_opus::Error| BridgeError::Unavailable(error.to_string());
        let rate = SampleRate::try_from(call.hello.audio_params.sample_rate).map_err(unavailable)?;
        // A device that speaks PCM hears PCM of the same rate.
        let (call, end) = leg(Form::Pcm(rate), rate);
        tokio::spawn(async move { while end.receive().await.is_some() {} });
        Ok(call)
    }
}
