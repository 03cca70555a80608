//! `sidetone serve` as a process.

use super::program;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Ports of the system's choice.
pub const PORTS: [&str; 10] = [
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
pub struct Serve {
    pub child: Child,
    pub folder: TempDir,
    pub out: Arc<Mutex<String>>,
    pub err: Arc<Mutex<String>>,
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
    pub fn start(folder: TempDir, arguments: &[&str]) -> Self {
        let mut command = program();
        command.current_dir(folder.path()).arg("serve").args(PORTS).args(arguments);
        Self::run(folder, command)
    }

    pub fn run(folder: TempDir, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (out, err): (Arc<Mutex<String>>, Arc<Mutex<String>>) = Default::default();
        let readers =
            vec![reader(child.stdout.take().unwrap(), out.clone()), reader(child.stderr.take().unwrap(), err.clone())];
        let serve = Self { child, folder, out, err, readers };
        serve.until(&serve.out, "Serving until Ctrl-C.");
        serve
    }

    pub fn until(&self, text: &Mutex<String>, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !text.lock().unwrap().contains(what) {
            let (out, err) = (self.out.lock().unwrap().clone(), self.err.lock().unwrap().clone());
            assert!(Instant::now() < deadline, "in vain: {what}\n{out}\n{err}");
            sleep(Duration::from_millis(10));
        }
    }

    /// The address behind a label.
    pub fn address(&self, scheme: &str) -> String {
        let out = self.out.lock().unwrap();
        let (_, rest) = out.split_once(&format!("{scheme}://")).unwrap_or_else(|| panic!("no {scheme} in {out}"));
        rest.split(['\n', '/']).next().unwrap().to_owned()
    }

    pub fn signal(&self, signals: &[&str]) {
        let id = self.child.id();
        let script: Vec<_> = signals.iter().map(|signal| format!("kill -{signal} {id}")).collect();
        assert!(Command::new("sh").args(["-c", &script.join("; ")]).status().unwrap().success());
    }

    /// Waits for its end.
    pub fn end(mut self) -> (i32, Duration, String) {
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

    /// Resident memory, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub fn get(&self, path: &str, headers: &str) -> String {
        let at = self.address("http");
        let mut stream = TcpStream::connect(&at).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// A test that fails leaves no process behind.
impl Drop for Serve {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a fleet to its end; its report.
pub fn fleet(serve: &Serve, arguments: &str, html: &Path) -> Value {
    let json = serve.folder.path().join("report.json");
    let gateway = format!("mqtt://{}", serve.address("mqtt"));
    let mut command = program();
    command.args(["fleet", "--quiet", "--gateway", &gateway]).args(arguments.split_whitespace());
    command.arg("--json").arg(&json).arg("--html").arg(html);
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap()
}
