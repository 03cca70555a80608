//! The queue that machines share: a JetStream work queue, whose jobs are taken one by one, acknowledged when what they
//! make is on disk, and given to another worker where that does not happen.
//!
//! Of a queue called `sidetone` there are
//!
//! | | |
//! |---|---|
//! | stream `sidetone-jobs` | `sidetone.job.RUN`: jobs of a batch; a work queue, on disk |
//! | stream `sidetone-events` | `sidetone.event.RUN`: what became of them, for a day |
//! | stream `sidetone-dead` | `sidetone.dead.RUN`: dead letters, for 30 days |
//! | consumer `workers` | explicit acknowledgement, at most [`MOST_DELIVERIES`] deliveries |
//! | subject `sidetone.progress.RUN` | how far jobs are; not kept |
//! | bucket `sidetone-files` | with `--objects`: inputs and outputs, for a day |

mod access;
mod creds;
mod letters;
mod objects;
mod streams;
mod submit;
mod worker;

pub use access::{Access, Login};
pub use streams::{MOST_DELIVERIES, QueueName};
pub use submit::Submitted;
pub use worker::{Stats, Worker};
