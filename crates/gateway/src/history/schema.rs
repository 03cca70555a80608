//! The tables of the file, and their growth: a version that has more series adds columns, one that has fewer leaves them.

use super::trouble::Trouble;
use crate::monitor::{COUNTS, GAUGES, Stage};
use rusqlite::Connection;
use std::fmt::Write as _;

/// Tells our files from others' ("Side").
const APPLICATION: i32 = 0x5369_6465;

/// What reads and writes this layout.
const VERSION: i32 = 1;

/// Names of the columns of samples, after tier and at.
pub(super) fn columns() -> impl Iterator<Item = &'static str> {
    let gauges = GAUGES.iter().map(|gauge| gauge.name);
    let counts = COUNTS.iter().map(|count| count.name);
    ["seconds"].into_iter().chain(gauges).chain(counts).chain(Stage::ALL.map(Stage::name))
}

/// Whether a file is ours, or has nothing in it yet.
pub(super) fn is_ours(db: &Connection) -> Result<(), Trouble> {
    let number = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let tables: u32 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let (application, version) = (number("application_id")?, number("user_version")?);
    if tables > 0 && application != APPLICATION {
        return Err(Trouble::Foreign("it is the database of another program".into()));
    }
    if version > VERSION {
        return Err(Trouble::Foreign(format!("a newer version of this program wrote it (layout {version})")));
    }
    Ok(())
}

/// Makes sure that a file of ours has all tables.
pub(super) fn prepare(db: &Connection) -> Result<(), Trouble> {
    let mut sql = String::from(
        "BEGIN IMMEDIATE;\nCREATE TABLE IF NOT EXISTS samples (tier INTEGER NOT NULL, at INTEGER NOT NULL",
    );
    for column in columns() {
        // Writing to a String cannot fail.
        let _ = write!(sql, ", {column}");
    }
    let _ = write!(
        sql,
        ", PRIMARY KEY (tier, at)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS sessions (ended INTEGER PRIMARY KEY, id TEXT NOT NULL, tenant TEXT NOT NULL,
            device TEXT NOT NULL, view TEXT NOT NULL, events TEXT NOT NULL);
        CREATE INDEX IF NOT EXISTS sessions_id ON sessions (id);
        CREATE TABLE IF NOT EXISTS silences (id TEXT PRIMARY KEY, until INTEGER NOT NULL, why TEXT);
        CREATE TABLE IF NOT EXISTS fired (number INTEGER PRIMARY KEY, view TEXT NOT NULL);
        PRAGMA application_id = {APPLICATION};
        PRAGMA user_version = {VERSION};
        COMMIT;"
    );
    db.execute_batch(&sql)?;
    let mut known = db.prepare("SELECT name FROM pragma_table_info('samples')")?;
    let known: Vec<String> = known.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for column in columns().filter(|column| !known.iter().any(|known| known == column)) {
        db.execute_batch(&format!("ALTER TABLE samples ADD COLUMN {column}"))?;
    }
    Ok(())
}
