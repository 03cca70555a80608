//! One delivery to the webhook: HTTP/1.1, over TLS where its address says so, within a deadline.

use crate::config::{Alerts as Config, Secret};
use axum::body::Body;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use sidetone_mqtt::tls;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Url;

/// How long a delivery may take: name, TCP, TLS, request and answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Why it was not delivered.
#[derive(Debug, Error)]
pub(super) enum Refused {
    /// Trying again may help.
    #[error("{0}")]
    Passing(String),
    /// It does not: something is set wrong, here or there.
    #[error("{0}")]
    Lasting(String),
}

/// Where alerts go. Its address is a secret: that is how chat services know who may speak.
pub(super) struct Target {
    url: Url,
    token: Option<Secret>,
    tls: Option<Arc<ClientConfig>>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

/// What the text of `alerts.webhook` must be.
///
/// # Errors
/// What is wrong with it, without showing it.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    let allowed = "must be http://HOST/… or https://HOST/…, without user name and password (alerts.webhook_token)";
    let url = Url::parse(text).map_err(|error| format!("{error}: it {allowed}"))?;
    let good = ["http", "https"].contains(&url.scheme())
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none();
    if good { Ok(url) } else { Err(allowed.into()) }
}

impl Target {
    /// The target that a configuration names, if any.
    ///
    /// # Errors
    /// The setting at fault, and what is wrong.
    pub(super) fn new(config: &Config) -> Result<Option<Self>, (&'static str, String)> {
        let Some(webhook) = &config.webhook else { return Ok(None) };
        let url = parse(webhook.expose()).map_err(|why| ("alerts.webhook", why))?;
        let tls = match url.scheme() {
            "https" => Some(tls::client(config.webhook_ca.as_deref(), None)),
            _ => None,
        };
        let tls = tls.transpose().map_err(|error| ("alerts.webhook_ca", error.to_string()))?;
        Ok(Some(Self { url, token: config.webhook_token.clone(), tls }))
    }

    /// Whether it is the one of a configuration.
    pub(super) fn is(&self, config: &Config) -> bool {
        let same_url = config.webhook.as_ref().is_some_and(|other| parse(other.expose()).as_ref() == Ok(&self.url));
        same_url && config.webhook_token == self.token
    }

    /// Its address, for people: the path is the secret of many.
    pub(super) fn shown(&self) -> String {
        let port = self.url.port().map_or_else(String::new, |port| format!(":{port}"));
        let host = self.url.host_str().unwrap_or_default();
        let path = if self.url.path() == "/" && self.url.query().is_none() { "/" } else { "/***" };
        format!("{}://{host}{port}{path}", self.url.scheme())
    }

    /// Delivers a body.
    pub(super) async fn post(&self, body: String) -> Result<(), Refused> {
        let place = self.shown();
        let passing = |what: &dyn std::fmt::Display| Refused::Passing(format!("{place} {what}"));
        let posting = async {
            let host = self.url.host_str().unwrap_or_default();
            let port = self.url.port_or_known_default().unwrap_or(80);
            // An IPv6 address stands in brackets in a URL, and without them elsewhere.
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let stream = TcpStream::connect((bare, port)).await;
            let stream = stream.map_err(|error| passing(&format_args!("cannot be reached: {error}")))?;
            match &self.tls {
                None => self.exchange(stream, body).await,
                Some(config) => {
                    let name = ServerName::try_from(bare.to_owned());
                    let name =
                        name.map_err(|error| Refused::Lasting(format!("{place} has no name for TLS: {error}")))?;
                    let stream = TlsConnector::from(config.clone()).connect(name, stream).await;
                    self.exchange(stream.map_err(|error| self.tls_refused(&error))?, body).await
                }
            }
        };
        match timeout(DEADLINE, posting).await {
            Ok(outcome) => outcome,
            Err(_) => Err(passing(&format_args!("does not answer within {DEADLINE:?}"))),
        }
    }

    fn tls_refused(&self, error: &std::io::Error) -> Refused {
        let place = self.shown();
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(why)) => Refused::Lasting(format!(
                "{place} shows a certificate that is not trusted ({why:?}): set alerts.webhook_ca to the authority that signed it"
            )),
            Some(tls) => Refused::Lasting(format!("{place} does not agree on TLS: {tls}")),
            None => Refused::Passing(format!("{place} breaks the connection: {error}")),
        }
    }

    async fn exchange<S>(&self, stream: S, body: String) -> Result<(), Refused>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let place = self.shown();
        let broke = |error: hyper::Error| Refused::Passing(format!("{place} breaks the connection: {error}"));
        let request = self.request(body).map_err(|error| Refused::Lasting(format!("no request: {error}")))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broke)?;
        // Ends with this function.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let answer = sender.send_request(request).await.map_err(broke)?;
        judge(&place, answer.status())
    }

    fn request(&self, body: String) -> Result<Request<Body>, hyper::http::Error> {
        let path = &self.url[url::Position::BeforePath..url::Position::AfterQuery];
        let authority = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(if path.is_empty() { "/" } else { path })
            .header(HOST, authority)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("sidetone/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = &self.token {
            let bearer = zeroize::Zeroizing::new(format!("Bearer {}", token.expose()));
            let mut value = HeaderValue::from_str(&bearer)?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(Body::from(body))
    }
}

/// Whether an answer says that it was taken.
fn judge(place: &str, status: StatusCode) -> Result<(), Refused> {
    let said = format!("{place} answers HTTP {}", status.as_u16());
    match status.as_u16() {
        200..=299 => Ok(()),
        401 | 403 => Err(Refused::Lasting(format!("{said}: check alerts.webhook_token"))),
        300..=399 => Err(Refused::Lasting(format!("{said}: it has moved; set alerts.webhook to where it is now"))),
        408 | 425 | 429 => Err(Refused::Passing(said)),
        400..=499 => Err(Refused::Lasting(format!("{said}: check alerts.webhook"))),
        _ => Err(Refused::Passing(said)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        let config = Config { webhook: Some(Secret::new(url.into())), ..Config::default() };
        Target::new(&config).unwrap().unwrap()
    }

    #[test]
    fn an_address_is_shown_without_its_secret_part() {
        assert_eq!(target("http://127.0.0.1:9/services/T0/B0/s3cret?k=v").shown(), "http://127.0.0.1:9/***");
        assert_eq!(target("http://hooks.example").shown(), "http://hooks.example/");
        assert_eq!(format!("{:?}", target("http://[::1]:9/?s3cret")), "http://[::1]:9/***");
    }

    #[test]
    fn what_is_no_webhook_is_refused_without_being_shown() {
        for bad in ["", "hooks.example/s3cret", "ftp://x/s3cret", "http://me:s3cret@x/"] {
            let why = parse(bad).map(|_| ()).unwrap_err();
            assert!(why.contains("must be http://HOST") && !why.contains("s3cret"), "{bad}: {why}");
        }
    }

    #[test]
    fn answers_are_told_apart_by_whether_trying_again_helps() {
        let lasting = |status| match judge("x", StatusCode::from_u16(status).unwrap()) {
            Ok(()) => None,
            Err(Refused::Passing(_)) => Some(false),
            Err(Refused::Lasting(_)) => Some(true),
        };
        assert_eq!([200, 204].map(lasting), [None; 2]);
        assert_eq!([408, 429, 500, 503].map(lasting), [Some(false); 4]);
        assert_eq!([301, 400, 401, 404, 410].map(lasting), [Some(true); 5]);
    }
}
