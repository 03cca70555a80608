//! The way to a NATS server. Secrets come from files or the environment, and go nowhere else.

use super::creds::Credentials;
use crate::Problem;
use async_nats::{Auth, AuthError, Client, ConnectErrorKind, ConnectOptions, Event};
use sidetone_audio::shown;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// How long a connection may take to be made.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest pause between two attempts to connect again.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// How a server knows us.
#[derive(Default)]
pub enum Login {
    /// It does not ask.
    #[default]
    Nobody,
    /// By name and password.
    User(String, Zeroizing<String>),
    /// By a token.
    Token(Zeroizing<String>),
    /// By a `.creds` file: its text.
    Credentials(Zeroizing<String>),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::User(..) => "User(…)",
            Self::Token(_) => "Token(…)",
            Self::Credentials(_) => "Credentials(…)",
        })
    }
}

/// A server, and how to get in.
#[derive(Debug, Default)]
pub struct Access {
    /// `nats://HOST:4222`, or `tls://…`.
    pub url: String,
    /// Who we are.
    pub login: Login,
    /// Certificates to trust besides the system's.
    pub ca: Option<PathBuf>,
    /// Our own certificate, and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

impl Access {
    /// Connects. What breaks later is connected again, without end.
    ///
    /// # Errors
    /// The server cannot be reached, or does not let us in.
    pub async fn connect(&self, name: &str) -> Result<Client, Problem> {
        let address = self.address()?;
        let mut options = match &self.login {
            Login::Nobody => ConnectOptions::new(),
            Login::User(user, password) => ConnectOptions::with_user_and_password(user.clone(), password.to_string()),
            Login::Token(token) => ConnectOptions::with_token(token.to_string()),
            Login::Credentials(text) => {
                let credentials = Arc::new(Credentials::parse(text).map_err(Problem::bury)?);
                ConnectOptions::with_auth_callback(move |nonce| {
                    let credentials = credentials.clone();
                    async move {
                        let mut auth = Auth::new();
                        auth.jwt = Some(credentials.jwt().to_owned());
                        auth.signature = Some(credentials.sign(&nonce));
                        Ok::<_, AuthError>(auth)
                    }
                })
            }
        };
        options = options
            .name(name)
            .connection_timeout(PATIENCE)
            .reconnect_delay_callback(|attempt| {
                let exponent = u32::try_from(attempt.min(6)).unwrap_or(6);
                (Duration::from_millis(50) * 2u32.pow(exponent)).min(LONGEST_PAUSE)
            })
            .event_callback(|event| async move {
                match event {
                    Event::Connected => tracing::info!("connected to NATS"),
                    Event::Disconnected => tracing::warn!("NATS is gone; connecting again"),
                    other => tracing::debug!(event = %other, "NATS"),
                }
            })
            .require_tls(address.scheme() == "tls");
        if let Some(ca) = &self.ca {
            options = options.add_root_certificates(ca.clone());
        }
        if let Some((certificate, key)) = &self.certificate {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        let server = address.as_str().trim_end_matches('/').to_owned();
        options.connect(server.as_str()).await.map_err(|error| refused(&server, &error))
    }

    /// The URL, if it is one that can be used.
    fn address(&self) -> Result<Url, Problem> {
        let with_scheme = if self.url.contains("://") { self.url.clone() } else { format!("nats://{}", self.url) };
        let wrong =
            |why: &str| Problem::bury(format!("the address of NATS {why}; it is nats://HOST:4222 or tls://HOST:4222"));
        // The text is not repeated before it is known that it holds no password.
        let url = Url::parse(&with_scheme).map_err(|error| wrong(&format!("is no URL ({error})")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Problem::bury(
                "the address of NATS holds a user or token; put it into a file: --nats-user with --nats-password-file, \
                 --nats-token-file or --nats-creds",
            ));
        }
        if !["nats", "tls"].contains(&url.scheme()) {
            return Err(wrong(&format!("begins with {}://", shown::text(url.scheme()))));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("names no host"));
        }
        Ok(url)
    }
}

fn refused(server: &str, error: &async_nats::ConnectError) -> Problem {
    let server = shown::text(server);
    let text = error.to_string();
    Problem::give_back(match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => format!(
            "NATS at {server} refuses who we are; check --nats-user and --nats-password-file, --nats-token-file or \
             --nats-creds"
        ),
        ConnectErrorKind::Tls => {
            format!("no TLS with NATS at {server}: {text}; check --nats-ca, and the server's name")
        }
        ConnectErrorKind::Dns => format!("the host of NATS is not known: {server}: {text}; correct --nats"),
        ConnectErrorKind::TimedOut => format!("NATS at {server} does not answer within {PATIENCE:?}; correct --nats"),
        _ => format!("cannot reach NATS at {server}: {text}; start it (nats-server -js), or correct --nats"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<String, String> {
        let access = Access { url: url.to_owned(), ..Access::default() };
        access.address().map(|url| url.to_string()).map_err(|problem| problem.reason)
    }

    #[test]
    fn an_address_is_a_host_and_a_secret_in_it_is_not_repeated() {
        assert_eq!(address("127.0.0.1:4222").unwrap(), "nats://127.0.0.1:4222");
        assert_eq!(address("tls://nats.example").unwrap(), "tls://nats.example");
        for (url, part) in [
            ("http://nats.example", "begins with http://; it is nats://HOST:4222 or tls://HOST:4222"),
            ("nats://", "it is nats://HOST:4222 or tls://HOST:4222"),
            ("nats://a b", "is no URL"),
            ("nats://me:hunter2@nats.example", "holds a user or token; put it into a file"),
            ("hunter2@nats.example", "holds a user or token; put it into a file"),
        ] {
            let error = address(url).unwrap_err();
            assert!(error.contains(part) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_login_does_not_show_its_secrets() {
        let secret = || Zeroizing::new("hunter2".to_owned());
        for login in [Login::User("me".to_owned(), secret()), Login::Token(secret()), Login::Credentials(secret())] {
            assert!(!format!("{login:?}").contains("hunter2"));
        }
    }
}
