//! The keychain of this system: one module for each, with the same three names.
//!
//! `Keychain::with_entry` asks a question about one entry, `read_platform_error` reads what the
//! system said, and `WORDS` is what the agent is told.

use dialer_domain::ports::VaultError;

#[cfg(target_os = "macos")]
#[path = "keychain/apple.rs"]
mod system;
#[cfg(all(unix, not(target_os = "macos")))]
#[path = "keychain/secret_service.rs"]
mod system;
#[cfg(windows)]
#[path = "keychain/windows.rs"]
mod system;

pub(super) use system::{Keychain, WORDS};

/// Reads an error of the keychain library. An absent entry is no error here.
pub(super) fn read_error(error: &keyring::Error) -> VaultError {
    let text = error.to_string();
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library may add variants, and no other has a cure"
    )]
    match error {
        keyring::Error::PlatformFailure(source) => {
            system::read_platform_error(source.as_ref()).unwrap_or(VaultError::Failed(text))
        }
        keyring::Error::NoStorageAccess(source) => {
            system::read_platform_error(source.as_ref()).unwrap_or(VaultError::Locked(text))
        }
        _ => VaultError::Failed(text),
    }
}
