//! Ogg Opus files, page by page, against RFC 7845.

use crate::common::{CONTINUED, FIRST, LAST, laced_page, listing, packet_20ms, page, pages, scratch};
use sidetone_audio::ogg_opus::{self, Head, Packet, Stream, Tags, Writer, packet_duration};
use sidetone_audio::{Error, MAX_PACKET};
use std::fs;

const SERIAL: u32 = 0x5151_0001;
const NO_GRANULE: u64 = u64::MAX;

fn head() -> Head {
    Head { channels: 1, pre_skip: 312, input_rate: 16_000, output_gain: 0 }
}

/// Mono, pre-skip 312, 16 kHz, no gain.
const HEAD: &[u8] = b"OpusHead\x01\x01\x38\x01\x80\x3e\0\0\0\0\0";
const TAGS: &[u8] = b"OpusTags\x03\0\0\0lib\x01\0\0\0\x03\0\0\0A=b";

fn tags() -> Tags {
    Tags { vendor: "lib".to_owned(), comments: vec!["A=b".to_owned()] }
}

fn headers(head: &[u8]) -> Vec<u8> {
    [page(SERIAL, 0, FIRST, 0, &[head]), page(SERIAL, 1, 0, 0, &[TAGS])].concat()
}

/// The usual headers, then these pages.
fn file(audio: &[Vec<u8>]) -> Vec<u8> {
    [headers(HEAD), audio.concat()].concat()
}

fn read(file: &[u8]) -> Result<Stream, Error> {
    ogg_opus::read_from("in.opus", file)
}

fn problem(file: &[u8]) -> String {
    let message = read(file).expect_err("an error").to_string();
    let start = "in.opus is not a usable Ogg Opus file: ";
    let end = "; accepted: an Ogg stream of Opus with 1 or 2 channels (mapping family 0 of RFC 7845)";
    message.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).unwrap_or(&message).to_owned()
}

#[test]
fn durations_follow_the_table_of_rfc_6716() {
    // By configuration number: SILK 10 20 40 60, hybrid 10 20, CELT 2.5 5 10 20 ms.
    let frames: [u32; 32] = [
        480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 480, 960, 120, 240, 480, 960, 120,
        240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960,
    ];
    for (config, frame) in (0u8..32).zip(frames) {
        for stereo in [0, 4] {
            let toc = config << 3 | stereo;
            assert_eq!(packet_duration(&[toc]).unwrap(), frame);
            assert_eq!(packet_duration(&[toc | 1, 0]).unwrap(), 2 * frame);
            assert_eq!(packet_duration(&[toc | 2, 0]).unwrap(), 2 * frame);
            for count in 1..64 {
                let duration = packet_duration(&[toc | 3, 0xc0 | count]);
                let expected = frame * u32::from(count);
                assert_eq!(duration.ok(), (expected <= 5760).then_some(expected), "{count} frames of {frame}");
            }
        }
    }
    for (packet, problem) in [
        (&[][..], "it has no bytes"),
        (&[0x03], "it ends before its frame count"),
        (&[0x03, 0xc0], "it states 0 frames"),
        (&[0x1b, 3], "it lasts more than 120 ms"),
    ] {
        assert_eq!(
            packet_duration(packet).unwrap_err().to_string(),
            format!(
                "no Opus packet ({problem}); a packet has a TOC byte and lasts 2.5 to 120 ms (RFC 6716 section 3.1)"
            )
        );
    }
    assert!(matches!(packet_duration(&packet_20ms(MAX_PACKET + 1)), Err(Error::PacketTooLong(61_441))));
}

#[test]
fn a_stream_is_read_exactly() {
    let packets: Vec<Vec<u8>> = [10, 254, 255, 256, 1000].map(packet_20ms).to_vec();
    let slices: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
    let file = file(&[page(SERIAL, 2, 0, 2880, &slices[..3]), page(SERIAL, 3, LAST, 4400, &slices[3..])]);
    let stream = read(&file).unwrap();
    assert_eq!(stream.head, head());
    assert_eq!(stream.tags, tags());
    let expected: Vec<Packet> = packets.iter().map(|data| Packet { data: data.clone(), duration: 960 }).collect();
    assert_eq!(stream.packets, expected);
    // 4400 of the 4800 samples decoded, less the pre-skip.
    assert_eq!(stream.samples, 4400 - 312);
}

