//! The options of a transcoding job, as they are written into it: by name, so that a job can be read.

use serde::{Deserialize, Serialize};
use sidetone_audio::Format;
use sidetone_opus::Bitrate;
use sidetone_transcode::values::{self, Names, name_of, named};
use sidetone_transcode::{EncoderOptions, PcmOptions};

/// What to make of a file. Names and values are those of the command line's options.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TranscodeOptions {
    /// `opus`, `ogg`, `bit` or `wav`.
    pub to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bitrate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    complexity: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    vbr: bool,
    #[serde(skip_serializing_if = "is_false")]
    cbr: bool,
    #[serde(skip_serializing_if = "is_false")]
    dtx: bool,
    #[serde(skip_serializing_if = "is_false")]
    fec: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_loss: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bandwidth: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<String>,
}

/// Formats that a job can write, by the endings of their names.
pub const FORMATS: [(&str, Format); 4] =
    [("opus", Format::OggOpus), ("ogg", Format::OggOpus), ("bit", Format::Bit), ("wav", Format::Wav)];

fn is_false(flag: &bool) -> bool {
    !flag
}

impl TranscodeOptions {
    /// Of what a command line asked for. `to` is one of [`FORMATS`].
    #[must_use]
    pub fn new(to: &str, pcm: &PcmOptions, encoder: &EncoderOptions) -> Self {
        fn name<T: PartialEq>(names: Names<T>, value: Option<T>) -> Option<String> {
            value.map(|value| name_of(names, &value).to_owned())
        }
        let bitrate = |bitrate| match bitrate {
            Bitrate::Auto => "auto".to_owned(),
            Bitrate::Max => "max".to_owned(),
            Bitrate::BitsPerSecond(bits) => bits.to_string(),
        };
        Self {
            to: to.to_owned(),
            rate: name(values::RATES, pcm.rate),
            channels: name(values::CHANNELS, pcm.channels),
            bitrate: encoder.bitrate.map(bitrate),
            complexity: encoder.complexity,
            frame: name(values::FRAMES, encoder.frame),
            application: name(values::APPLICATIONS, encoder.application),
            vbr: encoder.vbr,
            cbr: encoder.cbr,
            dtx: encoder.dtx,
            fec: encoder.fec,
            expected_loss: encoder.expected_loss,
            bandwidth: name(values::BANDWIDTHS, encoder.bandwidth),
            signal: name(values::SIGNALS, encoder.signal),
            split: name(values::SPLITS, encoder.split),
        }
    }

    /// The values behind the names.
    ///
    /// # Errors
    /// A name that is none, of a job that this program did not write.
    pub fn values(&self) -> Result<(Format, PcmOptions, EncoderOptions), String> {
        let to = FORMATS.iter().find(|(ending, _)| *ending == self.to).map(|&(_, format)| format);
        let to = to.ok_or_else(|| format!("to = {:?} is no format; use opus, ogg, bit or wav", self.to))?;
        let pcm = PcmOptions {
            rate: value("rate", values::RATES, self.rate.as_ref())?,
            channels: value("channels", values::CHANNELS, self.channels.as_ref())?,
        };
        let encoder = EncoderOptions {
            bitrate: self.bitrate.as_deref().map(values::bitrate).transpose()?,
            complexity: within("complexity", self.complexity, 10)?,
            frame: value("frame", values::FRAMES, self.frame.as_ref())?,
            application: value("application", values::APPLICATIONS, self.application.as_ref())?,
            vbr: self.vbr,
            cbr: self.cbr,
            dtx: self.dtx,
            fec: self.fec,
            expected_loss: within("expected_loss", self.expected_loss, 100)?,
            bandwidth: value("bandwidth", values::BANDWIDTHS, self.bandwidth.as_ref())?,
            signal: value("signal", values::SIGNALS, self.signal.as_ref())?,
            split: value("split", values::SPLITS, self.split.as_ref())?,
        };
        Ok((to, pcm, encoder))
    }
}

fn value<T: Copy>(option: &str, names: Names<T>, name: Option<&String>) -> Result<Option<T>, String> {
    let Some(name) = name else { return Ok(None) };
    let known = || names.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    named(names, name).map(Some).ok_or_else(|| format!("{option} = {name:?} is unknown; use one of {}", known()))
}

fn within(option: &str, number: Option<u8>, most: u8) -> Result<Option<u8>, String> {
    if number.is_some_and(|number| number > most) {
        return Err(format!("{option} is above {most}"));
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sidetone_opus::{Application, FrameDuration, SampleRate};

    #[test]
    fn options_survive_the_way_through_a_job() {
        let pcm = PcmOptions { rate: Some(SampleRate::Hz16000), channels: None };
        let encoder = EncoderOptions {
            bitrate: Some(Bitrate::BitsPerSecond(24_000)),
            frame: Some(FrameDuration::Ms2_5),
            application: Some(Application::LowDelay),
            dtx: true,
            ..EncoderOptions::default()
        };
        let options = TranscodeOptions::new("bit", &pcm, &encoder);
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(
            text,
            r#"{"to":"bit","rate":"16000","bitrate":"24000","frame":"2.5","application":"lowdelay","dtx":true}"#
        );
        let read: TranscodeOptions = serde_json::from_str(&text).unwrap();
        assert_eq!(read.values().unwrap(), (Format::Bit, pcm, encoder));
    }

    #[test]
    fn names_that_are_none_are_refused_with_those_that_are() {
        for (text, message) in [
            (r#"{"to":"mp3"}"#, "to = \"mp3\" is no format; use opus, ogg, bit or wav"),
            (r#"{"to":"opus","signal":"noise"}"#, "signal = \"noise\" is unknown; use one of auto, voice, music"),
            (r#"{"to":"opus","complexity":11}"#, "complexity is above 10"),
        ] {
            assert_eq!(serde_json::from_str::<TranscodeOptions>(text).unwrap().values().unwrap_err(), message);
        }
    }
}
