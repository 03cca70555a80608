//! Alerts: all of them, and silences by hand.

use super::{Site, answer};
use crate::monitor::unix_millis;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

/// Seconds of a silence.
const SHORTEST: u64 = 60;
const LONGEST: u64 = 30 * 86_400;

/// Characters of its reason.
const WHY: usize = 200;

pub(super) async fn list(State(site): State<Site>) -> Response {
    let alerts = &site.shared.alerts;
    let (list, recent) = alerts.list();
    Json(json!({ "now": unix_millis(), "alerts": list, "recent": recent, "webhook": alerts.webhook() })).into_response()
}

/// What a silence is asked for with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    seconds: u64,
    why: Option<String>,
}

pub(super) async fn silence(
    State(site): State<Site>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let why = format!("content-type = {kind:?}: must be application/json");
        return answer::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, &why);
    }
    let body = match body {
        Ok(body) => body,
        Err(why) => return answer::error(why.status(), &format!("{why}; a few hundred bytes are enough")),
    };
    let asked = match read(&body) {
        Ok(asked) => asked,
        Err(why) => return answer::error(StatusCode::BAD_REQUEST, &why),
    };
    match site.shared.alerts.silence(&site.shared, &id, asked.seconds, asked.why) {
        Some(alert) => {
            tracing::info!(alert = id, seconds = asked.seconds, "an operator silences the alert");
            Json(alert).into_response()
        }
        None => no_such_alert(&site, &id),
    }
}

pub(super) async fn lift(State(site): State<Site>, Path(id): Path<String>) -> Response {
    match site.shared.alerts.lift(&site.shared, &id) {
        Some(alert) => Json(alert).into_response(),
        None => no_such_alert(&site, &id),
    }
}

fn read(body: &[u8]) -> Result<Asked, String> {
    let example = r#"the body must be such as {"seconds": 3600, "why": "load test"}"#;
    let asked: Asked = serde_json::from_slice(body).map_err(|error| format!("{error}; {example}"))?;
    if !(SHORTEST..=LONGEST).contains(&asked.seconds) {
        return Err(format!("seconds = {}: must be a whole number from {SHORTEST} to {LONGEST}", asked.seconds));
    }
    let why = asked.why.as_deref().unwrap_or_default();
    if why.chars().count() > WHY || why.chars().any(char::is_control) {
        return Err(format!("why: must be text in one line, of at most {WHY} characters"));
    }
    Ok(asked)
}

fn no_such_alert(site: &Site, id: &str) -> Response {
    let there_are = site.shared.alerts.ids().join(", ");
    answer::error(StatusCode::NOT_FOUND, &format!("there is no alert {id:?}; there are: {there_are}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_body_is_answered_with_what_is_allowed() {
        let why = |body: &str| read(body.as_bytes()).map(|_| ()).unwrap_err();
        assert!(why("").ends_with(r#"the body must be such as {"seconds": 3600, "why": "load test"}"#));
        assert!(why(r#"{"minutes": 5}"#).starts_with("unknown field `minutes`"));
        assert!(why(r#"{"seconds": "60"}"#).contains("invalid type"));
        for seconds in [0, 59, LONGEST + 1] {
            let said = format!("seconds = {seconds}: must be a whole number from 60 to 2592000");
            assert_eq!(why(&json!({ "seconds": seconds }).to_string()), said);
        }
        let long = json!({ "seconds": 60, "why": "é".repeat(201) }).to_string();
        assert_eq!(why(&long), "why: must be text in one line, of at most 200 characters");
        let good = json!({ "seconds": 60, "why": "é".repeat(200) }).to_string();
        assert_eq!(read(good.as_bytes()).unwrap().seconds, 60);
    }
}
