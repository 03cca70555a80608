//! What history answers.

use super::store::{FIRED, Store, sample_of};
use super::tiers::{Range, TIERS};
use super::trouble::Trouble;
use super::{Fired, Silence, schema};
use crate::monitor::Sample;
use rusqlite::{OptionalExtension, Row, params};

/// A page of ended sessions.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) limit: u32,
    pub(crate) before: Option<u64>,
    pub(crate) tenant: Option<String>,
    pub(crate) device: Option<String>,
}

/// An ended session, as it was kept: JSON.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// Its place in the order: nearly the millisecond it ended in.
    pub(crate) ended: u64,
    pub(crate) view: String,
    pub(crate) events: String,
}

impl Store {
    /// The points of a range that ends with the one of `now`; `None`: a gap.
    pub(crate) fn range(&self, range: &Range, now: u64) -> Result<Vec<Option<Sample>>, Trouble> {
        let first = range.first(now);
        let mut points = vec![None::<Sample>; range.points()];
        let names: Vec<_> = schema::columns().collect();
        let select = format!("SELECT {}, at FROM samples WHERE tier = ?1 AND at >= ?2 AND at <= ?3", names.join(", "));
        let mut select = self.db.prepare_cached(&select)?;
        let mut rows = select.query(params![TIERS[range.tier].step, first, now])?;
        while let Some(row) = rows.next()? {
            let at: u64 = row.get(names.len())?;
            let Some(point) = range.point(first, at) else { continue };
            let sample = sample_of(row)?;
            match &mut points[point] {
                Some(there) => there.merge(&sample),
                empty => *empty = Some(sample),
            }
        }
        Ok(points)
    }

    /// A page of ended sessions, the last to end first.
    pub(crate) fn sessions(&self, page: &Page) -> Result<Vec<Kept>, Trouble> {
        let Page { limit, before, tenant, device } = page;
        let select = "SELECT ended, view, events FROM sessions WHERE ended < ?1 AND (?2 IS NULL OR tenant = ?2) \
                      AND (?3 IS NULL OR device = ?3) ORDER BY ended DESC LIMIT ?4";
        let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
        let mut select = self.db.prepare_cached(select)?;
        let rows = select.query_map(params![before, tenant, device, limit], kept)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// An ended session.
    pub(crate) fn session(&self, id: &str) -> Result<Option<Kept>, Trouble> {
        let select = "SELECT ended, view, events FROM sessions WHERE id = ?1 ORDER BY ended DESC LIMIT 1";
        Ok(self.db.prepare_cached(select)?.query_row([id], kept).optional()?)
    }

    /// What of alerts outlives a restart.
    pub(super) fn alerts(&self) -> Result<(Vec<Silence>, Vec<Fired>), Trouble> {
        let mut select = self.db.prepare("SELECT id, until, why FROM silences")?;
        let silence = |row: &Row<'_>| Ok(Silence { id: row.get(0)?, until: row.get(1)?, why: row.get(2)? });
        let silences = select.query_map([], silence)?.collect::<Result<_, _>>()?;
        let mut select = self.db.prepare("SELECT view FROM fired ORDER BY number DESC LIMIT ?1")?;
        let fired = select.query_map([FIRED], |row| Ok(Fired(row.get(0)?)))?.collect::<Result<_, _>>()?;
        Ok((silences, fired))
    }
}

fn kept(row: &Row<'_>) -> Result<Kept, rusqlite::Error> {
    Ok(Kept { ended: row.get(0)?, view: row.get(1)?, events: row.get(2)? })
}
