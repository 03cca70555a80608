//! Files to jobs: what is to be made, and what of it is there already.

use crate::files::Root;
use crate::job::{FORM, Input, Job, Place};
use crate::keys::Keys;
use crate::kinds::{LoudnessOptions, ResealOptions, Work};
use crate::{Address, PROGRAM, Problem, TranscodeOptions};
use sidetone_audio::shown;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most files of a batch.
pub const MOST: usize = 1_000_000;

/// Bytes of a file's name that are kept for what is made of it.
const STEM: usize = 120;

/// What stands for the name of a file in the name of a key.
const STEM_MARK: &str = "{}";

/// What is wanted of all files.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Code them anew.
    Transcode(TranscodeOptions),
    /// Measure them.
    Loudness(LoudnessOptions),
    /// Seal them under other keys; `{}` in a key's name stands for the file's.
    Reseal {
        /// Where the keys are.
        keys: Keys,
        /// Name of the old key.
        from: String,
        /// Name of the new key.
        to: String,
    },
}

/// A batch as it is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files, and folders of files.
    pub inputs: Vec<PathBuf>,
    /// Folder of what is made.
    pub out: PathBuf,
    /// What is wanted.
    pub wanted: Wanted,
    /// Whose jobs they are.
    pub tenant: String,
    /// How often each is tried.
    pub attempts: u32,
    /// Before a second try.
    pub retry: Duration,
    /// Where the paths in jobs begin.
    pub root: Root,
    /// Where workers find the files.
    pub place: Place,
}

/// One file, and what is made of it.
#[derive(Debug, Clone)]
pub struct Item {
    /// As it was named.
    pub input: PathBuf,
    /// Of the job.
    pub address: Address,
    /// What is made.
    pub output: PathBuf,
    /// It is there.
    pub present: bool,
}

/// A batch, ready to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// All files, in order.
    pub items: Vec<Item>,
    /// What is missing, each once.
    pub jobs: Vec<Job>,
    /// Of all jobs.
    pub kind: &'static str,
    /// The folder of what is made.
    pub out: PathBuf,
}

impl Plan {
    /// Reads all files, for their hashes. `tell` hears of each: how many are known, and of how many.
    ///
    /// # Errors
    /// A file is missing, or cannot be read; nothing was begun.
    pub fn make(request: &Request, mut tell: impl FnMut(usize, usize) -> bool) -> Result<Self, Problem> {
        let Request { inputs, out, wanted, .. } = request;
        let files = find(inputs, wanted.endings(), out)?;
        let out_name = match request.place {
            Place::Shared => Some(request.root.name_of_new(out)?),
            Place::Objects => None,
        };
        let mut plan = Self { items: Vec::with_capacity(files.len()), jobs: Vec::new(), kind: "", out: out.clone() };
        let mut planned = HashSet::new();
        let mut sealed_with = HashMap::new();
        let count = files.len();
        for (index, input) in files.into_iter().enumerate() {
            let going = tell(index, count);
            let hashed = Address::of_file(&input, || going);
            let (sha256, bytes) = hashed.map_err(|error| unreadable(&input, &error))?;
            let work = wanted.work(&stem(&input))?;
            plan.kind = work.kind();
            if let Work::Reseal(options) = &work {
                let before = sealed_with.insert(options.to.id.clone(), (sha256.clone(), input.clone()));
                if let Some((_, other)) = before.filter(|(other, _)| *other != sha256) {
                    return Err(two_under_one_key(&options.to.name, &other, &input));
                }
            }
            let stem = stem(&input);
            let address = Job::address(sidetone_artifact::COMPONENT_SHA256, PROGRAM, &work, &sha256, &stem);
            let name = Job::file_name(&stem, &address, &work);
            let output = out.join(&name);
            let present = output.is_file();
            if !present && planned.insert(address.clone()) {
                let (path, output) = match &out_name {
                    Some(out) => (request.root.name(&input)?, join(out, &name)),
                    None => (format!("in/{sha256}"), format!("out/{name}")),
                };
                plan.jobs.push(Job {
                    form: FORM,
                    address: address.clone(),
                    name: stem,
                    component: sidetone_artifact::COMPONENT_SHA256.to_owned(),
                    program: PROGRAM.to_owned(),
                    tenant: request.tenant.clone(),
                    input: Input { place: request.place, path, ending: ending(&input), sha256, bytes },
                    output,
                    work,
                    attempts: request.attempts,
                    retry_ms: u64::try_from(request.retry.as_millis()).unwrap_or(u64::MAX),
                });
            }
            plan.items.push(Item { input, address, output, present });
        }
        tell(count, count);
        Ok(plan)
    }

