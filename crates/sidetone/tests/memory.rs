//! What calls that are over leave behind in a gateway.
#![cfg(unix)]

#[path = "all/common/mod.rs"]
mod common;

use common::serve::{Serve, fleet};
use common::{number, scratch};
use std::thread::sleep;
use std::time::{Duration, Instant};

#[test]
fn a_thousand_calls_leave_no_memory_behind() {
    // History keeps something of each call by design, within a bound of its own.
    let serve = Serve::start(scratch(), &["--audio-quality", "minimal", "--history-file", "off"]);
    let html = serve.folder.path().join("report.html");
    let calls = |each: u32| {
        let short = "--devices 50 --ramp 500 --duration 60s --call-length 250ms --pause 50ms --listeners 0";
        let report = fleet(&serve, &format!("{short} --calls {each}"), &html);
        let done = ["calls_completed", "calls_lost", "calls_failed"];
        let done = done.map(|name| number(&report, &format!("/counts/{name}")));
        assert_eq!(done, [50.0 * f64::from(each), 0.0, 0.0], "{report}");
        let until = Instant::now() + Duration::from_secs(10);
        while serve.get("/api/sessions", "").contains("\"id\"") {
            assert!(Instant::now() < until, "calls that are over are still there");
            sleep(Duration::from_millis(20));
        }
        serve.resident_kib()
    };
    // Every instance, thread and buffer has been used once.
    let before = calls(8);
    let after = calls(20);
    println!("resident memory: {before} KiB after 400 calls, {after} KiB after 1,000 more");
    assert!(after < before + 1_000, "{before} KiB, then {after} KiB: more than 1 KiB a call is left behind");
    serve.signal(&["TERM"]);
    assert_eq!(serve.end().0, 0);
}
