//! The database: opened, written to, kept within its bounds. One connection, which nobody else may share.
//!
//! WAL with `synchronous = NORMAL`: a file that loses power in the middle of anything is whole, and lacks what the system
//! had not written yet. Locked exclusively: two gateways on one file are told apart, and a lock ends with its process.

use super::encoding;
use super::schema;
use super::tiers::{TIERS, Tier};
use super::trouble::Trouble;
use super::{Bounds, Ended, Fired, Place, Silence, file};
use crate::monitor::{COUNT_COUNT, GAUGE_COUNT, Sample, Stage};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, params, params_from_iter};
use std::time::Duration;

/// Bytes a page.
const PAGE: u64 = 4096;

/// Pages of the log after which it is written into the file.
const LOG_PAGES: u32 = 64;

/// What the log may add to the file.
const LOG: u64 = LOG_PAGES as u64 * PAGE;

/// Ended sessions that are kept.
const SESSIONS: u32 = 20_000;

/// Alerts that fired or ceased to, of which is told.
pub(crate) const FIRED: u32 = 100;

/// Of what there is, a sixteenth is given up at a time when there is no more room.
const SHARE: u64 = 16;

pub(super) struct Store {
    pub(super) db: Connection,
    bounds: Bounds,
}

impl Store {
    /// Opens what is there, or begins anew. A check of the whole file takes a tenth of a second for 64 MiB.
    pub(super) fn open(place: &Place, bounds: Bounds) -> Result<Self, Trouble> {
        let db = match place {
            Place::Memory => Connection::open_in_memory()?,
            Place::File(path) => {
                file::prepare(path)?;
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                Connection::open_with_flags(path, flags)?
            }
        };
        db.busy_timeout(Duration::ZERO)?;
        db.execute_batch(&format!("PRAGMA page_size = {PAGE}; PRAGMA locking_mode = EXCLUSIVE;"))?;
        // Before anything is written to it.
        schema::is_ours(&db)?;
        db.execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             PRAGMA wal_autocheckpoint = {LOG_PAGES};
             PRAGMA journal_size_limit = {LOG};
             PRAGMA temp_store = MEMORY;"
        ))?;
        let sound: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if sound != "ok" {
            // After a headline, where it has one.
            return Err(Trouble::Corrupt(sound.lines().last().unwrap_or_default().to_owned()));
        }
        schema::prepare(&db)?;
        let mut store = Self { db, bounds };
        store.set_bounds(bounds)?;
        Ok(store)
    }

    /// Takes other bounds on.
    pub(super) fn set_bounds(&mut self, bounds: Bounds) -> Result<(), Trouble> {
        self.bounds = bounds;
        self.make_room(0)?;
        let pages = self.most_pages();
        // A file that is larger than this already keeps its size, and what is freed in it is used again.
        let _: u64 = self.db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0))?;
        Ok(())
    }

    fn most_pages(&self) -> u64 {
        (self.bounds.most_bytes.saturating_sub(LOG) / PAGE).max(64)
    }

    /// Keeps samples (by the second they begin at) and ended sessions, all of them or none, and forgets what is too old.
    pub(super) fn keep(&mut self, now: u64, samples: &[(u64, Sample)], ended: &[Ended]) -> Result<(), Trouble> {
        self.make_room(SHARE)?;
        let age = self.bounds.max_age;
        self.write(|tx| {
            for (at, sample) in samples {
                for tier in &TIERS {
                    put_sample(tx, tier, *at, sample)?;
                }
            }
            ended.iter().try_for_each(|ended| put_session(tx, ended))?;
            forget(tx, now, age)
        })
    }

    /// Keeps the silences there are.
    pub(super) fn keep_silences(&mut self, silences: &[Silence]) -> Result<(), Trouble> {
        self.write(|tx| {
            tx.execute("DELETE FROM silences", [])?;
            let mut insert = tx.prepare_cached("INSERT INTO silences (id, until, why) VALUES (?1, ?2, ?3)")?;
            for silence in silences {
                insert.execute(params![silence.id, silence.until, silence.why])?;
            }
            Ok(())
        })
    }

    /// Keeps note of an alert that fired, or ceased to.
    pub(super) fn keep_fired(&mut self, fired: &Fired) -> Result<(), Trouble> {
        self.write(|tx| {
            tx.prepare_cached("INSERT INTO fired (view) VALUES (?1)")?.execute([&fired.0])?;
            let old = "DELETE FROM fired WHERE number <= (SELECT max(number) FROM fired) - ?1";
            tx.prepare_cached(old)?.execute([FIRED])?;
            Ok(())
        })
    }

    /// A transaction; once more where there was no room within our bound, after some was made.
    fn write(&mut self, work: impl Fn(&Transaction<'_>) -> Result<(), rusqlite::Error>) -> Result<(), Trouble> {
        let attempt = |db: &mut Connection| -> Result<(), Trouble> {
            let tx = db.transaction()?;
            work(&tx)?;
            Ok(tx.commit()?)
        };
        match attempt(&mut self.db) {
            Err(Trouble::Full) if self.pages()?.0 + 8 >= self.most_pages() => {
                self.give_up_oldest()?;
                attempt(&mut self.db)
            }
            outcome => outcome,
        }
    }

    /// Gives up the oldest until what is used is within the bound, less a `spare`th of it.
    fn make_room(&mut self, spare: u64) -> Result<(), Trouble> {
        let most = self.most_pages();
        let most = most - most.checked_div(spare).unwrap_or(0);
        for _ in 0..64 {
            let (pages, free) = self.pages()?;
            if pages.saturating_sub(free) <= most {
                break;
            }
            self.give_up_oldest()?;
        }
        Ok(())
    }

    fn give_up_oldest(&mut self) -> Result<(), Trouble> {
        let tx = self.db.transaction()?;
        for tier in &TIERS {
            let count: u64 =
                tx.query_row("SELECT count(*) FROM samples WHERE tier = ?1", [tier.step], |row| row.get(0))?;
            let oldest = "DELETE FROM samples WHERE tier = ?1 AND at <= \
                          (SELECT at FROM samples WHERE tier = ?1 ORDER BY at LIMIT 1 OFFSET ?2)";
            tx.execute(oldest, params![tier.step, count / SHARE])?;
        }
        let count: u64 = tx.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))?;
        let oldest =
            "DELETE FROM sessions WHERE ended <= (SELECT ended FROM sessions ORDER BY ended LIMIT 1 OFFSET ?1)";
        tx.execute(oldest, [count / SHARE])?;
        Ok(tx.commit()?)
    }

    /// Pages of the file, and those of them that are free.
    fn pages(&self) -> Result<(u64, u64), Trouble> {
        let number = |pragma: &str| self.db.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
        Ok((number("page_count")?, number("freelist_count")?))
    }

    /// Bytes of the file, and how many samples of the finest tier there are, since when.
    pub(super) fn size(&self) -> Result<Size, Trouble> {
        let (samples, oldest) = self
            .db
            .prepare_cached("SELECT count(*), min(at) FROM samples")?
            .query_row([], |row| Ok((row.get(0)?, row.get::<_, Option<u64>>(1)?)))?;
        Ok(Size { bytes: self.pages()?.0 * PAGE, samples, oldest })
    }

    /// Writes the log into the file: a file that is closed is one file.
    pub(super) fn close(self) {
        // What cannot be written now is still in the log.
        drop(self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"));
    }
}

