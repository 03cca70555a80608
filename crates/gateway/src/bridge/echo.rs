//! Speaks back what it heard: proves a device, its microphone and its way here, without any speech service.
//!
//! In auto and manual mode it hears until the speaker stops, then answers as a speech server would: what it understood
//! (the length of what it heard), a face, and the same speech. In realtime mode it speaks while it hears, each frame as
//! it comes: full duplex.

use super::{Bridge, BridgeError, Call, Form, Heard, Leg, LegEnd, Message, Speech, ToBackEnd, leg};
use crate::detect::Endpoint;
use sidetone_opus::SampleRate;
use sidetone_protocol::message::{AudioFormat, GatewayBody, ListenMode, Tts};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest turn it keeps.
const LONGEST: Duration = Duration::from_secs(30);

/// The bridge `echo`.
#[derive(Debug, Default)]
pub struct Echo;

impl Bridge for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn open(&self, call: &Call) -> Result<Leg, BridgeError> {
        let audio = &call.hello.audio_params;
        let hz = if audio.format == AudioFormat::Pcm { audio.sample_rate } else { call.downlink.0 };
        let rate = SampleRate::try_from(hz).map_err(|error| BridgeError::Unavailable(error.to_string()))?;
        let (call, end) = leg(Form::Pcm(rate), rate);
        tokio::spawn(Echoing::new(end, rate).run());
        Ok(call)
    }
}

struct Echoing {
    end: LegEnd,
    rate: SampleRate,
    mode: Option<ListenMode>,
    heard: Vec<i16>,
    endpoint: Endpoint,
}

/// The device is gone.
struct Over;

impl Echoing {
    fn new(end: LegEnd, rate: SampleRate) -> Self {
        Self { end, rate, mode: None, heard: Vec::new(), endpoint: Endpoint::new(rate.hz()) }
    }

    async fn run(mut self) {
        // Over: nobody is left to be told.
        let _ = self.serve().await;
    }

    async fn serve(&mut self) -> Result<(), Over> {
        loop {
            let Some(told) = self.hear_or_time_out().await? else {
                self.answer().await?;
                continue;
            };
            match told {
                ToBackEnd::StartCapture(mode) => {
                    self.start(mode);
                    if mode == ListenMode::Realtime {
                        self.speak(Speech::Mark(Tts::Start)).await?;
                    }
                }
                ToBackEnd::Audio(Heard::Pcm { samples, .. }) => self.hear(samples).await?,
                ToBackEnd::StopCapture => match self.mode.take() {
                    Some(ListenMode::Realtime) => self.speak(Speech::Mark(Tts::Stop)).await?,
                    Some(_) => self.answer().await?,
                    None => {}
                },
                ToBackEnd::WakeWord(text) => self.say(GatewayBody::Stt { text }).await?,
                ToBackEnd::Abort(_) => self.heard.clear(),
                _ => {}
            }
        }
    }

    /// What comes next; `None` where the speaker fell silent by sending nothing at all.
    async fn hear_or_time_out(&mut self) -> Result<Option<ToBackEnd>, Over> {
        if !self.endpoint.has_spoken() || self.mode != Some(ListenMode::Auto) {
            return self.end.receive().await.map(Some).ok_or(Over);
        }
        let until = Instant::now() + Endpoint::SILENCE;
        match timeout_at(until, self.end.receive()).await {
            Ok(told) => told.map(Some).ok_or(Over),
            Err(_) => Ok(None),
        }
    }

    fn start(&mut self, mode: ListenMode) {
        self.mode = Some(mode);
        self.heard.clear();
        self.endpoint = Endpoint::new(self.rate.hz());
    }

    async fn hear(&mut self, samples: Vec<i16>) -> Result<(), Over> {
        match self.mode {
            None => Ok(()),
            Some(ListenMode::Realtime) => self.speak(Speech::Pcm(samples)).await,
            Some(mode) => {
                let over = self.endpoint.hear(&samples);
                self.heard.extend(samples);
                let longest = (LONGEST.as_secs() * u64::from(self.rate.hz())) as usize;
                if (over && mode == ListenMode::Auto) || self.heard.len() >= longest {
                    self.answer().await?;
                }
                Ok(())
            }
        }
    }

    /// The speaker has finished: the same back.
    async fn answer(&mut self) -> Result<(), Over> {
        self.mode = None;
        let speech = std::mem::take(&mut self.heard);
        self.endpoint = Endpoint::new(self.rate.hz());
        if speech.is_empty() {
            return Ok(());
        }
        let seconds = speech.len() as f64 / f64::from(self.rate.hz());
        let text = format!("{seconds:.1} s of speech");
        self.say(GatewayBody::Stt { text: text.clone() }).await?;
        self.say(GatewayBody::Llm { text: "🙂".into(), emotion: "happy".into() }).await?;
        self.speak(Speech::Mark(Tts::Start)).await?;
        self.speak(Speech::Mark(Tts::SentenceStart { text })).await?;
        // In pieces, so that an interruption finds most of it still here.
        for piece in speech.chunks(self.rate.hz() as usize / 4) {
            self.speak(Speech::Pcm(piece.to_vec())).await?;
        }
        self.speak(Speech::Mark(Tts::Stop)).await
    }

    async fn say(&self, body: GatewayBody) -> Result<(), Over> {
        self.end.messages.send(Message::Say(body)).await.map_err(|_| Over)
    }

    async fn speak(&self, speech: Speech) -> Result<(), Over> {
        self.end.speech.send(speech).await.map_err(|_| Over)
    }
}
