//! The certificate that devices see over TLS, read anew on a reload: who connects from then on sees the new one.

use crate::config::Config;
use crate::error::StartError;
use sha2::{Digest, Sha256};
use sidetone_mqtt::tls::{self, ServerConfig};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// What TLS shows and asks for.
#[derive(Clone)]
pub(crate) struct ServerTls {
    pub(crate) config: Arc<ServerConfig>,
    /// Of the certificates, ours and those of the authorities: the key changes with them.
    sha256: [u8; 32],
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

impl ServerTls {
    /// Reads the configured files; `None` where no certificate is configured.
    pub(crate) fn load(config: &Config) -> Result<Option<Self>, StartError> {
        let mqtt = &config.mqtt;
        let (Some(certificate), Some(key)) = (&mqtt.certificate, &mqtt.key) else { return Ok(None) };
        let client_ca = mqtt.client_ca.as_deref();
        let mut hash = Sha256::new();
        for (setting, path) in [("mqtt.certificate", Some(certificate.as_path())), ("mqtt.client_ca", client_ca)] {
            hash.update(path.map(|path| read(setting, path)).transpose()?.unwrap_or_default());
        }
        let identity = tls::Identity { certificate: certificate.clone(), key: key.clone() };
        let config = tls::server(&identity, client_ca)
            .map_err(|error| StartError::Setting { name: "mqtt.certificate", why: error.to_string() })?;
        Ok(Some(Self { config, sha256: hash.finalize().into() }))
    }
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(path).map_err(|error| StartError::File { setting, path: path.into(), error })
}

/// Where the edges look for what to show.
#[derive(Debug)]
pub(crate) struct Shown(watch::Sender<Option<ServerTls>>);

impl Shown {
    pub(crate) fn new(tls: Option<ServerTls>) -> Self {
        Self(watch::Sender::new(tls))
    }

    /// What is shown now, and word of every change.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<ServerTls>> {
        self.0.subscribe()
    }

    /// Shows this from now on. `true`: it is another one.
    pub(crate) fn show(&self, tls: Option<ServerTls>) -> bool {
        let hash = |tls: &Option<ServerTls>| tls.as_ref().map(|tls| tls.sha256);
        self.0.send_if_modified(|shown| {
            let changed = hash(shown) != hash(&tls);
            *shown = tls;
            changed
        })
    }
}