/// Takes out what is too old, or from a future that a clock set right has taken back.
fn forget(tx: &Transaction<'_>, now: u64, age: Duration) -> Result<(), rusqlite::Error> {
    for tier in &TIERS {
        let mut delete = tx.prepare_cached("DELETE FROM samples WHERE tier = ?1 AND (at < ?2 OR at > ?3)")?;
        delete.execute(params![tier.step, tier.oldest(now, age), now + 86_400])?;
    }
    let oldest = now.saturating_sub(age.as_secs()) * 1000;
    tx.prepare_cached("DELETE FROM sessions WHERE ended < ?1")?.execute([oldest])?;
    let beyond =
        "DELETE FROM sessions WHERE ended <= (SELECT ended FROM sessions ORDER BY ended DESC LIMIT 1 OFFSET ?1)";
    tx.prepare_cached(beyond)?.execute([SESSIONS])?;
    Ok(())
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) bytes: u64,
    pub(super) samples: u64,
    /// In seconds of Unix time.
    pub(super) oldest: Option<u64>,
}

fn put_sample(tx: &Transaction<'_>, tier: &Tier, at: u64, sample: &Sample) -> Result<(), rusqlite::Error> {
    let slot = tier.slot(at);
    let names: Vec<_> = schema::columns().collect();
    let select = format!("SELECT {} FROM samples WHERE tier = ?1 AND at = ?2", names.join(", "));
    let there = tx.prepare_cached(&select)?.query_row(params![tier.step, slot], sample_of).optional()?;
    let whole = match there {
        Some(mut there) => {
            there.merge(sample);
            there
        }
        None => sample.clone(),
    };
    let numbers = [tier.step, slot].map(|number| Value::Integer(number as i64));
    let gauges = whole.gauges.iter().map(|gauge| gauge.map_or(Value::Null, compact));
    let counts = whole.counts.iter().map(|count| Value::Integer(i64::try_from(*count).unwrap_or(i64::MAX)));
    let latency = whole.latency.iter().map(|counts| Value::Blob(encoding::write(counts)));
    let values = numbers.into_iter().chain([compact(whole.seconds)]).chain(gauges).chain(counts).chain(latency);
    let marks = vec!["?"; names.len() + 2].join(", ");
    let insert = format!("INSERT OR REPLACE INTO samples (tier, at, {}) VALUES ({marks})", names.join(", "));
    tx.prepare_cached(&insert)?.execute(params_from_iter(values))?;
    Ok(())
}

