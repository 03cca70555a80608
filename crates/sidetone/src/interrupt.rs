//! Ctrl-C, a closed terminal or a polite kill leave no half-written file behind.
//!
//! While nothing is on disk the process just ends. While a file is being written (briefly: everything is coded before),
//! it ends after that.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// Nothing is being written: a signal ends the process at once.
static IDLE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// The signal that came while something was being written; 0 if none did.
static ASKED: LazyLock<Arc<AtomicUsize>> = LazyLock::new(|| Arc::new(AtomicUsize::new(0)));

/// What a shell adds to the number of the signal that ended a program.
const SIGNALLED: i32 = 128;

/// Takes charge of Ctrl-C, of being terminated, and of the terminal going away.
pub(crate) fn install() -> Result<()> {
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // In this order: the first looks at what the second has not set yet.
        flag::register_conditional_shutdown(signal, SIGNALLED + signal, Arc::clone(&IDLE))
            .and_then(|_| flag::register_usize(signal, Arc::clone(&ASKED), signal as usize))
            .context("cannot take charge of Ctrl-C")?;
    }
    Ok(())
}

/// Writes something that must be whole or not there.
pub(crate) fn whole<T>(write: impl FnOnce() -> T) -> T {
    IDLE.store(false, Ordering::SeqCst);
    let result = write();
    IDLE.store(true, Ordering::SeqCst);
    match ASKED.load(Ordering::SeqCst) {
        0 => result,
        signal => std::process::exit(SIGNALLED + signal as i32),
    }
}