#[test]
fn the_head_is_read_field_by_field() {
    // Version 0.15 with a field added later, stereo, and -6.5 dB.
    let mut head = b"OpusHead\x0f\x02\x00\x0f\x44\xac\0\0\x80\xf9\0".to_vec();
    head.extend(b"later");
    let packet = packet_20ms(10);
    let file = [headers(&head), page(SERIAL, 2, LAST, 960 * 5, &[&packet[..]; 5])].concat();
    let stream = read(&file).unwrap();
    assert_eq!(stream.head, Head { channels: 2, pre_skip: 3840, input_rate: 44_100, output_gain: -1664 });
    assert!((stream.head.gain_factor() - 10f64.powf(-6.5 / 20.0)).abs() < 1e-12);
    assert_eq!(stream.samples, 960);
}

#[test]
fn packets_continue_over_pages() {
    let long = packet_20ms(255 * 3 + 40);
    let short = packet_20ms(20);
    let audio = [
        laced_page(SERIAL, 2, 0, 960, &[20, 255], &[&short[..], &long[..255]].concat()),
        laced_page(SERIAL, 3, CONTINUED, NO_GRANULE, &[255], &long[255..510]),
        laced_page(SERIAL, 4, CONTINUED | LAST, 2880, &[255, 40, 20], &[&long[510..], &short[..]].concat()),
    ];
    let stream = read(&file(&audio)).unwrap();
    let data: Vec<&[u8]> = stream.packets.iter().map(|packet| &packet.data[..]).collect();
    assert_eq!(data, [&short[..], &long[..], &short[..]]);
    assert_eq!(stream.samples, 2880 - 312);
}

#[test]
fn the_end_may_stand_on_a_page_of_its_own() {
    let packet = packet_20ms(20);
    for granule in [1920, NO_GRANULE] {
        let audio = [page(SERIAL, 2, 0, 1920, &[&packet[..]; 2]), laced_page(SERIAL, 3, LAST, granule, &[], &[])];
        assert_eq!(read(&file(&audio)).unwrap().samples, 1920 - 312);
    }
}

#[test]
fn a_stream_cut_from_a_longer_one_keeps_its_length() {
    let packet = packet_20ms(20);
    let late = 1_000_000;
    let audio =
        [page(SERIAL, 7, 0, late + 1920, &[&packet[..]; 2]), page(SERIAL, 8, LAST, late + 1920 + 500, &[&packet])];
    assert_eq!(read(&file(&audio)).unwrap().samples, 1920 + 500 - 312);
    // A first page that is also the last and begins late trims nothing.
    assert_eq!(read(&file(&[page(SERIAL, 2, LAST, late, &[&packet])])).unwrap().samples, 960 - 312);
}

fn chain(file: &[u8]) -> Result<ogg_opus::Chain, Error> {
    ogg_opus::read_chain_from("in.opus", file)
}

