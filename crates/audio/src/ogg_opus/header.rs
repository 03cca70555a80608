//! The two header packets of an Ogg Opus stream (RFC 7845 section 5).

use super::Checked;

/// Identification header, `OpusHead` (RFC 7845 section 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Channels to decode to: 1 or 2.
    pub channels: u8,
    /// Samples at 48 kHz to drop from the start of what is decoded: the encoder's delay.
    pub pre_skip: u16,
    /// Sample rate of what was encoded, Hz: for information, as Opus decodes to any rate. 0 if not known; any value may
    /// occur.
    pub input_rate: u32,
    /// Gain to apply after decoding, in 1/256 dB (Q7.8).
    pub output_gain: i16,
}

impl Head {
    pub(super) const MAGIC: &'static [u8; 8] = b"OpusHead";

    /// Factor to multiply decoded samples by; 1 if the file asks for no gain.
    #[must_use]
    pub fn gain_factor(&self) -> f64 {
        10f64.powf(f64::from(self.output_gain) / (20.0 * 256.0))
    }

    pub(super) fn parse(packet: &[u8]) -> Checked<Self> {
        let Some(([version, channels, skip @ .., r0, r1, r2, r3, g0, g1, family], _)) =
            packet.strip_prefix(Self::MAGIC).and_then(|rest| rest.split_first_chunk::<11>())
        else {
            return Err("its OpusHead packet is too short".to_owned());
        };
        // The upper four bits are the major version; minor ones are compatible, and only 0 is defined.
        if version >> 4 != 0 {
            return Err(format!("its OpusHead has version {version}"));
        }
        if *family != 0 || !(1..=2).contains(channels) {
            return Err(format!("it has {channels} channels in mapping family {family}"));
        }
        Ok(Self {
            channels: *channels,
            pre_skip: u16::from_le_bytes(*skip),
            input_rate: u32::from_le_bytes([*r0, *r1, *r2, *r3]),
            output_gain: i16::from_le_bytes([*g0, *g1]),
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut packet = Self::MAGIC.to_vec();
        packet.extend([1, self.channels]);
        packet.extend(self.pre_skip.to_le_bytes());
        packet.extend(self.input_rate.to_le_bytes());
        packet.extend(self.output_gain.to_le_bytes());
        packet.push(0);
        packet
    }
}

/// Comment header, `OpusTags` (RFC 7845 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags {
    /// What encoded it, usually name and version of the library.
    pub vendor: String,
    /// Comments, each `NAME=value`. Bytes that are not UTF-8 read as U+FFFD.
    pub comments: Vec<String>,
}

impl Tags {
    const MAGIC: &'static [u8; 8] = b"OpusTags";

    pub(super) fn parse(packet: &[u8]) -> Checked<Self> {
        let Some(mut rest) = packet.strip_prefix(Self::MAGIC) else {
            return Err("its second packet is not OpusTags".to_owned());
        };
        let cut = || "its OpusTags packet ends inside a comment".to_owned();
        let vendor = string(&mut rest).ok_or_else(cut)?;
        let count = number(&mut rest).ok_or_else(cut)?;
        // Not reserved for: the count may be a lie. Whatever follows the comments is padding or binary data, and
        // ignored.
        let comments = (0..count).map(|_| string(&mut rest).ok_or_else(cut)).collect::<Result<_, _>>()?;
        Ok(Self { vendor, comments })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut packet = Self::MAGIC.to_vec();
        put(&mut packet, &self.vendor);
        packet.extend((self.comments.len() as u32).to_le_bytes());
        self.comments.iter().for_each(|comment| put(&mut packet, comment));
        packet
    }
}

fn put(packet: &mut Vec<u8>, text: &str) {
    packet.extend((text.len() as u32).to_le_bytes());
    packet.extend(text.as_bytes());
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(*bytes))
}

fn string(rest: &mut &[u8]) -> Option<String> {
    let length = number(rest)? as usize;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(String::from_utf8_lossy(bytes).into_owned())
}
