//! `sidetone transcode`: IN to OUT through the component. This file is the way; each stage has a file.

mod args;
mod encode;
mod line;
mod sealed;
mod summary;

pub(crate) use args::{Args, EncoderArgs, PcmArgs};

use crate::interrupt;
use crate::progress::Watched;
use crate::report::{self, Times};
use crate::sandbox::Sandbox;
use crate::usage::refused;
use anyhow::{Context, Result, anyhow, bail};
use encode::encode;
use sidetone_audio::measure::compare;
use sidetone_audio::ogg_opus::Tags;
use sidetone_audio::{Format, Pcm, detect, shown};
use sidetone_host::Key;
use sidetone_opus::{Channels, SampleRate};
use sidetone_transcode::decode::{self, Heard, Played};
use sidetone_transcode::encode::Clip;
use sidetone_transcode::{EncoderOptions, Error, PcmOptions, Source, Stream, at, output, source};
use std::borrow::Cow;
use std::process::ExitCode;
use summary::{File, Loss, Sealed, Summary};

pub(crate) fn main(args: &Args) -> Result<ExitCode> {
    // Usage errors end here, as those that clap finds itself.
    let key = args.line.key().unwrap_or_else(|error| refused(&error));
    let to = Format::of_name(&args.output).unwrap_or_else(|error| refused(&error.into()));
    let from = detect::detect(&args.input)?;
    if from != Format::Wav && to == Format::Wav && EncoderOptions::from(&args.encoder).any() {
        refused(&anyhow!("encoder options do nothing here: {from} to WAV only decodes"));
    }
    interrupt::whole(|| Ok(output::check(&args.input, &args.output)?))?;
    let (source, warnings) = Source::read(&args.input, from)?;
    warnings.iter().for_each(|warning| report::complain("warning", warning));

    let (rate, channels) = source.shape();
    let samples = match &source {
        Source::Clip(pcm) => Some(pcm.samples_per_channel() as u64),
        Source::Stream(_) | Source::Chain(_) => None,
    };
    let input = File::new(&args.input, from, (rate, channels), samples);
    let mut summary = Job::new(args, key, to)?.run(source, input)?;
    summary.warnings = warnings;
    report::print(&if args.json { report::json(&summary)? } else { summary.to_string() })
        .with_context(|| format!("{} is complete, but the report is not", shown::path(&args.output)))?;
    Ok(ExitCode::SUCCESS)
}

