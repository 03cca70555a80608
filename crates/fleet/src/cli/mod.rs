//! `sidetone fleet`: arguments, where the report goes, the exit code.

mod line;
mod values;

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use sidetone_audio::output::AtomicFile;
use sidetone_protocol::credential::SignatureKey;
use sidetone_protocol::message::ListenMode;
use sidetone_protocol::topic::Dialect;

use line::Line;
use values::{dialect, kind, millis, mode, share, time};

use crate::hostile::{Hostile, Mode};
use crate::impairment::Impairment;
use crate::threshold::Threshold;
use crate::{Config, Error, Fleet, Kind, Pattern, metric};

/// What `--help` says last.
static AFTER_HELP: LazyLock<String> = LazyLock::new(|| {
    let attacks = Mode::ALL.map(|(_, name, rate)| format!("{name}:{rate}")).join(", ");
    let metrics = metric::all().map(|metric| format!("  {:20}{}", metric.name, metric.about)).collect::<Vec<_>>();
    format!(
        "\
Examples:
  sidetone fleet --devices 200 --loss 2 --jitter 30 --fail-if 'added_p99>20ms' --fail-if 'calls_lost>0'
  sidetone fleet --talk auto --devices 10 --pause 2s           turns: speak, hear the answer, pause
  sidetone fleet --idle --devices 10000 --ramp 500             connections that never say hello
  sidetone fleet --devices 50 --hostile unknown-ids:50000      what calls lose under attack
  sidetone fleet --gateway mqtts://gw:8883 --ca ca.pem --key-file signature.key --html report.html

Latency is measured in realtime mode against a gateway that echoes (its bridge `echo`). Mouth to ear: from a mark in the
speech being spoken until it is played. Added: what of it the gateway and the path add, without one frame (60 ms), the
codecs' own delay (some 13 ms) and the impairment here.

Attacks and their usual rates: {attacks}

Metrics for --fail-if METRIC OP VALUE (OP: > >= < <= == !=; VALUE: 50ms, 1.5s, 800us, 1%, 3):
{}

Exit codes: 0 done; 1 a threshold failed, or the run did not take place; 2 wrong usage.",
        metrics.join("\n")
    )
});

/// Put a gateway under the load of virtual devices, and report how it fared.
///
/// Each is a device as firmware makes it: an MQTT connection, a hello, a UDP port of its own, 16 kHz speech in sealed
/// 60 ms packets. What comes back is judged as firmware would, packet by packet. Ctrl-C ends the run early, with
/// goodbyes and a report.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = AFTER_HELP.as_str())]
pub struct Args {
    /// Where the gateway speaks MQTT: mqtt://, mqtts://, ws:// or wss://, host and port.
    #[arg(long, value_name = "URL", default_value = "mqtt://127.0.0.1:1883", env = "SIDETONE_FLEET_GATEWAY")]
    gateway: String,
    /// Send audio there, whatever hello replies say: to a gateway whose public address is not reached from here.
    #[arg(long, value_name = "IP:PORT")]
    udp: Option<SocketAddr>,
    /// PEM file with the certificates to trust, instead of the system's.
    #[arg(long, value_name = "FILE", env = "SIDETONE_FLEET_CA")]
    ca: Option<PathBuf>,
    /// File with the signature key that makes the devices' passwords. Without one they send none.
    #[arg(long, value_name = "FILE", env = "SIDETONE_FLEET_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// How many devices.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 1, env = "SIDETONE_FLEET_DEVICES")]
    devices: u32,
    /// Number of the first one: two fleets at one gateway need others.
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u32,
    /// First part of their client ids.
    #[arg(long, value_name = "NAME", default_value = "GID_fleet")]
    group: String,
    /// What they are: firmware (2026-08), firmware-2025, or improved (counting timestamps, concealment, scattered
    /// reconnects).
    #[arg(long, value_name = "KIND", default_value = "firmware", value_parser = kind)]
    kind: Kind,
    /// Their topics: mac, client-id or per-device.
    #[arg(long, value_name = "DIALECT", default_value = "mac", value_parser = dialect)]
    dialect: Dialect,
    /// Subscribe to the topic they are answered on, as a broker needs it that does not do so for them.
    #[arg(long)]
    subscribe: bool,
    /// How they talk: realtime (full duplex), auto (an utterance, its answer, a pause), manual (the same with a button).
    #[arg(long, value_name = "MODE", default_value = "realtime", value_parser = mode, conflicts_with = "idle")]
    talk: ListenMode,
    /// Only connect: no hello, no calls.
    #[arg(long)]
    idle: bool,
    /// WAV files to speak, or folders of such. Without, an embedded clip.
    #[arg(long, value_name = "PATH")]
    speech: Vec<PathBuf>,
    /// How long the run lasts.
    #[arg(long, short = 'd', value_name = "TIME", default_value = "30s", value_parser = time)]
    duration: Duration,
    /// How long a call lasts. Without: until the end.
    #[arg(long, value_name = "TIME", value_parser = time)]
    call_length: Option<Duration>,
    /// Calls of each device. Without: one after the other until the end.
    #[arg(long, value_name = "N")]
    calls: Option<u32>,
    /// Pause between calls, and before each utterance; drawn from half of it to one and a half.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    pause: Duration,
    /// Devices that connect in a second.
    #[arg(long, value_name = "N", default_value_t = 100.0)]
    ramp: f64,
    /// How many devices listen for marks. Without: all. (One that does not takes less CPU here.)
    #[arg(long, value_name = "N")]
    listeners: Option<u32>,
    /// Let all calls share so many UDP ports. Without: a port each, as real devices have it.
    #[arg(long, value_name = "N")]
    shared_sockets: Option<NonZeroU16>,
    #[command(flatten)]
    way: Way,
    /// An attack beside the devices, with how often a second; may be given several times.
    #[arg(long, value_name = "ATTACK[:RATE]")]
    hostile: Vec<Hostile>,
    /// Everything random is drawn from this.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// When the run has failed (exit code 1); may be given several times. See below.
    #[arg(long, value_name = "METRIC OP VALUE", value_parser = Threshold::from_str)]
    fail_if: Vec<Threshold>,
    /// Write the report as JSON; - for the standard output, instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as a page with plots.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Show no progress.
    #[arg(long, short)]
    quiet: bool,
}

