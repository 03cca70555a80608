//! A page that says what there is, with a few numbers: plain HTML, until there is a dashboard.

use super::{Site, stats};
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;
use std::fmt::Write as _;

/// What can be asked for: path, and what it is.
const PATHS: &[(&str, &str)] = &[
    ("/device/", "a device for the browser, where http.device_page names its folder"),
    ("/healthz", "200 while the process lives"),
    ("/readyz", "200 while calls are taken, 503 with the reasons otherwise"),
    ("/metrics", "for Prometheus"),
    ("/api/stats", "all numbers, as JSON"),
    ("/api/sessions", "the calls; /api/sessions/ID is one with its traffic, DELETE ends it"),
    ("/api/events", "what happens, as server-sent events"),
    ("/api/config", "the configuration in force, secrets masked"),
];

/// Numbers that are shown: pointer into the stats, and what it is.
const NUMBERS: &[(&str, &str)] = &[
    ("/calls", "Calls"),
    ("/devices", "Devices connected"),
    ("/slots", "Instances there is room for"),
    ("/performance/framesProcessed", "Frames processed"),
    ("/performance/p99", "Latency of a frame, 99 of 100 below, in ms"),
    ("/gateway/uplink_lost", "Packets lost on the way here"),
    ("/workersReplaced", "Workers replaced"),
    ("/uptime", "Seconds up"),
];

const STYLE: &str = "\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
th { text-align: left; font-weight: normal; padding-right: 2rem }
td { text-align: right; font-variant-numeric: tabular-nums }
dt { font-family: ui-monospace, monospace }
dd { margin: 0 0 .5rem 1.5rem }";

/// Fetches the numbers anew, as long as the page is looked at.
const SCRIPT: &str = r#""use strict";
const cells = [...document.querySelectorAll("td[data-of]")];
const state = document.getElementById("state");
const shown = value => typeof value === "number" && !Number.isInteger(value) ? value.toFixed(2) : String(value);
async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch("api/stats");
    if (!response.ok) throw new Error(`answer ${response.status}`);
    const stats = await response.json();
    for (const cell of cells) {
      const value = cell.dataset.of.split("/").slice(1).reduce((part, key) => part?.[key], stats);
      cell.textContent = value === undefined ? "" : shown(value);
    }
    const text = stats.ready ? "Taking calls." : "Not taking calls: see /readyz.";
    if (state.textContent !== text) state.textContent = text;
  } catch (error) {
    state.textContent = `The gateway does not answer (${error.message}).`;
  }
}
setInterval(refresh, 2000);
"#;

pub(super) async fn page(State(site): State<Site>) -> Response {
    Html(written(&stats::all(&site.shared))).into_response()
}

pub(super) async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

/// Only numbers and our own words go into it: nothing that a device said.
fn written(stats: &Value) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Sidetone gateway</title>\n\
         <style>\n{STYLE}\n</style>\n<script src=\"page.js\" defer></script>\n</head>\n<body>\n<main>\n\
         <h1>Sidetone gateway</h1>\n<p id=\"state\" role=\"status\">{}</p>\n<h2>Now</h2>\n<table>\n",
        if stats["ready"] == Value::Bool(true) { "Taking calls." } else { "Not taking calls: see /readyz." }
    );
    for (pointer, label) in NUMBERS {
        let number = stats.pointer(pointer).and_then(Value::as_f64).unwrap_or_default();
        let number = if number.fract() == 0.0 { number.to_string() } else { format!("{number:.2}") };
        // Writing to a String cannot fail.
        let _ = writeln!(page, "<tr><th scope=\"row\">{label}</th><td data-of=\"{pointer}\">{number}</td></tr>");
    }
    page.push_str("</table>\n<h2>To ask for</h2>\n<dl>\n");
    for (path, about) in PATHS {
        let _ = writeln!(page, "<dt><a href=\"{}\">{path}</a></dt><dd>{about}</dd>", &path[1..]);
    }
    page.push_str("</dl>\n</main>\n</body>\n</html>\n");
    page
}
