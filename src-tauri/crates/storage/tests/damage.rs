//! Files that are no call log, and disks that do not let one be kept.

use std::fs;
use std::path::{Path, PathBuf};

use dialer_domain::call::SdkCallEvent;
use dialer_domain::error::ErrorCode;
use dialer_domain::ports::{CallStore as _, Clock};
use dialer_storage::call_log::{CallLogError, SqliteCallLog, set_aside_notice};

use crate::call_log::{START, id, sdk};

/// 2026-11-23T10:15:00Z.
struct Noon;

impl Clock for Noon {
    fn now_ms(&self) -> i64 {
        1_795_428_900_000
    }
}

struct Folder {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("calls.sqlite"), _folder: folder }
    }

    /// A log with `calls` calls, closed.
    fn with_log(calls: u128) -> Self {
        let folder = Self::new();
        let log = SqliteCallLog::open(&folder.path).unwrap().log;
        for n in 0..calls {
            log.record(Some(id(n)), sdk(None, SdkCallEvent::Dialing, START)).unwrap();
        }
        folder
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }
}

/// Opens a log that must be set aside; answers with the kept file.
fn set_aside(path: &Path) -> PathBuf {
    let opened = SqliteCallLog::open_by(path, &Noon).unwrap();
    assert!(opened.log.list(None, 10).unwrap().entries.is_empty(), "a new log has begun");
    opened.log.record(Some(id(1)), sdk(None, SdkCallEvent::Dialing, START)).unwrap();
    drop(opened.log);
    let again = SqliteCallLog::open(path).unwrap();
    assert_eq!(
        (again.set_aside, again.log.list(None, 10).unwrap().entries.len()),
        (None, 1),
        "and it is good"
    );
    opened.set_aside.expect("the file should have been set aside")
}

#[test]
fn a_file_that_is_no_database_is_kept_under_a_name_with_the_time() {
    let folder = Folder::new();
    fs::write(&folder.path, "not a database, but somebody's words").unwrap();
    let kept = set_aside(&folder.path);
    assert_eq!(kept, folder.beside("calls.damaged-20261123T101500Z.sqlite"));
    assert_eq!(fs::read_to_string(&kept).unwrap(), "not a database, but somebody's words");

    // A second one in the same second.
    fs::write(&folder.path, "other words, long enough to be looked at as a database: ".repeat(20)).unwrap();
    assert_eq!(set_aside(&folder.path), folder.beside("calls.damaged-20261123T101500Z-2.sqlite"));
    assert_eq!(fs::read_to_string(&kept).unwrap(), "not a database, but somebody's words");

    let notice = set_aside_notice(&kept);
    assert_eq!(notice.code, ErrorCode::CallLogSetAside);
    assert!(notice.message.contains("calls.damaged-20261123T101500Z.sqlite"));
}

#[test]
fn a_log_cut_short_is_kept_byte_for_byte() {
    let folder = Folder::with_log(200);
    let whole = fs::read(&folder.path).unwrap();
    for keep in [whole.len() - 1, whole.len() / 2, 5000, 100, 17] {
        fs::write(&folder.path, &whole[..keep]).unwrap();
        let kept = set_aside(&folder.path);
        assert_eq!(fs::read(&kept).unwrap(), &whole[..keep], "{keep} bytes");
        fs::remove_file(kept).unwrap();
    }
}

#[test]
fn a_log_with_a_page_overwritten_is_kept() {
    let folder = Folder::with_log(200);
    let mut bytes = fs::read(&folder.path).unwrap();
    // The second page belongs to a table or an index of the log.
    bytes[4096..4196].fill(0xff);
    fs::write(&folder.path, &bytes).unwrap();
    assert_eq!(fs::read(set_aside(&folder.path)).unwrap(), bytes);
}

#[test]
fn damage_is_kept_with_its_write_ahead_log() {
    let folder = Folder::new();
    fs::write(&folder.path, "no database").unwrap();
    fs::write(folder.beside("calls.sqlite-wal"), "a write-ahead log").unwrap();
    fs::write(folder.beside("calls.sqlite-shm"), "its index").unwrap();
    let kept = set_aside(&folder.path);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "no database");
    assert_eq!(
        fs::read_to_string(folder.beside("calls.damaged-20261123T101500Z.sqlite-wal")).unwrap(),
        "a write-ahead log"
    );
    // SQLite makes the index anew from the log whenever it looks.
    assert!(folder.beside("calls.damaged-20261123T101500Z.sqlite-shm").exists());
}

