//! The options of `sidetone transcode`.

use crate::values::{self, one_of};
use anyhow::{Context, Result, bail};
use sidetone_host::Key;
use sidetone_opus::{Application, Bandwidth, Bitrate, Channels, FrameDuration, SampleRate, Signal, Split};
use sidetone_transcode::{EncoderOptions, PcmOptions};
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::str::FromStr;

/// Turn audio or Opus packets into audio or Opus packets, through the component.
///
/// What IN is, its content tells; what OUT shall be, its name: .wav; .opus or .ogg; .bit (packets as opus_demo writes
/// them, with the encoder's final range). WAV to WAV encodes and decodes: OUT is what a listener hears, aligned with IN
/// and exactly as long. Packets to packets are passed on as they are, unless an encoder option asks for other ones.
///
/// IN may be a chain of Ogg Opus streams (files joined with cat): it is decoded to its end, as one recording. NaN and
/// infinite samples of a WAV file are refused. IN and OUT are files, not pipes; IN holds at most 6 hours of packets.
///
/// An existing OUT is replaced, but only once the new one is complete: after an error, Ctrl-C or SIGTERM it is as it
/// was, and after SIGKILL, too. (Where files must have a name, which on Linux they need not, that leaves a hidden one that
/// ends in .part, to be deleted.) A signal that comes when OUT is complete changes nothing: the exit code is 0. The report is printed after
/// that; where it cannot be printed, the exit code is 1 and OUT stays.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone transcode speech.wav speech.opus --bitrate 24k --frame 20
  sidetone transcode speech.opus speech.wav --rate 16000
  sidetone transcode speech.wav speech.bit --complexity 5 --cbr
  sidetone transcode speech.wav heard.wav --seal random --loss 10 --burst=3 --fec
  sidetone transcode speech.opus speech.bit            (the same packets in another file)
  SIDETONE_KEY=$(cat key) sidetone transcode speech.wav heard.wav --json")]
pub(crate) struct Args {
    /// WAV (8-, 16-, 24- or 32-bit integers or 32-bit floats, 4000 to 192000 Hz, 1 to 32 channels), Ogg Opus (1 or 2
    /// channels), or opus_demo .bit.
    #[arg(value_name = "IN")]
    pub(crate) input: PathBuf,
    /// File to write: .wav (16-bit), .opus, .ogg or .bit.
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) pcm: PcmArgs,
    #[command(flatten)]
    pub(crate) encoder: EncoderArgs,
    #[command(flatten)]
    pub(crate) line: LineArgs,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Audio")]
pub(crate) struct PcmArgs {
    /// Rate in Hz that the codec works at, and that a WAV file written has.
    ///
    /// Default: that of IN, or the next higher that Opus has; a WAV file made of a WAV file gets the rate of IN back.
    #[arg(long, value_name = "HZ", allow_negative_numbers = true, value_parser = one_of(values::RATES), hide_possible_values = true)]
    rate: Option<SampleRate>,
    /// Channels that the codec works with, 1 or 2 [default: those of IN; more than two are mixed to one].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = one_of(values::CHANNELS), hide_possible_values = true)]
    channels: Option<Channels>,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Encoder")]
pub(crate) struct EncoderArgs {
    /// Bits a second, 500 to 512000: 24000, 24k, auto (by rate and frame) or max [default: auto].
    #[arg(long, value_name = "BITS", allow_negative_numbers = true, value_parser = values::bitrate)]
    bitrate: Option<Bitrate>,
    /// CPU against sound, 0 to 10 [default: 10].
    #[arg(long, value_name = "0-10", allow_negative_numbers = true, value_parser = values::complexity)]
    complexity: Option<u8>,
    /// Audio in a packet, in ms: 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 [default: 60, as voice devices use].
    #[arg(long, value_name = "MS", allow_negative_numbers = true, value_parser = one_of(values::FRAMES), hide_possible_values = true)]
    frame: Option<FrameDuration>,
    /// What to optimise for: voip (speech), audio (faithfulness) or lowdelay [default: voip].
    #[arg(long, value_name = "WHAT", value_parser = one_of(values::APPLICATIONS), hide_possible_values = true)]
    application: Option<Application>,
    /// Variable bitrate: the default.
    #[arg(long, conflicts_with = "cbr")]
    vbr: bool,
    /// Constant bitrate: all packets of one size.
    #[arg(long)]
    cbr: bool,
    /// Packets of a byte or two while nobody speaks.
    #[arg(long)]
    dtx: bool,
    /// Redundancy in each packet for the one before it, from which a lost one is recovered.
    #[arg(long)]
    fec: bool,
    /// Loss to prepare for, in percent [default: with --fec that of --loss, or 10; else 0].
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, value_parser = values::expected_loss)]
    expected_loss: Option<u8>,
    /// Highest bandwidth: nb, mb, wb, swb or fb (4, 6, 8, 12, 20 kHz) [default: fb].
    #[arg(long, value_name = "BAND", value_parser = one_of(values::BANDWIDTHS), hide_possible_values = true)]
    bandwidth: Option<Bandwidth>,
    /// What IN is, where you know: auto, voice or music [default: auto].
    #[arg(long, value_name = "KIND", value_parser = one_of(values::SIGNALS), hide_possible_values = true)]
    signal: Option<Signal>,
    /// Code frames above 20 ms in pieces of 20 ms: auto (where that is better), never or always [default: auto].
    #[arg(long, value_name = "WHEN", value_parser = one_of(values::SPLITS), hide_possible_values = true)]
    split: Option<Split>,
}

