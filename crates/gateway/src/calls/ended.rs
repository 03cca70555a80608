//! Calls that ended lately: what is shown of them, and what history is given.

use super::journal::Journal;
use super::record::{CallView, Record, Traffic};
use crate::history;
use serde::Serialize;
use serde_json::Value;
use sidetone_protocol::session::EndCause;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How many are kept here.
const KEPT: usize = 256;

/// A call that ended, for the API.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndedView {
    #[serde(flatten)]
    call: CallView,
    state: &'static str,
    ended: u64,
    cause: &'static str,
    traffic: Option<Traffic>,
}

/// A call that ended.
#[derive(Clone, Debug)]
pub(crate) struct EndedCall {
    pub(crate) id: String,
    pub(crate) tenant: String,
    pub(crate) device: String,
    /// In ms of Unix time.
    pub(crate) ended: u64,
    view: EndedView,
    journal: Journal,
}

impl EndedCall {
    pub(super) fn new(call: CallView, record: &Record, traffic: Option<Traffic>, cause: EndCause, ended: u64) -> Self {
        Self {
            id: record.facts.id.clone(),
            tenant: record.facts.tenant.clone(),
            device: record.facts.device.clone(),
            ended,
            view: EndedView { call, state: "ended", ended, cause: cause.as_str(), traffic },
            journal: record.journal(),
        }
    }

    /// As the API has it, without events.
    pub(crate) fn view(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(&self.view)
    }

    /// Its events, as the API has them.
    pub(crate) fn events(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(&self.journal)
    }

    /// For history.
    pub(crate) fn kept(&self) -> Result<history::Ended, serde_json::Error> {
        Ok(history::Ended {
            ended: self.ended,
            id: self.id.clone(),
            tenant: self.tenant.clone(),
            device: self.device.clone(),
            view: serde_json::to_string(&self.view)?,
            events: serde_json::to_string(&self.journal)?,
        })
    }
}

/// The last calls that ended.
#[derive(Debug, Default)]
pub(crate) struct EndedCalls(Mutex<VecDeque<Arc<EndedCall>>>);

impl EndedCalls {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<EndedCall>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, call: EndedCall) {
        let mut calls = self.lock();
        calls.push_front(Arc::new(call));
        calls.truncate(KEPT);
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<EndedCall>> {
        self.lock().iter().find(|call| call.id == id).cloned()
    }

    /// The last to end first.
    pub(crate) fn all(&self) -> Vec<Arc<EndedCall>> {
        self.lock().iter().cloned().collect()
    }
}
