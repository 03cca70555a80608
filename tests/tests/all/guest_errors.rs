//! Every error of the WIT interface that can be reached, with its value; the instance goes on.
//!
//! Not reachable from outside: `too-small` (the room always suffices), `no-memory` and `internal` (libopus's own), and
//! `undecodable` (libopus decodes or conceals whatever parses).

use sidetone_packet::{Direction, Header};
use sidetone_tests::datagrams::{CONNECTION, DTX, KEY, of, sealed, uplink};
use sidetone_tests::raw::codec::EncoderConfig;
use sidetone_tests::raw::session::{self as ws, Config, ConfigError, SendError};
use sidetone_tests::raw::types::{Bitrate, CodecError, OpenError, OpenedState, SealError, SealedState};
use sidetone_tests::raw::{Guest, gateway, key, types, voice};
use wasmtime::component::ResourceAny;

#[test]
fn an_encoder_refuses_settings_opus_has_not() {
    let Guest { mut store, exports } = Guest::new();
    let encoder = exports.sidetone_media_codec().encoder();
    let base = voice(24_000, 1);
    let rated = |bits| EncoderConfig { bitrate: Bitrate::BitsPerSecond(bits), ..base };
    let cases = [
        (EncoderConfig { sample_rate: 0, ..base }, CodecError::SampleRate(0)),
        (EncoderConfig { sample_rate: 44_100, ..base }, CodecError::SampleRate(44_100)),
        (EncoderConfig { sample_rate: u32::MAX, ..base }, CodecError::SampleRate(u32::MAX)),
        (EncoderConfig { channels: 0, ..base }, CodecError::Channels(0)),
        (EncoderConfig { channels: 3, ..base }, CodecError::Channels(3)),
        (EncoderConfig { channels: 255, ..base }, CodecError::Channels(255)),
        (EncoderConfig { complexity: 11, ..base }, CodecError::Complexity(11)),
        (EncoderConfig { complexity: 255, ..base }, CodecError::Complexity(255)),
        (EncoderConfig { expected_loss: 101, ..base }, CodecError::ExpectedLoss(101)),
        (rated(0), CodecError::Bitrate(0)),
        (rated(499), CodecError::Bitrate(499)),
        (rated(512_001), CodecError::Bitrate(512_001)),
        (rated(u32::MAX), CodecError::Bitrate(u32::MAX)),
    ];
    let open = encoder.call_open(&mut store, base).unwrap().unwrap();
    for (config, expected) in cases {
        assert_eq!(encoder.call_open(&mut store, config).unwrap(), Err(expected), "{config:?}");
        // The same of an encoder that is open; its rate and channels stay what they are.
        assert_eq!(encoder.call_configure(&mut store, open, config).unwrap(), Err(expected), "{config:?}");
    }
    let other = EncoderConfig { sample_rate: 16_000, ..base };
    assert_eq!(encoder.call_configure(&mut store, open, other).unwrap(), Err(CodecError::SampleRate(16_000)));
    let other = EncoderConfig { channels: 2, ..base };
    assert_eq!(encoder.call_configure(&mut store, open, other).unwrap(), Err(CodecError::Channels(2)));
    assert!(encoder.call_encode(&mut store, open, &[0; 1440]).unwrap().is_ok(), "it goes on");
}