impl From<&PcmArgs> for PcmOptions {
    fn from(args: &PcmArgs) -> Self {
        Self { rate: args.rate, channels: args.channels }
    }
}

impl From<&EncoderArgs> for EncoderOptions {
    fn from(args: &EncoderArgs) -> Self {
        Self {
            bitrate: args.bitrate,
            complexity: args.complexity,
            frame: args.frame,
            application: args.application,
            vbr: args.vbr,
            cbr: args.cbr,
            dtx: args.dtx,
            fec: args.fec,
            expected_loss: args.expected_loss,
            bandwidth: args.bandwidth,
            signal: args.signal,
            split: args.split,
        }
    }
}

/// The environment variable that has the key, where no option does.
const VARIABLE: &str = "SIDETONE_KEY";

#[derive(clap::Args)]
#[command(next_help_heading = "On the way from encoder to decoder")]
pub(crate) struct LineArgs {
    /// Seal every packet on a device's side and open it on a gateway's, with this AES-128 key: 32 hex digits, or
    /// random. Setting SIDETONE_KEY does the same, and keeps the key out of the list of processes.
    // Checked later, and the environment looked at there: clap would repeat a refused value.
    #[arg(long, value_name = "KEY")]
    seal: Option<OsString>,
    /// Lose this share of the packets, in percent.
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, value_parser = values::loss)]
    pub(crate) loss: Option<f64>,
    /// Lose them in bursts of 3 on average, or of N: --burst=N.
    #[arg(long, value_name = "N", value_parser = values::burst, num_args = 0..=1, require_equals = true, default_missing_value = "3", requires = "loss")]
    pub(crate) burst: Option<f64>,
    /// Which packets are lost: the same number, the same packets.
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 5, value_parser = values::seed, requires = "loss")]
    pub(crate) seed: u64,
}

impl LineArgs {
    /// The key to seal with.
    pub(crate) fn key(&self) -> Result<Option<Key>> {
        let by_option = self.seal.clone().map(|text| (text, "--seal"));
        let Some((text, source)) = by_option.or_else(|| env::var_os(VARIABLE).map(|text| (text, VARIABLE))) else {
            return Ok(None);
        };
        parse_key(&text).map(Some).context(source)
    }
}

/// Errors do not repeat the text.
fn parse_key(text: &OsStr) -> Result<Key> {
    match text.to_str() {
        None => bail!("a key is 32 hex digits (16 bytes), this is not even text (UTF-8)"),
        Some("") => bail!("the key is empty; a key is 32 hex digits (16 bytes), or the word random"),
        Some("random") => {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).context("the system has no random numbers for a key")?;
            Ok(Key::new(bytes))
        }
        Some(text) => Ok(Key::from_str(text)?),
    }
}
