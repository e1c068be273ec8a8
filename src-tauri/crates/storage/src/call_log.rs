//! The call log on disk.
//!
//! Every event a witness reported is kept ([`CallEvent`], append-only); a call's row is their
//! [`fold`] and can be made again from them at any time. An event finds its call by its `CallId`, its
//! CallSid or its parent's; an event that joins two calls merges them.
//!
//! A recorded event survives the end of the process however it comes, and a power cut too: SQLite
//! in WAL mode with `synchronous=FULL` has it on the disk before [`CallStore::record`] returns.

mod error;
mod migrate;
mod open;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dialer_domain::call::{CallEvent, CallId};
use dialer_domain::call_log::{CallLogEntry, CallLogPage, Cursor, distinct, fold};
use dialer_domain::ports::{CallStore, CallStoreError, Recorded};
use dialer_domain::sid::CallSid;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

pub use error::{CallLogError, Cause, set_aside_notice};
pub use open::Opened;

/// Rows of a page at most.
const LONGEST_PAGE: u32 = 200;

/// The call log in an SQLite file. One process at a time holds it, from [`SqliteCallLog::open`] to
/// the drop.
#[derive(Debug)]
pub struct SqliteCallLog {
    connection: Mutex<Connection>,
    path: PathBuf,
    /// Released after the connection is closed.
    _lock: File,
}

/// A call's place in the table `calls`; the smaller is the older.
type Age = i64;

impl SqliteCallLog {
    /// A panic while the lock was held has rolled its transaction back, so the connection is good.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Fault>) -> Result<T, CallStoreError> {
        work(&mut self.connection()).map_err(|fault| {
            let error = match fault {
                Fault::Sqlite(error) => CallLogError::of_sqlite(&self.path, error),
                Fault::Unreadable(source) => CallLogError::Unreadable { path: self.path.clone(), source },
            };
            error.into()
        })
    }
}

/// Why one operation failed.
enum Fault {
    Sqlite(rusqlite::Error),
    /// A row holds what this program did not write.
    Unreadable(Cause),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others are no matter of one value")]
        match error {
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => Self::Unreadable(error.into()),
            error => Self::Sqlite(error),
        }
    }
}

impl SqliteCallLog {
    /// As [`CallStore::record`] for many events, all of them or none: one wait for the disk in place of many.
    pub fn record_all(
        &self,
        events: &[(Option<CallId>, CallEvent)],
    ) -> Result<Vec<Option<Recorded>>, CallStoreError> {
        self.run(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let recorded = events
                .iter()
                .map(|(call, event)| record(&transaction, *call, event))
                .collect::<Result<Vec<_>, Fault>>()?;
            transaction.commit()?;
            Ok(recorded)
        })
    }
}

