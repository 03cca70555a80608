//! Audio in binary frames, both ways.

use super::settings::Framing;
use sidetone_protocol::websocket::{Frame, FrameError, GatewayFrame, ServerFrame, Version};

/// A frame for the server.
pub(super) fn to_server(framing: Framing, timestamp: u32, payload: &[u8]) -> Result<Vec<u8>, FrameError> {
    match framing {
        Framing::Gateway => GatewayFrame { timestamp, payload }.encode(),
        Framing::Plain => Ok(payload.to_vec()),
    }
}

/// The Opus packet in a frame of the server.
///
/// Servers that know gateways send a header, others bare Opus, and some the one or the other as the mood takes them. A
/// header is believed only where all its lengths are those of the frame: of 2^32 bare packets that begin like one,
/// one is.
pub(super) fn from_server(bytes: &[u8]) -> &[u8] {
    if let Ok(frame) = ServerFrame::decode(bytes) {
        let short = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        if bytes[1] == 0 && short == frame.payload.len() {
            return frame.payload;
        }
    }
    if bytes.first_chunk() == Some(&[0, 2, 0, 0, 0, 0, 0, 0])
        && let Ok(frame) = Frame::decode(Version::V2, bytes)
    {
        return frame.payload;
    }
    match GatewayFrame::decode(bytes) {
        Ok(frame) if bytes.first_chunk() == Some(&[0; 8]) => frame.payload,
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPUS: &[u8] = &[0x58, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];

    #[test]
    fn every_known_header_comes_off_and_bare_opus_stays() {
        let server = ServerFrame { sequence: 7, timestamp: 60, payload: OPUS }.encode().unwrap();
        assert_eq!(from_server(&server), OPUS);
        let echoed = to_server(Framing::Gateway, 60, OPUS).unwrap();
        assert_eq!((echoed.len(), from_server(&echoed)), (OPUS.len() + 16, OPUS));
        let second = Frame { payload: OPUS, ..Frame { kind: Default::default(), timestamp: 1, payload: OPUS } };
        assert_eq!(from_server(&second.encode(Version::V2).unwrap()), OPUS);
        assert_eq!(from_server(OPUS), OPUS);
        assert_eq!(to_server(Framing::Plain, 60, OPUS).unwrap(), OPUS);
        assert_eq!(from_server(&[]), &[] as &[u8]);
    }

    #[test]
    fn a_header_with_any_wrong_length_is_none() {
        let good = ServerFrame { sequence: 0, timestamp: 0, payload: OPUS }.encode().unwrap();
        for at in [1, 2, 3, 12, 13, 14, 15] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(from_server(&bad), bad, "byte {at}");
        }
        assert_eq!(from_server(&good[..good.len() - 1]), &good[..good.len() - 1]);
    }
}
