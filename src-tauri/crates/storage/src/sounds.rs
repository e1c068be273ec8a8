//! The agent's recordings that callers hear: greetings, announcements, music.
//!
//! A recording is named by its content, so that it cannot be guessed by whoever asks the webhook server for it,
//! never changes under its name, and is kept once however often it is added. Beside each file lies another one
//! with its label. The folder and the files can be read by their owner alone.

mod error;
mod wav;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dialer_domain::incoming::SoundName;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use error::SoundError;
pub use wav::NotWav;

use crate::folders::Folders;
use crate::private_files;

/// The largest recording, in bytes.
pub const LARGEST: usize = 10 * 1024 * 1024;
/// The longest label, in characters.
pub const LONGEST_LABEL: usize = 60;
/// How many recordings are kept at most.
pub const MOST: usize = 200;

/// A recording that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// Its name.
    pub name: SoundName,
    /// What it is, for the agent.
    pub label: String,
    /// Whole seconds, a second begun in full.
    pub duration_s: u32,
}

/// The file beside a recording.
#[derive(Serialize, Deserialize)]
struct About {
    label: String,
    duration_s: u32,
}

/// The recordings in a folder.
#[derive(Debug, Clone)]
pub struct Sounds {
    folder: PathBuf,
}

impl Sounds {
    /// The recordings of `folders`. The folder is made when there is something to keep.
    pub fn new(folders: &Folders) -> Self {
        Self { folder: folders.sounds() }
    }

    /// Keeps a WAV file that Twilio can play: PCM of 8 or 16 bits, or μ-law, with one or two channels and 8,000
    /// to 48,000 samples a second, of up to five minutes and [`LARGEST`] bytes. One that is there already gets
    /// the new label.
    pub fn keep(&self, label: &str, wav: &[u8]) -> Result<Sound, SoundError> {
        let label = label.trim();
        if label.is_empty() {
            return Err(SoundError::NoLabel);
        }
        if label.chars().count() > LONGEST_LABEL {
            return Err(SoundError::LongLabel);
        }
        if wav.len() > LARGEST {
            return Err(SoundError::TooLarge);
        }
        let duration_s = wav::duration_s(wav)?;
        let name = name_of(wav);
        // One that was damaged since is written anew.
        let is_new = self.read(&name)?.is_none();
        if is_new && self.list()?.len() >= MOST {
            return Err(SoundError::TooMany);
        }
        private_files::create_folder(&self.folder).map_err(|source| self.failed(source))?;
        let about = About { label: label.to_owned(), duration_s };
        let text = serde_json::to_vec(&about).map_err(|error| self.failed(error.into()))?;
        // The label first: without its recording it is nothing, and is written over the next time.
        private_files::replace(&self.about(&name), &text).map_err(|source| self.failed(source))?;
        if is_new {
            private_files::replace(&self.wav(&name), wav).map_err(|source| self.failed(source))?;
        }
        Ok(Sound { name, label: about.label, duration_s })
    }

    /// Every recording, by label.
    pub fn list(&self) -> Result<Vec<Sound>, SoundError> {
        let files = match fs::read_dir(&self.folder) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.failed(source)),
        };
        let mut sounds = Vec::new();
        for file in files {
            let path = file.map_err(|source| self.failed(source))?.path();
            if path.extension().is_some_and(|extension| extension == "wav")
                && let Some(name) = path.file_stem().and_then(|stem| SoundName::parse(stem.to_str()?).ok())
                && let Some(sound) = self.look(name)
            {
                sounds.push(sound);
            }
        }
        sounds.sort_by(|a, b| (a.label.to_lowercase(), &a.name).cmp(&(b.label.to_lowercase(), &b.name)));
        Ok(sounds)
    }

    /// The WAV file of a recording; `None` if there is none of that name, or it is not what was kept.
    pub fn read(&self, name: &SoundName) -> Result<Option<Vec<u8>>, SoundError> {
        let path = self.wav(name);
        // What was never kept is not read either, however large somebody made it.
        let read = match fs::metadata(&path) {
            Ok(about) if about.len() > LARGEST as u64 => Ok(Vec::new()),
            Ok(_) => fs::read(&path),
            Err(error) => Err(error),
        };
        match read {
            Ok(wav) if name_of(&wav) == *name => Ok(Some(wav)),
            Ok(_) => {
                tracing::warn!("a recording is damaged; callers do not get it");
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Forgets a recording; forgetting what is not there is no error. Whether a rule still plays it is for
    /// the caller to ask.
    pub fn delete(&self, name: &SoundName) -> Result<(), SoundError> {
        for file in [self.wav(name), self.about(name)] {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.failed(error)),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// What is kept under `name`. A lost label is made up for from the recording itself, and what is
    /// damaged is left out.
    fn look(&self, name: SoundName) -> Option<Sound> {
        let about =
            fs::read(self.about(&name)).ok().and_then(|text| serde_json::from_slice::<About>(&text).ok());
        let about = match about {
            Some(about) => about,
            None => {
                let wav = self.read(&name).ok().flatten()?;
                About { label: "Recording".into(), duration_s: wav::duration_s(&wav).ok()? }
            }
        };
        Some(Sound { name, label: about.label, duration_s: about.duration_s })
    }

    fn wav(&self, name: &SoundName) -> PathBuf {
        self.folder.join(name.as_str()).with_extension("wav")
    }

    fn about(&self, name: &SoundName) -> PathBuf {
        self.folder.join(name.as_str()).with_extension("json")
    }

    fn failed(&self, source: io::Error) -> SoundError {
        SoundError::of_file(Path::new(&self.folder), source)
    }
}

/// The first 32 hexadecimal digits of the SHA-256.
fn name_of(wav: &[u8]) -> SoundName {
    let mut name = [0; 16];
    for (byte, of_hash) in name.iter_mut().zip(Sha256::digest(wav)) {
        *byte = of_hash;
    }
    SoundName::from_bytes(name)
}
