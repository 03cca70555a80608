//! Who is let in at `[web]`, and as what.

use super::claim::Claim;
use super::origin::Origins;
use crate::link::Identity;
use crate::protect::{Place, Places};
use crate::registry::Entered;
use crate::shared::{Phase, Shared};
use sidetone_protocol::websocket::Version;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, StatusCode, header};

/// The subprotocol of MQTT.
const MQTT: &str = "mqtt";

/// Paths that there are.
pub(super) const DEVICES: &str = "/xiaozhi/v1/";
const BROWSERS: &str = "/mqtt";
pub(super) const MEDIA: &str = "/media";

/// What all listeners of `[web]` have in common.
pub(crate) struct Door {
    pub(super) shared: Arc<Shared>,
    origins: Origins,
    places: Arc<Places>,
}

/// Both ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) peer: SocketAddr,
    pub(super) local: Option<SocketAddr>,
}

/// What a connection is for.
#[derive(Debug)]
pub(super) enum Visit {
    /// A device that speaks WebSocket.
    Device { identity: Identity, entered: Entered, version: Option<Version> },
    /// MQTT, inside.
    Mqtt,
    /// Sealed datagrams.
    Media,
}

/// Why a request is turned away.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) why: String,
}

impl Refusal {
    fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into() }
    }

    fn response(&self) -> ErrorResponse {
        let body = format!("{}\n", self.why);
        let length = HeaderValue::from(body.len());
        let mut response = ErrorResponse::new(Some(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(header::CONTENT_LENGTH, length);
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

impl Door {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        let config = shared.config();
        let web = &config.web;
        let places = Arc::new(Places::new(web.connections, web.source_connections));
        let origins = Origins::of(&config);
        Arc::new(Self { shared, origins, places })
    }

    /// A place for a connection. `None`: there is none; it is counted.
    pub(super) fn take_place(&self, from: IpAddr) -> Option<Place> {
        match self.places.take(from) {
            Ok(place) => Some(place),
            Err(full) => {
                self.shared.counters.totals.connections_refused.add(1);
                tracing::debug!(%from, %full, "a connection was turned away (web.connections, web.source_connections)");
                None
            }
        }
    }

    /// Answers the request that opens a WebSocket.
    #[allow(clippy::result_large_err, reason = "the answer is of the WebSocket library's type")]
    pub(super) fn open(
        &self,
        request: &Request,
        mut response: Response,
        ends: Ends,
    ) -> Result<(Response, Visit), (ErrorResponse, Refusal)> {
        let answer = |refusal: Refusal| (refusal.response(), refusal);
        let visit = self.visit(request, ends).map_err(answer)?;
        if matches!(visit, Visit::Mqtt) && request.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(MQTT));
        }
        Ok((response, visit))
    }

    fn visit(&self, request: &Request, ends: Ends) -> Result<Visit, Refusal> {
        let headers = request.headers();
        for origin in headers.get_all(header::ORIGIN) {
            self.check_origin(origin.to_str().unwrap_or_default())?;
        }
        self.check_phase()?;
        match request.uri().path() {
            DEVICES | "/xiaozhi/v1" => {
                let claim = Claim::check(headers, request.uri(), self.shared.signature_key.as_ref());
                let claim = claim.map_err(|error| Refusal::new(error.status(), error.to_string()))?;
                let identity = Identity {
                    tenant: self.shared.tenant_of(&claim.device),
                    device: claim.device,
                    peer: Some(ends.peer.ip()),
                    local: ends.local.map(|local| local.ip()),
                };
                let entered = self.shared.enter(&identity);
                let entered =
                    entered.map_err(|full| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, full.to_string()))?;
                Ok(Visit::Device { identity, entered, version: claim.version })
            }
            BROWSERS if offers_mqtt(headers) => Ok(Visit::Mqtt),
            BROWSERS => {
                Err(Refusal::new(StatusCode::BAD_REQUEST, "offer the subprotocol mqtt (Sec-WebSocket-Protocol: mqtt)"))
            }
            MEDIA => Ok(Visit::Media),
            _ => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                format!("nothing is here; there are {DEVICES} (devices), {BROWSERS} (MQTT) and {MEDIA} (datagrams)"),
            )),
        }
    }

    pub(super) fn check_origin(&self, origin: &str) -> Result<(), Refusal> {
        if self.origins.allow(origin) {
            return Ok(());
        }
        let why = format!("pages of {origin:?} may not connect: list them in web.origins if they should");
        Err(Refusal::new(StatusCode::FORBIDDEN, why))
    }

    pub(super) fn check_phase(&self) -> Result<(), Refusal> {
        if *self.shared.phase.borrow() == Phase::Serving {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the gateway is shutting down"))
    }
}

/// Whether MQTT is among the subprotocols. Some clients of MQTT forget to say so, and offer none.
fn offers_mqtt(headers: &HeaderMap) -> bool {
    let mut offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().peekable();
    let none = offers.peek().is_none();
    let mut names = offers.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    none || names.any(|name| name.trim() == MQTT)
}
