//! Pages: the dashboard at `/` and the device at `/device/`. From the program itself, or from a folder in its place.

use super::{Site, answer};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use sidetone_pages::{DASHBOARD, DEVICE, File, Page};
use std::io::ErrorKind;
use std::path::{Component, PathBuf};

/// No file of a page is larger.
const LARGEST: u64 = 8 << 20;

/// The dashboard asks its own gateway, and no one else.
const DASHBOARD_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The device is a program: it compiles the module, and connects to whatever gateway it is told.
const DEVICE_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self' ws: wss: https:; worker-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// What a browser may keep for ever, since its name changes with it. `private`: it may have been given to a token.
const FOR_EVER: &str = "private, max-age=31536000, immutable";

/// What it asks for each time, whether it has changed.
const ASK_AGAIN: &str = "private, no-cache";

/// Kinds of files that pages are made of.
const TYPES: &[(&str, &str)] = &[
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("json", "application/json"),
    ("svg", "image/svg+xml"),
    ("wav", "audio/wav"),
];

/// A page, where else it may lie, and what it may do.
struct Place {
    page: &'static Page,
    folder: Option<PathBuf>,
    policy: &'static str,
}

pub(super) async fn dashboard(state: State<Site>, headers: HeaderMap) -> Response {
    dashboard_file(state, headers, "index.html".into()).await
}

/// What the dashboard is made of. Its address has none of its own below `/`, but for this folder.
pub(super) async fn dashboard_asset(state: State<Site>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    dashboard_file(state, headers, format!("assets/{path}")).await
}

async fn dashboard_file(State(site): State<Site>, headers: HeaderMap, path: String) -> Response {
    let folder = site.shared.config().http.dashboard_page.clone();
    serve(Place { page: &DASHBOARD, folder, policy: DASHBOARD_POLICY }, path, &headers).await
}

/// Relative addresses in the page need the stroke at the end.
pub(super) async fn to_device() -> Redirect {
    Redirect::permanent("/device/")
}

pub(super) async fn device(state: State<Site>, headers: HeaderMap) -> Response {
    device_file(state, Path("index.html".into()), headers).await
}

pub(super) async fn device_file(State(site): State<Site>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let folder = site.shared.config().http.device_page.clone();
    serve(Place { page: &DEVICE, folder, policy: DEVICE_POLICY }, path, &headers).await
}

async fn serve(place: Place, path: String, headers: &HeaderMap) -> Response {
    let kind = path.rsplit_once('.').map(|(_, extension)| extension);
    let kind = TYPES.iter().find(|(extension, _)| Some(*extension) == kind);
    let about = [
        (header::CONTENT_TYPE, kind.map_or("application/octet-stream", |(_, kind)| kind)),
        (header::CONTENT_SECURITY_POLICY, place.policy),
    ];
    let answer = match place.folder {
        Some(folder) => from_folder(folder, path).await,
        None => place.page.file(&path).map(|file| built_in(file, headers)),
    };
    match answer {
        Some(answer) => (about, answer).into_response(),
        None => answer::error(StatusCode::NOT_FOUND, "there is no such file"),
    }
}

/// A file of the program: whole, compressed, or not at all where the browser has it.
fn built_in(file: &'static File, headers: &HeaderMap) -> Response {
    let gzip = file.gzip.filter(|_| lists(headers, &header::ACCEPT_ENCODING, "gzip"));
    // Another representation has another tag (RFC 9110, 8.8.3.3).
    let tag = if gzip.is_some() { format!("\"{}-gzip\"", file.hash) } else { format!("\"{}\"", file.hash) };
    let known = lists(headers, &header::IF_NONE_MATCH, &tag);
    let mut answer = match (known, gzip) {
        (true, _) => StatusCode::NOT_MODIFIED.into_response(),
        (false, Some(gzip)) => ([(header::CONTENT_ENCODING, "gzip")], gzip).into_response(),
        (false, None) => file.bytes.into_response(),
    };
    let keep = if file.is_immutable() { FOR_EVER } else { ASK_AGAIN };
    let own = answer.headers_mut();
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    own.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        own.insert(header::ETAG, tag);
    }
    answer
}

/// Whether a header with a list has this in it. One with `;q=0` after it is not wanted.
fn lists(headers: &HeaderMap, name: &header::HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| {
        let (what, quality) = part.split_once(';').unwrap_or((part, ""));
        let unwanted = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        // Tags are compared weakly.
        what.trim().trim_start_matches("W/").eq_ignore_ascii_case(wanted) && !unwanted
    })
}

async fn from_folder(folder: PathBuf, path: String) -> Option<Response> {
    let name = PathBuf::from(path);
    if !name.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let full = folder.join(name);
    let read = tokio::task::spawn_blocking(move || {
        if std::fs::metadata(&full)?.len() > LARGEST {
            return Err(ErrorKind::FileTooLarge.into());
        }
        std::fs::read(&full)
    });
    // No file, or no file of a page: all the same to who asks.
    Some(read.await.ok()?.ok()?.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_in_headers_are_read_with_their_weights() {
        let lists = |value: &'static str, wanted: &str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            lists(&headers, &header::ACCEPT_ENCODING, wanted)
        };
        assert!(lists("gzip, deflate, br", "gzip") && lists("br;q=1.0, GZIP;q=0.5", "gzip"));
        assert!(
            !lists("br", "gzip") && !lists("gzip;q=0", "gzip") && !lists("gzip;q=0.000", "gzip") && !lists("", "gzip")
        );
        assert!(lists("\"a\", W/\"b\"", "\"b\"") && !lists("\"ab\"", "\"b\""));
    }
}
