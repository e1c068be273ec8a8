//! The vault in use, which the agent may change while the program runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use dialer_domain::ports::{Clock as _, SecretName, SystemClock, Vault, VaultError, VaultKind};
use dialer_domain::setup::Signing;
use dialer_domain::sid::{AccountSid, ApiKeySid};
use secrecy::SecretString;

use super::file::{self, FileVault, Secrets};
use super::{MemoryVault, OsVault};
use crate::folders::Folders;
use crate::set_aside::{Because, free_name};
use crate::settings::Settings;

/// An account of nobody's, for asking a keychain whether it answers.
const NOBODY: &str = "nobody";
const OF_ACCOUNT: [SecretName; 2] = [SecretName::AuthToken, SecretName::TunnelToken];
const NAMES: [SecretName; 4] =
    [SecretName::AuthToken, SecretName::ApiKeySecret, SecretName::TunnelToken, SecretName::SharedKey];

/// A secret of the keychain that was replaced: its owner, its name, and what it was, if anything.
type Replaced = (String, SecretName, Option<SecretString>);

/// The system's keychain, the encrypted file or memory behind one [`Vault`].
#[derive(Debug)]
pub struct ChosenVault {
    current: RwLock<Current>,
    /// Held while secrets change or move, so that none is kept in the place that is being left.
    changing: Mutex<()>,
    /// Why the keychain could not answer last; absent when it could.
    trouble: Mutex<Option<VaultError>>,
    places: Option<Places>,
}

#[derive(Debug, Clone)]
enum Current {
    Keychain(Arc<OsVault>),
    File(Arc<FileVault>),
    Memory(Arc<MemoryVault>),
}

/// What a vault that outlives the program is made of.
#[derive(Debug)]
struct Places {
    keychain: Arc<OsVault>,
    file: Arc<FileVault>,
    settings: Settings,
}

impl ChosenVault {
    /// Secrets that are gone when the program ends.
    pub fn memory() -> Self {
        Self::new(Current::Memory(Arc::default()), None)
    }

    /// What the settings name; the choice is saved there, too.
    pub fn of(folders: &Folders, settings: &Settings) -> Self {
        Self::with(OsVault::new(), folders, settings)
    }

    /// As [`ChosenVault::of`], with this keychain.
    pub fn with(keychain: OsVault, folders: &Folders, settings: &Settings) -> Self {
        let places = Places {
            keychain: Arc::new(keychain),
            file: Arc::new(FileVault::at(folders.vault())),
            settings: settings.clone(),
        };
        let current = match settings.get().vault {
            VaultKind::Keychain | VaultKind::Memory => Current::Keychain(Arc::clone(&places.keychain)),
            VaultKind::File => Current::File(Arc::clone(&places.file)),
        };
        Self::new(current, Some(places))
    }

    fn new(current: Current, places: Option<Places>) -> Self {
        let (changing, trouble) = (Mutex::default(), Mutex::default());
        Self { current: RwLock::new(current), changing, trouble, places }
    }

    /// What keeps the secrets now.
    pub fn kind(&self) -> VaultKind {
        match self.current() {
            Current::Keychain(_) => VaultKind::Keychain,
            Current::File(_) => VaultKind::File,
            Current::Memory(_) => VaultKind::Memory,
        }
    }

    /// Whether secrets can be had and kept, as far as is known without asking the keychain.
    pub fn state(&self) -> Result<(), VaultError> {
        match self.current() {
            Current::Keychain(_) => self.trouble().clone().map_or(Ok(()), Err),
            Current::File(file) => file.state(),
            Current::Memory(_) => Ok(()),
        }
    }

    /// Asks whether secrets can be had and kept. A locked keychain shows its password dialog, if there
    /// is a secret of ours in it.
    pub fn probe(&self) -> Result<(), VaultError> {
        if let Current::Keychain(_) = self.current() {
            let token = self.known().into_iter().find(|(_, name)| *name == SecretName::AuthToken);
            let account = token.map_or_else(|| NOBODY.to_owned(), |(account, _)| account);
            return self.load(&account, SecretName::AuthToken).map(drop);
        }
        self.state()
    }

    /// Whether the encrypted file may be chosen: on a Linux or BSD whose keychain did not answer.
    pub fn file_possible(&self) -> bool {
        cfg!(all(unix, not(target_os = "macos")))
            && self.kind() == VaultKind::Keychain
            && self.trouble().is_some()
    }

