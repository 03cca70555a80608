//! Two gateways, processes of their own, on one broker; one of them is killed, or hangs.
#![cfg(unix)]

use crate::common::scratch;
use crate::common::serve::{PATIENCE, Serve};
use serde_json::Value;
use sidetone_fleet::stats::Counts;
use sidetone_fleet::{Config, Fleet};
use sidetone_protocol::topic::Dialect;
use sidetone_test_broker::{Broker, Setup};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

const DEVICES: u32 = 12;

/// How soon devices whose gateway died, or stands still, must be in a call with another one.
const BACK: Duration = Duration::from_secs(10);

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        sleep(Duration::from_millis(20));
    }
}

fn calls(gateway: &Serve) -> u64 {
    let answer = gateway.get("/api/stats", "");
    let body = answer.split_once("\r\n\r\n").expect("an answer").1;
    serde_json::from_str::<Value>(body).expect("JSON")["calls"].as_u64().expect("a number")
}

#[test]
fn of_two_gateways_one_is_killed_and_its_devices_are_back_within_ten_seconds() {
    assert!(leaves_its_devices("KILL").is_none_or(|took| took < BACK));
}

/// Nothing closes its sockets: the broker must find out by itself, that it may hand it no more hellos before that its
/// calls are dead. A machine that stands still for a second makes the broker take the other one for dead too, so that a
/// hello is lost, which a device says again after ten seconds: then the test is made anew.
#[test]
fn of_two_gateways_one_hangs_and_its_devices_are_back_within_ten_seconds() {
    for _ in 0..3 {
        if leaves_its_devices("STOP").is_none_or(|took| took < BACK) {
            return;
        }
    }
    panic!("not once within {BACK:?}");
}

/// One of two gateways gets a signal; how long its devices take to be in calls with the other one. `None`: there is no
/// broker here.
fn leaves_its_devices(signal: &str) -> Option<Duration> {
    let broker = Broker::start(&Setup::default()).expect("Mosquitto starts")?;
    let url = format!("mqtt://{}", broker.tcp());
    let start = || Serve::start(scratch(), &["--broker-url", &url, "--audio-quality", "minimal"]);
    let (mut doomed, mut survivor) = (start(), start());
    for gateway in [&doomed, &survivor] {
        until("the gateway reaches the broker", || gateway.get("/readyz", "").starts_with("HTTP/1.1 200"));
    }
    let fleet = Fleet::new(Config {
        gateway: url.clone(),
        devices: DEVICES,
        dialect: Dialect::PerDevice,
        subscribe: true,
        pause: Duration::from_millis(50),
        listeners: Some(0),
        duration: Duration::from_secs(120),
        ..Config::default()
    })
    .expect("a good configuration");
    let seen: Arc<Mutex<Option<Counts>>> = Arc::default();
    let (enough, is_enough) = tokio::sync::oneshot::channel::<()>();
    let tell = seen.clone();
    let running = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let progress = |progress: &sidetone_fleet::Progress| *tell.lock().unwrap() = Some(progress.counts);
        runtime.block_on(fleet.run(progress, async { drop(is_enough.await) }))
    });
    let in_call = || seen.lock().unwrap().as_ref().is_some_and(|counts| counts.in_call == u64::from(DEVICES));
    until("all are in a call", || in_call() && calls(&doomed) + calls(&survivor) == u64::from(DEVICES));
    // Mosquitto deals out all that devices say in turns, and a hello may be every second message: it may all fall to one.
    if calls(&doomed) < calls(&survivor) {
        std::mem::swap(&mut doomed, &mut survivor);
    }
    let orphans = calls(&doomed);

    doomed.signal(&[signal]);
    let gone = Instant::now();
    until("the other gateway has all calls", || calls(&survivor) == u64::from(DEVICES));
    let took = gone.elapsed();
    until("the devices know it", in_call);
    println!("{orphans} calls of a gateway that got SIG{signal} went on with another one after {took:?}");

    // A sender that is gone is enough.
    drop(enough);
    let report = running.join().expect("the fleet ends");
    let counts = &report.counts;
    assert_eq!((counts.calls_lost, counts.calls_opened), (orphans, u64::from(DEVICES) + orphans), "{report:?}");
    survivor.signal(&["TERM"]);
    assert_eq!(survivor.end().0, 0);
    Some(took)
}
