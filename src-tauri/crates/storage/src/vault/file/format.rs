//! The encrypted file, byte by byte. Numbers are little-endian.
//!
//! | bytes | hold |
//! | --- | --- |
//! | 0–6 | `KDVAULT` |
//! | 7 | the version of the format, 1 |
//! | 8–19 | Argon2id: memory in KiB, passes, lanes, 4 bytes each |
//! | 20–35 | salt |
//! | 36–59 | nonce, new with every change |
//! | 60–(n−33) | XChaCha20-Poly1305 of the secrets; its tag is the last 16 of them |
//! | last 32 | SHA-256 of all before |
//!
//! The first 60 bytes are authenticated with the secrets. The hash at the end protects nothing; it
//! tells a damaged file from a wrong passphrase. The secrets are a JSON object, filled with spaces to
//! whole blocks, so that the length of the file says little about them.

use std::collections::BTreeMap;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, Generate as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use dialer_domain::ports::VaultError;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

const MAGIC: &[u8; 7] = b"KDVAULT";
const VERSION: u8 = 1;
const HEADER: usize = 60;
const NONCE_AT: usize = 36;
const SALT_AT: usize = 20;
const TAG: usize = 16;
const CHECKSUM: usize = 32;
/// The secrets' text is a multiple of this many bytes: one block holds those of three accounts.
pub(super) const BLOCK: usize = 4_096;

/// What is kept, by name.
pub(in crate::vault) type Secrets = BTreeMap<String, SecretString>;

/// What a guess at the passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) memory_kib: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
}

impl Cost {
    /// For new files: more than three times the work that OWASP asks for at least (Password Storage
    /// Cheat Sheet: 19 MiB, two passes, one lane).
    pub(super) const USUAL: Self = Self { memory_kib: 64 * 1_024, passes: 3, lanes: 1 };

    /// Neither cheaper than OWASP's least, nor so dear that a file could use up the computer.
    fn is_sane(self) -> bool {
        (19 * 1_024..=1_024 * 1_024).contains(&self.memory_kib)
            && (2..=16).contains(&self.passes)
            && (1..=8).contains(&self.lanes)
    }
}

/// The key of a file, with what it was derived by. Zeroed when dropped.
pub(super) struct Key {
    cost: Cost,
    salt: [u8; 16],
    bytes: Zeroizing<[u8; 32]>,
}

impl Key {
    /// A key for a new file, with a new salt.
    pub(super) fn new(passphrase: &SecretString) -> Result<Self, VaultError> {
        let salt = <[u8; 16]>::try_generate().map_err(|error| failed("no random numbers", &error))?;
        Self::derive(Cost::USUAL, salt, passphrase)
    }

    /// The key that the passphrase makes with this file's cost and salt.
    pub(super) fn of_file(file: &[u8], passphrase: &SecretString) -> Result<Self, VaultError> {
        let parts = Parts::of(file)?;
        Self::derive(parts.cost, parts.salt, passphrase)
    }

    pub(super) fn derive(cost: Cost, salt: [u8; 16], passphrase: &SecretString) -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; 32]);
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(bytes.len()))
            .map_err(|error| failed("Argon2id", &error))?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose_secret().as_bytes(), &salt, bytes.as_mut_slice())
            .map_err(|error| failed("Argon2id", &error))?;
        Ok(Self { cost, salt, bytes })
    }

    /// Whether the key was derived with the cost and the salt of this file.
    fn is_of(&self, parts: &Parts<'_>) -> bool {
        parts.cost == self.cost && parts.salt == self.salt
    }

    /// For looking for it where it must not be.
    #[cfg(test)]
    pub(super) fn bytes_for_test(&self) -> [u8; 32] {
        *self.bytes
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.bytes).into())
    }
}

