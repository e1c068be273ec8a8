//! What the program remembers between two runs besides calls and secrets: which account is connected,
//! and what was changed at Twilio for it.

mod computer;
mod error;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dialer_domain::call_flow::Rules;
use dialer_domain::ports::{Clock, SystemClock, VaultKind};
use dialer_domain::setup::{Installation, Pending, Record};
use serde::{Deserialize, Serialize};

pub use computer::Computer;
pub use error::{SettingsError, set_aside_notice};

use crate::folders::Folders;
use crate::private_files;
use crate::set_aside::{Because, beside, free_name};

/// The format of the file. Whatever adds to it raises the number, for an older program would lose the
/// addition with its first change.
///
/// 1: the first. 2: the mark of the computer. 3: the rules of calls. 4: the key that webhooks are signed with.
const VERSION: u32 = 4;

/// All that is remembered. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// This installation, made at the first start.
    pub installation: Installation,
    /// What keeps the secrets.
    pub vault: VaultKind,
    /// What was entered and waits to be looked at.
    pub pending: Option<Pending>,
    /// The account, and what was done at Twilio.
    pub record: Option<Record>,
    /// What calls may do; absent before version 3.
    #[serde(default)]
    pub rules: Rules,
}

/// The file: what is remembered, with the format's version and the computer's mark before it.
#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    /// [`Computer::mark`]; absent where it has none, and in version 1.
    #[serde(default)]
    machine: Option<String>,
    #[serde(flatten)]
    saved: Saved,
}

/// What every version of the file begins with.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// The settings on disk. Clones are the same settings.
#[derive(Debug, Clone)]
pub struct Settings {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// The computer's mark, as it stands in the file.
    machine: Option<String>,
    saved: Mutex<Saved>,
    /// The system releases it when the process ends, however it ends.
    _lock: File,
}

/// Settings that were found but not used, and kept as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetAside {
    /// They could not be read.
    Damaged(PathBuf),
    /// They were made on another computer, whose key, app and numbers they speak of.
    Copied(PathBuf),
}

impl SetAside {
    /// The file that was kept.
    pub fn file(&self) -> &Path {
        match self {
            Self::Damaged(file) | Self::Copied(file) => file,
        }
    }
}

impl Settings {
    /// Opens the settings of `folders`, or begins them; one process at a time can.
    ///
    /// A file that cannot be read as settings is renamed to `settings.damaged-<UTC time>.json`, and one
    /// that was made on another computer to `settings.copied-<UTC time>.json`, for two computers must
    /// not be one installation; it is given back: tell the agent with [`set_aside_notice`]. A file of a
    /// newer version is neither, but an error.
    pub fn open(folders: &Folders) -> Result<(Self, Option<SetAside>), SettingsError> {
        Self::open_by(folders, &Computer::this(), &SystemClock)
    }

    /// As [`Settings::open`], with the computer and the clock that names a file set aside.
    pub fn open_by(
        folders: &Folders,
        computer: &Computer,
        clock: &impl Clock,
    ) -> Result<(Self, Option<SetAside>), SettingsError> {
        let path = folders.settings();
        let lock = take_lock(&path)?;
        let keep = |because| {
            let kept = free_name(&path, because, &[""], clock.now_ms());
            fs::rename(&path, &kept)
                .map_err(|source| SettingsError::NotSetAside { path: path.clone(), source })?;
            Ok(kept)
        };
        let (found, set_aside) = match read(&path) {
            Ok(Some(found)) if is_of_another(&found, computer) => {
                tracing::warn!("the settings are of another computer; they are set aside");
                (None, Some(SetAside::Copied(keep(Because::Copied)?)))
            }
            Ok(found) => (found, None),
            Err(Obstacle::Unusable(why)) => {
                tracing::warn!(why, "the settings cannot be used; they are set aside");
                (None, Some(SetAside::Damaged(keep(Because::Damaged)?)))
            }
            Err(Obstacle::Error(error)) => return Err(error),
        };
        let known = found.as_ref().is_some_and(|found| found.machine.is_some() || computer.mark.is_none());
        let machine =
            found.as_ref().and_then(|found| found.machine.clone()).or_else(|| computer.mark.clone());
        let saved = found.map_or_else(|| first(&computer.name), |found| found.saved);
        if !known {
            write(&path, machine.as_deref(), &saved)?;
        }
        let inner = Inner { path, machine, saved: Mutex::new(saved), _lock: lock };
        Ok((Self { inner: Arc::new(inner) }, set_aside))
    }

    /// What is remembered now.
    pub fn get(&self) -> Saved {
        self.saved().clone()
    }

    /// Changes what is remembered. When this returns, it is on the disk; after an error nothing has
    /// changed.
    pub fn change<T>(&self, edit: impl FnOnce(&mut Saved) -> T) -> Result<T, SettingsError> {
        let mut saved = self.saved();
        let mut changed = saved.clone();
        let answer = edit(&mut changed);
        if changed != *saved {
            write(&self.inner.path, self.inner.machine.as_deref(), &changed)?;
            *saved = changed;
        }
        Ok(answer)
    }

    fn saved(&self) -> MutexGuard<'_, Saved> {
        // A panic in an edit leaves what was there: the edit works on a copy.
        self.inner.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether both have a mark and it is not the same.
fn is_of_another(found: &Contents, computer: &Computer) -> bool {
    found.machine.as_ref().zip(computer.mark.as_ref()).is_some_and(|(made_on, here)| made_on != here)
}

fn first(computer: &str) -> Saved {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(8);
    Saved {
        installation: Installation { id, computer: computer.to_owned() },
        vault: VaultKind::Keychain,
        pending: None,
        record: None,
        rules: Rules::default(),
    }
}

fn take_lock(path: &Path) -> Result<File, SettingsError> {
    private_files::lock(&beside(path, ".lock")).map_err(|error| match error {
        TryLockError::WouldBlock => SettingsError::InUse { path: path.to_owned() },
        TryLockError::Error(error) => SettingsError::of_file(path, error),
    })
}

/// Why a file could not be read as settings.
enum Obstacle {
    /// The file is no good.
    Unusable(String),
    /// The file is not to blame.
    Error(SettingsError),
}

fn read(path: &Path) -> Result<Option<Contents>, Obstacle> {
    match fs::metadata(path) {
        Ok(data) if !data.is_file() => return Err(Obstacle::Unusable("it is not a file".into())),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Obstacle::Error(SettingsError::of_file(path, error))),
    }
    let bytes = fs::read(path).map_err(|error| Obstacle::Error(SettingsError::of_file(path, error)))?;
    // Only the kind and the place of the fault: a message of serde's may quote the file.
    let unusable = |error: serde_json::Error| {
        Obstacle::Unusable(format!(
            "{:?} at line {}, column {}",
            error.classify(),
            error.line(),
            error.column()
        ))
    };
    let Versioned { version } = serde_json::from_slice(&bytes).map_err(unusable)?;
    if version > VERSION {
        let path = path.to_owned();
        return Err(Obstacle::Error(SettingsError::NewerVersion { path, found: version, known: VERSION }));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(unusable)
}

fn write(path: &Path, machine: Option<&str>, saved: &Saved) -> Result<(), SettingsError> {
    let contents = Contents { version: VERSION, machine: machine.map(str::to_owned), saved: saved.clone() };
    let of_file = |error| SettingsError::of_file(path, error);
    let mut bytes = serde_json::to_vec_pretty(&contents).map_err(|error| of_file(error.into()))?;
    bytes.push(b'\n');
    private_files::replace(path, &bytes).map_err(of_file)
}
