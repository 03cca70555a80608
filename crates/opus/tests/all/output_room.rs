//! Output buffers of every size, and constant bitrate: what fits is sent and decodes in step, what does not is refused.

use crate::common::{encode_into, varied};
use sidetone_opus::packet::Packet;
use sidetone_opus::{
    Application, Bitrate, Channels, Decoder, Encoder, Error, FrameDuration, MAX_PACKET, SampleRate, Split,
};

fn encoder(rate: SampleRate, channels: Channels, bitrate: u32, split: Split) -> Encoder {
    let mut encoder = Encoder::new(rate, channels, Application::Audio).unwrap();
    encoder.set_bitrate(Bitrate::BitsPerSecond(bitrate)).unwrap();
    encoder.set_split(split);
    encoder
}

#[test]
fn a_packet_never_exceeds_its_buffer_and_stays_in_step() {
    for (rate, channels) in [(SampleRate::Hz24000, Channels::Mono), (SampleRate::Hz48000, Channels::Stereo)] {
        let pcm = &varied(rate, channels)[..rate.hz() as usize * 2 * channels.count()];
        for frame in [FrameDuration::Ms20, FrameDuration::Ms60, FrameDuration::Ms120] {
            for room in [20, 33, 60, 100, 250, 500, 1024] {
                let name = format!("{rate:?} {channels:?} {frame:?} {room}");
                let mut encoder = encoder(rate, channels, 64_000, Split::Always);
                let mut decoder = Decoder::new(rate, channels).unwrap();
                let mut heard = vec![0; frame.samples(rate) * channels.count()];
                for (packet, range) in encode_into(&mut encoder, frame, pcm, room) {
                    assert!(packet.len() <= room, "{name}: {} bytes", packet.len());
                    assert_eq!(Packet::parse(&packet).unwrap().duration_micros(), frame.micros(), "{name}");
                    assert_eq!(decoder.decode(&packet, &mut heard), Ok(heard.len()), "{name}");
                    assert_eq!(decoder.final_range(), range, "{name}");
                }
            }
        }
    }
}

#[test]
fn the_smallest_buffers_give_a_decodable_packet_or_say_that_they_are_too_small() {
    let rate = SampleRate::Hz24000;
    let pcm = varied(rate, Channels::Mono);
    for split in [Split::Never, Split::Auto, Split::Always] {
        for frame in FrameDuration::ALL {
            for room in 1..24 {
                let mut encoder = encoder(rate, Channels::Mono, 24_000, split);
                let mut decoder = Decoder::new(rate, Channels::Mono).unwrap();
                let mut heard = vec![0; frame.samples(rate)];
                let mut out = vec![0; room];
                for frame_pcm in pcm.chunks_exact(frame.samples(rate)).take(12) {
                    match encoder.encode(frame_pcm, &mut out) {
                        Ok(len) => {
                            assert_eq!(Packet::parse(&out[..len]).unwrap().duration_micros(), frame.micros());
                            assert_eq!(decoder.decode(&out[..len], &mut heard), Ok(heard.len()));
                        }
                        Err(Error::OutputTooSmall { have, .. }) => assert_eq!(have, room),
                        Err(other) => panic!("{split:?} {frame:?} {room} bytes: {other}"),
                    }
                }
                // A buffer of a usual size brings the stream back.
                let len = encoder.encode(&pcm[..heard.len()], &mut [0; MAX_PACKET]).unwrap();
                assert!(len > 0, "{split:?} {frame:?} {room}");
            }
        }
    }
}

#[test]
fn constant_bitrate_makes_all_packets_equally_long() {
    let rate = SampleRate::Hz24000;
    for split in [Split::Auto, Split::Always] {
        for (frame, bitrate, bytes) in
            [(FrameDuration::Ms20, 24_000, 60), (FrameDuration::Ms60, 24_000, 180), (FrameDuration::Ms120, 16_000, 240)]
        {
            let mut encoder = encoder(rate, Channels::Mono, bitrate, split);
            encoder.set_vbr(false).unwrap();
            let mut decoder = Decoder::new(rate, Channels::Mono).unwrap();
            let mut heard = vec![0; frame.samples(rate)];
            for (packet, range) in encode_into(&mut encoder, frame, &varied(rate, Channels::Mono), MAX_PACKET) {
                assert_eq!(packet.len(), bytes, "{split:?} {frame:?}");
                assert_eq!(decoder.decode(&packet, &mut heard), Ok(heard.len()));
                assert_eq!(decoder.final_range(), range, "{split:?} {frame:?}");
            }
        }
    }
}

#[test]
fn the_highest_bitrate_fits_the_largest_packet() {
    for rate in [SampleRate::Hz24000, SampleRate::Hz48000] {
        for frame in FrameDuration::ALL {
            for bitrate in [Bitrate::Max, Bitrate::BitsPerSecond(512_000)] {
                let mut encoder = encoder(rate, Channels::Stereo, 512_000, Split::Always);
                encoder.set_bitrate(bitrate).unwrap();
                let pcm = crate::common::noise(rate, Channels::Stereo, 0.6);
                for (packet, _) in encode_into(&mut encoder, frame, &pcm, MAX_PACKET) {
                    assert!(packet.len() <= MAX_PACKET);
                    assert_eq!(Packet::parse(&packet).unwrap().duration_micros(), frame.micros());
                }
            }
        }
    }
}

#[test]
fn a_longer_output_buffer_than_needed_changes_nothing() {
    let rate = SampleRate::Hz24000;
    let pcm = varied(rate, Channels::Mono);
    let encode = |room| {
        let mut encoder = encoder(rate, Channels::Mono, 24_000, Split::Auto);
        encode_into(&mut encoder, FrameDuration::Ms60, &pcm, room)
    };
    assert_eq!(encode(MAX_PACKET), encode(1 << 20));
}
