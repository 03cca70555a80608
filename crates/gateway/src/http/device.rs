//! `/device/`: the device for a browser, where its built page lies, and what that page must know of this gateway.

use super::{Site, answer};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::path::Component;

/// No file of the page is larger.
const LARGEST: u64 = 8 << 20;

/// The page is a program: it compiles the module, and connects to whatever gateway it is told.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self' ws: wss: https:; worker-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// Kinds of files that the page is made of.
const TYPES: &[(&str, &str)] = &[
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("json", "application/json"),
    ("wav", "audio/wav"),
];

/// Relative addresses in the page need the stroke at the end.
pub(super) async fn there() -> Redirect {
    Redirect::permanent("/device/")
}

pub(super) async fn index(site: State<Site>) -> Response {
    file(site, Path("index.html".into())).await
}

/// A file of the page.
pub(super) async fn file(State(site): State<Site>, Path(path): Path<String>) -> Response {
    let Some(folder) = site.shared.config().http.device_page.clone() else {
        let remedy = "there is no page here: build it (cargo xtask web), and let http.device_page name its folder";
        return answer::error(StatusCode::NOT_FOUND, remedy);
    };
    let name = std::path::Path::new(&path);
    if !name.components().all(|part| matches!(part, Component::Normal(_))) {
        return answer::error(StatusCode::NOT_FOUND, "there is no such file");
    }
    let full = folder.join(name);
    let kind = name.extension().and_then(|extension| extension.to_str());
    let kind = TYPES.iter().find(|(extension, _)| Some(*extension) == kind).map(|(_, kind)| *kind);
    let read = tokio::task::spawn_blocking(move || {
        if std::fs::metadata(&full)?.len() > LARGEST {
            return Err(ErrorKind::FileTooLarge.into());
        }
        std::fs::read(&full)
    });
    match read.await {
        Ok(Ok(bytes)) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static(kind.unwrap_or("application/octet-stream"))),
                (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            ];
            (headers, bytes).into_response()
        }
        _ => answer::error(StatusCode::NOT_FOUND, "there is no such file"),
    }
}

/// Where the page finds this gateway: ports, of the host that the page came from.
pub(super) async fn gateway(State(site): State<Site>) -> Json<Value> {
    let shared = &site.shared;
    let transport = shared.web_transport().map(|info| json!({ "port": info.address.port(), "sha256": info.sha256 }));
    let port = |address: Option<std::net::SocketAddr>| address.map(|address| address.port());
    Json(json!({
        "web": port(shared.edges.address("web.listen")),
        "webTls": port(shared.edges.address("web.tls_listen")),
        "webTransport": transport,
        "coreSha256": shared.component.core_sha256,
    }))
}