#[test]
fn an_encoder_refuses_frames_opus_has_not() {
    let Guest { mut store, exports } = Guest::new();
    let encoder = exports.sidetone_media_codec().encoder();
    let mono = encoder.call_open(&mut store, voice(24_000, 1)).unwrap().unwrap();
    let stereo = encoder.call_open(&mut store, voice(24_000, 2)).unwrap().unwrap();
    for samples in [0, 1, 59, 61, 720, 1439, 1441, 2881, 65_535, 1_000_000] {
        let refused = Err(CodecError::FrameLength(samples));
        assert_eq!(encoder.call_encode(&mut store, mono, &vec![0; samples as usize]).unwrap(), refused, "{samples}");
    }
    for samples in [0, 60, 1440 + 60, 2881] {
        let refused = Err(CodecError::FrameLength(samples));
        assert_eq!(encoder.call_encode(&mut store, stereo, &vec![0; samples as usize]).unwrap(), refused, "{samples}");
    }
    for samples in [60, 120, 240, 480, 960, 1440, 1920, 2400, 2880] {
        assert!(encoder.call_encode(&mut store, mono, &vec![0; samples]).unwrap().is_ok(), "{samples}");
        assert!(encoder.call_encode(&mut store, stereo, &vec![0; 2 * samples]).unwrap().is_ok(), "{samples}");
    }
}

#[test]
fn a_decoder_refuses_what_is_no_packet_and_no_frame() {
    let Guest { mut store, exports } = Guest::new();
    let codec = exports.sidetone_media_codec();
    let decoder = codec.decoder();
    assert_eq!(decoder.call_open(&mut store, 22_050, 1).unwrap().err(), Some(CodecError::SampleRate(22_050)));
    assert_eq!(decoder.call_open(&mut store, 48_000, 6).unwrap().err(), Some(CodecError::Channels(6)));
    let open = decoder.call_open(&mut store, 48_000, 2).unwrap().unwrap();
    let no_packets: [&[u8]; 6] = [&[], &[0x5B], &[0x5B, 0], &[0x59, 1], &[0x5A, 0xFF], &[0x48; 65_535]];
    for bytes in no_packets {
        let name = format!("{} bytes from {:x?}", bytes.len(), bytes.first());
        assert_eq!(codec.call_parse(&mut store, bytes).unwrap(), Err(CodecError::NotOpus), "{name}");
        assert_eq!(decoder.call_decode(&mut store, open, bytes).unwrap(), Err(CodecError::NotOpus), "{name}");
        let recovered = decoder.call_recover(&mut store, open, bytes, 960).unwrap();
        assert_eq!(recovered, Err(CodecError::NotOpus), "{name}");
    }
    // Samples a channel go in; the error counts all channels, as that of a frame does.
    for (samples, all) in [(0, 0), (1, 2), (121, 242), (5761, 11_522), (5880, 11_760), (u32::MAX, u32::MAX)] {
        let refused = Err(CodecError::FrameLength(all));
        assert_eq!(decoder.call_conceal(&mut store, open, samples).unwrap(), refused, "{samples}");
        assert_eq!(decoder.call_recover(&mut store, open, DTX, samples).unwrap(), refused, "{samples}");
    }
    for samples in [120, 960, 5760] {
        assert_eq!(decoder.call_conceal(&mut store, open, samples).unwrap().unwrap().len(), 2 * samples as usize);
    }
    assert_eq!(decoder.call_decode(&mut store, open, DTX).unwrap().unwrap().len(), 2 * 2880, "it goes on");
}

#[test]
fn a_session_refuses_settings_it_cannot_keep() {
    let Guest { mut store, exports } = Guest::new();
    let stream = exports.sidetone_media_session().stream();
    let base = gateway(CONNECTION);
    let with = |change: fn(&mut Config)| {
        let mut config = base;
        change(&mut config);
        config
    };
    let cases = [
        (with(|c| c.incoming.sample_rate = 44_100), ConfigError::Codec(CodecError::SampleRate(44_100))),
        (with(|c| c.outgoing.sample_rate = 0), ConfigError::Codec(CodecError::SampleRate(0))),
        (with(|c| c.incoming.channels = 0), ConfigError::Codec(CodecError::Channels(0))),
        (with(|c| c.outgoing.channels = 3), ConfigError::Codec(CodecError::Channels(3))),
        (with(|c| c.incoming.frame = 50_000), ConfigError::Codec(CodecError::FrameDuration(50_000))),
        (with(|c| c.outgoing.frame = u32::MAX), ConfigError::Codec(CodecError::FrameDuration(u32::MAX))),
        (with(|c| c.outgoing.expected_loss = 200), ConfigError::Codec(CodecError::ExpectedLoss(200))),
        (with(|c| c.outgoing.bitrate = Bitrate::BitsPerSecond(6)), ConfigError::Codec(CodecError::Bitrate(6))),
        (with(|c| c.incoming.payload = ws::Payload::Pcm), ConfigError::PcmFrameTooLong(1920)),
        (with(|c| c.outgoing.payload = ws::Payload::Pcm), ConfigError::PcmFrameTooLong(2880)),
    ];
    for (config, expected) in cases {
        assert_eq!(stream.call_open(&mut store, key(&KEY), config).unwrap().err(), Some(expected), "{config:?}");
    }
    let open = stream.call_open(&mut store, key(&KEY), base).unwrap().unwrap();
    assert_eq!(stream.call_send(&mut store, open, &[0; 1440], 0).unwrap().unwrap().len(), 1, "it goes on");
}

