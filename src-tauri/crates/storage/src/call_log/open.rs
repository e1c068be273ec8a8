//! Opening the log: one process at a time, damage set aside and never overwritten.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use dialer_domain::ports::{Clock, SystemClock};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{CallLogError, Cause, is_read_fault};
use super::{SqliteCallLog, migrate};
use crate::private_files;
use crate::set_aside::{Because, beside, free_name};

/// Marks the file as a call log of this program: "KDcl". Kept in SQLite's `application_id`.
pub(super) const APPLICATION_ID: i32 = 0x4b44_636c;
/// What belongs to a log: the WAL and its index, last the log itself.
const ENDINGS: [&str; 3] = ["-wal", "-shm", ""];
/// How long a write waits for a foreign program that has the file open, such as a viewer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Up to this size, in bytes, every page is checked at each start, in well under a second; a larger
/// log is checked so only after the program was not closed properly.
const CHECKED_AT_EACH_START: u64 = 64 * 1024 * 1024;

/// An opened call log.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: SqliteCallLog,
    /// Where a damaged file that stood in the way was kept; tell the agent with
    /// [`set_aside_notice`](super::set_aside_notice).
    pub set_aside: Option<PathBuf>,
}

impl SqliteCallLog {
    /// Opens the log at `path`, or begins it, with the folders above it.
    ///
    /// A file that is damaged, cut short, no call log or unreadable is renamed to
    /// `calls.damaged-<UTC time>.sqlite` (for a log named `calls.sqlite`) with its `-wal` and `-shm`
    /// files, and a new log is begun. A log of a newer version is no damage, but an error.
    pub fn open(path: &Path) -> Result<Opened, CallLogError> {
        Self::open_by(path, &SystemClock)
    }

    /// As [`SqliteCallLog::open`], with the clock that names a file set aside.
    pub fn open_by(path: &Path, clock: &impl Clock) -> Result<Opened, CallLogError> {
        if let Some(folder) = path.parent() {
            private_files::create_folder(folder).map_err(|error| CallLogError::of_file(path, error))?;
        }
        let lock = take_lock(path)?;
        let (connection, set_aside) = match connect(path) {
            Ok(connection) => (connection, None),
            Err(Obstacle::Unusable(why)) => {
                tracing::warn!(%why, "the call log cannot be used; it is set aside");
                let kept = set_aside(path, clock.now_ms())?;
                let connection = connect(path).map_err(|obstacle| obstacle.into_error(path))?;
                (connection, Some(kept))
            }
            Err(Obstacle::Error(error)) => return Err(error),
        };
        let log = Self { connection: Mutex::new(connection), path: path.to_owned(), _lock: lock };
        Ok(Opened { log, set_aside })
    }
}

/// Holds the lock file beside the log. The system releases it when the process ends, however it ends.
fn take_lock(path: &Path) -> Result<File, CallLogError> {
    private_files::lock(&beside(path, ".lock")).map_err(|error| match error {
        TryLockError::WouldBlock => CallLogError::InUse { path: path.to_owned() },
        TryLockError::Error(error) => CallLogError::of_file(path, error),
    })
}

/// Why a file could not be opened as the log.
enum Obstacle {
    /// The file is no good: set it aside.
    Unusable(Cause),
    /// The file is not to blame.
    Error(CallLogError),
}

impl Obstacle {
    fn of_sqlite(path: &Path, error: rusqlite::Error) -> Self {
        let unreadable = is_read_fault(&error);
        #[expect(clippy::wildcard_enum_match_arm, reason = "every other error leaves the file blameless")]
        match CallLogError::of_sqlite(path, error) {
            CallLogError::Damaged { source, .. } => Self::Unusable(source),
            CallLogError::Failed { source, .. } if unreadable => Self::Unusable(source),
            error => Self::Error(error),
        }
    }

    /// For a file that was only just begun, where there is nothing to set aside.
    fn into_error(self, path: &Path) -> CallLogError {
        match self {
            Self::Unusable(source) => CallLogError::Failed { path: path.to_owned(), source },
            Self::Error(error) => error,
        }
    }
}

