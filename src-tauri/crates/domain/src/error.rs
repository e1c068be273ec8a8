//! Errors as three things: a code for the machine, a sentence for the person, a chain for the log.

use serde::{Deserialize, Serialize};

/// Names a failure for code that must branch on it.
///
/// A variant exists only while the UI or a command-line caller does something different for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
pub enum ErrorCode {
    /// A call is already in progress.
    Busy,
    /// No microphone could be opened.
    MicrophoneMissing,
    /// No loudspeaker could be opened.
    SpeakerMissing,
    /// The operating system's keychain is absent, locked or refused access.
    KeychainUnavailable,
    /// The call log file was damaged and has been set aside.
    CallLogSetAside,
    /// The call log cannot be written.
    CallLogUnavailable,
    /// The settings file was damaged and has been set aside.
    SettingsSetAside,
    /// The settings cannot be read or written.
    SettingsUnavailable,
    /// A network port the program needs is taken.
    PortInUse,
    /// Twilio refused the access token.
    TokenRejected,
    /// The sound path of a call failed.
    MediaFailed,
    /// A webhook request was refused because its signature did not match.
    WebhookRefused,
    /// The call ended with a reason from Twilio.
    CallFailed,
    /// The rules do not allow the call.
    CallRefused,
    /// What was entered is not of the form it must have.
    InvalidEntry,
    /// Twilio refused the account's credentials.
    CredentialsRefused,
    /// The account is suspended or closed.
    AccountNotActive,
    /// There is no way to Twilio at the moment; what waits for it goes on by itself.
    Offline,
    /// Twilio answered with an error.
    TwilioFailed,
    /// The tunnel that brings Twilio's requests here does not work.
    TunnelFailed,
    /// The command does not exist or its arguments are malformed: a defect of this program.
    Internal,
}

/// A failure as the agent sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, ts_rs::TS)]
#[error("{message}")]
pub struct UserError {
    /// For code that branches.
    pub code: ErrorCode,
    /// What happened and what to do, as whole sentences.
    pub message: String,
    /// Technical detail for the diagnostics view; never a secret or a telephone number.
    pub detail: Option<String>,
}

impl UserError {
    /// An error without technical detail.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None }
    }

    /// Adds technical detail, such as the cause chain.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}
