//! Ctrl-C, a closed terminal or a polite kill leave no half-written file behind.
//!
//! While nothing is on disk the process just ends. While a file is being written, the writer asks [`check`] again and
//! again, and gives up. Once the last file has its name the work is done, and a signal ends the process as done.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// Nothing is being written: a signal ends the process at once.
static IDLE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// All is written: a signal ends the process at once, as one that has done what it should.
static DONE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(false)));

/// The signal that came while something was being written; 0 if none did.
static ASKED: LazyLock<Arc<AtomicUsize>> = LazyLock::new(|| Arc::new(AtomicUsize::new(0)));

/// What a shell adds to the number of the signal that ended a program.
pub(crate) const SIGNALLED: i32 = 128;

/// A signal asked the program to end.
#[derive(Debug)]
pub(crate) struct Interrupted(i32);

impl Interrupted {
    /// The exit code that tells so.
    pub(crate) fn code(&self) -> u8 {
        u8::try_from(SIGNALLED + self.0).unwrap_or(u8::MAX)
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ended by signal {}", self.0)
    }
}

impl std::error::Error for Interrupted {}

/// Takes charge of Ctrl-C, of being terminated, and of the terminal going away.
pub(crate) fn install() -> Result<()> {
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // In this order: the first two look at what the third has not set yet.
        flag::register_conditional_shutdown(signal, SIGNALLED + signal, Arc::clone(&IDLE))
            .and_then(|_| flag::register_conditional_shutdown(signal, 0, Arc::clone(&DONE)))
            .and_then(|_| flag::register_usize(signal, Arc::clone(&ASKED), signal as usize))
            .context("cannot take charge of Ctrl-C")?;
    }
    survive_file_limit()
}

/// A file that grows beyond what the shell allows (`ulimit -f`) is an error of the write, not the end of the process.
pub(crate) fn survive_file_limit() -> Result<()> {
    #[cfg(unix)]
    flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))
        .context("cannot take charge of the limit of file sizes")?;
    Ok(())
}

/// Whether to go on writing. What is written must be dropped on an error, with its temporary file.
///
/// # Errors
/// [`Interrupted`].
pub(crate) fn check() -> Result<(), Interrupted> {
    match ASKED.load(Ordering::SeqCst) {
        0 => Ok(()),
        signal => Err(Interrupted(signal as i32)),
    }
}

/// Writes a file that must be whole or not there, one of several. A signal takes effect before it or after it.
pub(crate) fn whole<T>(write: impl FnOnce() -> Result<T>) -> Result<T> {
    IDLE.store(false, Ordering::SeqCst);
    let result = write();
    IDLE.store(true, Ordering::SeqCst);
    check()?;
    result
}

/// Writes the one file that is all there is to do. When it has its name it is too late for a signal.
pub(crate) fn last<T>(write: impl FnOnce() -> Result<T>) -> Result<T> {
    IDLE.store(false, Ordering::SeqCst);
    let result = write();
    DONE.store(result.is_ok(), Ordering::SeqCst);
    if result.is_err() {
        IDLE.store(true, Ordering::SeqCst);
        check()?;
    }
    result
}
