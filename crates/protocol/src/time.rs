//! Time as an argument: this crate reads no clock.

use core::ops::Add;
use core::time::Duration;

/// A moment, in milliseconds since a start that the caller chooses. What is not monotone is taken as standing still.
///
/// ```
/// use core::time::Duration;
/// use sidetone_protocol::Time;
///
/// let hello = Time::from_millis(1_000);
/// assert_eq!(hello + Duration::from_secs(10), Time::from_millis(11_000));
/// assert_eq!((hello + Duration::from_secs(10)).since(hello), Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// A moment so many milliseconds after the start.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the start.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero where it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    /// Saturates at the end of time, and rounds a part of a millisecond up: a deadline is never early.
    fn add(self, duration: Duration) -> Self {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        Self(self.0.saturating_add(u64::try_from(millis).unwrap_or(u64::MAX)))
    }
}
