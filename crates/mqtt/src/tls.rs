//! TLS from PEM files: rustls with ring, versions 1.2 and 1.3, for both ends.

use crate::error::TlsError;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
pub use rustls::{ClientConfig, ServerConfig};
use rustls::{RootCertStore, crypto};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A certificate and its private key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, then those between it and its root.
    pub certificate: PathBuf,
    /// Its private key: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// The server's end for `identity`. With `client_ca` only clients are let in that show a certificate of that CA.
///
/// # Errors
/// Names the file that cannot be read, or does not fit.
pub fn server(identity: &Identity, client_ca: Option<&Path>) -> Result<Arc<ServerConfig>, TlsError> {
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let config = match client_ca {
        None => config.with_no_client_auth(),
        Some(path) => {
            let roots = Arc::new(roots(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
            config.with_client_cert_verifier(verifier.map_err(|error| file(path, CA, error))?)
        }
    };
    let (chain, key) = load(identity)?;
    let config = config.with_single_cert(chain, key).map_err(|error| pair(identity, error))?;
    Ok(Arc::new(config))
}

/// The client's end. The server's certificate must be of the CA in the file `ca`, or of one that this system trusts.
/// Make it once and share it: reading the system's certificates takes milliseconds.
///
/// # Errors
/// Names the file that cannot be read, or does not fit.
pub fn client(ca: Option<&Path>, identity: Option<&Identity>) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = match ca {
        Some(path) => roots(path)?,
        None => native_roots()?,
    };
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots);
    Ok(Arc::new(match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = load(identity)?;
            config.with_client_auth_cert(chain, key).map_err(|error| pair(identity, error))?
        }
    }))
}

const CA: &str = "CA certificate";

fn provider() -> Arc<CryptoProvider> {
    Arc::new(crypto::ring::default_provider())
}

fn load(identity: &Identity) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = certificates(&identity.certificate, "certificate")?;
    let key = PrivateKeyDer::from_pem_file(&identity.key).map_err(|error| file(&identity.key, "private key", error))?;
    Ok((chain, key))
}

fn certificates(path: &Path, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = read.map_err(|error| file(path, what, error))?;
    if chain.is_empty() {
        return Err(file(path, what, "there is no BEGIN CERTIFICATE in it"));
    }
    Ok(chain)
}

fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, CA)? {
        roots.add(certificate).map_err(|error| file(path, CA, error))?;
    }
    Ok(roots)
}

fn native_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some of this system's root certificates cannot be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) }
}

fn file(path: &Path, what: &'static str, why: impl ToString) -> TlsError {
    TlsError::File { path: path.to_owned(), what, why: why.to_string() }
}

fn pair(identity: &Identity, source: rustls::Error) -> TlsError {
    TlsError::Pair { certificate: identity.certificate.clone(), key: identity.key.clone(), source }
}
