//! Values of options, from text. Every refusal says what is allowed.

use std::time::Duration;

use sidetone_protocol::message::ListenMode;
use sidetone_protocol::topic::Dialect;

use crate::Kind;

fn one_of<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(name, _)| *name == text).map(|&(_, value)| value);
    found.ok_or_else(|| format!("give {}", known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")))
}

pub(super) fn kind(text: &str) -> Result<Kind, String> {
    let kinds = [Kind::Firmware, Kind::Firmware2025, Kind::Improved].map(|kind| (kind.to_string(), kind));
    one_of(text, &kinds.each_ref().map(|(name, kind)| (name.as_str(), *kind)))
}

pub(super) fn dialect(text: &str) -> Result<Dialect, String> {
    one_of(text, &[("mac", Dialect::Mac), ("client-id", Dialect::ClientId), ("per-device", Dialect::PerDevice)])
}

pub(super) fn mode(text: &str) -> Result<ListenMode, String> {
    one_of(text, &[ListenMode::Realtime, ListenMode::Auto, ListenMode::Manual].map(|mode| (mode.as_str(), mode)))
}

/// Percent, to a share.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).trim_end().parse().ok();
    let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
    percent.map(|percent: f64| percent / 100.0).ok_or_else(|| "give 0 to 100 percent".into())
}

/// `90s`, `1.5m`, `500ms`, `2h`; a bare number is seconds.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    duration(text, 1.0)
}

/// The same; a bare number is milliseconds.
pub(super) fn millis(text: &str) -> Result<Duration, String> {
    duration(text, 0.001)
}

fn duration(text: &str, bare: f64) -> Result<Duration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let unit = match text[end..].trim() {
        "" => bare,
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => return Err("units are ms, s, m and h".into()),
    };
    let number: f64 = text[..end].parse().map_err(|_| "give a number and a unit, as in 500ms or 30s".to_owned())?;
    Duration::try_from_secs_f64(number * unit)
        .ok()
        .filter(|duration| *duration <= Duration::from_secs(30 * 86_400))
        .ok_or_else(|| "30 days at most".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, millis) in [("30s", 30_000), ("1.5m", 90_000), ("250ms", 250), ("2", 2_000), ("1h", 3_600_000)] {
            assert_eq!(time(text), Ok(Duration::from_millis(millis)));
        }
        assert_eq!(super::millis("30"), Ok(Duration::from_millis(30)));
        assert!(time("31").is_ok() && time("s").is_err() && time("900h").is_err());
    }
}