/// Where packets come from.
enum Origin {
    /// From a file, as they are.
    File,
    /// This program made them of a clip.
    Clip(Clip),
    /// From a file too, and what is heard of them is known already.
    Decoded(Pcm),
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
        let (mut stream, origin) = self.packets(source)?;
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
            Format::Wav => self.write_audio(&mut stream, &origin)?,
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
            warnings: Vec::new(),
            component_sha256: sidetone_artifact::COMPONENT_SHA256,
            libopus: sidetone_artifact::LIBOPUS_VERSION,
        })
    }

    /// The packets that go on their way, and what they come from.
    fn packets(&mut self, source: Source) -> Result<(Stream, Origin)> {
        let (pcm, comments) = match source {
            Source::Clip(pcm) => (pcm, Vec::new()),
            Source::Stream(stream) if self.to == Format::Wav => return Ok((stream, Origin::File)),
            Source::Stream(stream) if self.makes_other_packets() => self.played(&[stream])?,
            Source::Chain(links) => return self.chain(links),
            Source::Stream(stream) => {
                self.notes
                    .push("the packets of IN were passed on as they are; an encoder option would make others".into());
                return Ok((stream, Origin::File));
            }
        };
        self.encode(pcm, comments)
    }

    /// As [`packets`](Self::packets), of a chain: it is decoded to its end, and the way goes on from there.
    fn chain(&mut self, links: Vec<Stream>) -> Result<(Stream, Origin)> {
        self.notes.push(format!("IN is a chain of {} streams, joined to one recording", links.len()));
        if self.to != Format::Wav && self.makes_other_packets() {
            let (pcm, comments) = self.played(&links)?;
            return self.encode(pcm, comments);
        }
        if self.to != Format::Wav || self.key.is_some() || self.args.line.loss.is_some() {
            let (name, links) = (shown::path(&self.args.input), links.len());
            bail!(
                "{name} is a chain of {links} streams, whose packets cannot go through one session or into one stream; make \
                 one of it first, with an encoder option: --bitrate 64k"
            );
        }
        let (pcm, _) = self.played(&links)?;
        let (input_rate, channels) = source::shape(&links);
        let length = links.iter().map(Stream::length).sum();
        let all = Stream {
            packets: links.into_iter().flat_map(|link| link.packets).collect(),
            channels,
            pre_skip: 0,
            played: Some(length),
            gain: 0,
            input_rate,
            tags: Tags::default(),
        };
        Ok((all, Origin::Decoded(pcm)))
    }

    /// What is played of streams from a file, one after the other, and the comments of the first.
    fn played(&mut self, links: &[Stream]) -> Result<(Pcm, Vec<String>)> {
        self.steps.push("decode");
        let shape = PcmOptions::from(&self.args.pcm).decoder_for(source::shape(links));
        let Played { pcm, times, undecodable } =
            decode::play(links, shape, &Watched::default(), || self.sandbox.decoder(shape.0, shape.1))?;
        self.decoded.extend(&times);
        self.loss.undecodable += undecodable;
        let comments = links.first().map(|first| first.tags.comments.clone()).unwrap_or_default();
        Ok((pcm, comments))
    }

    fn encode(&mut self, pcm: Pcm, comments: Vec<String>) -> Result<(Stream, Origin)> {
        let Args { pcm: asked, encoder, line, .. } = self.args;
        let clip = Clip::new(pcm, &asked.into(), self.to == Format::Wav, comments, &mut self.notes)?;
        let settings = EncoderOptions::from(encoder).settings(clip.rate, clip.channels, line.loss);
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
        Ok((encoded.stream, Origin::Clip(clip)))
    }

    fn makes_other_packets(&self) -> bool {
        let Args { encoder, pcm, .. } = self.args;
        EncoderOptions::from(encoder).any() || PcmOptions::from(pcm) != PcmOptions::default()
    }

    fn write_audio(&mut self, stream: &mut Stream, origin: &Origin) -> Result<(File, Option<summary::Likeness>)> {
        let (pcm, likeness) = match origin {
            Origin::Decoded(pcm) => (Cow::Borrowed(pcm), None),
            Origin::File => {
                let (rate, channels) =
                    PcmOptions::from(&self.args.pcm).decoder_for((stream.input_rate, stream.channels));
                let length = at(stream.length(), rate.hz());
                (Cow::Owned(self.listen(stream, rate, channels, length)?), None)
            }
            Origin::Clip(clip) => {
                let pcm = self.listen(stream, clip.rate, clip.channels, clip.pcm.samples_per_channel())?;
                // Against what went into the encoder, sample by sample: both lie where they should, or it shows.
                let likeness = compare(&clip.pcm, &pcm, 0)?.into();
                (Cow::Owned(clip.as_heard(&pcm)?), Some(likeness))
            }
        };
        if pcm.samples.is_empty() {
            bail!(Error::NoAudio(self.args.input.clone()));
        }
        interrupt::last(|| Ok(output::wav(&self.args.output, &pcm, &Watched::default())?))?;
        Ok((self.written(pcm.rate, pcm.channels, Some(pcm.samples_per_channel() as u64)), likeness))
    }

    /// What a listener hears of a stream.
    fn listen(&mut self, stream: &mut Stream, rate: SampleRate, channels: Channels, length: usize) -> Result<Pcm> {
        let mut heard = self.hear(stream, rate, channels)?;
        let samples = decode::played(&mut heard, stream, rate, channels, length);
        Ok(Pcm::new(rate.hz(), channels.count() as u8, samples)?)
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
                self.decode(stream, rate, channels)?
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

    fn decode(&self, stream: &Stream, rate: SampleRate, channels: Channels) -> Result<Heard> {
        let mut decoder = self.sandbox.decoder(rate, channels)?;
        Ok(decode::decode(&mut decoder, stream, rate, channels, &Watched::default())?)
    }

    fn write_packets(&mut self, stream: &mut Stream) -> Result<File> {
        if let Some(key) = &self.key {
            self.steps.push("open");
            self.opened = sealed::open(&self.sandbox, key, stream)?;
        }
        match self.to {
            Format::Bit => {
                if decode::lacks_final_ranges(stream) {
                    let mut decoder = self.sandbox.decoder(SampleRate::Hz48000, stream.channels)?;
                    decode::final_ranges(&mut decoder, stream, &Watched::default())
                        .with_context(|| format!("cannot write {}", shown::path(&self.args.output)))?;
                }
                interrupt::last(|| Ok(output::bit(&self.args.output, stream, &Watched::default())?))?;
            }
            _ => {
                source::assume_pre_skip(stream);
                interrupt::last(|| Ok(output::ogg(&self.args.output, stream, &Watched::default())?))?;
            }
        }
        Ok(self.written(stream.input_rate, stream.channels.count() as u8, None))
    }

    fn written(&self, rate: u32, channels: u8, samples: Option<u64>) -> File {
        File::new(&self.args.output, self.to, (rate, channels), samples)
    }
}
