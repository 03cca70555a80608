//! Sessions that negotiated PCM instead of Opus.

use crate::common::{CONNECTION, KEY, header, payload, send, uplink, voice};
use sidetone_opus::{Channels, FrameDuration, SampleRate};
use sidetone_session::{Config, ConfigError, Delivery, Kind, Payload, ReceiveError, Session};

fn ends() -> (Config, Config) {
    let (mut up, mut down) = (Config::device(CONNECTION), Config::gateway(CONNECTION));
    (up.outgoing.payload, up.outgoing.frame) = (Payload::Pcm, FrameDuration::Ms20);
    (down.incoming.payload, down.incoming.frame) = (Payload::Pcm, FrameDuration::Ms20);
    (up, down)
}

#[test]
fn samples_arrive_exactly_as_they_left() {
    let (up, down) = ends();
    let (mut device, mut gateway) = (Session::new(&KEY, &up).unwrap(), Session::new(&KEY, &down).unwrap());
    let said: Vec<i16> = voice(SampleRate::Hz16000, Channels::Mono, 1.0);
    let mut heard = Vec::new();
    for datagram in send(&mut device, &said, 0) {
        assert_eq!(header(&datagram).payload_len, 640);
        heard.extend_from_slice(gateway.receive(&datagram).unwrap().samples);
    }
    assert_eq!(heard, said);
    assert_eq!(gateway.stats().received_bytes, 50 * 640);
    assert_eq!(payload(&send(&mut device, &[-2; 320], 0)[0]), [0xFE, 0xFF].repeat(320));
}

#[test]
fn the_tail_is_filled_up_and_nothing_is_held_back() {
    let (up, _) = ends();
    let mut device = Session::new(&KEY, &up).unwrap();
    assert_eq!(send(&mut device, &[5; 330], 0).len(), 1);
    let tail = crate::common::flush(&mut device, 20);
    assert_eq!(tail.len(), 1, "there is no look-ahead");
    assert_eq!(payload(&tail[0]), [[5, 0].repeat(10), vec![0; 620]].concat());
    assert_eq!(device.stats().padded_samples, 310);
    assert!(send(&mut device, &[5; 320], 40).len() == 1 && crate::common::flush(&mut device, 60).is_empty());
}

#[test]
fn what_is_lost_is_silence() {
    let (_, down) = ends();
    let mut gateway = Session::new(&KEY, &down).unwrap();
    gateway.receive(&uplink(1, &[7; 640])).unwrap();
    let received = gateway.receive(&uplink(4, &[7; 640])).unwrap();
    assert_eq!((received.lost, received.concealed, received.recovered), (2, 2, 0));
    assert_eq!(received.samples, [vec![0; 640], vec![0x0707; 320]].concat());
}

#[test]
fn only_payloads_of_a_frames_length_are_believed() {
    let (_, down) = ends();
    let mut gateway = Session::new(&KEY, &down).unwrap();
    for (sequence, bytes) in (1..).zip([1, 2, 639, 641, 1024]) {
        let error = gateway.receive(&uplink(sequence, &vec![7; bytes])).unwrap_err();
        assert_eq!(error, ReceiveError::PcmLength { bytes, expected: 640 });
        assert_eq!(error.to_string(), format!("PCM payload of {bytes} bytes, a frame has 640"));
        assert!(error.is_implausible());
    }
    assert_eq!(gateway.stats().implausible_in_a_row, 5);
    assert_eq!(gateway.state().opened.highest, None);
}

#[test]
fn pcm_can_be_passed_on_undecoded() {
    let (_, mut down) = ends();
    down.incoming.delivery = Delivery::Packets;
    let mut gateway = Session::new(&KEY, &down).unwrap();
    let received = gateway.receive(&uplink(1, &[7; 640])).unwrap();
    assert_eq!((received.kind, received.payload, received.samples.len()), (Kind::Audio, &[7; 640][..], 0));
}

#[test]
fn a_frame_of_pcm_that_fits_no_packet_is_refused() {
    // Rate, frame, channels, and the bytes where they are too many.
    let cases = [
        (SampleRate::Hz16000, FrameDuration::Ms20, Channels::Mono, None),
        (SampleRate::Hz24000, FrameDuration::Ms20, Channels::Mono, None),
        (SampleRate::Hz48000, FrameDuration::Ms10, Channels::Mono, None),
        (SampleRate::Hz16000, FrameDuration::Ms40, Channels::Mono, Some(1280)),
        (SampleRate::Hz16000, FrameDuration::Ms60, Channels::Mono, Some(1920)),
        (SampleRate::Hz16000, FrameDuration::Ms20, Channels::Stereo, Some(1280)),
        (SampleRate::Hz48000, FrameDuration::Ms20, Channels::Mono, Some(1920)),
        (SampleRate::Hz48000, FrameDuration::Ms120, Channels::Stereo, Some(23_040)),
    ];
    for (rate, frame, channels, too_many) in cases {
        let (mut up, mut down) = ends();
        (up.outgoing.rate, up.outgoing.frame, up.outgoing.channels) = (rate, frame, channels);
        (down.incoming.rate, down.incoming.frame, down.incoming.channels) = (rate, frame, channels);
        for config in [up, down] {
            let error = Session::new(&KEY, &config).err();
            assert_eq!(error, too_many.map(|bytes| ConfigError::PcmFrameTooLong { bytes }));
        }
    }
    let message = ConfigError::PcmFrameTooLong { bytes: 1920 }.to_string();
    assert_eq!(
        message,
        "a PCM frame of 1920 bytes does not fit a packet of 1024: negotiate a shorter frame or a lower rate"
    );
}
