//! The calls: all of them, one of them with what its instance has counted, and its end.

use super::{Site, answer};
use crate::calls::{CallView, Traffic};
use crate::registry::Command;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use sidetone_protocol::session::EndCause;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long an instance is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Details {
    #[serde(flatten)]
    call: CallView,
    traffic: Option<Traffic>,
}

pub(super) async fn list(State(site): State<Site>) -> Response {
    Json(json!({ "sessions": site.shared.calls.list() })).into_response()
}

/// A call; without traffic where its instance is too busy to say.
pub(super) async fn one(State(site): State<Site>, Path(id): Path<String>) -> Response {
    let Some((call, device)) = site.shared.calls.get(&id) else { return no_such_call() };
    let (answer, stats) = oneshot::channel();
    let traffic = if site.shared.devices.tell(&device, Command::Stats(answer)) {
        timeout(PATIENCE, stats).await.ok().and_then(Result::ok)
    } else {
        None
    };
    Json(Details { call, traffic: traffic.as_ref().map(Traffic::from) }).into_response()
}

/// Ends a call: its device is told goodbye.
pub(super) async fn end(State(site): State<Site>, Path(id): Path<String>) -> Response {
    let Some((_, device)) = site.shared.calls.get(&id) else { return no_such_call() };
    let command = Command::End { call: id.clone(), cause: EndCause::Operator };
    if site.shared.devices.tell(&device, command) {
        tracing::info!(call = id, "an operator ends the call");
        (StatusCode::ACCEPTED, Json(json!({ "ending": id }))).into_response()
    } else {
        answer::error(StatusCode::SERVICE_UNAVAILABLE, "the call does not listen just now; try again")
    }
}

fn no_such_call() -> Response {
    answer::error(StatusCode::NOT_FOUND, "there is no such call; /api/sessions lists those there are")
}
