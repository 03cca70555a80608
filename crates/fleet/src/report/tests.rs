use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::*;
use crate::impairment::Impairment;

/// A small run with known figures.
fn report() -> Report {
    let config = Config {
        devices: 2,
        downlink: Impairment { loss: 0.02, jitter: Duration::from_millis(30), ..Impairment::default() },
        hostile: vec!["text".parse().unwrap()],
        ..Config::default()
    };
    let stats = Stats::default();
    let counters = &stats.counters;
    for (counter, value) in [
        (&counters.downlink_packets, 980),
        (&counters.lost, 20),
        (&counters.impaired_down, 15),
        (&counters.marks_sent, 10),
        (&counters.marks_heard, 9),
        (&counters.marks_missed, 1),
        (&counters.calls_started, 2),
    ] {
        counter.store(value, Relaxed);
    }
    for index in 1..=100 {
        stats.mouth_to_ear.record(Duration::from_millis(100 + index));
        stats.added.record(Duration::from_micros(50 * index));
    }
    stats.hello.record(Duration::from_micros(1_500));
    stats.cause("alert: <b>Busy</b>: \"later\"");
    let mut timeline = crate::stats::Timeline::new(&crate::stats::Stats::default());
    timeline.sample(Duration::from_secs(1), &stats);
    counters.in_call.store(2, Relaxed);
    counters.downlink_packets.store(1_000, Relaxed);
    let timeline = timeline.finish(Duration::from_secs(2), &stats);
    let speech = Speech::load(&[]).unwrap();
    let mut report = Report::new(&config, &stats, &speech, timeline, Duration::from_millis(2_000), false);
    // What the codecs delay may differ by a sample between processors.
    report.inherent = Inherent { framing_ms: 60.0, codecs_ms: 13.0, passed_through_ms: 6.5 };
    report.judge(&["p99>150ms", "calls_lost>0", "rebind_max>3s"].map(|text| text.parse().unwrap()));
    report
}

#[test]
fn json_is_as_others_have_come_to_know_it() {
    let expected = include_str!("../../tests/data/report.json");
    let found = report().to_json();
    assert_eq!(found, expected, "fields are added to the schema, never renamed or removed; then mend tests/data");
}

#[test]
fn thresholds_judge_what_was_measured_and_fail_on_what_was_not() {
    let verdicts: Vec<(String, Option<f64>, bool)> =
        report().thresholds.into_iter().map(|verdict| (verdict.fail_if, verdict.measured, verdict.failed)).collect();
    let expected = [
        ("p99>150ms".to_owned(), Some(200.0), true),
        ("calls_lost>0".to_owned(), Some(0.0), false),
        ("rebind_max>3000ms".to_owned(), None, true),
    ];
    assert_eq!(verdicts, expected);
}

#[test]
fn the_table_has_what_matters() {
    let text = report().to_text();
    for line in [
        "2 firmware devices, realtime, 2.0 s",
        "up clean; down 2 % loss, 0 + up to 30 ms, 0 % reordered, 0 % duplicated",
        "20 (1.961 %), of them by the impairment here 15; without these 0.490 %",
        "10 sent, 9 heard, 1 missed; inherent delay 60 + 13.0 ms (passed through 6.5 ms)",
        "hello                       1      1.50      1.50      1.50      1.50",
        "text:17: 0 sent, 0 refused, 0 datagrams answered",
        "1 × alert: <b>Busy</b>: \"later\"",
        "FAIL fails if rebind_max>3000ms: not measured",
        "ok   fails if calls_lost>0: 0.000",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert!(!text.contains("new port"), "nothing was measured of it");
}

#[test]
fn the_page_stands_alone_and_shows_texts_as_texts() {
    let page = report().to_html();
    for part in ["<svg", "prefers-color-scheme: dark", "Mouth to ear: share of marks within", "alert: &lt;b&gt;Busy"] {
        assert!(page.contains(part), "{part}");
    }
    for part in ["<script", "http://", "https://", "<b>", "NaN", "inf"] {
        assert!(!page.contains(part), "{part}");
    }
    let opened = page.matches("<svg").count();
    assert_eq!((opened, page.matches("</svg>").count(), page.matches("<figure>").count()), (opened, opened, opened));
}
