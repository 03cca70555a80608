//! The report for a terminal.

use std::fmt::Write as _;

use super::{Distribution, Report};

/// Names of the distributions, and what they are, in the order of all reports.
pub(super) fn distributions(report: &Report) -> [(&'static str, &Distribution); 8] {
    let times = &report.times;
    [
        ("connect", &times.connect),
        ("hello", &times.hello),
        ("first audio", &times.first_audio),
        ("mouth to ear", &times.mouth_to_ear),
        ("  added by gateway", &times.added),
        ("pacing error", &times.pacing),
        ("new port", &times.rebind),
        ("own lag", &times.own_lag),
    ]
}

/// One line about the run.
pub(super) fn headline(report: &Report) -> String {
    let setup = &report.setup;
    let devices = if setup.devices == 1 { "device" } else { "devices" };
    let cancelled = if report.cancelled { ", ended early" } else { "" };
    let Report { seconds, .. } = report;
    format!("{} {} {devices}, {}, {seconds:.1} s{cancelled}", setup.devices, setup.kind, setup.pattern)
}

/// What calls came to, in words.
pub(super) fn calls(report: &Report) -> String {
    let counts = &report.counts;
    format!(
        "{} wanted, {} opened, {} completed, {} cut by the end, {} failed, {} lost; {} at a time",
        counts.calls_started,
        counts.calls_opened,
        counts.calls_completed,
        counts.calls_cut,
        counts.calls_failed,
        counts.calls_lost,
        counts.in_call_peak
    )
}

/// The setup of a way, in words.
fn way(impairment: &crate::impairment::Impairment) -> String {
    if impairment.is_none() {
        return "clean".into();
    }
    let burst = impairment.burst.map_or(String::new(), |burst| format!(" in bursts of {burst}"));
    format!(
        "{} % loss{burst}, {} + up to {} ms, {} % reordered, {} % duplicated",
        impairment.loss * 100.0,
        super::millis(impairment.delay),
        super::millis(impairment.jitter),
        impairment.reorder * 100.0,
        impairment.duplicate * 100.0
    )
}

/// What is told besides figures, by label.
pub(super) fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let (setup, counts, shares, inherent) = (&report.setup, &report.counts, &report.shares, &report.inherent);
    let mut facts = vec![
        ("gateway", setup.gateway.clone()),
        ("way", format!("up {}; down {}", way(&setup.uplink), way(&setup.downlink))),
        (
            "connections",
            format!(
                "{} made, {} not made, {} broke; {} at a time",
                counts.connections, counts.connect_failures, counts.disconnects, counts.connected_peak
            ),
        ),
        ("calls", calls(report)),
        ("packets", format!("{} up, {} down", counts.uplink_packets, counts.downlink_packets)),
        (
            "lost",
            format!(
                "{} ({:.3} %), of them by the impairment here {}; without these {:.3} %",
                counts.lost, shares.lost, counts.impaired_down, shares.lost_by_others
            ),
        ),
        (
            "quality",
            format!(
                "{} late, {} concealed, {} duplicates, {} reordered, {} bunched, {} ran dry, {} cut, {} unplayed",
                counts.late,
                counts.concealed,
                counts.duplicates,
                counts.reordered,
                counts.bunched,
                counts.dry,
                counts.cut,
                counts.unplayed
            ),
        ),
    ];
    if counts.marks_sent > 0 {
        facts.push((
            "marks",
            format!(
                "{} sent, {} heard, {} missed; inherent delay {} + {:.1} ms (passed through {:.1} ms)",
                counts.marks_sent,
                counts.marks_heard,
                counts.marks_missed,
                inherent.framing_ms,
                inherent.codecs_ms,
                inherent.passed_through_ms
            ),
        ));
    }
    if counts.utterances > 0 {
        facts.push((
            "utterances",
            format!("{} spoken, {} answered, {} not", counts.utterances, counts.answered, counts.unanswered),
        ));
    }
    if !setup.hostile.is_empty() {
        facts.push((
            "hostile",
            format!(
                "{}: {} sent, {} refused, {} datagrams answered",
                setup.hostile.join(", "),
                counts.hostile_sent,
                counts.hostile_refused,
                counts.hostile_answered
            ),
        ));
    }
    facts
}

pub(super) fn text(report: &Report) -> String {
    let mut text = headline(report) + "\n";
    // Writing to a String cannot fail.
    for (label, fact) in facts(report) {
        let _ = writeln!(text, "  {label:12}{fact}");
    }
    let _ = writeln!(text, "\n{:20}{:>9}{:>10}{:>10}{:>10}{:>10}", "ms", "count", "p50", "p95", "p99", "max");
    for (name, distribution) in distributions(report) {
        if distribution.count > 0 {
            let _ = write!(text, "{name:20}{:>9}", distribution.count);
            for figure in figures(distribution) {
                let _ = write!(text, "{figure:>10}");
            }
            text.push('\n');
        }
    }
    if !report.causes.is_empty() {
        text.push_str("\nwhat happened\n");
        for (cause, count) in &report.causes {
            let _ = writeln!(text, "  {count:>7} × {cause}");
        }
    }
    if !report.thresholds.is_empty() {
        text.push('\n');
        for verdict in &report.thresholds {
            let word = if verdict.failed { "FAIL" } else { "ok  " };
            let measured = verdict.measured.map_or("not measured".into(), |measured| format!("{measured:.3}"));
            let _ = writeln!(text, "{word} fails if {}: {measured}", verdict.fail_if);
        }
    }
    text
}

/// p50, p95, p99 and the longest, as they are shown.
pub(super) fn figures(distribution: &Distribution) -> [String; 4] {
    let Distribution { p50_ms, p95_ms, p99_ms, max_ms, .. } = *distribution;
    [p50_ms, p95_ms, p99_ms, max_ms].map(|figure| figure.map_or("-".into(), |figure| format!("{figure:.2}")))
}