#[test]
fn streams_beside_the_first_of_opus_are_named() {
    let packet = packet_20ms(20);
    let ours = file(&[]);
    let ours = pages(&ours);
    let vorbis = page(9, 0, FIRST, 0, &[b"\x01vorbis\0"]);
    let mixed = [
        vorbis.clone(),
        page(SERIAL, 0, FIRST, 0, &[&ours[0].body]),
        page(77, 0, FIRST, 0, &[HEAD]),
        page(9, 1, 0, 5, &[b"other"]),
        page(SERIAL, 1, 0, 0, &[&ours[1].body]),
        page(77, 1, 0, 0, &[TAGS]),
        page(SERIAL, 2, LAST, 960, &[&packet]),
        page(77, 2, LAST, 1920, &[&packet[..]; 2]),
    ]
    .concat();
    assert_eq!(read(&mixed).unwrap().packets.len(), 1);
    let found = chain(&mixed).unwrap();
    assert_eq!((found.beside, found.end, found.unread), (vec!["Vorbis", "Opus"], mixed.len() as u64, 0));

    assert_eq!(problem(&vorbis), "it has no Opus stream; it has Vorbis");
    let two = [vorbis, page(3, 0, FIRST, 0, &[b"fishead\0"])].concat();
    assert_eq!(problem(&two), "it has no Opus stream; it has Vorbis, another codec");
    assert_eq!(problem(&page(3, 5, 0, 960, &[&packet])), "it has no Opus stream; it begins in the middle of one");
}

#[test]
fn a_chain_is_read_link_by_link() {
    let packet = packet_20ms(20);
    let link = |serial: u32, head: &[u8], granule: u64| {
        let start = [page(serial, 0, FIRST, 0, &[head]), page(serial, 1, 0, 0, &[TAGS])].concat();
        [start, page(serial, 2, LAST, granule, &[&packet[..]; 2])].concat()
    };
    let stereo = b"OpusHead\x01\x02\x00\x01\x44\xac\0\0\0\0\0";
    // Of the same serial number, which a chain should not have and `cat` makes.
    let file = [link(1, HEAD, 1920), link(1, stereo, 1000), link(2, HEAD, 1920)].concat();
    let found = chain(&file).unwrap();
    let links: Vec<_> = found.links.iter().map(|link| (link.head.channels, link.head.pre_skip, link.samples)).collect();
    assert_eq!(links, [(1, 312, 1608), (2, 256, 744), (1, 312, 1608)]);
    assert_eq!((found.beside.len(), found.end, found.unread), (0, file.len() as u64, 0));
    assert_eq!(problem(&file), "it is a chain of 3 streams, where one was expected");

    // A link that is cut, damaged, or of another codec is an error, as the first would be.
    let first = link(1, HEAD, 1920);
    for length in first.len() + 1..2 * first.len() {
        let cut = [&first[..], &first].concat();
        chain(&cut[..length]).expect_err(&format!("{length} bytes of {}", cut.len()));
    }
    let mut damaged = [&first[..], &first].concat();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(problem(&damaged).ends_with(" is damaged: its checksum does not match"));
    let vorbis = [&first[..], &page(9, 0, FIRST | LAST, 0, &[b"\x01vorbis\0"])].concat();
    assert_eq!(problem(&vorbis), format!("after its Opus stream, at byte {}, it has Vorbis", first.len()));
    let unended = file_without_end(&packet);
    let at = unended.len();
    assert_eq!(
        problem(&[unended, link(2, HEAD, 1920)].concat()),
        format!("another stream begins at byte {at}, before its Opus stream has ended")
    );
}

fn file_without_end(packet: &[u8]) -> Vec<u8> {
    file(&[page(SERIAL, 2, 0, 960, &[packet])])
}

#[test]
fn bytes_after_the_last_page_are_counted() {
    let whole = file(&[page(SERIAL, 2, LAST, 960, &[&packet_20ms(20)])]);
    for tail in [&b"x"[..], b"OgX", b"what is no page at all, and longer than the header of one"] {
        let found = chain(&[&whole, tail].concat()).unwrap();
        assert_eq!((found.links.len(), found.end, found.unread), (1, whole.len() as u64, tail.len() as u64));
    }
    // What begins like a page is one that is cut short.
    for tail in [&b"O"[..], b"OggS", b"OggS\0\x02 and so on"] {
        assert!(matches!(chain(&[&whole, tail].concat()), Err(Error::Truncated { needed: 27, .. })));
    }
}

