//! What the program remembers between two runs besides calls and secrets: which account is connected,
//! and what was changed at Twilio for it.

mod error;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dialer_domain::ports::{Clock, SystemClock, VaultKind};
use dialer_domain::setup::{Installation, Pending, Record};
use serde::{Deserialize, Serialize};

pub use error::{SettingsError, set_aside_notice};

use crate::folders::Folders;
use crate::private_files;
use crate::set_aside::{beside, free_name};

/// The format of the file. Whatever adds to it raises the number, for an older program would lose the
/// addition with its first change.
const VERSION: u32 = 1;

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
}

/// The file: what is remembered, with the format's version before it.
#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
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
    saved: Mutex<Saved>,
    /// The system releases it when the process ends, however it ends.
    _lock: File,
}

impl Settings {
    /// Opens the settings of `folders`, or begins them; one process at a time can.
    ///
    /// A file that cannot be read as settings is renamed to `settings.damaged-<UTC time>.json`, and the
    /// new path is given back: tell the agent with [`set_aside_notice`]. A file of a newer version is
    /// no damage, but an error.
    pub fn open(folders: &Folders) -> Result<(Self, Option<PathBuf>), SettingsError> {
        let computer = gethostname::gethostname().to_string_lossy().into_owned();
        Self::open_by(folders, &computer, &SystemClock)
    }

    /// As [`Settings::open`], with the computer's name for the first start and the clock that names a
    /// file set aside.
    pub fn open_by(
        folders: &Folders,
        computer: &str,
        clock: &impl Clock,
    ) -> Result<(Self, Option<PathBuf>), SettingsError> {
        let path = folders.settings();
        let lock = take_lock(&path)?;
        let (found, set_aside) = match read(&path) {
            Ok(found) => (found, None),
            Err(Obstacle::Unusable(why)) => {
                tracing::warn!(why, "the settings cannot be used; they are set aside");
                let kept = free_name(&path, &[""], clock.now_ms());
                fs::rename(&path, &kept)
                    .map_err(|source| SettingsError::NotSetAside { path: path.clone(), source })?;
                (None, Some(kept))
            }
            Err(Obstacle::Error(error)) => return Err(error),
        };
        let saved = match found {
            Some(saved) => saved,
            None => {
                let saved = first(computer);
                write(&path, &saved)?;
                saved
            }
        };
        let inner = Inner { path, saved: Mutex::new(saved), _lock: lock };
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
            write(&self.inner.path, &changed)?;
            *saved = changed;
        }
        Ok(answer)
    }

    fn saved(&self) -> MutexGuard<'_, Saved> {
        // A panic in an edit leaves what was there: the edit works on a copy.
        self.inner.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn first(computer: &str) -> Saved {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(8);
    Saved {
        installation: Installation { id, computer: computer.to_owned() },
        vault: VaultKind::Keychain,
        pending: None,
        record: None,
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

fn read(path: &Path) -> Result<Option<Saved>, Obstacle> {
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
    let Contents { saved, .. } = serde_json::from_slice(&bytes).map_err(unusable)?;
    Ok(Some(saved))
}

fn write(path: &Path, saved: &Saved) -> Result<(), SettingsError> {
    let contents = Contents { version: VERSION, saved: saved.clone() };
    let of_file = |error| SettingsError::of_file(path, error);
    let mut bytes = serde_json::to_vec_pretty(&contents).map_err(|error| of_file(error.into()))?;
    bytes.push(b'\n');
    private_files::replace(path, &bytes).map_err(of_file)
}
