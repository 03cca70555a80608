//! Instructions that the guest and the native parts take, against what the repository keeps: they tell a slower program
//! from a slower machine.

use sidetone_tests::core_module::{Core, Record, int};
use sidetone_tests::counts::{Counts, check};
use sidetone_tests::datagrams::{CONNECTION, KEY, uplink};
use sidetone_tests::speech;
use std::process::Command;

/// A codec's resource from `function` of the interface.
fn open(core: &mut Core, function: &str, arguments: &[u32]) -> u32 {
    let arguments: Vec<_> = arguments.iter().map(|&argument| int(argument)).collect();
    let returned = core.call_in("codec", function, &arguments).expect("no trap");
    let resource = core.u32_at(returned.address, 4);
    assert_eq!(core.u32_at(returned.address, 0) & 0xff, 0, "{function} gave an error");
    core.free(returned);
    resource
}

/// An encoder as the benchmarks have it: VOIP, mono, 24 kbit/s.
fn encoder(core: &mut Core, rate: u32, complexity: u32) -> u32 {
    const BITS_PER_SECOND: u32 = 2;
    const FULL_BAND: u32 = 4;
    let config = [rate, 1, 0, BITS_PER_SECOND, 24_000, complexity, 1, 0, 0, 0, FULL_BAND, 0, 0];
    open(core, "[static]encoder.open", &config)
}

/// Calls `method` with each list, and returns what it gave, and the instructions of one call in the mean.
fn each(core: &mut Core, method: &str, resource: u32, lists: &[Vec<u8>], alignment: u32) -> (Vec<Vec<u8>>, u64) {
    let (mut given, mut instructions) = (Vec::new(), 0);
    for list in lists {
        let address = core.put(list, alignment);
        let length = list.len() as u32 / alignment;
        let before = core.fuel();
        let returned = core.call_in("codec", method, &[int(resource), int(address), int(length)]).expect("no trap");
        instructions += before - core.fuel();
        assert_eq!(core.u32_at(returned.address, 0) & 0xff, 0, "{method} gave an error");
        given.push(core.list_at(returned.address, 4).to_vec());
        core.free(returned);
    }
    (given, instructions / lists.len() as u64)
}

fn frames(rate: u32, millis: u32) -> Vec<Vec<u8>> {
    let pcm = speech::clip(rate);
    let frames = pcm.chunks_exact((rate * millis / 1000) as usize);
    frames.map(|frame| frame.iter().flat_map(|sample| sample.to_le_bytes()).collect()).collect()
}

fn codec() -> Counts {
    let mut counts = Counts::new();
    let mut packets = Vec::new();
    for (name, decode, rate, millis, complexity) in [
        ("encode 24 kHz 60 ms, complexity 10", None, 24_000, 60, 10),
        ("encode 24 kHz 60 ms, complexity 0", None, 24_000, 60, 0),
        ("encode 24 kHz 60 ms, complexity 5", Some("decode 24 kHz 60 ms"), 24_000, 60, 5),
        ("encode 16 kHz 20 ms, complexity 5", Some("decode 16 kHz 20 ms"), 16_000, 20, 5),
    ] {
        let mut core = Core::new();
        let encoder = encoder(&mut core, rate, complexity);
        let (made, instructions) = each(&mut core, "[method]encoder.encode", encoder, &frames(rate, millis), 2);
        counts.push((name, instructions));
        if let Some(decode) = decode {
            packets.push((decode, rate, made));
        }
    }
    for (name, rate, packets) in packets {
        let mut core = Core::new();
        let decoder = open(&mut core, "[static]decoder.open", &[rate, 1]);
        counts.push((name, each(&mut core, "[method]decoder.decode", decoder, &packets, 1).1));
    }
    counts
}

/// Opening a session, and a datagram of the shortest packet to it.
fn session() -> Counts {
    let mut core = Core::new();
    let config = core.put(&Record::gateway(&KEY, CONNECTION).0, 8);
    let before = core.fuel();
    let returned = core.call_in("session", "[static]stream.open", &[int(config)]).expect("no trap");
    let opened = before - core.fuel();
    let stream = core.u32_at(returned.address, 4);
    core.free(returned);
    let datagram = uplink(1, sidetone_tests::datagrams::DTX);
    let address = core.put(&datagram, 1);
    let before = core.fuel();
    let list = [int(stream), int(address), int(datagram.len() as u32)];
    let returned = core.call_in("session", "[method]stream.receive", &list).expect("no trap");
    let received = before - core.fuel();
    core.free(returned);
    vec![("open a session", opened), ("receive a packet that was not sent (DTX)", received)]
}

#[test]
fn the_component_takes_no_more_instructions_than_it_took() {
    let compilers = sidetone_artifact::COMPILERS;
    assert!(compilers.starts_with("clang ") && compilers.contains(", rustc "), "made by: {compilers}");
    let counts = [codec(), session()].concat();
    check("instructions.json", compilers, &counts);
}

/// Instructions of one round of what `native_counts` does; `None` where there is no valgrind.
fn callgrind(what: &str) -> Option<u64> {
    const ROUNDS: u64 = 1000;
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .args(["--toggle-collect=*counted_by_callgrind*", env!("CARGO_BIN_EXE_native_counts"), what])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "valgrind: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse::<u64>().ok());
    Some(collected.unwrap_or_else(|| panic!("valgrind collected nothing: {said}")) / ROUNDS)
}

#[test]
fn the_native_parts_take_no_more_instructions_than_they_took() {
    let mut counts = Counts::new();
    for (name, what) in [
        ("seal 200 bytes", "seal"),
        ("open 200 bytes", "open"),
        ("look into an Opus packet", "parse"),
        ("read a hello", "hello"),
    ] {
        let Some(instructions) = callgrind(what) else {
            println!("skipped: instructions of the native parts, for there is no valgrind: `cargo xtask setup`");
            return;
        };
        assert!(instructions > 10, "{name}: {instructions} instructions are none");
        counts.push((name, instructions));
    }
    check("instructions-native.json", &native_compiler(), &counts);
}

fn native_compiler() -> String {
    let said = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let field = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("unknown").to_owned();
    format!("rustc {}, {}", field("release: "), field("host: "))
}
