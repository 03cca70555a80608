//! Calls of a fleet of virtual devices, over MQTT and UDP: every packet of theirs is judged as firmware would.

use sidetone_fleet::impairment::Impairment;
use sidetone_fleet::report::Report;
use sidetone_fleet::{Fleet, Kind, Pattern};
use sidetone_gateway::config::Listen;
use sidetone_gateway::{Config, Gateway};
use sidetone_protocol::message::ListenMode;
use std::future::pending;
use std::num::NonZeroU16;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Runs a fleet against a gateway on its embedded default, at ports of the system's choice.
async fn run(fleet: sidetone_fleet::Config) -> Report {
    let mut config = Config::default();
    config.mqtt.listen = Listen::loopback(0);
    config.web.listen = Listen::OFF;
    config.web.transport_listen = Listen::OFF;
    config.http.listen = Listen::OFF;
    config.udp.listen = Listen::loopback(0);
    let gateway = Gateway::start(config).await.expect("the embedded default starts");
    let mqtt = gateway.addresses().mqtt.expect("MQTT listens");
    let fleet = sidetone_fleet::Config { gateway: format!("mqtt://{mqtt}"), ..fleet };
    let report = Fleet::new(fleet).expect("a good configuration").run(|_| (), pending()).await;
    assert!(gateway.shut_down().await);
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_devices_talk_at_once_and_hear_their_marks() {
    let report = run(sidetone_fleet::Config { devices: 20, duration: 6 * SECOND, ..Default::default() }).await;
    let counts = &report.counts;
    assert_eq!((counts.calls_opened, counts.calls_cut, counts.calls_lost, counts.in_call), (20, 20, 0, 0));
    assert_eq!((counts.duplicates, counts.reordered, counts.undecodable, counts.malformed), (0, 0, 0, 0));
    assert_eq!((counts.alerts, counts.errors, counts.unreadable), (0, 0, 0), "{:?}", report.causes);
    assert!(counts.marks_heard >= 20, "{}", report.to_text());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_survive_loss_jitter_reordering_duplicates_and_another_port() {
    let way = Impairment {
        loss: 0.05,
        burst: Some(2.0),
        jitter: Duration::from_millis(30),
        reorder: 0.02,
        duplicate: 0.02,
        ..Impairment::default()
    };
    let report = run(sidetone_fleet::Config {
        devices: 10,
        kind: Kind::Improved,
        uplink: way,
        downlink: way,
        rebind: Some(4 * SECOND),
        duration: 10 * SECOND,
        ..Default::default()
    })
    .await;
    let counts = &report.counts;
    assert_eq!((counts.calls_opened, counts.calls_cut, counts.calls_lost), (10, 10, 0), "{}", report.to_text());
    assert!(counts.rebinds >= 10 && report.times.rebind.count >= 10, "{}", report.to_text());
    assert_eq!((counts.undecodable, counts.malformed), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_turn_is_answered_in_auto_and_manual_mode() {
    for mode in [ListenMode::Auto, ListenMode::Manual] {
        let report = run(sidetone_fleet::Config {
            devices: 4,
            pattern: Pattern::Calls(mode),
            pause: SECOND / 5,
            shared_sockets: NonZeroU16::new(2),
            duration: 14 * SECOND,
            ..Default::default()
        })
        .await;
        let counts = &report.counts;
        assert!(counts.answered >= 4, "{mode:?}: {}", report.to_text());
        assert_eq!((counts.unanswered, counts.calls_lost, counts.cut), (0, 0, 0), "{mode:?}: {}", report.to_text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_talk_on_while_strangers_and_misbehaving_devices_attack() {
    let attacks = ["unknown-ids:20000", "spoof:2000", "wrong-key", "replay", "far-future", "oversized", "text"];
    let hostile = attacks.map(|attack| attack.parse().expect("a known attack")).into();
    let report = run(sidetone_fleet::Config { devices: 5, hostile, duration: 6 * SECOND, ..Default::default() }).await;
    let counts = &report.counts;
    assert_eq!((counts.calls_opened, counts.calls_cut, counts.calls_lost), (5, 5, 0), "{}", report.to_text());
    assert!(counts.hostile_sent > 10_000, "{}", report.to_text());
    assert_eq!(counts.hostile_answered, 0, "nobody steals a call, or is answered without one");
}
