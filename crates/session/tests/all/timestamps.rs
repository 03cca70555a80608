//! Timestamps of what is sent.

use crate::common::{CONNECTION, KEY, flush, header, send};
use sidetone_opus::FrameDuration;
use sidetone_session::{Config, SendError, Session, State, Timestamps};

fn sent(session: &mut crate::common::Call, frames: usize, timestamp_ms: u32, frame: usize) -> Vec<u32> {
    send(session, &vec![0; frames * frame], timestamp_ms).iter().map(|d| header(d).timestamp).collect()
}

#[test]
fn packets_of_one_call_are_a_frame_apart() {
    for (frame, expected) in [
        (FrameDuration::Ms2_5, [100, 102, 105, 107, 110]),
        (FrameDuration::Ms5, [100, 105, 110, 115, 120]),
        (FrameDuration::Ms20, [100, 120, 140, 160, 180]),
        (FrameDuration::Ms60, [100, 160, 220, 280, 340]),
    ] {
        for mut config in [Config::gateway(CONNECTION), Config::device(CONNECTION)] {
            config.outgoing.frame = frame;
            let mut session = Session::new(&KEY, &config).unwrap();
            assert_eq!(sent(&mut session, 5, 100, config.outgoing.frame_samples()), expected, "{frame:?}");
        }
    }
}

#[test]
fn a_time_that_does_not_advance_is_raised() {
    let mut gateway = crate::common::gateway();
    assert_eq!(sent(&mut gateway, 2, 0, 1440), [1, 60]);
    assert_eq!(sent(&mut gateway, 2, 50, 1440), [61, 110]);
    let mut device = crate::common::device();
    assert_eq!(sent(&mut device, 2, 0, 960), [0, 60]);
    assert_eq!(sent(&mut device, 2, 50, 960), [61, 110]);
    assert_eq!(sent(&mut device, 1, 110, 960), [111]);
    let flushed: Vec<u32> = flush(&mut device, 0).iter().map(|d| header(d).timestamp).collect();
    assert_eq!(flushed, [112]);
}

#[test]
fn firmware_sends_zero() {
    let mut config = Config::device(CONNECTION);
    config.outgoing.timestamps = Timestamps::Zero;
    let mut device = Session::new(&KEY, &config).unwrap();
    assert_eq!(sent(&mut device, 3, 1234, 960), [0, 0, 0]);
    // A gateway's increase whatever is asked for.
    let mut config = Config::gateway(CONNECTION);
    config.outgoing.timestamps = Timestamps::Zero;
    assert_eq!(sent(&mut Session::new(&KEY, &config).unwrap(), 3, 1234, 1440), [1234, 1294, 1354]);
}

#[test]
fn the_last_timestamp_and_the_last_sequence_number_end_the_session() {
    for (config, frame) in [(Config::gateway(CONNECTION), 1440), (Config::device(CONNECTION), 960)] {
        let mut session = Session::new(&KEY, &config).unwrap();
        assert_eq!(sent(&mut session, 1, u32::MAX, frame), [u32::MAX]);
        let error = session.send(&vec![0; frame], 0, |_| panic!("emitted")).unwrap_err();
        assert_eq!(error.to_string(), "all timestamps are used: start a session with a new key");

        let mut config = config;
        config.resume = State::START;
        config.resume.sealed.next_sequence = u32::MAX - 1;
        let mut session = Session::new(&KEY, &config).unwrap();
        assert_eq!(sent(&mut session, 1, 7, frame), [7]);
        let error = session.send(&vec![0; frame], 70, |_| panic!("emitted")).unwrap_err();
        assert!(matches!(error, SendError::Seal(_)));
        assert_eq!(error.to_string(), "all sequence numbers are used: start a session with a new key");
        // And a flush ends, too.
        assert!(session.flush(80, |_| panic!("emitted")).is_err());
        assert!(flush(&mut session, 90).is_empty());
        assert_eq!((session.stats().sent, session.stats().padded_samples), (1, 0));
    }
}
