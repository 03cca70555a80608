//! History: numbers over time, and calls that ended.

use super::{Site, answer};
use crate::history::{Kept, Page, Range, Unavailable};
use crate::monitor::{self, BOUNDS, Sample, Series, Stage, bounds_ms, unix_millis};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// Sessions of a page.
const USUAL: u32 = 100;
const MOST: u32 = 500;

/// What is asked for: each name once, and only those that are known.
///
/// # Errors
/// What is wrong, and what is allowed.
fn asked(query: Option<&str>, known: &[&str]) -> Result<Vec<(String, String)>, String> {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    for (index, (name, _)) in pairs.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            return Err(format!("{name:?} cannot be asked for here: there is {}", known.join(", ")));
        }
        if pairs[..index].iter().any(|(other, _)| other == name) {
            return Err(format!("{name} is given twice; give it once"));
        }
    }
    Ok(pairs)
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

fn unavailable(why: &Unavailable) -> Response {
    answer::error(StatusCode::SERVICE_UNAVAILABLE, &why.to_string())
}

/// What numbers there are.
pub(super) async fn series() -> Response {
    let series: Vec<_> = monitor::all()
        .map(|series| {
            json!({
                "name": series.name,
                "kind": series.kind(),
                "unit": series.unit,
                "over": series.over(),
                "help": format!("{}.", series.help),
            })
        })
        .collect();
    Json(json!({ "series": series })).into_response()
}

/// Numbers over a range.
pub(super) async fn range(State(site): State<Site>, RawQuery(query): RawQuery) -> Response {
    let (range, series) = match range_asked(query.as_deref()) {
        Ok(asked) => asked,
        Err(why) => return answer::error(StatusCode::BAD_REQUEST, &why),
    };
    let now = unix_millis() / 1000;
    match site.shared.history.range(range, now).await {
        Ok(points) => Json(written(&range, now, &series, &points, site.shared.history.kept())).into_response(),
        Err(why) => unavailable(&why),
    }
}

fn range_asked(query: Option<&str>) -> Result<(Range, Vec<Series>), String> {
    let pairs = asked(query, &["range", "series"])?;
    let range = Range::named(value(&pairs, "range").unwrap_or("1h"))?;
    let Some(names) = value(&pairs, "series") else { return Ok((range, monitor::all().collect())) };
    let named = |name: &str| {
        let why = || format!("series = {name:?}: there is no such series; /api/history/series lists those there are");
        monitor::named(name).ok_or_else(why)
    };
    Ok((range, names.split(',').map(named).collect::<Result<_, _>>()?))
}

fn written(range: &Range, now: u64, series: &[Series], points: &[Option<Sample>], kept: &str) -> Value {
    let first = range.first(now);
    let times: Vec<_> = (0..points.len() as u64).map(|point| (first + point * range.step) * 1000).collect();
    let values = |series: &Series| -> Value {
        points.iter().map(|point| point.as_ref().and_then(|sample| series.rate(sample)).map(rounded)).collect()
    };
    let mut whole = Sample::default();
    points.iter().flatten().for_each(|sample| whole.merge(sample));
    let histograms: Map<_, _> = Stage::ALL
        .map(|stage| (stage.name().to_owned(), json!(whole.latency(stage).between(&BOUNDS))))
        .into_iter()
        .collect();
    json!({
        "range": range.name,
        "from": first * 1000,
        "to": now * 1000,
        "step": range.step,
        "kept": kept,
        "times": times,
        "series": series.iter().map(|series| (series.name.to_owned(), values(series))).collect::<Map<_, _>>(),
        "boundsMs": bounds_ms(),
        "histograms": histograms,
    })
}

