//! Two gateways in one place: the second one is told what is in its way, and the first is none the worse for it.
#![cfg(unix)]

use crate::common::serve::Serve;
use crate::common::{Run, program, scratch};
use crate::serve::{device_in_a_call, next};
use sidetone_mqtt::Qos;
use sidetone_protocol::message::GatewayBody;
use sidetone_test_broker::Certificates;
use std::fs;

/// Every port there is: its setting, its flag, and how the gateway's first lines name it.
const PORTS: [(&str, &str, &str); 7] = [
    ("mqtt.listen", "--mqtt-listen", "mqtt"),
    ("mqtt.tls_listen", "--mqtt-tls-listen", "mqtts"),
    ("udp.listen", "--udp-listen", "udp"),
    ("web.listen", "--web-listen", "ws"),
    ("web.tls_listen", "--web-tls-listen", "wss"),
    ("web.transport_listen", "--web-transport-listen", "https"),
    ("http.listen", "--http-listen", "http"),
];

const ANY: &str = "127.0.0.1:0";

#[tokio::test]
async fn a_second_gateway_is_told_which_port_is_taken_and_the_calls_of_the_first_go_on() {
    let certificates = Certificates::new().unwrap();
    let serve = |taken: Option<(&str, &str)>| {
        let mut command = program();
        command.arg("serve").arg("--mqtt-certificate").arg(certificates.server());
        command.arg("--mqtt-key").arg(certificates.server_key());
        for (_, flag, _) in PORTS {
            command.args([flag, taken.filter(|taken| taken.0 == flag).map_or(ANY, |taken| taken.1)]);
        }
        command
    };
    let first = Serve::run(scratch(), serve(None));
    let mut device = device_in_a_call(&first.address("mqtt")).await;
    for (setting, flag, scheme) in PORTS {
        let at = first.address(scheme);
        let second: Run = serve(Some((flag, &at))).output().expect("it starts").into();
        let sentence = format!(
            "error: {setting} = \"{at}\": another program listens there; stop it, or set another address (port 0: the \
             system's choice)\n"
        );
        assert_eq!((second.code, second.out.as_str()), (1, ""), "{setting}: {}", second.err);
        assert!(second.err.ends_with(&sentence), "{setting}: {}", second.err);
    }
    device
        .publish("device-server", br#"{"type":"listen","state":"start","mode":"realtime"}"#, Qos::AtMostOnce)
        .await
        .unwrap();
    assert!(matches!(next(&mut device).await, Some(GatewayBody::Tts(_))), "the call of the first one is as it was");
    first.signal(&["TERM"]);
    let (code, _, said) = first.end();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_second_gateway_on_one_history_file_serves_without_and_leaves_the_file_alone() {
    let folder = scratch();
    let file = folder.path().join("history.db");
    let flags = ["--history-file", file.to_str().unwrap()];
    let first = Serve::start(scratch(), &flags);
    let second = Serve::start(scratch(), &flags);
    let sentence = "another program has the file open: give each gateway a history.file of its own";
    second.until(&second.err, sentence);
    assert!(second.get("/readyz", "").starts_with("HTTP/1.1 200 "), "it serves all the same");
    for gateway in [second, first] {
        gateway.signal(&["TERM"]);
        let (code, _, said) = gateway.end();
        assert_eq!(code, 0, "{said}");
        if !said.contains(sentence) {
            assert!(!said.contains("history cannot be kept"), "the first: {said}");
        }
    }
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["history.db"], "nothing was set aside as broken");
    let third = Serve::start(scratch(), &flags);
    assert!(third.get("/api/history/sessions", "").starts_with("HTTP/1.1 200 "));
    assert!(!third.err.lock().unwrap().contains("history"), "{}", third.err.lock().unwrap());
}