    /// Keeps secrets in the encrypted file from now on, with this passphrase. Those that the keychain
    /// still gives out are moved; the others have to be entered again. With the file in use already,
    /// this unlocks it; otherwise it must be [possible](Self::file_possible), or nothing is done:
    /// [`VaultError::FileNotOffered`].
    pub fn use_file(&self, passphrase: &SecretString) -> Result<(), VaultError> {
        let _changing = self.changing();
        let keychain = match self.current() {
            Current::Keychain(keychain) => keychain,
            Current::File(_) => return self.unlock(passphrase),
            Current::Memory(_) => return Err(nothing_kept()),
        };
        if !self.file_possible() {
            return Err(VaultError::FileNotOffered);
        }
        let places = self.places.as_ref().ok_or_else(nothing_kept)?;
        open_or_create(&places.file, passphrase)?;
        let (moved, all_read) = self.read_keychain(&keychain);
        let names: Vec<(String, SecretName)> = moved.keys().cloned().collect();
        let by_entry = moved.into_iter().map(|((owner, name), secret)| (file::entry(&owner, name), secret));
        places.file.store_all(by_entry.collect())?;
        self.choose(places, VaultKind::File, Current::File(Arc::clone(&places.file)))?;
        if all_read {
            for (owner, name) in names {
                // What stays there does no harm, and the keychain may refuse.
                if let Err(error) = keychain.delete(&owner, name) {
                    tracing::warn!(%error, "a secret that was moved to the file stays in the keychain, too");
                }
            }
        }
        Ok(())
    }

    /// Keeps secrets in the keychain from now on. The encrypted file must be unlocked; its secrets are
    /// moved, and it is deleted. After an error the file is in use as before and the keychain is as it was.
    pub fn use_keychain(&self) -> Result<(), VaultError> {
        let _changing = self.changing();
        let file = match self.current() {
            Current::File(file) => file,
            Current::Keychain(_) => return Ok(()),
            Current::Memory(_) => return Err(nothing_kept()),
        };
        let places = self.places.as_ref().ok_or_else(nothing_kept)?;
        let mut replaced = Vec::new();
        let moved = self.move_to_keychain(&places.keychain, &file.all()?, &mut replaced).and_then(|()| {
            self.choose(places, VaultKind::Keychain, Current::Keychain(Arc::clone(&places.keychain)))
        });
        if moved.is_ok() {
            leave_file(&file);
        } else {
            put_back(&places.keychain, replaced);
        }
        moved
    }

    /// Stores each secret of the file; what the keychain had in its place is added to `replaced`.
    fn move_to_keychain(
        &self,
        keychain: &OsVault,
        secrets: &Secrets,
        replaced: &mut Vec<Replaced>,
    ) -> Result<(), VaultError> {
        for (entry, secret) in secrets {
            let (owner, name) = entry.split_once('/').unwrap_or((entry, ""));
            if let Some(name) = NAMES.into_iter().find(|known| known.as_str() == name) {
                let before = self.note(keychain.load(owner, name))?;
                replaced.push((owner.to_owned(), name, before));
                self.note(keychain.store(owner, name, secret))?;
            }
        }
        Ok(())
    }

    /// Gives up the encrypted file, whose passphrase is lost, and all that is in it: the file is deleted
    /// and the keychain is asked again from now on. Without a file in use this does nothing.
    pub fn give_up_file(&self) -> Result<(), VaultError> {
        let _changing = self.changing();
        let Current::File(file) = self.current() else { return Ok(()) };
        let places = self.places.as_ref().ok_or_else(nothing_kept)?;
        self.choose(places, VaultKind::Keychain, Current::Keychain(Arc::clone(&places.keychain)))?;
        leave_file(&file);
        Ok(())
    }

    /// Opens the encrypted file. One that is gone is begun anew with this passphrase.
    pub fn unlock(&self, passphrase: &SecretString) -> Result<(), VaultError> {
        match self.current() {
            Current::File(file) if file.exists() => file.unlock(passphrase),
            Current::File(file) => file.begin(passphrase),
            // There is nothing to enter: the keychain has a dialog of its own.
            Current::Keychain(_) | Current::Memory(_) => self.probe(),
        }
    }

    /// What the keychain gives out of all that may be in it, and whether that was all.
    fn read_keychain(&self, keychain: &OsVault) -> (BTreeMap<(String, SecretName), SecretString>, bool) {
        let mut read = BTreeMap::new();
        for (owner, name) in self.known() {
            match keychain.load(&owner, name) {
                Ok(None) => {}
                Ok(Some(secret)) => {
                    read.insert((owner, name), secret);
                }
                // It would fail, or show its dialog, again and again.
                Err(_) => return (read, false),
            }
        }
        (read, true)
    }

