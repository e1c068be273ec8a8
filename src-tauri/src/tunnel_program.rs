//! Starts tunnel programs through `tauri-plugin-shell`.
//!
//! The plugin's commands for pages are not granted by any capability (`capabilities/main.json`): only
//! this module starts programs, and only the one the agent chose as tunnel.

use dialer_gateway::tunnel::{
    LaunchError, Launcher, Lines, Output, Program, RunningProgram, apart, guarded, startable,
};
use secrecy::ExposeSecret as _;
use tauri::AppHandle;
use tauri::async_runtime::Receiver;
use tauri_plugin_shell::ShellExt as _;
use tauri_plugin_shell::process::{CommandChild, CommandEvent};
use tokio::sync::mpsc;

/// How many lines may wait to be read.
const LINES_WAITING: usize = 256;

/// Starts programs for the app.
pub(crate) struct ShellLauncher(AppHandle);

impl ShellLauncher {
    /// A launcher of `app`, which must have the plugin.
    pub(crate) fn new(app: AppHandle) -> Self {
        Self(app)
    }
}

impl Launcher for ShellLauncher {
    fn launch(
        &self,
        program: &Program,
    ) -> Result<(Box<dyn RunningProgram>, mpsc::Receiver<Output>), LaunchError> {
        let path = &program.path;
        startable(path)?;
        let guarded = apart(guarded(program));
        let environment =
            guarded.environment.iter().map(|(name, value)| (name, value.expose_secret().to_owned()));
        let command = self
            .0
            .shell()
            .command(&guarded.path)
            .args(&guarded.arguments)
            .envs(environment)
            // A job on Windows; on Unix the program gets a group of its own from the guard.
            .set_process_group(cfg!(windows))
            // By itself the plugin keeps a line until it ends, however long it becomes.
            .set_raw_out(true);
        let (events, child) = command
            .spawn()
            .map_err(|error| LaunchError::Failed { path: path.clone(), detail: error.to_string() })?;
        let (say, said) = mpsc::channel(LINES_WAITING);
        tauri::async_runtime::spawn(pass_on(events, say));
        Ok((Box::new(Child { pid: child.pid(), child: Some(child) }), said))
    }
}

/// A program that was started.
struct Child {
    pid: u32,
    child: Option<CommandChild>,
}

impl RunningProgram for Child {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn kill(&mut self) {
        let Some(child) = self.child.take() else { return };
        // On Unix the guard ends the program once its standard input is closed, which dropping does;
        // to kill the guard would leave the program running.
        if cfg!(windows)
            && let Err(error) = child.kill()
        {
            tracing::warn!(%error, "a tunnel program could not be ended");
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Passes on what the program says until it ends. Goes on reading when nobody listens: a full pipe
/// would stop the program.
async fn pass_on(mut events: Receiver<CommandEvent>, say: mpsc::Sender<Output>) {
    let mut code = None;
    let (mut stdout, mut stderr) = (Lines::default(), Lines::default());
    while let Some(event) = events.recv().await {
        match event {
            CommandEvent::Stdout(piece) => tell(&say, Output::Stdout, stdout.add(&piece)).await,
            CommandEvent::Stderr(piece) => tell(&say, Output::Stderr, stderr.add(&piece)).await,
            CommandEvent::Terminated(ended) => {
                // The shell of the guard reports a signal as 128 and its number.
                code = ended.code.filter(|code| !cfg!(unix) || !(129..=192).contains(code));
                break;
            }
            CommandEvent::Error(error) => {
                tracing::warn!(%error, "a tunnel program's output could not be read");
            }
            // The plugin reserves the right to tell more; the end and the words are all that matters.
            _ => {}
        }
    }
    tell(&say, Output::Stdout, stdout.last()).await;
    tell(&say, Output::Stderr, stderr.last()).await;
    let _ = say.send(Output::Ended { code }).await;
}

async fn tell(
    say: &mpsc::Sender<Output>,
    kind: fn(String) -> Output,
    lines: impl IntoIterator<Item = String, IntoIter: Send>,
) {
    for line in lines {
        // Nobody may be listening any more.
        let _ = say.send(kind(line)).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use tauri_plugin_shell::process::TerminatedPayload;

    use super::*;

    /// What is heard of these events.
    async fn heard(events: Vec<CommandEvent>) -> Vec<Output> {
        let (send, receive) = tauri::async_runtime::channel(events.len());
        for event in events {
            send.send(event).await.unwrap();
        }
        let (say, mut said) = mpsc::channel(64);
        pass_on(receive, say).await;
        let mut heard = Vec::new();
        while let Some(output) = said.recv().await {
            heard.push(output);
        }
        heard
    }

    fn ended(code: Option<i32>) -> CommandEvent {
        CommandEvent::Terminated(TerminatedPayload { code, signal: None })
    }

    #[tokio::test]
    async fn pieces_become_lines_of_either_output() {
        let heard = heard(vec![
            CommandEvent::Stdout(b"one\ntw".into()),
            CommandEvent::Stderr(b"three\r\n".into()),
            CommandEvent::Stdout(b"o\nno end".into()),
            ended(Some(7)),
        ]);
        assert_eq!(
            heard.await,
            [
                Output::Stdout("one".into()),
                Output::Stderr("three".into()),
                Output::Stdout("two".into()),
                Output::Stdout("no end".into()),
                Output::Ended { code: Some(7) },
            ]
        );
    }

    #[tokio::test]
    async fn a_line_that_does_not_end_is_cut() {
        let mut events = vec![CommandEvent::Stderr(vec![b'x'; 8_192]); 100];
        events.push(ended(None));
        let heard = heard(events).await;
        let [Output::Stderr(line), Output::Ended { code: None }] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!(line.len(), 16 * 1024);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_signal_is_no_code() {
        assert_eq!(heard(vec![ended(Some(128 + 9))]).await, [Output::Ended { code: None }]);
    }
}
