//! Keys by name, from files. No key is ever written into a job, a message, a log or an error.

use crate::{Address, Problem};
use serde::{Deserialize, Serialize};
use sidetone_audio::shown;
use sidetone_host::Key;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Longest file that is looked at, bytes: a key is 32, and an editor's line end.
const MOST: u64 = 64;

/// A folder of keys: NAME.key holds 32 hex digits.
#[derive(Debug, Clone)]
pub struct Keys(pub PathBuf);

/// Which key a job needs: its name, and what tells that it is the one that was meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyName {
    /// Name of its file, without `.key`.
    pub name: String,
    /// A hash of it. A key is 16 random bytes: it cannot be found from its hash.
    pub id: String,
}

impl Keys {
    /// The key of a name.
    ///
    /// # Errors
    /// There is none, or the file holds something else.
    pub fn read(&self, name: &str) -> Result<Key, Problem> {
        if !is_name(name) {
            return Err(Problem::bury(format!("{} is no name of a key", shown::text(name))));
        }
        let path = self.0.join(format!("{name}.key"));
        let mut text = Zeroizing::new(String::with_capacity(MOST as usize));
        let read = std::fs::File::open(&path).and_then(|file| file.take(MOST).read_to_string(&mut text));
        read.map_err(|error| Problem::give_back(format!("cannot read the key {}: {error}", shown::path(&path))))?;
        text.trim_end().parse().map_err(|error| Problem::give_back(format!("{}: {error}", shown::path(&path))))
    }

    /// Looks a key up, to be named in a job.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn name(&self, name: &str) -> Result<KeyName, Problem> {
        Ok(KeyName { name: name.to_owned(), id: id(&self.read(name)?) })
    }

    /// The key that a job names.
    ///
    /// # Errors
    /// As [`read`](Self::read); another key is under that name here.
    pub fn named(&self, named: &KeyName) -> Result<Key, Problem> {
        let key = self.read(&named.name)?;
        if id(&key) == named.id {
            return Ok(key);
        }
        let path = self.0.join(&named.name);
        Err(Problem::give_back(format!(
            "{}.key holds another key than the one the batch was made with; copy that one here",
            shown::path(&path)
        )))
    }
}

/// A name that stays in its folder.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && Path::new(name).components().count() == 1
        && !name.contains(['/', '\\'])
}

fn id(key: &Key) -> String {
    let mut bytes = Zeroizing::new(*b"sidetone key id\n................");
    bytes[16..].copy_from_slice(key.bytes());
    Address::of(&*bytes).short().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fate;

    #[test]
    fn keys_are_found_by_name_and_known_by_their_hash() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys(folder.path().to_owned());
        std::fs::write(folder.path().join("old.key"), "000102030405060708090a0b0c0d0e0f\n").unwrap();
        let named = keys.name("old").unwrap();
        assert_eq!(keys.named(&named).unwrap().bytes()[15], 15);
        std::fs::write(folder.path().join("old.key"), "100102030405060708090a0b0c0d0e0f").unwrap();
        let other = keys.named(&named).unwrap_err();
        assert!(other.reason.ends_with("holds another key than the one the batch was made with; copy that one here"));
        assert_ne!(keys.name("old").unwrap().id, named.id);
    }

    #[test]
    fn what_is_no_key_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys(folder.path().to_owned());
        std::fs::write(folder.path().join("bad.key"), "c0ffee").unwrap();
        let bad = keys.read("bad").unwrap_err();
        assert!(bad.reason.ends_with("bad.key: a key is 32 hex digits (16 bytes), this has 6 characters"));
        assert!(!bad.reason.contains("c0ffee"));
        assert_eq!(keys.read("none").unwrap_err().fate, Fate::GiveBack);
        for name in ["../bad", "", ".", "a/b", "/bad"] {
            assert_eq!(keys.read(name).unwrap_err().fate, Fate::Bury, "{name}");
        }
    }
}
