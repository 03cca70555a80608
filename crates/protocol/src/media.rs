//! What both ends need to open the audio of a session.

use crate::message::{AudioParams, UdpEndpoint};

/// The audio of one session, as the hellos agreed on it. Both directions were [checked](AudioParams::check).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// The session.
    pub session_id: String,
    /// What the device sends.
    pub uplink: AudioParams,
    /// What the gateway sends.
    pub downlink: AudioParams,
    /// Where packets go and how they are sealed; `None` where binary WebSocket frames carry the audio.
    pub udp: Option<UdpEndpoint>,
}

impl Media {
    /// The connection id of the packets; `None` over WebSocket.
    #[must_use]
    pub fn connection_id(&self) -> Option<u32> {
        self.udp.as_ref().map(|udp| udp.nonce.connection_id())
    }
}
