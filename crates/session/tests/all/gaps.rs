//! What is missing: how it is counted, what stands in for it, and where in the stream everything is.

use crate::common::{CONNECTION, DTX, KEY, MADE_UP, RECOVERED, Told, device, gateway, send, uplink, voice};
use sidetone_opus::{Channels, SampleRate};
use sidetone_session::{Config, Kind, Session, State};

const FRAME: usize = 960;

fn told(max_concealed: u8) -> Session<Told> {
    let mut config = Config::gateway(CONNECTION);
    config.incoming.max_concealed = max_concealed;
    Session::with_codec(&KEY, &config).unwrap()
}

/// What fills each frame of the samples.
fn frames(samples: &[i16]) -> Vec<i16> {
    assert_eq!(samples.len() % FRAME, 0);
    samples
        .chunks_exact(FRAME)
        .map(|frame| {
            assert!(frame.iter().all(|&sample| sample == frame[0]));
            frame[0]
        })
        .collect()
}

#[test]
fn gaps_are_concealed_recovered_and_skipped_as_configured() {
    const M: i16 = MADE_UP;
    const R: i16 = RECOVERED;
    // Most concealed, packets missing, second byte of the packet after them; skipped, concealed, recovered, audio.
    // From 0xFC on that byte announces redundancy, of 0xFD too little.
    type Case<'a> = (u8, u32, u8, u32, u32, u32, &'a [i16]);
    let cases: [Case; 13] = [
        (5, 0, 7, 0, 0, 0, &[7]),
        (5, 0, 0xFC, 0, 0, 0, &[0xFC]),
        (5, 1, 7, 0, 1, 0, &[M, 7]),
        (5, 1, 0xFC, 0, 0, 1, &[R, 0xFC]),
        (5, 1, 0xFD, 0, 1, 0, &[M, 0xFD]),
        (5, 3, 0xFC, 0, 2, 1, &[M, M, R, 0xFC]),
        (5, 5, 7, 0, 5, 0, &[M, M, M, M, M, 7]),
        (5, 6, 7, 1, 5, 0, &[M, M, M, M, M, 7]),
        (5, 100, 0xFC, 95, 4, 1, &[M, M, M, M, R, 0xFC]),
        (1, 3, 0xFC, 2, 0, 1, &[R, 0xFC]),
        (0, 3, 0xFC, 3, 0, 0, &[0xFC]),
        (0, 1, 7, 1, 0, 0, &[7]),
        (255, 300, 7, 45, 255, 0, &[&[M; 255][..], &[7]].concat()),
    ];
    for (max, lost, byte, skipped, concealed, recovered, audio) in cases {
        let mut session = told(max);
        session.receive(&uplink(1, &[0x58, 1])).unwrap();
        let received = session.receive(&uplink(2 + lost, &[0x58, byte])).unwrap();
        assert_eq!((received.kind, received.lost), (Kind::Audio, lost));
        assert_eq!((received.skipped, received.concealed, received.recovered), (skipped, concealed, recovered));
        assert_eq!(frames(received.samples), audio, "{lost} missing, at most {max} made up");
        assert_eq!(received.position, (FRAME as u64) * (1 + u64::from(skipped)));
        let stats = session.stats();
        assert_eq!((stats.received, stats.received_bytes, stats.lost), (2, 4, u64::from(lost)));
        assert_eq!(
            (stats.skipped, stats.concealed, stats.recovered),
            (skipped.into(), concealed.into(), recovered.into())
        );
        assert_eq!(session.state().position, (FRAME as u64) * (2 + u64::from(lost)));
    }
}

