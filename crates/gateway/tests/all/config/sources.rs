//! Where settings come from, and which of them counts.

use super::{Scratch, with_flags, with_variables};
use sidetone_gateway::Config;
use sidetone_gateway::config::{BridgeKind, Listen, LogFormat, Origin, QualityName, Sources};
use std::path::PathBuf;

#[test]
fn defaults_are_good() {
    let loaded = Sources::none().load().unwrap();
    assert_eq!(loaded.config.mqtt.listen, Listen::loopback(1883));
    assert_eq!(loaded.origin("mqtt.listen"), Origin::Default);
    assert!(loaded.config.check().is_ok());
}

#[test]
fn a_flag_counts_more_than_a_variable_and_that_more_than_the_file() {
    let scratch = Scratch::new();
    let file = "[audio]\nrate = 8000\nframe = 20\nlead = 1\n[mqtt]\nlisten = \"127.0.0.1:1\"\n";
    let rate = |sources: &Sources| {
        let loaded = sources.load().unwrap();
        (loaded.config.audio.rate, loaded.origin("audio.rate").to_string())
    };
    let path = scratch.path("s.toml").display().to_string();
    let from_file = scratch.sources(file);
    assert_eq!(rate(&Sources::none()), (24_000, "default".into()));
    assert_eq!(rate(&from_file), (8_000, format!("{path}:2")));
    let variable = with_variables(from_file, &[("SIDETONE_AUDIO_RATE", "16000"), ("SIDETONE_AUDIO_LEAD", "2")]);
    assert_eq!(rate(&variable), (16_000, "environment variable SIDETONE_AUDIO_RATE".into()));
    let flag = with_flags(variable, &[("audio.rate", "48000"), ("mqtt.listen", "127.0.0.1:3")]);
    assert_eq!(rate(&flag), (48_000, "flag --audio-rate".into()));
    let config = flag.load().unwrap().config;
    assert_eq!((config.audio.frame, config.audio.lead), (20, 2));
    assert_eq!(config.mqtt.listen, "127.0.0.1:3".parse().unwrap());
}

#[test]
fn an_empty_variable_is_none() {
    let sources = with_variables(Sources::none(), &[("SIDETONE_AUDIO_RATE", ""), ("SIDETONE_CONFIG", "")]);
    let loaded = sources.load().unwrap();
    assert_eq!((loaded.config.audio.rate, loaded.file, loaded.warnings), (24_000, None, vec![]));
}

#[test]
fn the_file_is_named_by_flag_or_variable() {
    let scratch = Scratch::new();
    let (one, other) =
        (scratch.write("one.toml", "audio.rate = 8000"), scratch.write("other.toml", "audio.rate = 16000"));
    let variable = with_variables(Sources::none(), &[("SIDETONE_CONFIG", one.to_str().unwrap())]);
    assert_eq!(variable.load().unwrap().config.audio.rate, 8_000);
    let flag = Sources { file: Some(other), ..variable };
    assert_eq!(flag.load().unwrap().config.audio.rate, 16_000);
}

#[test]
fn every_kind_of_value_is_understood() {
    let scratch = Scratch::new();
    let file = r#"
        bridge = { kind = "record", directory = "somewhere" }
        [mqtt]
        dialect = "per-device"
        [web]
        origins = ["https://a.example", "http://b.example:8080"]
        [log]
        format = "json"
        level = "info,sidetone_gateway=debug"
        [tenants.toys]
        calls = 5
        quality = "minimal"
        [tenants.robots]
    "#;
    let config = scratch.sources(file).load().unwrap().config;
    assert_eq!((config.bridge.kind, config.bridge.directory), (BridgeKind::Record, PathBuf::from("somewhere")));
    assert_eq!(config.web.origins, ["https://a.example", "http://b.example:8080"]);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.tenants.keys().collect::<Vec<_>>(), ["robots", "toys"]);
    let toys = &config.tenants["toys"];
    assert_eq!((toys.calls, toys.quality, toys.frames_per_second), (Some(5), Some(QualityName::Minimal), None));
    let list = with_variables(Sources::none(), &[("SIDETONE_WEB_ORIGINS", "https://a, https://b")]);
    assert_eq!(list.load().unwrap().config.web.origins, ["https://a", "https://b"]);
}

#[test]
fn unknown_variables_are_warned_of() {
    let variables = [("SIDETONE_MQTT_LISTN", "off"), ("SIDETONE_SERVICE_HOST", "10.0.0.1"), ("SIDETONE_KEY", "k")];
    let warnings = with_variables(Sources::none(), &variables).load().unwrap().warnings;
    let expected = [
        "environment variable SIDETONE_MQTT_LISTN is no setting, and has no effect; did you mean SIDETONE_MQTT_LISTEN?",
        "environment variable SIDETONE_SERVICE_HOST is no setting, and has no effect",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn what_is_printed_can_be_read_back() {
    let scratch = Scratch::new();
    let key = scratch.write("key", "s3cret");
    let file = format!(
        "[http]\ntoken_file = {key:?}\n[broker]\nurl = \"mqtt://b\"\nclient_id = \"a \\\"b\\\"\"\n[audio]\nbitrate = 24000\n\
         [tenants.\"a b\"]\ncalls = 3\n[tenants.empty]\n",
        key = key.display().to_string()
    );
    let loaded = with_flags(scratch.sources(&file), &[("mqtt.listen", "off")]).load().unwrap();
    let printed = loaded.to_toml();
    let again = Sources { file: Some(scratch.write("again.toml", &printed)), ..Sources::none() }.load().unwrap();
    let text = |config: &Config| toml::to_string(config).unwrap();
    assert_eq!(text(&again.config), text(&loaded.config));
    assert_eq!(again.config.http.token.unwrap().expose(), "s3cret");
    assert!(printed.contains("listen = \"off\"  # flag --mqtt-listen\n"), "{printed}");
    assert!(printed.contains("rate = 24000  # default\n"));
    assert!(printed.contains("# certificate =  # not set\n"));
    assert!(printed.contains("# token = \"***\"  # from the file below; not shown\n"));
    assert_eq!(again.config.tenants.keys().collect::<Vec<_>>(), ["a b", "empty"]);
}
