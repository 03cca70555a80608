//! What a run has shown: as a table, as JSON, and as a page with plots.

mod html;
mod plot;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::metric::{self, Metric};
use crate::speech::{CodecDelay, FRAME_MS, Speech};
use crate::stats::{Counts, Moment, Snapshot, Stats};
use crate::threshold::{Threshold, Verdict};
use crate::{Config, Pattern};

/// Version of the JSON: fields are added without a new one, never renamed or removed.
pub const SCHEMA: u32 = 1;

/// Everything that a run has shown.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// How it was set up.
    pub setup: Setup,
    /// How long it really lasted, goodbyes excluded.
    pub seconds: f64,
    /// It was ended before its time.
    pub cancelled: bool,
    /// How long things took.
    pub times: Times,
    /// What of mouth to ear no gateway can avoid.
    pub inherent: Inherent,
    /// What happened how often.
    pub counts: Counts,
    /// Shares of that.
    pub shares: Shares,
    /// What happened for which reason.
    pub causes: BTreeMap<String, u64>,
    /// How it went over time.
    pub timeline: Vec<Moment>,
    /// What was demanded, and whether it was so.
    pub thresholds: Vec<Verdict>,
    #[serde(skip)]
    plots: Plots,
}

/// How the fleet was set up, as far as it matters for the figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setup {
    /// Where.
    pub gateway: String,
    /// How many devices.
    pub devices: u32,
    /// `firmware`, `firmware-2025` or `improved`.
    pub kind: String,
    /// `realtime`, `auto`, `manual` or `idle`.
    pub pattern: &'static str,
    /// How long it was to last, s.
    pub duration_s: f64,
    /// The way to the gateway.
    pub uplink: crate::impairment::Impairment,
    /// The way from it.
    pub downlink: crate::impairment::Impairment,
    /// Attacks.
    pub hostile: Vec<String>,
    /// What everything random was drawn from.
    pub seed: u64,
}

/// How long things took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Times {
    /// From the attempt to connect until MQTT stood.
    pub connect: Distribution,
    /// From a hello to its reply.
    pub hello: Distribution,
    /// To the first packet that is played: see [`Stats::first_audio`].
    pub first_audio: Distribution,
    /// From mouth to ear.
    pub mouth_to_ear: Distribution,
    /// What of that the gateway and the path add.
    pub added: Distribution,
    /// How far the time between two packets is from a frame.
    pub pacing: Distribution,
    /// Without packets after a change of port.
    pub rebind: Distribution,
    /// What this process itself was late by.
    pub own_lag: Distribution,
}

/// A distribution, in milliseconds; no figures of nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Distribution {
    /// Of how many.
    pub count: u64,
    /// The shortest.
    pub min_ms: Option<f64>,
    /// The mean.
    pub mean_ms: Option<f64>,
    /// The median.
    pub p50_ms: Option<f64>,
    /// What 95 % do not exceed.
    pub p95_ms: Option<f64>,
    /// What 99 % do not exceed.
    pub p99_ms: Option<f64>,
    /// The longest.
    pub max_ms: Option<f64>,
}

impl From<&Snapshot> for Distribution {
    fn from(snapshot: &Snapshot) -> Self {
        let percentile = |percent| snapshot.percentile(percent).map(millis);
        Self {
            count: snapshot.count(),
            min_ms: snapshot.min().map(millis),
            mean_ms: snapshot.mean().map(millis),
            p50_ms: percentile(50.0),
            p95_ms: percentile(95.0),
            p99_ms: percentile(99.0),
            max_ms: snapshot.max().map(millis),
        }
    }
}

/// Delay that is there with any gateway, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Inherent {
    /// A frame is sent when it is complete.
    pub framing_ms: f64,
    /// The device's codec and the gateway's.
    pub codecs_ms: f64,
    /// The device's alone, where the gateway passes packets through.
    pub passed_through_ms: f64,
}