    /// Files whose output was there before.
    #[must_use]
    pub fn present(&self) -> usize {
        self.items.iter().filter(|item| item.present).count()
    }

    /// Bytes of what is to be worked on.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.jobs.iter().map(|job| job.input.bytes).sum()
    }

    /// Of all that is wanted: the same for the same files and options.
    #[must_use]
    pub fn address(&self) -> Address {
        let all: Vec<&str> = self.items.iter().map(|item| item.address.as_str()).collect();
        Address::of(all.join("\n").as_bytes())
    }
}

impl Wanted {
    /// Endings of files that are taken from folders.
    fn endings(&self) -> &'static [&'static str] {
        match self {
            Self::Transcode(_) | Self::Loudness(_) => &["wav", "opus", "ogg", "bit"],
            Self::Reseal { .. } => &["sealed"],
        }
    }

    fn work(&self, stem: &str) -> Result<Work, Problem> {
        Ok(match self {
            Self::Transcode(options) => Work::Transcode(options.clone()),
            Self::Loudness(options) => Work::Loudness(*options),
            Self::Reseal { keys, from, to } => {
                let [from, to] = [from, to].map(|name| keys.name(&name.replace(STEM_MARK, stem)));
                Work::Reseal(ResealOptions { from: from?, to: to? })
            }
        })
    }
}

fn two_under_one_key(key: &str, one: &Path, other: &Path) -> Problem {
    Problem::bury(format!(
        "{} and {} would be sealed with one key, {}, whose nonces they could share; give each its own: --to-key '{{}}.new'",
        shown::path(one),
        shown::path(other),
        shown::text(key)
    ))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    if error.kind() == std::io::ErrorKind::Interrupted {
        return Problem::stopped();
    }
    Problem::bury(format!("cannot read {}: {error}", shown::path(path)))
}

/// A path in a job is written with `/`.
fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{}/{name}", folder.trim_end_matches('/')) }
}

/// The name of a file without its ending, as it can stand in the name of another one.
fn stem(path: &Path) -> String {
    let text = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut safe: String =
        text.chars().map(|c| if shown::is_hidden(c) || "/\\".contains(c) { '_' } else { c }).collect();
    while safe.len() > STEM {
        safe.pop();
    }
    if safe.starts_with('.') { format!("_{safe}") } else { safe }
}

/// The ending of a file's name, if it is a plain one.
fn ending(path: &Path) -> String {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let plain = ending.len() <= 8 && ending.chars().all(|c| c.is_ascii_alphanumeric());
    if plain { ending.to_ascii_lowercase() } else { String::new() }
}

