//! `cargo xtask bench codec`: the codec and the packet crypto, native, in the component, and there with a deadline.

mod cases;
mod deadline;

use anyhow::Result;
use cases::{Case, DECODE, ENCODE, ENCODE_CLIP, MONO, guest_decoder, guest_encoder, native_encoder, packets};
use sidetone_bench::machine::resident_kib;
use sidetone_bench::speech::Speech;
use sidetone_bench::{Report, Variant, options, take_turns};
use sidetone_host::{Component, Engine, EngineConfig, Key};
use sidetone_opus::{FrameDuration, MAX_PACKET, SampleRate, Split};
use sidetone_packet::{Direction, HEADER_LEN, KeySchedule, OpenerConfig};
use sidetone_session::Config;
use std::time::Instant;

const KEY: [u8; 16] = [7; 16];

const ABOUT: &str = "Microseconds of CPU a frame, of the codec and the packet crypto: native, in the component, and there with a \
deadline armed.";

fn main() -> Result<()> {
    let passes = options::passes("codec", ABOUT, "15");
    let speech = Speech::load()?;
    println!("speech: {}, or the project's clip where it says so", speech.source);
    println!("VOIP, 24 kbit/s, mono; {passes} passes in turns\n");
    let free = compile(false)?;
    let armed = compile(true)?;

    let mut report = Report::new("codec");
    let clip = Speech::clip()?;
    for (case, speech) in ENCODE.iter().map(|case| (case, &speech)).chain(ENCODE_CLIP.iter().map(|case| (case, &clip)))
    {
        let pcm = speech.frames(case.rate.hz(), case.frame.samples(case.rate))?;
        report.case(case.name, &take_turns(encoders(case, &pcm, &free, &armed)?, passes)?);
    }
    for case in &DECODE {
        let pcm = speech.frames(case.rate.hz(), case.frame.samples(case.rate))?;
        let packets = packets(case, &pcm)?;
        report.case(case.name, &take_turns(decoders(case, &packets, &free, &armed)?, passes)?);
    }
    deadline::alone(&mut report, &speech, &free, &armed, passes)?;
    report.case("seal_open_200B", &take_turns(crypto(&free, &armed)?, passes)?);
    figures(&mut report, &armed)?;
    report.finish()
}

fn compile(deadlines: bool) -> Result<Component> {
    let engine = Engine::new(&EngineConfig { deadlines, instances: 300, ..EngineConfig::default() })?;
    Ok(engine.compile(sidetone_artifact::COMPONENT)?)
}

fn encoders<'a>(case: &'a Case, pcm: &'a [i16], free: &Component, armed: &Component) -> Result<Vec<Variant<'a>>> {
    let frame = case.frame.samples(case.rate);
    let native = |split| {
        let mut encoder = native_encoder(case, split)?;
        let mut out = vec![0; MAX_PACKET];
        anyhow::Ok(move || {
            for frame in pcm.chunks_exact(frame) {
                encoder.encode(frame, &mut out)?;
            }
            Ok((pcm.len() / frame) as u32)
        })
    };
    let mut variants = vec![Variant::new("native", native(Split::Never)?)];
    if case.frame > FrameDuration::Ms20 {
        variants.push(Variant::new("native_split", native(Split::Auto)?));
    }
    variants.push(Variant::new("component", guest_encoder(case, pcm, free)?));
    variants.push(Variant::new("component_deadline", guest_encoder(case, pcm, armed)?));
    Ok(variants)
}

fn decoders<'a>(
    case: &'a Case,
    packets: &'a [Vec<u8>],
    free: &Component,
    armed: &Component,
) -> Result<Vec<Variant<'a>>> {
    let mut decoder = sidetone_opus::Decoder::new(case.rate, MONO)?;
    let mut pcm = vec![0; case.frame.samples(case.rate)];
    let native = move || {
        for packet in packets {
            decoder.decode(packet, &mut pcm)?;
        }
        Ok(packets.len() as u32)
    };
    Ok(vec![
        Variant::new("native", native),
        Variant::new("component", guest_decoder(case, packets, free)?),
        Variant::new("component_deadline", guest_decoder(case, packets, armed)?),
    ])
}

