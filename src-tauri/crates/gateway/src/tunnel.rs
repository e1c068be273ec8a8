//! The supervisor of the tunnel: brings Twilio's requests to the webhook server and keeps doing so.
//!
//! What to do is decided by a pure state machine; a task carries it out: it starts the program, reads
//! what it says, asks the public address for a [`Proof`] and waits. No address is told to anybody
//! before this very process was seen behind it.

mod address;
mod find;
mod launcher;
mod lines;
mod log;
mod look;
mod machine;
mod periods;
mod program;
mod provider;
mod supervisor;

use std::path::PathBuf;
use std::sync::Arc;

use dialer_domain::error::UserError;
use dialer_domain::ports::Clock;
use dialer_domain::setup::TunnelChoice;
use secrecy::SecretString;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use url::Url;

use crate::Proof;

pub use find::{InstalledProgram, find_program, installed};
pub use launcher::TokioLauncher;
pub use lines::Lines;
pub use periods::Periods;
pub use program::{LaunchError, Launcher, Output, Program, RunningProgram, apart, guarded, startable};
pub use reqwest::Certificate;

use log::Log;
use supervisor::Command;

/// Whether `choice` is complete and of a form that can work; the sentence says what to enter instead.
/// Whether its program is there is seen when it starts.
pub fn validate(choice: &TunnelChoice) -> Result<(), UserError> {
    provider::provider(choice).map(drop)
}

/// How the tunnel stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TunnelState {
    /// Not wanted.
    Off,
    /// The program is starting, or its address is not known yet.
    Starting,
    /// The address is known; whether it leads to this very process is being proven.
    Verifying {
        /// The address.
        url: Url,
    },
    /// Twilio's requests arrive.
    Up {
        /// The address.
        url: Url,
        /// Unix milliseconds.
        since_ms: i64,
    },
    /// It was up and does not answer now; it is given time to heal by itself.
    Degraded {
        /// The address, which is still the one at Twilio.
        url: Url,
        /// What is wrong, for the agent.
        reason: UserError,
    },
    /// It failed and is tried again.
    Backoff {
        /// How often it has failed in a row.
        failures: u32,
        /// When it is tried again, in Unix milliseconds.
        until_ms: i64,
        /// What is wrong, for the agent.
        reason: UserError,
    },
    /// It failed in a way that no repetition cures, or too often: the agent must do something.
    Open {
        /// What is wrong and what to do.
        reason: UserError,
        /// When it is tried again by itself, in Unix milliseconds; `None` when only the agent can help.
        until_ms: Option<i64>,
    },
}

/// What to run and how to know that it works.
pub struct TunnelOptions {
    /// The provider.
    pub choice: TunnelChoice,
    /// The provider's token, where it needs one.
    pub token: Option<SecretString>,
    /// The webhook server's port on this computer.
    pub local_port: u16,
    /// Proves that an address leads to this process.
    pub proof: Proof,
    /// Starts programs.
    pub launcher: Arc<dyn Launcher>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// A folder of the program's own for files of the tunnel (known hosts, configuration, token files).
    pub folder: PathBuf,
    /// Certificate authorities believed besides the system's own when the public address is asked:
    /// that of a company's proxy, which signs anew whatever passes it. Twilio knows none of them, so
    /// an address that needs one may still be out of Twilio's reach.
    pub trust: Vec<Certificate>,
    /// Names that are not looked up, with the addresses asked instead. For networks that do not lead
    /// back from inside to their own public name.
    pub addresses: Vec<(String, std::net::SocketAddr)>,
    /// How long things may take. The defaults are for everyone but tests.
    pub periods: Periods,
}

/// The running supervisor. Dropping it ends the program; [`shutdown`](Self::shutdown) also waits for
/// the end.
pub struct Tunnel {
    commands: mpsc::UnboundedSender<Command>,
    state: watch::Receiver<TunnelState>,
    log: Log,
    supervising: JoinHandle<()>,
}

impl Tunnel {
    /// Begins to bring the tunnel up. What goes wrong, a choice that cannot work included, is told by
    /// the state. Must be called within a tokio runtime.
    pub fn start(options: TunnelOptions) -> Self {
        let (commands, received) = mpsc::unbounded_channel();
        let (tell, state) = watch::channel(TunnelState::Off);
        let log = Log::new(options.token.clone());
        let supervising = tokio::spawn(supervisor::run(options, received, tell, log.clone()));
        Self { commands, state, log, supervising }
    }

    /// The state and its changes.
    pub fn watch(&self) -> watch::Receiver<TunnelState> {
        self.state.clone()
    }

    /// Tries now, whatever was waited for.
    pub fn retry(&self) {
        self.tell(Command::Retry);
    }

    /// The computer changed its network or woke up: worth another attempt.
    pub fn network_changed(&self) {
        self.tell(Command::NetworkChanged);
    }

    /// What the system says about being offline. A hint only: offline, nothing is restarted, because
    /// that would cost a temporary address, but attempts go on at long intervals.
    pub fn network_offline(&self, offline: bool) {
        self.tell(Command::Offline(offline));
    }

    /// Whether a call is up: then the address is looked at more often.
    pub fn in_call(&self, in_call: bool) {
        self.tell(Command::InCall(in_call));
    }

    /// A webhook with a good signature arrived, which proves the way as well as a probe does.
    pub fn webhook_seen(&self) {
        self.tell(Command::WebhookSeen);
    }

    /// The last 200 lines of the program's output, oldest first, without secrets or telephone numbers.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// Ends the program and what it started, and returns when they are gone; after a few seconds in
    /// any case.
    pub async fn shutdown(self) {
        let Self { commands, supervising, .. } = self;
        drop(commands);
        if let Err(error) = supervising.await {
            tracing::error!(%error, "the tunnel's supervisor ended badly");
        }
    }

    fn tell(&self, command: Command) {
        // Fails only when the runtime is shutting down.
        let _ = self.commands.send(command);
    }
}
