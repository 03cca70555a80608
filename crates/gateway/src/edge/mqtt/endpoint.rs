//! The gateway as an MQTT endpoint: who knocks, and who is let in.

use super::endpoint_link::EndpointLink;
use crate::device;
use crate::link::Identity;
use crate::protect::Seldom;
use crate::registry::Entered;
use crate::shared::{Phase, Shared};
use sidetone_mqtt::{Crowd, Knock, Limits, Listener, Refusal, Stream, accept};
use sidetone_protocol::credential::SignatureKey;
use sidetone_protocol::topic::ClientId;
use std::sync::Arc;

/// Connections that have not said yet who they are. One more ends the oldest of the source that has most.
const STRANGERS: usize = 512;

static REFUSED: Seldom = Seldom::new();

/// Takes connections in, without an end.
pub(crate) async fn serve(shared: Arc<Shared>, mut listener: Listener) {
    let strangers = Crowd::new(STRANGERS);
    let mut tls = shared.tls.watch();
    loop {
        let stream = tokio::select! {
            stream = listener.accept() => stream,
            Ok(()) = tls.changed() => {
                if let Some(tls) = &*tls.borrow_and_update() {
                    listener.set_tls(tls.config.clone());
                }
                continue;
            }
        };
        let peer = stream.peer_addr();
        let mut stranger = strangers.enter(peer.map(|peer| peer.ip()));
        let shared = shared.clone();
        tokio::spawn(async move {
            let introduced = tokio::select! {
                introduced = introduce(&shared, stream) => introduced,
                () = stranger.pushed_out() => {
                    tracing::debug!(?peer, "a stranger made room for another one");
                    None
                }
            };
            let Some((identity, entered, link)) = introduced else {
                return shared.counters.totals.connections_refused.add(1);
            };
            drop(stranger);
            device::serve_entered(shared, identity, entered, link).await;
        });
    }
}

/// Serves one connection, whatever carries it, until it or the gateway ends.
pub(crate) async fn serve_stream(shared: Arc<Shared>, stream: Stream) {
    match introduce(&shared, stream).await {
        Some((identity, entered, link)) => device::serve_entered(shared, identity, entered, link).await,
        None => shared.counters.totals.connections_refused.add(1),
    }
}

/// Reads who a connection says it is, checks that, and gives it a place.
async fn introduce(shared: &Shared, stream: Stream) -> Option<(Identity, Entered, EndpointLink)> {
    let (peer, local) = (stream.peer_addr(), stream.local_addr());
    let knock = match accept(stream, &Limits::default()).await {
        Ok(knock) => knock,
        Err(error) => {
            tracing::debug!(?peer, %error, "no CONNECT");
            return None;
        }
    };
    let entered = check(shared, &knock).and_then(|device| {
        let ip = |address: Option<std::net::SocketAddr>| address.map(|address| address.ip());
        let identity = Identity { tenant: shared.tenant_of(&device), device, peer: ip(peer), local: ip(local) };
        let entered = shared.enter(&identity).map_err(|full| (Refusal::ServerUnavailable, full.to_string()))?;
        Ok((identity, entered))
    });
    match entered {
        Ok((identity, entered)) => {
            let connection = knock.welcome().await.ok()?;
            let config = shared.config();
            let (topic, dialect) = (config.mqtt.shared_topic.clone(), config.mqtt.dialect.into());
            let link = EndpointLink::new(connection, identity.device.clone(), topic, dialect);
            Some((identity, entered, link))
        }
        Err((refusal, why)) => {
            if let Some(times) = REFUSED.times() {
                tracing::info!(?peer, client = knock.client_id(), why, times, "a connection was refused");
            }
            knock.refuse(refusal).await;
            None
        }
    }
}

fn check(shared: &Shared, knock: &Knock) -> Result<ClientId, (Refusal, String)> {
    if *shared.phase.borrow() != Phase::Serving {
        return Err((Refusal::ServerUnavailable, "shutting down".into()));
    }
    let device: ClientId =
        knock.client_id().parse().map_err(|error| (Refusal::BadClientId, format!("client id: {error}")))?;
    if let Some(key) = &shared.signature_key {
        check_credentials(key, &device, knock).map_err(|why| (Refusal::BadCredentials, why))?;
    }
    Ok(device)
}

fn check_credentials(key: &SignatureKey, device: &ClientId, knock: &Knock) -> Result<(), String> {
    let username = knock.username().ok_or("no user name")?;
    let password = knock.password().and_then(|password| std::str::from_utf8(password).ok()).ok_or("no password")?;
    key.check(device.as_str(), username, password).map(drop).map_err(|error| error.to_string())
}
