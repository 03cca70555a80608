//! PCM of any length becomes whole frames, and no sample is lost.

use crate::common::{CONNECTION, Call, KEY, Told, cases, flush, gateway, header, payload, send, voice};
use proptest::prelude::*;
use sidetone_opus::{Application, Channels, FrameDuration, SampleRate};
use sidetone_session::{Config, SendError, Session};

fn short_frames(frame: FrameDuration, rate: SampleRate, channels: Channels) -> Config {
    let mut config = Config::gateway(CONNECTION);
    (config.outgoing.frame, config.outgoing.rate, config.outgoing.channels) = (frame, rate, channels);
    config
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn chunks_of_any_length_make_the_datagrams_of_whole_frames(
        lengths in prop::collection::vec(0usize..900, 1..40),
        stereo: bool,
    ) {
        let channels = if stereo { Channels::Stereo } else { Channels::Mono };
        let config = short_frames(FrameDuration::Ms20, SampleRate::Hz8000, channels);
        let frame = 160 * channels.count();
        let pcm = voice(SampleRate::Hz8000, channels, 5.0);
        let mut chunked = Session::new(&KEY, &config).unwrap();
        let (mut datagrams, mut taken) = (Vec::new(), 0);
        for length in lengths {
            let length = (length * channels.count()).min(pcm.len() - taken);
            let next = 20 * datagrams.len() as u32 + 1;
            datagrams.extend(send(&mut chunked, &pcm[taken..taken + length], next));
            taken += length;
            prop_assert_eq!(datagrams.len(), taken / frame);
        }
        let mut whole = Session::new(&KEY, &config).unwrap();
        let mut expected = Vec::new();
        for (index, frame) in pcm[..taken].chunks_exact(frame).enumerate() {
            expected.extend(send(&mut whole, frame, 20 * index as u32 + 1));
        }
        prop_assert_eq!(&datagrams, &expected);
        send(&mut whole, pcm[..taken].chunks_exact(frame).remainder(), 0);
        prop_assert_eq!(flush(&mut chunked, 90_000), flush(&mut whole, 90_000));
    }
}

#[test]
fn a_flush_lets_the_end_be_heard_and_is_done_once() {
    let applications = [Application::Voip, Application::LowDelay];
    for frame in FrameDuration::ALL {
        for (rate, channels) in [(SampleRate::Hz16000, Channels::Mono), (SampleRate::Hz48000, Channels::Stereo)] {
            for application in applications {
                let name = format!("{frame:?} {rate:?} {application:?}");
                let mut config = short_frames(frame, rate, channels);
                config.outgoing.application = application;
                let mut gateway = Session::new(&KEY, &config).unwrap();
                let per_frame = frame.samples(rate);
                let lookahead = rate.hz() as usize * if application == Application::Voip { 65 } else { 25 } / 10_000;
                for tail in [0, 1, per_frame / 2, per_frame - 1] {
                    let before = gateway.stats();
                    let said = 4 * per_frame + tail;
                    let sent = send(&mut gateway, &vec![99; said * channels.count()], 0).len();
                    let mut flushed = 0;
                    gateway
                        .flush(0, |_| {
                            flushed += 1;
                            assert!(flushed < 9, "{name}: a flush without end");
                        })
                        .unwrap();
                    let frames = (said + lookahead).div_ceil(per_frame);
                    assert_eq!(sent + flushed, frames, "{name} tail {tail}");
                    let padded = gateway.stats().padded_samples - before.padded_samples;
                    assert_eq!(padded as usize, frames * per_frame - said, "{name} tail {tail}");
                    assert!(flush(&mut gateway, 0).is_empty(), "{name}: a second flush");
                }
            }
        }
    }
}

