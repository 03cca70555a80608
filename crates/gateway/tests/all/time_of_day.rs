//! The time of day jumps: operators set it, NTP corrects it. What calls, limits, timeouts and alerts go by is measured
//! by clocks that do not; here are all sources that ask for the time of day, and what for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const SHOWN_OR_WRITTEN_DOWN: [&str; 12] = [
    // A silence ends at a time of day, as whoever made it was told.
    "alerts/mod.rs",
    "bridge/record/writer.rs",
    "calls/mod.rs",
    "calls/record.rs",
    // From when to when it is valid. It is renewed by the other clock.
    "edge/web/certificate.rs",
    "gateway.rs",
    "history/file.rs",
    "history/keeper.rs",
    "http/alerts.rs",
    "http/history.rs",
    "http/stats.rs",
    // Defines it.
    "monitor/mod.rs",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn nothing_is_measured_by_the_time_of_day() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let asks = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        ["SystemTime::now", "unix_millis()", "UtcDateTime", "OffsetDateTime"].iter().any(|name| text.contains(name))
    };
    let found: BTreeSet<String> = sources(&root)
        .iter()
        .filter(|path| asks(path))
        .map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    assert_eq!(found, SHOWN_OR_WRITTEN_DOWN.map(String::from).into());
}
