//! Why the settings could not be opened, read or written: what happened and what to do.

use std::io;
use std::path::{Path, PathBuf};

use dialer_domain::error::{ErrorCode, UserError};

use super::SetAside;

/// A failure of the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Another process holds the settings.
    #[error("The settings {} are in use by another copy of the program. Close that one and try again.", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the program has written the file. It is left as it is.
    #[error(
        "The settings {} were written by a newer version of the program (format {found}; this one knows {known}). \
         Install the newer version, or move the file away to begin anew.",
        .path.display()
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// The format it has.
        found: u32,
        /// The newest format this version knows.
        known: u32,
    },
    /// No space is left.
    #[error("The disk is full, so the settings cannot be saved. Free some space and try again.")]
    DiskFull {
        /// What the system said.
        source: io::Error,
    },
    /// The file or its folder is not writable or not readable for this user.
    #[error(
        "The settings {} cannot be read and written. Check that you own the file and its folder and that the disk is \
         not write-protected.",
        .path.display()
    )]
    NotPermitted {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that cannot be used could not be renamed, so nothing was done to it.
    #[error(
        "The settings {} cannot be used and could not be set aside. Move the file away by hand and start again.",
        .path.display()
    )]
    NotSetAside {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else the system reported.
    #[error("The settings {} could not be used. Restart the program; if it stays, check the disk.", .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SettingsError {
    /// Reads what the file system said about the settings at `path`.
    pub(super) fn of_file(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        #[expect(clippy::wildcard_enum_match_arm, reason = "of forty kinds, these have a cure of their own")]
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { source },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NotPermitted { path, source }
            }
            _ => Self::Failed { path, source },
        }
    }

    /// For the agent, with the cause as detail.
    pub fn user_error(&self) -> UserError {
        let error = UserError::new(ErrorCode::SettingsUnavailable, self.to_string());
        match std::error::Error::source(self) {
            Some(cause) => error.with_detail(cause.to_string()),
            None => error,
        }
    }
}

/// Tells the agent that settings were set aside and new ones have begun.
pub fn set_aside_notice(set_aside: &SetAside) -> UserError {
    let file = set_aside.file();
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    let message = match set_aside {
        SetAside::Damaged(_) => format!(
            "The settings could not be read, so the program starts without an account. Connect it again. The old file \
             was kept as {name}; it says what your numbers did before they were pointed here."
        ),
        SetAside::Copied(_) => format!(
            "This is a copy of another computer's settings, or the system was installed anew. So that two computers do \
             not share one key and one TwiML App, this one starts without an account. Connect it here, too. The copy \
             was kept as {name}; it says what your numbers did before they were pointed at the other computer."
        ),
    };
    UserError::new(ErrorCode::SettingsSetAside, message).with_detail(file.display().to_string())
}
