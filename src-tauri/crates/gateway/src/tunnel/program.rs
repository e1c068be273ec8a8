//! How tunnel programs are started: a port, because the app starts them through `tauri-plugin-shell`
//! and the headless program through tokio.

use std::ffi::OsString;
use std::path::PathBuf;

use secrecy::SecretString;
use tokio::sync::mpsc;

/// A program to start. Its standard input is closed and its environment is ours plus `environment`.
#[derive(Debug, Clone)]
pub struct Program {
    /// An absolute path.
    pub path: PathBuf,
    /// Never a secret: every user of the computer can read them.
    pub arguments: Vec<OsString>,
    /// Secrets go here.
    pub environment: Vec<(String, SecretString)>,
}

/// What a running program says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A line of its standard output, without the line end.
    Stdout(String),
    /// A line of its standard error.
    Stderr(String),
    /// It ended; the last thing that is said.
    Ended {
        /// Its exit code, absent when a signal ended it.
        code: Option<i32>,
    },
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// There is no such file.
    #[error("{0} was not found")]
    Missing(PathBuf),
    /// There is one, but it may not be run.
    #[error("{0} may not be run")]
    Denied(PathBuf),
    /// Anything else the system said.
    #[error("{path} could not be started: {detail}")]
    Failed {
        /// Which.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

/// Starts programs.
pub trait Launcher: Send + Sync + 'static {
    /// Starts `program`; what it says arrives in the receiver, which must be drained.
    fn launch(
        &self,
        program: &Program,
    ) -> Result<(Box<dyn RunningProgram>, mpsc::Receiver<Output>), LaunchError>;
}

/// A program that was started. Dropping it ends the program.
pub trait RunningProgram: Send + 'static {
    /// Its process id.
    fn pid(&self) -> u32;
    /// Ends it and whatever it started. [`Output::Ended`] follows.
    fn kill(&mut self);
}
