//! What `tests/instruction_counts.rs` runs under callgrind: `native_counts WHAT` does it a thousand times, in a function
//! whose name callgrind is told.

use sidetone_opus::packet::Packet;
use sidetone_packet::{Direction, HEADER_LEN, Opener, OpenerConfig, Sealer};
use sidetone_protocol::message::DeviceMessage;
use std::hint::black_box;

const ROUNDS: u32 = 1000;
const KEY: [u8; 16] = [7; 16];
const PAYLOAD: [u8; 200] = [0x58; 200];

/// As the firmware says it.
const HELLO: &str = r#"{"type":"hello","version":3,"transport":"udp","features":{"mcp":true},"audio_params":{"format":"opus","sample_rate":16000,"channels":1,"frame_duration":60}}"#;

/// The one name that callgrind collects under, for all there is to do.
#[inline(never)]
fn counted_by_callgrind(mut round: impl FnMut()) {
    for _ in 0..ROUNDS {
        round();
    }
}

fn main() {
    let what = std::env::args().nth(1).unwrap_or_default();
    let mut sealer = Sealer::new(&KEY, 1, Direction::Uplink);
    let mut packet = [0; HEADER_LEN + PAYLOAD.len()];
    match what.as_str() {
        "seal" => counted_by_callgrind(|| {
            sealer.seal(0, black_box(&PAYLOAD), &mut packet).expect("it seals");
        }),
        "open" => {
            let mut datagrams = Vec::new();
            for _ in 0..ROUNDS {
                sealer.seal(0, &PAYLOAD, &mut packet).expect("it seals");
                datagrams.push(packet);
            }
            let mut opener = Opener::new(&KEY, 1, Direction::Uplink, OpenerConfig::default());
            let (mut datagrams, mut plain) = (datagrams.iter(), [0; PAYLOAD.len()]);
            counted_by_callgrind(|| {
                let datagram = datagrams.next().expect("one a round");
                let candidate = opener.open(black_box(datagram), &mut plain).expect("it opens");
                opener.accept(candidate).expect("it is new");
            });
        }
        "parse" => counted_by_callgrind(|| {
            let packet = Packet::parse(black_box(&PAYLOAD)).expect("it parses");
            black_box(packet.duration_micros());
        }),
        "hello" => counted_by_callgrind(|| {
            black_box(DeviceMessage::parse(black_box(HELLO.as_bytes())).expect("it parses"));
        }),
        _ => {
            eprintln!("there is no `{what}`; there are: seal, open, parse, hello");
            std::process::exit(2);
        }
    }
}
