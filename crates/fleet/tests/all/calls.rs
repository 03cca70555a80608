//! How calls begin and end, and what becomes of those that do not.

use std::num::NonZeroU16;
use std::time::Duration;

use crate::common::{Behaviour, Gateway};
use sidetone_fleet::{Config, Fleet, Pattern};
use sidetone_protocol::credential::SignatureKey;
use sidetone_protocol::topic::Dialect;

async fn run(behaviour: Behaviour, config: Config) -> sidetone_fleet::report::Report {
    let gateway = Gateway::start(behaviour).await;
    let config = Config { gateway: gateway.url.clone(), ..config };
    Fleet::new(config).unwrap().run(|_| (), std::future::pending()).await
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_a_number_and_a_length_are_made_and_the_run_ends_after_them() {
    let config = Config {
        devices: 5,
        calls: Some(2),
        call_length: Some(SECOND),
        pause: SECOND / 10,
        duration: 60 * SECOND,
        ..Config::default()
    };
    let report = run(Behaviour::default(), config).await;
    let counts = &report.counts;
    assert_eq!((counts.calls_started, counts.calls_opened, counts.calls_completed), (10, 10, 10));
    assert_eq!(
        (counts.calls_cut, counts.calls_lost, counts.calls_failed, counts.in_call, counts.connected),
        (0, 0, 0, 0, 0)
    );
    assert_eq!((counts.connections, counts.connected_peak), (5, 5));
    assert!(report.seconds < 30.0 && !report.cancelled);
    assert!(report.causes.is_empty(), "{:?}", report.causes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_gateway_ends_is_lost_and_the_next_one_begins() {
    let behaviour = Behaviour { goodbye_after: Some(SECOND / 2), ..Behaviour::default() };
    let report = run(behaviour, Config { duration: 6 * SECOND, ..Config::default() }).await;
    let counts = &report.counts;
    assert!(counts.calls_lost >= 1 && counts.calls_opened >= 2, "{}", report.to_text());
    assert_eq!((counts.calls_completed, counts.calls_failed), (0, 0));
    assert_eq!(report.causes["call lost: goodbye of the gateway"], counts.calls_lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_devices_stay_connected_and_say_nothing() {
    let config = Config { devices: 50, pattern: Pattern::Idle, duration: 4 * SECOND, ..Config::default() };
    let report = run(Behaviour::default(), config).await;
    let counts = &report.counts;
    assert_eq!((counts.connections, counts.connected_peak, counts.disconnects), (50, 50, 0));
    assert_eq!((counts.calls_started, counts.uplink_packets, report.times.connect.count), (0, 0, 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_not_there_or_does_not_answer_is_in_the_report() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = Config { gateway: format!("mqtt://{closed}"), duration: SECOND, ..Config::default() };
    let report = Fleet::new(config).unwrap().run(|_| (), std::future::pending()).await;
    assert_eq!((report.counts.connect_failures, report.counts.connections), (1, 0));
    assert_eq!(report.causes["connect: TCP: connection refused"], 1);

    let deaf = Behaviour { deaf: true, ..Behaviour::default() };
    let report = run(deaf, Config { duration: 3 * SECOND, ..Config::default() }).await;
    assert_eq!((report.counts.calls_started, report.counts.calls_opened, report.counts.calls_cut), (1, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_open_the_door_and_wrong_ones_do_not() {
    let key = |text: &str| Some(SignatureKey::new(text.as_bytes()).unwrap());
    let guarded = Behaviour { key: key("right"), ..Behaviour::default() };
    for (signature_key, connections) in [(key("right"), 1), (key("wrong"), 0), (None, 0)] {
        let config = Config { signature_key, duration: 2 * SECOND, ..Config::default() };
        let report = run(guarded.clone(), config).await;
        assert_eq!(report.counts.connections, connections, "{:?}", report.causes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dialect_is_spoken_and_brokers_are_subscribed_to() {
    for dialect in [Dialect::Mac, Dialect::ClientId, Dialect::PerDevice] {
        let behaviour = Behaviour { dialect, broker: true, ..Behaviour::default() };
        for (subscribe, opened) in [(true, 1), (false, 0)] {
            let config = Config { dialect, subscribe, duration: 2 * SECOND, ..Config::default() };
            let report = run(behaviour.clone(), config).await;
            assert_eq!(report.counts.calls_opened, opened, "{dialect}, {subscribe}: {:?}", report.causes);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_says_goodbye_and_reports() {
    let gateway = Gateway::start(Behaviour::default()).await;
    let config = Config { gateway: gateway.url.clone(), devices: 3, duration: 60 * SECOND, ..Config::default() };
    let mut last = None;
    let progress = |progress: &sidetone_fleet::Progress| last = Some(progress.clone());
    let report = Fleet::new(config).unwrap().run(progress, tokio::time::sleep(2 * SECOND)).await;
    assert!(report.cancelled && report.seconds < 30.0);
    assert_eq!((report.counts.calls_cut, report.counts.in_call, report.counts.connected), (3, 0, 0));
    let last = last.unwrap();
    assert!(last.ending && last.counts.in_call == 3 && last.devices == 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_may_share_ports() {
    let config = Config {
        devices: 6,
        shared_sockets: NonZeroU16::new(2),
        rebind: Some(2 * SECOND),
        duration: 4 * SECOND,
        ..Config::default()
    };
    let report = run(Behaviour::default(), config).await;
    let counts = &report.counts;
    assert_eq!((counts.calls_opened, counts.calls_cut, counts.malformed), (6, 6, 0));
    assert!(counts.downlink_packets > 6 * 20 && counts.lost == 0, "{}", report.to_text());
    assert!(counts.rebinds >= 6 && report.times.rebind.count >= 6, "{}", report.to_text());
}