/// Shares, in percent, to the thousandth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Shares {
    /// Downlink packets that did not come, of those sent.
    pub lost: f64,
    /// The same without those that this fleet's impairment lost.
    pub lost_by_others: f64,
    /// Marks that were not heard again.
    pub marks_missed: f64,
}

#[derive(Clone, Debug)]
struct Plots {
    mouth_to_ear: Snapshot,
    added: Snapshot,
}

impl Report {
    pub(crate) fn new(
        config: &Config,
        stats: &Stats,
        speech: &Speech,
        timeline: Vec<Moment>,
        elapsed: Duration,
        cancelled: bool,
    ) -> Self {
        let counts = stats.counters.snapshot();
        let plots = Plots { mouth_to_ear: stats.mouth_to_ear.snapshot(), added: stats.added.snapshot() };
        let CodecDelay { one, two } = speech.marked.codec_delay(0);
        let times = Times {
            connect: (&stats.connect.snapshot()).into(),
            hello: (&stats.hello.snapshot()).into(),
            first_audio: (&stats.first_audio.snapshot()).into(),
            mouth_to_ear: (&plots.mouth_to_ear).into(),
            added: (&plots.added).into(),
            pacing: (&stats.pacing.snapshot()).into(),
            rebind: (&stats.rebind.snapshot()).into(),
            own_lag: (&stats.own_lag.snapshot()).into(),
        };
        Self {
            schema: SCHEMA,
            setup: Setup::new(config),
            seconds: (elapsed.as_secs_f64() * 1_000.0).round() / 1_000.0,
            cancelled,
            times,
            inherent: Inherent { framing_ms: FRAME_MS as f64, codecs_ms: millis(two), passed_through_ms: millis(one) },
            counts,
            shares: Shares::new(&counts),
            causes: stats.causes(),
            timeline,
            thresholds: Vec::new(),
            plots,
        }
    }

    /// Judges what is demanded, and keeps the verdicts. `true`: all is as demanded.
    pub fn judge(&mut self, thresholds: &[Threshold]) -> bool {
        self.thresholds = thresholds.iter().map(|threshold| threshold.judge(self)).collect();
        self.thresholds.iter().all(|verdict| !verdict.failed)
    }

    /// A figure by the name that thresholds use; `None` where it was not measured, or there is none of this name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        metric::find(name).and_then(|metric: &Metric| (metric.of)(self))
    }

    /// The report as JSON, ending with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Numbers, texts and lists: nothing that serde refuses.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The report as a table for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::text(self)
    }

    /// The report as one HTML page without scripts and without anything from elsewhere.
    #[must_use]
    pub fn to_html(&self) -> String {
        html::html(self)
    }
}

impl Setup {
    fn new(config: &Config) -> Self {
        Self {
            gateway: config.gateway.clone(),
            devices: config.devices,
            kind: config.kind.to_string(),
            pattern: match config.pattern {
                Pattern::Idle => "idle",
                Pattern::Calls(mode) => mode.as_str(),
            },
            duration_s: config.duration.as_secs_f64(),
            uplink: config.uplink,
            downlink: config.downlink,
            hostile: config.hostile.iter().map(ToString::to_string).collect(),
            seed: config.seed,
        }
    }
}

impl Shares {
    fn new(counts: &Counts) -> Self {
        let thousandths = |percent: f64| (percent * 1_000.0).round() / 1_000.0;
        let percent =
            |part: u64, whole: u64| if whole == 0 { 0.0 } else { thousandths(part as f64 * 100.0 / whole as f64) };
        let sent = counts.downlink_packets + counts.lost;
        let others = counts.lost.saturating_sub(counts.impaired_down);
        Self {
            lost: percent(counts.lost, sent),
            lost_by_others: percent(others, sent),
            marks_missed: percent(counts.marks_missed, counts.marks_heard + counts.marks_missed),
        }
    }
}

/// Milliseconds, to the microsecond.
#[must_use]
pub fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

/// For serde: milliseconds.
pub(crate) fn as_millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(millis(*duration))
}
