//! `sidetone serve` as a process: started, asked, told, ended.
#![cfg(unix)]

use crate::common::serve::{PATIENCE, PORTS, Serve};
use crate::common::{Run, program, scratch};
use sidetone_mqtt::client::Event;
use sidetone_mqtt::{Client, Options, Qos};
use sidetone_protocol::message::{DeviceHello, DeviceMessage, GatewayBody, GatewayMessage};
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs to the end, in a folder of its own.
fn run(folder: &Path, arguments: &[&str]) -> Run {
    program().current_dir(folder).arg("serve").args(arguments).output().expect("it starts").into()
}

/// A device that has said hello.
pub(crate) async fn device_in_a_call(address: &str) -> Client {
    let mut options = Options::new(&format!("mqtt://{address}")).unwrap();
    options.client_id = "GID_t@@@aa_bb_cc_dd_ee_21@@@u".into();
    let mut client = sidetone_mqtt::connect(&options).await.unwrap();
    let hello = DeviceMessage::hello(DeviceHello::default()).to_json();
    client.publish("device-server", hello.as_bytes(), Qos::AtMostOnce).await.unwrap();
    assert!(matches!(next(&mut client).await, Some(GatewayBody::Hello(_))));
    client
}

pub(crate) async fn next(client: &mut Client) -> Option<GatewayBody> {
    match tokio::time::timeout(PATIENCE, client.receive()).await.expect("something").unwrap() {
        Event::Publish { payload, .. } => Some(GatewayMessage::parse(&payload).unwrap().body),
        Event::Disconnected { .. } => None,
    }
}