/// Seals and opens a packet of 200 bytes, `ROUNDS` times.
fn crypto(free: &Component, armed: &Component) -> Result<Vec<Variant<'static>>> {
    const ROUNDS: u32 = 500;
    let payload = [0x58; 200];
    let mut sealer = sidetone_packet::Sealer::new(&KEY, 1, Direction::Downlink);
    let mut opener = sidetone_packet::Opener::new(&KEY, 1, Direction::Downlink, OpenerConfig::default());
    let kept = move || {
        let (mut packet, mut plain) = ([0; HEADER_LEN + 200], [0; 200]);
        for _ in 0..ROUNDS {
            sealer.seal(0, &payload, &mut packet)?;
            let candidate = opener.open(&packet, &mut plain)?;
            opener.accept(candidate)?;
        }
        Ok(ROUNDS)
    };
    let rebuilt = move || {
        let (mut packet, mut plain) = ([0; HEADER_LEN + 200], [0; 200]);
        let nonce = sidetone_packet::Header { flags: 1, payload_len: 200, connection_id: 1, timestamp: 0, sequence: 0 };
        for sequence in 0..ROUNDS {
            let header = sidetone_packet::Header { sequence, ..nonce };
            sidetone_packet::seal_with(&KeySchedule::new(&KEY), &header, &payload, &mut packet)?;
            sidetone_packet::open_with(&KeySchedule::new(&KEY), &packet, &mut plain)?;
        }
        Ok(ROUNDS)
    };
    let guest = |component: &Component| {
        let key = Key::new(KEY);
        let mut sealer = sidetone_host::Sealer::open(component.instantiate()?, &key, 1, Direction::Downlink)?;
        let mut opener = sidetone_host::Opener::open(component.instantiate()?, &key, 1, Direction::Downlink)?;
        anyhow::Ok(move || {
            for _ in 0..ROUNDS {
                let candidate = opener.decrypt(&sealer.seal(0, &payload)?)?;
                opener.accept(candidate.header.sequence)?;
            }
            Ok(ROUNDS)
        })
    };
    Ok(vec![
        Variant::new("native", kept),
        Variant::new("native_rebuilt", rebuilt),
        Variant::new("component", guest(free)?),
        Variant::new("component_deadline", guest(armed)?),
    ])
}

fn figures(report: &mut Report, armed: &Component) -> Result<()> {
    let mut decoder = sidetone_host::Decoder::open(armed.instantiate()?, SampleRate::Hz16000, MONO)?;
    let call = Variant::new("call", || {
        for _ in 0..10_000 {
            decoder.final_range()?;
        }
        Ok(10_000)
    });
    let instantiate = Variant::new("instantiate", || {
        for _ in 0..200 {
            armed.instantiate()?;
        }
        Ok(200)
    });
    let key = Key::new(KEY);
    let open = Variant::new("open", || {
        for _ in 0..200 {
            armed.open(&key, &Config::gateway(1))?;
        }
        Ok(200)
    });
    let measured = take_turns(vec![call, instantiate, open], 15)?;
    report.figure("call_ns", measured[0].min() * 1000.0);
    report.figure("instantiate_us", measured[1].min());
    report.figure("open_session_us", measured[2].min());
    if let Some(kib) = resident_a_session(armed)? {
        report.figure("rss_session_kib", kib);
    }
    Ok(())
}

/// Resident memory a session costs after it has been used in both directions.
fn resident_a_session(component: &Component) -> Result<Option<f64>> {
    const SESSIONS: usize = 200;
    let key = Key::new(KEY);
    let Some(before) = resident_kib() else { return Ok(None) };
    let start = Instant::now();
    let mut sessions = Vec::with_capacity(SESSIONS);
    for _ in 0..SESSIONS {
        let mut device = component.open(&key, &Config::device(1))?;
        let mut gateway = component.open(&key, &Config::gateway(1))?;
        for datagram in device.send(&[0; 960 * 3], 0)? {
            gateway.receive(&datagram)?;
        }
        gateway.send(&[0; 1440 * 3], 0)?;
        sessions.push(gateway);
    }
    let after = resident_kib().unwrap_or(before);
    eprintln!("opened and used {SESSIONS} sessions in {:.1?}", start.elapsed());
    Ok(Some(after.saturating_sub(before) as f64 / SESSIONS as f64))
}
