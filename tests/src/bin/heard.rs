//! What `cargo xtask quality` listens to: `heard FOLDER` encodes the speech that tests have in the component, and natively in
//! libopus's two ways, and writes what was said and what is heard to FOLDER, at 16 kHz. `heard.json` there lists the files.

use anyhow::{Context, Result};
use serde_json::json;
use sidetone_audio::{Pcm, wav};
use sidetone_host::EncoderConfig;
use sidetone_opus::{
    Bitrate, Channels, Complexity, Decoder, Encoder, FrameDuration, MAX_PACKET, MAX_SAMPLES, SampleRate, Split,
};
use sidetone_tests::{host, speech};
use std::path::Path;

/// At which PESQ-WB listens.
const LISTENED: SampleRate = SampleRate::Hz16000;

const RATES: [SampleRate; 2] = [SampleRate::Hz16000, SampleRate::Hz24000];
const COMPLEXITIES: [u8; 3] = [0, 5, 10];
const BITRATES: [u32; 3] = [16_000, 24_000, 32_000];

/// How much later than its first sample each voice begins, ms: an encoder decides otherwise where its frames lie otherwise,
/// and what rounding alone decides comes out in the mean. (With four, one setting by itself was off by 0.024.)
const BEGINS: [usize; 12] = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55];

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("no folder: `heard FOLDER`, or `cargo xtask quality`")?;
    let folder = Path::new(&folder);
    let mut listed = Vec::new();
    for (name, said) in voices(LISTENED) {
        write(&folder.join(format!("{name}.wav")), said)?;
    }
    for rate in RATES {
        let voices = voices(rate);
        for (complexity, bitrate) in COMPLEXITIES.iter().flat_map(|c| BITRATES.map(|b| (*c, b))) {
            let setting = format!("{} kHz, complexity {complexity}, {} kbit/s", rate.hz() / 1000, bitrate / 1000);
            let bitrate = Bitrate::BitsPerSecond(bitrate);
            let config = EncoderConfig { bitrate, complexity, ..EncoderConfig::voice(rate, Channels::Mono) };
            for (name, said) in &voices {
                let frames: Vec<&[i16]> = said.chunks_exact(FrameDuration::Ms60.samples(rate)).collect();
                let coded = [
                    ("component", in_component(&config, &frames)?),
                    ("native", natively(&config, Split::Never, &frames)?),
                    ("native_split", natively(&config, Split::Always, &frames)?),
                ];
                for (variant, packets) in coded {
                    let file = format!("{}.wav", listed.len());
                    write(&folder.join(&file), decoded(&packets)?)?;
                    listed.push(
                        json!({"setting": setting, "said": format!("{name}.wav"), "variant": variant, "heard": file}),
                    );
                }
            }
        }
    }
    let file = folder.join("heard.json");
    std::fs::write(&file, serde_json::to_vec(&listed)?).with_context(|| format!("cannot write {}", file.display()))
}

/// All of the speech, from each of its beginnings.
fn voices(rate: SampleRate) -> Vec<(String, Vec<i16>)> {
    let all = speech::all(rate.hz(), "speech to listen to");
    let begins = |(name, said): &(String, Vec<i16>)| {
        let from = |ms| (format!("{name}-{ms}"), said[rate.hz() as usize / 1000 * ms..].to_vec());
        BEGINS.map(from)
    };
    all.iter().flat_map(begins).collect()
}

fn write(file: &Path, samples: Vec<i16>) -> Result<()> {
    Ok(wav::write(file, &Pcm::new(LISTENED.hz(), 1, samples)?)?)
}

fn in_component(config: &EncoderConfig, frames: &[&[i16]]) -> Result<Vec<Vec<u8>>> {
    let mut encoder = sidetone_host::Encoder::open(host::component().instantiate()?, config)?;
    frames.iter().map(|frame| Ok(encoder.encode(frame)?)).collect()
}

fn natively(config: &EncoderConfig, split: Split, frames: &[&[i16]]) -> Result<Vec<Vec<u8>>> {
    let mut encoder = Encoder::new(config.rate, config.channels, config.application)?;
    encoder.set_bitrate(config.bitrate)?;
    encoder.set_complexity(Complexity::try_from(u32::from(config.complexity))?)?;
    encoder.set_split(split);
    let mut packet = vec![0; MAX_PACKET];
    frames.iter().map(|frame| Ok(encoder.encode(frame, &mut packet).map(|len| packet[..len].to_vec())?)).collect()
}

fn decoded(packets: &[Vec<u8>]) -> Result<Vec<i16>> {
    let mut decoder = Decoder::new(LISTENED, Channels::Mono)?;
    let mut frame = vec![0; MAX_SAMPLES];
    let mut heard = Vec::new();
    for packet in packets {
        let samples = decoder.decode(packet, &mut frame)?;
        heard.extend_from_slice(&frame[..samples]);
    }
    Ok(heard)
}
