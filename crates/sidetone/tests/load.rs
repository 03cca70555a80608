//! A gateway and a fleet, each a process of its own, as an operator has them.
#![cfg(unix)]

#[path = "all/common/mod.rs"]
mod common;

use common::serve::{Serve, fleet};
use common::{number, scratch};
use std::fs;
use std::path::Path;

/// What a gateway may add to the way from mouth to ear, for 99 of 100 marks.
const ADDED_MS: f64 = 20.0;

/// Where other programs took so much of the processors, the figure is theirs as much as ours.
const BUSY: f64 = 0.1;

/// Ticks of the processors since the machine started: all of them, those that somebody used, and those that the
/// children of this process used which have ended.
struct Ticks {
    all: f64,
    used: f64,
    ours: f64,
}

impl Ticks {
    fn now() -> Self {
        let numbers = |text: &str| text.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<f64>>();
        let machine = fs::read_to_string("/proc/stat").unwrap();
        let machine = numbers(machine.lines().next().unwrap());
        // user, nice, system, idle, iowait, irq, softirq, steal
        let all: f64 = machine[..8].iter().sum();
        let own = fs::read_to_string("/proc/self/stat").unwrap();
        let own = numbers(own.rsplit_once(')').unwrap().1);
        // Behind the name and the state: fields 4 and on; 16 and 17 are the children's.
        Self { all, used: all - machine[3] - machine[4], ours: own[12] + own[13] }
    }

    /// The share that others have used since.
    fn others(&self) -> f64 {
        let now = Self::now();
        let others = (now.used - self.used) - (now.ours - self.ours);
        others / (now.all - self.all)
    }
}

/// No call may suffer, whatever the machine does. How long things take is judged less what the fleet itself was late by,
/// which is in all its latencies. A machine that other programs keep busy gets a second try; if it is busy then too, the
/// median is judged instead, which a stall of theirs does not move.
#[test]
fn two_hundred_devices_talk_for_half_a_minute_over_a_bad_network_and_none_is_lost() {
    let html = Path::new(env!("CARGO_TARGET_TMPDIR")).join("two_hundred_devices.html");
    for last in [false, true] {
        let before = Ticks::now();
        // The quality in which two cores hold that many, the fleet included.
        let serve = Serve::start(scratch(), &["--audio-quality", "minimal"]);
        let network = "--devices 200 --ramp 100 --duration 32s --listeners 16 --loss 2 --jitter 30";
        let report = fleet(&serve, network, &html);
        let count = |name: &str| number(&report, &format!("/counts/{name}"));
        assert_eq!(
            ["calls_opened", "calls_cut", "calls_lost", "calls_failed", "in_call_peak"].map(count),
            [200.0, 200.0, 0.0, 0.0, 200.0],
            "{report}"
        );
        assert_eq!(["undecodable", "malformed", "duplicates", "disconnects"].map(count), [0.0; 4], "{report}");
        assert!(count("marks_heard") >= 100.0, "{report}");
        serve.signal(&["TERM"]);
        assert_eq!(serve.end().0, 0);

        let others = before.others();
        let time = |name: &str, figure: &str| number(&report, &format!("/times/{name}/{figure}_ms"));
        let (p99, p50, own) = (time("added", "p99"), time("added", "p50"), time("own_lag", "p99"));
        println!(
            "added: p99 {p99} ms, p50 {p50} ms; the fleet's own lag, p99: {own} ms; others used {:.0} % of the \
             processors; plots: {}",
            others * 100.0,
            html.display()
        );
        if p99 - own < ADDED_MS {
            break;
        }
        assert!(others > BUSY, "p99 of added {p99} ms, of which own lag {own} ms, on a machine of our own: {report}");
        assert!(!last || p50 < ADDED_MS, "half of the marks took {p50} ms or more, others or not: {report}");
    }
    let page = fs::read_to_string(&html).unwrap();
    assert!(page.contains("<svg") && page.contains("Added"), "{page}");
}
