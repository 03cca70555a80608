//! Everything that must pass before a change is good, in the order in which it fails fastest.

use crate::setup::{self, Need};
use crate::sh::cargo;
use crate::{component, fuzz, hosts, lint, pages, web};
use anyhow::{Result, bail};
use std::time::Instant;

/// Run every check and test of the repository; the last line says how it went.
///
/// In this order: formatting, clippy, cargo test (with doc tests), rustdoc, the same component in Node, the examples for
/// other hosts, the pages in Chromium with a gateway, and each fuzz target for a few seconds.
/// It stops at the first step that fails. Where there is no Chromium, nor a way to install it, that step says that it is
/// left out.
///
/// Tests that compare with recordings and bitstreams from outside the repository look for them in ../shared/corpus, or
/// where SIDETONE_CORPUS says; where there are none they say what they skipped, and pass.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out rustdoc, Node, the pages and fuzzing: formatting, clippy and cargo test only.
    #[arg(long)]
    quick: bool,
    /// Go on after a step that failed.
    #[arg(long)]
    no_fail_fast: bool,
    /// Seconds to fuzz each target.
    #[arg(long, default_value_t = 5)]
    fuzz_seconds: u32,
    /// Run only the steps of these names: `node`, `hosts` (which wants `node` done), …
    #[arg(long, conflicts_with_all = ["quick", "filter"])]
    step: Vec<String>,
    /// Run only the Rust tests whose name contains this.
    filter: Option<String>,
}

type Step<'a> = (&'static str, Box<dyn Fn() -> Result<()> + 'a>);

pub(crate) fn main(args: &Args) -> Result<()> {
    let whole = !args.quick && args.filter.is_none();
    setup::ensure(if whole { &[Need::Build, Need::Broker, Need::Node, Need::Fuzz] } else { &[Need::Build] })?;
    if whole {
        // Where one cannot be installed, the tests say what they leave out.
        for (need, without) in [
            (Need::Queue, "no nats-server, batches on many machines are not tested"),
            (Need::Promtool, "no promtool, the alert rules for Prometheus are not checked"),
            (Need::Counts, "no valgrind, instructions of the native parts are not counted"),
        ] {
            if let Err(error) = setup::ensure(&[need]) {
                println!("{without}: {error:#}");
            }
        }
    }
    report(&chosen(steps(args), &args.step)?, args.no_fail_fast)
}

/// The steps that were named, or all.
fn chosen<'a>(steps: Vec<Step<'a>>, names: &[String]) -> Result<Vec<Step<'a>>> {
    if let Some(unknown) = names.iter().find(|name| !steps.iter().any(|(step, _)| step == name)) {
        let known: Vec<_> = steps.iter().map(|(step, _)| *step).collect();
        bail!("there is no step `{unknown}`; there are: {}", known.join(", "));
    }
    Ok(steps.into_iter().filter(|(step, _)| names.is_empty() || names.iter().any(|name| name == step)).collect())
}

fn steps(args: &Args) -> Vec<Step<'_>> {
    if let Some(filter) = &args.filter {
        return vec![("cargo test", Box::new(move || rust(Some(filter), args.no_fail_fast)))];
    }
    let mut steps: Vec<Step<'_>> = vec![
        ("format", Box::new(lint::format)),
        ("clippy", Box::new(lint::clippy)),
        ("cargo test", Box::new(|| rust(None, args.no_fail_fast))),
    ];
    if !args.quick {
        steps.push(("rustdoc", Box::new(lint::doc)));
        steps.push(("node", Box::new(component::test)));
        steps.push(("hosts", Box::new(hosts::test)));
        steps.push(("page", Box::new(web::page)));
        steps.push(("dashboard", Box::new(pages::test_dashboard)));
        steps.push(("fuzz", Box::new(|| fuzz::all(args.fuzz_seconds))));
    }
    steps
}

fn rust(filter: Option<&String>, no_fail_fast: bool) -> Result<()> {
    let flags = no_fail_fast.then_some("--no-fail-fast");
    cargo().args(["test", "--workspace"]).args(flags).args(filter).run()
}

/// Runs the steps, and prints the one line that tells the outcome.
fn report(steps: &[Step<'_>], no_fail_fast: bool) -> Result<()> {
    let (started, count) = (Instant::now(), steps.len());
    let mut failed = Vec::new();
    for (index, (name, step)) in steps.iter().enumerate() {
        println!("\n=== {}/{count} {name}", index + 1);
        let step_started = Instant::now();
        let outcome = step();
        let seconds = step_started.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => println!("=== {name}: passed in {seconds:.1} s"),
            Err(error) => {
                println!("=== {name}: FAILED after {seconds:.1} s: {error:#}");
                failed.push(*name);
                if !no_fail_fast {
                    break;
                }
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!();
    if failed.is_empty() {
        println!("xtask test: all {count} steps passed in {seconds:.0} s");
        return Ok(());
    }
    bail!("test: {} of {count} steps failed in {seconds:.0} s: {}", failed.len(), failed.join(", "));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn outcome(no_fail_fast: bool) -> (String, u32) {
        let ran = Cell::new(0);
        let bad = || -> Result<()> {
            ran.set(ran.get() + 1);
            bail!("no")
        };
        let good = || -> Result<()> {
            ran.set(ran.get() + 1);
            Ok(())
        };
        let steps: Vec<Step<'_>> = vec![("one", Box::new(good)), ("two", Box::new(bad)), ("three", Box::new(bad))];
        (report(&steps, no_fail_fast).unwrap_err().to_string(), ran.get())
    }

    #[test]
    fn the_first_failure_ends_the_run_and_is_named() {
        let (message, ran) = outcome(false);
        assert_eq!(message, "test: 1 of 3 steps failed in 0 s: two");
        assert_eq!(ran, 2);
    }

    #[test]
    fn no_fail_fast_goes_on_and_names_every_failure() {
        let (message, ran) = outcome(true);
        assert_eq!(message, "test: 2 of 3 steps failed in 0 s: two, three");
        assert_eq!(ran, 3);
    }

    #[test]
    fn quick_and_filter_leave_steps_out() {
        let names = |quick, filter: Option<&str>| {
            let args = Args {
                quick,
                no_fail_fast: false,
                fuzz_seconds: 5,
                step: Vec::new(),
                filter: filter.map(str::to_owned),
            };
            steps(&args).iter().map(|(name, _)| *name).collect::<Vec<_>>()
        };
        assert_eq!(
            names(false, None),
            ["format", "clippy", "cargo test", "rustdoc", "node", "hosts", "page", "dashboard", "fuzz"]
        );
        assert_eq!(names(true, None), ["format", "clippy", "cargo test"]);
        assert_eq!(names(false, Some("replay")), ["cargo test"]);
    }

    #[test]
    fn a_step_can_be_named() {
        let steps = || -> Vec<Step<'_>> { vec![("one", Box::new(|| Ok(()))), ("two", Box::new(|| Ok(())))] };
        let names = |named: &[&str]| {
            let named: Vec<_> = named.iter().map(|&name| name.to_owned()).collect();
            chosen(steps(), &named).map(|steps| steps.iter().map(|(name, _)| *name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap(), ["one", "two"]);
        assert_eq!(names(&["two"]).unwrap(), ["two"]);
        assert_eq!(names(&["tow"]).unwrap_err().to_string(), "there is no step `tow`; there are: one, two");
    }
}
