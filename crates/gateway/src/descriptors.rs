//! How many connections the system lets this process have.

/// Descriptors that are no device's: sockets that listen, the runtime's own, the log, connections that have not said
/// yet who they are, and some to spare.
const RESERVED: u64 = 64;

/// Room for connections, after the limit was raised as far as it goes.
pub(crate) fn room() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files is not known; 1024 are assumed");
        1024
    });
    usize::try_from(limit.saturating_sub(RESERVED)).unwrap_or(usize::MAX).max(1)
}
