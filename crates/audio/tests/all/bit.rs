//! The `.bit` files of `opus_demo`.

use crate::common::{listing, scratch};
use sidetone_audio::bit::{self, Record};
use sidetone_audio::{Error, MAX_PACKET};
use std::fs;

fn read(file: &[u8]) -> Vec<Result<Record, String>> {
    bit::Reader::new("in.bit", file).map(|record| record.map_err(|error| error.to_string())).collect()
}

fn records() -> [Record; 3] {
    [
        Record { packet: vec![0x08, 1, 2], final_range: 0xdead_beef },
        Record { packet: vec![], final_range: 0 },
        Record { packet: vec![0xfc; 300], final_range: 1 },
    ]
}

fn file() -> Vec<u8> {
    let mut file =
        vec![0, 0, 0, 3, 0xde, 0xad, 0xbe, 0xef, 0x08, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 44, 0, 0, 0, 1];
    file.extend([0xfc; 300]);
    file
}

#[test]
fn records_are_read_exactly() {
    assert_eq!(read(&file()), records().map(Ok));
}

#[test]
fn records_are_written_exactly() {
    let (folder, path) = scratch("out.bit");
    let mut writer = bit::Writer::create(&path).unwrap();
    for record in records() {
        writer.write(&record.packet, record.final_range).unwrap();
    }
    assert!(!path.exists(), "not before it is finished");
    writer.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), file());
    assert_eq!(bit::read(&path).unwrap(), records());
    assert_eq!(listing(&folder), ["out.bit"]);
}

#[test]
fn a_cut_record_comes_after_the_whole_ones_and_says_where() {
    let file = file();
    let mut seen = read(&file[..14]);
    assert_eq!(
        seen.pop().unwrap().unwrap_err(),
        "in.bit is cut short: the record header at byte 11 needs 8 bytes and 3 are there; get a complete copy"
    );
    assert_eq!(seen, [Ok(records()[0].clone())]);

    let mut seen = read(&file[..100]);
    assert_eq!(
        seen.pop().unwrap().unwrap_err(),
        "in.bit is cut short: the packet at byte 27 needs 300 bytes and 73 are there; get a complete copy"
    );
    assert_eq!(seen.len(), 2);

    assert_eq!(
        read(&file[..27]).pop().unwrap().unwrap_err(),
        "in.bit is cut short: the packet at byte 27 needs 300 bytes and 0 are there; get a complete copy"
    );
}

#[test]
fn every_cut_is_an_error_unless_it_falls_between_records() {
    let file = file();
    for length in 0..file.len() {
        let whole = read(&file[..length]).iter().all(Result::is_ok);
        assert_eq!(whole, [11, 19].contains(&length), "{length} bytes");
    }
}

#[test]
fn a_length_beyond_any_packet_is_refused_without_reserving_it() {
    assert_eq!(
        read(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1, 2, 3]),
        [Err("in.bit is not a usable opus_demo .bit file: the record at byte 0 claims a packet of 4294967295 bytes; \
              accepted: records of length (u32, big-endian, at most 61440), final range (u32, big-endian) and packet"
            .to_owned())]
    );
}

#[test]
fn the_longest_packet_passes_and_one_byte_more_does_not() {
    let (_folder, path) = scratch("out.bit");
    let mut writer = bit::Writer::create(&path).unwrap();
    writer.write(&vec![1; MAX_PACKET], 5).unwrap();
    assert_eq!(
        writer.write(&vec![1; MAX_PACKET + 1], 5).unwrap_err().to_string(),
        "packet of 61441 bytes is too long; at most 61440"
    );
    writer.finish().unwrap();
    assert_eq!(bit::read(&path).unwrap()[0].packet.len(), MAX_PACKET);
}

#[test]
fn a_file_without_records_is_an_error_once() {
    assert_eq!(read(b""), [Err("in.bit holds no audio: it has no records".to_owned())]);
    let (_folder, path) = scratch("empty.bit");
    fs::write(&path, "").unwrap();
    assert!(matches!(bit::read(&path), Err(Error::Empty { .. })));
}
