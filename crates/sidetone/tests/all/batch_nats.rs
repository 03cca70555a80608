//! `sidetone batch` and `sidetone worker` as processes, over a real nats-server: killed, stopped, starved and fed with
//! poison. Where nats-server is not installed they say so, and pass.
#![cfg(unix)]

use crate::common::{clip, listing, program, scratch};
use async_nats::jetstream::{self, stream::Stream};
use serde_json::{Value, json};
use sidetone_audio::{Pcm, wav};
use sidetone_batch::{Address, Input, Job, LoudnessOptions, PROGRAM, Place, Work};
use sidetone_test_broker::{Certificates, Nats, NatsSetup};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything here may take; a bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(60);

fn nats() -> Option<Nats> {
    Nats::start(&NatsSetup::default()).expect("nats-server starts")
}

/// Waits until something is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A process that does not outlive its test.
struct Process(Child);

impl Process {
    fn start(folder: &Path, arguments: &str) -> Self {
        let mut command = program();
        command.current_dir(folder).args(arguments.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().expect("the program starts"))
    }

    /// A worker, at work.
    fn worker(folder: &Path, nats: &Nats, arguments: &str) -> Self {
        let mut worker = Self::start(folder, &format!("worker --nats {} --log-level debug {arguments}", nats.url()));
        let mut line = String::new();
        BufReader::new(worker.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        if !line.starts_with("Worker ") {
            let mut said = String::new();
            worker.0.stderr.as_mut().unwrap().read_to_string(&mut said).unwrap();
            panic!("the worker says {line:?} and {said}");
        }
        // What it logs must go somewhere, or it waits.
        let mut log = worker.0.stderr.take().unwrap();
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        worker
    }

    fn batch(folder: &Path, nats: &Nats, arguments: &str) -> Self {
        Self::start(folder, &format!("batch {arguments} --json --nats {}", nats.url()))
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap().success());
    }

    /// Its exit code, within bounds.
    fn code(&mut self) -> i32 {
        let mut status = None;
        until("the end of a process", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.and_then(|status| status.code()).unwrap_or(-1)
    }

    /// Its exit code, report and stderr.
    fn report(mut self) -> (i32, Value, String) {
        let (mut out, mut err) = (self.0.stdout.take().unwrap(), self.0.stderr.take().unwrap());
        let out = thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).map(|_| text)
        });
        let err = thread::spawn(move || {
            let mut text = String::new();
            err.read_to_string(&mut text).map(|_| text)
        });
        let code = self.code();
        let (out, err) = (out.join().unwrap().unwrap(), err.join().unwrap().unwrap());
        (code, serde_json::from_str(&out).unwrap_or(Value::Null), err)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// So many recordings that differ, each the clip so many times over, in `in/`, and a folder `out`.
fn storage(count: usize, times: usize) -> tempfile::TempDir {
    let folder = scratch();
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    let Pcm { rate, channels, mut samples } = wav::read(clip()).unwrap();
    for index in 0..count {
        samples.rotate_left(4_801);
        let pcm = Pcm::new(rate, channels, samples.repeat(times)).unwrap();
        wav::write(folder.path().join(format!("in/{index}.wav")), &pcm).unwrap();
    }
    folder
}

const TRANSCODE: &str = "transcode in --to opus --out out --retry-delay 50ms";

/// Jobs that are in work, by what they leave beside their output.
fn parts(folder: &Path) -> usize {
    listing(&folder.join("out")).iter().filter(|name| name.ends_with(".part")).count()
}

/// What is made, and complete.
fn made(folder: &Path) -> Vec<String> {
    listing(&folder.join("out")).into_iter().filter(|name| !name.ends_with(".part")).collect()
}

/// Checks that a folder has what one process alone makes, byte by byte, and nothing else.
fn assert_as_alone(folder: &Path) {
    let alone = scratch();
    let alone_out = alone.path().join("out");
    let arguments = ["batch", "transcode", "in", "--to", "opus", "--out"];
    let output = program().current_dir(folder).args(arguments).arg(&alone_out).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let names = listing(&alone_out);
    assert_eq!(listing(&folder.join("out")), names);
    for name in &names {
        assert_eq!(fs::read(folder.join("out").join(name)).unwrap(), fs::read(alone_out.join(name)).unwrap(), "{name}");
    }
}

