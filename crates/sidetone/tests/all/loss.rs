//! Packets lost on the way: what the report says of them adds up, and FEC brings some back.

use crate::common::{clip, number, read, run, scratch, transcode};
use serde_json::Value;
use sidetone_audio::bit;

/// Lost, concealed, recovered, silent.
fn loss(report: &Value) -> [u64; 4] {
    ["lost", "concealed", "recovered", "silent"].map(|name| number(report, &format!("/loss/{name}")) as u64)
}

#[test]
fn every_packet_lost_is_concealed_recovered_or_silent() {
    let folder = scratch();
    let out = folder.path().join("out.wav");
    for options in [
        "--loss 0",
        "--loss 10 --frame 20",
        "--loss 10 --frame 20 --seal random",
        "--loss 20 --burst --seal random",
        "--loss 50 --burst=20 --frame 2.5 --seal random --application lowdelay",
        "--loss 95 --burst=40 --frame 5 --seal random --application lowdelay",
        "--loss 30% --burst=2 --fec --frame 20",
        "--loss 100",
        "--loss 100 --seal random",
    ] {
        let report = transcode(&clip(), &out, &format!("{options} --complexity 1"));
        let [lost, concealed, recovered, silent] = loss(&report);
        assert_eq!(lost, concealed + recovered + silent, "{options}: {report}");
        assert_eq!(read(&out).samples.len(), 98_611, "{options}");
        if options.contains("100") {
            assert_eq!(lost, number(&report, "/frames") as u64);
            assert!(read(&out).samples.iter().all(|&sample| sample == 0), "{options}");
        }
        assert!((lost == 0) == options.contains("--loss 0"), "{options}: {report}");
    }
}

#[test]
fn as_many_are_lost_as_are_missing_from_the_packets() {
    let folder = scratch();
    let [whole, lossy] = ["whole.bit", "lossy.bit"].map(|name| folder.path().join(name));
    let out = folder.path().join("out.wav");
    for seal in ["", "--seal random"] {
        transcode(&clip(), &whole, "--frame 20");
        let report = transcode(&clip(), &lossy, &format!("--frame 20 --loss 15 --seed 9 {seal}"));
        let (whole, records) = (bit::read(&whole).unwrap(), bit::read(&lossy).unwrap());
        assert_eq!(whole.len(), records.len());
        let missing = records.iter().filter(|record| record.packet.is_empty()).count() as u64;
        assert_eq!(missing, loss(&report)[0]);
        assert!(missing > 10);
        assert!(whole.iter().zip(&records).all(|(whole, record)| record.packet.is_empty() || whole == record));

        // The same seed loses the same packets of a clip that is heard.
        let heard = transcode(&clip(), &out, &format!("--frame 20 --loss 15 --seed 9 {seal}"));
        assert_eq!(loss(&heard)[0], missing);
        // And a file that has them missing already says so.
        let later = transcode(&lossy, &out, seal);
        assert_eq!(loss(&later)[0], missing);
        assert_eq!(number(&later, "/loss/lost_in_input") as u64, missing);
    }
}

#[test]
fn sealed_and_plain_conceal_alike() {
    let folder = scratch();
    let [packets, plain, sealed] = ["in.bit", "plain.wav", "sealed.wav"].map(|name| folder.path().join(name));
    transcode(&clip(), &packets, "--frame 20 --fec --expected-loss 20 --rate 16000");
    for options in ["--loss 10", "--loss 30 --burst=2 --seed 3", "--loss 5 --rate 16000 --channels 2"] {
        let a = transcode(&packets, &plain, options);
        let b = transcode(&packets, &sealed, &format!("{options} --seal random"));
        // Nothing tells a session that packets are missing at the very end, and at the start there is nothing to make
        // anything up from.
        let [lost, _, recovered, silent] = loss(&b);
        assert_eq!((loss(&a)[0], loss(&a)[2]), (lost, recovered), "{options}");
        assert!(recovered > 2 && silent <= 2, "{options}: {b}");
        let (a, b) = (read(&plain), read(&sealed));
        let same = a.samples.len() - (silent as usize * a.rate as usize / 50 * usize::from(a.channels));
        assert!(a.samples[..same] == b.samples[..same], "{options}: they sound differently");
    }
}

#[test]
fn fec_recovers_and_sounds_better_than_concealment() {
    let folder = scratch();
    let out = folder.path().join("out.wav");
    let line = "--frame 20 --rate 16000 --bitrate 32k --loss 20 --seal random";
    let without = transcode(&clip(), &out, line);
    let with = transcode(&clip(), &out, &format!("{line} --fec"));
    assert_eq!(loss(&without)[2], 0);
    assert!(loss(&with)[2] > loss(&with)[1], "{with}");
    assert_eq!(loss(&with)[0], loss(&without)[0]);
    assert_eq!(number(&with, "/encoder/expected_loss"), 20.0);
    let correlation = |report| number(report, "/likeness/correlation");
    assert!(correlation(&with) > correlation(&without) + 0.02, "{with} {without}");
}

#[test]
fn people_are_told_too() {
    let folder = scratch();
    let (clip, out) = (clip(), folder.path().join("out.wav"));
    let run = run(["transcode".as_ref(), clip.as_os_str(), out.as_os_str(), "--loss".as_ref(), "10".as_ref()]);
    assert!(run.out.contains("encode, lose, decode"), "{}", run.out);
    assert!(run.out.contains(" of 69 packets ("), "{}", run.out);
    assert!(run.out.contains(" concealed, 0 recovered, 0 silent"), "{}", run.out);
}
