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
    #[error("The disk is full, so the call log cannot be written. Free some space; calls work meanwhile.")]
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
        let UserError { message, detail, .. } = error.user_error();
        Self(match detail {
            Some(detail) => format!("{message} ({detail})"),
            None => message,
        })
    }
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
