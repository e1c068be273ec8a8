//! Where the program keeps its files.
//!
//! | system | folder |
//! | --- | --- |
//! | Linux | `$XDG_DATA_HOME/com.kennex.dialer`, by default under `~/.local/share` |
//! | macOS | `~/Library/Application Support/com.kennex.dialer` |
//! | Windows | `%LOCALAPPDATA%\com.kennex.dialer` |
//!
//! The name is the app's identifier, so that the webview's own storage lies beside it. A debug build
//! has a folder of its own and never touches the log of the installed program.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::private_files;

/// The app's identifier, as in `tauri.conf.json`.
const IDENTIFIER: &str = "com.kennex.dialer";

/// Why there is no folder to keep files in, as a sentence with the cure.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The system names no folder for the user's data.
    #[error(
        "The system does not say where your files are. Set the HOME environment variable to your home folder and start again."
    )]
    NoHome,
    /// The folder could not be made.
    #[error("The folder {} could not be created. Check that it may be written to and that the disk is not full.", .folder.display())]
    NotCreated {
        /// Which.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The folder of one run of the program.
#[derive(Debug)]
pub struct Folders {
    data: PathBuf,
    /// Removes the folder with everything in it at the end of practice.
    _throw_away: Option<TempDir>,
}

impl Folders {
    /// The user's own folder, made if it is missing and readable by the user alone.
    pub fn of_user() -> Result<Self, FolderError> {
        let name = if cfg!(debug_assertions) { format!("{IDENTIFIER}.debug") } else { IDENTIFIER.to_owned() };
        Self::at(dirs::data_local_dir().ok_or(FolderError::NoHome)?.join(name))
    }

    /// A folder that was chosen by name, made if it is missing and then readable by the user alone.
    pub fn at(folder: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let data = folder.into();
        match private_files::create_folder(&data) {
            Ok(()) => Ok(Self { data, _throw_away: None }),
            Err(source) => Err(FolderError::NotCreated { folder: data, source }),
        }
    }

    /// A folder for practice: empty, readable by the user alone, gone when this value is dropped.
    pub fn throw_away() -> Result<Self, FolderError> {
        let folder = private_files::create_temporary_folder("kennex-dialer-practice-")
            .map_err(|source| FolderError::NotCreated { folder: std::env::temp_dir(), source })?;
        Ok(Self { data: folder.path().to_owned(), _throw_away: Some(folder) })
    }

    /// The folder itself.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The call log's file.
    pub fn call_log(&self) -> PathBuf {
        self.data.join("calls.sqlite")
    }

    /// The file of practice calls, which are no part of an agent's history.
    pub fn practice_call_log(&self) -> PathBuf {
        self.data.join("practice-calls.sqlite")
    }

    /// The folder for files of tunnel programs, such as known hosts.
    pub fn tunnel(&self) -> PathBuf {
        self.data.join("tunnel")
    }

    /// The settings' file.
    pub fn settings(&self) -> PathBuf {
        self.data.join("settings.json")
    }

    /// The folder of the agent's recordings that callers hear.
    pub fn sounds(&self) -> PathBuf {
        self.data.join("sounds")
    }

    /// The encrypted file for secrets, where there is no keychain.
    pub fn vault(&self) -> PathBuf {
        self.data.join("vault.bin")
    }
}
