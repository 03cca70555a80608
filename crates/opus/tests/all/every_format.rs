//! Every rate, channel count, frame duration and application: what goes in comes out, as long as it went in.

use crate::common::{encode_all, voice};
use sidetone_opus::packet::{Mode, Packet};
use sidetone_opus::{Application, Channels, Decoder, Encoder, FrameDuration, SampleRate};

#[test]
fn every_combination_decodes_to_the_length_that_was_encoded() {
    let mut combinations = 0;
    for rate in SampleRate::ALL {
        for channels in [Channels::Mono, Channels::Stereo] {
            let pcm = voice(rate, channels, 0.36);
            for frame in FrameDuration::ALL {
                for application in [Application::Voip, Application::Audio, Application::LowDelay] {
                    let case = format!("{rate:?} {channels:?} {frame:?} {application:?}");
                    let mut encoder = Encoder::new(rate, channels, application).unwrap();
                    let mut decoder = Decoder::new(rate, channels).unwrap();
                    let samples = frame.samples(rate) * channels.count();
                    let mut heard = vec![0; samples];
                    for (packet, range) in encode_all(&mut encoder, frame, &pcm) {
                        let parsed = Packet::parse(&packet).unwrap();
                        assert_eq!(parsed.duration_micros(), frame.micros(), "{case}");
                        assert_eq!(parsed.samples(rate), frame.samples(rate), "{case}");
                        assert_eq!(decoder.decode(&packet, &mut heard), Ok(samples), "{case}");
                        assert_eq!(decoder.final_range(), range, "{case}");
                        if application == Application::LowDelay {
                            assert_eq!(parsed.mode(), Mode::Celt, "{case}");
                        }
                    }
                    combinations += 1;
                }
            }
        }
    }
    assert_eq!(combinations, 5 * 2 * 9 * 3);
}

#[test]
fn a_packet_decodes_at_every_rate_and_channel_count() {
    let pcm = voice(SampleRate::Hz24000, Channels::Mono, 0.6);
    let mut encoder = Encoder::new(SampleRate::Hz24000, Channels::Mono, Application::Voip).unwrap();
    let packets = encode_all(&mut encoder, FrameDuration::Ms60, &pcm);
    for rate in SampleRate::ALL {
        for channels in [Channels::Mono, Channels::Stereo] {
            let mut decoder = Decoder::new(rate, channels).unwrap();
            assert_eq!((decoder.rate(), decoder.channels()), (rate, channels));
            let samples = rate.hz() as usize * 60 / 1000 * channels.count();
            let mut heard = vec![0; samples];
            for (packet, range) in &packets {
                assert_eq!(decoder.decode(packet, &mut heard), Ok(samples), "{rate:?} {channels:?}");
                assert_eq!(decoder.final_range(), *range, "{rate:?} {channels:?}");
            }
            if channels == Channels::Stereo {
                assert!(heard.chunks_exact(2).all(|pair| pair[0] == pair[1]), "mono is the same left and right");
            }
        }
    }
}

#[test]
fn what_was_said_is_heard_after_the_lookahead() {
    for (rate, channels) in [(SampleRate::Hz48000, Channels::Stereo), (SampleRate::Hz24000, Channels::Mono)] {
        for application in [Application::Audio, Application::LowDelay] {
            let pcm = crate::common::chord(rate, channels, 1.0);
            let mut encoder = Encoder::new(rate, channels, application).unwrap();
            encoder.set_bitrate(sidetone_opus::Bitrate::BitsPerSecond(256_000)).unwrap();
            let lag = encoder.lookahead() * channels.count();
            let mut decoder = Decoder::new(rate, channels).unwrap();
            let frame = FrameDuration::Ms20;
            let mut heard = Vec::new();
            let mut pcm_out = vec![0; frame.samples(rate) * channels.count()];
            for (packet, _) in encode_all(&mut encoder, frame, &pcm) {
                decoder.decode(&packet, &mut pcm_out).unwrap();
                heard.extend_from_slice(&pcm_out);
            }
            let settled = heard.len() / 4;
            let snr = crate::common::snr(&pcm[settled - lag..heard.len() - lag], &heard[settled..]);
            assert!(snr > 15.0, "{rate:?} {channels:?} {application:?}: SNR {snr:.1} dB");
        }
    }
}
