//! Signals, as a wish: the first is obeyed when it can be, the second at once.

use crate::interrupt::{self, SIGNALLED};
use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether a signal asked this process to end.
#[derive(Clone)]
pub(crate) struct Wish(Arc<AtomicUsize>);

impl Wish {
    /// Takes charge of signals.
    pub(crate) fn new() -> Result<Self> {
        let (asked, which) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            // In this order: the first looks at what the second has not set yet.
            flag::register_conditional_shutdown(signal, SIGNALLED + signal, asked.clone())
                .and_then(|_| flag::register(signal, asked.clone()))
                .and_then(|_| flag::register_usize(signal, which.clone(), signal as usize))
                .context("cannot take charge of Ctrl-C")?;
        }
        interrupt::survive_file_limit()?;
        Ok(Self(which))
    }

    /// The exit code that tells of the signal that came.
    pub(crate) fn code(&self) -> Option<u8> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(u8::try_from(SIGNALLED as usize + signal).unwrap_or(u8::MAX)),
        }
    }

    pub(crate) fn is_there(&self) -> bool {
        self.code().is_some()
    }
}