#[test]
fn the_last_samples_before_a_flush_are_audible() {
    let mut config = Config::gateway(CONNECTION);
    config.outgoing.bitrate = sidetone_opus::Bitrate::BitsPerSecond(96_000);
    let mut device = crate::common::device();
    for tail in [0, 1, 100, 700, 1_400, 1_439] {
        let mut gateway = Session::new(&KEY, &config).unwrap();
        // Silence, and a burst that ends with the very last sample.
        let mut said = vec![0i16; 1440 * 8 + tail];
        let start = said.len() - 240;
        for (index, sample) in said[start..].iter_mut().enumerate() {
            *sample = if index / 12 % 2 == 0 { 12_000 } else { -12_000 };
        }
        let mut datagrams = send(&mut gateway, &said, 0);
        datagrams.extend(flush(&mut gateway, 0));
        let heard: Vec<i16> = datagrams.iter().flat_map(|d| device.receive(d).unwrap().samples.to_vec()).collect();
        let power = |pcm: &[i16]| pcm.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        let end = start + 156 + 240;
        assert!(heard.len() >= end, "tail {tail}");
        let kept = power(&heard[start + 156..end]) / power(&said[start..]);
        assert!(kept > 0.7, "tail {tail}: {kept:.2} of the burst's power is heard");
        device = crate::common::device();
    }
}

#[test]
fn a_flush_of_nothing_is_nothing() {
    assert!(flush(&mut gateway(), 0).is_empty());
    let mut session = gateway();
    assert!(send(&mut session, &[], 0).is_empty());
    assert!(flush(&mut session, 0).is_empty());
    assert_eq!(session.stats(), gateway().stats());
}

#[test]
fn discarded_audio_is_never_sent_and_the_encoder_starts_afresh() {
    let pcm = voice(SampleRate::Hz24000, Channels::Mono, 1.0);
    let mut session = gateway();
    send(&mut session, &pcm[..5_000], 0);
    session.discard();
    assert!(flush(&mut session, 0).is_empty());
    let payloads = |session: &mut Call| send(session, &pcm, 500).iter().map(|d| payload(d)).collect::<Vec<_>>();
    assert_eq!(payloads(&mut session), payloads(&mut gateway()));
}

#[test]
fn samples_that_do_not_divide_into_the_channels_are_refused_and_nothing_is_kept() {
    let mut config = Config::gateway(CONNECTION);
    config.outgoing.channels = Channels::Stereo;
    let mut session = Session::new(&KEY, &config).unwrap();
    let error = session.send(&[0; 2881], 0, |_| panic!("emitted")).unwrap_err();
    assert_eq!(error, SendError::Uneven { samples: 2881, channels: 2 });
    assert_eq!(error.to_string(), "2881 samples do not divide into 2 channels");
    assert!(flush(&mut session, 0).is_empty());
}

#[test]
fn a_frame_that_cannot_be_encoded_is_dropped_with_all_after_it() {
    let mut session = Session::<Told>::with_codec(&KEY, &Config::gateway(CONNECTION)).unwrap();
    let frame = |value: i16| vec![value; 1440];
    let mut emitted = Vec::new();
    let pcm = [frame(1), frame(2), frame(-1), frame(3), vec![4; 10]].concat();
    assert!(matches!(session.send(&pcm, 0, |d| emitted.push(payload(d)[1])), Err(SendError::Codec(_))));
    assert!(flush(&mut session, 0).is_empty(), "nothing waits");
    // The same where the frame at fault was begun by an earlier call.
    assert!(send(&mut session, &[-1], 0).is_empty());
    assert!(session.send(&frame(5), 0, |d| emitted.push(payload(d)[1])).is_err());
    assert!(flush(&mut session, 0).is_empty());
    // And where a flush meets it.
    assert!(send(&mut session, &[-1], 0).is_empty());
    assert!(session.flush(0, |_| panic!("emitted")).is_err());
    assert_eq!(session.stats().padded_samples, 0);
    let next = send(&mut session, &frame(6), 0);
    emitted.push(payload(&next[0])[1]);
    assert_eq!((emitted, header(&next[0]).sequence), (vec![1, 2, 6], 3));
}