/// The files that are named, and those in folders, in a fixed order.
fn find(inputs: &[PathBuf], endings: &[&str], out: &Path) -> Result<Vec<PathBuf>, Problem> {
    // It need not be there yet.
    let out = fs::canonicalize(out).unwrap_or_else(|_| out.to_owned());
    let mut files = Vec::new();
    for input in inputs {
        let found = fs::metadata(input).map_err(|error| unreadable(input, &error))?;
        if !found.is_dir() {
            if !found.is_file() {
                return Err(Problem::bury(format!("{} is no file and no folder", shown::path(input))));
            }
            files.push(input.clone());
            continue;
        }
        let before = files.len();
        walk(input, endings, &out, &mut files)?;
        files[before..].sort();
        if files.len() == before {
            let endings = endings.join(", .");
            return Err(Problem::bury(format!(
                "the folder {} has no file that ends in .{endings}",
                shown::path(input)
            )));
        }
    }
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

fn walk(folder: &Path, endings: &[&str], out: &Path, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    // What a batch has made is not what it is made of.
    if fs::canonicalize(folder).is_ok_and(|real| real == out) {
        return Ok(());
    }
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    for entry in entries.map_err(|error| unreadable(folder, &error))? {
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
        let name = entry.file_name();
        // Links to folders may go round in a circle.
        if kind.is_dir() && !name.to_string_lossy().starts_with('.') {
            walk(&path, endings, out, files)?;
        } else if path.extension().is_some_and(|found| endings.iter().any(|ending| found.eq_ignore_ascii_case(ending)))
            && !name.to_string_lossy().starts_with('.')
            && path.is_file()
        {
            files.push(path);
        }
        if files.len() > MOST {
            return Err(Problem::bury(format!("more than {MOST} files are too many for one batch; make several")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sidetone_transcode::{EncoderOptions, PcmOptions};

    fn request(folder: &Path) -> Request {
        let options = TranscodeOptions::new("opus", &PcmOptions::default(), &EncoderOptions::default());
        Request {
            inputs: vec![folder.join("in")],
            out: folder.join("in/out"),
            wanted: Wanted::Transcode(options),
            tenant: "batch".to_owned(),
            attempts: 3,
            retry: Duration::from_secs(1),
            root: Root::below(folder).unwrap(),
            place: Place::Shared,
        }
    }

    fn filled() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("in/out")).unwrap();
        fs::create_dir_all(folder.path().join("in/.hidden")).unwrap();
        for (name, content) in [
            ("b.wav", "1"),
            ("a.WAV", "1"),
            ("c.bit", "2"),
            ("notes.txt", "3"),
            (".hidden/d.wav", "4"),
            ("out/e.opus", "5"),
        ] {
            fs::write(folder.path().join("in").join(name), content).unwrap();
        }
        folder
    }

    #[test]
    fn files_of_a_folder_become_jobs_in_a_fixed_order() {
        let folder = filled();
        let plan = Plan::make(&request(folder.path()), |_, _| true).unwrap();
        let names: Vec<_> = plan.jobs.iter().map(|job| &*job.input.path).collect();
        assert_eq!(names, ["in/a.WAV", "in/b.wav", "in/c.bit"]);
        assert!(plan.jobs.iter().all(|job| job.output.starts_with("in/out/") && job.output.ends_with(".opus")));
        assert_ne!(plan.jobs[0].address, plan.jobs[1].address, "the same content by two names");
        let again = Plan::make(&request(folder.path()), |_, _| true).unwrap();
        assert_eq!((&again.jobs, again.address()), (&plan.jobs, plan.address()));
    }

    #[test]
    fn what_is_there_is_not_planned_again() {
        let folder = filled();
        let plan = Plan::make(&request(folder.path()), |_, _| true).unwrap();
        fs::write(&plan.items[1].output, "made").unwrap();
        let plan = Plan::make(&request(folder.path()), |_, _| true).unwrap();
        assert_eq!((plan.present(), plan.jobs.len(), plan.bytes()), (1, 2, 2));
    }

    #[test]
    fn other_options_have_other_names() {
        let folder = filled();
        let other = EncoderOptions { dtx: true, ..EncoderOptions::default() };
        let mut request = request(folder.path());
        let one = Plan::make(&request, |_, _| true).unwrap();
        request.wanted = Wanted::Transcode(TranscodeOptions::new("opus", &PcmOptions::default(), &other));
        let two = Plan::make(&request, |_, _| true).unwrap();
        assert_ne!(one.items[0].output, two.items[0].output);
    }

    #[test]
    fn one_new_key_seals_one_archive() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys(folder.path().to_owned());
        for (name, key) in [("old.key", "0"), ("new.key", "1"), ("a.new.key", "2"), ("b.new.key", "3")] {
            fs::write(folder.path().join(name), key.repeat(32)).unwrap();
        }
        for name in ["a", "b"] {
            fs::write(folder.path().join(name).with_extension("sealed"), name).unwrap();
        }
        let sealed = |to: &str| {
            let wanted = Wanted::Reseal { keys: keys.clone(), from: "old".to_owned(), to: to.to_owned() };
            let inputs = ["a.sealed", "b.sealed"].map(|name| folder.path().join(name)).into();
            let request = Request { inputs, wanted, out: folder.path().to_owned(), ..request(filled().path()) };
            Plan::make(&Request { root: Root::Any, ..request }, |_, _| true)
        };
        assert!(sealed("new").unwrap_err().reason.contains("would be sealed with one key, new"));
        assert_eq!(sealed("{}.new").unwrap().jobs.len(), 2);
    }

    #[test]
    fn names_that_could_lead_elsewhere_are_made_harmless() {
        assert_eq!(stem(Path::new("/a/..hidden.wav")), "_..hidden");
        assert_eq!(stem(Path::new("a\nb.wav")), "a_b");
        assert!(stem(Path::new(&format!("{}.wav", "ä".repeat(200)))).len() <= STEM);
    }
}
