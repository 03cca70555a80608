//! Real SQLite: full, broken, killed, shared, and thirty days of it.

use super::keeper::now;
use super::query::Page;
use super::schema::columns;
use super::store::Store;
use super::tiers::RANGES;
use super::trouble::Trouble;
use super::*;
use crate::monitor::named;
use proptest::prelude::*;
use sidetone_host::pool::LatencyCounts;
use sidetone_testbed::apart;
use std::fs;
use std::path::Path;

const BOUNDS: Bounds = Bounds { max_age: Duration::from_secs(30 * 86_400), most_bytes: 64 << 20 };

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ten seconds of a gateway with `calls` calls.
fn sample(calls: u64) -> Sample {
    let mut sample = Sample { seconds: 10.0, ..Sample::default() };
    sample.gauges.fill(Some(calls as f64 + 0.5));
    sample.counts.fill(calls * 167);
    for (stage, counts) in sample.latency.iter_mut().enumerate() {
        let bucket = |index: u16| (200 + index * 2, (calls * 167 / 40).max(1) + u64::from(index) * 7);
        let buckets = (0..40 + stage as u16).map(bucket).collect();
        *counts = LatencyCounts::from_parts(buckets, Duration::from_secs(1), Duration::from_millis(20)).unwrap();
    }
    sample
}

fn ended(number: u64, at: u64) -> Ended {
    Ended {
        ended: at,
        id: format!("session-{number}"),
        tenant: if number.is_multiple_of(2) { "default" } else { "toys" }.into(),
        device: format!("device-{number}"),
        view: format!("{{\"id\":\"session-{number}\",\"pad\":\"{}\"}}", "x".repeat(700)),
        events: format!("{{\"events\":[\"{}\"]}}", "y".repeat(1000)),
    }
}

fn open(path: &Path, bounds: Bounds) -> Result<Store, Trouble> {
    Store::open(&Place::File(path.to_owned()), bounds)
}

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn all_of(page_limit: u32) -> Page {
    Page { limit: page_limit, before: None, tenant: None, device: None }
}

#[test]
fn thirty_days_stay_small_and_every_range_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.db");
    let mut store = open(&path, BOUNDS).unwrap();
    let end = 1_790_000_000 / 900 * 900;
    // As time passes: what is older than six hours has no fine samples any more.
    let day = 86_400;
    for (from, to, step) in [(30 * day, 2 * day, 900), (2 * day, 6 * 3600, 60), (6 * 3600, 0, 10)] {
        let times: Vec<u64> = (end - from..end - to).step_by(step).collect();
        for batch in times.chunks(60) {
            let samples: Vec<_> =
                batch.iter().map(|at| (*at, Sample { seconds: step as f64, ..sample(100 + at / 60 % 100) })).collect();
            store.keep(batch[batch.len() - 1], &samples, &[]).unwrap();
        }
    }
    let size = store.size().unwrap();
    assert_eq!(size.samples, 2160 + 2880 + 2880, "{size:?}");
    assert!(size.bytes < 8 << 20, "{size:?}");
    let started = Instant::now();
    for range in RANGES {
        let points = store.range(&range, end - 1).unwrap();
        assert!(points.iter().all(Option::is_some), "{}", range.name);
        let p99 = named("total_p99_ms").unwrap();
        assert!(points.iter().flatten().all(|point| p99.rate(point).is_some()));
    }
    eprintln!("30 days: {} bytes, all six ranges in {:?}", size.bytes, started.elapsed());
    // An hour on, the oldest hour is gone.
    store.keep(end + 3600, &[(end + 3590, sample(1))], &[]).unwrap();
    let size = store.size().unwrap();
    assert_eq!(size.oldest, Some(end + 3600 - 30 * day));
    store.close();
    assert!(fs::metadata(&path).unwrap().len() < 8 << 20);
}