#[test]
fn of_three_workers_one_is_killed_and_every_output_exists_once() {
    let Some(nats) = nats() else { return };
    let folder = storage(9, 8);
    let mut workers: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|name| Process::worker(folder.path(), &nats, &format!("--jobs 1 --ack-wait 1s --name {name}")))
        .collect();
    let batch = Process::batch(folder.path(), &nats, TRANSCODE);
    until("work by all three", || parts(folder.path()) == 3);
    workers[0].0.kill().unwrap();
    let (code, report, err) = batch.report();
    assert_eq!((code, report["done"].as_u64(), &report["dead"]), (0, Some(9), &json!([])), "{err}");
    let shares = report["workers"].as_object().unwrap();
    let jobs: u64 = shares.values().map(|share| share["jobs"].as_u64().unwrap()).sum();
    assert_eq!(jobs, 9, "{shares:?}");
    // What the killed one left goes, too.
    until("an end of all folders of jobs", || parts(folder.path()) == 0);
    assert_as_alone(folder.path());
    let (code, report, _) = Process::batch(folder.path(), &nats, TRANSCODE).report();
    assert_eq!((code, report["present"].as_u64(), report["done"].as_u64()), (0, Some(9), Some(0)));
    for mut worker in workers.drain(1..) {
        worker.signal("-TERM");
        assert_eq!(worker.code(), 0);
    }
}

/// The streams of the queue, as somebody else sees them.
async fn stream(nats: &Nats, name: &str) -> (jetstream::Context, Stream) {
    let context = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let stream = context.get_stream(name).await.unwrap();
    (context, stream)
}

/// All messages of a stream, in order.
async fn messages(stream: &mut Stream) -> Vec<Value> {
    let info = stream.info().await.unwrap().state.clone();
    let mut all = Vec::new();
    for sequence in info.first_sequence..=info.last_sequence {
        if let Ok(message) = stream.get_raw_message(sequence).await {
            all.push(serde_json::from_slice(&message.payload).unwrap());
        }
    }
    all
}

/// A job for another component.
fn foreign_job(folder: &Path) -> Job {
    let work = Work::Loudness(LoudnessOptions::default());
    let (sha256, bytes) = Address::of_file(&folder.join("in/0.wav"), || true).unwrap();
    let component = "00".repeat(32);
    let address = Job::address(&component, PROGRAM, &work, &sha256, "0");
    Job {
        form: sidetone_batch::FORM,
        name: "0".to_owned(),
        output: format!("out/{}", Job::file_name("0", &address, &work)),
        address,
        component,
        program: PROGRAM.to_owned(),
        tenant: "batch".to_owned(),
        input: Input { place: Place::Shared, path: "in/0.wav".to_owned(), ending: "wav".to_owned(), sha256, bytes },
        work,
        attempts: 2,
        retry_ms: 20,
    }
}

