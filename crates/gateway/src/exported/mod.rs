//! For other programs that watch: what Prometheus is told, alert rules for it, and a dashboard for Grafana. All made from
//! the tables of metrics and of rules that are built in, so that none can name what is not there.

mod grafana;
mod promql;
mod rules;

pub use grafana::grafana;
pub use rules::prometheus_rules;

use crate::prometheus::METRICS;
use sidetone_host::metrics::Metric;

/// All metrics that `/metrics` has: the pool's, then the gateway's.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    sidetone_host::metrics::ALL.iter().chain(METRICS)
}
