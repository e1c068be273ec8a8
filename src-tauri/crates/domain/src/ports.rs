//! What the core needs from outside, as traits. Concrete types meet in the shell and the server only.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::call::{CallEvent, CallId};
use crate::call_log::{CallLogEntry, CallLogPage, Cursor};
use crate::error::UserError;
use crate::sid::CallSid;

/// Wall-clock time. Injected so that tests decide what time it is.
pub trait Clock: Send + Sync + 'static {
    /// Unix milliseconds.
    fn now_ms(&self) -> i64;
}

/// The computer's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A secret the program keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretName {
    /// The account's Auth Token: the key of webhook signatures.
    AuthToken,
    /// The API key's secret: signs access tokens. It belongs to the key, not to the account.
    ApiKeySecret,
    /// The token of the tunnel program: cloudflared's or ngrok's.
    TunnelToken,
    /// What a shared key of the Webhooks configuration API signs webhooks with. It belongs to the shared key.
    SharedKey,
}

impl SecretName {
    /// The name under which a keychain shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthToken => "auth-token",
            Self::ApiKeySecret => "api-key-secret",
            Self::TunnelToken => "tunnel-token",
            Self::SharedKey => "shared-key",
        }
    }
}

/// What keeps the secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum VaultKind {
    /// The system's keychain.
    Keychain,
    /// A file encrypted with a passphrase.
    File,
    /// Memory, in practice mode started as such.
    Memory,
}

/// Why the vault could not answer. Each has its own sentence and cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The system has no keychain, or nothing answers for it.
    #[error("no keychain is available: {0}")]
    Missing(String),
    /// The keychain exists but is locked, or unlocking was cancelled.
    #[error("the keychain is locked: {0}")]
    Locked(String),
    /// The keychain refused this program.
    #[error("the keychain denied access: {0}")]
    Denied(String),
    /// The keychain did not answer in time.
    #[error("the keychain did not answer within {0} s")]
    TimedOut(u64),
    /// A secret that was stored is not there any more: somebody deleted it, or the keychain is another
    /// one than before.
    #[error("the secret “{0}” is no longer in the keychain")]
    Changed(&'static str),
    /// The encrypted file may not be chosen: this system's keychain keeps the secrets, or has not been
    /// asked whether it does.
    #[error("an encrypted file is for computers whose keychain does not answer")]
    FileNotOffered,
    /// The encrypted file waits for its passphrase.
    #[error("the encrypted file is locked")]
    FileLocked,
    /// The encrypted file is not there any more.
    #[error("the encrypted file is missing: {0}")]
    FileMissing(String),
    /// The encrypted file could not be read or written.
    #[error("the encrypted file failed: {0}")]
    FileFailed(String),
    /// The passphrase does not open the encrypted file.
    #[error("the passphrase does not open the encrypted file")]
    WrongPassphrase,
    /// The passphrase may not be used for an encrypted file: it is too short.
    #[error("the passphrase is shorter than {0} characters")]
    ShortPassphrase(usize),
    /// The encrypted file is not what the program wrote.
    #[error("the encrypted file is damaged: {0}")]
    Damaged(String),
    /// Anything else the platform reported.
    #[error("the keychain failed: {0}")]
    Failed(String),
}

/// Keeps secrets. Calls may block on the operating system: use them from a blocking task.
///
/// A secret is kept by its owner and its name. The owner of an Auth Token and of a tunnel's token is the
/// account, by its SID; the owner of [`SecretName::ApiKeySecret`] is the key, by the key's own SID, so
/// that the secret of one key is never taken for that of another; that of [`SecretName::SharedKey`] is the shared
/// key, by Twilio's id of it, for the same reason.
pub trait Vault: Send + Sync + 'static {
    /// The secret of `owner`, or `None` if none is stored.
    fn load(&self, owner: &str, name: SecretName) -> Result<Option<SecretString>, VaultError>;
    /// Stores or replaces a secret.
    fn store(&self, owner: &str, name: SecretName, secret: &SecretString) -> Result<(), VaultError>;
    /// Forgets a secret; forgetting what is not there is no error.
    fn delete(&self, owner: &str, name: SecretName) -> Result<(), VaultError>;
}

/// The secret of `owner`, which must be there because the record says that it was stored. An absent
/// one is [`VaultError::Changed`].
pub fn load_required(vault: &dyn Vault, owner: &str, name: SecretName) -> Result<SecretString, VaultError> {
    vault.load(owner, name)?.ok_or(VaultError::Changed(name.as_str()))
}

/// Why the call log could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the call log failed: {error}{}", in_brackets(error.detail.as_deref()))]
pub struct CallStoreError {
    /// Whether the same attempt can succeed later: true for a full disk, a lock or a missing
    /// permission, false for damage, which no repetition cures.
    pub passing: bool,
    /// For the agent: what happened and what to do about it.
    pub error: UserError,
}

fn in_brackets(detail: Option<&str>) -> String {
    detail.map(|detail| format!(" ({detail})")).unwrap_or_default()
}

/// What recording an event did to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The call's new row. Its id may differ from the one given: a call keeps its oldest `CallId`.
    pub entry: CallLogEntry,
    /// Rows that proved to be this call and are gone; their ids still lead to `entry`.
    pub removed: Vec<CallId>,
}

/// Keeps the events of every call and answers with folded rows. Blocking: use from a blocking task.
pub trait CallStore: Send + Sync + 'static {
    /// Adds one event to the call it belongs to and answers with the call's new row, or `None` if
    /// the event was known already and changed nothing.
    ///
    /// `call` is given where the reporter knows it (SDK events; voice webhooks that carry `CallId`).
    /// Rows that an event shows to be one call are merged; the row of the older `CallId` stays.
    fn record(&self, call: Option<CallId>, event: CallEvent) -> Result<Option<Recorded>, CallStoreError>;
    /// One page of the log, newest first. `limit` is capped at 200.
    fn list(&self, before: Option<Cursor>, limit: u32) -> Result<CallLogPage, CallStoreError>;
    /// One call's row.
    fn get(&self, call: CallId) -> Result<Option<CallLogEntry>, CallStoreError>;
    /// The row of the call that `leg` belongs to.
    fn of_leg(&self, leg: &CallSid) -> Result<Option<CallLogEntry>, CallStoreError>;
    /// Every call that began at `since_ms` (Unix milliseconds) or later, newest first.
    fn since(&self, since_ms: i64) -> Result<Vec<CallLogEntry>, CallStoreError> {
        let mut entries = Vec::new();
        self.each_since(since_ms, &mut |entry| entries.push(entry))?;
        Ok(entries)
    }
    /// Shows `visit` what [`since`](Self::since) answers with, without holding more than a page of it.
    fn each_since(&self, since_ms: i64, visit: &mut dyn FnMut(CallLogEntry)) -> Result<(), CallStoreError> {
        let mut before = None;
        loop {
            let page = self.list(before, 200)?;
            let listed = page.entries.len();
            page.entries.into_iter().filter(|entry| entry.started_at_ms >= since_ms).for_each(&mut *visit);
            // The place in the list, not the row, is what the order goes by.
            match page.next {
                Some(next) if listed > 0 && next.started_at_ms >= since_ms => before = Some(next),
                Some(_) | None => return Ok(()),
            }
        }
    }
}
