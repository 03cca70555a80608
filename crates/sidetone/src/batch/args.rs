//! The options of `sidetone batch`.

use super::nats::NatsArgs;
use super::values::duration;
use crate::transcode::{EncoderArgs, PcmArgs};
use clap::builder::PossibleValuesParser;
use sidetone_batch::MOST_ATTEMPTS;
use sidetone_batch::tenant::{NOBODY, Tenant};
use std::path::PathBuf;
use std::time::Duration;

/// Work through many files: transcode, measure, or seal anew; here, or on many machines.
///
/// Without --nats the jobs are done in this process, as many at a time as it has processors. With --nats they go into a
/// queue, from which `sidetone worker` takes them on any machine; the files are on storage that all share, below --root
/// (at another place on each machine, if need be), or go through NATS's object store (--objects).
///
/// Each job makes one file, named NAME.ADDRESS.ENDING after what it is made of: the content of the input, the options and
/// the version of this program. The same again makes the same name and the same bytes. So a batch that was interrupted
/// goes on where it stood when it is run again, and what is there is not made again. Files appear complete or not at all.
///
/// A job that cannot be done here and now (a full disk, a missing file) is tried again, elsewhere if there is an
/// elsewhere; one that never can be, or failed --attempts times, is a dead letter: the report names it with its reason,
/// and the exit code is 1.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone batch transcode recordings/ --to opus --bitrate 24k --out coded
  sidetone batch transcode recordings/ --to opus --out coded --dry-run
  sidetone batch loudness coded/*.opus --out measured --json
  sidetone batch reseal calls/ --keys keys --from-key '{}.old' --to-key '{}.new' --out sealed

On many machines, with storage that all of them share:
  nats-server -js                                                    (once)
  sidetone worker --nats nats://queue:4222 --root /mnt/calls         (on each)
  sidetone batch transcode /mnt/calls/in --to opus --out /mnt/calls/out \\
                 --nats nats://queue:4222 --root /mnt/calls          (anywhere)

Ctrl-C ends a batch: what is being made is given up, what waits in a queue is taken back, and the
same command goes on later.

Exit codes: 0 all files are there; 1 some are not, or it did not start; 2 wrong usage; 128 and the
number of a signal that ended it (130 for Ctrl-C).")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(super) kind: Kind,
}

#[derive(clap::Subcommand)]
pub(super) enum Kind {
    Transcode(Box<TranscodeArgs>),
    Loudness(Box<LoudnessArgs>),
    Reseal(Box<ResealArgs>),
}

impl Kind {
    pub(super) fn common(&self) -> &Common {
        match self {
            Self::Transcode(args) => &args.common,
            Self::Loudness(args) => &args.common,
            Self::Reseal(args) => &args.common,
        }
    }
}

/// Code files anew: WAV, Ogg Opus and opus_demo .bit into one another, as `sidetone transcode` does.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone batch transcode in/ --to opus --bitrate 24k --frame 20 --out out
  sidetone batch transcode a.opus b.opus --to wav --rate 16000 --out out")]
pub(super) struct TranscodeArgs {
    /// What to make: opus, ogg, bit or wav.
    #[arg(long, value_name = "ENDING", value_parser = PossibleValuesParser::new(["opus", "ogg", "bit", "wav"]), hide_possible_values = true)]
    pub(super) to: String,
    #[command(flatten)]
    pub(super) pcm: PcmArgs,
    #[command(flatten)]
    pub(super) encoder: EncoderArgs,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Measure loudness (EBU R 128) and silence: a line of JSON for each file.
///
/// For each file OUT gets NAME.ADDRESS.json, and for the whole batch loudness.ADDRESS.jsonl, with a line for each file in
/// the order in which they were named: integrated loudness in LUFS, loudness range in LU, true peak in dBTP, the share of
/// silence and its longest stretch.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone batch loudness calls/ --out measured
  sidetone batch loudness calls/ --silence-db -50 --out measured")]
pub(super) struct LoudnessArgs {
    /// Silence is what stays below this level for 10 ms, in dBFS.
    #[arg(long, value_name = "DB", default_value_t = -60, allow_negative_numbers = true, value_parser = clap::value_parser!(i16).range(-120..0))]
    pub(super) silence_db: i16,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Seal archives of captured datagrams (.sealed) under other keys, without a look at the audio.
///
/// Keys are in files, 32 hex digits in NAME.key below --keys, and named by their NAME; {} in it stands for the archive's
/// own name. A new key seals one archive, as nonces of two could meet. Docs: docs/batch.md has the form of archives.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone batch reseal monday.sealed --keys keys --from-key old --to-key new --out sealed
  sidetone batch reseal calls/ --keys keys --from-key '{}.old' --to-key '{}.new' --out sealed")]
pub(super) struct ResealArgs {
    /// Folder of keys. Workers have their own.
    #[arg(long, value_name = "DIR", env = "SIDETONE_KEYS", hide_env_values = true)]
    pub(super) keys: PathBuf,
    /// Name of the key that the archives are sealed with.
    #[arg(long, value_name = "NAME")]
    pub(super) from_key: String,
    /// Name of the key that they are to be sealed with.
    #[arg(long, value_name = "NAME")]
    pub(super) to_key: String,
    #[command(flatten)]
    pub(super) common: Common,
}

/// What all batches have.
#[derive(clap::Args)]
pub(super) struct Common {
    /// Files, and folders whose files are taken by their endings.
    #[arg(required = true, value_name = "IN")]
    pub(super) inputs: Vec<PathBuf>,
    /// Folder to make the files in; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Only say what would be done.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Report as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Jobs at a time, in this process [default: its processors].
    #[arg(long, value_name = "N", env = "SIDETONE_JOBS", hide_env_values = true, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: Option<u16>,
    /// Whose jobs they are; in this process also its quota: toys:frames=2000,cpu=0.5,memory=32M,sessions=2.
    #[arg(long, value_name = "NAME", env = "SIDETONE_TENANT", hide_env_values = true, default_value = NOBODY, value_parser = Tenant::parse)]
    pub(super) tenant: Tenant,
    /// Longest time of a job, such as 90s, 20m or 1h.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub(super) job_limit: Duration,
    #[command(flatten)]
    pub(super) nats: NatsArgs,
    /// Files go through NATS's object store: workers share no storage with this machine.
    #[arg(long, requires = "nats", help_heading = super::nats::HEADING)]
    pub(super) objects: bool,
    /// How often a job is tried before it is a dead letter.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_ATTEMPTS)), help_heading = super::nats::HEADING)]
    pub(super) attempts: u32,
    /// Time before a second try; doubled before each further one.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration, help_heading = super::nats::HEADING)]
    pub(super) retry_delay: Duration,
    /// Give up when no worker has said a word for so long.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration, help_heading = super::nats::HEADING)]
    pub(super) patience: Duration,
}
