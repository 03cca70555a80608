//! What is said when a gateway has started: where it is, and how safe that is.

use crate::report::{Sheet, short};
use sidetone_gateway::Addresses;
use sidetone_gateway::config::Loaded;
use std::net::SocketAddr;

/// The lines for stdout.
pub(super) fn text(loaded: &Loaded, addresses: &Addresses) -> String {
    let config = &loaded.config;
    let mut sheet = Sheet::default();
    let mut line = |label, address: Option<SocketAddr>, show: fn(SocketAddr) -> String| {
        if let Some(address) = address {
            sheet.line(label, show(address));
        }
    };
    line("MQTT", addresses.mqtt, |at| format!("mqtt://{at}"));
    line("MQTT over TLS", addresses.mqtt_tls, |at| format!("mqtts://{at}"));
    line("audio", addresses.udp, |at| format!("udp://{at}"));
    line("WebSocket", addresses.web, |at| format!("ws://{at}/xiaozhi/v1/"));
    line("WebSocket over TLS", addresses.web_tls, |at| format!("wss://{at}/xiaozhi/v1/"));
    line("WebTransport", addresses.web_transport, |at| format!("https://{at}/"));
    line("operators", addresses.http, |at| format!("http://{at}/"));
    if let Some(broker) = &config.broker.url {
        sheet.line("broker", broker);
    }
    sheet.line("bridge", format!("{:?}", config.bridge.kind).to_lowercase());
    let file = loaded.file.as_ref().map_or_else(|| "none; defaults".to_owned(), |file| file.display().to_string());
    sheet.line("settings from", file);
    let component = match &config.pool.component {
        Some(path) => format!("component {}", path.display()),
        None => format!("component {}", short(sidetone_artifact::COMPONENT_SHA256)),
    };
    let mut text = format!("Sidetone gateway {}, {component}\n{sheet}", env!("CARGO_PKG_VERSION"));
    for notice in notices(loaded) {
        text.push_str(&format!("\n{notice}\n"));
    }
    text
}

/// What an operator should know of the gateway's safety.
fn notices(loaded: &Loaded) -> Vec<&'static str> {
    let config = &loaded.config;
    let mut notices = Vec::new();
    match (&config.mqtt.signature_key, config.mqtt.allow_anonymous) {
        (None, false) => notices.push(
            "No mqtt.signature_key is set: devices are not asked who they are, and so only this machine is served.\n\
             To serve others, set the key (best as mqtt.signature_key_file), then listen on 0.0.0.0.",
        ),
        (None, true) => notices.push(
            "mqtt.allow_anonymous is set: whoever reaches these ports can make calls. Keep them from the internet.",
        ),
        (Some(_), _) => {}
    }
    if config.http.listen.is_public() {
        notices.push("Operators' pages are open to the network, and plain HTTP: have a proxy with TLS before them.");
    }
    notices
}
