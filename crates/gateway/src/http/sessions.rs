//! The calls: all of them, one of them with what its instance has counted, and its end.

use super::{Site, answer, history};
use crate::calls::{CallView, Journal, Traffic};
use crate::history::Unavailable;
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

/// A call, with what happened in it.
#[derive(Serialize)]
struct Details {
    #[serde(flatten)]
    call: CallView,
    state: &'static str,
    ended: Option<u64>,
    cause: Option<&'static str>,
    traffic: Option<Traffic>,
    #[serde(flatten)]
    journal: Journal,
}

pub(super) async fn list(State(site): State<Site>) -> Response {
    Json(json!({ "sessions": site.shared.calls.list() })).into_response()
}

/// A call, live or ended; a live one without traffic where its instance is too busy to say.
pub(super) async fn one(State(site): State<Site>, Path(id): Path<String>) -> Response {
    let Some((_, _, device)) = site.shared.calls.get(&id) else { return past(&site, id).await };
    let (answer, stats) = oneshot::channel();
    let traffic = if site.shared.devices.tell(&device, Command::Stats(answer)) {
        timeout(PATIENCE, stats).await.ok().and_then(Result::ok)
    } else {
        None
    };
    // It may have ended meanwhile.
    let Some((call, journal, _)) = site.shared.calls.get(&id) else { return past(&site, id).await };
    let traffic = traffic.as_ref().map(Traffic::from);
    Json(Details { call, state: "live", ended: None, cause: None, traffic, journal }).into_response()
}

/// A call that ended.
async fn past(site: &Site, id: String) -> Response {
    if let Some(call) = site.shared.calls.ended().get(&id) {
        return match (call.view(), call.events()) {
            (Ok(view), Ok(events)) => Json(history::joined(view, events)).into_response(),
            _ => unreadable(),
        };
    }
    match site.shared.history.session(id).await {
        Ok(Some(kept)) => history::whole(&kept).map_or_else(unreadable, |whole| Json(whole).into_response()),
        Ok(None) | Err(Unavailable::Off) => no_such_call(),
        Err(why) => answer::error(StatusCode::SERVICE_UNAVAILABLE, &why.to_string()),
    }
}

fn unreadable() -> Response {
    answer::error(StatusCode::SERVICE_UNAVAILABLE, "the call ended, and what was kept of it cannot be read")
}

/// Ends a call: its device is told goodbye.
pub(super) async fn end(State(site): State<Site>, Path(id): Path<String>) -> Response {
    let Some((_, _, device)) = site.shared.calls.get(&id) else { return no_such_call() };
    let command = Command::End { call: id.clone(), cause: EndCause::Operator };
    if site.shared.devices.tell(&device, command) {
        tracing::info!(call = id, "an operator ends the call");
        (StatusCode::ACCEPTED, Json(json!({ "ending": id }))).into_response()
    } else {
        answer::error(StatusCode::SERVICE_UNAVAILABLE, "the call does not listen just now; try again")
    }
}

fn no_such_call() -> Response {
    answer::error(
        StatusCode::NOT_FOUND,
        "there is no such call: /api/sessions lists those there are, /api/history/sessions those that ended",
    )
}