    /// The secrets there may be, by what the settings know: those of the accounts and of the keys.
    fn known(&self) -> BTreeSet<(String, SecretName)> {
        let Some(places) = &self.places else { return BTreeSet::new() };
        let saved = places.settings.get();
        let (record, pending) = (saved.record.as_ref(), saved.pending.as_ref());
        let accounts = [record.map(|record| &record.account.sid), pending.map(|pending| &pending.account)];
        let keys =
            [record.and_then(|record| record.key.as_ref()), pending.and_then(|it| it.api_key.as_ref())];
        let of_account = |sid: &AccountSid| OF_ACCOUNT.map(|name| (sid.to_string(), name));
        let of_key = |sid: &ApiKeySid| (sid.to_string(), SecretName::ApiKeySecret);
        let signing = record.and_then(|record| record.signing.as_ref());
        let shared =
            signing.into_iter().flat_map(Signing::keys).map(|id| (id.clone(), SecretName::SharedKey));
        accounts
            .into_iter()
            .flatten()
            .flat_map(of_account)
            .chain(keys.into_iter().flatten().map(of_key))
            .chain(shared)
            .collect()
    }

    fn choose(&self, places: &Places, kind: VaultKind, current: Current) -> Result<(), VaultError> {
        places
            .settings
            .change(|saved| saved.vault = kind)
            .map_err(|error| VaultError::FileFailed(error.to_string()))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
        Ok(())
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> MutexGuard<'_, Option<VaultError>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers how the keychain answered.
    fn note<T>(&self, answer: Result<T, VaultError>) -> Result<T, VaultError> {
        *self.trouble() = answer.as_ref().err().cloned();
        answer
    }
}

impl Vault for ChosenVault {
    fn load(&self, account: &str, name: SecretName) -> Result<Option<SecretString>, VaultError> {
        match self.current() {
            Current::Keychain(keychain) => self.note(keychain.load(account, name)),
            Current::File(file) => file.load(account, name),
            Current::Memory(memory) => memory.load(account, name),
        }
    }

    fn store(&self, account: &str, name: SecretName, secret: &SecretString) -> Result<(), VaultError> {
        let _changing = self.changing();
        match self.current() {
            Current::Keychain(keychain) => self.note(keychain.store(account, name, secret)),
            Current::File(file) => file.store(account, name, secret),
            Current::Memory(memory) => memory.store(account, name, secret),
        }
    }

    fn delete(&self, account: &str, name: SecretName) -> Result<(), VaultError> {
        let _changing = self.changing();
        match self.current() {
            Current::Keychain(keychain) => self.note(keychain.delete(account, name)),
            Current::File(file) => file.delete(account, name),
            Current::Memory(memory) => memory.delete(account, name),
        }
    }
}

/// Deletes the file, which is no longer in use. One that stays is encrypted, and set aside when another is
/// begun.
fn leave_file(file: &FileVault) {
    file.lock();
    match fs::remove_file(file.path()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "the encrypted file is no longer in use, but cannot be deleted");
        }
        _ => {}
    }
}

/// Makes the keychain say what it said before.
fn put_back(keychain: &OsVault, replaced: Vec<Replaced>) {
    for (owner, name, before) in replaced {
        let answer = match before {
            Some(before) => keychain.store(&owner, name, &before),
            None => keychain.delete(&owner, name),
        };
        if let Err(error) = answer {
            tracing::warn!(%error, "a secret that was to be moved to the keychain stays there");
        }
    }
}

/// Opens a file that was left from an earlier choice. One with another passphrase is not in use, so it is
/// kept under another name and a new one is begun.
fn open_or_create(file: &FileVault, passphrase: &SecretString) -> Result<(), VaultError> {
    if file.exists() {
        match file.unlock(passphrase) {
            Err(VaultError::WrongPassphrase | VaultError::Damaged(_)) => {
                let kept = free_name(file.path(), Because::Damaged, &[""], SystemClock.now_ms());
                fs::rename(file.path(), kept).map_err(|error| VaultError::FileFailed(error.to_string()))?;
            }
            answer => return answer,
        }
    }
    file.begin(passphrase)
}

fn nothing_kept() -> VaultError {
    VaultError::FileFailed("secrets are kept in memory only while practising".into())
}