#[test]
fn gaps_are_gaps_and_a_restart_of_the_gateway_is_no_negative_rate() {
    let mut store = Store::open(&Place::Memory, BOUNDS).unwrap();
    let now = now();
    let first = RANGES[0].first(now);
    store.keep(now, &[(first, sample(6)), (first + 10, sample(6)), (first + 40, sample(3))], &[]).unwrap();
    let points = store.range(&RANGES[0], now).unwrap();
    let frames = named("frames").unwrap();
    let rates: Vec<_> = points[..6].iter().map(|point| point.as_ref().and_then(|p| frames.rate(p))).collect();
    assert_eq!(rates, [Some(100.2), Some(100.2), None, None, Some(50.1), None]);
    // A clock that was set back: what comes twice is counted once more, over twice the time.
    store.keep(now, &[(first + 40, sample(9))], &[]).unwrap();
    let points = store.range(&RANGES[0], now).unwrap();
    let point = points[4].as_ref().unwrap();
    assert_eq!((point.seconds, frames.rate(point)), (20.0, Some(100.2)));
}

#[test]
fn a_small_bound_holds_and_the_oldest_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.db");
    let bounds = Bounds { most_bytes: 4 << 20, ..BOUNDS };
    let mut store = open(&path, bounds).unwrap();
    let start = (now() - 6 * 3600 + 100) / 10 * 10;
    for minute in 0..300 {
        let samples: Vec<_> = (0..6).map(|ten| (start + minute * 60 + ten * 10, sample(200))).collect();
        let sessions: Vec<_> = (0..20).map(|n| ended(minute * 20 + n, (start + minute * 60) * 1000)).collect();
        store.keep(now(), &samples, &sessions).unwrap();
        let files =
            ["h.db", "h.db-wal"].map(|name| fs::metadata(folder.path().join(name)).map_or(0, |about| about.len()));
        assert!(files[0] + files[1] <= (4 << 20) + (256 << 10), "{files:?}");
    }
    let newest = store.sessions(&all_of(1)).unwrap();
    assert!(newest[0].view.contains("session-5999"), "the newest is there");
    assert!(store.session("session-0").unwrap().is_none(), "the oldest is not");
    let points = store.range(&RANGES[0], start + 300 * 60 - 1).unwrap();
    assert!(points.iter().all(Option::is_some), "the last quarter of an hour is whole");
}

#[test]
fn sessions_come_in_pages_also_those_that_ended_in_one_millisecond() {
    let mut store = Store::open(&Place::Memory, BOUNDS).unwrap();
    let at = now() * 1000;
    let sessions: Vec<_> = (0..25).map(|number| ended(number, at)).collect();
    store.keep(now(), &[], &sessions).unwrap();
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = store.sessions(&Page { before, ..all_of(10) }).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.ended);
        seen.extend(
            page.iter().map(|kept| serde_json::from_str::<serde_json::Value>(&kept.view).unwrap()["id"].to_string()),
        );
    }
    assert_eq!(seen.len(), 25);
    assert_eq!(seen.iter().collect::<std::collections::HashSet<_>>().len(), 25, "{seen:?}");
    let toys = Page { tenant: Some("toys".into()), ..all_of(100) };
    assert_eq!(store.sessions(&toys).unwrap().len(), 12);
    let one = Page { device: Some("device-7".into()), ..all_of(100) };
    assert_eq!(store.sessions(&one).unwrap().len(), 1);
    assert!(store.session("session-3").unwrap().unwrap().events.contains("yyy"));
}

#[test]
fn a_second_program_on_one_file_is_told_so_and_gets_it_when_the_first_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.db");
    let first = open(&path, BOUNDS).unwrap();
    let why = open(&path, BOUNDS).err().expect("it is taken").to_string();
    assert_eq!(why, "another program has the file open: give each gateway a history.file of its own");
    first.close();
    open(&path, BOUNDS).unwrap();
}

#[test]
fn what_is_not_ours_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        .unwrap();
    let before = fs::read(&path).unwrap();
    let why = open(&path, BOUNDS).err().unwrap();
    assert!(matches!(&why, Trouble::Foreign(why) if why == "it is the database of another program"), "{why}");
    let path_of_newer = folder.path().join("newer.db");
    open(&path_of_newer, BOUNDS).unwrap().close();
    rusqlite::Connection::open(&path_of_newer).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let why = open(&path_of_newer, BOUNDS).err().unwrap().to_string();
    assert!(why.starts_with("a newer version of this program wrote it (layout 99)"), "{why}");
    assert!(fs::read(&path).unwrap() == before, "not a byte was changed");
    assert_eq!(
        fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_string_lossy().contains("corrupt") })
            .count(),
        0
    );
}

