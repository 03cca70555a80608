//! What the device page must know of this gateway.

use super::Site;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

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