fn opened(guest: &mut Guest, config: Config) -> ResourceAny {
    let stream = guest.exports.sidetone_media_session().stream();
    stream.call_open(&mut guest.store, key(&KEY), config).unwrap().unwrap()
}

#[test]
fn a_session_names_what_it_does_not_send() {
    let mut guest = Guest::new();
    let mut config = gateway(CONNECTION);
    config.outgoing.channels = 2;
    let open = opened(&mut guest, config);
    let Guest { mut store, exports } = guest;
    let stream = exports.sidetone_media_session().stream();
    assert_eq!(stream.call_send(&mut store, open, &[0; 3], 0).unwrap(), Err(SendError::Uneven(3)));
    assert_eq!(stream.call_send(&mut store, open, &[0; 65_535], 0).unwrap(), Err(SendError::Uneven(65_535)));
    for len in [0, 1025, 65_535] {
        let refused = Err(SendError::Seal(SealError::PayloadSize(len)));
        assert_eq!(stream.call_send_payload(&mut store, open, &vec![0; len as usize], 0).unwrap(), refused, "{len}");
    }
    assert_eq!(stream.call_flush(&mut store, open, 0).unwrap(), Ok(Vec::new()), "nothing of these waits");
    let sealed = stream.call_send_payload(&mut store, open, DTX, u32::MAX).unwrap().unwrap();
    assert_eq!(sealed.len(), 17, "and the last timestamp there is can be used");
    let refused = Err(SendError::Seal(SealError::TimestampExhausted));
    assert_eq!(stream.call_send_payload(&mut store, open, DTX, 0).unwrap(), refused);
    assert_eq!(
        stream.call_send(&mut store, open, &[0; 2880], 0).unwrap(),
        Err(SendError::Seal(SealError::TimestampExhausted))
    );
}

#[test]
fn a_session_that_negotiated_pcm_takes_frames_alone() {
    let mut guest = Guest::new();
    let mut config = gateway(CONNECTION);
    config.incoming.payload = ws::Payload::Pcm;
    config.incoming.frame = 20_000;
    let open = opened(&mut guest, config);
    let Guest { mut store, exports } = guest;
    let stream = exports.sidetone_media_session().stream();
    for len in [1, 639, 641, 1024] {
        let refused = Err(OpenError::PcmLength(len));
        let datagram = uplink(1, &vec![1; len as usize]);
        assert_eq!(stream.call_receive(&mut store, open, &datagram).unwrap(), refused, "{len}");
    }
    let received = stream.call_receive(&mut store, open, &uplink(1, &[1; 640])).unwrap().unwrap();
    assert_eq!(received.samples, vec![0x0101; 320]);
}

