//! How patient a gateway is.

use core::time::Duration;

/// Bounds of a session, the gateway's end. Every wait has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// How long a hello may wait for a [`Grant`](super::Grant). Firmware gives up after 10 s, so less than that.
    pub hello_timeout: Duration,
    /// How long nobody may say anything: neither the user, by voice or message, nor the gateway. Counts from the end
    /// of what is being played.
    pub inactivity: Duration,
    /// How long nothing at all may come from a device whose microphone is open, be something playing or not. (A device
    /// in auto or manual mode sends nothing while it plays; that is not silence.)
    pub device_silence: Duration,
    /// How long a device may be told nothing, neither message nor audio, before it is sent a word that means nothing.
    /// Firmware gives up a session in which nothing came for 120 s, though its user may be speaking all the while.
    pub keepalive: Duration,
    /// How long after the end of the audio sent a `tts stop` goes out: what jitter may delay the last packets by.
    /// Firmware drops what it has not played when the stop comes.
    pub tail: Duration,
}

impl Default for Config {
    /// 8 s, 60 s, 120 s, 90 s, 150 ms.
    fn default() -> Self {
        Self {
            hello_timeout: Duration::from_secs(8),
            inactivity: Duration::from_secs(60),
            device_silence: Duration::from_secs(120),
            keepalive: Duration::from_secs(90),
            tail: Duration::from_millis(150),
        }
    }
}