#[test]
fn what_breaks_the_format_is_said() {
    let packet = packet_20ms(20);
    let with_head = |head: &[u8]| [headers(head), page(SERIAL, 2, LAST, 960, &[&packet])].concat();
    let mut damaged = file(&[page(SERIAL, 2, LAST, 960, &[&packet])]);
    *damaged.last_mut().unwrap() ^= 1;
    let mut version = file(&[page(SERIAL, 2, LAST, 960, &[&packet])]);
    version[4] = 1;
    let no_tags = [page(SERIAL, 0, FIRST, 0, &[HEAD]), page(SERIAL, 1, LAST, 960, &[&packet])].concat();
    let cut_tags = [page(SERIAL, 0, FIRST, 0, &[HEAD]), page(SERIAL, 1, LAST, 0, &[&TAGS[..TAGS.len() - 1]])].concat();
    // Headers take 47 + 53 bytes.
    let cases: &[(&str, Vec<u8>)] = &[
        ("it does not begin with an Ogg page", b"RIFF, or rather a WAV file, as it seems".to_vec()),
        (
            "no page begins at byte 101, where the one before ends",
            file(&[b"something that is not a page of Ogg".to_vec()]),
        ),
        ("the page at byte 101 is damaged: its checksum does not match", damaged),
        ("the page at byte 0 has version 1", version),
        ("its OpusHead packet is too short (page at byte 0)", with_head(b"OpusHead\x01\x01\0\0\0\0\0\0\0\0")),
        ("its OpusHead has version 16 (page at byte 0)", with_head(b"OpusHead\x10\x01\0\0\0\0\0\0\0\0\0")),
        (
            "it has 6 channels in mapping family 1 (page at byte 0)",
            with_head(b"OpusHead\x01\x06\0\0\0\0\0\0\0\0\x01...."),
        ),
        ("it has 3 channels in mapping family 0 (page at byte 0)", with_head(b"OpusHead\x01\x03\0\0\0\0\0\0\0\0\0")),
        ("it has 0 channels in mapping family 0 (page at byte 0)", with_head(b"OpusHead\x01\x00\0\0\0\0\0\0\0\0\0")),
        ("its second packet is not OpusTags (page at byte 47)", no_tags),
        ("its OpusTags packet ends inside a comment (page at byte 47)", cut_tags),
        ("it ends before its header packets do", page(SERIAL, 0, FIRST | LAST, 0, &[HEAD])),
        (
            "packet 1: no Opus packet (it has no bytes); a packet has a TOC byte and lasts 2.5 to 120 ms (RFC 6716 section 3.1) \
             (page at byte 101)",
            file(&[page(SERIAL, 2, LAST, 960, &[&packet, &[]])]),
        ),
        (
            "packets end on a page without a granule position (page at byte 101)",
            file(&[page(SERIAL, 2, LAST, NO_GRANULE, &[&packet])]),
        ),
        (
            "the first page with audio has granule position 959 and 960 samples (page at byte 101)",
            file(&[page(SERIAL, 2, 0, 959, &[&packet]), page(SERIAL, 3, LAST, 1919, &[&packet])]),
        ),
        (
            "the granule position falls back to 959 (page at byte 149)",
            file(&[page(SERIAL, 2, 0, 960, &[&packet]), page(SERIAL, 3, LAST, 959, &[&packet])]),
        ),
        ("its pre-skip of 312 samples is longer than its 311 samples", file(&[page(SERIAL, 2, LAST, 311, &[&packet])])),
        (
            "a packet is continued wrongly, or the stream begins twice (page at byte 101)",
            file(&[page(SERIAL, 2, CONTINUED | LAST, 960, &[&packet])]),
        ),
        ("a packet is continued wrongly, or the stream begins twice (page at byte 101)", file(&[headers(HEAD)])),
    ];
    for (expected, file) in cases {
        assert_eq!(&problem(file), expected);
    }
}

