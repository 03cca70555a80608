//! Against pages of others: a browser sends a password along with whatever page asks, so that what changes something is
//! done for our own pages alone, and for programs, which are no browsers.

use super::answer;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use url::Url;

/// Lets a request pass that changes nothing, or that no other page asks for.
pub(super) async fn same_site(request: Request, next: Next) -> Response {
    let harmless = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    let host = request.uri().authority().map(|authority| authority.as_str().to_owned());
    if harmless || is_ours(request.headers(), host.as_deref()) {
        return next.run(request).await;
    }
    answer::error(
        StatusCode::FORBIDDEN,
        "a page of another site asks for this, which only this gateway's own pages may",
    )
}

fn is_ours(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text("sec-fetch-site").is_some_and(|site| !["same-origin", "none"].contains(&site)) {
        return false;
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else { return true };
    let host = authority.or_else(|| text(header::HOST.as_str()));
    // Behind a proxy that speaks TLS the scheme is another one, and the name is what it is.
    let (Ok(origin), Some(host)) = (Url::parse(origin), host) else { return false };
    let Ok(here) = Url::parse(&format!("{}://{host}", origin.scheme())) else { return false };
    ["http", "https"].contains(&origin.scheme())
        && origin.host_str() == here.host_str()
        && origin.port_or_known_default() == here.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(host: &str, origin: Option<&str>, site: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        is_ours(&headers, None)
    }

    #[test]
    fn only_our_own_pages_and_programs_may_change_anything() {
        assert!(judge("127.0.0.1:8080", None, None), "curl");
        assert!(judge("127.0.0.1:8080", Some("http://127.0.0.1:8080"), Some("same-origin")));
        assert!(judge("gate.example", Some("https://gate.example"), None), "behind a proxy");
        assert!(judge("localhost:80", Some("http://LOCALHOST"), Some("none")));
        for (host, origin, site) in [
            ("127.0.0.1:8080", Some("http://evil.example"), None),
            ("127.0.0.1:8080", Some("http://127.0.0.1:8000"), None),
            ("127.0.0.1:8080", Some("null"), None),
            ("127.0.0.1:8080", Some("é"), None),
            ("127.0.0.1:8080", None, Some("cross-site")),
            ("a.example", None, Some("same-site")),
            ("a.example", Some("https://a.example.evil"), None),
            ("a.example", Some("file:///a.example"), None),
        ] {
            assert!(!judge(host, origin, site), "{host} {origin:?} {site:?}");
        }
    }
}
