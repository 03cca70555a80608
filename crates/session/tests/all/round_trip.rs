//! Both ends of a call: what one sends, the other hears.

use crate::common::{CONNECTION, Call, KEY, device, flush, gateway, header, payload, send, snr, speech, voice};
use sidetone_opus::{Application, Bitrate, Channels, Encoder, FrameDuration, SampleRate, packet::Packet};
use sidetone_session::{Config, Delivery, Kind, Quality, Received, SendError, Session};

fn hear(session: &mut Call, datagrams: &[Vec<u8>]) -> Vec<i16> {
    datagrams.iter().flat_map(|datagram| session.receive(datagram).unwrap().samples.to_vec()).collect()
}

#[test]
fn uplink_is_heard_as_it_was_said() {
    let mut config = Config::device(CONNECTION);
    config.quality = Quality::Full;
    config.outgoing.bitrate = Bitrate::BitsPerSecond(32_000);
    let mut device = Session::new(&KEY, &config).unwrap();
    let mut gateway = gateway();
    let said = speech();
    let said = &said[..said.len().min(48_000)];
    let mut datagrams = send(&mut device, said, 0);
    datagrams.extend(flush(&mut device, 3_000));
    let heard = hear(&mut gateway, &datagrams);
    let lag = 104;
    assert!(heard.len() >= said.len() + lag);
    let snr = snr(said, &heard[lag..lag + said.len()]);
    assert!(snr > 6.0, "SNR {snr:.1} dB");
    let stats = gateway.stats();
    assert_eq!((stats.received, stats.lost, stats.undecodable), (datagrams.len() as u64, 0, 0));
    assert_eq!(device.stats().sent, stats.received);
    assert_eq!(device.stats().sent_bytes, stats.received_bytes);
}

#[test]
fn downlink_is_heard_as_it_was_said() {
    let (mut gateway, mut device) = (gateway(), device());
    let said = voice(SampleRate::Hz24000, Channels::Mono, 3.0);
    let datagrams = send(&mut gateway, &said, 0);
    assert_eq!(datagrams.len(), 50);
    let heard = hear(&mut device, &datagrams);
    assert_eq!(heard.len(), said.len());
    let lag = 156;
    let snr = snr(&said[..said.len() - lag], &heard[lag..]);
    assert!(snr > 6.0, "SNR {snr:.1} dB");
}

#[test]
fn every_datagram_is_told_with_its_header_and_its_place() {
    let (mut gateway, mut device) = (gateway(), device());
    for (index, datagram) in send(&mut device, &[0; 960 * 5], 1000).iter().enumerate() {
        let Received { kind, sequence, timestamp, position, lost, skipped, concealed, recovered, samples, payload } =
            gateway.receive(datagram).unwrap();
        let index = index as u32;
        assert_eq!((kind, sequence, timestamp), (Kind::Audio, index + 1, 1000 + 60 * index));
        assert_eq!((position, samples.len(), payload.len()), (960 * u64::from(index), 960, 0));
        assert_eq!((lost, skipped, concealed, recovered), (0, 0, 0, 0));
    }
}

#[test]
fn a_session_hears_only_the_other_end() {
    let (mut gateway, mut device) = (gateway(), device());
    let down = send(&mut gateway, &[0; 1440], 0);
    let up = send(&mut device, &[0; 960], 0);
    assert!(gateway.receive(&down[0]).is_err(), "its own, reflected");
    assert!(device.receive(&up[0]).is_err(), "its own, reflected");
    gateway.receive(&up[0]).unwrap();
    device.receive(&down[0]).unwrap();
    assert_eq!((gateway.stats().packets.wrong_direction, device.stats().packets.wrong_direction), (1, 1));
}