/// What happens to packets on the way: the same in both directions, drawn separately.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "On the way, in each direction")]
struct Way {
    /// Packets lost, percent.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = share)]
    loss: f64,
    /// Mean length of a burst of losses, packets. Without: each for itself.
    #[arg(long, value_name = "PACKETS")]
    burst: Option<f64>,
    /// Delay of every packet.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = millis)]
    delay: Duration,
    /// The most delay in addition, evenly drawn; a bare number is milliseconds. Does not change the order.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = millis)]
    jitter: Duration,
    /// Packets that the next one overtakes, percent.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = share)]
    reorder: f64,
    /// Packets that come twice, percent.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = share)]
    duplicate: f64,
    /// Every so long a device's packets come from another port, as behind a NAT.
    #[arg(long, value_name = "TIME", value_parser = time)]
    rebind: Option<Duration>,
    /// How long after its hello a device sends its first packet.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = millis)]
    late_start: Duration,
}

impl Args {
    /// The fleet that the arguments describe. Reads the key file.
    ///
    /// # Errors
    /// [`Error::Config`] where the key file cannot be read or is empty.
    pub fn config(&self) -> Result<Config, Error> {
        let way = Impairment {
            loss: self.way.loss,
            burst: self.way.burst,
            delay: self.way.delay,
            jitter: self.way.jitter,
            reorder: self.way.reorder,
            duplicate: self.way.duplicate,
        };
        Ok(Config {
            gateway: self.gateway.clone(),
            udp: self.udp,
            certificates: self.ca.clone(),
            signature_key: self.key_file.as_deref().map(signature_key).transpose()?,
            group: self.group.clone(),
            first: self.first,
            devices: self.devices,
            kind: self.kind,
            dialect: self.dialect,
            subscribe: self.subscribe,
            pattern: if self.idle { Pattern::Idle } else { Pattern::Calls(self.talk) },
            speech: self.speech.clone(),
            calls: self.calls,
            call_length: self.call_length,
            pause: self.pause,
            ramp: self.ramp,
            duration: self.duration,
            listeners: self.listeners,
            uplink: way,
            downlink: way,
            rebind: self.way.rebind,
            late_start: self.way.late_start,
            shared_sockets: self.shared_sockets,
            hostile: self.hostile.clone(),
            seed: self.seed,
        })
    }
}

