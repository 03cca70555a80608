//! The gateway, as a process of its own: it tells where it listens, and then, for every line it is sent, its counts.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sidetone_gateway::bridge::{Bridge, BridgeError, Call, Echo, Form, Heard, Leg, Speech, ToBackEnd, leg};
use sidetone_gateway::config::{Listen, QualityName};
use sidetone_gateway::{Config, Gateway};
use sidetone_opus::SampleRate;
use sidetone_protocol::message::{ListenMode, Tts};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What this program is called with to be the gateway.
pub(crate) const FLAG: &str = "--be-the-gateway";

/// Most calls it takes.
pub(crate) const CALLS: u32 = 4_000;
/// Most devices it takes.
const DEVICES: usize = 20_000;

/// A gateway in a process of its own. Dropped, it ends.
pub(crate) struct Served {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// Where it speaks MQTT.
    pub(crate) url: String,
}

impl Served {
    /// Starts one: `c0`, `c5`, `c10` or `passthrough`.
    pub(crate) fn start(kind: &str) -> Result<Self> {
        let program = std::env::current_exe().context("this program has no file")?;
        let mut child = Command::new(program)
            .args([FLAG, kind])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the gateway's process does not start")?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else { bail!("no pipes") };
        let mut served = Self { child, to, from: BufReader::new(from), url: String::new() };
        served.url = format!("mqtt://{}", served.line()?["mqtt"].as_str().context("it listens nowhere")?);
        Ok(served)
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.from.read_line(&mut line).context("the gateway is gone")?;
        serde_json::from_str(&line).with_context(|| format!("the gateway says {line:?}"))
    }

    /// Its counts.
    pub(crate) fn counts(&mut self) -> Result<Value> {
        writeln!(self.to).context("the gateway is gone")?;
        self.line()
    }

    /// Resident memory of its process, in KiB.
    pub(crate) fn resident(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the gateway.
pub(crate) fn serve(kind: &str) -> Result<()> {
    let quality = match kind {
        "c0" => QualityName::Minimal,
        "c5" => QualityName::Medium,
        "c10" | "passthrough" => QualityName::Full,
        _ => bail!("no gateway is called {kind:?}"),
    };
    let mut config = Config::default();
    (config.mqtt.listen, config.udp.listen) = (Listen::loopback(0), Listen::loopback(0));
    for off in [&mut config.web.listen, &mut config.web.transport_listen, &mut config.http.listen] {
        *off = Listen::OFF;
    }
    config.audio.quality = quality;
    (config.limits.calls, config.limits.devices, config.limits.hellos_per_second) = (CALLS, DEVICES, 10_000);
    let bridge: Box<dyn Bridge> = if kind == "passthrough" { Box::new(Loop) } else { Box::new(Echo) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let gateway = runtime.block_on(Gateway::start_with(config, bridge))?;
    let mqtt = gateway.addresses().mqtt.context("it listens")?;
    println!("{}", json!({"mqtt": mqtt.to_string()}));
    for line in std::io::stdin().lines() {
        line?;
        println!("{}", serde_json::to_string(&gateway.counts())?);
    }
    Ok(())
}

/// Gives each packet back as it is: what a speech server that takes the device's own Opus costs the gateway.
#[derive(Debug)]
struct Loop;

impl Bridge for Loop {
    fn name(&self) -> &'static str {
        "loop"
    }

    fn open(&self, _: &Call) -> Result<Leg, BridgeError> {
        let (call, end) = leg(Form::Packets, SampleRate::Hz24000);
        tokio::spawn(async move {
            while let Some(told) = end.receive().await {
                let speech = match told {
                    ToBackEnd::StartCapture(ListenMode::Realtime) => vec![Speech::Mark(Tts::Start), Speech::Live],
                    ToBackEnd::Audio(Heard::Packet { payload, .. }) => vec![Speech::Packet(payload)],
                    _ => continue,
                };
                for piece in speech {
                    if end.send(piece).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(call)
    }
}
