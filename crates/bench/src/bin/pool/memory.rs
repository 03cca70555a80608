//! Resident memory.

use crate::{FRAME, Input, open, pool};
use anyhow::Result;
use sidetone_bench::Report;
use sidetone_bench::machine::resident_kib;
use sidetone_host::{Pool, PoolSession};
use sidetone_session::Quality;

/// Resident memory a session, after it was used in both directions: in slots that are new, and in slots that other
/// sessions had before.
pub(crate) fn memory(report: &mut Report, input: &Input) -> Result<()> {
    let sizes = [
        (100, "rss_session_kib_100", "rss_session_reused_kib_100"),
        (1000, "rss_session_kib_1000", "rss_session_reused_kib_1000"),
        (5000, "rss_session_kib_5000", "rss_session_reused_kib_5000"),
    ];
    for (count, new, reused) in sizes {
        let pool = pool(count, Quality::Medium)?;
        let Some(before) = resident_kib() else { return Ok(()) };
        for figure in [new, reused] {
            let sessions = (0..pool.slots()).map(|_| used(&pool, input)).collect::<Result<Vec<_>>>()?;
            let after = resident_kib().unwrap_or(before);
            report.figure(figure, after.saturating_sub(before) as f64 / f64::from(pool.slots()));
            for session in sessions {
                session.close().wait()?;
            }
        }
    }
    Ok(())
}

/// A session that was used in both directions.
fn used(pool: &Pool, input: &Input) -> Result<PoolSession> {
    let session = open(pool, Quality::Medium)?;
    for datagram in &input.up[..3] {
        session.receive(datagram.clone()).wait()?;
    }
    session.send(input.down[..FRAME * 2].to_vec(), 0).wait()?;
    Ok(session)
}