fn connect(path: &Path) -> Result<Connection, Obstacle> {
    let file_error = |error| Obstacle::Error(CallLogError::of_file(path, error));
    let size = match fs::metadata(path) {
        Ok(data) if !data.is_file() => return Err(Obstacle::Unusable("it is not a file".into())),
        Ok(data) => data.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(file_error(error)),
    };
    let was_not_closed = fs::metadata(beside(path, "-wal")).is_ok_and(|wal| wal.len() > 0);
    // SQLite would delete the WAL beside an empty file, and with it all that was not yet in the file.
    if size == 0 && was_not_closed {
        return Err(Obstacle::Unusable("the file is empty but its write-ahead log is not".into()));
    }
    private_files::create_file(path).map_err(file_error)?;
    let sqlite_error = |error| Obstacle::of_sqlite(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sqlite_error)?;
    // Until the file has proved sound, closing it must leave it and its WAL as they are.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sqlite_error)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(sqlite_error)?;
    let version = read_version(&connection, path)?;
    let known = migrate::newest();
    if version > known {
        close_tidily(&connection).map_err(sqlite_error)?;
        return Err(Obstacle::Error(CallLogError::NewerSchema {
            path: path.to_owned(),
            found: version,
            known,
        }));
    }
    // Otherwise each new value in a cached statement has it planned anew, at a fifth of the time a record takes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(sqlite_error)?;
    // Switching an existing log to WAL again changes nothing.
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).map_err(sqlite_error)?;
    connection.pragma_update(None, "synchronous", "full").map_err(sqlite_error)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(sqlite_error)?;
    if size > 0 {
        check(&connection, path, was_not_closed, was_not_closed || size <= CHECKED_AT_EACH_START)?;
    }
    migrate::migrate(&mut connection, version).map_err(sqlite_error)?;
    check_schema(&connection)?;
    close_tidily(&connection).map_err(sqlite_error)?;
    Ok(connection)
}

/// Lets the end of the connection put the WAL into the file and remove it, as SQLite does by itself.
fn close_tidily(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map(drop)
}

/// The schema version of the file, 0 for one that was only just begun.
fn read_version(connection: &Connection, path: &Path) -> Result<i64, Obstacle> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        Ok((
            number("SELECT count(*) FROM sqlite_schema")?,
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
        ))
    };
    let (objects, application, version) = read().map_err(|error| Obstacle::of_sqlite(path, error))?;
    if (objects, application, version) == (0, 0, 0) {
        return Ok(0);
    }
    if application != i64::from(APPLICATION_ID) {
        return Err(Obstacle::Unusable("it is another program's database".into()));
    }
    Ok(version)
}

/// Looks for damage: a missing end, and with `every_page` in every page.
fn check(
    connection: &Connection,
    path: &Path,
    was_not_closed: bool,
    every_page: bool,
) -> Result<(), Obstacle> {
    let sqlite_error = |error| Obstacle::of_sqlite(path, error);
    // After a kill the last pages may be in the WAL alone. SQLite itself takes a cut page for zeros.
    if !was_not_closed {
        let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let expected = number("PRAGMA page_count").and_then(|pages| Ok(pages * number("PRAGMA page_size")?));
        let found =
            fs::metadata(path).map_err(|error| Obstacle::Error(CallLogError::of_file(path, error)))?.len();
        if i64::try_from(found).unwrap_or(i64::MAX) < expected.map_err(sqlite_error)? {
            return Err(Obstacle::Unusable("the end of the file is missing".into()));
        }
    }
    if every_page {
        let verdict: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sqlite_error)?;
        if verdict != "ok" {
            return Err(Obstacle::Unusable(verdict.into()));
        }
    }
    Ok(())
}

/// Whether every table has the columns this version uses.
fn check_schema(connection: &Connection) -> Result<(), Obstacle> {
    for sql in [
        "SELECT age, id, started_at_ms, entry FROM calls",
        "SELECT seq, call, event FROM call_events",
        "SELECT call_sid, call FROM legs",
        "SELECT id, call FROM call_names",
    ] {
        connection.prepare(sql).map_err(|error| Obstacle::Unusable(error.into()))?;
    }
    Ok(())
}

/// Renames the log and what belongs to it, and answers with the log's new path.
///
/// The WAL goes first: if the process ends in between, the log is found without it, and neither is
/// ever overwritten.
fn set_aside(path: &Path, now_ms: i64) -> Result<PathBuf, CallLogError> {
    let kept = free_name(path, Because::Damaged, &ENDINGS, now_ms);
    for ending in ENDINGS {
        match fs::rename(beside(path, ending), beside(&kept, ending)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(CallLogError::NotSetAside { path: path.to_owned(), source: error.into() });
            }
        }
    }
    Ok(kept)
}
