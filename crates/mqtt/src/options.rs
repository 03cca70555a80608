//! How a client connects.

use crate::error::OptionsError;
use crate::packet::{Qos, Version};
use crate::tls::ClientConfig;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// What the server publishes for a client that goes without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWill {
    /// The topic.
    pub topic: String,
    /// The message.
    pub payload: Vec<u8>,
    /// Its QoS.
    pub qos: Qos,
    /// Whether it is kept for later subscribers.
    pub retain: bool,
}

/// How a client connects. Begin with [`Options::new`].
#[derive(Clone)]
pub struct Options {
    /// Where to; see [`Options::new`].
    pub(crate) server: Server,
    /// The client id. Empty: the server's choice.
    pub client_id: String,
    /// User name.
    pub username: Option<String>,
    /// Password; needs a user name in 3.1.1. Zeroised on drop (copies inside the protocol library are not).
    pub password: Option<Zeroizing<Vec<u8>>>,
    /// The version of MQTT. Default: 3.1.1.
    pub version: Version,
    /// The longest time between two of our packets, in whole seconds up to 65535; pings see to it, twice as often where
    /// it is a second or two. Zero: none. Default: 60 s.
    pub keep_alive: Duration,
    /// Whether the server shall forget all about earlier connections of this client id. Default: true.
    pub clean: bool,
    /// How long the server shall keep the session of a client that is not `clean` (version 5; 3.1.1 leaves it to the
    /// server). Default: one hour.
    pub session_expiry: Duration,
    /// What is published if this client goes without a word.
    pub last_will: Option<LastWill>,
    /// The configuration of TLS, from [`tls::client`](crate::tls::client). Without one, `mqtts` and `wss` trust whom
    /// this system trusts, and read that for every connection.
    pub tls: Option<Arc<ClientConfig>>,
    /// Time for everything up to the server's consent. Default: 10 s.
    pub connect_timeout: Duration,
    /// Time for the server to answer a ping or a subscription. Default: 10 s.
    pub answer_timeout: Duration,
    /// Time for the server to take what is sent to it, packet by packet. Default: 5 s.
    pub send_timeout: Duration,
    /// The largest packet that is taken, in bytes. Default: 256 KiB.
    pub max_packet: usize,
    /// Messages of QoS 1 and 2 that may be under way, in each direction. Default: 128.
    pub max_in_flight: u16,
}

/// Up to so long a keep-alive, pings go twice as often: a server that waits for one and a half times as long would have
/// us for dead where one of them is a second late.
const SHORT: Duration = Duration::from_secs(2);

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    /// The whole URL of a WebSocket.
    pub(crate) websocket: Option<String>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Options {
    /// Options to connect to `url`: `mqtt://host` (port 1883), `mqtts://host` (8883), `ws://host/path` (80) or
    /// `wss://host/path` (443), the default path being `/mqtt`.
    ///
    /// # Errors
    /// It is no such URL, or holds a password.
    ///
    /// ```
    /// let options = sidetone_mqtt::Options::new("mqtts://broker.example")?;
    /// assert_eq!(options.server(), "broker.example:8883");
    /// # Ok::<(), sidetone_mqtt::OptionsError>(())
    /// ```
    pub fn new(url: &str) -> Result<Self, OptionsError> {
        Ok(Self {
            server: Server::parse(url)?,
            client_id: String::new(),
            username: None,
            password: None,
            version: Version::V311,
            keep_alive: Duration::from_secs(60),
            clean: true,
            session_expiry: Duration::from_secs(3600),
            last_will: None,
            tls: None,
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(10),
            send_timeout: Duration::from_secs(5),
            max_packet: 256 << 10,
            max_in_flight: 128,
        })
    }

    /// How often a client pings that has nothing else to say. `None`: never.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let mut options = sidetone_mqtt::Options::new("mqtt://broker.example")?;
    /// assert_eq!(options.ping_interval(), Some(Duration::from_secs(60)));
    /// options.keep_alive = Duration::from_secs(1);
    /// assert_eq!(options.ping_interval(), Some(Duration::from_millis(500)));
    /// # Ok::<(), sidetone_mqtt::OptionsError>(())
    /// ```
    pub fn ping_interval(&self) -> Option<Duration> {
        let seconds = Duration::from_secs(self.keep_alive.as_secs());
        let interval = if seconds <= SHORT { seconds / 2 } else { seconds };
        (!interval.is_zero()).then_some(interval)
    }

    /// Host and port of the server, for messages.
    pub fn server(&self) -> String {
        self.server.to_string()
    }
}

impl Server {
    fn parse(text: &str) -> Result<Self, OptionsError> {
        // A password in it must not get into the message.
        let shown = || text.rsplit('@').next().unwrap_or_default().to_owned();
        let mut url = Url::parse(text).map_err(|source| OptionsError::Url { url: shown(), source })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OptionsError::Credentials);
        }
        let (tls, websocket, port) = match url.scheme() {
            "mqtt" => (false, false, 1883),
            "mqtts" => (true, false, 8883),
            "ws" => (false, true, 80),
            "wss" => (true, true, 443),
            scheme => return Err(OptionsError::Scheme(scheme.to_owned())),
        };
        // Of an IPv6 address, without the brackets.
        let host = match url.host() {
            Some(url::Host::Ipv6(address)) => address.to_string(),
            Some(host) if !host.to_string().is_empty() => host.to_string(),
            _ => return Err(OptionsError::NoHost(shown())),
        };
        if websocket && url.path() == "/" {
            url.set_path("/mqtt");
        }
        let port = url.port().unwrap_or(port);
        Ok(Self { host, port, tls, websocket: websocket.then(|| url.into()) })
    }
}

/// The password is not shown.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("server", &self.server)
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let server = |url| Server::parse(url).map_err(|error| error.to_string());
        let of = |host: &str, port, tls, websocket: Option<&str>| {
            Ok(Server { host: host.to_owned(), port, tls, websocket: websocket.map(str::to_owned) })
        };
        assert_eq!(server("mqtt://broker"), of("broker", 1883, false, None));
        assert_eq!(server("mqtts://broker"), of("broker", 8883, true, None));
        assert_eq!(server("mqtt://127.0.0.1:99"), of("127.0.0.1", 99, false, None));
        assert_eq!(server("mqtt://[::1]:99"), of("::1", 99, false, None));
        assert_eq!(server("ws://b:81"), of("b", 81, false, Some("ws://b:81/mqtt")));
        assert_eq!(server("wss://b/x?y"), of("b", 443, true, Some("wss://b/x?y")));
        assert_eq!(server("http://b"), Err("\"http\" is no scheme for MQTT: use mqtt, mqtts, ws or wss".to_owned()));
        assert!(server("broker:1883").is_err() && server("mqtt://").is_err() && server("").is_err());
        for url in ["mqtt://u:secret@b", "mqtt://u:secret@b c", "u:secret@b:99999"] {
            assert!(server(url).is_err_and(|error| !error.contains("secret")), "{url}");
        }
        assert_eq!(Server::parse("mqtt://[::1]").map(|server| server.to_string()).ok(), Some("[::1]:1883".to_owned()));
    }

    #[test]
    fn a_password_is_not_shown() {
        let mut options = Options::new("mqtt://b").unwrap();
        options.password = Some(Zeroizing::new(b"secret".to_vec()));
        assert!(!format!("{options:?}").contains("secret"));
        assert!(!format!("{options:?}").contains("115"));
    }
}