#[test]
fn opus_is_passed_through_unchanged_both_ways() {
    let mut config = Config::gateway(CONNECTION);
    config.incoming.delivery = Delivery::Packets;
    let mut gateway = Session::new(&KEY, &config).unwrap();
    let mut device = device();
    let datagrams = send(&mut device, &voice(SampleRate::Hz16000, Channels::Mono, 0.6), 0);
    for (index, datagram) in datagrams.iter().enumerate() {
        if index == 4 {
            continue;
        }
        let received = gateway.receive(datagram).unwrap();
        assert_eq!((received.kind, received.samples.len()), (Kind::Audio, 0));
        assert_eq!(received.payload, payload(datagram));
        assert_eq!(received.position, 960 * index as u64);
        let gap = u32::from(index == 5);
        assert_eq!((received.lost, received.skipped, received.concealed), (gap, gap, 0));
    }

    let mut encoder = Encoder::new(SampleRate::Hz24000, Channels::Mono, Application::Voip).unwrap();
    let mut packet = [0; 1024];
    let len = encoder.encode(&[100; 1440], &mut packet).unwrap();
    let mut datagrams = Vec::new();
    gateway.send_payload(&packet[..len], 777, |datagram| datagrams.push(datagram.to_vec())).unwrap();
    assert_eq!((payload(&datagrams[0]), header(&datagrams[0]).timestamp), (packet[..len].to_vec(), 777));
    assert_eq!(device.receive(&datagrams[0]).unwrap().samples.len(), 1440);
    assert_eq!((gateway.stats().sent, gateway.stats().sent_bytes), (1, len as u64));
}

#[test]
fn payloads_that_fit_no_packet_are_refused_and_use_no_sequence_number() {
    let mut gateway = gateway();
    for len in [0, 1025, 70_000] {
        let error = gateway.send_payload(&vec![0; len], 0, |_| panic!("emitted")).unwrap_err();
        assert!(matches!(error, SendError::Seal(_)), "{error}");
        assert_eq!(error.to_string(), format!("payload of {len} bytes is outside 1..=1024"));
    }
    assert_eq!(gateway.stats().sent, 0);
    assert_eq!(header(&send(&mut gateway, &[0; 1440], 0)[0]).sequence, 1);
}

#[test]
fn every_frame_duration_and_rate_makes_a_call() {
    for frame in FrameDuration::ALL {
        for rate in SampleRate::ALL {
            for channels in [Channels::Mono, Channels::Stereo] {
                let (mut up, mut down) = (Config::device(CONNECTION), Config::gateway(CONNECTION));
                (up.outgoing.frame, up.outgoing.rate, up.outgoing.channels) = (frame, rate, channels);
                (down.incoming.frame, down.incoming.rate, down.incoming.channels) = (frame, rate, channels);
                let (mut device, mut gateway) = (Session::new(&KEY, &up).unwrap(), Session::new(&KEY, &down).unwrap());
                let said = voice(rate, channels, 0.36);
                let datagrams = send(&mut device, &said, 0);
                let samples = frame.samples(rate) * channels.count();
                assert_eq!(datagrams.len(), said.len() / samples);
                assert_eq!(hear(&mut gateway, &datagrams).len(), datagrams.len() * samples);
            }
        }
    }
}

/// At low bitrates libopus codes stereo as mono: the other end must not take that for a forgery.
#[test]
fn stereo_at_a_low_bitrate_is_believed_though_it_is_coded_mono() {
    let (mut up, mut down) = (Config::device(CONNECTION), Config::gateway(CONNECTION));
    up.outgoing.channels = Channels::Stereo;
    up.outgoing.bitrate = Bitrate::BitsPerSecond(10_000);
    down.incoming.channels = Channels::Stereo;
    let mut device = Session::new(&KEY, &up).unwrap();
    let mut gateway = Session::new(&KEY, &down).unwrap();
    let datagrams = send(&mut device, &voice(SampleRate::Hz16000, Channels::Stereo, 1.2), 0);
    let coded = datagrams.iter().map(|datagram| Packet::parse(&payload(datagram)).unwrap().channels());
    assert!(coded.clone().any(|channels| channels == Channels::Mono));
    assert_eq!(hear(&mut gateway, &datagrams).len(), 20 * 1920);
    assert_eq!(gateway.stats().packets.rejected, 0);
}
