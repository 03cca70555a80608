//! When a device comes back after its connection broke.

use core::time::Duration;

/// Waits that double up to a bound, and are scattered so that a fleet does not come back all at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reconnect {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
    /// Whether each wait is drawn from its upper half.
    pub jitter: bool,
}

impl Reconnect {
    /// Firmware: 60 s, always.
    pub const FIRMWARE: Self = Self { first: Duration::from_secs(60), most: Duration::from_secs(60), jitter: false };

    /// 1 s, 2 s, 4 s, … 60 s, with jitter.
    pub const JITTERED: Self = Self { first: Duration::from_secs(1), most: Duration::from_secs(60), jitter: true };

    /// How long to wait after `failures` failures in a row (from 1); `random` is any number, evenly drawn.
    ///
    /// ```
    /// use core::time::Duration;
    /// use sidetone_protocol::device::Reconnect;
    ///
    /// assert_eq!(Reconnect::FIRMWARE.delay(3, 12345), Duration::from_secs(60));
    /// assert_eq!(Reconnect::JITTERED.delay(3, 0), Duration::from_secs(2));
    /// assert_eq!(Reconnect::JITTERED.delay(3, u64::MAX), Duration::from_secs(4));
    /// ```
    #[must_use]
    pub fn delay(&self, failures: u32, random: u64) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let whole = self.first.saturating_mul(doubled).min(self.most);
        if !self.jitter {
            return whole;
        }
        let half = whole / 2;
        // 32 bits of randomness are as fine as anybody needs.
        let share = f64::from((random >> 32) as u32) / f64::from(u32::MAX);
        half + half.mul_f64(share)
    }
}
