//! Starts tunnel programs through `tauri-plugin-shell`.
//!
//! The plugin's commands for pages are not granted by any capability (`capabilities/main.json`): only
//! this module starts programs, and only the one the agent chose as tunnel.

use dialer_gateway::tunnel::{LaunchError, Launcher, Output, Program, RunningProgram, guarded, startable};
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
        let guarded = guarded(program);
        let environment =
            guarded.environment.iter().map(|(name, value)| (name, value.expose_secret().to_owned()));
        let command = self
            .0
            .shell()
            .command(&guarded.path)
            .args(&guarded.arguments)
            .envs(environment)
            // A job on Windows; on Unix the guard has made a group already.
            .set_process_group(cfg!(windows));
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
    while let Some(event) = events.recv().await {
        let output = match event {
            CommandEvent::Stdout(line) => Output::Stdout(text(&line)),
            CommandEvent::Stderr(line) => Output::Stderr(text(&line)),
            CommandEvent::Terminated(ended) => {
                // The shell of the guard reports a signal as 128 and its number.
                code = ended.code.filter(|code| !cfg!(unix) || !(129..=192).contains(code));
                break;
            }
            CommandEvent::Error(error) => {
                tracing::warn!(%error, "a tunnel program's output could not be read");
                continue;
            }
            _ => continue,
        };
        let _ = say.send(output).await;
    }
    let _ = say.send(Output::Ended { code }).await;
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned()
}
