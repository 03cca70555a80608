//! A program that codes beside us, for benchmarks of codecs that are not in Rust: it is asked for one pass after the
//! other, so that its variants take turns with ours. A line of JSON each way; `web/bench/turns.mjs` is the other end.

use crate::speech::Speech;
use crate::turns::Variant;
use crate::{Report, folder, take_turns, write_bytes};
use anyhow::{Context, bail};
use serde_json::{Value, json};
use sidetone_opus::{
    Application, Bitrate, Channels, Complexity, Decoder, Encoder, FrameDuration, MAX_PACKET, SampleRate, Split,
};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that an answer may take: a pass takes a second, a call some ten.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long it may take to end.
const FAREWELL: Duration = Duration::from_secs(20);

const BITRATE: Bitrate = Bitrate::BitsPerSecond(24_000);

/// What the report calls the variants of the other program.
const NAMES: [&str; 6] = ["sidetone", "@evan/opus", "opusscript", "libopus-wasm", "@discordjs/opus", "WebCodecs"];

/// The program.
struct Beside {
    child: Child,
    /// Closed when there is nothing more to be asked.
    stdin: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Beside {
    fn start(script: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("node");
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("Node.js cannot be started: install it from https://nodejs.org")?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("no way from the program")?;
        let (sender, answers) = sync_channel(1);
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, stdin, answers })
    }

    fn ask(&mut self, question: &Value) -> anyhow::Result<Value> {
        let stdin = self.stdin.as_mut().context("no way to the program beside us")?;
        writeln!(stdin, "{question}").context("the program beside us has ended")?;
        let line = self.answers.recv_timeout(PATIENCE);
        let line = line.with_context(|| format!("the program beside us has not answered {question}"))?;
        let answer: Value = serde_json::from_str(&line).with_context(|| format!("no JSON: {line}"))?;
        match answer["error"].as_str() {
            Some(error) => bail!("the program beside us: {error}"),
            None => Ok(answer),
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Asked nothing more it ends by itself, and what it has started with it.
        self.stdin = None;
        let patience = Instant::now() + FAREWELL;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > patience {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

struct Case {
    name: &'static str,
    encode: bool,
    rate: SampleRate,
    frame: FrameDuration,
    complexity: u8,
}

const fn case(name: &'static str, encode: bool, rate: SampleRate, frame: FrameDuration, complexity: u8) -> Case {
    Case { name, encode, rate, frame, complexity }
}

const CASES: [Case; 6] = [
    case("enc24_60_c10", true, SampleRate::Hz24000, FrameDuration::Ms60, 10),
    case("enc24_60_c5", true, SampleRate::Hz24000, FrameDuration::Ms60, 5),
    case("enc24_60_c0", true, SampleRate::Hz24000, FrameDuration::Ms60, 0),
    case("enc16_20_c5", true, SampleRate::Hz16000, FrameDuration::Ms20, 5),
    case("dec16_60", false, SampleRate::Hz16000, FrameDuration::Ms60, 5),
    case("dec24_60", false, SampleRate::Hz24000, FrameDuration::Ms60, 5),
];

/// Measures every case, natively and in the program of `script` (in `web/bench`), in turns; then the figures that the
/// program has; and writes the report `name`.
///
/// # Errors
/// Where the program fails, or a file cannot be written.
pub fn run(name: &'static str, script: &str, passes: usize) -> anyhow::Result<()> {
    let speech = Speech::load()?;
    println!("speech: {}; VOIP, 24 kbit/s, mono; {passes} passes in turns\n", speech.source);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/bench").join(script);
    let beside = RefCell::new(Beside::start(&script)?);
    let mut report = Report::new(name);
    for case in &CASES {
        let pcm = speech.frames(case.rate.hz(), case.frame.samples(case.rate))?;
        let packets = if case.encode { Vec::new() } else { packets(case, &pcm)? };
        let input = write_input(name, case, &pcm, &packets)?;
        let answer = beside.borrow_mut().ask(&json!({
            "ask": "case",
            "act": if case.encode { "encode" } else { "decode" },
            "rate": case.rate.hz(),
            "frame": case.frame.samples(case.rate),
            "complexity": case.complexity,
            "input": input,
        }))?;
        let there: Vec<&str> = answer["variants"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut variants = vec![if case.encode { encoder(case, &pcm)? } else { decoder(case, &packets)? }];
        for name in NAMES.into_iter().filter(|name| there.contains(name)) {
            let beside = &beside;
            variants.push(Variant::timed(name, move || {
                let answer = beside.borrow_mut().ask(&json!({"ask": "pass", "variant": name}))?;
                answer["micros"].as_f64().context("no time of the pass")
            }));
        }
        report.case(case.name, &take_turns(variants, passes)?);
    }
    let answer = beside.borrow_mut().ask(&json!({"ask": "figures"}))?;
    for (name, value) in answer["figures"].as_object().into_iter().flatten() {
        // A handful, for as long as the program runs: the report's names are static.
        report.figure(name.clone().leak(), value.as_f64().with_context(|| format!("{name} is no number"))?);
    }
    report.finish()
}

fn native(case: &Case) -> anyhow::Result<Encoder> {
    let mut encoder = Encoder::new(case.rate, Channels::Mono, Application::Voip)?;
    encoder.set_bitrate(BITRATE)?;
    encoder.set_complexity(Complexity::try_from(u32::from(case.complexity))?)?;
    encoder.set_split(Split::Never);
    Ok(encoder)
}

fn encoder<'a>(case: &Case, pcm: &'a [i16]) -> anyhow::Result<Variant<'a>> {
    let (mut encoder, mut out) = (native(case)?, vec![0; MAX_PACKET]);
    let frame = case.frame.samples(case.rate);
    Ok(Variant::new("native", move || {
        for frame in pcm.chunks_exact(frame) {
            encoder.encode(frame, &mut out)?;
        }
        Ok((pcm.len() / frame) as u32)
    }))
}

fn decoder<'a>(case: &Case, packets: &'a [Vec<u8>]) -> anyhow::Result<Variant<'a>> {
    let mut decoder = Decoder::new(case.rate, Channels::Mono)?;
    let mut pcm = vec![0; case.frame.samples(case.rate)];
    Ok(Variant::new("native", move || {
        for packet in packets {
            decoder.decode(packet, &mut pcm)?;
        }
        Ok(packets.len() as u32)
    }))
}

/// Packets as devices make them: one call of libopus a packet.
fn packets(case: &Case, pcm: &[i16]) -> anyhow::Result<Vec<Vec<u8>>> {
    let (mut encoder, mut out) = (native(case)?, vec![0; MAX_PACKET]);
    let encode = |frame| Ok(encoder.encode(frame, &mut out).map(|len| out[..len].to_vec())?);
    pcm.chunks_exact(case.frame.samples(case.rate)).map(encode).collect()
}

/// The file that the other program reads: samples, or packets with their lengths before them.
fn write_input(name: &str, case: &Case, pcm: &[i16], packets: &[Vec<u8>]) -> anyhow::Result<PathBuf> {
    let mut data: Vec<u8> = Vec::new();
    if case.encode {
        data.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
    }
    for packet in packets {
        data.extend(u16::try_from(packet.len())?.to_le_bytes());
        data.extend(packet);
    }
    let path = std::path::absolute(folder().join(format!("{name}.input")))?;
    write_bytes(&path, &data)?;
    Ok(path)
}
