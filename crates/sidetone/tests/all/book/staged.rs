//! Blocks of the book that need something around them: a queue, a gateway, a broker's own files.

use crate::common::{
    clip, scratch,
    serve::{PATIENCE, PORTS, Serve},
    transcode,
};
use sidetone_batch::capture;
use sidetone_packet::{Direction, HEADER_LEN, Sealer};
use sidetone_test_broker::{Certificates, find};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The program, on the path before all else.
pub(crate) fn path() -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_sidetone"));
    format!("{}:{}:/usr/sbin", binary.parent().unwrap().display(), std::env::var("PATH").unwrap())
}

/// A shell in a folder, with nothing in its environment that would change what the program does.
pub(crate) fn shell(folder: &Path, script: &str) -> Command {
    let mut command = Command::new("sh");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SIDETONE_") {
            command.env_remove(name);
        }
    }
    command.args(["-euc", script]).env("PATH", path()).current_dir(folder);
    command
}

/// Runs a script to its end.
pub(crate) fn run(folder: &Path, script: &str) -> Result<(), String> {
    // A command of the book ends by itself.
    let patient = format!("timeout {} sh -euc \"$SCRIPT\"", PATIENCE.as_secs());
    well(script, &shell(folder, &patient).env("SCRIPT", script).output().unwrap())
}

fn well(what: &str, output: &Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    let said = [&output.stdout[..], &output.stderr].concat();
    Err(format!("failed with {}:\n{what}\n{}", output.status, String::from_utf8_lossy(&said)))
}

/// A script that a busy machine may spoil.
pub(crate) fn in_real_time(folder: &Path, script: &str) -> Result<(), String> {
    run(folder, script).or_else(|_| run(folder, script)).or_else(|_| run(folder, script))
}

/// Commands that serve until Ctrl-C, on ports of the system's choice.
pub(crate) fn serves(script: &str) -> Result<(), String> {
    for line in commands(script) {
        let folder = scratch();
        let (at, command) = (folder.path().to_owned(), format!("exec {line} {}", PORTS.join(" ")));
        let serve = Serve::run(folder, shell(&at, &command));
        serve.signal(&["INT"]);
        let (code, _, said) = serve.end();
        if code != 0 {
            return Err(format!("`{line}` ended with {code}:\n{said}"));
        }
    }
    Ok(())
}

/// Loads that a gateway of this test's own gets: fewer devices for a shorter time than the book names, and the bounds of a
/// machine that does other things too.
pub(crate) fn loads(script: &str) -> Result<(), String> {
    let serve = Serve::start(scratch(), &[]);
    let gateway = format!("mqtt://{}", serve.address("mqtt"));
    for line in commands(script) {
        let line = line.replacen("sidetone fleet", &format!("sidetone fleet --quiet --gateway {gateway}"), 1);
        let line =
            line.replace("20ms", "20s").replace("loss>1%", "loss>99%").replace("unknown-ids:50000", "unknown-ids:500");
        let mut words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        for (option, value) in [("--devices", "3"), ("--ramp", "3"), ("--duration", "3s")] {
            if let Some(at) = words.iter().position(|word| word == option) {
                value.clone_into(&mut words[at + 1]);
            }
        }
        if !line.contains("--duration") {
            words.extend(["--duration".to_owned(), "3s".to_owned()]);
        }
        in_real_time(serve.folder.path(), &words.join(" "))?;
    }
    Ok(())
}

/// Folders that the book's batches work through: recordings, and calls with their old and new keys.
pub(crate) fn folders(at: &Path) {
    for folder in ["recordings", "calls", "keys", "in"] {
        fs::create_dir(at.join(folder)).unwrap();
    }
    fs::copy(clip(), at.join("recordings/speech.wav")).unwrap();
    fs::copy(clip(), at.join("in/speech.wav")).unwrap();
    transcode(&clip(), &at.join("speech.bit"), "");
    let bit = fs::read(at.join("speech.bit")).unwrap();
    let key = [7; 16];
    let mut sealer = Sealer::new(&key, 0xabcd, Direction::Uplink);
    let mut writer = capture::Writer::create(&at.join("calls/one.sealed")).unwrap();
    // opus_demo's format: the length of a packet, the range of the coder, the packet.
    let mut rest = &bit[..];
    while let [a, b, c, d, _, _, _, _, packet @ ..] = rest {
        let len = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let (payload, following) = packet.split_at(len);
        let mut datagram = vec![0; HEADER_LEN + len];
        sealer.seal(0, payload, &mut datagram).unwrap();
        writer.write(&datagram).unwrap();
        rest = following;
    }
    writer.finish().unwrap();
    fs::write(at.join("keys/one.old.key"), "07".repeat(16)).unwrap();
    fs::write(at.join("keys/one.new.key"), "08".repeat(16)).unwrap();
}

