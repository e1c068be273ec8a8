//! Why a recording could not be kept or read: what happened and what to do.

use std::io;
use std::path::{Path, PathBuf};

use dialer_domain::error::{ErrorCode, UserError};

use super::wav::NotWav;

/// A failure of the recordings.
#[derive(Debug, thiserror::Error)]
pub enum SoundError {
    /// Nothing says what it is.
    #[error("The recording has no name. Give it one.")]
    NoLabel,
    /// The label is too long.
    #[error("The name is longer than 60 characters. Make it shorter.")]
    LongLabel,
    /// The file is larger than [`LARGEST`](super::LARGEST).
    #[error(
        "The file is larger than 10 MB. Make the recording shorter, or save it with fewer samples a second."
    )]
    TooLarge,
    /// There are [`MOST`](super::MOST) recordings.
    #[error("There are 200 recordings already. Delete some that no rule uses.")]
    TooMany,
    /// The file is none that Twilio can play.
    #[error(transparent)]
    NotWav(#[from] NotWav),
    /// No space is left.
    #[error("The disk is full, so the recording cannot be kept. Free some space and try again.")]
    DiskFull {
        /// What the system said.
        source: io::Error,
    },
    /// Anything else the system reported.
    #[error("The recordings in {} could not be used. Check that you own the folder and may write to it.", .folder.display())]
    Failed {
        /// Where they are.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SoundError {
    /// Reads what the file system said about the recordings in `folder`.
    pub(super) fn of_file(folder: &Path, source: io::Error) -> Self {
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return Self::DiskFull { source };
        }
        Self::Failed { folder: folder.to_owned(), source }
    }

    /// For the agent, with the cause as detail.
    pub fn user_error(&self) -> UserError {
        let code = match self {
            Self::NoLabel | Self::LongLabel | Self::TooLarge | Self::TooMany | Self::NotWav(_) => {
                ErrorCode::InvalidEntry
            }
            Self::DiskFull { .. } | Self::Failed { .. } => ErrorCode::SettingsUnavailable,
        };
        let error = UserError::new(code, self.to_string());
        match std::error::Error::source(self) {
            Some(cause) => error.with_detail(cause.to_string()),
            None => error,
        }
    }
}