#[test]
fn a_version_with_more_series_adds_columns_and_reads_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.db");
    let now = now();
    let mut store = open(&path, BOUNDS).unwrap();
    let at = RANGES[0].first(now);
    store.keep(now, &[(at, sample(5))], &[]).unwrap();
    store.close();
    let (gone, added) = (columns().nth(3).unwrap(), "from_the_future");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(&format!("ALTER TABLE samples DROP COLUMN {gone}; ALTER TABLE samples ADD COLUMN {added}"))
        .unwrap();
    drop(db);
    let mut store = open(&path, BOUNDS).unwrap();
    let points = store.range(&RANGES[0], now).unwrap();
    let point = points[0].as_ref().unwrap();
    assert_eq!((named(gone).unwrap().rate(point), named("calls").unwrap().rate(point)), (None, Some(5.5)));
    store.keep(now, &[(at, sample(5))], &[]).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_file_with_broken_bytes_is_read_or_named_broken_never_more(
        seed in any::<u64>(),
        places in prop::collection::vec((0usize..60_000, any::<u8>()), 1..200),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.db");
        let mut store = open(&path, BOUNDS).unwrap();
        let start = now() - 3000;
        let samples: Vec<_> = (0..60).map(|n| (start + n * 10, sample(seed % 50 + n))).collect();
        store.keep(now(), &samples, &[ended(1, now() * 1000)]).unwrap();
        store.close();
        let mut bytes = fs::read(&path).unwrap();
        for (place, byte) in places {
            let len = bytes.len();
            bytes[place % len] = byte;
        }
        fs::write(&path, bytes).unwrap();
        let worked = open(&path, BOUNDS).and_then(|mut store| {
            for range in &RANGES {
                store.range(range, now())?;
            }
            store.sessions(&all_of(10))?;
            store.keep(now(), &samples, &[])
        });
        prop_assert!(matches!(worked, Ok(()) | Err(Trouble::Corrupt(_) | Trouble::Foreign(_) | Trouble::Other(_) | Trouble::Full)));
    }
}

#[test]
fn a_broken_file_is_set_aside_and_history_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.db");
    fs::write(&path, "no database at all").unwrap();
    let history = History::start(Some(Place::File(path.clone())), BOUNDS).unwrap();
    until("it works", || history.status.known().size.bytes > 0);
    assert!(!history.is_failing());
    history.close();
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let aside = names.iter().find(|name| name.to_string_lossy().contains("h.db.corrupt-")).unwrap();
    assert_eq!(fs::read(aside).unwrap(), b"no database at all");
    open(&path, BOUNDS).unwrap();
}

#[test]
fn a_folder_that_is_not_there_costs_history_alone_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("later/h.db");
    let history = History::start(Some(Place::File(path.clone())), BOUNDS).unwrap();
    until("it fails", || history.is_failing());
    let why = serde_json::to_value(history.status()).unwrap();
    assert_eq!((&why["kept"], &why["working"]), (&"file".into(), &false.into()));
    assert!(why["why"].as_str().unwrap().contains("later/h.db\": No such file"), "{why}");
    history.sample(now(), sample(1));
    fs::create_dir(folder.path().join("later")).unwrap();
    until("it works", || !history.is_failing());
    history.close();
    assert_eq!(open(&path, BOUNDS).unwrap().size().unwrap().samples, 3, "what waited was kept, in every tier");
}

