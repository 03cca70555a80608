//! A job: everything a worker must know of it. It holds no secret.

use crate::kinds::KINDS;
use crate::{Address, Problem, Work};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The form that jobs are written in. A worker does only those of its own.
pub const FORM: u32 = 1;

/// Most tries of a job.
pub const MOST_ATTEMPTS: u32 = 20;

/// One file to be made of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// [`FORM`].
    pub form: u32,
    /// Of all that decides what is made: input, work, component, program, and the name it has before its address.
    pub address: Address,
    /// The name of what is made begins with it.
    pub name: String,
    /// SHA-256 of the component that is to do it.
    pub component: String,
    /// Version of the program, which writes the files.
    pub program: String,
    /// Whose it is.
    pub tenant: String,
    /// What it is made of.
    pub input: Input,
    /// Path of what is made, as [`Input::path`].
    pub output: String,
    /// What is done.
    pub work: Work,
    /// How often it is tried.
    pub attempts: u32,
    /// Before it is tried again, doubled each time.
    pub retry_ms: u64,
}

/// What a job is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Where it is.
    pub place: Place,
    /// Below the root of the shared storage, with `/`; or the name of an object. Without a root, any path.
    pub path: String,
    /// The ending of its name, which tells what it is where its content does not.
    pub ending: String,
    /// SHA-256 of the content.
    pub sha256: Address,
    /// Length.
    pub bytes: u64,
}

/// Where a job's files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Storage that batch and workers share.
    Shared,
    /// NATS's object store.
    Objects,
}

/// Longest time between two tries.
const LONGEST_RETRY: Duration = Duration::from_secs(300);

impl Job {
    /// The address of a job.
    #[must_use]
    pub fn address(component: &str, program: &str, work: &Work, input: &Address, name: &str) -> Address {
        let text = serde_json::json!({
            "form": FORM, "component": component, "program": program, "work": work, "input": input, "name": name,
        });
        Address::of(format!("sidetone job\n{text}").as_bytes())
    }

    /// The name of what a job makes.
    #[must_use]
    pub fn file_name(name: &str, address: &Address, work: &Work) -> String {
        format!("{name}.{}.{}", address.short(), work.ending())
    }

