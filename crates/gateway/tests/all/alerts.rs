//! Alerts, end to end: from a number that is wrong to whoever is told, over real sockets.

use crate::common::http::{get, post, raw, start};
use crate::common::webhook::Webhook;
use crate::common::{Device, config};
use serde_json::{Value, json};
use sidetone_gateway::Config;
use sidetone_gateway::config::{AlertRule, Listen, Secret};
use sidetone_test_broker::Certificates;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Fires as long as there is a call.
fn calls() -> AlertRule {
    toml::from_str("name = \"in-use\"\nmetric = \"calls\"\nabove = 0\nseverity = \"critical\"").unwrap()
}

fn with_rule(config: &mut Config, webhook: &str) {
    config.alerts.defaults = false;
    config.alerts.rules = vec![calls()];
    config.alerts.instance = Some("gate-1".into());
    config.alerts.webhook = Some(Secret::new(webhook.into()));
}

async fn alert(http: SocketAddr, id: &str) -> Value {
    let all = get(http, "/api/alerts").await.json();
    all["alerts"].as_array().unwrap().iter().find(|alert| alert["id"] == id).cloned().unwrap_or(Value::Null)
}

async fn until(http: SocketAddr, what: &str, so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + crate::common::PATIENCE;
    loop {
        let all = get(http, "/api/alerts").await.json();
        if so(&all) {
            return all;
        }
        assert!(Instant::now() < deadline, "in vain: {what}: {all:#}");
        sleep(Duration::from_millis(50)).await;
    }
}