#[test]
fn what_comes_while_history_fails_for_long_is_dropped_and_counted() {
    let path = "/no/such/folder/h.db".into();
    let history = History::start(Some(Place::File(path)), BOUNDS).unwrap();
    for number in 0..2000u64 {
        history.sample(number * 10, sample(1));
        if number.is_multiple_of(100) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    until("the rest is dropped", || history.status.dropped() >= 1640);
    history.close();
}

/// A thread that is stuck in a question.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_thread_that_is_stuck() {
    let history = Arc::new(History::start(Some(Place::Memory), BOUNDS).unwrap());
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    let stuck = history.clone();
    let asking = tokio::spawn(async move {
        stuck
            .ask(move |_| {
                begin.send(()).unwrap();
                released.recv().ok();
                Ok(7)
            })
            .await
    });
    begun.recv().unwrap();
    let started = Instant::now();
    for number in 0..3000u64 {
        history.sample(number, Sample::default());
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(history.status.dropped(), 3000 - QUEUE as u64);
    assert_eq!(history.range(RANGES[0], now()).await.unwrap_err(), Unavailable::Busy);
    release.send(()).unwrap();
    assert_eq!(asking.await.unwrap(), Ok(7));
    until("the queue is worked off", || history.put(Task::Silences(Vec::new())));
}

#[test]
fn what_outlives_a_restart_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = || Some(Place::File(folder.path().join("h.db")));
    let history = History::start(place(), BOUNDS).unwrap();
    let silence = Silence { id: "latency".into(), until: 77, why: Some("test".into()) };
    history.silences(vec![silence.clone()]);
    (0..150).for_each(|number| history.fired(Fired(number.to_string())));
    history.close();
    let history = History::start(place(), BOUNDS).unwrap();
    let mut restored = None;
    until("it is opened", || {
        restored = restored.take().or_else(|| history.restored());
        restored.is_some()
    });
    let (silences, fired) = restored.unwrap();
    assert_eq!(silences, [silence]);
    assert_eq!((fired.len(), &fired[0].0, &fired[99].0), (100, &"149".to_owned(), &"50".to_owned()));
    assert!(history.restored().is_none(), "once");
}

/// One of the ignored tests below, in a process of its own.
fn child(name: &str, folder: &Path) -> std::process::Command {
    let mut command = apart::ignored(&format!("history::tests::{name}"));
    command.env("HISTORY_FOLDER", folder).stdout(std::process::Stdio::null());
    command
}

fn given_folder() -> PathBuf {
    std::env::var_os("HISTORY_FOLDER").expect("another test starts this one").into()
}

#[test]
#[ignore = "the process that the next test kills"]
fn writes_without_an_end() {
    let mut store = open(&given_folder().join("h.db"), BOUNDS).unwrap();
    for number in 0.. {
        let at = now() - 20_000 + number % 2_000 * 10;
        store.keep(now(), &[(at, sample(number % 50))], &[ended(number, now() * 1000)]).unwrap();
    }
}

#[test]
fn a_process_killed_in_the_middle_of_writing_leaves_a_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.db");
    let mut before = 0;
    for round in 0..5 {
        let mut writer = child("writes_without_an_end", folder.path()).spawn().unwrap();
        until("it writes", || fs::metadata(folder.path().join("h.db-wal")).is_ok_and(|log| log.len() > 100_000));
        std::thread::sleep(Duration::from_millis(7 * round));
        // SIGKILL.
        writer.kill().unwrap();
        writer.wait().unwrap();
        let store = open(&path, BOUNDS).unwrap();
        let count: u64 = store.db.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0)).unwrap();
        assert!(count > before, "{count} after {before}: what was written before is still there");
        before = count;
        let sound: String = store.db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
        store.close();
    }
}

#[test]
#[ignore = "the next test starts it where the disk is small"]
fn goes_on_when_a_full_disk_has_room_again() {
    let folder = given_folder();
    fs::write(folder.join("ballast"), vec![0; 300_000]).unwrap();
    let history = History::start(Some(Place::File(folder.join("h.db"))), BOUNDS).unwrap();
    let mut number = 0;
    until("the disk is full", || {
        number += 1;
        history.sample(now() - 2_000 + number % 100 * 10, sample(number));
        history.is_failing()
    });
    let why = serde_json::to_value(history.status()).unwrap();
    assert!(why["why"].as_str().unwrap().contains("there is no room"), "{why}");
    fs::remove_file(folder.join("ballast")).unwrap();
    until("it works again", || !history.is_failing());
    history.close();
    let store = open(&folder.join("h.db"), BOUNDS).unwrap();
    let sound: String = store.db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

#[test]
fn a_full_disk_costs_history_alone() {
    let folder = tempfile::tempdir().unwrap();
    let inner = child("goes_on_when_a_full_disk_has_room_again", folder.path());
    if let Some(test) = apart::on_small_disk(folder.path(), 600, &inner) {
        apart::passes(test);
    }
}
