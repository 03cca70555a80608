//! The certificate that WebTransport shows: the configured one, or one made here, which pages pin by its hash.
//!
//! Browsers take a certificate that nobody signed only by its hash, with an ECDSA P-256 key, and only if it is valid for
//! two weeks or less (W3C WebTransport, "custom certificate requirements"). So it is made anew long before that.

use crate::config::Config;
use crate::error::StartError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use wtransport::Identity;
use wtransport::tls::error::InvalidSan;
use wtransport::tls::{Sha256Digest, Sha256DigestFmt};

/// How long one is valid, from its making on.
const VALID: Duration = Duration::from_secs(13 * 24 * 3600);

/// How much earlier its validity begins, for browsers whose clock is behind.
const BEHIND: Duration = Duration::from_secs(3600);

/// When it is replaced. A page that was loaded before knows the hash of the old one, and must ask for the new one.
pub(super) const RENEWAL: Duration = Duration::from_secs(6 * 24 * 3600);

/// What is shown, and how it can be known.
pub(super) struct Certificate {
    pub(super) identity: Identity,
    /// SHA-256 in hexadecimal, of one that was made here.
    pub(super) sha256: Option<String>,
}

impl Certificate {
    /// The configured one; where there is none, a new one.
    pub(super) async fn of(config: &Config) -> Result<Self, StartError> {
        let setting = |name, why: String| StartError::Setting { name, why };
        if let (Some(certificate), Some(key)) = (&config.mqtt.certificate, &config.mqtt.key) {
            let identity = Identity::load_pemfiles(certificate, key).await;
            let identity = identity.map_err(|error| setting("mqtt.certificate", error.to_string()))?;
            return Ok(Self { identity, sha256: None });
        }
        Self::made(config).map_err(|_| setting("udp.public_host", "is no name that a certificate can have".into()))
    }

    /// A new one.
    pub(super) fn made(config: &Config) -> Result<Self, InvalidSan> {
        let mut names = vec!["localhost", "127.0.0.1", "::1"];
        names.extend(config.udp.public_host.as_deref());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let begin = rcgen::date_time_ymd(1970, 1, 1) + now.saturating_sub(BEHIND);
        let identity = Identity::self_signed_builder().subject_alt_names(names);
        let identity = identity.not_before(begin).not_after(begin + VALID).build()?;
        let sha256 = identity.certificate_chain().as_slice().first().map(|certificate| hex(&certificate.hash()));
        Ok(Self { identity, sha256 })
    }
}

fn hex(hash: &Sha256Digest) -> String {
    hash.fmt(Sha256DigestFmt::DottedHex).replace(':', "")
}
