//! The measure of RFC 6716, section 6.1: what the component decodes, conceals and recovers against what libopus does,
//! which decodes the official bitstreams as the RFC has them.

use sidetone_audio::bit::Record;
use sidetone_host::Decoder;
use sidetone_opus::packet::{Packet, has_redundancy};
use sidetone_opus::{Application, Bitrate, Channels, Encoder, FrameDuration, MAX_PACKET, MAX_SAMPLES, SampleRate};
use sidetone_tests::{corpus, host, rfc_quality, speech};

/// Packets of a bitstream that are looked at: some twenty seconds.
const PACKETS: usize = 1000;

/// The RFC asks for more than 0. Rounding costs a tenth of a point; where what was heard is continued, it may choose
/// another pitch.
const GOOD: f64 = 90.0;
const CONTINUED: f64 = 50.0;

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Concealed,
    /// From the redundancy of the next.
    Recovered,
}

/// Every seventh and eighth packet is lost; the later one is recovered where that can be.
fn fates(packets: &[&[u8]]) -> Vec<Fate> {
    let fate = |index: usize| match index % 8 {
        6 => Fate::Concealed,
        7 if packets.get(index + 1).is_some_and(|next| has_redundancy(next)) => Fate::Recovered,
        7 => Fate::Concealed,
        _ => Fate::Arrives,
    };
    (0..packets.len()).map(fate).collect()
}

fn samples(packet: &[u8], rate: SampleRate) -> usize {
    let micros = Packet::parse(packet).expect("a packet").duration_micros();
    (u64::from(micros) * u64::from(rate.hz()) / 1_000_000) as usize
}

fn in_component(packets: &[&[u8]], fates: &[Fate], rate: SampleRate, channels: Channels) -> Vec<i16> {
    let mut decoder = Decoder::open(host::component().instantiate().unwrap(), rate, channels).unwrap();
    let mut pcm = Vec::new();
    for (index, (packet, fate)) in packets.iter().zip(fates).enumerate() {
        let samples = samples(packet, rate) as u32;
        pcm.extend(match fate {
            Fate::Arrives => decoder.decode(packet).unwrap(),
            Fate::Concealed => decoder.conceal(samples).unwrap(),
            Fate::Recovered => decoder.recover(packets[index + 1], samples).unwrap(),
        });
    }
    pcm
}

fn natively(packets: &[&[u8]], fates: &[Fate], rate: SampleRate, channels: Channels) -> Vec<i16> {
    let mut decoder = sidetone_opus::Decoder::new(rate, channels).unwrap();
    let mut frame = vec![0; MAX_SAMPLES * 2];
    let mut pcm = Vec::new();
    for (index, (packet, fate)) in packets.iter().zip(fates).enumerate() {
        let lost = &mut frame[..samples(packet, rate) * channels.count()];
        let made = match fate {
            Fate::Arrives => decoder.decode(packet, &mut frame).unwrap(),
            Fate::Concealed => decoder.conceal(lost).unwrap(),
            Fate::Recovered => decoder.decode_fec(packets[index + 1], lost).unwrap(),
        };
        pcm.extend_from_slice(&frame[..made]);
    }
    pcm
}

/// The quality of the component's output at each rate against libopus's at 48 kHz.
fn assert_good(name: &str, packets: &[&[u8]], fates: &[Fate], formats: &[(SampleRate, Channels)]) {
    for &(rate, channels) in formats {
        let reference = natively(packets, fates, SampleRate::Hz48000, channels);
        let ours = in_component(packets, fates, rate, channels);
        let native = natively(packets, fates, rate, channels);
        let [ours, native] =
            [ours, native].map(|heard| rfc_quality::quality(&reference, &heard, rate.hz(), channels.count()));
        println!("{name} {rate:?} {channels:?}: {ours:.2}, natively {native:.2}");
        let least = if fates.iter().all(|fate| *fate == Fate::Arrives) { GOOD } else { CONTINUED };
        let enough = ours > 0.0 && ours > native - (100.0 - least);
        assert!(enough, "{name} {rate:?} {channels:?}: {ours:.2}, natively {native:.2}");
    }
}

#[test]
fn the_official_bitstreams_have_the_rfcs_quality_with_and_without_losses() {
    const FORMATS: [(SampleRate, Channels); 3] = [
        (SampleRate::Hz48000, Channels::Stereo),
        (SampleRate::Hz24000, Channels::Mono),
        (SampleRate::Hz16000, Channels::Mono),
    ];
    for (name, records) in corpus::bitstreams("the RFC's quality of the official bitstreams") {
        let packets: Vec<&[u8]> = records.iter().take(PACKETS).map(|Record { packet, .. }| &packet[..]).collect();
        assert_good(&name, &packets, &vec![Fate::Arrives; packets.len()], &FORMATS);
        assert_good(&format!("{name} with losses"), &packets, &fates(&packets), &FORMATS[..1]);
    }
}

#[test]
fn what_is_concealed_and_recovered_has_the_rfcs_quality() {
    let rate = SampleRate::Hz16000;
    let mut encoder = Encoder::new(rate, Channels::Mono, Application::Voip).unwrap();
    encoder.set_bitrate(Bitrate::BitsPerSecond(32_000)).unwrap();
    encoder.set_fec(true).unwrap();
    encoder.set_expected_loss(25).unwrap();
    let mut out = vec![0; MAX_PACKET];
    let said = speech::clip(rate.hz());
    let frames = said.chunks_exact(FrameDuration::Ms20.samples(rate));
    let packets: Vec<Vec<u8>> =
        frames.map(|frame| encoder.encode(frame, &mut out).map(|len| out[..len].to_vec()).unwrap()).collect();
    let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
    let fates = fates(&packets);
    let count = |fate| fates.iter().filter(|&&found| found == fate).count();
    assert!(count(Fate::Recovered) > 10 && count(Fate::Concealed) > 10, "{} packets", packets.len());
    let formats = [SampleRate::Hz48000, SampleRate::Hz24000, rate].map(|rate| (rate, Channels::Mono));
    assert_good("speech with losses", &packets, &fates, &formats);
}
