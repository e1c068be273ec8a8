//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// A desktop softphone for Twilio. Until an account is connected it opens in practice mode, where
/// every call is a real audio call to a Twilio simulator inside the program.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    /// Practice mode with a throw-away data folder; never touches the keychain.
    #[arg(long)]
    pub(crate) practice: bool,

    /// Place and receive a practice call through the window's own actions, measure the sound both
    /// ways, print a line per stage, and exit 0 only if all passed.
    #[arg(long)]
    pub(crate) self_test: bool,

    /// Where the self-test writes its result as JSON.
    #[arg(long, value_name = "FILE", requires = "self_test")]
    pub(crate) report: Option<PathBuf>,

    /// Work with a simulator of Twilio at this address instead of the real Twilio, to try out what
    /// connecting an account does. A loopback address such as http://127.0.0.1:4000.
    #[arg(long, value_name = "URL")]
    pub(crate) twilio: Option<url::Url>,

    /// Where the webhook server listens. By default port 3002 where a proxy or a named tunnel has to
    /// know it, and any free port otherwise.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) webhook_listen: Option<std::net::SocketAddr>,

    /// Practice mode: listen here for signalling and control, so that tests and tools can drive the
    /// simulator. By default the system chooses a free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", hide_default_value = true)]
    pub(crate) simulator_listen: std::net::SocketAddr,

    /// Practice mode: write the simulator's address to this file once it listens.
    #[arg(long, value_name = "FILE")]
    pub(crate) simulator_address_file: Option<PathBuf>,
}

impl Arguments {
    /// Whether a script started the program: nothing of the user's is touched, and a failure is told on
    /// the error stream rather than in a window.
    pub(crate) fn scripted(&self) -> bool {
        self.practice || self.self_test
    }
}
