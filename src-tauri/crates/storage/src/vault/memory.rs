//! Secrets for practice.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dialer_domain::ports::{SecretName, Vault, VaultError};
use secrecy::SecretString;

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed expectation in a test should panic")]

    use secrecy::ExposeSecret as _;

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
}