/// A sound file, taken apart.
struct Parts<'a> {
    cost: Cost,
    salt: [u8; 16],
    nonce: XNonce,
    header: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(file: &'a [u8]) -> Result<Self, VaultError> {
        let damaged = |what: &str| VaultError::Damaged(what.to_owned());
        if !file.starts_with(MAGIC) {
            return Err(damaged("it does not begin as such a file does"));
        }
        if let Some(version) = file.get(MAGIC.len()).filter(|version| **version > VERSION) {
            return Err(VaultError::FileFailed(format!(
                "it was written by a newer version of the program (format {version}; this one knows {VERSION})"
            )));
        }
        let whole = file.len().checked_sub(CHECKSUM).and_then(|end| file.split_at_checked(end));
        let (content, checksum) = whole.ok_or_else(|| damaged("its end is missing"))?;
        if Sha256::digest(content).as_slice() != checksum {
            return Err(damaged("its checksum does not fit"));
        }
        let (header, sealed) =
            content.split_at_checked(HEADER).ok_or_else(|| damaged("its end is missing"))?;
        let array = |at: usize| -> [u8; 4] { std::array::from_fn(|n| header[at + n]) };
        let number = |at: usize| u32::from_le_bytes(array(at));
        let cost = Cost { memory_kib: number(8), passes: number(12), lanes: number(16) };
        if header[MAGIC.len()] != VERSION || !cost.is_sane() {
            return Err(damaged("its cost of a guess is out of bounds"));
        }
        if sealed.len() <= TAG || !(sealed.len() - TAG).is_multiple_of(BLOCK) {
            return Err(damaged("its length is impossible"));
        }
        Ok(Self {
            cost,
            salt: std::array::from_fn(|n| header[SALT_AT + n]),
            nonce: XNonce::from(std::array::from_fn::<u8, 24, _>(|n| header[NONCE_AT + n])),
            header,
            sealed,
        })
    }
}

/// The file that holds `secrets`.
pub(super) fn seal(key: &Key, secrets: &Secrets) -> Result<Vec<u8>, VaultError> {
    let nonce = XNonce::try_generate().map_err(|error| failed("no random numbers", &error))?;
    seal_with(key, &nonce, secrets)
}

pub(super) fn seal_with(key: &Key, nonce: &XNonce, secrets: &Secrets) -> Result<Vec<u8>, VaultError> {
    let text = text(secrets)?;
    let mut file = Vec::with_capacity(HEADER + text.len() + TAG + CHECKSUM);
    file.extend(MAGIC);
    file.push(VERSION);
    for number in [key.cost.memory_kib, key.cost.passes, key.cost.lanes] {
        file.extend(number.to_le_bytes());
    }
    file.extend(key.salt);
    file.extend(nonce.iter());
    let sealed = key
        .cipher()
        .encrypt(nonce, Payload { msg: &text, aad: &file })
        .map_err(|error| failed("XChaCha20-Poly1305", &error))?;
    file.extend(sealed);
    let checksum = Sha256::digest(&file);
    file.extend(checksum);
    Ok(file)
}

/// The secrets as text in whole blocks, zeroed when dropped.
fn text(secrets: &Secrets) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let plain: BTreeMap<&str, &str> =
        secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose_secret())).collect();
    // A buffer that never has to grow leaves no copy behind: JSON writes a byte as six at most.
    let most: usize = plain.iter().map(|(name, secret)| 6 * (name.len() + secret.len()) + 8).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(most + BLOCK));
    serde_json::to_writer(&mut *text, &plain).map_err(|error| failed("JSON", &error))?;
    let blocks = text.len().next_multiple_of(BLOCK);
    text.resize(blocks, b' ');
    Ok(text)
}

/// Whether a sound file is locked: with no key, or with that of another file.
pub(super) fn is_locked(key: Option<&Key>, file: &[u8]) -> Result<bool, VaultError> {
    let parts = Parts::of(file)?;
    Ok(!key.is_some_and(|key| key.is_of(&parts)))
}

/// The secrets of a file, or `None` if the key does not fit it.
pub(super) fn open(key: &Key, file: &[u8]) -> Result<Option<Secrets>, VaultError> {
    let parts = Parts::of(file)?;
    let payload = Payload { msg: parts.sealed, aad: parts.header };
    let Ok(text) = key.cipher().decrypt(&parts.nonce, payload).map(Zeroizing::new) else { return Ok(None) };
    // Only the kind of fault: a message of serde's may quote the text.
    let plain: BTreeMap<String, String> = serde_json::from_slice(&text)
        .map_err(|error| VaultError::Damaged(format!("its content is unreadable: {:?}", error.classify())))?;
    Ok(Some(plain.into_iter().map(|(name, secret)| (name, SecretString::from(secret))).collect()))
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> VaultError {
    VaultError::FileFailed(format!("{what}: {error}"))
}
