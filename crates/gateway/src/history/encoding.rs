//! Counts of latencies as bytes: one by one, numbers in seven bits a byte. A usual one has some hundred bytes.

use sidetone_host::pool::LatencyCounts;
use std::time::Duration;

/// Writes counts down.
pub(super) fn write(counts: &LatencyCounts) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(counts.buckets().len() * 3 + 12);
    put(&mut bytes, counts.sum().as_nanos() as u64);
    put(&mut bytes, counts.max().as_nanos() as u64);
    let mut next = 0;
    for &(index, count) in counts.buckets() {
        put(&mut bytes, u64::from(index - next));
        put(&mut bytes, count);
        next = index + 1;
    }
    bytes
}

/// Reads them again. `None`: that is not what was written.
pub(super) fn read(mut bytes: &[u8]) -> Option<LatencyCounts> {
    let (sum, max) = (take(&mut bytes)?, take(&mut bytes)?);
    let (mut buckets, mut next) = (Vec::new(), 0u16);
    while !bytes.is_empty() {
        let index = next.checked_add(u16::try_from(take(&mut bytes)?).ok()?)?;
        buckets.push((index, take(&mut bytes)?));
        next = index.checked_add(1)?;
    }
    LatencyCounts::from_parts(buckets, Duration::from_nanos(sum), Duration::from_nanos(max))
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if bits.leading_zeros() < shift {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(
            buckets in btree_map(0u16..640, 1u64.., 0..40),
            sum in any::<u64>(),
            max in any::<u64>(),
        ) {
            let buckets = buckets.into_iter().collect();
            let counts = LatencyCounts::from_parts(buckets, Duration::from_nanos(sum), Duration::from_nanos(max)).unwrap();
            prop_assert_eq!(read(&write(&counts)), Some(counts));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..64)) {
            if let Some(counts) = read(&bytes) {
                prop_assert_eq!(read(&write(&counts)), Some(counts));
            }
        }
    }

    #[test]
    fn a_frame_of_some_hundred_nanoseconds_takes_few_bytes() {
        let none = LatencyCounts::default();
        assert_eq!((write(&none), read(&[])), (vec![0, 0], None));
        let one = LatencyCounts::from_parts(vec![(130, 1)], Duration::from_nanos(300), Duration::from_nanos(300));
        assert_eq!(write(&one.unwrap()), [0xac, 2, 0xac, 2, 0x82, 1, 1]);
    }
}
