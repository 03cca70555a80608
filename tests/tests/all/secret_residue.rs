//! What a session leaves in the memory of its instance: nothing of the key, of what was said, or of what was heard.
//!
//! A key schedule is kept in a form of its own ("fixsliced"), so looking for known bytes would prove little. Instead two
//! instances go through the same calls, which differ in nothing but the key: whatever differs in their memories comes
//! from the key. While a session is open that must be something, or the test could not fail; afterwards, nothing.

use sidetone_opus::{Application, Channels, Encoder, MAX_PACKET, SampleRate};
use sidetone_packet::{Direction, HEADER_LEN, Header, Sealer};
use sidetone_tests::core_module::{Core, Record, int};
use sidetone_tests::datagrams::{CONNECTION, sealed};
use sidetone_tests::residue::{KEYS, assert_keyless, differences, memories, pieces, remains, traces};
use sidetone_tests::speech;

/// The stack lies first; static data follow.
const STACK: usize = 512 << 10;

/// Opens a session as a host does. `Err` where it is refused.
fn open(core: &mut Core, config: &Record) -> Result<u32, u8> {
    let arguments = core.put(&config.0, 8);
    let returned = core.call_in("session", "[static]stream.open", &[int(arguments)]).unwrap();
    let refused = core.memory()[returned.address as usize];
    let stream = core.u32_at(returned.address, 4);
    core.free(returned);
    if refused == 0 { Ok(stream) } else { Err(refused) }
}

fn open_gateway(core: &mut Core, key: &[u8; 16]) -> u32 {
    open(core, &Record::gateway(key, CONNECTION)).unwrap()
}

fn close(core: &mut Core, stream: u32) {
    core.call_in("session", "[dtor]stream", &[int(stream)]).unwrap();
}

/// What a call is about.
struct Call {
    /// What the device says, encoded.
    uplink: Vec<Vec<u8>>,
    /// What the gateway says, at 24 kHz.
    downlink: Vec<i16>,
}

/// What came out of a call.
#[derive(Default)]
struct Outcome {
    /// PCM of the last datagram, as bytes.
    heard: Vec<u8>,
    /// The datagrams sent.
    sent: Vec<u8>,
}

fn call() -> Call {
    let mut encoder = Encoder::new(SampleRate::Hz16000, Channels::Mono, Application::Voip).unwrap();
    let mut packet = [0; MAX_PACKET];
    let mut encode = |frame: &[i16]| {
        let len = encoder.encode(frame, &mut packet).unwrap();
        packet[..len].to_vec()
    };
    let uplink = speech::clip(16_000).chunks_exact(960).map(&mut encode).collect();
    Call { uplink, downlink: speech::clip(24_000) }
}

/// A call of some seconds, both ways, with a loss, replays and a forgery in it.
fn talk(core: &mut Core, stream: u32, key: &[u8; 16], call: &Call) -> Outcome {
    let mut outcome = Outcome::default();
    let mut sealer = Sealer::new(key, CONNECTION, Direction::Uplink);
    for (index, payload) in call.uplink.iter().enumerate() {
        let mut datagram = vec![0; HEADER_LEN + payload.len()];
        sealer.seal(0, payload, &mut datagram).unwrap();
        if index != 7 {
            outcome.heard = receive(core, stream, &datagram).unwrap();
            assert_eq!(receive(core, stream, &datagram), None, "a replay");
        }
    }
    let header = Header { connection_id: CONNECTION, sequence: 400, ..Header::default() };
    assert_eq!(receive(core, stream, &sealed(key, &header, &[0x5B, 0, 1, 2, 3])), None, "a forgery");

    for pcm in call.downlink.chunks(1000) {
        let at = core.put_samples(pcm);
        let arguments = [stream, at, pcm.len() as u32, 0].map(int);
        let returned = core.call_in("session", "[method]stream.send", &arguments).unwrap();
        let (list, len) = (core.u32_at(returned.address, 4), core.u32_at(returned.address, 8));
        (0..len).for_each(|index| outcome.sent.extend(core.list_at(list, 8 * index)));
        core.free(returned);
    }
    for function in ["stats", "state", "undecodable"] {
        let returned = core.call_in("session", &format!("[method]stream.{function}"), &[int(stream)]).unwrap();
        core.free(returned);
    }
    outcome
}

/// The PCM of a datagram, as bytes; `None` where it is dropped.
fn receive(core: &mut Core, stream: u32, datagram: &[u8]) -> Option<Vec<u8>> {
    let at = core.put(datagram, 1);
    let arguments = [stream, at, datagram.len() as u32].map(int);
    let returned = core.call_in("session", "[method]stream.receive", &arguments).unwrap();
    let taken = core.memory()[returned.address as usize] == 0;
    let pcm = taken.then(|| {
        let (start, samples) = (core.u32_at(returned.address, 48), core.u32_at(returned.address, 52));
        core.memory()[start as usize..][..2 * samples as usize].to_vec()
    });
    core.free(returned);
    pcm
}