#[test]
fn an_empty_file_beside_a_write_ahead_log_is_kept_because_sqlite_would_delete_that() {
    for has_file in [true, false] {
        let folder = Folder::new();
        if has_file {
            fs::write(&folder.path, "").unwrap();
        }
        fs::write(folder.beside("calls.sqlite-wal"), "all that was not yet in the file").unwrap();
        set_aside(&folder.path);
        assert!(folder.beside("calls.damaged-20261123T101500Z.sqlite-wal").exists());
    }
}

#[test]
fn an_empty_file_is_a_log_that_was_about_to_begin() {
    let folder = Folder::new();
    fs::write(&folder.path, "").unwrap();
    let opened = SqliteCallLog::open(&folder.path).unwrap();
    assert_eq!(opened.set_aside, None);
}

#[test]
fn a_folder_in_the_logs_place_is_kept() {
    let folder = Folder::new();
    fs::create_dir(&folder.path).unwrap();
    fs::write(folder.path.join("within"), "kept").unwrap();
    assert_eq!(fs::read_to_string(set_aside(&folder.path).join("within")).unwrap(), "kept");
}

#[test]
fn another_programs_database_is_kept() {
    let folder = Folder::new();
    let other = rusqlite::Connection::open(&folder.path).unwrap();
    other.execute_batch("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('kept')").unwrap();
    drop(other);
    let kept = rusqlite::Connection::open(set_aside(&folder.path)).unwrap();
    let url: String = kept.query_row("SELECT url FROM bookmarks", [], |row| row.get(0)).unwrap();
    assert_eq!(url, "kept");
}

#[test]
fn a_log_that_lost_a_table_is_kept() {
    let folder = Folder::with_log(3);
    rusqlite::Connection::open(&folder.path).unwrap().execute_batch("DROP TABLE legs").unwrap();
    let kept = rusqlite::Connection::open(set_aside(&folder.path)).unwrap();
    let calls: i64 = kept.query_row("SELECT count(*) FROM calls", [], |row| row.get(0)).unwrap();
    assert_eq!(calls, 3);
}

#[test]
fn a_log_of_a_newer_version_is_left_alone_and_told() {
    let folder = Folder::with_log(3);
    rusqlite::Connection::open(&folder.path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let bytes = fs::read(&folder.path).unwrap();
    let error = SqliteCallLog::open(&folder.path).unwrap_err();
    assert!(matches!(error, CallLogError::NewerSchema { found: 99, known: 2, .. }), "{error:?}");
    assert!(error.user_error().message.contains("Install the newer version"));
    assert_eq!(error.user_error().code, ErrorCode::CallLogUnavailable);
    assert_eq!(fs::read(&folder.path).unwrap(), bytes);
    assert_eq!(fs::read_dir(folder.path.parent().unwrap()).unwrap().count(), 2, "the log and its lock");
}

#[test]
fn a_large_log_that_lost_its_end_is_kept_without_reading_all_of_it() {
    let folder = Folder::with_log(3);
    {
        let padding = rusqlite::Connection::open(&folder.path).unwrap();
        padding
            .execute_batch(
                "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 70)
                 INSERT INTO call_events (call, event) SELECT 1, n || zeroblob(1024 * 1024) FROM n;
                 PRAGMA wal_checkpoint(TRUNCATE);",
            )
            .unwrap();
    }
    let size = fs::metadata(&folder.path).unwrap().len();
    assert!(size > 64 * 1024 * 1024, "larger than what is checked page by page: {size}");
    assert_eq!(SqliteCallLog::open(&folder.path).unwrap().set_aside, None);
    fs::File::options().write(true).open(&folder.path).unwrap().set_len(size - 4096).unwrap();
    assert_eq!(fs::metadata(set_aside(&folder.path)).unwrap().len(), size - 4096);
}
