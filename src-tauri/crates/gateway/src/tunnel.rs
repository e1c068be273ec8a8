//! The supervisor of the tunnel: brings Twilio's requests to the webhook server and keeps doing so.

mod program;

use std::sync::Arc;

use dialer_domain::error::UserError;
use dialer_domain::ports::Clock;
use dialer_domain::setup::TunnelChoice;
use secrecy::SecretString;
use url::Url;

use crate::Proof;

pub use program::{LaunchError, Launcher, Output, Program, RunningProgram};

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
    pub folder: std::path::PathBuf,
}