/// Six digits are more than a graph shows.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() || value.fract() == 0.0 {
        return value;
    }
    let scale = 10f64.powi(5 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

/// Calls that ended, the last to end first.
pub(super) async fn sessions(State(site): State<Site>, RawQuery(query): RawQuery) -> Response {
    let page = match page_asked(query.as_deref()) {
        Ok(page) => page,
        Err(why) => return answer::error(StatusCode::BAD_REQUEST, &why),
    };
    let (limit, asked) = (page.limit as usize, Page { limit: page.limit + 1, ..page.clone() });
    let found = match site.shared.history.sessions(asked).await {
        Ok(found) => found.into_iter().map(|kept| Some((kept.ended, serde_json::from_str(&kept.view).ok()?))).collect(),
        Err(Unavailable::Busy) => return unavailable(&Unavailable::Busy),
        Err(_) => lately(&site, &page),
    };
    let Some(mut found): Option<Vec<(u64, Value)>> = found else {
        return answer::error(StatusCode::SERVICE_UNAVAILABLE, "history holds a call that cannot be read");
    };
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(ended, _)| *ended);
    let sessions: Vec<_> = found.into_iter().map(|(_, view)| view).collect();
    Json(json!({ "sessions": sessions, "next": next })).into_response()
}

fn page_asked(query: Option<&str>) -> Result<Page, String> {
    let pairs = asked(query, &["limit", "before", "tenant", "device"])?;
    let limit = match value(&pairs, "limit") {
        None => USUAL,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| format!("limit = {text:?}: must be a whole number from 1 to {MOST}"))?,
    };
    let before = value(&pairs, "before").map(|text| {
        text.parse().map_err(|_| format!("before = {text:?}: must be a time in ms of Unix time, such as next gave it"))
    });
    let text = |name| value(&pairs, name).map(str::to_owned);
    Ok(Page { limit, before: before.transpose()?, tenant: text("tenant"), device: text("device") })
}

/// Without history: what is left of the last calls.
fn lately(site: &Site, page: &Page) -> Option<Vec<(u64, Value)>> {
    let Page { limit, before, tenant, device } = page;
    let ended = site.shared.calls.ended().all();
    let wanted = ended.iter().filter(|call| {
        before.is_none_or(|before| call.ended < before)
            && tenant.as_ref().is_none_or(|tenant| call.tenant == *tenant)
            && device.as_ref().is_none_or(|device| call.device == *device)
    });
    wanted.take(*limit as usize + 1).map(|call| Some((call.ended, call.view().ok()?))).collect()
}

/// A call that ended, with its events, from history.
pub(super) fn whole(kept: &Kept) -> Option<Value> {
    let (view, events) = (serde_json::from_str(&kept.view).ok()?, serde_json::from_str(&kept.events).ok()?);
    joined(view, events)
}

/// Two objects in one.
pub(super) fn joined(view: Value, events: Value) -> Option<Value> {
    let (Value::Object(mut view), Value::Object(events)) = (view, events) else { return None };
    view.extend(events);
    Some(Value::Object(view))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_wrongly_is_named_with_what_is_allowed() {
        let range = |query| range_asked(Some(query)).map(|_| ()).unwrap_err();
        assert_eq!(range("range=2h"), r#"range = "2h": must be 15m, 1h, 6h, 24h, 7d or 30d"#);
        assert_eq!(range("rnge=1h"), r#""rnge" cannot be asked for here: there is range, series"#);
        assert_eq!(range("range=1h&range=6h"), "range is given twice; give it once");
        assert!(range("series=calls,x").starts_with(r#"series = "x": there is no such series"#));
        assert!(range("series=").starts_with(r#"series = """#));
        let page = |query| page_asked(Some(query)).map(|_| ()).unwrap_err();
        for bad in ["0", "501", "-1", "x", "99999999999"] {
            let asked = format!("limit={bad}");
            let why = page_asked(Some(&asked)).map(|_| ()).unwrap_err();
            assert_eq!(why, format!("limit = {bad:?}: must be a whole number from 1 to 500"));
        }
        assert!(page("before=yesterday").starts_with(r#"before = "yesterday": must be"#));
        assert_eq!(range_asked(None).unwrap().0.name, "1h");
    }

    #[test]
    fn numbers_have_six_digits() {
        let numbers = [0.0, 123_456_789.0, 1.0 / 3.0, 12_345.678_9, -0.000_123_456_789].map(rounded);
        assert_eq!(numbers, [0.0, 123_456_789.0, 0.333_333, 12_345.7, -0.000_123_457]);
    }
}
