//! Offline jobs of Sidetone: files transcoded, sealed archives put under another key, loudness and silence measured; by
//! the pool of one process, or by workers on many machines that share a NATS JetStream work queue.
//!
//! | | |
//! |---|---|
//! | [`Job`], [`Work`] | what is to be made of a file; it holds no secret |
//! | [`Workshop`] | does one job on a [`Pool`](sidetone_host::Pool), in a fresh instance, within its tenant's quota |
//! | [`plan`] | files to jobs, and which of them are done already |
//! | [`Queue`] | where jobs are handed in, and what is heard of them: [`local`] or [`nats`] |
//! | [`batch`] | a batch from its plan to its tally, over any queue |
//!
//! What a job makes is named by what it is made of: the same input, options, component and program give the same name and
//! the same bytes, whoever makes them and how often. That is why a job may be done twice (a worker died, a message came
//! again), a batch repeated, and two run at once in one folder. An output appears complete, on disk, under its name, or
//! not at all.
#![forbid(unsafe_code)]

mod address;
pub mod batch;
pub mod capture;
mod codecs;
mod event;
mod files;
mod job;
mod keys;
mod kinds;
pub mod local;
pub mod nats;
mod options;
pub mod plan;
mod problem;
mod queue;
mod scratch;
mod stop;
pub mod tenant;
mod workshop;

pub use address::Address;
pub use event::{Event, Made};
pub use files::Root;
pub use job::{FORM, Input, Job, MOST_ATTEMPTS, Place};
pub use keys::{KeyName, Keys};
pub use kinds::{KINDS, LoudnessOptions, ResealOptions, Work};
pub use options::{FORMATS, TranscodeOptions};
pub use problem::{Fate, Problem};
pub use queue::Queue;
pub use scratch::{Scratch, sweep};
pub use stop::Stop;
pub use tenant::Tenant;
pub use workshop::{Fittings, PROGRAM, Workshop};
