//! Interarrival jitter as RFC 3550 (section 6.4.1) defines it, in milliseconds.

/// The running estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Jitter {
    last: Option<(f64, f64)>,
    estimate: f64,
}

impl Jitter {
    /// A packet that was sent at `sent` by the sender's clock arrived at `arrived` by ours.
    pub fn observe(&mut self, sent: f64, arrived: f64) {
        if let Some((last_sent, last_arrived)) = self.last {
            let difference = ((arrived - last_arrived) - (sent - last_sent)).abs();
            self.estimate += (difference - self.estimate) / 16.0;
        }
        self.last = Some((sent, arrived));
    }

    /// A pause: the next packet is compared with none before it. The estimate stays.
    pub const fn pause(&mut self) {
        self.last = None;
    }

    /// Milliseconds.
    #[must_use]
    pub const fn estimate(&self) -> f64 {
        self.estimate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_stream_has_none_and_one_late_packet_counts_twice_a_sixteenth() {
        let mut jitter = Jitter::default();
        for n in 0..50 {
            jitter.observe(f64::from(n) * 60.0, 1000.0 + f64::from(n) * 60.0);
        }
        assert_eq!(jitter.estimate(), 0.0);
        jitter.observe(3000.0, 4016.0);
        assert_eq!(jitter.estimate(), 1.0);
        jitter.observe(3060.0, 4060.0);
        assert_eq!(jitter.estimate(), 1.0 + (16.0 - 1.0) / 16.0);
    }

    #[test]
    fn a_pause_is_no_jitter() {
        let mut jitter = Jitter::default();
        jitter.observe(0.0, 0.0);
        jitter.pause();
        jitter.observe(60.0, 9_000.0);
        assert_eq!(jitter.estimate(), 0.0);
    }
}
