//! How tunnel programs are started: a port, because the app starts them through `tauri-plugin-shell`
//! and the headless program through tokio.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use tokio::sync::mpsc;

use super::find::{find_program, is_program};

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

/// `program` in such a wrapping that it cannot outlive this process, for launchers to start in its place
/// with a pipe as standard input that nothing is ever written to. When that pipe closes, because the
/// launcher closes it or because this process ended in whatever way, `kill -9` included, the program and
/// all it started are asked to end, and after two seconds made to. What the program leaves behind when
/// it ends by itself is ended in the same way, before the wrapping ends.
///
/// On Unix a few lines of shell stand between: they give the program a process group of its own and an
/// empty standard input, wait at the pipe, and end with the program's exit code (128 and the number when
/// a signal ended it). Their process id is then the one the launcher sees. On Windows a job does all
/// this, so the program is returned as it is.
///
/// The launcher gives the shell a session of its own, or takes [`apart`]: then what a terminal sends
/// (Ctrl-C, its end) reaches this process alone.
///
/// Two things are out of reach: a process that leaves the program's process group, as a daemon does,
/// and the death of the waiting shell itself by another hand.
pub fn guarded(program: &Program) -> Program {
    if !cfg!(unix) {
        return program.clone();
    }
    let own = ["-c".into(), GUARD.into(), "tunnel-guard".into(), program.path.clone().into_os_string()];
    Program {
        path: PathBuf::from("/bin/sh"),
        arguments: own.into_iter().chain(program.arguments.iter().cloned()).collect(),
        environment: program.environment.clone(),
    }
}

/// `program` started in a session of its own, under the same process id, where the system has `setsid`,
/// as Linux does. For launchers that cannot begin a session themselves; the started process must not
/// lead a process group, or the process id is another.
pub fn apart(program: Program) -> Program {
    let Some(setsid) = cfg!(unix).then(|| find_program("setsid")).flatten() else { return program };
    let own = std::iter::once(program.path.into_os_string());
    Program { path: setsid, arguments: own.chain(program.arguments).collect(), ..program }
}

/// POSIX sh. The program gets a process group of its own from `setsid`, or where there is none, as on
/// macOS, from job control. Job control comes second because Debian's shell takes the terminal for it,
/// or stops and its group with it when it may not. Where there is neither, the program alone is ended
/// instead of its group. `read` returns when the pipe closes. A stopped program takes a signal only
/// after it was continued. The waiting part goes before the shell does, for a process id that is free
/// again may soon be another's.
const GUARD: &str = r#"
exec 3<&0 </dev/null
if command -v setsid >/dev/null; then
    apart=setsid
else
    apart=
    set -m 2>/dev/null
fi
$apart "$@" 3<&- &
program=$!
finish() {
    target=-$program
    kill -0 "$target" || target=$program
    kill -TERM "$target"
    kill -CONT "$target"
    tenths=0
    while kill -0 "$target" && [ "$tenths" -lt 20 ]; do
        sleep 0.1
        tenths=$((tenths + 1))
    done
    kill -KILL "$target"
}
{
    read -r _ <&3
    finish
} >/dev/null 2>&1 &
waiting=$!
exec 3<&-
wait "$program"
code=$?
{
    kill "$waiting"
    kill -0 "-$program" && finish
} >/dev/null 2>&1
exit "$code"
"#;

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

impl LaunchError {
    /// What the system said when `path` was to be started.
    pub fn of(path: &Path, error: &std::io::Error) -> Self {
        let kind = error.kind();
        if kind == std::io::ErrorKind::NotFound {
            Self::Missing(path.to_owned())
        } else if kind == std::io::ErrorKind::PermissionDenied {
            Self::Denied(path.to_owned())
        } else {
            Self::Failed { path: path.to_owned(), detail: error.to_string() }
        }
    }
}

/// Whether `path` can be started at all. For launchers to ask first: the shell of [`guarded`] always
/// starts, whatever it is then to run.
pub fn startable(path: &Path) -> Result<(), LaunchError> {
    path.metadata().map_err(|error| LaunchError::of(path, &error))?;
    if is_program(path) { Ok(()) } else { Err(LaunchError::Denied(path.to_owned())) }
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
