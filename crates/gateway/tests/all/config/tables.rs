//! The tables of settings and of series, against the structs and the documents made from them.

use sidetone_gateway::config::{SETTINGS, Setting, TENANT_SETTINGS, reference};
use sidetone_gateway::{Config, series_reference};
use std::fs;
use std::path::Path;

#[test]
fn the_table_and_the_structs_know_the_same_settings() {
    // What serde expects in each section is what the table has, but for files of secrets.
    let named = |section: &str| {
        let text = if section.is_empty() { "x = 1".to_owned() } else { format!("[{section}]\n'?' = 1") };
        let error = toml::from_str::<Config>(&text).unwrap_err().message().to_owned();
        let (_, fields) = error.split_once("expected ").expect(&error);
        let mut fields: Vec<_> = fields.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        fields.sort();
        fields
    };
    let sorted = |names: Vec<&str>| {
        let mut names: Vec<_> = names.into_iter().map(str::to_owned).collect();
        names.sort();
        names
    };
    let sections = sidetone_gateway::config::SECTIONS.iter().map(|&(section, _)| section);
    assert_eq!(named(""), sorted(sections.clone().chain(["tenants"]).collect()));
    for section in sections {
        let ours = SETTINGS.iter().filter(|setting| setting.section() == section && !setting.name.ends_with("_file"));
        // Rules are no setting, but a list of them.
        let rules = (section == "alerts").then_some("rules");
        assert_eq!(named(section), sorted(ours.map(Setting::key).chain(rules).collect()), "{section}");
    }
    assert_eq!(named("tenants.x"), sorted(TENANT_SETTINGS.iter().map(|setting| setting.name).collect()));
}

#[test]
fn the_reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let begin = "<!-- From here on made from the table of settings; SIDETONE_BLESS=1 cargo test writes it anew. -->\n";
    let text = fs::read_to_string(&path).unwrap();
    let (head, tables) = text.split_once(begin).expect("the mark");
    if std::env::var_os("SIDETONE_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, format!("{head}{begin}{}", reference())).unwrap();
    } else {
        assert!(tables == reference(), "docs/configuration.md is old: run this test with SIDETONE_BLESS=1");
    }
}

#[test]
fn the_table_of_series_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    let begin = "<!-- From here to the end of the table made from the table of series; SIDETONE_BLESS=1 cargo test writes it anew. -->\n\n";
    let end = "\n<!-- End of the table. -->";
    let text = fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(begin).expect("the mark");
    let (table, tail) = rest.split_once(end).expect("the end's mark");
    if std::env::var_os("SIDETONE_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, format!("{head}{begin}{}{end}{tail}", series_reference())).unwrap();
    } else {
        assert!(table == series_reference(), "docs/api.md is old: run this test with SIDETONE_BLESS=1");
    }
}
