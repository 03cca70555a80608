//! Names of files: time, device, session; nothing in them that a file system takes for something else.

use crate::calendar::civil;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most characters of a device's id in a name.
const DEVICE: usize = 64;

/// The same of a session's.
const SESSION: usize = 40;

/// What all files of a session begin with: `20261123T034906.123Z-DEVICE-SESSION`.
pub(super) fn stem(at: SystemTime, device: &str, session: &str) -> String {
    format!("{}-{}-{}", time(at), harmless(device, DEVICE), harmless(session, SESSION))
}

/// UTC, so that names sort by time.
pub(super) fn time(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, rest) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{:03}Z", since.subsec_millis())
}

fn harmless(text: &str, most: usize) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = text.chars().take(most).map(keep).collect();
    if name.is_empty() { "_".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> String {
        time(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(at(0), "19700101T000000.000Z");
        assert_eq!(at(951_782_400), "20000229T000000.000Z");
        assert_eq!(at(951_868_799), "20000229T235959.000Z");
        assert_eq!(at(951_868_800), "20000301T000000.000Z");
        assert_eq!(at(1_735_689_599), "20241231T235959.000Z");
        assert_eq!(at(4_107_542_400), "21000301T000000.000Z", "2100 has no leap day");
        assert_eq!(time(UNIX_EPOCH + Duration::from_millis(1_500)), "19700101T000001.500Z");
    }

    #[test]
    fn nothing_in_an_id_leads_out_of_the_directory() {
        let name = stem(UNIX_EPOCH, "../..\\etc:passwd@@@\u{202e}", "");
        assert_eq!(name, "19700101T000000.000Z-______etc_passwd____-_");
        let long = stem(UNIX_EPOCH, &"a".repeat(300), &"b".repeat(300));
        assert_eq!(long.len(), 20 + 1 + DEVICE + 1 + SESSION);
    }
}