#[test]
fn a_file_cut_short_anywhere_is_an_error() {
    let packet = packet_20ms(20);
    let file = file(&[page(SERIAL, 2, 0, 960, &[&packet]), page(SERIAL, 3, LAST, 1920, &[&packet])]);
    for length in 0..file.len() {
        read(&file[..length]).expect_err(&format!("{length} bytes of {}", file.len()));
    }
    let message = |length: usize| read(&file[..length]).unwrap_err().to_string();
    assert_eq!(message(0), "in.opus holds no audio: it has no bytes");
    let cut = |what: &str| format!("in.opus is cut short: {what}; get a complete copy");
    assert_eq!(message(110), cut("the page header at byte 101 needs 27 bytes and 9 are there"));
    assert_eq!(message(128), cut("the segment table at byte 128 needs 1 bytes and 0 are there"));
    assert_eq!(message(140), cut("the page at byte 129 needs 20 bytes and 11 are there"));
    assert_eq!(message(149), cut("the stream's next page at byte 149 needs 27 bytes and 0 are there"));
}

#[test]
fn a_stream_without_packets_is_empty() {
    let error = read(&file(&[laced_page(SERIAL, 2, LAST, 0, &[], &[])])).unwrap_err();
    assert_eq!(error.to_string(), "in.opus holds no audio: its Opus stream has no packets");
}

#[test]
fn a_file_is_written_page_by_page() {
    let (folder, path) = scratch("out.opus");
    let mut writer = Writer::create(&path, SERIAL, &head(), &tags()).unwrap();
    let packets: Vec<Vec<u8>> = (0..120).map(|index| packet_20ms(40 + index)).collect();
    for packet in &packets {
        writer.write(packet).unwrap();
    }
    assert!(!path.exists(), "not before it is finished");
    writer.finish(Some(120 * 960 - 312 - 100)).unwrap();
    assert_eq!(listing(&folder), ["out.opus"]);

    let seen = pages(&fs::read(&path).unwrap());
    let outline: Vec<(u8, u64, usize)> =
        seen.iter().map(|page| (page.flags, page.granule, page.lacing.len())).collect();
    // Headers alone, then pages of exactly a second, the last with what is left, trimmed by 100.
    assert_eq!(outline, [(FIRST, 0, 1), (0, 0, 1), (0, 48_000, 50), (0, 96_000, 50), (LAST, 120 * 960 - 100, 20)]);
    assert!(seen.iter().enumerate().all(|(index, page)| page.serial == SERIAL && page.sequence == index as u32));
    assert_eq!(seen[0].body, HEAD);
    assert_eq!(seen[1].body, TAGS);
    assert_eq!(seen[2].body, packets[..50].concat());

    let stream = ogg_opus::read(&path).unwrap();
    assert_eq!((stream.head, stream.tags), (head(), tags()));
    assert!(stream.packets.iter().map(|packet| &packet.data).eq(&packets));
    assert_eq!(stream.samples, 120 * 960 - 312 - 100);
}

#[test]
fn the_same_input_gives_the_same_file() {
    let (folder, _) = scratch("");
    let write = |name: &str| {
        let path = folder.path().join(name);
        let mut writer = Writer::create(&path, 1, &head(), &tags()).unwrap();
        (0..200).for_each(|length| writer.write(&packet_20ms(length + 1)).unwrap());
        writer.finish(None).unwrap();
        fs::read(path).unwrap()
    };
    assert_eq!(write("a.opus"), write("b.opus"));
}

#[test]
fn pages_end_with_packets_whatever_their_size() {
    // Sizes around the multiples of 255 and up to the longest, which fill pages before their second is over.
    let sizes = [1275, 254, 255, 256, 61_440, 1, 61_440, 61_440, 255 * 239, 3000, 255 * 254, 1, 510];
    let (_folder, path) = scratch("out.opus");
    let mut writer = Writer::create(&path, 5, &head(), &tags()).unwrap();
    let packets: Vec<Vec<u8>> = sizes.iter().map(|&size| packet_20ms(size.min(MAX_PACKET))).collect();
    packets.iter().for_each(|packet| writer.write(packet).unwrap());
    writer.finish(None).unwrap();
    let seen = pages(&fs::read(&path).unwrap());
    assert!(seen.iter().all(|page| page.flags & CONTINUED == 0 && page.lacing.last() != Some(&255)));
    assert!(seen.iter().skip(2).is_sorted_by(|one, next| one.granule < next.granule));
    assert_eq!(seen.last().unwrap().granule, 960 * sizes.len() as u64);
    let stream = ogg_opus::read(&path).unwrap();
    assert!(stream.packets.iter().map(|packet| &packet.data).eq(&packets));
}

