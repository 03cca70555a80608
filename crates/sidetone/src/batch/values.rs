//! Times on the command line.

use std::time::Duration;

/// `250ms`, `90s`, `20m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    let time = number.parse::<u64>().ok().and_then(|number| number.checked_mul(millis)).filter(|&millis| millis > 0);
    time.map(Duration::from_millis)
        .ok_or_else(|| "a time is a whole number above 0 with ms, s, m or h, such as 90s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, millis) in [("250ms", 250), ("90s", 90_000), ("20m", 1_200_000), ("1h", 3_600_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "0s", "-1s", "1.5s", "s", "1d", "99999999999999999999s", "ä"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