fn is_firing(all: &Value) -> bool {
    all["alerts"][0]["state"] == "firing"
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_seen_and_told_also_to_one_that_fails_at_first() {
    let mut webhook = Webhook::start(&[500, 503]).await;
    let url = format!("http://{}/hooks/s3cret?key=k3y", webhook.address);
    let (mut gateway, http) = start(|config| {
        with_rule(config, &url);
        config.alerts.webhook_token = Some(Secret::new("t0ken".into()));
    })
    .await;
    let mut events = crate::common::events::Events::open(http).await;
    assert_eq!(alert(http, "in-use").await["state"], "ok");
    let mut device = Device::connect(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_21@@@u").await;
    device.hello().await;
    assert!(events.until("event: alert\n").await);
    let all = until(http, "it fires", is_firing).await;
    let firing = &all["alerts"][0];
    assert_eq!((&firing["value"], &firing["severity"]), (&json!(1.0), &json!("critical")));
    assert_eq!(
        (&firing["comparison"], &firing["threshold"], &firing["for"], &firing["silence"]),
        (&json!("above"), &json!(0.0), &json!(0), &Value::Null)
    );
    assert_eq!((&all["recent"][0]["id"], &all["recent"][0]["state"]), (&json!("in-use"), &json!("firing")));
    let stats = get(http, "/api/stats").await.json();
    assert_eq!(stats["alerts"], json!({ "firing": 1, "pending": 0, "silenced": 0, "worst": "critical" }));
    // Twice in vain, then it is taken: the same each time.
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let delivery = webhook.next().await;
        assert!(delivery.head.starts_with("post /hooks/s3cret?key=k3y http/1.1"), "{}", delivery.head);
        assert!(delivery.head.contains("authorization: bearer t0ken"), "{}", delivery.head);
        assert!(delivery.head.contains(&format!("host: {}", webhook.address)), "{}", delivery.head);
        bodies.push(delivery.body);
    }
    assert!(bodies[0] == bodies[1] && bodies[1] == bodies[2]);
    assert_eq!((&bodies[0]["version"], &bodies[0]["status"]), (&json!("4"), &json!("firing")));
    assert_eq!(bodies[0]["alerts"][0]["labels"]["alertname"], "in-use");
    assert_eq!(bodies[0]["text"], "[critical] gate-1: in-use: Live sessions: 1, above 0");
    let all = until(http, "it is delivered", |all| all["webhook"]["sent"] == 1).await;
    let expected = json!({
        "to": format!("http://{}/***", webhook.address), "working": true, "why": null,
        "waiting": 0, "sent": 1, "failed": 2, "givenUp": 0,
    });
    assert_eq!(all["webhook"], expected);
    for path in ["/api/alerts", "/api/config", "/api/stats"] {
        let told = get(http, path).await.body;
        assert!(!["s3cret", "k3y", "t0ken"].iter().any(|secret| told.contains(secret)), "{path}");
    }
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_keeps_the_webhook_quiet_until_it_is_lifted_and_outlives_a_restart() {
    let mut webhook = Webhook::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}/", webhook.address);
    let set = |config: &mut Config| {
        with_rule(config, &url);
        config.history.file = folder.path().join("history.db");
    };
    let (mut gateway, http) = start(set).await;
    let path = "/api/alerts/in-use/silence";
    let good = r#"{"seconds": 600, "why": "load test"}"#;
    // A page of somebody else, which the browser gives our password along with.
    for header in ["Origin: http://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n", "Origin: null\r\n"] {
        assert_eq!(post(http, path, header, good).await.status, 403, "{header}");
    }
    let plain = format!(
        "POST {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{good}",
        good.len()
    );
    assert_eq!(raw(http, &plain).await.status, 415);
    let short = post(http, path, "", r#"{"seconds": 5}"#).await;
    assert_eq!(
        (short.status, short.json()["error"].as_str()),
        (400, Some("seconds = 5: must be a whole number from 60 to 2592000"))
    );
    let unknown = post(http, "/api/alerts/none/silence", "", good).await;
    assert_eq!(
        (unknown.status, unknown.json()["error"].as_str()),
        (404, Some("there is no alert \"none\"; there are: in-use"))
    );
    assert_eq!(alert(http, "in-use").await["silence"], Value::Null, "none of these did anything");

    let origin = format!("Origin: http://{http}\r\nSec-Fetch-Site: same-origin\r\n");
    let silenced = post(http, path, &origin, good).await;
    assert_eq!((silenced.status, &silenced.json()["silence"]["why"]), (200, &json!("load test")));
    let mut device = Device::connect(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_22@@@u").await;
    device.hello().await;
    let all = until(http, "it fires all the same", is_firing).await;
    assert_eq!(all["recent"][0]["silenced"], true);
    assert!(gateway.shut_down().await);
    assert!(webhook.received.try_recv().is_err(), "nobody was told");

    let (mut gateway, http) = start(set).await;
    let all = until(http, "what was there is found", |all| !all["alerts"][0]["silence"].is_null()).await;
    assert_eq!((&all["recent"][0]["state"], &all["recent"][0]["id"]), (&json!("firing"), &json!("in-use")));
    let mut device = Device::connect(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_22@@@u").await;
    device.hello().await;
    until(http, "it fires again", is_firing).await;
    assert!(webhook.received.try_recv().is_err(), "still silent");
    let lifted = crate::common::http::ask(http, "DELETE", path, "").await;
    assert_eq!((lifted.status, &lifted.json()["silence"]), (200, &Value::Null));
    assert_eq!(webhook.next().await.body["alerts"][0]["status"], "firing", "it is told now");
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_changes_rules_and_webhook_and_ends_what_is_no_rule_any_more() {
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let mut webhook = Webhook::start(&[]).await;
    let (mut gateway, http) = start(|config| with_rule(config, &format!("http://{nobody}/"))).await;
    let mut device = Device::connect(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_23@@@u").await;
    device.hello().await;
    let all = until(http, "it cannot be delivered", |all| all["webhook"]["working"] == false).await;
    let why = all["webhook"]["why"].as_str().unwrap();
    assert!(why.starts_with(&format!("http://{nobody}/ cannot be reached: ")), "{why}");

    let mut new = config();
    new.http.listen = Listen::loopback(0);
    with_rule(&mut new, &format!("http://{}/", webhook.address));
    let change = gateway.reload(&new).unwrap();
    assert_eq!((change.applied, change.restart), (vec!["alerts.webhook".to_owned()], vec![]));
    assert_eq!(webhook.next().await.body["status"], "firing", "what waited is delivered");

    let mut other = new.clone();
    other.alerts.rules[0].above = Some(5.0);
    assert_eq!(gateway.reload(&other).unwrap().applied, ["alerts.rules"]);
    assert_eq!(webhook.next().await.body["status"], "resolved", "by that rule all is well");
    assert_eq!(alert(http, "in-use").await["state"], "ok");

    let mut bad = other.clone();
    bad.alerts.rules[0].metric = Some("cals".into());
    let why = gateway.reload(&bad).unwrap_err().to_string();
    assert_eq!(why, "alerts.rules.in-use.metric = \"cals\": there is no such series; did you mean \"calls\"?");
    assert_eq!(alert(http, "in-use").await["metric"], "calls");

    // One that hangs holds nobody up: not the evaluation, not a call, not the end.
    webhook.answer_next(0);
    gateway.reload(&new).unwrap();
    webhook.next().await;
    assert_eq!(alert(http, "in-use").await["state"], "firing");
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_over_tls_is_told_where_its_authority_is_known() {
    let certificates = Certificates::new().unwrap();
    let mut webhook = Webhook::start_tls(&certificates.server(), &certificates.server_key()).await;
    let url = format!("https://localhost:{}/hook", webhook.address.port());
    let tls = |ca: Option<&Path>| {
        let (url, ca) = (url.clone(), ca.map(Path::to_owned));
        move |config: &mut Config| {
            with_rule(config, &url);
            config.alerts.webhook_ca = ca;
        }
    };
    let (mut gateway, http) = start(tls(Some(&certificates.ca()))).await;
    let mut device = Device::connect(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_24@@@u").await;
    device.hello().await;
    assert_eq!(webhook.next().await.body["status"], "firing");
    // Another authority.
    let strangers = Certificates::new().unwrap();
    let mut new = config();
    new.http.listen = Listen::loopback(0);
    tls(Some(&strangers.ca()))(&mut new);
    new.alerts.rules[0].above = Some(5.0);
    gateway.reload(&new).unwrap();
    let all = until(http, "it is not trusted", |all| all["webhook"]["givenUp"] == 1).await;
    assert!(all["webhook"]["why"].as_str().unwrap().contains("set alerts.webhook_ca"), "{all}");
    assert!(gateway.shut_down().await);
}
