//! WAV, Ogg Opus and `.bit` into one another: the stages of `sidetone transcode`, with codecs of the pool.

use crate::codecs::Codecs;
use crate::{Made, Problem, TranscodeOptions};
use sidetone_audio::{Format, Pcm, detect, shown};
use sidetone_opus::SampleRate;
use sidetone_transcode::decode::{self, Played};
use sidetone_transcode::encode::{self, Clip};
use sidetone_transcode::{EncoderOptions, Error, PcmOptions, Source, Stream, Watch, output, source};
use std::path::Path;

pub(super) fn perform(
    codecs: &Codecs<'_>,
    options: &TranscodeOptions,
    (input, output): (&Path, &Path),
    watch: &dyn Watch,
) -> Result<Made, Problem> {
    let (to, pcm, encoder) = options.values().map_err(Problem::bury)?;
    let from = detect::detect(input)?;
    let (source, notes) = Source::read(input, from)?;
    let mut run = Run { codecs, to, pcm, encoder, input, output, watch, made: Made { notes, ..Made::default() } };
    match source {
        Source::Clip(pcm) => run.encode(pcm, Vec::new())?,
        Source::Stream(stream) if to == Format::Wav || run.makes_other_packets() => run.decode(&[stream])?,
        Source::Stream(mut stream) => run.write_packets(&mut stream)?,
        Source::Chain(links) if to == Format::Wav || run.makes_other_packets() => run.decode(&links)?,
        Source::Chain(links) => {
            return Err(Problem::bury(format!(
                "{} is a chain of {} streams, whose packets cannot go into one stream; make one of it with an encoder \
                 option: --bitrate 64k",
                shown::path(input),
                links.len()
            )));
        }
    }
    Ok(run.made)
}

struct Run<'a> {
    codecs: &'a Codecs<'a>,
    to: Format,
    pcm: PcmOptions,
    encoder: EncoderOptions,
    input: &'a Path,
    output: &'a Path,
    watch: &'a dyn Watch,
    made: Made,
}

impl Run<'_> {
    fn makes_other_packets(&self) -> bool {
        self.encoder.any() || self.pcm != PcmOptions::default()
    }

    /// Streams to PCM, and on from there.
    fn decode(&mut self, links: &[Stream]) -> Result<(), Problem> {
        let shape = self.pcm.decoder_for(source::shape(links));
        let decoder = || self.codecs.decoder(shape.0, shape.1);
        let Played { pcm, undecodable, .. } = decode::play(links, shape, self.watch, decoder)?;
        if undecodable > 0 {
            self.made.notes.push(format!("{undecodable} packets were damaged, and were concealed"));
        }
        if pcm.samples.is_empty() {
            return Err(Error::NoAudio(self.input.to_owned()).into());
        }
        if self.to != Format::Wav {
            let comments = links.first().map(|first| first.tags.comments.clone()).unwrap_or_default();
            return self.encode(pcm, comments);
        }
        self.made.packets = links.iter().map(|link| link.packets.len() as u64).sum();
        self.made.audio_seconds = pcm.duration().as_secs_f64();
        Ok(output::wav(self.output, &pcm, self.watch)?)
    }

    fn encode(&mut self, pcm: Pcm, comments: Vec<String>) -> Result<(), Problem> {
        let only_heard = self.to == Format::Wav;
        let clip = Clip::new(pcm, &self.pcm, only_heard, comments, &mut self.made.notes)?;
        let settings = self.encoder.settings(clip.rate, clip.channels, None);
        let mut encoder = self.codecs.encoder(&settings.codec)?;
        let mut stream = encode::encode(&mut encoder, &clip, &settings, self.watch)?;
        drop(encoder);
        if !only_heard {
            return self.write_packets(&mut stream);
        }
        let mut decoder = self.codecs.decoder(clip.rate, clip.channels)?;
        let mut heard = decode::decode(&mut decoder, &stream, clip.rate, clip.channels, self.watch)?;
        let length = clip.pcm.samples_per_channel();
        let samples = decode::played(&mut heard, &stream, clip.rate, clip.channels, length);
        let pcm = clip.as_heard(&Pcm::new(clip.rate.hz(), clip.channels.count() as u8, samples)?)?;
        self.note(&stream);
        Ok(output::wav(self.output, &pcm, self.watch)?)
    }

    fn write_packets(&mut self, stream: &mut Stream) -> Result<(), Problem> {
        if self.to != Format::Bit {
            source::assume_pre_skip(stream);
            self.note(stream);
            return Ok(output::ogg(self.output, stream, self.watch)?);
        }
        if decode::lacks_final_ranges(stream) {
            let mut decoder = self.codecs.decoder(SampleRate::Hz48000, stream.channels)?;
            decode::final_ranges(&mut decoder, stream, self.watch)?;
        }
        self.note(stream);
        Ok(output::bit(self.output, stream, self.watch)?)
    }

    fn note(&mut self, stream: &Stream) {
        self.made.packets = stream.packets.len() as u64;
        self.made.audio_seconds = output::seconds(stream.length());
    }
}