#[test]
fn a_page_filled_to_its_last_segment_is_the_same_as_any() {
    for total in [254usize, 255, 256, 510] {
        let (_folder, path) = scratch("out.opus");
        let mut writer = Writer::create(&path, 5, &head(), &tags()).unwrap();
        // 2.5 ms each, so that segments run out before the second does.
        (0..total).for_each(|_| writer.write(&[28 << 3]).unwrap());
        writer.finish(Some(120 * total as u64 - 312 - 7)).unwrap();
        let seen = pages(&fs::read(&path).unwrap());
        assert_eq!(seen.len(), 2 + total.div_ceil(255), "{total}");
        assert_eq!(seen.last().unwrap().flags, LAST);
        assert_eq!(ogg_opus::read(&path).unwrap().samples, 120 * total as u64 - 312 - 7);
    }
}

#[test]
fn an_end_beyond_the_packets_or_before_the_last_page_is_refused() {
    let (folder, path) = scratch("out.opus");
    let ending_at = |samples: u64| {
        let mut writer = Writer::create(&path, 5, &head(), &tags()).unwrap();
        (0..60).for_each(|_| writer.write(&packet_20ms(10)).unwrap());
        writer.finish(Some(samples))
    };
    let (least, most) = (48_000 - 312, 60 * 960 - 312);
    for samples in [0, least - 1, most + 1, u64::MAX] {
        assert!(matches!(ending_at(samples), Err(Error::EndTrim { .. })), "{samples}");
        assert_eq!(listing(&folder), [""; 0], "nothing left behind");
    }
    assert_eq!(
        ending_at(most + 1).unwrap_err().to_string(),
        "cannot end the stream after 57289 samples at 48 kHz; its packets allow 47688 to 57288"
    );
    for samples in [least, most] {
        ending_at(samples).unwrap();
        assert_eq!(ogg_opus::read(&path).unwrap().samples, samples);
    }
}

#[test]
fn what_is_no_stream_is_not_written() {
    let (folder, path) = scratch("out.opus");
    let writer = Writer::create(&path, 5, &head(), &tags()).unwrap();
    assert!(matches!(writer.finish(None), Err(Error::Empty { .. })));

    let mut writer = Writer::create(&path, 5, &head(), &tags()).unwrap();
    assert!(matches!(writer.write(&[]), Err(Error::Packet(_))));
    writer.write(&packet_20ms(10)).unwrap();
    drop(writer);

    let mut writer = Writer::create(&path, 5, &Head { pre_skip: 961, ..head() }, &tags()).unwrap();
    writer.write(&packet_20ms(10)).unwrap();
    let error = writer.finish(None).unwrap_err().to_string();
    assert!(error.contains("its pre-skip of 961 samples is longer than its 960 samples"), "{error}");

    let surround = Head { channels: 6, ..head() };
    assert!(matches!(Writer::create(&path, 5, &surround, &tags()), Err(Error::Malformed { .. })));
    assert_eq!(listing(&folder), [""; 0]);
}

#[test]
fn tags_longer_than_a_page_come_back() {
    let (_folder, path) = scratch("out.opus");
    let tags =
        Tags { vendor: String::new(), comments: vec!["PICTURE=".to_owned() + &"x".repeat(200_000), String::new()] };
    let mut writer = Writer::create(&path, 5, &head(), &tags).unwrap();
    writer.write(&packet_20ms(10)).unwrap();
    writer.finish(None).unwrap();
    assert_eq!(ogg_opus::read(&path).unwrap().tags, tags);
}
