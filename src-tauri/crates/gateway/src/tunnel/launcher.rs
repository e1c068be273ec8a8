//! Starts programs with tokio, for the headless program and for tests.

use std::process::Stdio;

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};

use super::lines::Lines;
use super::program::{LaunchError, Launcher, Output, Program, RunningProgram, guarded, startable};

/// How many lines may wait to be read. Beyond that the program waits too, as with any full pipe.
const LINES_WAITING: usize = 256;
/// How much is read at once, in bytes.
const PIECE_LENGTH: usize = 8 * 1024;

/// Starts programs as children of this process: in a session (Unix) or a job (Windows) of their own, so that nothing they start outlives them. See [`guarded`] for how they end when this process
/// is killed. Must be used within a tokio runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioLauncher;

impl Launcher for TokioLauncher {
    fn launch(
        &self,
        program: &Program,
    ) -> Result<(Box<dyn RunningProgram>, mpsc::Receiver<Output>), LaunchError> {
        let path = &program.path;
        startable(path)?;
        let guarded = guarded(program);
        let mut command = Command::new(&guarded.path);
        command.args(&guarded.arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if cfg!(unix) { Stdio::piped() } else { Stdio::null() });
        for (name, value) in &guarded.environment {
            command.env(name, secrecy::ExposeSecret::expose_secret(value));
        }
        let mut command = CommandWrap::from(command);
        #[cfg(unix)]
        command.wrap(process_wrap::tokio::ProcessSession);
        #[cfg(windows)]
        command.wrap(process_wrap::tokio::JobObject);
        command.wrap(KillOnDrop);
        let mut child = command.spawn().map_err(|error| LaunchError::of(path, &error))?;
        let pid = child.id().unwrap_or_default();
        let (say, said) = mpsc::channel(LINES_WAITING);
        let (kill, killed) = oneshot::channel();
        let lifeline = child.stdin().take();
        tokio::spawn(attend(child, lifeline, say, killed));
        Ok((Box::new(Attended { pid, kill: Some(kill) }), said))
    }
}

struct Attended {
    pid: u32,
    /// Dropping it ends the program as well.
    kill: Option<oneshot::Sender<()>>,
}

impl RunningProgram for Attended {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn kill(&mut self) {
        self.kill = None;
    }
}

/// Stays with the program until it and its output have ended.
async fn attend(
    mut child: Box<dyn ChildWrapper>,
    lifeline: Option<ChildStdin>,
    say: mpsc::Sender<Output>,
    killed: oneshot::Receiver<()>,
) {
    let stdout = child.stdout().take().map(|pipe| tokio::spawn(read(pipe, say.clone(), Output::Stdout)));
    let stderr = child.stderr().take().map(|pipe| tokio::spawn(read(pipe, say.clone(), Output::Stderr)));
    let ended = tokio::select! {
        ended = child.wait() => Some(ended),
        _ = killed => None,
    };
    // On Unix the guard ends the program, and whatever it left behind, when the lifeline is cut.
    drop(lifeline);
    let ended = match ended {
        Some(ended) => ended,
        None => {
            #[cfg(not(unix))]
            if let Err(error) = child.start_kill() {
                tracing::warn!(%error, "a tunnel program could not be ended");
            }
            child.wait().await
        }
    };
    for reader in [stdout, stderr].into_iter().flatten() {
        // Fails only when the runtime is shutting down.
        let _ = reader.await;
    }
    let code = ended.ok().and_then(|status| status.code());
    // The shell of the guard reports a signal as 128 and its number.
    let code = code.filter(|code| !cfg!(unix) || !(129..=192).contains(code));
    // Nobody may be listening any more.
    let _ = say.send(Output::Ended { code }).await;
}

/// Reads lines until the end. Goes on reading when nobody listens: a full pipe would stop the program.
async fn read(mut pipe: impl AsyncRead + Unpin, say: mpsc::Sender<Output>, kind: fn(String) -> Output) {
    let mut lines = Lines::default();
    let mut piece = vec![0; PIECE_LENGTH];
    while let Ok(length @ 1..) = pipe.read(&mut piece).await {
        for line in lines.add(piece.get(..length).unwrap_or_default()) {
            // Nobody may be listening any more.
            let _ = say.send(kind(line)).await;
        }
    }
    if let Some(line) = lines.last() {
        let _ = say.send(kind(line)).await;
    }
}