#[test]
fn sealing_refuses_sizes_and_runs_out() {
    let Guest { mut store, exports } = Guest::new();
    let packet = exports.sidetone_media_packet();
    let header = types::Header { flags: 0, payload_len: 7, connection_id: 1, timestamp: 0, sequence: 1 };
    let sealer = packet.sealer();
    let open = sealer.call_constructor(&mut store, key(&KEY), CONNECTION, types::Direction::Downlink).unwrap();
    for len in [0, 1025, 65_535] {
        let (payload, refused) = (vec![0; len as usize], Err(SealError::PayloadSize(len)));
        assert_eq!(packet.call_seal(&mut store, key(&KEY), header, &payload).unwrap(), refused, "{len}");
        assert_eq!(sealer.call_seal(&mut store, open, 0, &payload).unwrap(), refused, "{len}");
    }
    let state = SealedState { next_sequence: 1, last_timestamp: 0 };
    assert_eq!(sealer.call_state(&mut store, open).unwrap(), state, "nothing is used up");

    sealer.call_restore(&mut store, open, SealedState { next_sequence: u32::MAX, ..state }).unwrap();
    assert_eq!(sealer.call_seal(&mut store, open, 0, &[0]).unwrap(), Err(SealError::SequenceExhausted));
    sealer.call_restore(&mut store, open, SealedState { last_timestamp: u32::MAX, ..state }).unwrap();
    assert_eq!(sealer.call_seal(&mut store, open, 0, &[0]).unwrap(), Err(SealError::TimestampExhausted));
    sealer.call_restore(&mut store, open, state).unwrap();
    assert_eq!(sealer.call_seal(&mut store, open, 0, &[0]).unwrap(), Err(SealError::TimestampExhausted), "never back");
}

#[test]
fn an_opener_names_why_it_dropped() {
    let Guest { mut store, exports } = Guest::new();
    let opener = exports.sidetone_media_packet().opener();
    let open = opener.call_constructor(&mut store, key(&KEY), CONNECTION, types::Direction::Uplink).unwrap();
    let foreign = sealed(&KEY, &Header { connection_id: 7, sequence: 1, ..Header::default() }, DTX);
    let cases = [
        (vec![], OpenError::Truncated(0)),
        (vec![1; 15], OpenError::Truncated(15)),
        (vec![9; 17], OpenError::UnknownType(9)),
        (vec![1; 65_535], OpenError::LengthMismatch((257, 65_519))),
        (foreign, OpenError::ForeignConnection(7)),
        (of(Direction::Downlink, 1, DTX), OpenError::WrongDirection(1)),
    ];
    for (datagram, expected) in cases {
        assert_eq!(opener.call_open(&mut store, open, &datagram).unwrap().err(), Some(expected));
    }
    assert_eq!(opener.call_accept(&mut store, open, 1).unwrap().err(), Some(OpenError::NoCandidate(1)));
    opener.call_open(&mut store, open, &uplink(1, DTX)).unwrap().unwrap();
    assert_eq!(opener.call_accept(&mut store, open, 2).unwrap().err(), Some(OpenError::NoCandidate(2)));
    assert_eq!(opener.call_accept(&mut store, open, 1).unwrap().unwrap().gap, 0, "it waited all the same");
    assert_eq!(opener.call_accept(&mut store, open, 1).unwrap().err(), Some(OpenError::NoCandidate(1)), "but once");

    opener.call_open(&mut store, open, &uplink(502, DTX)).unwrap().unwrap();
    assert_eq!(opener.call_accept(&mut store, open, 502).unwrap().err(), Some(OpenError::Held(502)));
    opener.call_open(&mut store, open, &uplink(3, DTX)).unwrap().unwrap();
    opener.call_reject(&mut store, open).unwrap();
    assert_eq!(opener.call_accept(&mut store, open, 3).unwrap().err(), Some(OpenError::NoCandidate(3)), "rejected");

    opener.call_open(&mut store, open, &uplink(3, DTX)).unwrap().unwrap();
    let state = OpenedState { highest: Some(3), window_high: 0, window_low: 1 };
    opener.call_restore(&mut store, open, state).unwrap();
    assert_eq!(opener.call_accept(&mut store, open, 3).unwrap().err(), Some(OpenError::Overtaken(3)));
}
