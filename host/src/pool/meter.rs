//! Counts of ours that the `metrics` facade counts along with.

use crate::metrics::Metric;
use metrics::Counter;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// A count.
pub(crate) struct Meter {
    count: AtomicU64,
    metric: Counter,
}

impl Meter {
    pub(crate) const fn new(metric: Counter) -> Self {
        Self { count: AtomicU64::new(0), metric }
    }

    pub(crate) fn add(&self, n: u64) {
        if n > 0 {
            self.count.fetch_add(n, Relaxed);
            self.metric.increment(n);
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.count.load(Relaxed)
    }
}

/// Counts of one tenant by a word of a few: without a lock, because a tenant decides how often.
pub(crate) struct Counts(Box<[(&'static str, Meter)]>);

impl Counts {
    pub(crate) fn new(metric: Metric, tenant: &str, words: &[&'static str]) -> Self {
        Self(words.iter().map(|&word| (word, Meter::new(metric.counter(&[tenant, word])))).collect())
    }

    pub(crate) fn add(&self, word: &'static str) {
        if let Some((_, meter)) = self.0.iter().find(|(known, _)| *known == word) {
            meter.add(1);
        }
    }

    /// All words together.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|(_, meter)| meter.get()).sum()
    }

    /// Adds each word's count to `sums`, where there is any.
    pub(crate) fn sum_into(&self, sums: &mut BTreeMap<&'static str, u64>) {
        for (word, meter) in self.0.iter().filter(|(_, meter)| meter.get() > 0) {
            *sums.entry(word).or_default() += meter.get();
        }
    }
}

/// Counts of one tenant by a word: for what is rare, because it takes a lock.
pub(crate) struct Words {
    metric: Metric,
    tenant: Arc<str>,
    meters: Mutex<BTreeMap<&'static str, Meter>>,
}

impl Words {
    pub(crate) fn new(metric: Metric, tenant: Arc<str>) -> Self {
        Self { metric, tenant, meters: Mutex::default() }
    }

    pub(crate) fn add(&self, word: &'static str) {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Meter::new(self.metric.counter(&[&self.tenant, word]));
        meters.entry(word).or_insert_with(new).add(1);
    }

    /// All words together.
    pub(crate) fn total(&self) -> u64 {
        self.meters.lock().unwrap_or_else(PoisonError::into_inner).values().map(Meter::get).sum()
    }

    /// Adds each word's count to `sums`.
    pub(crate) fn sum_into(&self, sums: &mut BTreeMap<&'static str, u64>) {
        for (word, meter) in self.meters.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            *sums.entry(word).or_default() += meter.get();
        }
    }
}
