//! Certificates and keys from PEM files.

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::path::Path;
use thiserror::Error;

/// Why a certificate or its key cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The file with the certificates.
    #[error("{0}; it must be a PEM file with certificates (BEGIN CERTIFICATE), the server's own first")]
    Certificate(String),
    /// The file with the key.
    #[error("{0}; it must be a PEM file with a private key (BEGIN PRIVATE KEY)")]
    Key(String),
    /// Each is good for itself.
    #[error("is not the key of the certificate")]
    Mismatch,
}

impl CertificateError {
    /// Whether the key is at fault.
    pub(super) const fn is_of_key(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Mismatch)
    }
}

/// A certificate chain with its key.
///
/// # Errors
/// [`CertificateError`], where one cannot be read or they do not belong together.
pub fn certified_key(certificate: &Path, key: &Path) -> Result<CertifiedKey, CertificateError> {
    let chain = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| CertificateError::Key(said(&error)))?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => CertificateError::Mismatch,
        rustls::Error::InvalidCertificate(_) => CertificateError::Certificate(error.to_string()),
        _ => CertificateError::Key(error.to_string()),
    })
}

/// The certificates in a file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let bad = |error: &PemError| CertificateError::Certificate(said(error));
    let found = CertificateDer::pem_file_iter(path).map_err(|error| bad(&error))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|error| bad(&error))?;
    if found.is_empty() { Err(CertificateError::Certificate("holds no certificate".into())) } else { Ok(found) }
}

fn said(error: &PemError) -> String {
    match error {
        PemError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => "there is no such file".into(),
        PemError::Io(error) => format!("cannot be read: {error}"),
        PemError::NoItemsFound => "holds none".into(),
        // The details would show what is in the file.
        _ => "is no valid PEM".into(),
    }
}
