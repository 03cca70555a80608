//! The options of everything that goes through NATS. Secrets come from files or the environment: a command line is seen
//! by everybody on the machine.

use anyhow::{Context, Result, bail};
use sidetone_audio::shown;
use sidetone_batch::Root;
use sidetone_batch::nats::{Access, Login, QueueName};
use std::env;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub(crate) const HEADING: &str = "On many machines";

/// Longest file of a secret that is looked at, bytes.
const MOST: u64 = 64 << 10;

#[derive(clap::Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct NatsArgs {
    /// The NATS server, with JetStream: nats://HOST:4222, or tls://HOST:4222.
    #[arg(long, value_name = "URL", env = "SIDETONE_NATS", hide_env_values = true)]
    pub(crate) nats: Option<String>,
    /// Name of the queue: batches and workers of one name belong together.
    #[arg(long, value_name = "NAME", env = "SIDETONE_QUEUE", hide_env_values = true, default_value = "sidetone", value_parser = QueueName::parse)]
    pub(crate) queue: QueueName,
    /// Folder of the storage that batch and workers share, as it is called here [default: the current one].
    #[arg(long, value_name = "DIR", env = "SIDETONE_ROOT", hide_env_values = true)]
    pub(crate) root: Option<PathBuf>,
    /// User of NATS; the password is in --nats-password-file, or in SIDETONE_NATS_PASSWORD.
    #[arg(long, value_name = "NAME", env = "SIDETONE_NATS_USER", hide_env_values = true)]
    nats_user: Option<String>,
    /// File that holds the password.
    #[arg(
        long,
        value_name = "FILE",
        env = "SIDETONE_NATS_PASSWORD_FILE",
        hide_env_values = true,
        requires = "nats_user"
    )]
    nats_password_file: Option<PathBuf>,
    /// File that holds a token (or SIDETONE_NATS_TOKEN has it).
    #[arg(
        long,
        value_name = "FILE",
        env = "SIDETONE_NATS_TOKEN_FILE",
        hide_env_values = true,
        conflicts_with = "nats_user"
    )]
    nats_token_file: Option<PathBuf>,
    /// A .creds file, as nsc makes it.
    #[arg(long, value_name = "FILE", env = "SIDETONE_NATS_CREDS", hide_env_values = true, conflicts_with_all = ["nats_user", "nats_token_file"])]
    nats_creds: Option<PathBuf>,
    /// PEM file of certificates to trust besides the system's.
    #[arg(long, value_name = "FILE", env = "SIDETONE_NATS_CA", hide_env_values = true)]
    nats_ca: Option<PathBuf>,
    /// PEM file of our own certificate, where the server asks for one.
    #[arg(long, value_name = "FILE", env = "SIDETONE_NATS_CERT", hide_env_values = true, requires = "nats_key")]
    nats_cert: Option<PathBuf>,
    /// PEM file of its key.
    #[arg(long, value_name = "FILE", env = "SIDETONE_NATS_KEY", hide_env_values = true, requires = "nats_cert")]
    nats_key: Option<PathBuf>,
}

impl NatsArgs {
    /// The server, and what lets us in.
    pub(crate) fn access(&self, url: &str) -> Result<Access> {
        for file in [&self.nats_ca, &self.nats_cert, &self.nats_key].into_iter().flatten() {
            std::fs::metadata(file).with_context(|| format!("cannot read {}", shown::path(file)))?;
        }
        let login = if let Some(user) = &self.nats_user {
            let password = secret(self.nats_password_file.as_deref(), "SIDETONE_NATS_PASSWORD")?;
            let Some(password) = password else {
                bail!("--nats-user needs a password: --nats-password-file FILE, or SIDETONE_NATS_PASSWORD");
            };
            Login::User(user.clone(), password)
        } else if let Some(file) = &self.nats_creds {
            Login::Credentials(read(file)?)
        } else if let Some(token) = secret(self.nats_token_file.as_deref(), "SIDETONE_NATS_TOKEN")? {
            Login::Token(token)
        } else {
            Login::Nobody
        };
        let certificate = self.nats_cert.clone().zip(self.nats_key.clone());
        Ok(Access { url: url.to_owned(), login, ca: self.nats_ca.clone(), certificate })
    }

    /// Where paths in jobs begin.
    pub(crate) fn root(&self) -> Result<Root> {
        Ok(Root::below(self.root.as_deref().unwrap_or(Path::new(".")))?)
    }
}

/// A secret of a file, or else of a variable.
fn secret(file: Option<&Path>, variable: &str) -> Result<Option<Zeroizing<String>>> {
    match (file, env::var_os(variable)) {
        (Some(file), _) => read(file).map(|text| Some(Zeroizing::new(text.trim_end().to_owned()))),
        (None, Some(text)) => match text.into_string() {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(_) => bail!("{variable} is no text (UTF-8)"),
        },
        (None, None) => Ok(None),
    }
}

fn read(file: &Path) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = std::fs::File::open(file).and_then(|file| file.take(MOST).read_to_string(&mut text));
    read.with_context(|| format!("cannot read {}", shown::path(file)))?;
    Ok(text)
}
