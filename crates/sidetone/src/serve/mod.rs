//! `sidetone serve`: the gateway as a program. Configuration, log, signals; the work is done in `sidetone-gateway`.

mod banner;
mod check;
mod flags;
mod service;

use crate::log::Log;
use crate::report::{complain, print};
use crate::signals::{Asked, Signals};
use anyhow::{Context, Result, bail};
use flags::Flags;
use sidetone_gateway::Gateway;
use sidetone_gateway::config::{Change, ConfigError, Loaded, Sources};
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long the configuration may take to be read anew: its files may lie where nobody answers.
const READING: Duration = Duration::from_secs(5);

/// How long tasks that are still at work may hold the end of the process up.
const LEFTOVERS: Duration = Duration::from_millis(200);

/// Serve voice devices: MQTT and encrypted UDP on one side, a speech service on the other.
///
/// Without any setting it serves devices on this machine alone and speaks back what they say. Every setting can stand in
/// a TOML file ([mqtt] listen = "0.0.0.0:1883"), in a variable (SIDETONE_MQTT_LISTEN) or in a flag (--mqtt-listen); a
/// flag counts more than a variable, a variable more than the file. --help lists them all.
#[allow(rustdoc::broken_intra_doc_links, reason = "the text is the help, where brackets stand for themselves")]
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone serve                                  on this machine alone, with an echo
  sidetone serve --once                           one call through real sockets, then stop
  sidetone serve --config /etc/sidetone.toml      as a service
  sidetone serve --print-config > sidetone.toml   a file to start from
  sidetone serve --mqtt-signature-key-file key --mqtt-listen 0.0.0.0:1883 \\
                 --udp-listen 0.0.0.0:8884        devices of others, who must know the key

Signals:
  HUP          reads the configuration anew; what can change while calls are live does
  TERM, INT    goodbye to all devices, and the end within session.drain; again: at once

Exit codes: 0 it ended as asked; 1 it did not start, or the check failed; 2 wrong usage.")]
pub(crate) struct Args {
    /// File of settings [default: sidetone.toml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Show the configuration that results, with the origin of each value and without secrets, and stop
    #[arg(long)]
    print_config: bool,
    /// Make one call with a virtual device before serving, and say what it measured
    #[arg(long)]
    self_check: bool,
    /// Stop after the self-check
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Args {
    fn sources(&self) -> Sources {
        Sources {
            file: self.config.clone(),
            environment: std::env::vars_os().collect(),
            flags: self.flags.given().to_vec(),
        }
    }
}

pub(crate) fn main(args: &Args) -> Result<ExitCode> {
    let loaded = match args.sources().load() {
        Ok(loaded) => loaded,
        Err(ConfigError(problems)) => {
            problems.iter().for_each(|problem| complain("error", &problem.to_string()));
            return Ok(ExitCode::FAILURE);
        }
    };
    if args.print_config {
        print(&loaded.to_toml())?;
        return Ok(ExitCode::SUCCESS);
    }
    let log = Log::start(&loaded.config.log)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = Runtime::new().context("the system gives no threads")?;
    let outcome = runtime.block_on(serve(args, loaded, &log));
    runtime.shutdown_timeout(LEFTOVERS);
    outcome
}

async fn serve(args: &Args, loaded: Loaded, log: &Log) -> Result<ExitCode> {
    // Before anything is started: from here on a signal is a wish, not an end.
    let mut signals = Signals::new()?;
    let gateway = Gateway::start(loaded.config.clone()).await?;
    print(&banner::text(&loaded, gateway.addresses()))?;
    if args.self_check || args.once {
        let checked = tokio::select! {
            checked = check::run(&gateway, &loaded.config) => checked,
            asked = signals.end() => return end(gateway, &mut signals, asked).await,
        };
        match checked {
            Ok(measured) => print(&format!("\n{measured}"))?,
            Err(error) => {
                gateway.shut_down().await;
                bail!(error.context("the self-check failed"));
            }
        }
    }
    if args.once {
        let drained = gateway.shut_down().await;
        return Ok(if drained { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    print("\nServing until Ctrl-C.\n")?;
    let _alive = service::serving().await;
    let asked = until_asked_to_end(args, &gateway, &mut signals, log).await;
    service::ending().await;
    end(gateway, &mut signals, asked).await
}

/// Reads the configuration anew whenever that is asked for, until the end is.
async fn until_asked_to_end(args: &Args, gateway: &Gateway, signals: &mut Signals, log: &Log) -> Asked {
    let mut asked = signals.next().await;
    while asked == Asked::Reload {
        let mut reloading = pin!(reload(args, gateway, log));
        let mut again = false;
        loop {
            tokio::select! {
                () = &mut reloading => break,
                // What was read may be old already; an end does not wait.
                next = signals.next() => match next {
                    Asked::Reload => again = true,
                    end => return end,
                },
            }
        }
        asked = if again { Asked::Reload } else { signals.next().await };
    }
    asked
}

/// Reads the configuration anew. One that is bad, or cannot be read in time, changes nothing.
async fn reload(args: &Args, gateway: &Gateway, log: &Log) {
    let sources = args.sources();
    let reading = tokio::task::spawn_blocking(move || sources.load());
    let Ok(Ok(loaded)) = tokio::time::timeout(READING, reading).await else {
        return tracing::error!("the configuration was not read within {READING:?}, and nothing has changed");
    };
    match loaded.and_then(|loaded| gateway.reload(&loaded.config).map(|change| (loaded, change))) {
        Ok((loaded, Change { applied, restart, .. })) => {
            for warning in &loaded.warnings {
                tracing::warn!("{warning}");
            }
            if let Err(error) = log.set_level(&loaded.config.log) {
                tracing::error!("{error:#}");
            }
            tracing::info!(applied = applied.join(", "), "the configuration was read anew");
            if !restart.is_empty() {
                tracing::warn!(settings = restart.join(", "), "these changed, and need a restart to take effect");
            }
        }
        Err(ConfigError(problems)) => {
            for problem in problems {
                tracing::error!("{problem}");
            }
            tracing::error!("the new configuration is bad, and nothing has changed");
        }
    }
}

/// Says goodbye to all devices. Asked again, ends at once.
async fn end(gateway: Gateway, signals: &mut Signals, asked: Asked) -> Result<ExitCode> {
    tracing::info!(signal = asked.name(), calls = gateway.calls(), "ending: goodbye to all devices");
    tokio::select! {
        drained = gateway.shut_down() => {
            if !drained {
                tracing::warn!("something was still busy when session.drain was over, and was dropped");
            }
            Ok(ExitCode::SUCCESS)
        }
        again = signals.end() => std::process::exit(again.code()),
    }
}