fn signature_key(path: &Path) -> Result<SignatureKey, Error> {
    let fault =
        |problem: String| Error::Config(format!("cannot use the signature key in {}: {problem}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let mut bytes = zeroize::Zeroizing::new(bytes);
    // Editors end files with a line end, which is no part of the key.
    while bytes.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        bytes.pop();
    }
    SignatureKey::new(&bytes).map_err(|error| fault(error.to_string()))
}

/// Runs the fleet to its end, or to Ctrl-C or SIGTERM, and reports. Makes a tokio runtime of its own: not to be called
/// inside of one.
///
/// # Errors
/// [`Error`]: the run did not take place, or its report could not be written.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    let fleet = Fleet::new(args.config()?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut line = Line::new(args.quiet);
    let mut report = runtime.block_on(async {
        let interrupted = interrupted()?;
        let report = fleet.run(|progress| line.show(progress), interrupted).await;
        Ok::<_, Error>(report)
    })?;
    line.clear();
    let passed = report.judge(&args.fail_if);
    let json_to_stdout = args.json.as_deref() == Some(Path::new("-"));
    if let Some(path) = args.json.as_deref().filter(|_| !json_to_stdout) {
        write(path, &report.to_json())?;
    }
    if let Some(path) = &args.html {
        write(path, &report.to_html())?;
    }
    print(&if json_to_stdout { report.to_json() } else { report.to_text() })?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Completes when somebody wants the run to end.
fn interrupted() -> Result<impl Future<Output = ()>, Error> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            // An error: there will be no signal. The run then ends when it is over.
            ended = tokio::signal::ctrl_c() => if ended.is_err() { std::future::pending().await },
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let mut file = AtomicFile::create(path)?;
    file.write_bytes(text.as_bytes())?;
    Ok(file.commit()?)
}

/// To stdout. A reader that has seen enough and left (`| head`) is no error.
fn print(text: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: Args,
    }

    fn config(arguments: &[&str]) -> Result<Config, String> {
        let program = Program::try_parse_from([&["fleet"], arguments].concat()).map_err(|error| error.to_string())?;
        program.args.config().map_err(|error| error.to_string())
    }

    #[test]
    fn the_arguments_are_consistent() {
        Program::command().debug_assert();
    }

    #[test]
    fn arguments_describe_a_fleet() {
        let config = config(&[
            "-n",
            "200",
            "-d",
            "1.5m",
            "--talk",
            "auto",
            "--kind",
            "improved",
            "--dialect",
            "per-device",
            "--loss",
            "2%",
            "--jitter",
            "30",
            "--burst",
            "3",
            "--hostile",
            "spoof",
            "--hostile",
            "unknown-ids:7",
            "--rebind",
            "10s",
        ])
        .unwrap();
        assert_eq!((config.devices, config.duration), (200, Duration::from_secs(90)));
        assert_eq!((config.kind, config.dialect), (Kind::Improved, Dialect::PerDevice));
        assert_eq!(config.pattern, Pattern::Calls(ListenMode::Auto));
        let way =
            Impairment { loss: 0.02, burst: Some(3.0), jitter: Duration::from_millis(30), ..Impairment::default() };
        assert_eq!((config.uplink, config.downlink), (way, way));
        assert_eq!(config.hostile.len(), 2);
        assert_eq!(config.hostile[1].rate, 7);
        assert_eq!(config.rebind, Some(Duration::from_secs(10)));
    }

    #[test]
    fn wrong_arguments_are_told() {
        for (arguments, expected) in [
            (&["--kind", "new"][..], "give firmware, firmware-2025, improved"),
            (&["--fail-if", "p98>1ms"], "there are p50, p95"),
            (&["--loss", "101"], "0 to 100 percent"),
            (&["--duration", "5 parsecs"], "units are ms, s, m and h"),
            (&["--hostile", "nuke"], "there are wrong-key"),
            (&["--key-file", "/nowhere/key"], "/nowhere/key"),
            (&["--idle", "--talk", "auto"], "cannot be used with"),
        ] {
            let error = config(arguments).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_key_file_may_end_with_a_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "secret\n").unwrap();
        let config = config(&["--key-file", file.path().to_str().unwrap()]).unwrap();
        let expected = SignatureKey::new(b"secret").unwrap();
        assert_eq!(*config.signature_key.unwrap().password("a", "b"), *expected.password("a", "b"));
    }
}
