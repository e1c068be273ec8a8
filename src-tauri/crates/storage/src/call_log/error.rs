//! Why the call log could not be opened, read or written: what happened and what to do.

use std::io;
use std::path::{Path, PathBuf};

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::CallStoreError;
use rusqlite::ErrorCode as SqliteCode;

/// A failure of the call log.
#[derive(Debug, thiserror::Error)]
pub enum CallLogError {
    /// Another process holds the log.
    #[error("The call log {} is in use by another copy of the program. Close that one and try again.", .path.display())]
    InUse {
        /// The log.
        path: PathBuf,
    },
    /// A later version of the program has written the log. It is left as it is.
    #[error(
        "The call log {} was written by a newer version of the program (format {found}; this one knows {known}). \
         Install the newer version, or move the file away to begin a new log.",
        .path.display()
    )]
    NewerSchema {
        /// The log.
        path: PathBuf,
        /// The format it has.
        found: i64,
        /// The newest format this version knows.
        known: i64,
    },
    /// No space is left.
    #[error("The disk is full, so the call log cannot be written. Free some space.")]
    DiskFull {
        /// What the system said.
        source: Cause,
    },
    /// The file or its folder is not writable or not readable for this user.
    #[error(
        "The call log {} cannot be read and written. Check that you own the file and its folder and that the disk is \
         not write-protected.",
        .path.display()
    )]
    NotPermitted {
        /// The log.
        path: PathBuf,
        /// What the system said.
        source: Cause,
    },
    /// A foreign program holds the file for longer than a write may wait.
    #[error("Another program keeps the call log {} locked. Close programs that have the file open.", .path.display())]
    Busy {
        /// The log.
        path: PathBuf,
        /// What SQLite said.
        source: Cause,
    },
    /// The file is damaged; found while the program was running.
    #[error(
        "The call log {} is damaged. Restart the program: it will set the file aside and begin a new one.",
        .path.display()
    )]
    Damaged {
        /// The log.
        path: PathBuf,
        /// What shows it.
        source: Cause,
    },
    /// What is stored about one call is not what any version of this program writes. The rest of
    /// the log is sound.
    #[error(
        "What the call log {} holds about one call cannot be read, so that call is not shown or continued. The \
         other calls are not affected.",
        .path.display()
    )]
    Unreadable {
        /// The log.
        path: PathBuf,
        /// What shows it.
        source: Cause,
    },
    /// A damaged file could not be renamed, so nothing was done to it.
    #[error(
        "The damaged call log {} could not be set aside. Move it away by hand and start again.",
        .path.display()
    )]
    NotSetAside {
        /// The log.
        path: PathBuf,
        /// What the system said.
        source: Cause,
    },
    /// Anything else the disk or SQLite reported.
    #[error("The call log {} could not be used. Restart the program; if it stays, check the disk.", .path.display())]
    Failed {
        /// The log.
        path: PathBuf,
        /// What was reported.
        source: Cause,
    },
}

/// The error beneath a [`CallLogError`].
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl CallLogError {
    /// Reads what SQLite said about the log at `path`.
    pub(super) fn of_sqlite(path: &Path, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        let code = error.sqlite_error_code();
        let source = Cause::from(error);
        match code {
            Some(SqliteCode::DiskFull) => Self::DiskFull { source },
            Some(SqliteCode::ReadOnly | SqliteCode::CannotOpen | SqliteCode::PermissionDenied) => {
                Self::NotPermitted { path, source }
            }
            Some(SqliteCode::DatabaseBusy | SqliteCode::DatabaseLocked) => Self::Busy { path, source },
            Some(SqliteCode::DatabaseCorrupt | SqliteCode::NotADatabase) => Self::Damaged { path, source },
            _ => Self::Failed { path, source },
        }
    }

    /// Reads what the file system said about the log at `path`.
    pub(super) fn of_file(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        #[expect(clippy::wildcard_enum_match_arm, reason = "of forty kinds, these have a cure of their own")]
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { source: source.into() }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NotPermitted { path, source: source.into() }
            }
            _ => Self::Failed { path, source: source.into() },
        }
    }

    /// Whether the same attempt can succeed later, once the disk or another program gives way.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::InUse { .. } | Self::DiskFull { .. } | Self::NotPermitted { .. } | Self::Busy { .. } => {
                true
            }
            Self::NewerSchema { .. }
            | Self::Damaged { .. }
            | Self::Unreadable { .. }
            | Self::NotSetAside { .. } => false,
            // A quota or a network folder that went away is reported as a failed write, no more.
            Self::Failed { source, .. } => source.downcast_ref::<rusqlite::Error>().is_none_or(|error| {
                matches!(
                    error.sqlite_error_code(),
                    Some(
                        SqliteCode::SystemIoFailure
                            | SqliteCode::OutOfMemory
                            | SqliteCode::FileLockingProtocolFailed
                    )
                ) && !is_read_fault(error)
            }),
        }
    }

    /// For the agent, with the cause as detail.
    pub fn user_error(&self) -> UserError {
        let mut detail = Vec::new();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            detail.push(error.to_string());
            cause = error.source();
        }
        let error = UserError::new(ErrorCode::CallLogUnavailable, self.to_string());
        if detail.is_empty() { error } else { error.with_detail(detail.join(": ")) }
    }
}

impl From<CallLogError> for CallStoreError {
    fn from(error: CallLogError) -> Self {
        Self { passing: error.is_passing(), error: error.user_error() }
    }
}

/// Whether SQLite could not read what should be there, which is the file's or the disk's fault.
pub(super) fn is_read_fault(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error().map(|error| error.extended_code),
        Some(
            rusqlite::ffi::SQLITE_IOERR_READ
                | rusqlite::ffi::SQLITE_IOERR_SHORT_READ
                | rusqlite::ffi::SQLITE_IOERR_CORRUPTFS
                | rusqlite::ffi::SQLITE_IOERR_DATA
        )
    )
}

/// Tells the agent that a damaged log was set aside as `file` and a new one has begun.
pub fn set_aside_notice(file: &Path) -> UserError {
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    UserError::new(
        ErrorCode::CallLogSetAside,
        format!(
            "The call log could not be read, so a new one has begun. The old file was kept as {name}; \
             give it to your support if you need what it held."
        ),
    )
    .with_detail(file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: i32) -> CallStoreError {
        let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        CallLogError::of_sqlite(Path::new("calls.sqlite"), error).into()
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        use rusqlite::ffi;
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_PERM,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_NOMEM,
        ] {
            assert!(sqlite(code).passing, "{code}");
        }
        for code in [
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_IOERR_SHORT_READ,
            ffi::SQLITE_CONSTRAINT,
            ffi::SQLITE_TOOBIG,
        ] {
            assert!(!sqlite(code).passing, "{code}");
        }
        let quota = io::Error::from(io::ErrorKind::QuotaExceeded);
        assert!(CallStoreError::from(CallLogError::of_file(Path::new("calls.sqlite"), quota)).passing);
    }

    #[test]
    fn the_sentence_and_its_cause_are_kept_apart_and_shown_together() {
        let error = sqlite(rusqlite::ffi::SQLITE_FULL);
        assert!(error.error.message.starts_with("The disk is full"), "{error:?}");
        let detail = error.error.detail.clone().unwrap_or_default();
        assert!(error.to_string().ends_with(&format!("Free some space. ({detail})")), "{error}");
    }
}