    /// Reads a job from a message.
    ///
    /// # Errors
    /// It is none: [`Fate::Bury`](crate::Fate::Bury). It is one that another worker may know:
    /// [`Fate::GiveBack`](crate::Fate::GiveBack).
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let value: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|error| Problem::bury(format!("the message is no job: {error}")))?;
        let form = value.get("form").and_then(serde_json::Value::as_u64);
        if form.is_some_and(|form| form != u64::from(FORM)) {
            return Err(Problem::give_back(format!(
                "the job has form {}, this worker knows {FORM}; run batch and workers of one version",
                form.unwrap_or_default()
            )));
        }
        let kind = value.pointer("/work/kind").and_then(serde_json::Value::as_str);
        if let Some(kind) = kind.filter(|kind| !KINDS.contains(kind)) {
            return Err(Problem::give_back(format!(
                "unknown job kind {kind:?}; this worker knows {}: run a newer sidetone",
                KINDS.join(", ")
            )));
        }
        let job: Self =
            serde_json::from_value(value).map_err(|error| Problem::bury(format!("the message is no job: {error}")))?;
        if !(1..=MOST_ATTEMPTS).contains(&job.attempts) {
            return Err(Problem::bury(format!(
                "the message is no job: {} attempts, where 1 to {MOST_ATTEMPTS} can be",
                job.attempts
            )));
        }
        Ok(job)
    }

    /// Checks that this program, with this component, is the one that is meant.
    ///
    /// # Errors
    /// It is another: [`Fate::GiveBack`](crate::Fate::GiveBack).
    pub fn check(&self, component: &str, program: &str) -> Result<(), Problem> {
        let short = |hash: &str| hash.chars().take(12).collect::<String>();
        if self.component != component {
            return Err(Problem::give_back(format!(
                "the job is for component {}, this worker runs {}; run batch and workers of one version",
                short(&self.component),
                short(component)
            )));
        }
        if self.program != program {
            return Err(Problem::give_back(format!(
                "the job is for sidetone {}, this worker is {program}; run batch and workers of one version",
                sidetone_audio::shown::text(&self.program)
            )));
        }
        let address = Self::address(component, program, &self.work, &self.input.sha256, &self.name);
        let output = self.output.rsplit('/').next().unwrap_or_default();
        if address != self.address || output != Self::file_name(&self.name, &address, &self.work) {
            return Err(Problem::bury("the job is not what its address says; it was changed on the way"));
        }
        Ok(())
    }

    /// How long to wait after a failed try, the first being 1.
    #[must_use]
    pub fn retry_in(&self, attempt: u32) -> Duration {
        let factor = 1u64 << attempt.saturating_sub(1).min(20);
        Duration::from_millis(self.retry_ms.saturating_mul(factor)).min(LONGEST_RETRY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fate, LoudnessOptions};

    fn job() -> Job {
        let work = Work::Loudness(LoudnessOptions::default());
        let input = Input {
            place: Place::Shared,
            path: "in/a.wav".into(),
            ending: "wav".into(),
            sha256: Address::of(b"a"),
            bytes: 1,
        };
        let mut job = Job {
            form: FORM,
            address: Job::address("c0", "0.1.0", &work, &input.sha256, "a"),
            name: "a".into(),
            component: "c0".into(),
            program: "0.1.0".into(),
            tenant: "batch".into(),
            input,
            output: String::new(),
            work,
            attempts: 3,
            retry_ms: 1000,
        };
        job.output = format!("out/{}", Job::file_name("a", &job.address, &job.work));
        job
    }

    #[test]
    fn a_job_survives_the_way_through_a_message() {
        let job = job();
        assert_eq!(Job::parse(&serde_json::to_vec(&job).unwrap()).unwrap(), job);
        assert!(job.check("c0", "0.1.0").is_ok());
    }

    #[test]
    fn what_another_worker_may_know_is_given_back_and_rubbish_is_buried() {
        let text = serde_json::to_string(&job()).unwrap();
        for (text, fate, reason) in [
            ("hello".to_owned(), Fate::Bury, "the message is no job: "),
            (text.replace("\"form\":1", "\"form\":2"), Fate::GiveBack, "the job has form 2, this worker knows 1;"),
            (
                text.replace("\"loudness\"", "\"mix\""),
                Fate::GiveBack,
                "unknown job kind \"mix\"; this worker knows transcode, reseal, loudness: run a newer sidetone",
            ),
            (
                text.replace("\"attempts\":3", "\"attempts\":21"),
                Fate::Bury,
                "the message is no job: 21 attempts, where",
            ),
            (text.replace("\"tenant\"", "\"owner\""), Fate::Bury, "the message is no job: unknown field `owner`"),
        ] {
            let problem = Job::parse(text.as_bytes()).unwrap_err();
            assert_eq!(problem.fate, fate, "{}", problem.reason);
            assert!(problem.reason.starts_with(reason), "{}", problem.reason);
        }
    }

    #[test]
    fn a_job_of_another_version_is_given_back_with_both_versions() {
        let problem = job().check("c1", "0.1.0").unwrap_err();
        assert_eq!(problem.fate, Fate::GiveBack);
        assert_eq!(
            problem.reason,
            "the job is for component c0, this worker runs c1; run batch and workers of one version"
        );
        assert_eq!(job().check("c0", "0.2.0").unwrap_err().fate, Fate::GiveBack);
        let forged = Job { work: Work::Loudness(LoudnessOptions { silence_db: -10 }), ..job() };
        assert_eq!(forged.check("c0", "0.1.0").unwrap_err().fate, Fate::Bury);
    }

    #[test]
    fn tries_grow_apart() {
        let waits: Vec<_> = [1, 2, 3, 40].map(|attempt| job().retry_in(attempt).as_secs()).into();
        assert_eq!(waits, [1, 2, 4, 300]);
    }
}
