//! Secrets in a file encrypted with a passphrase, for a Linux without a keychain.

mod format;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dialer_domain::ports::{SecretName, Vault, VaultError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::private_files;
use format::Key;
pub(super) use format::Secrets;

/// The shortest passphrase, in characters. Argon2id makes each guess expensive, so a short sentence is
/// enough; NIST SP 800-63B asks for eight.
pub const PASSPHRASE_MIN: usize = 8;

/// The encrypted file. Locked until a passphrase opened it; from then on the key is in memory, the
/// secrets are only there while one is asked for.
pub struct FileVault {
    path: PathBuf,
    key: Mutex<Option<Key>>,
}

impl fmt::Debug for FileVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileVault").field("path", &self.path).field("locked", &self.key().is_none()).finish()
    }
}

impl FileVault {
    /// The file at `path`, locked; it need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), key: Mutex::new(None) }
    }

    /// Makes the file at `path`, without secrets and unlocked. One that exists is never overwritten:
    /// [`VaultError::FileFailed`].
    pub fn create(path: impl Into<PathBuf>, passphrase: &SecretString) -> Result<Self, VaultError> {
        let vault = Self::at(path);
        vault.begin(passphrase)?;
        Ok(vault)
    }

    /// Makes the file of this vault, as [`FileVault::create`] does.
    pub(super) fn begin(&self, passphrase: &SecretString) -> Result<(), VaultError> {
        check(passphrase)?;
        if self.exists() {
            return Err(VaultError::FileFailed("there is such a file already".into()));
        }
        let key = Key::new(passphrase)?;
        self.write(&key, &Secrets::new())?;
        *self.key() = Some(key);
        Ok(())
    }

    /// Opens the file with its passphrase; takes about a quarter of a second.
    pub fn unlock(&self, passphrase: &SecretString) -> Result<(), VaultError> {
        let bytes = self.read()?;
        let key = Key::of_file(&bytes, passphrase)?;
        // With a sound file, only another passphrase leads to a key that does not fit.
        format::open(&key, &bytes)?.ok_or(VaultError::WrongPassphrase)?;
        *self.key() = Some(key);
        Ok(())
    }

    /// Forgets the key.
    pub fn lock(&self) {
        *self.key() = None;
    }

    /// Whether secrets can be had and kept now; if not, why.
    pub fn state(&self) -> Result<(), VaultError> {
        self.all().map(drop)
    }

    /// Encrypts the file anew with another passphrase. It must be given the present one, even while
    /// unlocked.
    pub fn change_passphrase(&self, present: &SecretString, new: &SecretString) -> Result<(), VaultError> {
        check(new)?;
        let mut kept = self.key();
        let bytes = self.read()?;
        let key = Key::of_file(&bytes, present)?;
        let secrets = format::open(&key, &bytes)?.ok_or(VaultError::WrongPassphrase)?;
        let key = Key::new(new)?;
        self.write(&key, &secrets)?;
        *kept = Some(key);
        Ok(())
    }

    /// Keeps all of these in one go.
    pub(super) fn store_all(&self, more: Secrets) -> Result<(), VaultError> {
        self.change(|secrets| secrets.extend(more))
    }

    /// Whether there is a file.
    pub(super) fn exists(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn key(&self) -> MutexGuard<'_, Option<Key>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that is kept, by the name in the file.
    pub(super) fn all(&self) -> Result<Secrets, VaultError> {
        let mut key = self.key();
        self.decrypt(&mut key)
    }

    fn decrypt(&self, key: &mut Option<Key>) -> Result<Secrets, VaultError> {
        let bytes = self.read()?;
        // Another copy of the file, with another passphrase, may have been put in its place.
        if format::is_locked(key.as_ref(), &bytes)? {
            *key = None;
        }
        let key = key.as_ref().ok_or(VaultError::FileLocked)?;
        format::open(key, &bytes)?
            .ok_or_else(|| VaultError::Damaged("it was changed by another program".into()))
    }

    fn change(&self, edit: impl FnOnce(&mut Secrets)) -> Result<(), VaultError> {
        let mut key = self.key();
        let mut secrets = self.decrypt(&mut key)?;
        edit(&mut secrets);
        let key = key.as_ref().ok_or(VaultError::FileLocked)?;
        self.write(key, &secrets)
    }

    fn read(&self) -> Result<Vec<u8>, VaultError> {
        fs::read(&self.path).map_err(|error| {
            let text = error.to_string();
            if error.kind() == io::ErrorKind::NotFound {
                VaultError::FileMissing(text)
            } else {
                VaultError::FileFailed(text)
            }
        })
    }

    fn write(&self, key: &Key, secrets: &Secrets) -> Result<(), VaultError> {
        let bytes = format::seal(key, secrets)?;
        private_files::replace(&self.path, &bytes).map_err(|error| VaultError::FileFailed(error.to_string()))
    }
}

impl Vault for FileVault {
    fn load(&self, owner: &str, name: SecretName) -> Result<Option<SecretString>, VaultError> {
        Ok(self.all()?.remove(&entry(owner, name)))
    }

    fn store(&self, owner: &str, name: SecretName, secret: &SecretString) -> Result<(), VaultError> {
        self.change(|secrets| {
            secrets.insert(entry(owner, name), secret.clone());
        })
    }

    fn delete(&self, owner: &str, name: SecretName) -> Result<(), VaultError> {
        self.change(|secrets| {
            secrets.remove(&entry(owner, name));
        })
    }
}

/// The name of a secret in the file.
pub(super) fn entry(owner: &str, name: SecretName) -> String {
    format!("{owner}/{}", name.as_str())
}

fn check(passphrase: &SecretString) -> Result<(), VaultError> {
    let long_enough = passphrase.expose_secret().chars().count() >= PASSPHRASE_MIN;
    if long_enough { Ok(()) } else { Err(VaultError::ShortPassphrase(PASSPHRASE_MIN)) }
}

#[cfg(test)]
mod tests;
