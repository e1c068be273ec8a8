//! Secrets in the system's keychain.

use std::time::Duration;

use dialer_domain::ports::{SecretName, Vault, VaultError};
use secrecy::{ExposeSecret as _, SecretString};

use super::keychain;
use super::worker::Worker;

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