impl CallStore for SqliteCallLog {
    fn record(&self, call: Option<CallId>, event: CallEvent) -> Result<Option<Recorded>, CallStoreError> {
        self.run(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let recorded = record(&transaction, call, &event)?;
            transaction.commit()?;
            Ok(recorded)
        })
    }

    fn list(&self, before: Option<Cursor>, limit: u32) -> Result<CallLogPage, CallStoreError> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        // Later than any call, for the first page.
        let (started_at_ms, id) =
            before.map_or((i64::MAX, "~".to_owned()), |cursor| (cursor.started_at_ms, cursor.id.to_string()));
        self.run(|connection| {
            // Without a limit, so that rows which cannot be read do not shorten the page.
            let mut statement = connection.prepare_cached(
                "SELECT age, id, entry, started_at_ms FROM calls WHERE (started_at_ms, id) < (?1, ?2)
                 ORDER BY started_at_ms DESC, id DESC",
            )?;
            let mut rows = statement.query(params![started_at_ms, id])?;
            let length = usize::try_from(limit).unwrap_or(usize::MAX);
            let mut entries = Vec::new();
            let (mut last, mut next) = (None, None);
            let mut unreadable = 0_u64;
            while let Some(row) = rows.next()? {
                match listed_row(connection, row) {
                    // One row beyond the page says that there is another page.
                    Ok(_) if entries.len() == length => {
                        next = last;
                        break;
                    }
                    Ok((place, entry)) => {
                        last = Some(place);
                        entries.push(entry);
                    }
                    Err(Fault::Unreadable(_)) => unreadable += 1,
                    Err(error @ Fault::Sqlite(_)) => return Err(error),
                }
            }
            if unreadable > 0 {
                tracing::warn!(
                    count = unreadable,
                    "calls in the log cannot be read; the list leaves them out"
                );
            }
            Ok(CallLogPage { entries, next })
        })
    }

    fn get(&self, call: CallId) -> Result<Option<CallLogEntry>, CallStoreError> {
        self.run(|connection| {
            let row: Option<(Age, String, String)> = connection
                .prepare_cached(
                    "SELECT age, calls.id, entry FROM call_names JOIN calls ON age = call WHERE call_names.id = ?1",
                )?
                .query_row([call.to_string()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            row.map(|(age, id, entry)| read_row(connection, age, &id, &entry)).transpose()
        })
    }

    fn of_leg(&self, leg: &CallSid) -> Result<Option<CallLogEntry>, CallStoreError> {
        self.run(|connection| {
            let row: Option<(Age, String, String)> = connection
                .prepare_cached(
                    "SELECT age, id, entry FROM legs JOIN calls ON age = call WHERE call_sid = ?1",
                )?
                .query_row([leg.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            row.map(|(age, id, entry)| read_row(connection, age, &id, &entry)).transpose()
        })
    }
}

fn record(
    transaction: &Transaction<'_>,
    call: Option<CallId>,
    event: &CallEvent,
) -> Result<Option<Recorded>, Fault> {
    let sids = sids(event);
    let mut calls = calls_of(transaction, call, &sids)?.into_iter();
    let kept = calls.next();
    let removed: Vec<(Age, CallId)> = calls.collect();

    let mut events = match kept {
        Some((age, _)) => events_of(transaction, age)?,
        None => Vec::new(),
    };
    for (age, _) in &removed {
        events.extend(events_of(transaction, *age)?);
    }
    let known = distinct(&events);
    events.push(event.clone());
    let is_new = distinct(&events) != known;
    if let (Some((age, _)), false, true) = (kept, is_new, removed.is_empty()) {
        remember_names(transaction, age, call, &sids)?;
        return Ok(None);
    }

    let id = kept.map(|(_, id)| id).or(call).unwrap_or_else(|| CallId(uuid::Uuid::new_v4()));
    let Some(entry) = fold(id, &events) else {
        return Err(Fault::Unreadable("a call without events".into()));
    };
    let age = write_row(transaction, kept.map(|(age, _)| age), &entry)?;
    for (removed, _) in &removed {
        move_call(transaction, *removed, age)?;
    }
    remember_names(transaction, age, Some(id), &sids)?;
    remember_names(transaction, age, call, &[])?;
    if is_new {
        let json = serde_json::to_string(event).map_err(|error| Fault::Unreadable(error.into()))?;
        transaction
            .prepare_cached("INSERT INTO call_events (call, event) VALUES (?1, ?2)")?
            .execute(params![age, json])?;
    }
    Ok(Some(Recorded { entry, removed: removed.into_iter().map(|(_, id)| id).collect() }))
}

/// Every CallSid the event says to be of its call.
fn sids(event: &CallEvent) -> Vec<&CallSid> {
    match event {
        CallEvent::Routed { call_sid, .. }
        | CallEvent::Waiting { call_sid, .. }
        | CallEvent::LeftQueue { call_sid, .. }
        | CallEvent::Recording { call_sid, .. }
        | CallEvent::Transcribed { call_sid, .. }
        | CallEvent::Conference { call_sid, .. } => vec![call_sid],
        CallEvent::Dialled { call_sid, dialled_sid, .. } => {
            std::iter::once(call_sid).chain(dialled_sid).collect()
        }
        CallEvent::Dequeued { call_sid, agent_sid, .. } => vec![call_sid, agent_sid],
        CallEvent::LegStatus { call_sid, parent_call_sid, .. } => {
            std::iter::once(call_sid).chain(parent_call_sid).collect()
        }
        CallEvent::Sdk { call_sid, parent_call_sid, .. } => call_sid.iter().chain(parent_call_sid).collect(),
    }
}

/// The calls known under these names, the oldest first.
fn calls_of(
    transaction: &Transaction<'_>,
    call: Option<CallId>,
    sids: &[&CallSid],
) -> Result<BTreeMap<Age, CallId>, Fault> {
    let mut calls = BTreeMap::new();
    let mut add = |sql: &str, name: String| -> Result<(), Fault> {
        let found: Option<(Age, String)> = transaction
            .prepare_cached(sql)?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((age, id)) = found {
            calls.insert(age, read_id(&id)?);
        }
        Ok(())
    };
    if let Some(call) = call {
        add(
            "SELECT age, calls.id FROM call_names JOIN calls ON age = call WHERE call_names.id = ?1",
            call.to_string(),
        )?;
    }
    for sid in sids {
        add("SELECT age, id FROM legs JOIN calls ON age = call WHERE call_sid = ?1", sid.to_string())?;
    }
    Ok(calls)
}

/// What was reported about a call, without what cannot be read: one lost report is no reason to
/// lose those to come.
fn events_of(connection: &Connection, age: Age) -> Result<Vec<CallEvent>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT event FROM call_events WHERE call = ?1 ORDER BY seq")?;
    let mut rows = statement.query([age])?;
    let mut events = Vec::new();
    let mut unreadable = 0_u64;
    while let Some(row) = rows.next()? {
        match read_event(row) {
            Ok(event) => events.push(event),
            Err(Fault::Unreadable(_)) => unreadable += 1,
            Err(error @ Fault::Sqlite(_)) => return Err(error),
        }
    }
    if unreadable > 0 {
        tracing::warn!(count = unreadable, "events of a call cannot be read; its row is made without them");
    }
    Ok(events)
}

fn read_event(row: &Row<'_>) -> Result<CallEvent, Fault> {
    serde_json::from_str(&row.get::<_, String>(0)?).map_err(|error| Fault::Unreadable(error.into()))
}

fn write_row(transaction: &Transaction<'_>, age: Option<Age>, entry: &CallLogEntry) -> Result<Age, Fault> {
    let json = serde_json::to_string(entry).map_err(|error| Fault::Unreadable(error.into()))?;
    match age {
        Some(age) => {
            transaction
                .prepare_cached("UPDATE calls SET started_at_ms = ?2, entry = ?3 WHERE age = ?1")?
                .execute(params![age, entry.started_at_ms, json])?;
            Ok(age)
        }
        None => {
            transaction
                .prepare_cached("INSERT INTO calls (id, started_at_ms, entry) VALUES (?1, ?2, ?3)")?
                .execute(params![entry.id.to_string(), entry.started_at_ms, json])?;
            Ok(transaction.last_insert_rowid())
        }
    }
}

/// Makes the call `from` part of the call `into`.
fn move_call(transaction: &Transaction<'_>, from: Age, into: Age) -> Result<(), Fault> {
    for sql in [
        // What both were told stays with one.
        "UPDATE OR IGNORE call_events SET call = ?2 WHERE call = ?1",
        "UPDATE legs SET call = ?2 WHERE call = ?1",
        "UPDATE call_names SET call = ?2 WHERE call = ?1",
    ] {
        transaction.prepare_cached(sql)?.execute([from, into])?;
    }
    transaction.prepare_cached("DELETE FROM call_events WHERE call = ?1")?.execute([from])?;
    transaction.prepare_cached("DELETE FROM calls WHERE age = ?1")?.execute([from])?;
    Ok(())
}

fn remember_names(
    transaction: &Transaction<'_>,
    age: Age,
    call: Option<CallId>,
    sids: &[&CallSid],
) -> Result<(), Fault> {
    if let Some(call) = call {
        transaction
            .prepare_cached("INSERT INTO call_names (id, call) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![call.to_string(), age])?;
    }
    for sid in sids {
        transaction
            .prepare_cached("INSERT INTO legs (call_sid, call) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![sid.as_str(), age])?;
    }
    Ok(())
}

/// Reads a row of [`CallStore::list`] and its place in the order.
fn listed_row(connection: &Connection, row: &Row<'_>) -> Result<(Cursor, CallLogEntry), Fault> {
    let id: String = row.get(1)?;
    // The column, not the entry, is what the order goes by, and a row folded anew may differ.
    let place = Cursor { started_at_ms: row.get(3)?, id: read_id(&id)? };
    Ok((place, read_row(connection, row.get(0)?, &id, &row.get::<_, String>(2)?)?))
}

/// Reads a stored row. One that another version wrote in another shape is folded anew.
fn read_row(connection: &Connection, age: Age, id: &str, entry: &str) -> Result<CallLogEntry, Fault> {
    if let Ok(entry) = serde_json::from_str(entry) {
        return Ok(entry);
    }
    fold(read_id(id)?, &events_of(connection, age)?)
        .ok_or_else(|| Fault::Unreadable("a row that cannot be read and has no events".into()))
}

fn read_id(text: &str) -> Result<CallId, Fault> {
    text.parse().map(CallId).map_err(|error: uuid::Error| Fault::Unreadable(error.into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed expectation in a test should panic")]

    use super::*;
    use dialer_domain::call::{CallDirection, SdkCallEvent};

    fn dialing(n: i64) -> CallEvent {
        CallEvent::Sdk {
            direction: CallDirection::Outgoing,
            call_sid: None,
            parent_call_sid: None,
            peer: "+12025550123".repeat(200),
            our_number: None,
            what: SdkCallEvent::Dialing,
            at_ms: n,
        }
    }

    #[test]
    fn a_full_disk_is_told_with_its_cure_and_loses_nothing_that_was_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteCallLog::open(&folder.path().join("calls.sqlite")).unwrap().log;
        let pages: i64 = log.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        // SQLite's own limit on the file raises the same SQLITE_FULL as the end of the disk.
        let limit = |pages: i64| {
            log.connection()
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        limit(pages + 4);
        let mut recorded = 0;
        let error = loop {
            match log.record(Some(CallId(uuid::Uuid::from_u128(recorded))), dialing(0)) {
                Ok(_) => recorded += 1,
                Err(error) => break error,
            }
            assert!(recorded < 100, "four pages hold no hundred calls");
        };
        assert!(error.passing, "{error}");
        assert!(error.to_string().contains("The disk is full"), "{error}");
        assert_eq!(log.list(None, 200).unwrap().entries.len() as u128, recorded);
        limit(1_000_000);
        assert!(log.record(Some(CallId(uuid::Uuid::from_u128(recorded))), dialing(0)).unwrap().is_some());
        assert_eq!(log.list(None, 200).unwrap().entries.len() as u128, recorded + 1);
    }

    #[test]
    fn a_row_of_another_shape_is_folded_from_its_events() {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteCallLog::open(&folder.path().join("calls.sqlite")).unwrap().log;
        let call = CallId(uuid::Uuid::from_u128(1));
        let entry = log.record(Some(call), dialing(5)).unwrap().unwrap().entry;
        log.connection().execute("UPDATE calls SET entry = '{\"shape\":\"other\"}'", []).unwrap();
        assert_eq!(log.get(call).unwrap(), Some(entry.clone()));
        assert_eq!(log.list(None, 1).unwrap().entries, [entry]);
    }

    /// A log with the calls 0, 1, … of one event each, every one later than the last.
    fn log_of(calls: u8) -> (tempfile::TempDir, SqliteCallLog) {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteCallLog::open(&folder.path().join("calls.sqlite")).unwrap().log;
        for n in 0..calls {
            log.record(Some(call(n)), dialing(n.into())).unwrap();
        }
        (folder, log)
    }

    fn call(n: u8) -> CallId {
        CallId(uuid::Uuid::from_u128(n.into()))
    }

    fn spoil(log: &SqliteCallLog, sql: &str) {
        assert_ne!(log.connection().execute(sql, []).unwrap(), 0, "{sql}");
    }

    /// The ids of each page of two.
    fn pages(log: &SqliteCallLog) -> Vec<Vec<CallId>> {
        let (mut pages, mut before) = (Vec::new(), None);
        loop {
            let page = log.list(before, 2).unwrap();
            pages.push(page.entries.iter().map(|entry| entry.id).collect());
            before = page.next;
            if before.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn an_unreadable_row_is_folded_anew_or_left_out_of_a_full_page() {
        let (_folder, log) = log_of(7);
        // Its events are sound.
        spoil(&log, "UPDATE calls SET entry = '{' WHERE started_at_ms = 5");
        for (at, sql) in [
            (4, "UPDATE calls SET entry = '{' WHERE started_at_ms = 4"),
            (2, "UPDATE calls SET entry = CAST(x'ff' AS TEXT) WHERE started_at_ms = 2"),
            (0, "UPDATE calls SET entry = '' WHERE started_at_ms = 0"),
        ] {
            spoil(&log, sql);
            let events = "UPDATE call_events SET event = '{' WHERE call =";
            spoil(&log, &format!("{events} (SELECT age FROM calls WHERE started_at_ms = {at})"));
        }
        assert_eq!(pages(&log), [[call(6), call(5)], [call(3), call(1)]]);
        let error = log.get(call(4)).unwrap_err();
        assert!(!error.passing && error.error.message.contains("one call cannot be read"), "{error}");
    }

    #[test]
    fn a_log_without_one_readable_row_is_empty_and_goes_on() {
        let (_folder, log) = log_of(3);
        spoil(&log, "UPDATE calls SET entry = 'x'");
        spoil(&log, "UPDATE call_events SET event = 'x'");
        assert_eq!(pages(&log), [vec![]]);
        log.record(Some(call(9)), dialing(9)).unwrap();
        assert_eq!(pages(&log), [[call(9)]]);
    }

    #[test]
    fn a_call_goes_on_after_an_event_that_cannot_be_read() {
        let (_folder, log) = log_of(1);
        let mut hung_up = dialing(5);
        if let CallEvent::Sdk { what, .. } = &mut hung_up {
            *what = SdkCallEvent::HungUp;
        }
        log.record(Some(call(0)), hung_up).unwrap();
        spoil(&log, "UPDATE call_events SET event = 'x' WHERE seq = 1");
        let entry = log.record(Some(call(0)), dialing(3)).unwrap().unwrap().entry;
        assert_eq!((entry.id, entry.started_at_ms, entry.ended_at_ms), (call(0), 3, Some(5)));
        let kept: i64 =
            log.connection().query_row("SELECT count(*) FROM call_events", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, 3, "the unreadable one is not deleted");
    }
}
