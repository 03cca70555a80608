//! HTTP for operators: health, metrics, what is going on. On loopback by default; a token opens it to others.
//!
//! Nothing here may slow a call down: connections are bounded, every wait has a deadline, and who reads too slowly is
//! dropped.

mod alerts;
mod answer;
mod connection;
mod device;
mod events;
mod guard;
pub(crate) mod health;
mod history;
mod pages;
mod same_site;
mod sessions;
mod stats;

use crate::shared::Shared;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum::{Router, extract::Request, middleware::Next, response::Response};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What is sent here is small.
const LARGEST_BODY: usize = 16 << 10;

/// How long requests that are being answered have when the gateway stops.
const CLOSING: Duration = Duration::from_millis(500);

/// A bound port.
pub(crate) struct Http(TcpListener);

/// A server that runs.
pub(crate) struct Serving {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What all handlers share.
#[derive(Clone)]
pub(crate) struct Site {
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
}

impl Http {
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Serves until it is shut down.
    pub(crate) fn start(self, shared: Arc<Shared>) -> Serving {
        let (stop, stopping) = watch::channel(false);
        let bound = self.0.local_addr();
        let site = Site { shared: shared.clone(), stop: stopping.clone() };
        let serve = connection::serve(self.0, router(site), shared.counters.clone(), stopping);
        let task = match bound {
            Ok(bound) => {
                let listening = shared.edges.listening("http.listen", bound);
                tokio::spawn(listening.while_serving(serve))
            }
            Err(_) => tokio::spawn(serve),
        };
        Serving { stop, task }
    }
}

impl Serving {
    /// Answers what was asked, ends event streams, and is gone.
    pub(crate) async fn shut_down(mut self) {
        self.stop.send_replace(true);
        if timeout(CLOSING, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until the server is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has nothing left to serve either.
    drop(stop.wait_for(|stop| *stop).await);
}

fn router(site: Site) -> Router {
    // Without a token: a load balancer has none. They tell no more than yes or no.
    let open = Router::new().route("/healthz", get(health::alive)).route("/readyz", get(health::ready));
    let guarded = Router::new()
        .route("/", get(pages::dashboard))
        .route("/assets/{*path}", get(pages::dashboard_asset))
        .route("/metrics", get(stats::metrics))
        .route("/device", get(pages::to_device))
        .route("/device/", get(pages::device))
        .route("/device/gateway.json", get(device::gateway))
        .route("/device/{*path}", get(pages::device_file))
        .route("/api/stats", get(stats::stats))
        .route("/api/config", get(stats::config))
        .route("/api/sessions", get(sessions::list))
        .route("/api/sessions/{id}", get(sessions::one).delete(sessions::end))
        .route("/api/events", get(events::events))
        .route("/api/history", get(history::range))
        .route("/api/history/series", get(history::series))
        .route("/api/history/sessions", get(history::sessions))
        .route("/api/alerts", get(alerts::list))
        .route("/api/alerts/{id}/silence", post(alerts::silence).delete(alerts::lift))
        .fallback(async || {
            answer::error(StatusCode::NOT_FOUND, "there is nothing here; docs/api.md lists what there is")
        })
        .layer(from_fn(same_site::same_site))
        .layer(from_fn_with_state(site.clone(), guard::guard));
    open.merge(guarded)
        .method_not_allowed_fallback(async || answer::error(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here"))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn(headers))
        .with_state(site)
}

/// What every answer says to browsers.
async fn headers(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
