//! The block counter is the whole 16-byte header: a packet near the end of the sequence numbers carries into the
//! timestamp. Expected keystream: OpenSSL 3, `enc -aes-128-ctr`.

use crate::common::{CONNECTION, KEY, hex, hex16, sealed};
use sidetone_packet::{HEADER_LEN, Header, KeySchedule};

#[test]
fn the_counter_carries_from_the_sequence_upwards() {
    let cases = [
        (
            "sequence into timestamp",
            "01000030a1b2c3d400000000ffffffff",
            "5439b0508265250a8ad917ffe15cd2b7 9464993743788bb19fc5e6e6e689ec05 3b2e4f4a554419b3e973a23ee9417d2f",
        ),
        (
            "in the second block",
            "01000030a1b2c3d400000000fffffffe",
            "b0f295be444e8f10bfb79a76d793d0ff 5439b0508265250a8ad917ffe15cd2b7 9464993743788bb19fc5e6e6e689ec05",
        ),
        (
            "timestamp into connection id",
            "01000030a1b2c3d4ffffffffffffffff",
            "86d8ccc86645d711eaed8b535f301345 ce338eab8570489c82a9ffe81685dd58 055d712fcabf46b7e769afa13b76b63a",
        ),
        (
            "all the way round",
            "ffffffffffffffffffffffffffffffff",
            "1f6fee18c91b6afdd62c162cb1297978 d58fc2c5159a4d2abd0fe5b3f972b6b0 9fc3696a928e82c48daff1c462c54920",
        ),
    ];
    let schedule = KeySchedule::new(&KEY);
    for (carry, counter, keystream) in cases {
        let mut data = [0; 48];
        schedule.apply_keystream(&hex16(counter), &mut data);
        assert_eq!(data[..], hex(keystream), "{carry}");
    }
}

#[test]
fn the_last_sequence_number_continues_in_the_next_timestamp() {
    let last = Header { connection_id: CONNECTION, sequence: u32::MAX, ..Header::default() };
    let next = Header { timestamp: 1, sequence: 0, ..last };
    let (last, next) = (sealed(&last, &[0; 48]), sealed(&next, &[0; 48]));
    assert_eq!(last[HEADER_LEN + 16..], next[HEADER_LEN..][..32], "the same counter blocks");
}
