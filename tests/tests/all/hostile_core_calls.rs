//! Lies told to the core module, as whoever holds it in a browser can: they harm its own memory and end in a trap or a
//! value, and the next instance knows nothing of them.

use sidetone_tests::core_module::{Core, MEMORY, Record, Returned, int};
use sidetone_tests::datagrams::{CONNECTION, KEY};
use wasmtime::{Trap, Val};

/// Exports that take an address and a length after their first argument, or as their first.
const TAKERS: [(&str, &str); 5] = [
    ("session", "[method]stream.receive"),
    ("session", "[method]stream.send"),
    ("session", "[method]stream.send-payload"),
    ("codec", "parse"),
    ("packet", "open"),
];

fn opened() -> (Core, u32) {
    let mut core = Core::new();
    let arguments = core.put(&Record::gateway(&KEY, CONNECTION).0, 8);
    let returned = core.call_in("session", "[static]stream.open", &[int(arguments)]).unwrap();
    let stream = core.u32_at(returned.address, 4);
    core.free(returned);
    (core, stream)
}

fn arguments(function: &str, stream: u32, address: u32, len: u32) -> Vec<Val> {
    let list = [int(address), int(len)];
    match function {
        "parse" => list.to_vec(),
        "open" => [&[Val::I64(1), Val::I64(2)], &list[..]].concat(),
        "[method]stream.receive" => [&[int(stream)], &list[..]].concat(),
        _ => [&[int(stream)], &list[..], &[int(0)]].concat(),
    }
}

/// A trap of the guest's own, or nothing: never an error of the host, never without end.
fn assert_contained(result: wasmtime::Result<Returned>, core: &Core, what: &str) {
    if let Err(error) = result {
        let trap = error.downcast_ref::<Trap>();
        assert!(matches!(trap, Some(Trap::MemoryOutOfBounds | Trap::UnreachableCodeReached)), "{what}: {error:#}");
    }
    assert!(core.memory().len() <= MEMORY, "{what}");
}

#[test]
fn lists_that_are_not_there_end_in_a_trap_or_a_value() {
    let size = Core::new().memory().len() as u32;
    let lies = [
        (0, 0),
        (0, 1),
        (0, 17),
        (0, u32::MAX),
        (1, 64),
        (8, 0x7fff_ffff),
        (8, 0x8000_0000),
        (size - 1, 1),
        (size - 1, 100),
        (size, 1),
        (size + 65_536, 4096),
        (0xffff_ffff, 1),
        (0xffff_fff0, 16),
        (0xffff_fff0, 0xffff_fff0),
        (size / 2, size),
    ];
    let mut traps = 0;
    for (interface, function) in TAKERS {
        for (address, len) in lies {
            let (mut core, stream) = opened();
            let result = core.call_in(interface, function, &arguments(function, stream, address, len));
            traps += u32::from(result.is_err());
            assert_contained(result, &core, &format!("{function} of {len} at {address:#x}"));
        }
    }
    assert!(traps > 20, "most lies reach beyond memory: {traps}");
}

#[test]
fn handles_that_are_none_end_in_a_trap_or_a_value() {
    for (interface, function) in &TAKERS[..3] {
        for handle in [0, 1, 4, 0x8000, 0x8_0000, 0x9_0000, 0xffff_fffc, u32::MAX] {
            let (mut core, _) = opened();
            let at = core.put(&[0x58; 64], 8);
            let result = core.call_in(interface, function, &arguments(function, handle, at, 32));
            assert_contained(result, &core, &format!("{function} on {handle:#x}"));
            let (mut core, _) = opened();
            let result = core.call_in("session", "[dtor]stream", &[int(handle)]);
            assert_contained(result, &core, &format!("closing {handle:#x}"));
        }
    }
}

#[test]
fn a_configuration_of_any_bytes_ends_in_a_trap_or_a_value() {
    let good = Record::gateway(&KEY, CONNECTION).0;
    for place in 16..good.len() {
        for value in [0x01, 0x7f, 0xff] {
            let mut config = good.clone();
            config[place] = value;
            let mut core = Core::new();
            let at = core.put(&config, 8);
            let result = core.call_in("session", "[static]stream.open", &[int(at)]);
            assert_contained(result, &core, &format!("byte {place} is {value:#x}"));
        }
    }
}

#[test]
fn closing_twice_and_using_what_is_closed_stays_inside() {
    let (mut core, stream) = opened();
    core.call_in("session", "[dtor]stream", &[int(stream)]).unwrap();
    for function in ["[dtor]stream", "[method]stream.stats", "[dtor]stream"] {
        let result = core.call_in("session", function, &[int(stream)]);
        let trapped = result.is_err();
        assert_contained(result, &core, function);
        if trapped {
            break;
        }
    }
}

#[test]
fn after_all_lies_an_honest_call_is_answered() {
    for lie in [0, 0x8000_0000, u32::MAX] {
        let (mut core, stream) = opened();
        let result =
            core.call_in("session", "[method]stream.receive", &arguments("[method]stream.receive", stream, 8, lie));
        assert_contained(result, &core, "a lie");
        let (mut core, stream) = opened();
        let at = core.put_samples(&[0; 1440]);
        let returned = core.call_in("session", "[method]stream.send", &arguments("send", stream, at, 1440)).unwrap();
        assert_eq!(core.u32_at(returned.address, 8), 1, "one datagram");
        core.free(returned);
    }
}
