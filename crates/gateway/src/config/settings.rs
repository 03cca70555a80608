//! The table of settings: the one source of what is understood in the file, as variables and as flags, and of the
//! reference in docs/configuration.md.

use super::Kind;
use Applies::{Live, Start};

/// When a change takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// At the next start.
    Start,
    /// On SIGHUP.
    Live,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Section and key: `mqtt.listen`.
    pub name: &'static str,
    /// What its value is called.
    pub value: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// When a change takes effect.
    pub applies: Applies,
    /// What it is for.
    pub help: &'static str,
}

impl Setting {
    const fn new(name: &'static str, value: &'static str, kind: Kind, applies: Applies, help: &'static str) -> Self {
        Self { name, value, kind, applies, help }
    }

    /// The setting of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// `mqtt` of `mqtt.listen`.
    #[must_use]
    pub fn section(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(section, _)| section)
    }

    /// `listen` of `mqtt.listen`.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, key)| key)
    }

    /// Its variable: `SIDETONE_MQTT_LISTEN`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{VARIABLES}{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// Its flag: `--mqtt-listen`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace(['.', '_'], "-"))
    }
}

/// What the names of all variables begin with.
pub(super) const VARIABLES: &str = "SIDETONE_";

/// Variables of this prefix that are no settings.
pub(super) const OTHER_VARIABLES: &[&str] =
    &["SIDETONE_CONFIG", "SIDETONE_KEY", "SIDETONE_CORPUS", "SIDETONE_CLANG", "SIDETONE_BLESS"];

/// What the names of `sidetone fleet`'s variables begin with.
pub(super) const FLEET: &str = "SIDETONE_FLEET_";

/// The sections, and what each is about.
pub const SECTIONS: &[(&str, &str)] = &[
    ("mqtt", "MQTT: the endpoint that devices connect to"),
    ("broker", "Broker: an external one, where there is one"),
    ("udp", "UDP: where devices send their audio"),
    ("web", "Web: WebSocket and WebTransport, for devices that use them and for browsers"),
    ("http", "HTTP: health, metrics and the operator's pages"),
    ("bridge", "Bridge: where speech goes"),
    ("audio", "Audio: what the device hears"),
    ("pool", "Pool: the workers that run the component"),
    ("limits", "Limits: what one gateway takes"),
    ("session", "Session: how long anything may take"),
    ("history", "History: what is kept of numbers and ended calls"),
    ("alerts", "Alerts: rules by which something is wrong, and who is told"),
    ("log", "Log: what is told on stderr"),
];