/// A server, a worker and a batch, each as the book has it, on one machine.
pub(crate) fn queue(script: &str) -> Result<(), String> {
    if find("nats-server").is_none() {
        return Ok(());
    }
    let folder = scratch();
    folders(folder.path());
    let port = free_port();
    let at = folder.path().display().to_string();
    let script = script.replace("/var/lib/nats", &format!("{at}/nats -a 127.0.0.1 -p {port}"));
    let script = script.replace("nats://queue:4222", &format!("nats://127.0.0.1:{port}")).replace("/mnt/calls", &at);
    let mut running = Vec::new();
    for line in commands(&script) {
        if line.starts_with("sidetone batch") {
            run(folder.path(), &line)?;
            continue;
        }
        let mut command = shell(folder.path(), &format!("exec {line}"));
        let mut started = Started(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        if line.starts_with("nats-server") {
            until(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;
        } else {
            let mut said = String::new();
            BufReader::new(started.0.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
            if !said.starts_with("Worker ") {
                return Err(format!("`{line}` says {said:?}"));
            }
        }
        running.push(started);
    }
    assert_eq!(running.len(), 2, "a server and a worker");
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 1, "the batch has made a file");
    Ok(())
}

/// A process that ends with the block.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Files of a Mosquitto, by the path in the first line of each: it starts with them, on another port.
pub(crate) fn mosquitto(files: &[&str]) -> Result<(), String> {
    const FOLDER: &str = "/etc/mosquitto/";
    let (Some(server), Some(passwords)) = (find("mosquitto"), find("mosquitto_passwd")) else { return Ok(()) };
    let folder = scratch();
    let at = folder.path().to_owned();
    let certificates = Certificates::new().expect("certificates");
    fs::copy(certificates.server(), at.join("fullchain.pem")).unwrap();
    fs::copy(certificates.server_key(), at.join("privkey.pem")).unwrap();
    let made = Command::new(passwords).args(["-c", "-b"]).arg(at.join("passwords")).args(["gateway", "x"]).output();
    well("mosquitto_passwd", &made.unwrap())?;
    let port = free_port();
    let mut main = None;
    for text in files {
        let first = text.lines().next().unwrap_or_default();
        let name = first.strip_prefix("# ").and_then(|path| path.strip_prefix(FOLDER));
        let file = at.join(Path::new(name.ok_or_else(|| format!("`{first}` names no file"))?).file_name().unwrap());
        let text = text.replace(FOLDER, &format!("{}/", at.display()));
        let text = text.replace("listener 8883", &format!("user root\nlistener {port} 127.0.0.1"));
        fs::write(&file, text).unwrap();
        main = main.or(Some(file));
    }
    let mut command = Command::new(server);
    command.arg("-c").arg(main.ok_or("no file")?).stderr(Stdio::piped());
    let mut started = Started(command.spawn().unwrap());
    let ended = |started: &mut Started| started.0.try_wait().unwrap().is_some();
    until(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() || ended(&mut started))?;
    if ended(&mut started) {
        let mut said = String::new();
        started.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        return Err(format!("Mosquitto does not take it: {said}"));
    }
    Ok(())
}

/// A file that another program checks: `{}` in its arguments is where the file lies.
pub(crate) fn checked(by: &str, arguments: &[&str], text: &str) -> Result<(), String> {
    let Some(checker) = find(by) else { return Ok(()) };
    let folder = scratch();
    let secret = folder.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let file = folder.path().join("file");
    let text = text.replace("/etc/prometheus/sidetone_token", &secret.display().to_string());
    fs::write(&file, text.replace("/var/lib/nats", &folder.path().display().to_string())).unwrap();
    let arguments = arguments.iter().map(|argument| argument.replace("{}", &file.display().to_string()));
    well(by, &Command::new(checker).args(arguments).output().unwrap())
}

/// The commands of a script, one a line.
fn commands(script: &str) -> Vec<String> {
    let whole = script.replace("\\\n", " ");
    let lines = whole.lines().map(|line| line.split(" #").next().unwrap_or(line).trim().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

fn until(mut so: impl FnMut() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        if Instant::now() > deadline {
            return Err("it does not listen".to_owned());
        }
        sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