#[test]
fn an_open_session_holds_two_key_schedules_and_never_the_key_itself() {
    let call = call();
    let opened = |core: &mut Core, key: &[u8; 16]| {
        open_gateway(core, key);
    };
    let talked = |core: &mut Core, key: &[u8; 16]| {
        let stream = open_gateway(core, key);
        talk(core, stream, key, &call);
    };
    for (when, memories) in [("opened", memories(opened)), ("after a call", memories(talked))] {
        let found = differences(&memories[0], &memories[1]);
        let schedules = found.iter().filter(|(start, len)| *start > STACK && (160..=176).contains(len)).count();
        assert_eq!(schedules, 2, "{when}: one for each direction, of eleven round keys, in {found:x?}");
        assert_eq!(traces(&memories[0], &KEYS[0]), [], "{when}");
    }
}

#[test]
fn a_closed_session_leaves_nothing_of_its_key() {
    let call = call();
    let unused = |core: &mut Core, key: &[u8; 16]| {
        let stream = open_gateway(core, key);
        close(core, stream);
    };
    assert_keyless(&memories(unused), "opened and closed");
    let talked = |core: &mut Core, key: &[u8; 16]| {
        let stream = open_gateway(core, key);
        talk(core, stream, key, &call);
        close(core, stream);
    };
    assert_keyless(&memories(talked), "after a call");
    let twice = |core: &mut Core, key: &[u8; 16]| {
        let streams = [open_gateway(core, key), open_gateway(core, key)];
        talk(core, streams[1], key, &call);
        streams.into_iter().for_each(|stream| close(core, stream));
    };
    assert_keyless(&memories(twice), "two sessions in one instance");
}

#[test]
fn a_session_that_does_not_open_leaves_nothing_of_its_key() {
    let refused = |core: &mut Core, key: &[u8; 16]| {
        let mut config = Record::gateway(key, CONNECTION);
        // The rate of the outgoing PCM, the last thing that is looked at.
        let at = config.0.windows(4).rposition(|bytes| bytes == 24_000u32.to_le_bytes()).unwrap();
        config.0[at..at + 4].copy_from_slice(&44_100u32.to_le_bytes());
        assert_eq!(open(core, &config), Err(1));
    };
    assert_keyless(&memories(refused), "refused");
}

#[test]
fn a_closed_session_leaves_nothing_that_was_said_or_heard() {
    let call = call();
    let mut core = Core::new();
    let stream = open_gateway(&mut core, &KEYS[0]);
    let Outcome { heard, sent } = talk(&mut core, stream, &KEYS[0], &call);
    let said: Vec<u8> = call.downlink.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let payloads = call.uplink.concat();
    let secrets = [("said", said), ("heard", heard), ("received, encoded", payloads), ("sent", sent)];
    for (what, secret) in &secrets {
        assert_ne!(pieces(core.memory(), secret), [], "{what}: this search finds what is there");
    }
    assert_ne!(remains(&core.memory()[..STACK]), []);
    close(&mut core, stream);
    for (what, secret) in &secrets {
        assert_eq!(pieces(core.memory(), secret), [], "{what}");
    }
    assert_eq!(remains(&core.memory()[..STACK]), [], "the whole stack is wiped");
}

#[test]
fn a_dropped_codec_leaves_no_voice() {
    // Hz, channels, ms, split: the last goes deepest into the stack.
    for [rate, channels, ms, split] in
        [[24_000, 1, 60, 0], [48_000, 2, 20, 0], [48_000, 2, 120, 2], [48_000, 2, 120, 1]]
    {
        let mut core = Core::new();
        let pcm: Vec<i16> =
            speech::clip(rate).into_iter().flat_map(|s| std::iter::repeat_n(s, channels as usize)).collect();
        let opened = |core: &mut Core, resource: &str, arguments: &[u32]| {
            let arguments: Vec<_> = arguments.iter().map(|&argument| int(argument)).collect();
            let returned = core.call_in("codec", &format!("[static]{resource}.open"), &arguments).unwrap();
            assert_eq!(core.memory()[returned.address as usize], 0, "{resource} opens");
            core.u32_at(returned.address, 4)
        };
        let config = [rate, channels, 0, 2, 24_000 * channels, 10, 1, 0, 0, 0, 4, 0, split];
        let encoder = opened(&mut core, "encoder", &config);
        let decoder = opened(&mut core, "decoder", &[rate, channels]);
        for frame in pcm.chunks_exact((rate / 1000 * ms * channels) as usize).take(20) {
            let at = core.put_samples(frame);
            let encoded = core.call_in("codec", "[method]encoder.encode", &[encoder, at, frame.len() as u32].map(int));
            let encoded = encoded.unwrap();
            let packet = core.list_at(encoded.address, 4).to_vec();
            core.free(encoded);
            let at = core.put(&packet, 1);
            let decoded = core.call_in("codec", "[method]decoder.decode", &[decoder, at, packet.len() as u32].map(int));
            core.free(decoded.unwrap());
        }
        core.call_in("codec", "[dtor]encoder", &[int(encoder)]).unwrap();
        core.call_in("codec", "[dtor]decoder", &[int(decoder)]).unwrap();
        let said: Vec<u8> = pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert_eq!(pieces(core.memory(), &said), [], "{rate} Hz, {channels} channels, {ms} ms");
        assert_eq!(remains(&core.memory()[..STACK]), [], "{rate} Hz, {channels} channels, {ms} ms");
    }
}
