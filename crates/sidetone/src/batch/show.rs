//! What `sidetone batch` says: a bar while it works, a plan, a summary.

use crate::report::{self, Sheet, complain, count, grouped, short, table};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use sidetone_audio::shown;
use sidetone_batch::batch::{End, Progress, Share, Tally};
use sidetone_batch::plan::Plan;
use std::time::Duration;

const TEMPLATE: &str = "{msg} [{bar:24}] {percent:>3} %, {eta} left";

/// After so long without a word, people are told what may be missing.
const SILENCE: Duration = Duration::from_secs(10);

/// A bar over all workers, on stderr; where that is no terminal only failures are shown.
pub(super) struct Bar {
    bar: ProgressBar,
    jobs: usize,
    shared: bool,
    hinted: bool,
}

impl Bar {
    pub(super) fn new(plan: &Plan, shared: bool) -> Self {
        let bar = ProgressBar::new(plan.bytes());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, jobs: plan.jobs.len(), shared, hinted: false }
    }

    pub(super) fn show(&mut self, progress: &Progress<'_>) {
        self.bar.set_position(progress.bytes);
        self.bar.set_message(format!("{} of {} jobs, {} running", progress.over, self.jobs, progress.running));
        if let Some((name, reason)) = progress.failed {
            self.bar.suspend(|| complain("warning", &format!("{name}: {reason}")));
        }
        if self.shared && !self.hinted && progress.over == 0 && progress.running == 0 && progress.idle > SILENCE {
            self.hinted = true;
            let hint = "no worker has taken a job yet; start one with sidetone worker --nats URL";
            self.bar.suspend(|| complain("note", hint));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What would be done.
#[derive(Serialize)]
struct Dry<'a> {
    kind: &'a str,
    files: usize,
    present: usize,
    jobs: Vec<DryJob<'a>>,
}

#[derive(Serialize)]
struct DryJob<'a> {
    input: std::borrow::Cow<'a, str>,
    output: std::borrow::Cow<'a, str>,
}

pub(super) fn dry(plan: &Plan, json: bool) -> Result<String> {
    let missing = plan.items.iter().filter(|item| !item.present);
    if json {
        let jobs =
            missing.map(|item| DryJob { input: item.input.to_string_lossy(), output: item.output.to_string_lossy() });
        return report::json(&Dry {
            kind: plan.kind,
            files: plan.items.len(),
            present: plan.present(),
            jobs: jobs.collect(),
        });
    }
    let mut text = String::new();
    for item in missing {
        text += &format!("  {} {} -> {}\n", plan.kind, shown::path(&item.input), shown::path(&item.output));
    }
    let there = count(plan.present() as u64, "file");
    text += &format!("  {} to do, {there} there already; nothing was done\n", count(plan.jobs.len() as u64, "job"));
    Ok(text)
}

/// The summary, for programs.
#[derive(Serialize)]
struct Report<'a> {
    kind: &'a str,
    #[serde(flatten)]
    tally: &'a Tally,
    outputs: Vec<Output<'a>>,
    component_sha256: &'static str,
}

#[derive(Serialize)]
struct Output<'a> {
    input: std::borrow::Cow<'a, str>,
    output: std::borrow::Cow<'a, str>,
    /// Whether it is there now.
    present: bool,
}

pub(super) fn summary(plan: &Plan, tally: &Tally, json: bool) -> Result<String> {
    if json {
        let outputs = plan.items.iter().map(|item| Output {
            input: item.input.to_string_lossy(),
            output: item.output.to_string_lossy(),
            present: item.output.is_file(),
        });
        let component_sha256 = sidetone_artifact::COMPONENT_SHA256;
        return report::json(&Report { kind: plan.kind, tally, outputs: outputs.collect(), component_sha256 });
    }
    let mut sheet = Sheet::default();
    let mut files = format!(
        "{}: {} made, {} there before",
        count(tally.files, "file"),
        grouped(tally.done),
        grouped(tally.present)
    );
    if !tally.dead.is_empty() {
        files += &format!(", {}", count(tally.dead.len() as u64, "dead letter"));
    }
    if tally.missing > 0 {
        files += &format!(", {} not done", grouped(tally.missing));
    }
    sheet.line("files", files);
    if tally.done > 0 {
        let speed = if tally.seconds > 0.0 { tally.audio_seconds / tally.seconds } else { 0.0 };
        sheet.line(
            "audio",
            format!("{:.1} s in {:.1} s: {speed:.0} times real time", tally.audio_seconds, tally.seconds),
        );
        sheet.line("made", format!("{} in {}", count(tally.bytes, "byte"), shown::path(&plan.out)));
    }
    if tally.retries > 0 {
        sheet.line("retries", grouped(tally.retries));
    }
    match tally.end {
        End::Complete => {}
        End::Stopped => sheet.line("ended", "before its end; the same command goes on"),
        End::Stalled => sheet.line("ended", "no worker said a word for too long; what waited was taken back"),
    }
    sheet.line("component", format!("sha256 {}", short(sidetone_artifact::COMPONENT_SHA256)));
    let mut text = sheet.to_string();
    if !tally.workers.is_empty() {
        let row = |(name, share): (&String, &Share)| {
            [
                shown::text(name).to_string(),
                grouped(share.jobs),
                format!("{:.1}", share.busy_seconds),
                format!("{:.1}", share.audio_seconds),
                grouped(share.given_back),
            ]
        };
        let rows: Vec<_> = tally.workers.iter().map(row).collect();
        text += "\n";
        text += &table(["worker", "jobs", "busy s", "audio s", "given back"], &rows);
    }
    if !tally.dead.is_empty() {
        text += "\ndead letters\n";
        for dead in &tally.dead {
            let tries = count(dead.attempts.into(), "attempt");
            text += &format!("  {} ({tries}): {}\n", shown::text(&dead.input), shown::text(&dead.reason));
        }
    }
    Ok(text)
}
