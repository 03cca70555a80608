//! Speaks back what it heard: proves a device, its microphone and its way here, without any speech service.
//!
//! In auto and manual mode it hears until the speaker stops, then answers as a speech server would: what it understood
//! (the length of what it heard), a face, and the same speech. In realtime mode it speaks while it hears, each frame as
//! it comes: full duplex.

use super::codecs::mixed_down;
use super::{Bridge, BridgeError, Call, Form, Heard, Leg, LegEnd, Over, Speech, ToBackEnd, leg};
use crate::detect::Endpoint;
use sidetone_opus::{Channels, SampleRate};
use sidetone_protocol::message::{AudioFormat, GatewayBody, ListenMode, Tts};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest turn it keeps.
const LONGEST: Duration = Duration::from_secs(30);

/// What it says at a time, so that an interruption finds most of a long answer still here.
const PIECE: Duration = Duration::from_millis(240);

/// What it keeps of the silence before speech, so that no beginning is cut off.
const BEFORE: Duration = Duration::from_millis(500);

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
        let (leg, end) = leg(Form::Pcm(rate), rate);
        tokio::spawn(Echoing::new(end, rate, call.uplink_channels(), call.downlink_channels()).run());
        Ok(leg)
    }
}

struct Echoing {
    end: LegEnd,
    rate: SampleRate,
    /// Channels that it hears, and those that it speaks.
    channels: (Channels, Channels),
    mode: Option<ListenMode>,
    heard: Vec<i16>,
    endpoint: Endpoint,
    /// In realtime mode: the device plays.
    speaking: bool,
}

impl Echoing {
    fn new(end: LegEnd, rate: SampleRate, hears: Channels, speaks: Channels) -> Self {
        let endpoint = Endpoint::new(rate.hz() * speaks.count() as u32);
        let channels = (hears, speaks);
        Self { end, rate, channels, mode: None, heard: Vec::new(), endpoint, speaking: false }
    }

    async fn run(mut self) {
        // Over: nobody is left to be told.
        let _ = self.serve().await;
    }

