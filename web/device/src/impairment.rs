//! A bad network for one direction: loses, delays, reorders and repeats packets.
//!
//! Each packet draws the same number of random values whatever the settings are, so that moving one slider does not
//! change what the others do to the packets after it.

use crate::random::Random;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most packets that are under way at once; more are lost, and counted.
pub const MOST_UNDER_WAY: usize = 512;

/// How much longer a packet takes that is to be overtaken, in ms: more than a frame of 60 ms.
pub const OVERTAKEN_BY: f64 = 90.0;

/// What the network does. All zero: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Percent of packets that are lost.
    pub loss: f64,
    /// Milliseconds that every packet takes.
    pub delay: f64,
    /// Milliseconds that a packet takes longer, at most; evenly drawn. The order is kept.
    pub jitter: f64,
    /// Percent of packets that take [`OVERTAKEN_BY`] longer, so that those behind overtake them.
    pub reorder: f64,
    /// Percent of packets that arrive twice.
    pub duplicate: f64,
}

impl Settings {
    /// The same with every value in its range: percentages to 100, times to ten seconds; what is no number is 0.
    #[must_use]
    pub fn bounded(self) -> Self {
        let within = |value: f64, most: f64| if value.is_finite() { value.clamp(0.0, most) } else { 0.0 };
        Self {
            loss: within(self.loss, 100.0),
            delay: within(self.delay, 10_000.0),
            jitter: within(self.jitter, 10_000.0),
            reorder: within(self.reorder, 100.0),
            duplicate: within(self.duplicate, 100.0),
        }
    }
}

/// Packets so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Came in.
    pub packets: u64,
    /// Lost.
    pub lost: u64,
    /// Arrive twice.
    pub duplicated: u64,
    /// Held back, to be overtaken.
    pub reordered: u64,
    /// Lost because too many were under way.
    pub overflowed: u64,
}

/// One direction of the network.
///
/// ```
/// use sidetone_device::impairment::{Impairment, Settings};
///
/// let mut network = Impairment::new(Settings { delay: 20.0, ..Settings::default() }, 1);
/// network.push(100.0, b"packet");
/// assert_eq!((network.pop(119.0), network.next_due()), (None, Some(120.0)));
/// assert_eq!(network.pop(120.0).as_deref(), Some(&b"packet"[..]));
/// ```
#[derive(Clone, Debug)]
pub struct Impairment {
    settings: Settings,
    random: Random,
    /// By microseconds and number.
    under_way: BTreeMap<(u64, u64), Vec<u8>>,
    number: u64,
    /// When the last packet arrives that kept its place.
    last: u64,
    counts: Counts,
}

impl Impairment {
    /// A network; the same seed does the same to the same packets.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings: settings.bounded(),
            random: Random::new(seed),
            under_way: BTreeMap::new(),
            number: 0,
            last: 0,
            counts: Counts::default(),
        }
    }

    /// Other settings, for packets from now on.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings.bounded();
    }

    /// A packet starts at `now` (ms).
    pub fn push(&mut self, now: f64, packet: &[u8]) {
        let Settings { loss, delay, jitter, reorder, duplicate } = self.settings;
        let lost = self.random.chance(loss);
        let extra = self.random.unit() * jitter;
        let overtaken = self.random.chance(reorder);
        let twice = self.random.chance(duplicate);
        self.counts.packets += 1;
        if lost {
            self.counts.lost += 1;
            return;
        }
        let mut due = micros(now + delay + extra);
        if overtaken {
            due += micros(OVERTAKEN_BY);
            self.counts.reordered += 1;
        } else {
            due = due.max(self.last);
            self.last = due;
        }
        self.insert(due, packet);
        if twice {
            self.counts.duplicated += 1;
            self.insert(due, packet);
        }
    }

    /// The next packet that has arrived by `now` (ms).
    pub fn pop(&mut self, now: f64) -> Option<Vec<u8>> {
        let entry = self.under_way.first_entry()?;
        (entry.key().0 <= micros(now)).then(|| entry.remove())
    }

    /// When (ms) the next packet arrives.
    #[must_use]
    pub fn next_due(&self) -> Option<f64> {
        self.under_way.first_key_value().map(|((due, _), _)| *due as f64 / 1000.0)
    }

    /// Drops what is under way.
    pub fn clear(&mut self) {
        self.under_way.clear();
    }

    /// Packets so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn insert(&mut self, due: u64, packet: &[u8]) {
        if self.under_way.len() >= MOST_UNDER_WAY {
            self.counts.overflowed += 1;
            return;
        }
        self.under_way.insert((due, self.number), packet.to_vec());
        self.number += 1;
    }
}

fn micros(millis: f64) -> u64 {
    (millis.max(0.0) * 1000.0).round() as u64
}
