//! What operators ask for over HTTP, and what strangers get.

use crate::common::events::Events;
use crate::common::http::{ask, get, raw, start};
use crate::common::{Device, config, until};
use serde_json::Value;
use sidetone_gateway::Gateway;
use sidetone_gateway::config::{Listen, Secret};
use sidetone_protocol::message::GatewayBody;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = crate::common::PATIENCE;

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_gateway_is_alive_ready_and_told_in_numbers() {
    let (gateway, http) = start(|_| {}).await;
    let alive = get(http, "/healthz").await;
    assert_eq!((alive.status, alive.body.as_str()), (200, r#"{"status":"ok"}"#));
    let ready = get(http, "/readyz").await;
    assert_eq!((ready.status, ready.json()["ready"].as_bool()), (200, Some(true)));
    let checks: Vec<_> = ready.json()["checks"].as_array().unwrap().iter().map(|check| check["what"].clone()).collect();
    assert_eq!(checks, ["serving", "edges", "room", "broker", "bridge"]);

    let stats = get(http, "/api/stats").await.json();
    assert_eq!(stats["component"]["sha256"], sidetone_artifact::COMPONENT_SHA256);
    assert_eq!(stats["component"]["coreSha256"], sidetone_artifact::CORE_SHA256);
    assert_eq!((&stats["calls"], &stats["devices"], &stats["phase"]), (&0.into(), &0.into(), &"serving".into()));
    for name in ["workers", "activeWorkers", "pendingRequests", "slots", "performance", "workerStats", "tenants"] {
        assert!(!stats[name].is_null(), "{name}");
    }
    for name in
        ["framesProcessed", "errors", "avgLatency", "maxLatency", "avgQueueSize", "runtime", "framesPerSecond", "p99"]
    {
        assert!(stats["performance"][name].is_number(), "{name}");
    }
    assert_eq!(stats["edges"]["udp.listen"]["address"], gateway.addresses().udp.unwrap().to_string());
    assert_eq!(stats["edges"]["http.listen"]["listening"], true);
    assert_eq!(get(http, "/api/sessions").await.body, r#"{"sessions":[]}"#);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_listed_looked_into_and_ended() {
    let (mut gateway, http) = start(|_| {}).await;
    let mut events = Events::open(http).await;
    let name = "GID_a@@@aa_bb_cc_dd_ee_11@@@u";
    let mut device = Device::connect(&mut gateway, name).await;
    device.hello().await;
    device.talks_and_hears(5).await;
    let id = device.media.as_ref().unwrap().session_id.clone();
    let sessions = get(http, "/api/sessions").await.json();
    let listed = &sessions["sessions"][0];
    assert_eq!((&listed["id"], &listed["device"]), (&id.as_str().into(), &name.into()));
    assert_eq!((&listed["tenant"], &listed["carrier"]), (&"default".into(), &"datagrams".into()));
    let one = get(http, &format!("/api/sessions/{id}")).await.json();
    assert_eq!(
        (&one["id"], &one["traffic"]["received"], &one["traffic"]["sent"]),
        (&id.as_str().into(), &5.into(), &5.into())
    );

    let gone = get(http, "/api/sessions/no-such-call").await;
    assert_eq!((gone.status, gone.json()["error"].is_string()), (404, true));
    assert_eq!(ask(http, "DELETE", "/api/sessions/no-such-call", "").await.status, 404);
    let ending = ask(http, "DELETE", &format!("/api/sessions/{id}"), "").await;
    assert_eq!((ending.status, ending.json()["ending"].as_str()), (202, Some(id.as_str())));
    loop {
        if device.hear().await.expect("a goodbye").body == GatewayBody::Goodbye {
            break;
        }
    }
    until("the call ends", || gateway.calls() == 0).await;
    assert!(events.until("event: closed\n").await);
    assert!(events.text.contains("event: opened\n"), "{}", events.text);
    let closed = events.text.split("event: closed\ndata: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    let closed: Value = serde_json::from_str(closed).unwrap();
    assert_eq!((&closed["id"], &closed["cause"]), (&id.as_str().into(), &"operator".into()));
    assert_eq!(closed["traffic"]["received"], 5);
    assert!(gateway.shut_down().await);
    assert!(!events.until("never said").await, "the stream ends with the gateway");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_gateway_is_not_ready() {
    let (mut gateway, http) = start(|config| config.limits.calls = 1).await;
    let mut device = Device::connect(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_12@@@u").await;
    device.hello().await;
    let full = get(http, "/readyz").await;
    let room = &full.json()["checks"][2];
    assert_eq!((full.status, room["what"].as_str(), room["ok"].as_bool()), (503, Some("room"), Some(false)));
    assert_eq!(room["detail"], "1 calls of at most 1");
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_described_and_the_list_is_complete() {
    let (gateway, http) = start(|_| {}).await;
    let metrics = get(http, "/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"), "{}", metrics.head);
    let names = |word: &str| -> Vec<String> {
        let lines = metrics.body.lines().filter_map(|line| line.strip_prefix(word));
        lines.filter_map(|line| line.split(' ').nth(1)).map(str::to_owned).collect()
    };
    let (types, helps) = (names("# TYPE"), names("# HELP"));
    assert!(types.len() > 30, "{types:?}");
    assert!(types.iter().all(|name| helps.contains(name)), "described: {types:?} {helps:?}");
    assert!(types.iter().all(|name| name.starts_with("sidetone_")));
    for line in [
        "# TYPE sidetone_calls gauge",
        "sidetone_calls 0",
        "sidetone_ready 1",
        "# TYPE sidetone_datagrams_dropped_total counter",
        "# TYPE sidetone_hellos_total counter",
    ] {
        assert!(metrics.body.lines().any(|found| found == line), "{line}\n{}", metrics.body);
    }
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_nothing_is_told_without_it() {
    let secret = "correct horse battery staple";
    let (gateway, http) = start(|config| {
        config.http.token = Some(Secret::new(secret.into()));
        config.mqtt.signature_key = Some(Secret::new("another secret".into()));
    })
    .await;
    let paths = [
        "/",
        "/assets/x.js",
        "/device/",
        "/metrics",
        "/api/stats",
        "/api/sessions",
        "/api/sessions/x",
        "/api/events",
        "/api/config",
        "/x",
    ];
    for path in paths {
        for headers in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic d3Jvbmc6d3Jvbmc=\r\n"] {
            let refused = ask(http, "GET", path, headers).await;
            assert_eq!((refused.status, refused.json()["error"].is_string()), (401, true), "{path}");
            assert!(refused.head.contains("www-authenticate: bearer") && refused.head.contains("basic realm"));
        }
    }
    // A load balancer has no token; it learns no more than yes or no.
    assert_eq!(get(http, "/healthz").await.status, 200);
    assert_eq!(get(http, "/readyz").await.body, r#"{"ready":true}"#);
    let bearer = format!("Authorization: Bearer {secret}\r\n");
    assert!(ask(http, "GET", "/readyz", &bearer).await.json()["checks"].is_array());
    let config = ask(http, "GET", "/api/config", &bearer).await;
    assert_eq!((config.status, &config.json()["http"]["token"]), (200, &"***".into()));
    for hidden in [secret, "another secret"] {
        assert!(!config.body.contains(hidden));
    }
    // As a browser's password (base64 of "me:correct horse battery staple"), under a foreign name as well.
    let basic = "Authorization: Basic bWU6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==\r\n";
    let foreign = format!("GET /api/stats HTTP/1.1\r\nHost: voice.example\r\nConnection: close\r\n{basic}\r\n");
    assert_eq!(raw(http, &foreign).await.status, 200);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebound_name_is_refused() {
    let (gateway, http) = start(|_| {}).await;
    for (host, status) in [
        ("evil.example", 403),
        (&*format!("evil.example:{}", http.port()), 403),
        ("127.0.0.1.evil.example", 403),
        ("192.168.0.1", 403),
        ("localhost", 200),
        (&*format!("[::1]:{}", http.port()), 200),
    ] {
        let request = format!("GET /api/stats HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(raw(http, &request).await.status, status, "{host}");
    }
    let absolute = "GET http://evil.example/api/stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(raw(http, absolute).await.status, 403);
    assert_eq!(raw(http, "GET /api/stats HTTP/1.0\r\n\r\n").await.status, 403);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_not_done_is_answered_in_json() {
    let (gateway, http) = start(|_| {}).await;
    let missing = get(http, "/nothing").await;
    assert_eq!((missing.status, missing.json()["error"].is_string()), (404, true));
    for (method, path) in [("POST", "/api/stats"), ("DELETE", "/api/sessions"), ("OPTIONS", "/api/sessions/x")] {
        let refused = ask(http, method, path, "").await;
        assert_eq!((refused.status, refused.json()["error"].is_string()), (405, true), "{method} {path}");
    }
    let stats = get(http, "/api/stats").await;
    for header in
        ["x-content-type-options: nosniff", "content-security-policy: default-src 'none'", "cache-control: no-store"]
    {
        assert!(stats.head.contains(header), "{}", stats.head);
    }
    assert!(!stats.head.contains("access-control-allow"), "no other page may read it");
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_dawdle_do_not_keep_others_out() {
    let (gateway, http) = start(|_| {}).await;
    // As many as are let in from one source, each in the middle of a request; more are turned away at once.
    let mut dawdling = Vec::new();
    for _ in 0..96 {
        let mut stream = TcpStream::connect(http).await.unwrap();
        stream.write_all(b"GET /api/stats HTTP/1.1\r\nHost: loc").await.unwrap();
        dawdling.push(stream);
    }
    let turned_away = async {
        loop {
            let mut stream = TcpStream::connect(http).await.unwrap();
            // Closed by a reset where it had already been written to.
            let written =
                stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
            let mut bytes = Vec::new();
            if written.is_err() || stream.read_to_end(&mut bytes).await.is_err() || bytes.is_empty() {
                break;
            }
        }
    };
    timeout(PATIENCE, turned_away).await.expect("the 97th is turned away");
    // Whoever comes from elsewhere is served meanwhile.
    #[cfg(target_os = "linux")]
    {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(http).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("an answer").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    // After ten seconds without the rest of a head they are out, and others are served.
    let mut bytes = Vec::new();
    for stream in &mut dawdling {
        timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("it is closed").ok();
    }
    assert_eq!(get(http, "/healthz").await.status, 200);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_an_end_is_refused() {
    let (gateway, http) = start(|_| {}).await;
    let huge = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let mut stream = TcpStream::connect(http).await.unwrap();
    // The server may close while it is still being written to.
    let _ = stream.write_all(huge.as_bytes()).await;
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("it is closed");
    assert!(!bytes.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&bytes));
    assert_eq!(get(http, "/healthz").await.status, 200);
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_on_what_can_change_and_names_the_rest() {
    let (mut gateway, http) = start(|_| {}).await;
    let mut new = config();
    new.http.listen = Listen::loopback(0);
    new.limits.calls = 1;
    new.session.inactivity = 5;
    new.http.token = Some(Secret::new("from now on".into()));
    new.tenants.insert("toys".into(), Default::default());
    new.pool.workers = Some(7);
    new.mqtt.signature_key = Some(Secret::new("another".into()));
    let change = gateway.reload(&new).unwrap();
    assert_eq!(change.applied, ["http.token", "limits.calls", "session.inactivity", "tenants.toys"]);
    assert_eq!(change.restart, ["mqtt.signature_key", "pool.workers"]);
    assert_eq!(get(http, "/api/stats").await.status, 401);
    let told = ask(http, "GET", "/api/config", "Authorization: Bearer from now on\r\n").await.json();
    assert_eq!((&told["limits"]["calls"], &told["pool"]["workers"]), (&1.into(), &Value::Null), "what is in force");
    let mut device = Device::connect(&mut gateway, "GID_a@@@aa_bb_cc_dd_ee_13@@@u").await;
    device.hello().await;
    let bearer = "Authorization: Bearer from now on\r\n";
    assert_eq!(ask(http, "GET", "/readyz", bearer).await.status, 503, "one call is all there is room for");

    let mut bad = new.clone();
    bad.audio.rate = 1;
    bad.limits.calls = 9;
    let refused = gateway.reload(&bad).unwrap_err().to_string();
    assert_eq!(refused, "audio.rate = 1: must be 8000, 12000, 16000, 24000 or 48000");
    let told = ask(http, "GET", "/api/config", bearer).await.json();
    assert_eq!(told["limits"]["calls"], 1, "a bad configuration changes nothing");
    // More than the pool was made for.
    let mut more = new.clone();
    more.limits.calls = 1_000;
    assert!(gateway.reload(&more).unwrap().restart.contains(&"limits.calls".to_owned()));
    assert_eq!(gateway.reload(&new).unwrap().applied, Vec::<String>::new());
    assert!(gateway.shut_down().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named_with_its_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut config = config();
    config.http.listen = address.into();
    let error = Gateway::start(config).await.err().expect("it does not start").to_string();
    assert_eq!(
        error,
        format!(
            "http.listen = \"{address}\": another program listens there; stop it, or set another address (port 0: the system's choice)"
        )
    );
}
