//! `sidetone transcode`: IN to OUT through the component. This file is the way; each stage has a file.

mod args;
mod decode;
mod encode;
mod line;
mod output;
mod sealed;
mod source;
mod stream;
mod summary;

pub(crate) use args::Args;

use crate::report::{self, Times};
use crate::sandbox::Sandbox;
use anyhow::{Context, Result, bail};
use clap::error::ErrorKind;
use decode::Heard;
use encode::{Clip, encode, nearest};
use sidetone_audio::measure::compare;
use sidetone_audio::{Format, Pcm, detect, resample};
use sidetone_host::Key;
use sidetone_opus::{Channels, SampleRate};
use source::Source;
use std::process::ExitCode;
use stream::{Stream, at};
use summary::{File, Loss, Sealed, Summary};

pub(crate) fn main(args: &Args) -> Result<ExitCode> {
    // Usage errors end here, as those that clap finds itself.
    let usage =
        |error: anyhow::Error| -> ! { clap::Error::raw(ErrorKind::ValueValidation, format!("{error:#}\n")).exit() };
    let key = args.line.key().unwrap_or_else(|error| usage(error));
    let to = Format::of_name(&args.output).unwrap_or_else(|error| usage(error.into()));
    let from = detect::detect(&args.input)?;
    if from != Format::Wav && to == Format::Wav && args.encoder.any() {
        usage(anyhow::anyhow!("encoder options do nothing here: {from} to WAV only decodes"));
    }
    let source = Source::read(&args.input, from)?;
    output::check(&args.input, &args.output)?;

    let (rate, channels) = source.shape();
    let samples = match &source {
        Source::Clip(pcm) => Some(pcm.samples_per_channel() as u64),
        Source::Stream(_) => None,
    };
    let input = File { path: args.input.display().to_string(), format: from.to_string(), rate, channels, samples };
    let summary = Job::new(args, key, to)?.run(source, input)?;
    report::print(&if args.json { report::json(&summary)? } else { summary.to_string() })?;
    Ok(ExitCode::SUCCESS)
}

/// One run, and what it has done so far.
struct Job<'a> {
    args: &'a Args,
    key: Option<Key>,
    to: Format,
    sandbox: Sandbox,
    steps: Vec<&'static str>,
    notes: Vec<String>,
    encoder: Option<summary::Encoder>,
    encoded: Times,
    sealed: Times,
    opened: Times,
    decoded: Times,
    loss: Loss,
    encoded_in_session: bool,
    decoded_in_session: bool,
}

impl<'a> Job<'a> {
    fn new(args: &'a Args, key: Option<Key>, to: Format) -> Result<Self> {
        Ok(Self {
            args,
            key,
            to,
            sandbox: Sandbox::new()?,
            steps: Vec::new(),
            notes: Vec::new(),
            encoder: None,
            encoded: Times::default(),
            sealed: Times::default(),
            opened: Times::default(),
            decoded: Times::default(),
            loss: Loss::default(),
            encoded_in_session: false,
            decoded_in_session: false,
        })
    }

    fn run(mut self, source: Source, input: File) -> Result<Summary> {
        let (mut stream, clip) = self.packets(source)?;
        if let Some(key) = &self.key
            && !self.encoded_in_session
        {
            self.steps.push("seal");
            self.sealed = sealed::seal(&self.sandbox, key, &mut stream)?;
        }
        self.loss.lost_in_input = stream.packets.iter().filter(|packet| packet.lost).count() as u64;
        if self.args.line.loss.is_some() {
            self.steps.push("lose");
        }
        self.loss.lost = self.loss.lost_in_input + line::lose(&mut stream, &self.args.line);

        let sealed_bytes = stream.packets.iter().map(|packet| packet.datagram.len() as u64).sum();
        let bytes = stream.packets.iter().map(|packet| packet.bytes() as u64).sum();
        let (output, likeness) = match self.to {
            Format::Wav => self.write_audio(&mut stream, clip.as_ref())?,
            _ => (self.write_packets(&mut stream)?, None),
        };
        let real_time_factor =
            summary::real_time_factor(&stream, &[&self.encoded, &self.sealed, &self.opened, &self.decoded]);
        let decoded = stream.decoded();
        Ok(Summary {
            input,
            output,
            steps: self.steps,
            frames: stream.packets.len() as u64,
            frame_ms: stream.frame().map(|frame| f64::from(frame.micros()) / 1000.0),
            audio_seconds: output::seconds(stream.length()),
            bytes,
            bitrate: summary::bitrate(bytes, decoded),
            encoder: self.encoder,
            sealed: self.key.is_some().then(|| Sealed {
                bytes: sealed_bytes,
                bitrate: summary::bitrate(sealed_bytes, decoded),
                encoded_in_session: self.encoded_in_session,
                decoded_in_session: self.decoded_in_session,
            }),
            encode: self.encoded.percentiles(),
            seal: self.sealed.percentiles(),
            open: self.opened.percentiles(),
            decode: self.decoded.percentiles(),
            loss: self.loss,
            real_time_factor,
            likeness,
            notes: self.notes,
            component_sha256: sidetone_artifact::COMPONENT_SHA256,
            libopus: sidetone_artifact::LIBOPUS_VERSION,
        })
    }

