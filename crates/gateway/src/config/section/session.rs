//! `[session]`: how long anything may take.

use serde::{Deserialize, Serialize};

/// How long anything may take.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Session {
    /// Seconds in which nobody says anything, after which a call ends.
    pub inactivity: u64,
    /// Seconds in which nothing comes from an open microphone, after which a call ends.
    pub device_silence: u64,
    /// Milliseconds that the tail of speech is given to arrive before the device is told to stop playing.
    pub tail: u64,
    /// Seconds to finish in when the gateway is told to stop.
    pub drain: u64,
}

impl Default for Session {
    fn default() -> Self {
        Self { inactivity: 60, device_silence: 120, tail: 150, drain: 4 }
    }
}
