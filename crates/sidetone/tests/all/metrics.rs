//! What Prometheus makes of the rules that are written for it.

use crate::common::{run, scratch};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What `promtool` says; `None` where there is none.
fn promtool(arguments: &[&str], folder: &Path) -> Option<(bool, String)> {
    let output = match Command::new("promtool").args(arguments).current_dir(folder).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!(
                "SKIPPED: promtool does not start ({error}); `cargo xtask setup` installs it (Debian: prometheus)"
            );
            return None;
        }
    };
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

fn rules(folder: &Path) {
    let written = run(["metrics", "--prometheus-rules"]);
    assert_eq!((written.code, written.err.as_str()), (0, ""));
    fs::write(folder.join("sidetone.yml"), written.out).unwrap();
}

#[test]
fn prometheus_takes_the_rules() {
    let folder = scratch();
    rules(folder.path());
    let Some((good, said)) = promtool(&["check", "rules", "sidetone.yml"], folder.path()) else { return };
    assert!(good && said.contains("SUCCESS: 13 rules found"), "{said}");
    fs::write(folder.path().join("bad.yml"), "groups: [{name: a, rules: [{alert: A, expr: 'sum('}]}]").unwrap();
    assert!(!promtool(&["check", "rules", "bad.yml"], folder.path()).unwrap().0, "it does check");
}

#[test]
fn prometheus_fires_them_when_it_should() {
    let folder = scratch();
    rules(folder.path());
    fs::write(folder.path().join("test.yml"), include_str!("data/prometheus_test.yml")).unwrap();
    let Some((good, said)) = promtool(&["test", "rules", "test.yml"], folder.path()) else { return };
    assert!(good, "{said}");
}

#[test]
fn the_dashboard_is_json_and_the_list_has_a_line_for_each_metric() {
    let dashboard = run(["metrics", "--grafana"]);
    let dashboard: Value = serde_json::from_str(&dashboard.out).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let list = run(["metrics"]).out;
    assert_eq!(panels.len(), list.lines().count() + 6, "one a metric, and six large numbers");
    assert!(list.lines().any(|line| line.starts_with("sidetone_shed_total{tenant, why} ") && line.ends_with('.')));
    let both = run(["metrics", "--grafana", "--prometheus-rules"]);
    assert_eq!((both.code, both.out.as_str()), (2, ""));
}
