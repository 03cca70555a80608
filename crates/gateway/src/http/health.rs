//! Whether the process lives, and whether calls are taken.

use super::{Site, guard};
use crate::shared::{Phase, Shared};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

/// One thing that must hold for calls to be taken.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    what: &'static str,
    ok: bool,
    /// As a sentence, for whoever wonders.
    detail: String,
}

pub(super) async fn alive() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// 200 while calls are taken, 503 otherwise; who may ask for more is told why.
pub(super) async fn ready(State(site): State<Site>, request: Request) -> Response {
    let checks = checks(&site.shared);
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = if guard::is_trusted(&site, &request) {
        json!({ "ready": ready, "checks": checks })
    } else {
        json!({ "ready": ready })
    };
    (status, Json(body)).into_response()
}

/// Whether calls are taken.
pub(crate) fn is_ready(shared: &Shared) -> bool {
    checks(shared).iter().all(|check| check.ok)
}

fn checks(shared: &Shared) -> Vec<Check> {
    let draining = *shared.phase.borrow() == Phase::Draining;
    let down: Vec<_> =
        shared.edges.all().into_iter().filter(|(_, edge)| !edge.listening).map(|(name, _)| name).collect();
    let (calls, most) = (shared.calls.len(), shared.config().limits.calls);
    let room = calls < most as usize;
    let bridge = shared.bridge.is_ready();
    let away: Vec<_> = shared.brokers().into_iter().filter(|(_, up)| !up).map(|(role, _)| role).collect();
    vec![
        Check {
            what: "serving",
            ok: !draining,
            detail: if draining { "the gateway is shutting down" } else { "not shutting down" }.into(),
        },
        Check {
            what: "edges",
            ok: down.is_empty(),
            detail: if down.is_empty() { "all listen".into() } else { format!("stopped: {}", down.join(", ")) },
        },
        Check { what: "room", ok: room, detail: format!("{calls} calls of at most {most}") },
        Check {
            what: "broker",
            ok: away.is_empty(),
            detail: if away.is_empty() {
                "nothing is missing".into()
            } else {
                format!("not connected: {}", away.join(", "))
            },
        },
        Check {
            what: "bridge",
            ok: bridge,
            detail: format!("{} is {}", shared.bridge.name(), if bridge { "ready" } else { "not available" }),
        },
    ]
}
