//! History as operators ask for it.

use crate::common::http::{get, start};
use crate::common::{Device, until};
use serde_json::{Value, json};
use sidetone_protocol::message::DeviceBody;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A call of five packets, up to its end; its id.
async fn call(gateway: &mut sidetone_gateway::Gateway, name: &str) -> String {
    let mut device = Device::connect(gateway, name).await;
    device.hello().await;
    device.talks_and_hears(5).await;
    let id = device.media.as_ref().unwrap().session_id.clone();
    device.say(DeviceBody::Goodbye).await;
    until("the call ends", || gateway.calls() == 0).await;
    id
}

async fn ended(http: SocketAddr, id: &str) -> Value {
    let deadline = Instant::now() + crate::common::PATIENCE;
    loop {
        let one = get(http, &format!("/api/sessions/{id}")).await;
        if one.status == 200 && one.json()["state"] == "ended" {
            return one.json();
        }
        assert!(Instant::now() < deadline, "in vain: {}", one.body);
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_call_is_known_with_its_events_and_numbers_come_over_time() {
    let (mut gateway, http) = start(|_| {}).await;
    let ids = [
        call(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_31@@@u").await,
        call(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_32@@@u").await,
    ];
    let one = ended(http, &ids[0]).await;
    assert_eq!(
        (&one["cause"], &one["quality"], &one["qualityCause"]),
        (&json!("device_goodbye"), &json!("full"), &json!("configured"))
    );
    assert_eq!(
        (&one["counts"]["received"], &one["counts"]["sent"], &one["lossPercent"]),
        (&json!(5), &json!(5), &json!(0.0))
    );
    assert_eq!(one["traffic"]["received"], 5);
    let events: Vec<_> =
        one["events"].as_array().unwrap().iter().map(|event| event["what"].as_str().unwrap()).collect();
    assert_eq!(
        (events[0], events[events.len() - 1], &one["eventsMissed"]),
        ("opened", "closed", &json!(0)),
        "{events:?}"
    );
    assert!(events.contains(&"listening"), "{events:?}");

    ended(http, &ids[1]).await;
    let page = get(http, "/api/history/sessions?limit=1").await.json();
    assert_eq!(page["sessions"][0]["id"], ids[1].as_str(), "the last to end first");
    let next = get(http, &format!("/api/history/sessions?limit=1&before={}", page["next"])).await.json();
    assert_eq!((&next["sessions"][0]["id"], &next["next"]), (&json!(ids[0]), &Value::Null));
    let of = |device: &str| format!("/api/history/sessions?device={device}&tenant=default");
    let of_one = get(http, &of("GID_a@@@aa_bb_cc_dd_ee_31@@@u")).await.json();
    assert_eq!((of_one["sessions"].as_array().unwrap().len(), &of_one["next"]), (1, &Value::Null));
    assert_eq!(get(http, &of("nobody")).await.json()["sessions"], json!([]));

    // Ten seconds after the last frame all are there at the latest.
    let frames = |history: &Value| {
        history["histograms"]["total"].as_array().unwrap().iter().filter_map(Value::as_u64).sum::<u64>()
    };
    let deadline = Instant::now() + crate::common::PATIENCE;
    let history = loop {
        let history = get(http, "/api/history?range=15m&series=calls,sessions_opened,total_p99_ms").await.json();
        if frames(&history) >= 20 {
            break history;
        }
        assert!(Instant::now() < deadline, "in vain: {history}");
        sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((&history["step"], &history["kept"]), (&json!(10), &json!("memory")));
    assert_eq!((history["times"].as_array().unwrap().len(), history["series"].as_object().unwrap().len()), (90, 3));
    assert!(history["series"]["calls"][0].is_null(), "before it was started there is a gap");
    let opened: f64 = history["series"]["sessions_opened"].as_array().unwrap().iter().filter_map(Value::as_f64).sum();
    assert!(opened > 0.0, "{history}");

    let all = get(http, "/api/history?range=30d").await.json();
    let series = get(http, "/api/history/series").await.json();
    let names: Vec<_> = series["series"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.iter().all(|name| all["series"][name].as_array().unwrap().len() == 360), "{names:?}");
    let stats = get(http, "/api/stats").await.json();
    assert!(names.iter().all(|name| stats["recent"]["values"].get(name).is_some()), "{}", stats["recent"]);
    assert_eq!((&stats["history"]["kept"], &stats["history"]["working"]), (&json!("memory"), &json!(true)));
    assert_eq!(stats["recent"]["total"]["counts"].as_array().unwrap().len(), 15);
    assert_eq!(stats["workerStats"][0]["quality"], "full");
    let bad = get(http, "/api/history?range=2h").await;
    assert_eq!(
        (bad.status, bad.json()["error"].as_str()),
        (400, Some("range = \"2h\": must be 15m, 1h, 6h, 24h, 7d or 30d"))
    );
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_is_there_after_a_restart_and_two_gateways_do_not_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    let (mut gateway, http) = start(|config| config.history.file = file.clone()).await;
    let id = call(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_33@@@u").await;
    ended(http, &id).await;
    let (second, other) = start(|config| config.history.file = file.clone()).await;
    let deadline = Instant::now() + crate::common::PATIENCE;
    loop {
        let status = get(other, "/api/stats").await.json()["history"].clone();
        if status["working"] == false {
            assert!(
                status["why"].as_str().unwrap().ends_with("give each gateway a history.file of its own"),
                "{status}"
            );
            break;
        }
        assert!(Instant::now() < deadline, "in vain: {status}");
        sleep(Duration::from_millis(20)).await;
    }
    let refused = get(other, "/api/history?range=1h").await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(get(other, "/readyz").await.status, 200, "it costs history alone");
    assert!(second.shut_down().await && gateway.shut_down().await);

    let (gateway, http) = start(|config| config.history.file = file.clone()).await;
    let one = ended(http, &id).await;
    assert_eq!((&one["cause"], one["events"].as_array().unwrap().is_empty()), (&json!("device_goodbye"), false));
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_history_the_last_calls_are_known_all_the_same() {
    let (mut gateway, http) = start(|config| config.history.file = "off".into()).await;
    let id = call(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_34@@@u").await;
    ended(http, &id).await;
    let page = get(http, "/api/history/sessions").await.json();
    assert_eq!((&page["sessions"][0]["id"], &page["next"]), (&json!(id), &Value::Null));
    let off = get(http, "/api/history?range=1h").await;
    assert_eq!(
        (off.status, off.json()["error"].as_str()),
        (503, Some("history is off: set history.file to a file, or to \"memory\""))
    );
    assert_eq!(get(http, "/api/stats").await.json()["history"]["kept"], "off");
    assert_eq!(get(http, "/api/sessions/none").await.status, 404);
    assert!(gateway.shut_down().await);
}