#[test]
fn once_makes_a_call_and_says_what_it_measured() {
    let folder = scratch();
    let ran = run(folder.path(), &[&PORTS[..], &["--once"]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for line in [
        "Self-check passed: one call with a virtual device, through MQTT and UDP",
        "hello answered in",
        "mouth to ear",
        "heard again",
    ] {
        assert!(ran.out.contains(line), "{line}\n{}", ran.out);
    }
    assert!(ran.out.contains("No mqtt.signature_key is set"), "{}", ran.out);
}

#[test]
fn the_check_finds_its_way_where_every_port_is_encrypted_and_where_nothing_is_spoken_back() {
    let certificates = sidetone_test_broker::Certificates::new().unwrap();
    let (certificate, key) = (certificates.server(), certificates.server_key());
    let folder = scratch();
    let ran = run(
        folder.path(),
        &[
            &PORTS[2..],
            &["--once", "--mqtt-listen", "off", "--mqtt-tls-listen", "127.0.0.1:0", "--bridge-kind", "record"],
            &["--mqtt-signature-key", "a key", "--mqtt-certificate", certificate.to_str().unwrap()],
            &["--mqtt-key", key.to_str().unwrap(), "--http-token", "t"],
        ]
        .concat(),
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("Self-check passed") && ran.out.contains(" sent, 0 came back"), "{}", ran.out);
}

#[tokio::test]
async fn asked_to_end_it_says_goodbye_and_is_gone_within_five_seconds() {
    let serve = Serve::start(scratch(), &[]);
    let mut device = device_in_a_call(&serve.address("mqtt")).await;
    serve.signal(&["TERM"]);
    let ended = tokio::task::spawn_blocking(move || serve.end());
    assert_eq!(next(&mut device).await, Some(GatewayBody::Goodbye));
    assert_eq!(next(&mut device).await, None);
    let (code, took, said) = ended.await.unwrap();
    assert_eq!(code, 0, "{said}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn asked_twice_it_ends_at_once() {
    let serve = Serve::start(scratch(), &[]);
    // Something to wait for: a request that never ends.
    let mut dawdling = TcpStream::connect(serve.address("http")).unwrap();
    dawdling.write_all(b"GET / HT").unwrap();
    serve.signal(&["INT", "TERM"]);
    let (code, _, said) = serve.end();
    assert!([130, 143].contains(&code), "{code} {said}");
}

#[test]
fn a_fleet_that_is_interrupted_says_goodbye_and_reports() {
    let serve = Serve::start(scratch(), &[]);
    let gateway = format!("mqtt://{}", serve.address("mqtt"));
    for signal in ["-INT", "-TERM"] {
        let mut fleet = program();
        fleet.args(["fleet", "--quiet", "--duration", "1000s", "--gateway", &gateway]);
        let fleet = fleet.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let deadline = Instant::now() + PATIENCE;
        while serve.get("/api/sessions", "").ends_with(r#"{"sessions":[]}"#) {
            assert!(Instant::now() < deadline, "it does not call");
            sleep(Duration::from_millis(20));
        }
        assert!(Command::new("kill").args([signal, &fleet.id().to_string()]).status().unwrap().success());
        let ended = Run::from(fleet.wait_with_output().unwrap());
        assert!(ended.code == 0 && ended.out.contains("ended early"), "{signal}: {} {}", ended.out, ended.err);
        assert!(serve.get("/api/sessions", "").ends_with(r#"{"sessions":[]}"#), "{signal}: its device said goodbye");
    }
}

#[test]
fn hup_takes_a_good_file_on_and_leaves_a_bad_one_alone() {
    let folder = scratch();
    let path = folder.path().join("sidetone.toml");
    let write = |path: &Path, text: &str| {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(&path, "[limits]\ncalls = 5\n");
    let serve = Serve::start(folder, &[]);
    let path = serve.folder.path().join("sidetone.toml");
    assert!(serve.get("/api/config", "").contains(r#""calls":5"#));

    write(
        &path,
        "[limits]\ncalls = 3\n[http]\ntoken = \"a-s3cret-token\"\n[pool]\nworkers = 1\n[log]\nlevel = \"debug\"\n",
    );
    serve.signal(&["HUP"]);
    serve.until(&serve.err, "these changed, and need a restart to take effect");
    let bearer = "Authorization: Bearer a-s3cret-token\r\n";
    let config = serve.get("/api/config", bearer);
    assert!(
        config.contains(r#""calls":3"#) && config.contains(r#""token":"***""#) && config.contains(r#""workers":null"#),
        "{config}"
    );
    assert!(serve.get("/api/config", "").starts_with("HTTP/1.1 401"));

    write(&path, "[limits]\ncalls = 0\ncolls = 1\n[http]\ntoken = [\"another-s3cret\"]\n");
    serve.signal(&["HUP"]);
    serve.until(&serve.err, "the new configuration is bad, and nothing has changed");
    assert!(serve.get("/api/config", bearer).contains(r#""calls":3"#));

    serve.signal(&["TERM"]);
    let (code, _, said) = serve.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("applied=\"http.token, limits.calls, log.level\""), "{said}");
    assert!(said.contains("settings=\"pool.workers\""), "{said}");
    assert!(said.contains("sidetone.toml:3): there is no such setting; did you mean limits.calls?"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_does_not_hold_up_what_is_asked_next() {
    let folder = scratch();
    fs::write(folder.path().join("sidetone.toml"), "").unwrap();
    let serve = Serve::start(folder, &["--config", "sidetone.toml"]);
    let path = serve.folder.path().join("sidetone.toml");
    fs::remove_file(&path).unwrap();
    // Nobody ever writes to it.
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    serve.signal(&["HUP"]);
    serve.until(&serve.err, "the configuration was not read within 5s, and nothing has changed");
    serve.signal(&["HUP", "TERM"]);
    let (code, took, said) = serve.end();
    assert_eq!(code, 0, "{said}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn what_hinders_the_start_is_one_clear_sentence() {
    let folder = scratch();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let ran = run(folder.path(), &["--mqtt-listen", "off", "--udp-listen", "127.0.0.1:0", "--http-listen", &at]);
    let expected = format!(
        "error: http.listen = \"{at}\": another program listens there; stop it, or set another address (port 0: the system's choice)\n"
    );
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.ends_with(&expected), "{}", ran.err);

    fs::write(folder.path().join("c.pem"), "no certificate").unwrap();
    let ran = run(folder.path(), &["--mqtt-certificate", "c.pem", "--mqtt-key", "k.pem"]);
    let expected = "error: mqtt.certificate = \"c.pem\" (flag --mqtt-certificate): holds no certificate; it must be a PEM file with certificates (BEGIN CERTIFICATE), the server's own first\n";
    assert_eq!((ran.code, ran.err.as_str()), (1, expected));

    let ran = run(folder.path(), &["--mqtt-listen", "0.0.0.0:1883"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.starts_with("error: mqtt.listen (flag --mqtt-listen): 0.0.0.0:1883 is reachable from outside, but"),
        "{}",
        ran.err
    );
    let ran = run(folder.path(), &["--config", "none.toml"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, "error: none.toml: there is no such file\n"));
}

#[test]
fn what_is_printed_or_refused_shows_no_secret() {
    let folder = scratch();
    let url = "wss://speech/v1/?from=mqtt_gateway&token=hunter2";
    let arguments = ["--print-config", "--http-token", "hunter2", "--audio-lead", "1", "--bridge-url", url];
    let printed = run(folder.path(), &arguments);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    assert!(printed.out.contains("# token = \"***\"  # flag --http-token; not shown\n"), "{}", printed.out);
    assert!(printed.out.contains("lead = 1  # flag --audio-lead\n"), "{}", printed.out);
    let masked = "# url = \"wss://speech/v1/?from=mqtt_gateway&token=***\"  # flag --bridge-url; not shown whole\n";
    assert!(printed.out.contains(masked), "{}", printed.out);
    fs::write(folder.path().join("again.toml"), &printed.out).unwrap();
    assert_eq!(run(folder.path(), &["--print-config", "--config", "again.toml"]).code, 0);
    let refused = run(folder.path(), &["--http-tokn=hunter2"]);
    let wrong = run(folder.path(), &["--bridge-url", "https://speech/?token=hunter2"]);
    assert_eq!((refused.code, wrong.code), (2, 1));
    for ran in [printed, refused, wrong] {
        assert!(!ran.out.contains("hunter2") && !ran.err.contains("hunter2"), "{}{}", ran.out, ran.err);
    }
}

#[test]
fn log_lines_may_be_json() {
    let serve = Serve::start(scratch(), &["--log-format", "json"]);
    serve.signal(&["INT"]);
    let err = serve.err.clone();
    let (code, _, _) = serve.end();
    assert_eq!(code, 0);
    let lines = err.lock().unwrap();
    assert!(lines.lines().count() > 0);
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string() && line["message"].is_string() && line["timestamp"].is_string(), "{line}");
    }
}

#[test]
fn where_descriptors_end_new_devices_are_told_and_old_calls_live() {
    let folder = scratch();
    let script = r#"ulimit -n 100 && exec "$0" serve "$@""#;
    let mut command = Command::new("sh");
    command.current_dir(folder.path()).args(["-c", script]).arg(program().get_program()).args(PORTS);
    let serve = Serve::run(folder, command);
    let options = |n: u32| {
        let mut options = Options::new(&format!("mqtt://{}", serve.address("mqtt"))).unwrap();
        options.client_id = format!("GID_d@@@aa_bb_cc_dd_00_{n:02x}@@@u");
        options
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut first = sidetone_mqtt::connect(&options(0)).await.unwrap();
        let hello = DeviceMessage::hello(DeviceHello::default()).to_json();
        first.publish("device-server", hello.as_bytes(), Qos::AtMostOnce).await.unwrap();
        let Event::Publish { payload, .. } = first.receive().await.unwrap() else { panic!() };
        let session = GatewayMessage::parse(&payload).unwrap().session_id.unwrap();
        let (mut inside, mut refused) = (Vec::new(), 0);
        for n in 1..80 {
            match sidetone_mqtt::connect(&options(n)).await {
                Ok(client) => inside.push(client),
                Err(sidetone_mqtt::ConnectError::Refused { code: 3, .. }) => refused += 1,
                Err(error) => panic!("not told: {error}"),
            }
        }
        assert!(inside.len() >= 30 && refused >= 30, "{} let in, {refused} refused", inside.len());
        // The call of the first one is as it was.
        let listen = format!(r#"{{"session_id":"{session}","type":"listen","state":"start","mode":"realtime"}}"#);
        first.publish("device-server", listen.as_bytes(), Qos::AtMostOnce).await.unwrap();
        let Event::Publish { payload, .. } = first.receive().await.unwrap() else { panic!() };
        assert!(matches!(GatewayMessage::parse(&payload).unwrap().body, GatewayBody::Tts(_)));
        // And whose place becomes free is taken by another.
        drop(inside.pop());
        while sidetone_mqtt::connect(&options(79)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    serve.signal(&["TERM"]);
    assert_eq!(serve.end().0, 0);
}
