//! Where settings come from, and what is said of those that do not go.

use proptest::prelude::*;
use sidetone_gateway::config::{
    BridgeKind, Listen, LogFormat, Origin, QualityName, SETTINGS, Setting, Sources, TENANT_SETTINGS, reference,
};
use sidetone_gateway::{Config, Gateway, series_reference};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        private(&path);
        path
    }

    /// Sources with this file.
    fn sources(&self, text: &str) -> Sources {
        Sources { file: Some(self.write("s.toml", text)), ..Sources::none() }
    }

    /// Everything that is wrong, a line each, with the file's folder left out.
    fn wrong(&self, sources: &Sources) -> Vec<String> {
        let error = sources.load().expect_err("something is wrong").to_string();
        let folder = format!("{}/", self.0.path().display());
        error.lines().map(|line| line.replace(&folder, "")).collect()
    }
}

#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &Path) {}

fn with_variables(mut sources: Sources, variables: &[(&str, &str)]) -> Sources {
    sources.environment.extend(variables.iter().map(|(name, text)| (name.into(), text.into())));
    sources
}

fn with_flags(mut sources: Sources, flags: &[(&'static str, &str)]) -> Sources {
    sources.flags.extend(flags.iter().map(|&(name, text)| (name, text.to_owned())));
    sources
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
fn every_error_names_setting_value_origin_and_what_is_allowed() {
    let scratch = Scratch::new();
    let file = r#"rate = 8000
colour = "red"
audoi.rate = 8000
[audio]
rate = 44100
lead = "3"
[mqtt]
lisen = "off"
listen = 1883
allow_anonymous = "yes"
signature_key = 12345
[http]
token = ""
[bridge]
url = "ws://user:hunter2@host"
[tenants]
toys = 5
[tenants.robots]
calls = -1
call = 5
"#;
    let sources = with_variables(scratch.sources(file), &[("SIDETONE_UDP_PUBLIC_PORT", "65536")]);
    let sources = with_flags(sources, &[("log.level", "loud"), ("broker.url", "http://x")]);
    let expected = [
        r#"rate (s.toml:1): there is no such setting; did you mean audio.rate?"#,
        r#"colour (s.toml:2): there is no such setting; `sidetone serve --help` lists all"#,
        r#"audoi.rate (s.toml:3): there is no such setting; did you mean audio.rate?"#,
        r#"audio.rate = 44100 (s.toml:5): must be 8000, 12000, 16000, 24000 or 48000"#,
        r#"audio.lead = "3" (s.toml:6): must be a whole number from 0 to 20"#,
        r#"mqtt.lisen (s.toml:8): there is no such setting; did you mean mqtt.listen?"#,
        r#"mqtt.listen = 1883 (s.toml:9): must be IP:PORT, such as "0.0.0.0:1883" or "[::]:1883", or "off""#,
        r#"mqtt.allow_anonymous = "yes" (s.toml:10): must be true or false"#,
        r#"mqtt.signature_key = *** (s.toml:11): must be the secret's text, in one line"#,
        r#"http.token = *** (s.toml:13): must be the secret's text, in one line"#,
        r#"bridge.url = "***@host" (s.toml:15): must be a URL, ws://HOST or wss://HOST, without user name and password"#,
        r#"tenants.toys (s.toml:17): tenants are written as [tenants.NAME], with their quotas below"#,
        r#"tenants.robots.calls = -1 (s.toml:19): must be a whole number from 0 to 100000"#,
        r#"tenants.robots.call (s.toml:20): there is no such setting; did you mean calls?"#,
        r#"udp.public_port = "65536" (environment variable SIDETONE_UDP_PUBLIC_PORT): must be a whole number from 1 to 65535"#,
        r#"log.level = "loud" (flag --log-level): must be off, error, warn, info, debug or trace, or such by module: "info,sidetone_gateway=debug""#,
        r#"broker.url = "http://x" (flag --broker-url): must be a URL, mqtt://HOST or mqtts://HOST, without user name and password"#,
    ];
    let wrong = scratch.wrong(&sources);
    for (line, expected) in wrong.iter().zip(expected) {
        assert_eq!(line, expected);
    }
    assert_eq!(wrong.len(), expected.len(), "{wrong:#?}");
}

#[test]
fn a_section_without_its_brackets_is_explained() {
    let scratch = Scratch::new();
    let wrong = scratch.wrong(&scratch.sources("mqtt = 5"));
    assert_eq!(wrong, ["mqtt (s.toml:1): is a section: write [mqtt], with its settings below"]);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let scratch = Scratch::new();
    let missing = Sources { file: Some(scratch.path("none.toml")), ..Sources::none() };
    assert_eq!(scratch.wrong(&missing), ["none.toml: there is no such file"]);
    fs::create_dir(scratch.path("folder")).unwrap();
    let folder = Sources { file: Some(scratch.path("folder")), ..Sources::none() };
    assert_eq!(scratch.wrong(&folder), ["folder: is a folder; name a file"]);
    fs::write(scratch.path("bytes"), [0xff, 0xfe]).unwrap();
    let bytes = Sources { file: Some(scratch.path("bytes")), ..Sources::none() };
    assert_eq!(scratch.wrong(&bytes), ["bytes: is no text (UTF-8)"]);
    fs::write(scratch.path("huge"), " ".repeat((1 << 20) + 1)).unwrap();
    let huge = Sources { file: Some(scratch.path("huge")), ..Sources::none() };
    assert_eq!(scratch.wrong(&huge), ["huge: has more than 1048576 bytes, and is hardly what was meant"]);
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

#[test]
fn settings_that_need_each_other_are_told_so() {
    for (text, expected) in [
        (
            "mqtt.tls_listen = \"127.0.0.1:8883\"",
            "mqtt.tls_listen (s.toml:1): needs mqtt.certificate, which is not set",
        ),
        ("mqtt.certificate = \"c.pem\"", "mqtt.certificate (s.toml:1): needs mqtt.key, which is not set"),
        ("mqtt.key = \"k.pem\"", "mqtt.key (s.toml:1): needs mqtt.certificate, which is not set"),
        ("bridge.kind = \"websocket\"", "bridge.kind (s.toml:1): needs bridge.url, which is not set"),
        ("broker.username = \"u\"", "broker.username (s.toml:1): needs broker.url, which is not set"),
        (
            "web.listen = \"127.0.0.1:1883\"",
            "web.listen (s.toml:1): 127.0.0.1:1883 is where mqtt.listen listens; give each a port of its own",
        ),
        (
            "http.listen = \"0.0.0.0:8080\"",
            "http.listen (s.toml:1): 0.0.0.0:8080 is reachable from outside: set http.token, or listen on loopback",
        ),
        (
            "udp.listen = \"0.0.0.0:8884\"",
            "udp.listen (s.toml:1): 0.0.0.0:8884 is reachable from outside, but without mqtt.signature_key anybody could connect: set the key that devices' passwords are made with, or mqtt.allow_anonymous = true",
        ),
    ] {
        let scratch = Scratch::new();
        let wrong = scratch.wrong(&scratch.sources(text));
        assert_eq!(wrong.first().map(String::as_str), Some(expected));
    }
}

#[test]
fn certificates_are_looked_at_before_anything_starts() {
    let scratch = Scratch::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = scratch.write("c.pem", &made.cert.pem());
    let key = scratch.write("k.pem", &made.signing_key.serialize_pem());
    let strange = scratch.write("o.pem", &other.signing_key.serialize_pem());
    let rubbish = scratch.write("r.pem", "-----BEGIN CERTIFICATE-----\n%%%\n");
    let load = |certificate: &Path, key: &Path| {
        let flags = [
            ("mqtt.tls_listen", "127.0.0.1:0"),
            ("mqtt.certificate", certificate.to_str().unwrap()),
            ("mqtt.key", key.to_str().unwrap()),
        ];
        with_flags(Sources::none(), &flags)
    };
    assert!(load(&certificate, &key).load().is_ok());
    let wrong = |certificate: &Path, key: &Path| scratch.wrong(&load(certificate, key)).join("\n");
    let pem = "it must be a PEM file with certificates (BEGIN CERTIFICATE), the server's own first";
    let key_pem = "it must be a PEM file with a private key (BEGIN PRIVATE KEY)";
    assert_eq!(
        wrong(&scratch.path("none"), &key),
        format!(r#"mqtt.certificate = "none" (flag --mqtt-certificate): there is no such file; {pem}"#)
    );
    assert_eq!(
        wrong(&rubbish, &key),
        format!(r#"mqtt.certificate = "r.pem" (flag --mqtt-certificate): is no valid PEM; {pem}"#)
    );
    assert_eq!(
        wrong(&key, &key),
        format!(r#"mqtt.certificate = "k.pem" (flag --mqtt-certificate): holds no certificate; {pem}"#)
    );
    assert_eq!(
        wrong(&certificate, &certificate),
        format!(r#"mqtt.key = "c.pem" (flag --mqtt-key): holds none; {key_pem}"#)
    );
    assert_eq!(
        wrong(&certificate, &strange),
        r#"mqtt.key = "o.pem" (flag --mqtt-key): is not the key of the certificate"#
    );
}

#[test]
fn a_configuration_made_by_a_program_is_checked_the_same() {
    let mut config = Config::default();
    config.audio.rate = 44_100;
    config.limits.calls = 0;
    let wrong = config.check().unwrap_err().to_string();
    assert_eq!(
        wrong,
        "audio.rate = 44100: must be 8000, 12000, 16000, 24000 or 48000\nlimits.calls = 0: must be a whole number from 1 to 100000"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let refused = runtime.block_on(Gateway::start(config)).err().expect("it does not start");
    assert_eq!(refused.to_string(), wrong);
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

#[test]
fn defaults_are_good() {
    let loaded = Sources::none().load().unwrap();
    assert_eq!(loaded.config.mqtt.listen, Listen::loopback(1883));
    assert_eq!(loaded.origin("mqtt.listen"), Origin::Default);
    assert!(loaded.config.check().is_ok());
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

#[test]
fn rules_for_alerts_are_read_and_what_is_wrong_with_one_is_named_with_its_line() {
    let scratch = Scratch::new();
    let good = scratch.sources(
        "[alerts]\nwebhook = \"https://hooks.example/s3cret\"\n[[alerts.rules]]\nname = \"latency\"\nmetric = \"total_p95_ms\"\nabove = 20\n\
         [[alerts.rules]]\nname = \"loss\"\nenabled = false\n",
    );
    let loaded = good.load().unwrap();
    let rules = &loaded.config.alerts.rules;
    assert_eq!((rules.len(), rules[0].above, rules[0].severity.as_str()), (2, Some(20.0), "warning"));
    let printed = loaded.to_toml();
    assert!(printed.contains("\n[[alerts.rules]]\n") && !printed.contains("s3cret"), "{printed}");
    let again = scratch.sources(&printed.replace("# webhook = \"***\"", "# "));
    assert_eq!(again.load().unwrap().config.alerts.rules, *rules, "what is printed can be read");

    let rule = "[[alerts.rules]]\nname = \"x\"\n";
    let cases = [
        (
            format!("{rule}metric = \"cals\"\nabove = 1"),
            "alerts.rules.x.metric = \"cals\" (s.toml:1): there is no such series; did you mean \"calls\"?",
        ),
        (
            format!("{rule}above = 1"),
            "alerts.rules.x.metric (s.toml:1): is missing: name a series, such as \"total_p99_ms\" (docs/api.md lists them)",
        ),
        (
            format!("{rule}metric = \"calls\""),
            "alerts.rules.x.above (s.toml:1): is missing: give above = NUMBER, or below = NUMBER",
        ),
        (
            format!("{rule}metric = \"calls\"\nabove = 1\nbelow = 2"),
            "alerts.rules.x.below (s.toml:1): is set beside above; give one of both",
        ),
        (format!("{rule}metric = \"calls\"\nabove = nan"), "alerts.rules.x.above = NaN (s.toml:1): must be a number"),
        (
            format!("{rule}metric = \"calls\"\nabove = 1\nseverity = \"bad\""),
            "alerts.rules.x.severity = \"bad\" (s.toml:1): must be \"info\", \"warning\" or \"critical\"",
        ),
        (
            format!("{rule}metric = \"calls\"\nabove = 1\nfor = 90000"),
            "alerts.rules.x.for = 90000 (s.toml:1): must be a whole number from 0 to 86400: seconds",
        ),
        (format!("{rule}metric = \"calls\"\nabove = \"1\""), "alerts.rules.above = \"1\" (s.toml:1): must be a number"),
        (
            format!("{rule}metrik = \"calls\""),
            "alerts.rules.metrik (s.toml:1): there is no such key; did you mean metric?",
        ),
        (
            "[[alerts.rules]]\nmetric = \"calls\"".into(),
            "alerts.rules.name (s.toml:1): is missing: give each rule a name, such as name = \"latency\"",
        ),
        (
            "[[alerts.rules]]\nname = \"A b\"\nenabled = false".into(),
            "alerts.rules.A b.name = \"A b\" (s.toml:1): must be 1 to 64 of a to z, 0 to 9 and -, such as \"latency\"",
        ),
        (
            "[alerts]\nrules = 5".into(),
            "alerts.rules (s.toml:2): rules are written as [[alerts.rules]], each with its keys below",
        ),
        (
            "[alerts]\nrules = [5]".into(),
            "alerts.rules (s.toml:2): a rule is a table: write [[alerts.rules]], with its keys below",
        ),
        (
            "[alerts]\nwebhook = \"ftp://x/s3cret\"".into(),
            "alerts.webhook (s.toml:2): must be http://HOST/… or https://HOST/…, without user name and password (alerts.webhook_token)",
        ),
        (
            "[alerts]\nwebhook_token = \"x\"".into(),
            "alerts.webhook_token (s.toml:2): needs alerts.webhook, which is not set",
        ),
        (
            "[history]\nmost_bytes = 5".into(),
            "history.most_bytes = 5 (s.toml:2): must be a whole number from 4194304 to 1099511627776",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(scratch.wrong(&scratch.sources(&text)), [expected], "{text}");
    }
    let twice = format!("{rule}enabled = false\n{rule}enabled = false");
    let said = scratch.wrong(&scratch.sources(&twice));
    assert_eq!(said, ["alerts.rules.x.name = \"x\" (s.toml:4): another rule has this name; give each its own"]);
}
