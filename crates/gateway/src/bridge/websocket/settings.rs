//! What `[bridge]` says of the speech server, checked.

use crate::config::{BridgeConfig, FramingName, Secret, ServerUrl};
use crate::error::StartError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use tokio_tungstenite::Connector;
use url::Url;

/// How audio is laid into binary frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// With the header of gateways: 16 bytes.
    Gateway,
    /// Bare Opus, as a device that connects by itself sends it.
    Plain,
}

/// How a server is reached.
pub(super) struct Settings {
    pub(super) url: String,
    /// Host and port, for people: a query may hold a secret.
    pub(super) place: String,
    pub(super) token: Option<Secret>,
    pub(super) framing: Framing,
    pub(super) transcode: bool,
    pub(super) connector: Connector,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("place", &self.place).field("framing", &self.framing).finish_non_exhaustive()
    }
}

impl Settings {
    pub(super) fn new(config: &BridgeConfig) -> Result<Self, StartError> {
        let wrong = |why: String| StartError::Setting { name: "bridge.url", why };
        let example = "give ws://HOST:PORT/PATH or wss://…, such as ws://127.0.0.1:8000/xiaozhi/v1/?from=mqtt_gateway";
        let text = config
            .url
            .as_ref()
            .map(ServerUrl::expose)
            .ok_or_else(|| wrong(format!("the speech server is not named: {example}")))?;
        let url = Url::parse(text).map_err(|error| wrong(format!("{error}: {example}")))?;
        let secure = match url.scheme() {
            "ws" => false,
            "wss" => true,
            other => return Err(wrong(format!("{other}:// is no WebSocket: {example}"))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("holds a user name or password: set bridge.token instead".into()));
        }
        if config.token.as_ref().is_some_and(|token| token.expose().bytes().any(|byte| !(0x20..0x7f).contains(&byte))) {
            let why = "holds a character that no HTTP header takes: use visible ASCII".into();
            return Err(StartError::Setting { name: "bridge.token", why });
        }
        let host = url.host_str().unwrap_or_default();
        let place = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
        let connector = if secure { Connector::Rustls(Arc::new(tls(config.ca.as_deref())?)) } else { Connector::Plain };
        let from_gateway = url.query_pairs().any(|(name, value)| name == "from" && value == "mqtt_gateway");
        let framing = match config.framing {
            FramingName::Auto if from_gateway => Framing::Gateway,
            FramingName::Auto | FramingName::Plain => Framing::Plain,
            FramingName::Gateway => Framing::Gateway,
        };
        Ok(Self {
            url: url.into(),
            place,
            token: config.token.clone(),
            framing,
            transcode: config.transcode,
            connector,
        })
    }
}

fn tls(ca: Option<&Path>) -> Result<ClientConfig, StartError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            let file = |error: String| StartError::File {
                setting: "bridge.ca",
                path: path.into(),
                error: std::io::Error::other(error),
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| file(error.to_string()))? {
                let certificate = certificate.map_err(|error| file(error.to_string()))?;
                roots.add(certificate).map_err(|error| file(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(file("holds no certificate in PEM".into()));
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "a certificate of the system cannot be read");
            }
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let why = "needs authorities to trust, and the system has none: set bridge.ca".into();
                return Err(StartError::Setting { name: "bridge.url", why });
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| StartError::Setting { name: "bridge.url", why: error.to_string() })?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
