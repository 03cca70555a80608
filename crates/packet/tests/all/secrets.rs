//! Key material appears in no output, and what holds it is zeroised when dropped.

use std::fmt::Debug;

use crate::common::{CONNECTION, KEY, candidate, uplink, uplink_opener};
use sidetone_packet::{Direction, KeySchedule, ScheduleCache, Sealer, wipe_stack};
use zeroize::ZeroizeOnDrop;

/// Fails where a rendering holds any two consecutive bytes of the key, in hexadecimal or as decimal numbers.
fn assert_keyless(name: &str, value: &dyn Debug) {
    for rendering in [format!("{value:?}"), format!("{value:#?}")] {
        let squeezed: String = rendering.split_whitespace().collect();
        for pair in KEY.windows(2) {
            let forms = [
                format!("{:02x}{:02x}", pair[0], pair[1]),
                format!("{:02X}{:02X}", pair[0], pair[1]),
                format!("{},{}", pair[0], pair[1]),
                format!("0x{:x},0x{:x}", pair[0], pair[1]),
            ];
            for form in forms {
                assert!(!squeezed.contains(&form), "{name} shows {form}: {rendering}");
            }
        }
    }
}

#[test]
fn debug_output_shows_no_key() {
    let mut opener = uplink_opener();
    let candidate = candidate(&mut opener, &uplink(1, 0, 20));
    let mut cache = ScheduleCache::default();
    cache.for_sealing(&KEY);
    assert_keyless("KeySchedule", &KeySchedule::new(&KEY));
    assert_keyless("Sealer", &Sealer::new(&KEY, CONNECTION, Direction::Uplink));
    assert_keyless("Opener", &opener);
    assert_keyless("Candidate", &candidate);
    assert_keyless("ScheduleCache", &cache);
    assert_eq!(format!("{:?}", KeySchedule::new(&KEY)), "KeySchedule { .. }");
}

#[test]
fn debug_output_of_an_opener_is_readable() {
    let rendering = format!("{:?}", uplink_opener());
    assert!(rendering.len() < 2000, "{} characters: {rendering}", rendering.len());
}

#[test]
fn schedules_are_zeroised_on_drop() {
    fn zeroised_on_drop<T: ZeroizeOnDrop>() {}
    zeroised_on_drop::<KeySchedule>();
    zeroised_on_drop::<aes::Aes128Enc>();
}

#[test]
fn the_stack_can_be_wiped_deeply() {
    wipe_stack::<64>();
}
