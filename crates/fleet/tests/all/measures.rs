//! What the fleet measures, against a gateway whose faults are known.

use std::time::Duration;

use crate::common::{Behaviour, Gateway};
use sidetone_fleet::impairment::Impairment;
use sidetone_fleet::report::Report;
use sidetone_fleet::{Config, Fleet, Kind, Pattern};
use sidetone_protocol::message::ListenMode;

async fn run(behaviour: Behaviour, config: Config) -> Report {
    let gateway = Gateway::start(behaviour).await;
    let config = Config { gateway: gateway.url.clone(), ..config };
    Fleet::new(config).unwrap().run(|_| (), std::future::pending()).await
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn realtime(devices: u32, seconds: u64) -> Config {
    Config { devices, duration: Duration::from_secs(seconds), ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn added_latency_is_the_delay_of_the_gateway() {
    for (delay, pass_through) in [(ms(0), false), (ms(120), false), (ms(40), true)] {
        let report = run(Behaviour { delay, pass_through, ..Behaviour::default() }, realtime(3, 6)).await;
        let (counts, times) = (&report.counts, &report.times);
        assert!(counts.marks_heard >= 6, "{}", report.to_text());
        assert_eq!((counts.calls_opened, counts.calls_cut, counts.calls_lost), (3, 3, 0), "{}", report.to_text());
        assert_eq!((counts.lost, counts.duplicates, counts.undecodable, counts.malformed), (0, 0, 0, 0));
        // The shortest: a machine that is busy with other things delays some packets, but never makes one sooner.
        let (added, wanted) = (times.added.min_ms.unwrap(), delay.as_secs_f64() * 1_000.0);
        assert!((wanted - 0.3..wanted + 15.0).contains(&added), "{added} ms of {wanted} ms, passed: {pass_through}");
        let codecs = if pass_through { report.inherent.passed_through_ms } else { report.inherent.codecs_ms };
        let inherent = report.inherent.framing_ms + codecs;
        let mouth_to_ear = times.mouth_to_ear.min_ms.unwrap();
        // A first packet that came late is heard late ever after: only the least is known.
        assert!((inherent + wanted - 0.5..inherent + wanted + 500.0).contains(&mouth_to_ear), "{}", report.to_text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn losses_and_duplicates_of_the_gateway_are_counted_exactly() {
    let behaviour = Behaviour { lose_every: Some(10), twice_every: Some(7), ..Behaviour::default() };
    let report = run(behaviour, Config { kind: Kind::Improved, ..realtime(1, 5) }).await;
    let counts = &report.counts;
    // The last ones may be lost without anything coming after them.
    let sent = counts.downlink_packets + counts.lost;
    assert!(sent >= 70, "{}", report.to_text());
    assert_eq!(counts.lost, sent / 10);
    let of_seven = sent / 7 - sent / 70;
    assert_eq!(counts.duplicates, of_seven);
    assert_eq!((counts.concealed, counts.reordered), (counts.lost, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_impairment_does_is_told_from_what_the_gateway_does() {
    let way = Impairment {
        loss: 0.1,
        delay: ms(200),
        jitter: ms(30),
        reorder: 0.05,
        duplicate: 0.05,
        ..Impairment::default()
    };
    let config = Config { uplink: way, downlink: way, ..realtime(4, 6) };
    let report = run(Behaviour::default(), config).await;
    let counts = &report.counts;
    assert!(counts.impaired_up > 10 && counts.impaired_down > 10, "{}", report.to_text());
    assert!(counts.duplicates > 0 && counts.reordered > 0);
    assert_eq!(counts.calls_lost, 0);
    // The double conceals what is lost on the way up, so that all loss down is of the impairment, but for what a
    // reordered packet still leaves open at the end, and for what a lost one leaves unknown.
    assert!(counts.lost.abs_diff(counts.impaired_down) <= 8, "{}", report.to_text());
    assert!(
        report.times.added.p50_ms.unwrap() < 100.0,
        "a delay of 200 ms here, each way, is no latency of the gateway: {}",
        report.to_text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_are_taken_in_auto_and_manual_mode() {
    for mode in [ListenMode::Auto, ListenMode::Manual] {
        let folder = tempfile::tempdir().unwrap();
        let tone = (0..16_000).map(|index| ((f64::from(index) * 0.2).sin() * 8_000.0) as i16).collect();
        let file = folder.path().join("tone.wav");
        sidetone_audio::wav::write(&file, &sidetone_audio::Pcm::new(16_000, 1, tone).unwrap()).unwrap();
        let config = Config { pattern: Pattern::Calls(mode), pause: ms(200), speech: vec![file], ..realtime(2, 8) };
        let report = run(Behaviour::default(), config).await;
        let counts = &report.counts;
        assert!(counts.utterances >= 4, "{mode:?}: {}", report.to_text());
        assert!(counts.utterances - counts.answered <= 2, "{mode:?}: {}", report.to_text());
        assert_eq!((counts.unanswered, counts.calls_lost, counts.lost, counts.cut), (0, 0, 0, 0));
        assert!(report.times.first_audio.count >= 4);
        assert_eq!(counts.unplayed, 0, "{mode:?}: {}", report.to_text());
    }
}
