//! What distinguishes one tunnel program from another: how it is started, where its address comes from,
//! and what its words mean. All of it is data or a function of its arguments, but for the files a program
//! is started with.

mod cloudflared;
mod command;
mod fixed;
pub(crate) mod ngrok;
mod ssh;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::setup::TunnelChoice;
use secrecy::SecretString;
use url::Url;

use super::periods::Periods;
use super::program::Program;

/// What a program starts with.
pub(crate) struct Start<'a> {
    /// The webhook server's port on this computer.
    pub(crate) local_port: u16,
    /// For files of the tunnel; it exists.
    pub(crate) folder: &'a Path,
    /// The provider's token.
    pub(crate) token: Option<&'a SecretString>,
}

/// What a line of a program's output tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The public address.
    Address(Url),
    /// The way from the public address to this computer stands.
    Connected,
    /// The program answers questions here.
    Interface(SocketAddr),
    /// Why it does not work at the moment. Told to the agent if the attempt fails.
    Trouble(UserError),
    /// What it needs is in another session's hands. That may be our own last one, which the provider has
    /// not let go of yet; otherwise it is as [`Permanent`](Self::Permanent).
    Held(UserError),
    /// Why it cannot work, however often it is tried.
    Permanent(UserError),
}

/// What the program's own interface answered to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status of the HTTP answer.
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// What the program's own interface tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// The way stands; with the address, where the interface knows it.
    Connected {
        /// The public address.
        address: Option<Url>,
    },
    /// It does not stand, and the program is working on it.
    Reconnecting {
        /// The public address.
        address: Option<Url>,
    },
    /// There was no answer, or none that makes sense.
    Silent,
}

/// How often a provider's tunnel may be looked at and started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) probe: Duration,
    pub(crate) probe_in_call: Duration,
    pub(crate) backoff_base: Duration,
    pub(crate) backoff_cap: Duration,
}

impl Pace {
    /// For an address of the agent's own.
    fn own(periods: &Periods) -> Self {
        Self {
            probe: periods.probe,
            probe_in_call: periods.probe_in_call,
            backoff_base: periods.backoff_base,
            backoff_cap: periods.backoff_cap,
        }
    }
}

/// A way of bringing the public address to this computer, checked and ready to be tried.
pub(crate) trait Provider: Send + Sync {
    /// For sentences.
    fn name(&self) -> &str;

    fn pace(&self, periods: &Periods) -> Pace;

    /// The program to start, `None` where there is nothing to start. Errors are permanent.
    fn program(&self, start: &Start<'_>) -> Result<Option<Program>, UserError>;

    /// Whether there is a program.
    fn has_program(&self) -> bool {
        true
    }

    /// The public address, where it is known beforehand.
    fn address(&self) -> Option<&Url> {
        None
    }

    /// What a line of the program's output tells.
    fn read(&self, line: &str) -> Option<Finding>;

    /// Paths to ask the program's own interface for.
    fn questions(&self) -> &'static [&'static str] {
        &[]
    }

    /// What the answers mean; one for each question, `None` for a question without an answer.
    /// `local_port` is the webhook server's.
    fn report(&self, _answers: &[Option<Answer>], _local_port: u16) -> Report {
        Report::Silent
    }

    /// The program's reason for ending with `code`, where it speaks through it.
    fn ended(&self, code: Option<i32>) -> UserError {
        let how = code.map_or_else(|| "was ended".to_owned(), |code| format!("ended with code {code}"));
        trouble(format!("{} {how}. Its last words are in the diagnostics.", self.name()))
    }
}

/// Checks `choice` and makes a provider of it.
pub(crate) fn provider(choice: &TunnelChoice) -> Result<Box<dyn Provider>, UserError> {
    Ok(match choice {
        TunnelChoice::Fixed { url } => Box::new(fixed::Fixed::new(url)?),
        TunnelChoice::CloudflaredNamed { url, program } => {
            Box::new(cloudflared::Named::new(url, program.as_deref())?)
        }
        TunnelChoice::CloudflaredQuick { program } => Box::new(cloudflared::Quick::new(program.as_deref())),
        TunnelChoice::Ngrok { url, program } => {
            Box::new(ngrok::Ngrok::new(url.as_deref(), program.as_deref())?)
        }
        TunnelChoice::Ssh { destination, port, key_file, remote_port, url, program } => Box::new(
            ssh::Ssh::new(destination, *port, key_file.as_deref(), *remote_port, url, program.as_deref())?,
        ),
        TunnelChoice::Command { program, arguments, url_pattern, url } => {
            Box::new(command::Command::new(program, arguments, url_pattern.as_deref(), url.as_deref())?)
        }
    })
}

/// A reason of the tunnel's.
pub(crate) fn trouble(message: impl Into<String>) -> UserError {
    UserError::new(ErrorCode::TunnelFailed, message)
}

/// The error for what the agent entered.
pub(crate) fn invalid(message: impl Into<String>) -> UserError {
    UserError::new(ErrorCode::InvalidEntry, message)
}

/// A file of ours in the tunnel's folder, readable for nobody else.
fn write_file(path: &Path, content: &str) -> Result<(), UserError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(path).and_then(|mut file| std::io::Write::write_all(&mut file, content.as_bytes()));
    written.map_err(|error| {
        trouble(format!("The file {} could not be written. Check the folder's permissions.", path.display()))
            .with_detail(error.to_string())
    })
}
