//! The report as one page: no scripts, nothing from elsewhere, light and dark as the reader has it.

use std::fmt::Write as _;

use super::plot::{Series, plot};
use super::{Report, text};
use crate::stats::{Moment, Snapshot};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #666b73; --line: #d9dce1; --page: #ffffff;
  --s0: #1668b8; --s1: #c2410c; --s2: #15803d; --s3: #7e22ce; --bad: #b91c1c; --good: #15803d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #9aa1ab; --line: #353a42; --page: #15181c;
  --s0: #6cb2f2; --s1: #f59e5b; --s2: #5fce8a; --s3: #c79bf2; --bad: #f87171; --good: #5fce8a; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .2rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 500; }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: .2rem 1rem; } dt { color: var(--soft); } dd { margin: 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 500; } .key { font-weight: 400; margin-left: .8rem; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--soft); } text.y { text-anchor: end; } text.x { text-anchor: middle; }
.grid { stroke: var(--line); fill: none; } .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.line.s0 { stroke: var(--s0); } .line.s1 { stroke: var(--s1); } .line.s2 { stroke: var(--s2); } .line.s3 { stroke: var(--s3); }
.key.s0 { color: var(--s0); } .key.s1 { color: var(--s1); } .key.s2 { color: var(--s2); } .key.s3 { color: var(--s3); }
.failed { color: var(--bad); } .passed { color: var(--good); }
";

pub(super) fn html(report: &Report) -> String {
    let title = escape(&text::headline(report));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>Sidetone fleet: {title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<h1>Sidetone fleet</h1>\n<p>{title}</p>\n"
    );
    verdicts(&mut page, report);
    page.push_str("<dl>\n");
    for (label, fact) in text::facts(report) {
        let _ = writeln!(page, "<dt>{label}</dt><dd>{}</dd>", escape(&fact));
    }
    page.push_str("</dl>\n<h2>Times, ms</h2>\n<table>\n<tr><th></th><th>count</th><th>p50</th><th>p95</th><th>p99</th><th>max</th></tr>\n");
    for (name, distribution) in text::distributions(report) {
        if distribution.count > 0 {
            let _ = write!(page, "<tr><td>{name}</td><td>{}</td>", distribution.count);
            for figure in text::figures(distribution) {
                let _ = write!(page, "<td>{figure}</td>");
            }
            page.push_str("</tr>\n");
        }
    }
    page.push_str("</table>\n");
    plots(&mut page, report);
    if !report.causes.is_empty() {
        page.push_str("<h2>What happened</h2>\n<table>\n");
        for (cause, count) in &report.causes {
            let _ = writeln!(page, "<tr><td>{}</td><td>{count}</td></tr>", escape(cause));
        }
        page.push_str("</table>\n");
    }
    page.push_str("<h2>All counts</h2>\n<table>\n");
    for (name, count) in report.counts.named() {
        if count > 0 {
            let _ = writeln!(page, "<tr><td>{name}</td><td>{count}</td></tr>");
        }
    }
    page.push_str("</table>\n</body>\n</html>\n");
    page
}

fn verdicts(page: &mut String, report: &Report) {
    for verdict in &report.thresholds {
        let (class, word) = if verdict.failed { ("failed", "FAIL") } else { ("passed", "ok") };
        let measured = verdict.measured.map_or("not measured".into(), |measured| format!("{measured:.3}"));
        let _ = writeln!(page, "<p class=\"{class}\">{word}: fails if {}; {measured}</p>", escape(&verdict.fail_if));
    }
}

fn plots(page: &mut String, report: &Report) {
    let over_time = |label, value: fn(&Moment) -> Option<f64>| Series {
        label,
        points: report.timeline.iter().map(|moment| (moment.seconds, value(moment))).collect(),
    };
    let share = |label, snapshot: &Snapshot| Series {
        label,
        points: snapshot.cumulative().map(|(time, share)| (super::millis(time), Some(share * 100.0))).collect(),
    };
    let drawn = [
        plot(
            "Mouth to ear: share of marks within",
            "ms",
            "%",
            Some(100.0),
            &[share("mouth to ear", &report.plots.mouth_to_ear)],
        ),
        plot(
            "Added by the gateway: share of marks within",
            "ms",
            "%",
            Some(100.0),
            &[share("added", &report.plots.added)],
        ),
        plot(
            "Mouth to ear",
            "s",
            "ms",
            None,
            &[
                over_time("p50", |moment| moment.mouth_to_ear_p50_ms),
                over_time("p99", |moment| moment.mouth_to_ear_p99_ms),
            ],
        ),
        plot("Added by the gateway, p99", "s", "ms", None, &[over_time("p99", |moment| moment.added_p99_ms)]),
        plot(
            "Loss",
            "s",
            "%",
            None,
            &[over_time("lost", |moment| {
                let sent = moment.downlink_packets + moment.lost;
                (sent > 0).then(|| moment.lost as f64 * 100.0 / sent as f64)
            })],
        ),
        plot(
            "Devices",
            "s",
            "",
            None,
            &[
                over_time("connected", |moment| Some(moment.connected as f64)),
                over_time("in a call", |moment| Some(moment.in_call as f64)),
            ],
        ),
    ];
    page.push_str("<h2>Plots</h2>\n<div class=\"plots\">\n");
    drawn.into_iter().flatten().for_each(|plot| page.push_str(&plot));
    page.push_str("</div>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