/// All settings but those of tenants, by section.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    Setting::new("mqtt.listen", "ADDRESS", Kind::Listen, Start, "MQTT over TCP; port 0 is the system's choice, off none"),
    Setting::new("mqtt.tls_listen", "ADDRESS", Kind::Listen, Start, "MQTT over TLS; needs mqtt.certificate and mqtt.key"),
    Setting::new("mqtt.certificate", "FILE", Kind::Path, Live, "Certificate chain (PEM), for TLS here and in [web]"),
    Setting::new("mqtt.key", "FILE", Kind::Path, Live, "Private key (PEM) of the certificate"),
    Setting::new("mqtt.client_ca", "FILE", Kind::Path, Live, "Authorities (PEM) that must have signed device certificates; without it none is asked for"),
    Setting::new("mqtt.signature_key", "SECRET", Kind::Secret, Start, "Key that devices' passwords are made with; without it anybody may connect, and devices are served on loopback only"),
    Setting::new("mqtt.signature_key_file", "FILE", Kind::SecretFile, Start, "File that holds mqtt.signature_key"),
    Setting::new("mqtt.allow_anonymous", "BOOL", Kind::Flag, Start, "Listen beyond loopback though there is no signature key"),
    Setting::new("mqtt.dialect", "NAME", Kind::Words(&["mac", "client-id", "per-device"]), Start, "How devices that publish to the shared topic are answered: to their MAC address or their whole client id; or devices have topics of their own"),
    Setting::new("mqtt.shared_topic", "TOPIC", Kind::Text, Start, "Topic that devices publish to"),
    Setting::new("broker.url", "URL", Kind::Url(&["mqtt", "mqtts"]), Start, "External MQTT broker, as mqtt://HOST:PORT or mqtts://HOST:PORT"),
    Setting::new("broker.protocol", "VERSION", Kind::Words(&["3.1.1", "5"]), Start, "MQTT version that the broker is spoken to in"),
    Setting::new("broker.client_id", "ID", Kind::Text, Start, "Our client id; made up where there is none"),
    Setting::new("broker.username", "NAME", Kind::Text, Start, "User name for the broker"),
    Setting::new("broker.password", "SECRET", Kind::Secret, Start, "Password for the broker"),
    Setting::new("broker.password_file", "FILE", Kind::SecretFile, Start, "File that holds broker.password"),
    Setting::new("broker.ca", "FILE", Kind::Path, Start, "Authorities (PEM) that must have signed the broker's certificate; by default the system's"),
    Setting::new("broker.certificate", "FILE", Kind::Path, Start, "Our certificate chain (PEM), for brokers that ask for one"),
    Setting::new("broker.key", "FILE", Kind::Path, Start, "Private key (PEM) of that certificate"),
    Setting::new("broker.group", "NAME", Kind::TextOrNone, Start, "Gateways of one group share what devices say: each hello is answered by one of them; empty: no sharing"),
    Setting::new("broker.envelope_topic", "TOPIC", Kind::Text, Start, "Topic on which a rule of the broker republishes what devices say, with their client id"),
    Setting::new("udp.listen", "ADDRESS", Kind::Listen, Start, "Where packets come in"),
    Setting::new("udp.public_host", "HOST", Kind::Host, Live, "Host that devices are told to send to; by default the address that they reached over MQTT"),
    Setting::new("udp.public_port", "PORT", Kind::Whole(1, 65_535), Live, "Port that devices are told; by default the one listened on"),
    Setting::new("udp.receive_buffer", "BYTES", Kind::Whole(4_096, 1 << 30), Start, "Receive buffer that the system is asked for"),
    Setting::new("web.listen", "ADDRESS", Kind::Listen, Start, "WebSocket for devices (/xiaozhi/v1/), MQTT over WebSocket (/mqtt), sealed datagrams in binary frames (/media)"),
    Setting::new("web.tls_listen", "ADDRESS", Kind::Listen, Start, "The same over TLS, with mqtt.certificate"),
    Setting::new("web.transport_listen", "ADDRESS", Kind::Listen, Start, "Sealed datagrams over WebTransport (HTTP/3 on UDP)"),
    Setting::new("web.origins", "ORIGINS", Kind::Origins, Start, "Pages that may connect, as https://HOST; none: any, where there is a signature key or anybody may connect, else those of this machine"),
    Setting::new("web.connections", "NUMBER", Kind::Whole(1, 10_000_000), Start, "Connections at a time, of all kinds"),
    Setting::new("web.source_connections", "NUMBER", Kind::Whole(1, 10_000_000), Start, "The same from one source: an IPv4 address or an IPv6 network of 64 bits; a proxy is one source"),
    Setting::new("http.listen", "ADDRESS", Kind::Listen, Start, "Health, metrics and pages for operators; beyond loopback only with http.token"),
    Setting::new("http.token", "SECRET", Kind::Secret, Live, "What callers must present: Authorization: Bearer TOKEN, or the token as a browser's password"),
    Setting::new("http.token_file", "FILE", Kind::SecretFile, Live, "File that holds http.token"),
    Setting::new("http.dashboard_page", "FOLDER", Kind::Path, Live, "Folder of a built dashboard (web/dashboard/dist) that is served at / instead of the one built in"),
    Setting::new("http.device_page", "FOLDER", Kind::Path, Live, "Folder of a built device page (web/emulator/dist) that is served at /device/ instead of the one built in"),
    Setting::new("bridge.kind", "NAME", Kind::Words(&["echo", "websocket", "record"]), Start, "echo speaks back what it heard; websocket is a speech server (xiaozhi-server); record writes files"),
    Setting::new("bridge.url", "URL", Kind::Url(&["ws", "wss"]), Start, "websocket: the speech server, as ws://HOST:PORT/PATH or wss://HOST/PATH"),
    Setting::new("bridge.token", "SECRET", Kind::Secret, Start, "websocket: sent as Authorization: Bearer TOKEN"),
    Setting::new("bridge.token_file", "FILE", Kind::SecretFile, Start, "File that holds bridge.token"),
    Setting::new("bridge.ca", "FILE", Kind::Path, Start, "websocket: authorities (PEM) that must have signed the server's certificate; by default the system's"),
    Setting::new("bridge.framing", "NAME", Kind::Words(&["auto", "gateway", "plain"]), Start, "websocket: 16 bytes before the Opus of each binary frame (gateway), none (plain), or by the URL (auto)"),
    Setting::new("bridge.transcode", "BOOL", Kind::Flag, Start, "websocket: code packets anew even where they could pass"),
    Setting::new("bridge.record", "BOOL", Kind::Flag, Start, "Record all calls too, as the bridge record does, whatever the kind"),
    Setting::new("bridge.directory", "FOLDER", Kind::Path, Start, "record: where; made where it is missing"),
    Setting::new("bridge.most_bytes", "BYTES", Kind::Whole(1_024, 1 << 40), Start, "record: most bytes of a session"),
    Setting::new("audio.rate", "HZ", Kind::Numbers(&[8_000, 12_000, 16_000, 24_000, 48_000]), Live, "Sample rate"),
    Setting::new("audio.frame", "MS", Kind::Numbers(&[20, 40, 60]), Live, "Length of a packet"),
    Setting::new("audio.application", "NAME", Kind::Words(&["voip", "audio"]), Live, "What is coded: voip (speech) or audio (music too: true to the waveform)"),
    Setting::new("audio.bitrate", "BITS", Kind::Whole(500, 512_000), Live, "Bits a second; by default as libopus thinks best"),
    Setting::new("audio.quality", "NAME", Kind::Words(&["full", "medium", "minimal"]), Live, "Best quality (complexity 10, 5 or 0); under load the ladder goes below it"),
    Setting::new("audio.fec", "BOOL", Kind::Flag, Live, "In-band forward error correction"),
    Setting::new("audio.expected_loss", "PERCENT", Kind::Whole(0, 100), Live, "Loss to prepare for"),
    Setting::new("audio.lead", "FRAMES", Kind::Whole(0, 20), Live, "Frames that a device may hold ahead of what it plays; small devices stutter with many"),
    Setting::new("pool.workers", "NUMBER", Kind::Whole(1, 1_024), Start, "Worker threads; by default one a processor"),
    Setting::new("pool.deadline", "MS", Kind::Whole(1, 60_000), Start, "What an instance may take for a frame; one that takes longer is dropped, and its session goes on in another"),
    Setting::new("pool.wait", "MS", Kind::Whole(1, 60_000), Start, "What a frame may wait for its worker before it is dropped; by default as long as it lasts"),
    Setting::new("pool.component", "FILE", Kind::Path, Start, "Component to run instead of the one built in"),
    Setting::new("limits.devices", "NUMBER", Kind::Whole(1, 10_000_000), Live, "Devices connected at a time"),
    Setting::new("limits.calls", "NUMBER", Kind::Whole(1, 100_000), Live, "Calls at a time; raising it needs a restart, since the pool is made for as many"),
    Setting::new("limits.hellos_per_second", "NUMBER", Kind::Whole(1, 1_000_000), Live, "Hellos a second, all devices together; bursts of as many pass"),
    Setting::new("limits.messages_per_second", "NUMBER", Kind::Whole(1, 10_000), Live, "Messages a second of one device; bursts of five times as many pass"),
    Setting::new("session.inactivity", "SECONDS", Kind::Whole(1, 604_800), Live, "A call ends when nobody says anything for so long"),
    Setting::new("session.device_silence", "SECONDS", Kind::Whole(1, 604_800), Live, "A call ends when nothing comes from an open microphone for so long"),
    Setting::new("session.tail", "MS", Kind::Whole(0, 5_000), Live, "What the tail of speech is given to arrive before the device is told to stop playing"),
    Setting::new("session.drain", "SECONDS", Kind::Whole(1, 3_600), Live, "To finish in when the gateway is told to stop"),
    Setting::new("history.file", "FILE", Kind::Path, Start, "SQLite file; memory: until the process ends (16 MiB at most); off: nothing is kept"),
    Setting::new("history.days", "DAYS", Kind::Whole(1, 3_650), Live, "Days after which it is forgotten"),
    Setting::new("history.most_bytes", "BYTES", Kind::Whole(4 << 20, 1 << 40), Live, "Most bytes of the file; the oldest makes room"),
    Setting::new("alerts.defaults", "BOOL", Kind::Flag, Live, "Whether the rules that are built in are in force; one of your own with the same name takes the place of one"),
    Setting::new("alerts.webhook", "URL", Kind::Secret, Live, "Where alerts are sent, http://… or https://…, as Prometheus' Alertmanager does; a secret, since chat services know their users by it"),
    Setting::new("alerts.webhook_file", "FILE", Kind::SecretFile, Live, "File that holds alerts.webhook"),
    Setting::new("alerts.webhook_token", "SECRET", Kind::Secret, Live, "Sent along as Authorization: Bearer TOKEN"),
    Setting::new("alerts.webhook_token_file", "FILE", Kind::SecretFile, Live, "File that holds alerts.webhook_token"),
    Setting::new("alerts.webhook_ca", "FILE", Kind::Path, Live, "Authorities (PEM) that must have signed the webhook's certificate; by default the system's"),
    Setting::new("alerts.instance", "NAME", Kind::Text, Live, "Which gateway speaks, in what the webhook is sent; by default the machine's name"),
    Setting::new("log.level", "LEVEL", Kind::Level, Live, "off, error, warn, info, debug or trace, or such by module: info,sidetone_gateway=debug"),
    Setting::new("log.format", "NAME", Kind::Words(&["text", "json"]), Start, "text for people, json for machines"),
];

/// Settings of `[tenants.NAME]`, without the prefix. In the file alone.
#[rustfmt::skip]
pub const TENANT_SETTINGS: &[Setting] = &[
    Setting::new("calls", "NUMBER", Kind::Whole(0, 100_000), Live, "Calls at a time"),
    Setting::new("frames_per_second", "NUMBER", Kind::Whole(1, 10_000_000), Live, "Frames a second, both directions"),
    Setting::new("cpu_ms_per_second", "MS", Kind::Whole(1, 1_000_000), Live, "Guests' time in a second, all workers together"),
    Setting::new("quality", "NAME", Kind::Words(&["full", "medium", "minimal"]), Live, "Quality of all calls, whatever the load"),
];
