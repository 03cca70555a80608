//! `sidetone metrics`: what the gateway tells Prometheus, and what Prometheus and Grafana make of it.

use crate::report::print;
use anyhow::Result;
use sidetone_gateway::exported;
use std::process::ExitCode;

/// List the gateway's metrics, or write alert rules for Prometheus or a dashboard for Grafana.
///
/// All three are made from the table that the gateway itself counts by, and from the alerts that are built into it.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sidetone metrics                                                          all metrics, with what they say
  sidetone metrics --prometheus-rules > /etc/prometheus/rules/sidetone.yml  alert rules (rule_files)
  sidetone metrics --grafana > sidetone.json                                a dashboard, to be imported")]
pub(crate) struct Args {
    /// Alert rules for Prometheus, in YAML
    #[arg(long, conflicts_with = "grafana")]
    prometheus_rules: bool,
    /// A dashboard for Grafana, in JSON
    #[arg(long)]
    grafana: bool,
}

pub(crate) fn main(args: &Args) -> Result<ExitCode> {
    if args.prometheus_rules {
        print(&exported::prometheus_rules())?;
    } else if args.grafana {
        print(&format!("{:#}\n", exported::grafana()))?;
    } else {
        print(&list())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A line for each metric: name, labels, kind, help.
fn list() -> String {
    let line = |metric: &sidetone_host::metrics::Metric| {
        let labels = if metric.labels.is_empty() { String::new() } else { format!("{{{}}}", metric.labels.join(", ")) };
        let kind = format!("{:?}", metric.kind).to_lowercase();
        format!("{:<62} {kind:<10} {}\n", format!("{}{labels}", metric.name), metric.help)
    };
    exported::metrics().map(line).collect()
}
