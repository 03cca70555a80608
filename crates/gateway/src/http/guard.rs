//! Who may ask: whoever has the token; without one, whoever is on this machine and means it.

use super::{Site, answer};
use crate::config::Secret;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use subtle::ConstantTimeEq;
use url::Host;

/// Lets a request pass, or answers it.
pub(super) async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    let config = site.shared.config();
    match &config.http.token {
        Some(token) if !has_token(request.headers(), token) => {
            let mut response = answer::error(
                StatusCode::UNAUTHORIZED,
                "this needs the token of http.token, as Authorization: Bearer TOKEN, or as a browser's password",
            );
            // Browsers ask for a password, which is then sent with event streams too.
            let challenge =
                HeaderValue::from_static(r#"Basic realm="Sidetone, password: http.token", charset="UTF-8""#);
            response.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
            response
        }
        None if !is_this_machine(&request) => answer::error(
            StatusCode::FORBIDDEN,
            "without http.token this answers only to names of this machine: use http://127.0.0.1 or http://localhost",
        ),
        _ => next.run(request).await,
    }
}

/// Whether a request may see details: on open paths, where it would be let in elsewhere.
pub(super) fn is_trusted(site: &Site, request: &Request) -> bool {
    match &site.shared.config().http.token {
        Some(token) => has_token(request.headers(), token),
        None => is_this_machine(request),
    }
}

fn has_token(headers: &HeaderMap, token: &Secret) -> bool {
    let Some((scheme, given)) =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '))
    else {
        return false;
    };
    let given = given.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return same(given.as_bytes(), token);
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return false;
    }
    let Ok(pair) = Base64::decode_vec(given) else { return false };
    // The user name does not matter.
    pair.iter().position(|&byte| byte == b':').is_some_and(|colon| same(&pair[colon + 1..], token))
}

/// In constant time, whatever the lengths.
fn same(given: &[u8], token: &Secret) -> bool {
    let (given, token) = (Sha256::digest(given), Sha256::digest(token.expose()));
    given.ct_eq(&token).into()
}

/// Whether the request is addressed to this machine by a name that only this machine has. A page whose name was rebound
/// to 127.0.0.1 sends its own name.
fn is_this_machine(request: &Request) -> bool {
    let authority = request.uri().authority().map(Authority::as_str);
    let named = authority.or_else(|| request.headers().get(header::HOST)?.to_str().ok());
    named.is_some_and(is_local_name)
}

fn is_local_name(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => authority,
    };
    match Host::parse(name) {
        Ok(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Ok(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Ok(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for name in ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:8080", "[::1]", "a.localhost"] {
            assert!(is_local_name(name), "{name}");
        }
        for name in
            ["", "evil.example", "127.0.0.1.evil.example", "10.0.0.1", "localhost.evil", "[::2]", "::1", "a@127.0.0.1"]
        {
            assert!(!is_local_name(name), "{name}");
        }
    }

    #[test]
    fn the_token_is_a_bearer_or_a_password() {
        let token = Secret::new("s3cret:x".into());
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            has_token(&headers, &token)
        };
        let basic = |pair: &str| with(&format!("Basic {}", Base64::encode_string(pair.as_bytes())));
        assert!(with("Bearer s3cret:x") && with("bearer  s3cret:x"));
        assert!(basic(":s3cret:x") && basic("anybody:s3cret:x"));
        assert!(!with("Bearer s3cret:") && !with("Bearer s3cret:xx") && !with("Bearer ") && !with("s3cret:x"));
        assert!(!basic("s3cret:x") && !with("Basic %%%") && !with("Digest s3cret:x"));
        assert!(!has_token(&HeaderMap::new(), &token));
    }
}
