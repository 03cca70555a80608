//! What is measured: settings, and the component at work in one of them.

use anyhow::Result;
use sidetone_host::Component;
use sidetone_opus::{Application, Bitrate, Channels, Complexity, FrameDuration, MAX_PACKET, SampleRate, Split};

const BITRATE: Bitrate = Bitrate::BitsPerSecond(24_000);
pub(crate) const MONO: Channels = Channels::Mono;

/// A setting that is measured.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) rate: SampleRate,
    pub(crate) frame: FrameDuration,
    pub(crate) complexity: u8,
}

/// Encoding the recordings.
pub(crate) const ENCODE: [Case; 4] = [
    Case { name: "enc24_60_c10", rate: SampleRate::Hz24000, frame: FrameDuration::Ms60, complexity: 10 },
    Case { name: "enc24_60_c5", rate: SampleRate::Hz24000, frame: FrameDuration::Ms60, complexity: 5 },
    Case { name: "enc24_60_c0", rate: SampleRate::Hz24000, frame: FrameDuration::Ms60, complexity: 0 },
    Case { name: "enc16_20_c5", rate: SampleRate::Hz16000, frame: FrameDuration::Ms20, complexity: 5 },
];

/// The same with the project's clip. The recordings end at 8 kHz; at complexity 10 Opus notices, and leaves out CELT.
pub(crate) const ENCODE_CLIP: [Case; 3] = [
    Case { name: "enc24_60_c10_clip", ..ENCODE[0] },
    Case { name: "enc24_60_c5_clip", ..ENCODE[1] },
    Case { name: "enc24_60_c0_clip", ..ENCODE[2] },
];

/// Decoding them.
pub(crate) const DECODE: [Case; 2] = [
    Case { name: "dec16_60", rate: SampleRate::Hz16000, frame: FrameDuration::Ms60, complexity: 5 },
    Case { name: "dec24_60", rate: SampleRate::Hz24000, frame: FrameDuration::Ms60, complexity: 5 },
];

/// libopus, called plainly.
pub(crate) fn native_encoder(case: &Case, split: Split) -> Result<sidetone_opus::Encoder> {
    let mut encoder = sidetone_opus::Encoder::new(case.rate, MONO, Application::Voip)?;
    encoder.set_bitrate(BITRATE)?;
    encoder.set_complexity(Complexity::try_from(u32::from(case.complexity))?)?;
    encoder.set_split(split);
    Ok(encoder)
}

/// Packets as devices make them: one call of libopus a packet.
pub(crate) fn packets(case: &Case, pcm: &[i16]) -> Result<Vec<Vec<u8>>> {
    let mut encoder = native_encoder(case, Split::Never)?;
    let mut out = vec![0; MAX_PACKET];
    let encode = |frame| Ok(encoder.encode(frame, &mut out).map(|len| out[..len].to_vec())?);
    pcm.chunks_exact(case.frame.samples(case.rate)).map(encode).collect()
}

/// A pass over `pcm` by an encoder in an instance of its own.
pub(crate) fn guest_encoder<'a>(
    case: &Case,
    pcm: &'a [i16],
    component: &Component,
) -> Result<impl FnMut() -> Result<u32> + 'a> {
    let frame = case.frame.samples(case.rate);
    let config = sidetone_host::EncoderConfig {
        bitrate: BITRATE,
        complexity: case.complexity,
        ..sidetone_host::EncoderConfig::voice(case.rate, MONO)
    };
    let component = component.clone();
    let open = move || sidetone_host::Encoder::open(component.instantiate()?, &config);
    let mut encoder = open()?;
    Ok(move || {
        for frame in pcm.chunks_exact(frame) {
            if let Err(error) = encoder.encode(frame) {
                encoder = open()?;
                return Err(error.into());
            }
        }
        Ok((pcm.len() / frame) as u32)
    })
}

/// A pass over `packets` by a decoder in an instance of its own.
pub(crate) fn guest_decoder<'a>(
    case: &Case,
    packets: &'a [Vec<u8>],
    component: &Component,
) -> Result<impl FnMut() -> Result<u32> + 'a> {
    let (component, rate) = (component.clone(), case.rate);
    let open = move || sidetone_host::Decoder::open(component.instantiate()?, rate, MONO);
    let mut decoder = open()?;
    Ok(move || {
        for packet in packets {
            if let Err(error) = decoder.decode(packet) {
                decoder = open()?;
                return Err(error.into());
            }
        }
        Ok(packets.len() as u32)
    })
}
