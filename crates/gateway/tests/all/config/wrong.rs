//! What is said of settings that do not go.

use super::{Scratch, with_flags, with_variables};
use sidetone_gateway::config::Sources;
use sidetone_gateway::{Config, Gateway};
use std::fs;
use std::path::Path;

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
