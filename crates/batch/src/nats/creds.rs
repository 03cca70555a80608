//! A NATS `.creds` file: a JWT that says who one is, and an Ed25519 seed that proves it.

use data_encoding::BASE32_NOPAD;
use ring::signature::Ed25519KeyPair;
use zeroize::Zeroizing;

/// What a seed decodes to: two bytes of kind, the seed, and a CRC.
const SEED: usize = 2 + 32 + 2;

/// The two halves of the file.
pub(super) struct Credentials {
    jwt: String,
    key: Ed25519KeyPair,
}

impl Credentials {
    /// Reads the text of a file. Errors do not repeat it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let jwt = between(text, "NATS USER JWT").ok_or("the .creds file holds no NATS USER JWT; get it from nsc")?;
        let seed = between(text, "USER NKEY SEED").ok_or("the .creds file holds no USER NKEY SEED; get it from nsc")?;
        Ok(Self {
            jwt: jwt.to_owned(),
            key: key(seed).ok_or("the seed in the .creds file is damaged; get it from nsc")?,
        })
    }

    pub(super) fn jwt(&self) -> &str {
        &self.jwt
    }

    pub(super) fn sign(&self, nonce: &[u8]) -> Vec<u8> {
        self.key.sign(nonce).as_ref().to_vec()
    }
}

/// The line between the marks of a part.
fn between<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with("---") && line.contains("BEGIN") && line.contains(part))?;
    lines.find(|line| !line.is_empty()).filter(|line| !line.starts_with("---"))
}

/// A user's seed: kinds S (seed) and U (user) in five bits each, 32 bytes, CRC-16/XMODEM of all before, little-endian.
fn key(text: &str) -> Option<Ed25519KeyPair> {
    let raw = Zeroizing::new(BASE32_NOPAD.decode(text.as_bytes()).ok()?);
    let (bytes, crc) = raw.split_last_chunk::<2>()?;
    let user = raw.len() == SEED && text.starts_with("SU");
    if !user || crc16(bytes) != u16::from_le_bytes(*crc) {
        return None;
    }
    Ed25519KeyPair::from_seed_unchecked(&bytes[2..]).ok()
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(
            crc ^ (u16::from(byte) << 8),
            |crc: u16, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::KeyPair;

    /// The seed that the documentation of NATS's own libraries uses, and its public key.
    const SEED: &str = "SUANQDPB2RUOE4ETUA26CNX7FUKE5ZZKFCQIIW63OX225F2CO7UEXTM7ZY";

    fn file(seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\neyJ0.eyJq.sig\n------END NATS USER JWT------\n\n*** IMPORTANT ***\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }

    #[test]
    fn a_file_has_a_jwt_and_a_seed() {
        let credentials = Credentials::parse(&file(SEED)).unwrap();
        assert_eq!(credentials.jwt(), "eyJ0.eyJq.sig");
        let public =
            ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, credentials.key.public_key().as_ref());
        assert!(public.verify(b"nonce", &credentials.sign(b"nonce")).is_ok());
    }

    #[test]
    fn the_crc_is_that_of_xmodem() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    #[test]
    fn damage_is_named_and_nothing_repeated() {
        let damaged = SEED.replace("SUANQ", "SUANR");
        for (text, error) in [
            (String::new(), "the .creds file holds no NATS USER JWT; get it from nsc"),
            (file("").replace("USER NKEY", "OTHER"), "the .creds file holds no USER NKEY SEED; get it from nsc"),
            (file(&damaged), "the seed in the .creds file is damaged; get it from nsc"),
            (file("SUAA"), "the seed in the .creds file is damaged; get it from nsc"),
        ] {
            assert_eq!(Credentials::parse(&text).err().unwrap(), error);
        }
    }
}
