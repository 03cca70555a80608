//! Ctrl-C leaves no half-written file behind.
//!
//! While nothing is on disk the process just ends. While a file is being written (briefly: everything is coded before),
//! it ends after that.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

/// Nothing is being written: a signal ends the process at once.
static IDLE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// A signal came while something was being written.
static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

/// What a shell expects of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 128 + SIGINT;

/// Takes charge of Ctrl-C and of being terminated.
pub(crate) fn install() -> Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first looks at what the second has not set yet.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&IDLE))
            .and_then(|_| flag::register(signal, Arc::clone(&ASKED)))
            .context("cannot take charge of Ctrl-C")?;
    }
    Ok(())
}

/// Writes something that must be whole or not there.
pub(crate) fn whole<T>(write: impl FnOnce() -> T) -> T {
    IDLE.store(false, Ordering::SeqCst);
    let result = write();
    IDLE.store(true, Ordering::SeqCst);
    if ASKED.load(Ordering::SeqCst) {
        std::process::exit(INTERRUPTED);
    }
    result
}
