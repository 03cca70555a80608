//! Which edges listen, for operators and for `/readyz`.

use serde::Serialize;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The edges of a gateway, by the setting that says where each listens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edges(Arc<Mutex<BTreeMap<&'static str, Edge>>>);

/// One of them.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Edge {
    /// Where, with the port that the system chose.
    pub(crate) address: SocketAddr,
    /// `false`: it has stopped, which only a shutdown should bring about.
    pub(crate) listening: bool,
}

/// Held by an edge while it serves.
#[derive(Debug)]
pub(crate) struct Listening {
    edges: Edges,
    setting: &'static str,
}

impl Edges {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Edge>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An edge listens.
    pub(crate) fn listening(&self, setting: &'static str, address: SocketAddr) -> Listening {
        self.lock().insert(setting, Edge { address, listening: true });
        Listening { edges: self.clone(), setting }
    }

    /// Where an edge listens, or did.
    pub(crate) fn address(&self, setting: &str) -> Option<SocketAddr> {
        self.lock().get(setting).map(|edge| edge.address)
    }

    /// All of them.
    pub(crate) fn all(&self) -> BTreeMap<&'static str, Edge> {
        self.lock().clone()
    }
}

impl Listening {
    /// Serves until the edge's work ends, in whatever way.
    pub(crate) async fn while_serving(self, work: impl Future<Output = ()>) {
        work.await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(edge) = self.edges.lock().get_mut(self.setting) {
            edge.listening = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_edge_that_panics_or_ends_listens_no_more() {
        let edges = Edges::default();
        let at = "127.0.0.1:1".parse().unwrap();
        let listening = edges.listening("udp.listen", at);
        assert!(edges.all()["udp.listen"].listening);
        let died = tokio::spawn(listening.while_serving(async { panic!("a fault of the edge") })).await;
        assert!(died.is_err() && !edges.all()["udp.listen"].listening);
        edges.listening("udp.listen", at).while_serving(async {}).await;
        assert!(!edges.all()["udp.listen"].listening);
    }
}
