//! Values of settings: from text, and back to the name in a report. Every refusal names what is allowed.

use sidetone_opus::{Application, Bandwidth, Bitrate, Channels, FrameDuration, SampleRate, Signal, Split};

/// Values that have a name each.
pub type Names<T> = &'static [(&'static str, T)];

/// What an encoder may optimise for.
pub const APPLICATIONS: Names<Application> =
    &[("voip", Application::Voip), ("audio", Application::Audio), ("lowdelay", Application::LowDelay)];

/// Bandwidths: 4, 6, 8, 12 and 20 kHz.
pub const BANDWIDTHS: Names<Bandwidth> = &[
    ("nb", Bandwidth::Narrow),
    ("mb", Bandwidth::Medium),
    ("wb", Bandwidth::Wide),
    ("swb", Bandwidth::SuperWide),
    ("fb", Bandwidth::Full),
];

/// What a signal may be.
pub const SIGNALS: Names<Signal> = &[("auto", Signal::Auto), ("voice", Signal::Voice), ("music", Signal::Music)];

/// When long frames are coded in pieces.
pub const SPLITS: Names<Split> = &[("auto", Split::Auto), ("never", Split::Never), ("always", Split::Always)];

/// Sample rates, in Hz.
pub const RATES: Names<SampleRate> = &[
    ("8000", SampleRate::Hz8000),
    ("12000", SampleRate::Hz12000),
    ("16000", SampleRate::Hz16000),
    ("24000", SampleRate::Hz24000),
    ("48000", SampleRate::Hz48000),
];

/// Channels.
pub const CHANNELS: Names<Channels> = &[("1", Channels::Mono), ("2", Channels::Stereo)];

/// Durations of a frame, in ms.
pub const FRAMES: Names<FrameDuration> = &[
    ("2.5", FrameDuration::Ms2_5),
    ("5", FrameDuration::Ms5),
    ("10", FrameDuration::Ms10),
    ("20", FrameDuration::Ms20),
    ("40", FrameDuration::Ms40),
    ("60", FrameDuration::Ms60),
    ("80", FrameDuration::Ms80),
    ("100", FrameDuration::Ms100),
    ("120", FrameDuration::Ms120),
];

/// The value of a name.
#[must_use]
pub fn named<T: Copy>(names: Names<T>, name: &str) -> Option<T> {
    names.iter().find(|(known, _)| *known == name).map(|&(_, value)| value)
}

/// The name of a value.
#[must_use]
pub fn name_of<T: PartialEq>(names: Names<T>, value: &T) -> &'static str {
    names.iter().find(|(_, named)| named == value).map_or("?", |&(name, _)| name)
}

/// `24000`, `24k`, `auto` or `max`.
///
/// # Errors
/// What is allowed.
pub fn bitrate(text: &str) -> Result<Bitrate, String> {
    let number = match text.strip_suffix(['k', 'K']) {
        _ if text == "auto" => return Ok(Bitrate::Auto),
        _ if text == "max" => return Ok(Bitrate::Max),
        Some(thousands) => thousands.parse::<f64>().ok().map(|thousands| thousands * 1000.0),
        None => text.parse().ok(),
    };
    match number {
        Some(bits) if (500.0..=512_000.0).contains(&bits) => Ok(Bitrate::BitsPerSecond(bits.round() as u32)),
        _ => Err("a bitrate is 500 to 512000 bits/s (24000 or 24k), auto, or max".to_owned()),
    }
}

/// A whole number within bounds.
fn within(text: &str, most: u8, what: &str) -> Result<u8, String> {
    text.parse().ok().filter(|&number: &u8| number <= most).ok_or_else(|| format!("{what} is 0 to {most}"))
}

/// 0 to 10.
///
/// # Errors
/// What is allowed.
pub fn complexity(text: &str) -> Result<u8, String> {
    within(text, 10, "complexity")
}

/// 0 to 100 percent.
///
/// # Errors
/// What is allowed.
pub fn expected_loss(text: &str) -> Result<u8, String> {
    within(text, 100, "expected loss in percent")
}

/// A share of packets, in percent.
///
/// # Errors
/// What is allowed.
pub fn loss(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).parse().ok();
    percent.filter(|percent| (0.0..=100.0).contains(percent)).ok_or_else(|| "loss is 0 to 100 percent".to_owned())
}

/// A mean length of bursts.
///
/// # Errors
/// What is allowed.
pub fn burst(text: &str) -> Result<f64, String> {
    let length = text.parse().ok();
    length
        .filter(|length| (1.0..=1000.0).contains(length))
        .ok_or_else(|| "the mean length of a burst is 1 to 1000 packets".to_owned())
}

/// What the line's chances begin with.
///
/// # Errors
/// What is allowed.
pub fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number, 0 to {}", u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitrates_come_in_bits_and_in_thousands() {
        for (text, value) in [
            ("auto", Bitrate::Auto),
            ("max", Bitrate::Max),
            ("500", Bitrate::BitsPerSecond(500)),
            ("24k", Bitrate::BitsPerSecond(24_000)),
            ("12.5K", Bitrate::BitsPerSecond(12_500)),
            ("512000", Bitrate::BitsPerSecond(512_000)),
        ] {
            assert_eq!(bitrate(text), Ok(value), "{text}");
        }
        for text in ["", "k", "499", "512001", "-1", "NaN", "infk", "24kk", "AUTO"] {
            assert!(bitrate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_frame_duration_of_opus_has_a_name() {
        assert!(FRAMES.iter().map(|&(_, frame)| frame).eq(FrameDuration::ALL));
        assert!(RATES.iter().map(|&(_, rate)| rate).eq(SampleRate::ALL));
        for (name, frame) in FRAMES {
            assert_eq!(name.parse::<f64>().unwrap() * 1000.0, f64::from(frame.micros()));
        }
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(loss("2.5"), Ok(2.5));
        assert_eq!(loss("10%"), Ok(10.0));
        for text in ["", "-1", "100.1", "NaN", "ten"] {
            assert!(loss(text).is_err(), "{text}");
        }
        assert!(burst("0").is_err() && burst("3") == Ok(3.0));
    }
}
