//! Secrets: where they may stand, and that they show nowhere.

use super::{Scratch, with_flags, with_variables};
use proptest::prelude::*;
use sidetone_gateway::config::Sources;
use std::fs;

#[test]
fn secrets_on_command_lines_and_in_open_files_are_warned_of() {
    let flagged = with_flags(Sources::none(), &[("http.token", "s3cret")]).load().unwrap();
    let expected =
        "--http-token: every user of this machine can read command lines; use --http-token-file or SIDETONE_HTTP_TOKEN";
    assert_eq!(flagged.warnings, [expected]);
    let scratch = Scratch::new();
    let sources = scratch.sources("http.token = \"s3cret\"");
    assert_eq!(sources.load().unwrap().warnings, Vec::<String>::new());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = sources.file.clone().unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let warning = &sources.load().unwrap().warnings[0];
        assert!(
            warning.starts_with("http.token (") && warning.ends_with("chmod it to 600, or use http.token_file"),
            "{warning}"
        );
    }
}

#[test]
fn a_secret_may_stand_in_a_file_of_its_own() {
    let scratch = Scratch::new();
    let key = scratch.write("key", "s3cret key\n");
    let text = format!("mqtt.signature_key_file = {:?}", key.display().to_string());
    let loaded = scratch.sources(&text).load().unwrap();
    assert_eq!(loaded.config.mqtt.signature_key.as_ref().unwrap().expose(), "s3cret key");
    // The later layer counts, whichever of the two it sets.
    let variable = with_variables(scratch.sources(&text), &[("SIDETONE_MQTT_SIGNATURE_KEY", "other")]);
    assert_eq!(variable.load().unwrap().config.mqtt.signature_key.unwrap().expose(), "other");
    let flag = with_flags(variable, &[("mqtt.signature_key_file", key.to_str().unwrap())]);
    assert_eq!(flag.load().unwrap().config.mqtt.signature_key.unwrap().expose(), "s3cret key");
    let both = scratch.sources(&format!("{text}\nmqtt.signature_key = \"x\""));
    let expected = "mqtt.signature_key_file (s.toml:1): mqtt.signature_key is set as well (s.toml:2); set one of them";
    assert_eq!(
        scratch
            .wrong(&both)
            .iter()
            .map(|line| line.replace(&format!("{}/", scratch.0.path().display()), ""))
            .collect::<Vec<_>>(),
        [expected]
    );
    scratch.write("empty", "\n");
    for (name, why) in
        [("empty", "what the file holds must be the secret's text, in one line"), ("none", "there is no such file")]
    {
        let flag = with_flags(Sources::none(), &[("http.token_file", scratch.path(name).to_str().unwrap())]);
        let wrong = scratch.wrong(&flag);
        assert_eq!(
            wrong,
            [format!("http.token_file = {name:?} (flag --http-token-file): {why}").replace("= \"", "= \"")]
        );
    }
}

proptest! {
    #[test]
    fn no_output_holds_a_secret(secret in "[a-zA-Z0-9%&=+,.;:/?@#-]{12,60}", bad in any::<bool>()) {
        let scratch = Scratch::new();
        let quoted = toml::Value::String(secret.clone()).to_string();
        let file = format!(
            "[mqtt]\nsignature_key = {quoted}\n[broker]\nurl = \"mqtt://b\"\nusername = \"u\"\npassword = {quoted}\n[http]\ntoken = {quoted}\n{}",
            // A slip in a name, a wrong type, a broken file: each would like to show its line.
            if bad { format!("tokn = {quoted}\n[bridge]\ntoken = [{quoted}]\nurl = \"ws://u:{secret}@h\"\n") } else { String::new() }
        );
        let sources = with_variables(scratch.sources(&file), &[("SIDETONE_BRIDGE_TOKEN", &secret)]);
        let said = match sources.load() {
            Ok(loaded) => format!("{} {loaded:?} {:?} {}", loaded.to_toml(), loaded.warnings, serde_json::to_string(&loaded.config).unwrap()),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!said.contains(&secret), "{said}");
        let broken = scratch.sources(&format!("{file}\n[http]\ntoken = \"{secret}\n")).load().unwrap_err();
        let said = format!("{broken} {broken:?}");
        prop_assert!(!said.contains(&secret), "{said}");
    }
}
