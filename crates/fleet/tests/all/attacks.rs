//! Attacks run beside devices, and are counted.

use std::time::Duration;

use crate::common::{Behaviour, Gateway};
use sidetone_fleet::hostile::Mode;
use sidetone_fleet::{Config, Fleet};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_runs_at_its_rate_and_ends_with_the_fleet() {
    let mut runs = JoinSet::new();
    for (mode, name, rate) in Mode::ALL {
        runs.spawn(attack(mode, name, rate.min(1_000)));
    }
    runs.join_all().await;
}

async fn attack(mode: Mode, name: &str, rate: u32) {
    let gateway = Gateway::start(Behaviour::default()).await;
    let config = Config {
        gateway: gateway.url.clone(),
        duration: Duration::from_secs(4),
        hostile: vec![format!("{name}:{rate}").parse().unwrap()],
        ..Config::default()
    };
    let report = Fleet::new(config).unwrap().run(|_| (), std::future::pending()).await;
    let counts = &report.counts;
    assert_eq!((counts.calls_opened, counts.calls_cut, counts.in_call), (1, 1, 0), "{name}");
    let sent = counts.hostile_sent;
    // Some begin when a device has a session, and those that are thrown out pause.
    assert!(sent > 0 && sent as f64 <= f64::from(rate) * (report.seconds + 1.0), "{name}: {sent}");
    if matches!(mode, Mode::MalformedMqtt | Mode::MalformedJson) {
        assert!(counts.hostile_refused > 0, "{name}");
    }
}
