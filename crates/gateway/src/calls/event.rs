//! What happens, for `/api/events`.

use super::record::{CallView, Traffic};
use crate::alerts::AlertView;
use serde::Serialize;

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub(crate) enum CallEvent {
    /// A call began.
    Opened { at: u64, call: Box<CallView> },
    /// A call ended.
    Closed {
        at: u64,
        id: String,
        device: String,
        tenant: String,
        cause: &'static str,
        seconds: f64,
        traffic: Option<Traffic>,
    },
    /// The pool told something: a restart, a step of the quality ladder.
    Pool { at: u64, what: String, session: Option<u64>, call: Option<String>, worker: Option<usize> },
    /// An alert began or ceased to pend or fire, or its silence changed.
    Alert { at: u64, alert: AlertView },
}

impl CallEvent {
    /// Its name in the stream.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Closed { .. } => "closed",
            Self::Pool { .. } => "pool",
            Self::Alert { .. } => "alert",
        }
    }
}
