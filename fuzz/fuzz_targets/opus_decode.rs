//! Any bytes into the Opus parser and decoder, many in one stream: no panic, no overrun, and what the parser says of a
//! packet is what the decoder makes of it.
//!
//! Input: `rate and channels: u8`, then records. `op & 3`: 0 decode, 1 FEC from the bytes, 2 conceal, 3 reset.
//! `op >> 2`: for 1 and 2 the lost audio, in steps of 2.5 ms.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetone_fuzz::records;
use sidetone_opus::packet::{Packet, has_redundancy};
use sidetone_opus::{Channels, Decoder, MAX_SAMPLES, SampleRate};

fuzz_target!(|input: &[u8]| {
    let Some((&setup, rest)) = input.split_first() else { return };
    let rate = SampleRate::ALL[usize::from(setup >> 1) % SampleRate::ALL.len()];
    let channels = if setup & 1 == 0 { Channels::Mono } else { Channels::Stereo };
    let mut decoder = Decoder::new(rate, channels).expect("no memory");
    let mut pcm = vec![0i16; MAX_SAMPLES * channels.count()];

    for record in records(rest) {
        let lost = usize::from(record.op >> 2) * rate.hz() as usize / 400 * channels.count();
        let lost = lost.min(pcm.len());
        match record.op & 3 {
            0 => decode(&mut decoder, record.bytes, &mut pcm),
            1 => drop(decoder.decode_fec(record.bytes, &mut pcm[..lost])),
            2 => drop(decoder.conceal(&mut pcm[..lost])),
            _ => decoder.reset(),
        }
        let _ = decoder.final_range();
    }
});

fn decode(decoder: &mut Decoder, bytes: &[u8], pcm: &mut [i16]) {
    let _ = has_redundancy(bytes);
    let parsed = Packet::parse(bytes);
    let decoded = decoder.decode(bytes, pcm);
    let Ok(packet) = parsed else {
        assert!(decoded.is_err(), "decoded what does not parse: {bytes:02x?}");
        return;
    };
    let micros = packet.duration_micros();
    assert!((2_500..=120_000).contains(&micros), "{micros} µs in one packet");
    assert_eq!(packet.frames().len(), packet.frame_count());
    for frame in packet.frames() {
        assert!(frame.start <= frame.end && frame.end <= bytes.len(), "frame {frame:?} of {} bytes", bytes.len());
    }
    if let Ok(samples) = decoded {
        assert_eq!(samples, packet.samples(decoder.rate()) * decoder.channels().count());
    }
}
