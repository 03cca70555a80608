//! Certificates that nobody trusts but one test.

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A CA, a server's certificate for `localhost` and 127.0.0.1, and a client's: PEM files in a folder that goes with this.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Makes new ones.
    ///
    /// # Errors
    /// No temporary folder, or no random numbers.
    pub fn new() -> Result<Self> {
        let made = Self { folder: tempfile::tempdir().context("no temporary folder")? };
        let key = KeyPair::generate()?;
        let mut params = params(&[], "Sidetone test CA")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
        made.write("ca.pem", &params.self_signed(&key)?.pem())?;
        let ca = Issuer::new(params, key);
        made.issue(&ca, "server", &["localhost", "127.0.0.1"], ExtendedKeyUsagePurpose::ServerAuth)?;
        made.issue(&ca, "client", &["client"], ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(made)
    }

    fn issue(
        &self,
        ca: &Issuer<'_, KeyPair>,
        name: &str,
        hosts: &[&str],
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<()> {
        let key = KeyPair::generate()?;
        let mut params = params(hosts, name)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        self.write(&format!("{name}.pem"), &params.signed_by(&key, ca)?.pem())?;
        self.write(&format!("{name}.key"), &key.serialize_pem())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.path().join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The CA's certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The server's certificate.
    pub fn server(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// The server's key.
    pub fn server_key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }

    /// The client's certificate.
    pub fn client(&self) -> PathBuf {
        self.folder.path().join("client.pem")
    }

    /// The client's key.
    pub fn client_key(&self) -> PathBuf {
        self.folder.path().join("client.key")
    }
}

fn params(hosts: &[&str], name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
