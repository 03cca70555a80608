//! Files exchanged with opus-tools, the reference programs. Skipped, saying so, where they are not installed.

use crate::common::{clip_as, opus_tools, read, scratch, tool, transcode};
use sidetone_audio::measure::compare;

#[test]
fn opusdec_plays_our_files_to_the_sample() {
    if !opus_tools() {
        return;
    }
    let folder = scratch();
    for (rate, channels, options) in
        [(24_000, 1, ""), (48_000, 2, "--frame 20"), (16_000, 1, "--frame 120 --dtx"), (44_100, 1, "--frame 5")]
    {
        let input = clip_as(folder.path(), rate, channels);
        let [ours, theirs] = ["ours.opus", "theirs.wav"].map(|name| folder.path().join(name));
        transcode(&input, &ours, &format!("--bitrate 64k --application audio {options}"));
        tool("opusdec", &["--quiet".as_ref(), ours.as_ref(), theirs.as_ref()]);
        let (before, after) = (read(&input), read(&theirs));
        assert_eq!((after.rate, after.channels, after.samples.len()), (rate, channels, before.samples.len()));
        let found = compare(&before, &after, 480).unwrap();
        assert!(found.shift.abs() <= isize::from(rate == 44_100) && found.correlation > 0.98, "{rate} Hz: {found:?}");
        let info = tool("opusinfo", &[ours.as_ref()]);
        let text = [info.stdout, info.stderr].concat();
        assert!(!String::from_utf8_lossy(&text).contains("WARNING"), "{}", String::from_utf8_lossy(&text));
    }
}

#[test]
fn files_of_opusenc_decode_to_the_sample() {
    if !opus_tools() {
        return;
    }
    let folder = scratch();
    for (rate, channels, frame) in [(24_000, 1, "20"), (48_000, 2, "60"), (44_100, 1, "2.5")] {
        let input = clip_as(folder.path(), rate, channels);
        let [theirs, ours] = ["theirs.opus", "ours.wav"].map(|name| folder.path().join(name));
        let options = ["--quiet", "--bitrate", "64", "--framesize", frame].map(AsRef::as_ref);
        tool("opusenc", &[&options[..], &[input.as_ref(), theirs.as_ref()]].concat());
        let report = transcode(&theirs, &ours, "");
        let (before, after) = (read(&input), read(&ours));
        // 44.1 kHz is no rate of Opus: such a file decodes at 48 kHz.
        let expected = if rate == 44_100 { 48_000 } else { rate };
        assert_eq!((after.rate, after.channels), (expected, channels), "{report}");
        let before = sidetone_audio::resample(&before, expected).unwrap();
        // Where samples do not match, opusenc rounds up.
        assert_eq!(after.samples.len() - usize::from(rate == 44_100), before.samples.len());
        let found = compare(&before, &after, 480).unwrap();
        assert!(found.shift == 0 && found.correlation > 0.95, "{rate} Hz: {found:?}");

        // Sealed and passed on, they are still theirs.
        let copy = folder.path().join("copy.opus");
        transcode(&theirs, &copy, "--seal random");
        let again = folder.path().join("again.wav");
        transcode(&copy, &again, "");
        assert_eq!(read(&again), read(&ours));
    }
}

#[test]
fn opusdec_conceals_what_our_files_mark_as_lost() {
    if !opus_tools() {
        return;
    }
    let folder = scratch();
    let input = clip_as(folder.path(), 48_000, 1);
    let [ours, theirs] = ["lossy.opus", "theirs.wav"].map(|name| folder.path().join(name));
    let report = transcode(&input, &ours, "--frame 60 --loss 20");
    assert!(report["loss"]["lost"].as_u64() > Some(3), "{report}");
    tool("opusdec", &["--quiet".as_ref(), ours.as_ref(), theirs.as_ref()]);
    assert_eq!(read(&theirs).samples.len(), read(&input).samples.len());
}