    async fn serve(&mut self) -> Result<(), Over> {
        loop {
            let Some(told) = self.hear_or_time_out().await? else {
                self.answer(ListenMode::Auto).await?;
                continue;
            };
            match told {
                ToBackEnd::StartCapture(mode) => {
                    self.start(mode);
                    if mode == ListenMode::Realtime {
                        self.begin().await?;
                    }
                }
                ToBackEnd::Audio(Heard::Pcm { samples, .. }) => self.hear(samples).await?,
                ToBackEnd::StopCapture => match self.mode.take() {
                    Some(ListenMode::Realtime) => self.end.send(Speech::Mark(Tts::Stop)).await?,
                    Some(mode) => self.answer(mode).await?,
                    None => {}
                },
                ToBackEnd::WakeWord(text) => self.end.send(GatewayBody::Stt { text }).await?,
                // What is said after it is a new turn, without another word of the device.
                ToBackEnd::Abort(_) => {
                    self.speaking = false;
                    if let Some(mode) = self.mode {
                        self.start(mode);
                    }
                }
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
        self.endpoint = Endpoint::new(self.per_second());
    }

    /// Samples a second, of all channels.
    fn per_second(&self) -> u32 {
        self.rate.hz() * self.channels.1.count() as u32
    }

    fn samples(&self, lasting: Duration) -> usize {
        (lasting.as_millis() as usize) * self.per_second() as usize / 1_000
    }

    async fn begin(&mut self) -> Result<(), Over> {
        self.speaking = true;
        self.end.send(Speech::Mark(Tts::Start)).await?;
        self.end.send(Speech::Live).await
    }

    async fn hear(&mut self, samples: Vec<i16>) -> Result<(), Over> {
        let samples = match self.channels {
            (Channels::Stereo, Channels::Mono) => mixed_down(&samples),
            _ => samples,
        };
        match self.mode {
            None => Ok(()),
            Some(ListenMode::Realtime) => {
                if !self.speaking {
                    self.begin().await?;
                }
                self.end.send(Speech::Pcm(samples)).await
            }
            Some(mode) => {
                let over = self.endpoint.hear(&samples);
                self.heard.extend(samples);
                if mode == ListenMode::Auto && !self.endpoint.has_spoken() {
                    let silence = self.heard.len().saturating_sub(self.samples(BEFORE));
                    self.heard.drain(..silence);
                }
                if (over && mode == ListenMode::Auto) || self.heard.len() >= self.samples(LONGEST) {
                    self.answer(mode).await?;
                }
                Ok(())
            }
        }
    }

    /// The speaker has finished: the same back. Who held no button and said nothing is not answered.
    async fn answer(&mut self, mode: ListenMode) -> Result<(), Over> {
        self.mode = None;
        let speech = std::mem::take(&mut self.heard);
        let spoken = mode == ListenMode::Manual || self.endpoint.has_spoken();
        self.endpoint = Endpoint::new(self.per_second());
        if speech.is_empty() || !spoken {
            return Ok(());
        }
        let seconds = speech.len() as f64 / f64::from(self.per_second());
        let text = format!("{seconds:.1} s of speech");
        self.end.send(GatewayBody::Stt { text: text.clone() }).await?;
        self.end.send(GatewayBody::Llm { text: "🙂".into(), emotion: "happy".into() }).await?;
        self.end.send(Speech::Mark(Tts::Start)).await?;
        self.end.send(Speech::Mark(Tts::SentenceStart { text })).await?;
        for piece in speech.chunks(self.samples(PIECE)) {
            self.end.send(Speech::Pcm(piece.to_vec())).await?;
        }
        self.end.send(Speech::Mark(Tts::Stop)).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::ToDevice;
    use super::*;

    const RATE: SampleRate = SampleRate::Hz16000;

    fn opened(hears: Channels) -> Leg {
        let (leg, end) = leg(Form::Pcm(RATE), RATE);
        tokio::spawn(Echoing::new(end, RATE, hears, Channels::Mono).run());
        leg
    }

    fn say(leg: &Leg, samples: &[i16]) {
        for piece in samples.chunks(960) {
            leg.to.put(ToBackEnd::Audio(Heard::Pcm { samples: piece.to_vec(), position: 0 }));
        }
    }

    fn listen(leg: &Leg, mode: ListenMode) {
        leg.to.put(ToBackEnd::StartCapture(mode));
    }

    fn silence(millis: usize) -> Vec<i16> {
        vec![0; 16 * millis]
    }

    /// Samples of which no two neighbours are alike.
    fn voice(millis: usize) -> Vec<i16> {
        (0..16 * millis).map(|n| if n % 40 < 20 { 3_000 + (n % 7) as i16 } else { -3_000 }).collect()
    }

    /// What comes up to the stop: what is said, in order, and what is spoken.
    async fn turn(leg: &mut Leg) -> (Vec<GatewayBody>, Vec<i16>) {
        let (mut said, mut heard) = (Vec::new(), Vec::new());
        loop {
            match leg.from.recv().await.expect("the echo is there") {
                ToDevice::Speech(Speech::Mark(Tts::Stop)) => return (said, heard),
                ToDevice::Speech(Speech::Mark(mark)) => said.push(GatewayBody::Tts(mark)),
                ToDevice::Speech(Speech::Pcm(samples)) => heard.extend(samples),
                ToDevice::Speech(Speech::Live) => {}
                ToDevice::Say(body) => said.push(body),
                other => unreachable!("it speaks PCM and stays: {other:?}"),
            }
        }
    }

    /// The words around an answer.
    fn sentence(text: &str) -> [GatewayBody; 4] {
        let text = String::from(text);
        [
            GatewayBody::Stt { text: text.clone() },
            GatewayBody::Llm { text: "🙂".into(), emotion: "happy".into() },
            GatewayBody::Tts(Tts::Start),
            GatewayBody::Tts(Tts::SentenceStart { text }),
        ]
    }

    #[tokio::test]
    async fn in_auto_mode_silence_ends_a_turn_and_is_no_turn_itself() {
        let mut leg = opened(Channels::Mono);
        listen(&leg, ListenMode::Auto);
        say(&leg, &silence(2_880));
        // More than the leg's queue holds at a time.
        tokio::task::yield_now().await;
        say(&leg, &[voice(600), silence(1_200)].concat());
        let (said, heard) = turn(&mut leg).await;
        assert_eq!(said, sentence("1.9 s of speech"));
        let spoken = voice(600);
        let at = heard.iter().position(|&sample| sample != 0).unwrap();
        assert!((16 * 380..=16 * 500).contains(&at), "{at} samples of the silence before it");
        assert_eq!(heard[at..][..spoken.len()], spoken);
        assert_eq!(heard.len(), at + spoken.len() + 16 * 840, "with the silence that ended it, in whole frames");
    }

    #[tokio::test]
    async fn in_auto_mode_a_device_that_sends_nothing_is_silent() {
        let mut leg = opened(Channels::Mono);
        listen(&leg, ListenMode::Auto);
        say(&leg, &voice(600));
        assert_eq!(turn(&mut leg).await.1, voice(600));
    }

    #[tokio::test]
    async fn who_says_nothing_is_not_answered() {
        let mut leg = opened(Channels::Mono);
        listen(&leg, ListenMode::Auto);
        say(&leg, &silence(1_200));
        leg.to.put(ToBackEnd::StopCapture);
        listen(&leg, ListenMode::Manual);
        leg.to.put(ToBackEnd::StopCapture);
        listen(&leg, ListenMode::Manual);
        say(&leg, &voice(60));
        leg.to.put(ToBackEnd::StopCapture);
        assert_eq!(turn(&mut leg).await, (sentence("0.1 s of speech").into(), voice(60)));
    }

    #[tokio::test]
    async fn in_manual_mode_all_that_was_said_comes_back_after_the_stop() {
        let mut leg = opened(Channels::Mono);
        listen(&leg, ListenMode::Manual);
        let said = [silence(600), voice(600), silence(1_200)].concat();
        say(&leg, &said);
        tokio::task::yield_now().await;
        assert!(leg.from.try_recv().is_err(), "the button is still held");
        leg.to.put(ToBackEnd::StopCapture);
        assert_eq!(turn(&mut leg).await.1, said);
    }

    #[tokio::test]
    async fn in_realtime_mode_each_piece_comes_back_by_itself_also_after_an_interruption() {
        let mut leg = opened(Channels::Mono);
        listen(&leg, ListenMode::Realtime);
        for _ in 0..2 {
            for piece in 0..3 {
                say(&leg, &voice(60));
                if piece == 0 {
                    assert_eq!(leg.from.recv().await, Some(Speech::Mark(Tts::Start).into()));
                    assert_eq!(leg.from.recv().await, Some(Speech::Live.into()));
                }
                assert_eq!(leg.from.recv().await, Some(Speech::Pcm(voice(60)).into()), "before anything else is said");
            }
            leg.to.put(ToBackEnd::Abort(None));
        }
        say(&leg, &voice(60));
        leg.to.put(ToBackEnd::StopCapture);
        assert_eq!(turn(&mut leg).await, (vec![GatewayBody::Tts(Tts::Start)], voice(60)));
    }

    #[tokio::test]
    async fn stereo_is_mixed_for_a_device_that_hears_mono() {
        let mut leg = opened(Channels::Stereo);
        listen(&leg, ListenMode::Manual);
        let stereo = |millis| voice(millis).into_iter().flat_map(|sample| [sample, sample + 2]).collect::<Vec<_>>();
        leg.to.put(ToBackEnd::Audio(Heard::Pcm { samples: stereo(60), position: 0 }));
        leg.to.put(ToBackEnd::StopCapture);
        let (said, heard) = turn(&mut leg).await;
        assert_eq!(said, sentence("0.1 s of speech"));
        assert_eq!(heard, voice(60).into_iter().map(|sample| sample + 1).collect::<Vec<_>>());
    }
}