#[test]
fn arrivals_of_every_kind_are_told_apart() {
    use Kind::{Audio, Late};
    let mut session = told(5);
    // Sequence; what came of it: kind, position and lost, or the refusal.
    type Arrival = (u32, Result<(Kind, u64, u32), &'static str>);
    let arrivals: [Arrival; 13] = [
        (10, Ok((Audio, 0, 0))),
        (11, Ok((Audio, 1, 0))),
        (11, Err("sequence 11 was accepted before")),
        (14, Ok((Audio, 2, 2))),
        (13, Ok((Late, 5, 0))),
        (13, Err("sequence 13 was accepted before")),
        (9, Ok((Late, 5, 0))),
        (15, Ok((Audio, 5, 0))),
        (142, Ok((Audio, 127, 126))),
        (15, Err("sequence 15 was accepted before")),
        (16, Ok((Late, 133, 0))),
        (14, Err("sequence 14 is 128 or more behind the highest accepted, 142")),
        (143, Ok((Audio, 133, 0))),
    ];
    for (sequence, expected) in arrivals {
        let result = session.receive(&uplink(sequence, &[0x58, 1]));
        match (result, expected) {
            (Ok(received), Ok((kind, frames, lost))) => {
                assert_eq!((received.kind, received.lost), (kind, lost), "{sequence}");
                assert_eq!(received.position, frames * FRAME as u64, "{sequence}");
                assert_eq!(received.samples.is_empty(), kind == Late, "{sequence}");
            }
            (Err(error), Err(message)) => assert_eq!(error.to_string(), message),
            (result, expected) => panic!("{sequence}: {result:?}, not {expected:?}"),
        }
    }
    let stats = session.stats();
    assert_eq!((stats.received, stats.lost, stats.packets.late), (6, 128, 3));
    assert_eq!((stats.packets.replayed, stats.packets.too_old), (3, 1));
}

#[test]
fn a_far_jump_is_believed_at_the_third_packet_in_a_row() {
    let mut session = told(5);
    session.receive(&uplink(10, &[0x58, 1])).unwrap();
    let held = |session: &mut Session<Told>, sequence: u32, more: u32| {
        let before = session.state();
        let error = session.receive(&uplink(sequence, &[0x58, 1])).unwrap_err().to_string();
        let ahead = sequence - 10;
        let message = format!("sequence {sequence} is {ahead} ahead of the stream: held until {more} more follow it");
        assert_eq!(error, message);
        assert_eq!(session.state(), before);
    };
    held(&mut session, 511, 2);
    held(&mut session, 512, 1);
    held(&mut session, 2_000, 2);
    held(&mut session, 2_001, 1);
    let received = session.receive(&uplink(2_003, &[0x58, 1])).unwrap();
    // 11 to 1999 and 2002 are lost; 2000 and 2001 came, and were not played.
    assert_eq!((received.lost, received.skipped, received.concealed), (1_990, 1_985, 5));
    assert_eq!(received.position, FRAME as u64 * (2_003 - 10 - 5), "as far into the stream as the sequence says");
    assert_eq!(received.samples.len(), 6 * FRAME);
    assert_eq!(session.state().position, FRAME as u64 * (2_003 - 10 + 1));
    let stats = session.stats();
    assert_eq!((stats.packets.held, stats.packets.resynchronised, stats.received), (4, 1, 2));
    assert!(session.receive(&uplink(2_000, &[0x58, 1])).is_err(), "it came already");
}

#[test]
fn a_jump_to_the_highest_sequence_number_overflows_nothing() {
    for start in [None, Some(1)] {
        let mut session = told(5);
        if let Some(sequence) = start {
            session.receive(&uplink(sequence, &[0x58, 1])).unwrap();
        }
        for sequence in [u32::MAX - 2, u32::MAX - 1] {
            assert!(session.receive(&uplink(sequence, &[0x58, 1])).is_err());
        }
        let received = session.receive(&uplink(u32::MAX, &[0x58, 1])).unwrap();
        let expected = if start.is_some() { u32::MAX - 4 } else { 0 };
        assert_eq!(received.lost, expected);
        assert!(session.receive(&uplink(u32::MAX, &[0x58, 1])).is_err());
        assert!(session.receive(&uplink(0, &[0x58, 1])).is_err(), "sequence numbers do not wrap");
    }
}

#[test]
fn the_place_in_the_stream_stops_at_its_highest_value() {
    let mut config = Config::gateway(CONNECTION);
    config.resume = State { position: u64::MAX - 1_000, ..State::START };
    let mut session = Session::new(&KEY, &config).unwrap();
    for sequence in [1, 2, 400] {
        session.receive(&uplink(sequence, DTX)).unwrap();
    }
    assert_eq!(session.state().position, u64::MAX);
}

#[test]
fn the_decoder_stays_in_step_over_gaps() {
    let (mut device, mut gateway) = (device(), gateway());
    let datagrams = send(&mut device, &voice(SampleRate::Hz16000, Channels::Mono, 6.0), 0);
    let (mut lost, mut frames) = (0, 0);
    for (index, datagram) in datagrams.iter().enumerate() {
        if index % 7 >= 5 && index + 7 < datagrams.len() {
            lost += 1;
            continue;
        }
        let received = gateway.receive(datagram).unwrap();
        assert_eq!(received.position, (frames * FRAME) as u64);
        frames += received.samples.len() / FRAME;
    }
    assert_eq!(frames, datagrams.len());
    assert_eq!((gateway.stats().lost, gateway.stats().concealed, gateway.stats().skipped), (lost, lost, 0));
}

#[test]
fn redundancy_recovers_the_packet_before() {
    let mut config = Config::device(CONNECTION);
    config.outgoing.fec = true;
    config.outgoing.expected_loss = 25;
    config.outgoing.bitrate = sidetone_opus::Bitrate::BitsPerSecond(32_000);
    config.quality = sidetone_session::Quality::Full;
    let mut device = Session::new(&KEY, &config).unwrap();
    let mut gateway = gateway();
    let datagrams = send(&mut device, &voice(SampleRate::Hz16000, Channels::Mono, 6.0), 0);
    for (index, datagram) in datagrams.iter().enumerate() {
        if index % 5 != 3 {
            gateway.receive(datagram).unwrap();
        }
    }
    let stats = gateway.stats();
    assert_eq!((stats.lost, stats.skipped), (20, 0));
    assert_eq!(stats.concealed + stats.recovered, 20);
    assert!(stats.recovered >= 15, "{} of 20 recovered", stats.recovered);
}
