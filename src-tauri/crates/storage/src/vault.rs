//! Secrets: in the system's keychain, or in memory for practice.
//!
//! | system | keychain |
//! | --- | --- |
//! | Linux, BSD | Secret Service (GNOME Keyring, KWallet, KeePassXC) over D-Bus |
//! | macOS | login keychain |
//! | Windows | Credential Manager |
//!
//! What only one system has, with its words for the agent, is in `vault/keychain/`.

mod keychain;
mod worker;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::{SecretName, Vault, VaultError};
use secrecy::{ExposeSecret as _, SecretString};

use worker::Worker;

/// The name under which this build keeps its secrets; a debug build never sees the installed program's.
pub const SERVICE: &str = if cfg!(debug_assertions) { "Kennex Dialer (debug)" } else { "Kennex Dialer" };

/// How long a question may take: long enough to type a password into the keychain's own dialog.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// The system's keychain.
///
/// One thread asks it, one question at a time, so that there is never more than one password dialog
/// and never more than one thread waiting for it. A question that is not answered in time is
/// withdrawn if it was not begun; one that was begun may still take effect.
#[derive(Debug)]
pub struct OsVault {
    service: String,
    timeout: Duration,
    worker: Worker,
}

impl OsVault {
    /// Secrets of this build.
    pub fn new() -> Self {
        Self::with(SERVICE, TIMEOUT)
    }

    /// Secrets under another `service` name, with another time limit.
    pub fn with(service: impl Into<String>, timeout: Duration) -> Self {
        Self { service: service.into(), timeout, worker: Worker::default() }
    }

    fn ask<T: Send + 'static>(
        &self,
        account: &str,
        name: SecretName,
        question: impl Fn(&keyring::Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<T, VaultError> {
        let service = self.service.clone();
        let user = format!("{account}/{}", name.as_str());
        self.worker.ask(self.timeout, move |keychain| {
            keychain.with_entry(&service, &user, &question).map_err(|error| keychain::read_error(&error))
        })
    }
}

impl Default for OsVault {
    fn default() -> Self {
        Self::new()
    }
}

impl Vault for OsVault {
    fn load(&self, account: &str, name: SecretName) -> Result<Option<SecretString>, VaultError> {
        self.ask(account, name, |entry| {
            absent_is(None, entry.get_password().map(|secret| Some(SecretString::from(secret))))
        })
    }

    fn store(&self, account: &str, name: SecretName, secret: &SecretString) -> Result<(), VaultError> {
        let secret = secret.clone();
        self.ask(account, name, move |entry| entry.set_password(secret.expose_secret()))
    }

    fn delete(&self, account: &str, name: SecretName) -> Result<(), VaultError> {
        self.ask(account, name, |entry| absent_is((), entry.delete_credential()))
    }
}

fn absent_is<T>(absent: T, answer: keyring::Result<T>) -> keyring::Result<T> {
    match answer {
        Err(keyring::Error::NoEntry) => Ok(absent),
        answer => answer,
    }
}

/// Secrets that are gone when the program ends: practice mode never touches the keychain.
#[derive(Debug, Default)]
pub struct MemoryVault {
    secrets: Mutex<HashMap<(String, SecretName), SecretString>>,
}

impl MemoryVault {
    fn secrets(&self) -> MutexGuard<'_, HashMap<(String, SecretName), SecretString>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vault for MemoryVault {
    fn load(&self, account: &str, name: SecretName) -> Result<Option<SecretString>, VaultError> {
        Ok(self.secrets().get(&(account.to_owned(), name)).cloned())
    }

    fn store(&self, account: &str, name: SecretName, secret: &SecretString) -> Result<(), VaultError> {
        self.secrets().insert((account.to_owned(), name), secret.clone());
        Ok(())
    }

    fn delete(&self, account: &str, name: SecretName) -> Result<(), VaultError> {
        self.secrets().remove(&(account.to_owned(), name));
        Ok(())
    }
}

/// What the agent is told, with the cure for this system; the technical text is the detail.
pub fn user_error(error: &VaultError) -> UserError {
    let words = &keychain::WORDS;
    let message = match error {
        VaultError::Missing(_) => words.missing,
        VaultError::Locked(_) => words.locked,
        VaultError::Denied(_) => words.denied,
        VaultError::TimedOut(_) => words.timed_out,
        VaultError::Failed(_) => words.failed,
    };
    UserError::new(ErrorCode::KeychainUnavailable, message).with_detail(error.to_string())
}

/// What an agent is told in each case: what happened and what to do.
struct Words {
    missing: &'static str,
    locked: &'static str,
    denied: &'static str,
    timed_out: &'static str,
    failed: &'static str,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed expectation in a test should panic")]

    use super::*;

    #[test]
    fn memory_keeps_each_secret_of_each_account_until_it_is_deleted() {
        let vault = MemoryVault::default();
        let read = |account: &str, name| {
            vault.load(account, name).unwrap().map(|secret| secret.expose_secret().to_owned())
        };
        vault.store("ACone", SecretName::AuthToken, &"first".into()).unwrap();
        vault.store("ACone", SecretName::ApiKeySecret, &"second".into()).unwrap();
        vault.store("ACtwo", SecretName::AuthToken, &"third".into()).unwrap();
        vault.store("ACone", SecretName::AuthToken, &"newer".into()).unwrap();
        assert_eq!(read("ACone", SecretName::AuthToken).as_deref(), Some("newer"));
        assert_eq!(read("ACone", SecretName::ApiKeySecret).as_deref(), Some("second"));
        assert_eq!(read("ACtwo", SecretName::AuthToken).as_deref(), Some("third"));
        vault.delete("ACone", SecretName::AuthToken).unwrap();
        vault.delete("ACone", SecretName::AuthToken).unwrap();
        assert_eq!(read("ACone", SecretName::AuthToken), None);
        assert!(!format!("{vault:?}").contains("second"), "a secret must not be printed");
    }

    #[test]
    fn each_failure_has_its_own_sentence_and_cure() {
        let errors = [
            VaultError::Missing("m".into()),
            VaultError::Locked("l".into()),
            VaultError::Denied("d".into()),
            VaultError::TimedOut(60),
            VaultError::Failed("f".into()),
        ];
        let told: Vec<UserError> = errors.iter().map(user_error).collect();
        for (error, told) in errors.iter().zip(&told) {
            assert_eq!(told.code, ErrorCode::KeychainUnavailable);
            assert_eq!(told.detail, Some(error.to_string()));
            assert!(
                told.message.matches(". ").count() >= 1 && told.message.ends_with('.'),
                "{}",
                told.message
            );
        }
        for (n, one) in told.iter().enumerate() {
            assert!(told[n + 1..].iter().all(|other| other.message != one.message));
        }
    }
}
