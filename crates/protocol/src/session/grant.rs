//! What a gateway gives a device that has said hello.

use core::fmt::Write as _;

use zeroize::{Zeroize, Zeroizing};

use super::HelloId;
use crate::message::{AudioParams, UdpEndpoint};
use crate::{HelloNonce, SessionKey};

/// Random bytes that one [`Grant`] takes: key, connection id, session id.
pub const GRANT_RANDOM: usize = 16 + 4 + 16;

/// The answer to a hello that is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The hello it answers.
    pub hello: HelloId,
    /// The new session. Unique, and not to be guessed.
    pub session_id: String,
    /// What the gateway will send. Must pass [`AudioParams::check`].
    pub downlink: AudioParams,
    /// Where the device shall send its packets; `None` for audio in WebSocket frames. Key and connection id are new
    /// with every hello.
    pub udp: Option<UdpEndpoint>,
}

impl Grant {
    /// A grant whose key, connection id and session id (a version 4 UUID) are made from `random`, bytes of a
    /// cryptographic random source that serve this once. Zeroises them.
    #[must_use]
    pub fn with_udp(
        hello: HelloId,
        random: &mut [u8; GRANT_RANDOM],
        downlink: AudioParams,
        server: &str,
        port: u16,
    ) -> Self {
        let (mut key, mut connection_id, mut session) = (Zeroizing::new([0; 16]), [0; 4], [0; 16]);
        key.copy_from_slice(&random[..16]);
        connection_id.copy_from_slice(&random[16..20]);
        session.copy_from_slice(&random[20..]);
        random.zeroize();
        let nonce = HelloNonce::new(u32::from_be_bytes(connection_id));
        let udp = UdpEndpoint { server: server.into(), port, key: SessionKey::new(*key), nonce };
        Self { hello, session_id: session_id(session), downlink, udp: Some(udp) }
    }
}

/// A version 4 UUID (RFC 9562, section 5.4) from random bytes: a session id in the form that devices know.
#[must_use]
pub fn session_id(mut random: [u8; 16]) -> String {
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in random.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