#[test]
fn poison_ends_among_the_dead_letters_with_its_reason() {
    let Some(nats) = nats() else { return };
    let folder = storage(1, 1);
    fs::write(folder.path().join("in/poison.opus"), [b"OggS", &[0xff; 200][..]].concat()).unwrap();
    fs::write(folder.path().join("in/gone.wav"), fs::read(folder.path().join("in/0.wav")).unwrap()).unwrap();
    // The worker sees the same storage without one of the files.
    let other = scratch();
    for name in ["0.wav", "poison.opus"] {
        fs::create_dir_all(other.path().join("in")).unwrap();
        fs::copy(folder.path().join("in").join(name), other.path().join("in").join(name)).unwrap();
    }
    fs::create_dir(other.path().join("out")).unwrap();
    let _worker = Process::worker(other.path(), &nats, "--jobs 1");
    let (code, report, err) = Process::batch(folder.path(), &nats, &format!("{TRANSCODE} --attempts 2")).report();
    assert_eq!((code, report["done"].as_u64(), report["retries"].as_u64()), (1, Some(1), Some(1)), "{err}");
    let mut dead: Vec<_> = report["dead"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dead| {
            (dead["input"].as_str().unwrap(), dead["attempts"].as_u64().unwrap(), dead["reason"].as_str().unwrap())
        })
        .collect();
    dead.sort_unstable();
    assert_eq!((dead.len(), dead[0].0, dead[0].1), (2, "in/gone.wav", 2));
    assert!(
        dead[0].2.contains("it is missing on this worker: is the same storage mounted, and --root right?"),
        "{dead:?}"
    );
    assert_eq!((dead[1].0, dead[1].1), ("in/poison.opus", 1), "it would fail everywhere");
    assert!(dead[1].2.contains("poison.opus"), "{dead:?}");

    // What no batch of this version hands in.
    let job = serde_json::to_value(foreign_job(folder.path())).unwrap();
    let mut unknown = job.clone();
    unknown["work"]["kind"] = json!("mix");
    unknown["address"] = json!(Address::of(b"unknown"));
    let mut changed = job.clone();
    changed["component"] = json!(sidetone_artifact::COMPONENT_SHA256);
    changed["address"] = json!(Address::of(b"changed"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let letters = runtime.block_on(async {
        let (context, _) = stream(&nats, "sidetone-jobs").await;
        for message in [job.to_string(), unknown.to_string(), changed.to_string(), "hello".to_owned()] {
            context.publish("sidetone.job.feed", message.into()).await.unwrap().await.unwrap();
        }
        let (_, mut dead) = stream(&nats, "sidetone-dead").await;
        let begun = Instant::now();
        while dead.info().await.unwrap().state.messages < 6 {
            assert!(begun.elapsed() < PATIENCE, "not all became dead letters");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (_, mut jobs) = stream(&nats, "sidetone-jobs").await;
        assert_eq!(jobs.info().await.unwrap().state.messages, 0, "nothing is left in the queue");
        messages(&mut dead).await
    });
    let mut reasons: Vec<_> = letters
        .iter()
        .map(|letter| (letter["reason"].as_str().unwrap().to_owned(), letter["attempts"].as_u64().unwrap()))
        .collect();
    reasons.sort();
    for (reason, attempts) in [
        ("the job is for component 000000000000, this worker runs ", 2),
        ("unknown job kind \"mix\"; this worker knows transcode, reseal, loudness: run a newer sidetone", 2),
        ("the job is not what its address says; it was changed on the way", 1),
        ("the message is no job: ", 1),
    ] {
        assert!(
            reasons.iter().any(|(found, tries)| found.starts_with(reason) && *tries == attempts),
            "{reason}: {reasons:?}"
        );
    }
}

#[test]
fn a_server_that_is_started_again_finds_the_work_going_on() {
    let Some(mut nats) = nats() else { return };
    let folder = storage(8, 6);
    let _worker = Process::worker(folder.path(), &nats, "--jobs 1 --ack-wait 1s");
    let batch = Process::batch(folder.path(), &nats, TRANSCODE);
    until("a first output", || !made(folder.path()).is_empty());
    nats.stop();
    thread::sleep(Duration::from_millis(300));
    assert!(made(folder.path()).len() < 8, "the server was gone in the middle");
    nats.restart().unwrap();
    let (code, report, err) = batch.report();
    assert_eq!((code, report["done"].as_u64(), &report["dead"]), (0, Some(8), &json!([])), "{err}");
    assert_as_alone(folder.path());
}

#[test]
fn a_batch_that_is_interrupted_goes_on_when_it_is_run_again() {
    let Some(nats) = nats() else { return };
    let folder = storage(10, 3);
    let _worker = Process::worker(folder.path(), &nats, "--jobs 1");
    let mut batch = Process::batch(folder.path(), &nats, TRANSCODE);
    until("a first output", || !made(folder.path()).is_empty());
    batch.signal("-INT");
    assert_eq!(batch.code(), 130);
    // What nobody had begun was taken back; what was begun comes to its end.
    let mut quiet = 0;
    until("an end of the work", || {
        quiet = if parts(folder.path()) == 0 { quiet + 1 } else { 0 };
        quiet == 100
    });
    let there = made(folder.path()).len() as u64;
    assert!(there < 10, "all was done");
    let (code, report, err) = Process::batch(folder.path(), &nats, TRANSCODE).report();
    assert_eq!(
        (code, report["present"].as_u64(), report["done"].as_u64()),
        (0, Some(there), Some(10 - there)),
        "{err}"
    );
    assert_as_alone(folder.path());
}

#[test]
fn a_worker_that_is_told_to_end_gives_its_job_back() {
    let Some(nats) = nats() else { return };
    let folder = storage(3, 20);
    let mut first = Process::worker(folder.path(), &nats, "--jobs 1 --drain 1ms --name first");
    let batch = Process::batch(folder.path(), &nats, TRANSCODE);
    until("work", || parts(folder.path()) == 1);
    first.signal("-TERM");
    assert_eq!(first.code(), 0);
    assert_eq!(listing(&folder.path().join("out")).iter().filter(|name| name.ends_with(".part")).count(), 0);
    let _second = Process::worker(folder.path(), &nats, "--jobs 1 --name second");
    let (code, report, err) = batch.report();
    assert_eq!((code, report["done"].as_u64(), report["retries"].as_u64()), (0, Some(3), Some(1)), "{err}");
    assert_eq!(report["workers"]["first"]["given_back"].as_u64(), Some(1));
    assert!(err.contains("the worker was told to end, and gave the job back"), "{err}");
}

#[test]
fn two_batches_at_once_share_a_folder() {
    let Some(nats) = nats() else { return };
    let folder = storage(6, 2);
    let _workers = [0, 1].map(|_| Process::worker(folder.path(), &nats, "--jobs 1"));
    let batches = [0, 1].map(|_| Process::batch(folder.path(), &nats, TRANSCODE));
    for batch in batches {
        let (code, report, err) = batch.report();
        let (done, present) = (report["done"].as_u64().unwrap(), report["present"].as_u64().unwrap());
        assert_eq!((code, done + present), (0, 6), "{err}");
    }
    assert_as_alone(folder.path());
}

#[test]
fn files_go_through_the_object_store_where_no_storage_is_shared() {
    let Some(nats) = nats() else { return };
    let (folder, elsewhere) = (storage(3, 1), scratch());
    fs::write(folder.path().join("in/broken.wav"), "RIFF").unwrap();
    let arguments = format!("--jobs 1 --scratch {}", elsewhere.path().display());
    let _worker = Process::worker(elsewhere.path(), &nats, &arguments);
    let (code, report, err) = Process::batch(folder.path(), &nats, &format!("{TRANSCODE} --objects")).report();
    assert_eq!((code, report["done"].as_u64(), report["dead"].as_array().unwrap().len()), (1, Some(3), 1), "{err}");
    assert_eq!(listing(elsewhere.path()), [""; 0], "the worker leaves nothing");
    fs::remove_file(folder.path().join("in/broken.wav")).unwrap();
    assert_as_alone(folder.path());
}

#[test]
fn a_tenant_that_a_worker_does_not_know_is_named() {
    let Some(nats) = nats() else { return };
    let folder = storage(1, 1);
    let _worker = Process::worker(folder.path(), &nats, "--jobs 1 --tenant robots:frames=9000");
    let (code, report, _) =
        Process::batch(folder.path(), &nats, &format!("{TRANSCODE} --tenant toys --attempts 1")).report();
    assert_eq!(code, 1);
    assert_eq!(
        report["dead"][0]["reason"].as_str(),
        Some("this worker knows no tenant \"toys\"; start it with --tenant toys")
    );
    let (code, ..) = Process::batch(folder.path(), &nats, &format!("{TRANSCODE} --tenant robots")).report();
    assert_eq!(code, 0);
}

#[test]
fn a_batch_that_nobody_works_on_takes_its_jobs_back() {
    let Some(nats) = nats() else { return };
    let folder = storage(2, 1);
    let (code, report, _) = Process::batch(folder.path(), &nats, &format!("{TRANSCODE} --patience 1s")).report();
    assert_eq!((code, report["end"].as_str(), report["missing"].as_u64()), (1, Some("stalled"), Some(2)));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let left = runtime.block_on(async { stream(&nats, "sidetone-jobs").await.1.info().await.unwrap().state.messages });
    assert_eq!((left, made(folder.path())), (0, Vec::new()));
}

/// What `sidetone batch` says on stderr, to a server that does not let it work.
fn refusal(folder: &Path, url: &str, more: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let mut command = program();
    command.current_dir(folder).args(["batch", "loudness", "in", "--out", "out", "--nats", url]).args(more);
    let output = command.envs(environment.iter().copied()).output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_server_that_does_not_let_us_work_is_named_with_the_remedy() {
    let folder = storage(1, 1);
    let secret = folder.path().join("secret");
    fs::write(&secret, "hunter2\n").unwrap();
    let start = |setup: &NatsSetup<'_>| Nats::start(setup).expect("nats-server starts");
    let Some(plain) = start(&NatsSetup { plain: true, ..NatsSetup::default() }) else { return };
    let (code, said) = refusal(folder.path(), &plain.url(), &[], &[]);
    assert_eq!(code, 1);
    assert!(
        said.starts_with("error: NATS has no JetStream for us (")
            && said.ends_with("; start it with nats-server -js -sd FOLDER\n"),
        "{said}"
    );

    let guarded = start(&NatsSetup { user: Some(("me", "hunter2")), ..NatsSetup::default() }).unwrap();
    for (more, environment, remedy) in [
        (&[][..], &[][..], "refuses who we are; check --nats-user"),
        (
            &["--nats-user", "me"],
            &[],
            "--nats-user needs a password: --nats-password-file FILE, or SIDETONE_NATS_PASSWORD",
        ),
        (&["--nats-user", "me"], &[("SIDETONE_NATS_PASSWORD", "hunter3")], "refuses who we are; check --nats-user"),
        (&["--nats-token-file", "missing"], &[], "cannot read missing: No such file or directory"),
        (&["--nats-creds", "secret"], &[], "the .creds file holds no NATS USER JWT; get it from nsc"),
    ] {
        let (code, said) = refusal(folder.path(), &guarded.url(), more, environment);
        assert_eq!(code, 1, "{more:?}");
        assert!(said.starts_with("error: ") && said.contains(remedy) && !said.contains("hunter"), "{more:?}: {said}");
    }
    let arguments = format!("--jobs 1 --nats-user me --nats-password-file {}", secret.display());
    let _worker = Process::worker(folder.path(), &guarded, &arguments);
    let (code, said) =
        refusal(folder.path(), &guarded.url(), &["--nats-user", "me"], &[("SIDETONE_NATS_PASSWORD", "hunter2")]);
    assert_eq!((code, said.as_str()), (0, ""));
}

#[test]
fn tls_needs_a_certificate_that_is_trusted() {
    let certificates = Certificates::new().unwrap();
    let Some(nats) = Nats::start(&NatsSetup { tls: Some(&certificates), ..NatsSetup::default() }).unwrap() else {
        return;
    };
    let folder = storage(1, 1);
    let (code, said) = refusal(folder.path(), &nats.url(), &[], &[]);
    assert_eq!(code, 1);
    assert!(said.contains("check --nats-ca") || said.contains("certificate"), "{said}");
    let ca: PathBuf = certificates.ca();
    let _worker = Process::worker(folder.path(), &nats, &format!("--jobs 1 --nats-ca {}", ca.display()));
    let (code, said) = refusal(folder.path(), &nats.url(), &["--nats-ca", ca.to_str().unwrap()], &[]);
    assert_eq!((code, said.as_str()), (0, ""));
}
