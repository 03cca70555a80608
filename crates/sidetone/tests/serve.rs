//! `sidetone serve` as a process: started, asked, told, ended.
#![cfg(unix)]

mod common;

use common::{Run, program, scratch};
use sidetone_mqtt::client::Event;
use sidetone_mqtt::{Client, Options, Qos};
use sidetone_protocol::message::{DeviceHello, DeviceMessage, GatewayBody, GatewayMessage};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ports of the system's choice.
const PORTS: [&str; 10] = [
    "--mqtt-listen",
    "127.0.0.1:0",
    "--udp-listen",
    "127.0.0.1:0",
    "--http-listen",
    "127.0.0.1:0",
    "--web-listen",
    "127.0.0.1:0",
    "--web-transport-listen",
    "127.0.0.1:0",
];

/// A gateway that runs in a folder of its own.
struct Serve {
    child: Child,
    folder: TempDir,
    out: Arc<Mutex<String>>,
    err: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

fn reader(source: impl Read + Send + 'static, into: Arc<Mutex<String>>) -> JoinHandle<()> {
    spawn(move || {
        for line in BufReader::new(source).lines() {
            let mut text = into.lock().unwrap();
            text.push_str(&line.expect("UTF-8"));
            text.push('\n');
        }
    })
}

impl Serve {
    fn start(folder: TempDir, arguments: &[&str]) -> Self {
        let mut command = program();
        command.current_dir(folder.path()).arg("serve").args(PORTS).args(arguments);
        Self::run(folder, command)
    }

    fn run(folder: TempDir, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (out, err): (Arc<Mutex<String>>, Arc<Mutex<String>>) = Default::default();
        let readers =
            vec![reader(child.stdout.take().unwrap(), out.clone()), reader(child.stderr.take().unwrap(), err.clone())];
        let serve = Self { child, folder, out, err, readers };
        serve.until(&serve.out, "Serving until Ctrl-C.");
        serve
    }

    fn until(&self, text: &Mutex<String>, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !text.lock().unwrap().contains(what) {
            let (out, err) = (self.out.lock().unwrap().clone(), self.err.lock().unwrap().clone());
            assert!(Instant::now() < deadline, "in vain: {what}\n{out}\n{err}");
            sleep(Duration::from_millis(10));
        }
    }

    /// The address behind a label.
    fn address(&self, scheme: &str) -> String {
        let out = self.out.lock().unwrap();
        let (_, rest) = out.split_once(&format!("{scheme}://")).unwrap_or_else(|| panic!("no {scheme} in {out}"));
        rest.split(['\n', '/']).next().unwrap().to_owned()
    }

    fn signal(&self, signals: &[&str]) {
        let id = self.child.id();
        let script: Vec<_> = signals.iter().map(|signal| format!("kill -{signal} {id}")).collect();
        assert!(Command::new("sh").args(["-c", &script.join("; ")]).status().unwrap().success());
    }

    /// Waits for its end.
    fn end(mut self) -> (i32, Duration, String) {
        let since = Instant::now();
        let code = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status.code().unwrap_or(-1),
                None if since.elapsed() > PATIENCE => {
                    self.child.kill().unwrap();
                    panic!("it does not end: {}", self.err.lock().unwrap());
                }
                None => sleep(Duration::from_millis(10)),
            }
        };
        let took = since.elapsed();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        let said = format!("{}{}", self.out.lock().unwrap(), self.err.lock().unwrap());
        (code, took, said)
    }

    fn get(&self, path: &str, headers: &str) -> String {
        let at = self.address("http");
        let mut stream = TcpStream::connect(&at).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// Runs to the end, in a folder of its own.
fn run(folder: &Path, arguments: &[&str]) -> Run {
    program().current_dir(folder).arg("serve").args(arguments).output().expect("it starts").into()
}

/// A device that has said hello.
async fn device_in_a_call(address: &str) -> Client {
    let mut options = Options::new(&format!("mqtt://{address}")).unwrap();
    options.client_id = "GID_t@@@aa_bb_cc_dd_ee_21@@@u".into();
    let mut client = sidetone_mqtt::connect(&options).await.unwrap();
    let hello = DeviceMessage::hello(DeviceHello::default()).to_json();
    client.publish("device-server", hello.as_bytes(), Qos::AtMostOnce).await.unwrap();
    assert!(matches!(next(&mut client).await, Some(GatewayBody::Hello(_))));
    client
}

async fn next(client: &mut Client) -> Option<GatewayBody> {
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
    for line in
        ["Self-check passed: one call with a virtual device, through MQTT and UDP", "hello answered in", "round trip"]
    {
        assert!(ran.out.contains(line), "{line}\n{}", ran.out);
    }
    let correlation = ran.out.split_once("correlation").and_then(|(_, rest)| rest.split_whitespace().next());
    assert!(correlation.and_then(|text| text.parse().ok()).is_some_and(|found: f64| found > 0.9), "{}", ran.out);
    assert!(ran.out.contains("No mqtt.signature_key is set"), "{}", ran.out);
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
    let printed = run(folder.path(), &["--print-config", "--http-token", "hunter2", "--audio-lead", "1"]);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    assert!(printed.out.contains("# token = \"***\"  # flag --http-token; not shown\n"), "{}", printed.out);
    assert!(printed.out.contains("lead = 1  # flag --audio-lead\n"), "{}", printed.out);
    fs::write(folder.path().join("again.toml"), &printed.out).unwrap();
    assert_eq!(run(folder.path(), &["--print-config", "--config", "again.toml"]).code, 0);
    let refused = run(folder.path(), &["--http-tokn=hunter2"]);
    assert_eq!(refused.code, 2);
    for ran in [printed, refused] {
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
