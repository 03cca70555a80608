//! Binary frames: the corpus's, byte for byte, and damaged ones.

use crate::common::{corpus, unhex};
use sidetone_protocol::message::MAX_MESSAGE;
use sidetone_protocol::websocket::{Frame, FrameError, GatewayFrame, Kind, ServerFrame, Version};

#[test]
fn frames_of_the_corpus_are_read_and_written_byte_for_byte() {
    let Some(corpus) = corpus("WebSocket frames of the corpus") else { return };
    let frames: Vec<Vec<u8>> =
        corpus["websocket"].as_array().unwrap().iter().map(|f| unhex(f["frame"].as_str().unwrap())).collect();
    let opus = &frames[0][..];
    assert_eq!(opus.len(), 20);
    for (version, timestamp, bytes) in
        [(Version::V1, 0, &frames[0]), (Version::V2, 61440, &frames[1]), (Version::V3, 0, &frames[2])]
    {
        let frame = Frame { kind: Kind::Opus, timestamp, payload: opus };
        assert_eq!(Frame::decode(version, bytes), Ok(frame), "{version:?}");
        assert_eq!(frame.encode(version).as_ref(), Ok(bytes), "{version:?}");
        assert_eq!(bytes.len(), version.header_len() + opus.len());
    }
    let to_server = GatewayFrame { timestamp: 61440, payload: opus };
    assert_eq!(GatewayFrame::decode(&frames[3]), Ok(to_server));
    assert_eq!(to_server.encode().as_ref(), Ok(&frames[3]));
    let from_server = ServerFrame { sequence: 9, timestamp: 61440, payload: opus };
    assert_eq!(ServerFrame::decode(&frames[4]), Ok(from_server));
    assert_eq!(from_server.encode().as_ref(), Ok(&frames[4]));
}

#[test]
fn a_damaged_frame_is_refused_by_its_cause() {
    let v2 = Frame { kind: Kind::Json, timestamp: 7, payload: b"{}" }.encode(Version::V2).unwrap();
    assert_eq!(v2, [0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 2, b'{', b'}']);
    let changed = |at: usize, to: u8| {
        let mut bytes = v2.clone();
        bytes[at] = to;
        bytes
    };
    let length = |declared, actual| FrameError::Length { declared, actual };
    let cases: [(Version, Vec<u8>, FrameError); 10] = [
        (Version::V1, vec![], FrameError::Size { len: 0, most: MAX_MESSAGE }),
        (Version::V1, vec![0; MAX_MESSAGE + 1], FrameError::Size { len: MAX_MESSAGE + 1, most: MAX_MESSAGE }),
        (Version::V2, v2[..15].to_vec(), FrameError::Truncated { len: 15, needed: 16 }),
        (Version::V2, v2[..17].to_vec(), length(2, 1)),
        (Version::V2, changed(15, 1), length(1, 2)),
        (Version::V2, changed(12, 255), length(0xff00_0002, 2)),
        (Version::V2, changed(1, 3), FrameError::Version { found: 3, expected: 2 }),
        (Version::V2, changed(3, 2), FrameError::Kind { found: 2 }),
        (Version::V3, vec![0, 0, 0], FrameError::Truncated { len: 3, needed: 4 }),
        (Version::V3, vec![0, 0, 0, 0], FrameError::Size { len: 0, most: 65_535 }),
    ];
    for (version, bytes, error) in cases {
        assert_eq!(Frame::decode(version, &bytes), Err(error), "{version:?} {:02x?}", &bytes[..bytes.len().min(20)]);
    }
    let reserved = changed(6, 0xaa);
    assert!(Frame::decode(Version::V2, &reserved).is_ok(), "reserved bytes are not looked at");
    let json = Frame { kind: Kind::Json, timestamp: 0, payload: b"{}" };
    assert_eq!(json.encode(Version::V1), Err(FrameError::JsonInVersion1));
    let other = ServerFrame { sequence: 0, timestamp: 0, payload: &[1] }.encode().map(|mut bytes| {
        bytes[0] = 0;
        bytes
    });
    assert_eq!(ServerFrame::decode(&other.unwrap()), Err(FrameError::Kind { found: 0 }));
}

#[test]
fn versions_have_their_numbers() {
    for (number, version) in
        [(0, None), (1, Some(Version::V1)), (2, Some(Version::V2)), (3, Some(Version::V3)), (4, None)]
    {
        assert_eq!(Version::from_number(number), version);
        assert!(version.is_none_or(|version| u32::from(version.number()) == number));
    }
}
