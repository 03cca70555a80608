//! What happens, as it happens: server-sent events.

use super::{Site, stopped};
use crate::calls::CallEvent;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// How often a comment shows that the stream stands.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Events from now on, each a JSON object, named as [`CallEvent::name`] has it; `lagged` where a slow reader missed some.
pub(super) async fn events(State(site): State<Site>) -> Response {
    stream(site.shared.calls.events(), site.stop.clone())
}

fn stream(events: Receiver<CallEvent>, stop: watch::Receiver<bool>) -> Response {
    let state = Feed { events, stop, begun: false };
    let stream = unfold(state, |mut feed| async move {
        let event = feed.next().await?;
        Some((Ok::<_, Infallible>(event), feed))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("still here")).into_response()
}

struct Feed {
    events: Receiver<CallEvent>,
    stop: watch::Receiver<bool>,
    begun: bool,
}

impl Feed {
    /// The next event; `None` when the gateway stops.
    async fn next(&mut self) -> Option<Event> {
        if !self.begun {
            self.begun = true;
            // So that a reader knows from when on it misses nothing.
            return Some(Event::default().comment("from here on"));
        }
        // What has happened is told before the end is.
        let received = tokio::select! {
            biased;
            received = self.events.recv() => received,
            () = stopped(&mut self.stop) => return None,
        };
        match received {
            Ok(event) => Some(written(&event)),
            Err(RecvError::Lagged(missed)) => {
                Some(Event::default().event("lagged").data(json!({ "missed": missed }).to_string()))
            }
            Err(RecvError::Closed) => None,
        }
    }
}

fn written(event: &CallEvent) -> Event {
    match serde_json::to_string(event) {
        Ok(text) => Event::default().event(event.name()).data(text),
        Err(error) => Event::default().comment(format!("an event cannot be written: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::Calls;
    use axum::body::to_bytes;

    #[tokio::test]
    async fn a_slow_reader_is_told_how_much_it_missed() {
        let calls = Calls::default();
        let (stop, stopping) = watch::channel(false);
        let response = stream(calls.events(), stopping);
        for worker in 0..300 {
            let what = "something".into();
            calls.tell(&CallEvent::Pool { at: 0, what, session: None, call: None, worker: Some(worker) });
        }
        stop.send_replace(true);
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.starts_with(": from here on\n\nevent: lagged\ndata: {\"missed\":44}\n\n"), "{text}");
        assert_eq!(text.matches("event: pool\n").count(), 256, "as many as are kept");
        assert!(text.ends_with("\"worker\":299}\n\n"), "{text}");
    }
}