    /// The packets that go on their way, and the clip they were made from, if this program made them.
    fn packets(&mut self, source: Source) -> Result<(Stream, Option<Clip>)> {
        let (pcm, comments) = match source {
            Source::Clip(pcm) => (pcm, Vec::new()),
            Source::Stream(stream) if self.to == Format::Wav => return Ok((stream, None)),
            Source::Stream(stream) if self.makes_other_packets() => {
                let (rate, channels) = self.decoder_for(&stream);
                self.steps.push("decode");
                let mut heard = decode::decode(&self.sandbox, &stream, rate, channels)?;
                self.loss.undecodable += heard.undecodable;
                self.decoded.extend(&heard.times);
                let length = at(stream.length(), rate.hz());
                let samples = decode::played(&mut heard, &stream, rate, channels, length);
                (Pcm::new(rate.hz(), channels.count() as u8, samples)?, stream.tags.comments)
            }
            Source::Stream(stream) => {
                self.notes
                    .push("the packets of IN were passed on as they are; an encoder option would make others".into());
                return Ok((stream, None));
            }
        };
        let Args { pcm: asked, encoder, line, .. } = self.args;
        let clip = Clip::new(pcm, asked, self.to == Format::Wav, comments, &mut self.notes)?;
        let settings = encoder.settings(clip.rate, clip.channels, line.loss);
        if self.key.is_some() {
            sealed::fits(&settings)?;
        }
        self.encoder = Some((&settings).into());
        self.steps.push("encode");
        let encoded = encode(&self.sandbox, &clip, &settings, self.key.as_ref(), self.to == Format::Wav)?;
        if encoded.sealed {
            self.steps.push("seal");
            self.encoded_in_session = true;
        }
        self.encoded = encoded.times;
        Ok((encoded.stream, Some(clip)))
    }

    fn makes_other_packets(&self) -> bool {
        let Args { encoder, pcm, .. } = self.args;
        encoder.any() || pcm.rate.is_some() || pcm.channels.is_some()
    }

    /// Rate and channels to decode a stream from a file to.
    fn decoder_for(&self, stream: &Stream) -> (SampleRate, Channels) {
        let asked = &self.args.pcm;
        (asked.rate.unwrap_or_else(|| nearest(stream.input_rate)), asked.channels.unwrap_or(stream.channels))
    }

    fn write_audio(&mut self, stream: &mut Stream, clip: Option<&Clip>) -> Result<(File, Option<summary::Likeness>)> {
        let (rate, channels) = clip.map_or_else(|| self.decoder_for(stream), |clip| (clip.rate, clip.channels));
        let mut heard = self.hear(stream, rate, channels)?;
        let length = clip.map_or_else(|| at(stream.length(), rate.hz()), |clip| clip.pcm.samples_per_channel());
        let samples = decode::played(&mut heard, stream, rate, channels, length);
        let mut pcm = Pcm::new(rate.hz(), channels.count() as u8, samples)?;
        let mut likeness = None;
        if let Some(clip) = clip {
            // Against what went into the encoder, sample by sample: both lie where they should, or it shows.
            likeness = Some(compare(&clip.pcm, &pcm, 0)?.into());
            let (hz, length) = clip.heard;
            pcm = resample(&pcm, hz)?;
            pcm.samples.resize(length * channels.count(), 0);
        }
        if pcm.samples.is_empty() {
            bail!("{} holds no audio after its pre-skip", self.args.input.display());
        }
        output::wav(&self.args.output, &pcm)?;
        Ok((self.written(pcm.rate, pcm.channels, Some(pcm.samples_per_channel() as u64)), likeness))
    }

    fn hear(&mut self, stream: &mut Stream, rate: SampleRate, channels: Channels) -> Result<Heard> {
        let heard = match (&self.key, stream.frame()) {
            (Some(key), Some(frame)) => {
                self.steps.push("open");
                self.decoded_in_session = true;
                sealed::hear(&self.sandbox, key, stream, frame, rate, channels)?
            }
            (key, _) => {
                if let Some(key) = key {
                    self.steps.push("open");
                    self.opened = sealed::open(&self.sandbox, key, stream)?;
                }
                decode::decode(&self.sandbox, stream, rate, channels)?
            }
        };
        self.steps.push("decode");
        self.decoded.extend(&heard.times);
        self.loss.concealed = heard.concealed;
        self.loss.recovered = heard.recovered;
        self.loss.silent = heard.silent;
        self.loss.undecodable += heard.undecodable;
        Ok(heard)
    }

    fn write_packets(&mut self, stream: &mut Stream) -> Result<File> {
        if let Some(key) = &self.key {
            self.steps.push("open");
            self.opened = sealed::open(&self.sandbox, key, stream)?;
        }
        match self.to {
            Format::Bit => {
                decode::final_ranges(&self.sandbox, stream)
                    .with_context(|| format!("cannot write {}", self.args.output.display()))?;
                output::bit(&self.args.output, stream)?;
            }
            _ => {
                source::assume_pre_skip(stream);
                output::ogg(&self.args.output, stream)?;
            }
        }
        Ok(self.written(stream.input_rate, stream.channels.count() as u8, None))
    }

    fn written(&self, rate: u32, channels: u8, samples: Option<u64>) -> File {
        let path = self.args.output.display().to_string();
        File { path, format: self.to.to_string(), rate, channels, samples }
    }
}