/// A number in as few bytes as SQLite has for it.
fn compact(number: f64) -> Value {
    let whole = number as i64;
    if whole as f64 == number { Value::Integer(whole) } else { Value::Real(number) }
}

/// A sample from a row of all [`columns`](schema::columns).
pub(super) fn sample_of(row: &Row<'_>) -> Result<Sample, rusqlite::Error> {
    let mut sample = Sample { seconds: row.get(0)?, ..Sample::default() };
    for (at, gauge) in sample.gauges.iter_mut().enumerate() {
        *gauge = row.get(1 + at)?;
    }
    for (at, count) in sample.counts.iter_mut().enumerate() {
        // A column that a newer version added has no values before.
        *count = row.get::<_, Option<i64>>(1 + GAUGE_COUNT + at)?.map_or(0, |count| count.max(0) as u64);
    }
    for at in 0..Stage::ALL.len() {
        let column = 1 + GAUGE_COUNT + COUNT_COUNT + at;
        sample.latency[at] = match row.get_ref(column)? {
            ValueRef::Null => Default::default(),
            ValueRef::Blob(bytes) => encoding::read(bytes).ok_or_else(|| broken(column))?,
            _ => return Err(broken(column)),
        };
    }
    Ok(sample)
}

/// A value that no version wrote.
fn broken(column: usize) -> rusqlite::Error {
    let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    rusqlite::Error::SqliteFailure(corrupt, Some(format!("column {column} of a sample cannot be read")))
}

fn put_session(tx: &Transaction<'_>, ended: &Ended) -> Result<(), rusqlite::Error> {
    let insert =
        "INSERT OR IGNORE INTO sessions (ended, id, tenant, device, view, events) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = tx.prepare_cached(insert)?;
    // Sessions that end in the same millisecond follow each other in the next ones.
    for later in 0..100_000 {
        let Ended { ended, id, tenant, device, view, events } = ended;
        if insert.execute(params![ended + later, id, tenant, device, view, events])? > 0 {
            break;
        }
    }
    Ok(())
}
