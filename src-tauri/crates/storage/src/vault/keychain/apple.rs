//! macOS: the login keychain.

use dialer_domain::ports::VaultError;

use crate::vault::told::Words;

pub(in crate::vault) const WORDS: Words = Words {
    missing: "The login keychain was not found, so the sign-in cannot be kept safely. Open Keychain Access and make sure \
              that a login keychain exists, then try again.",
    locked: "The login keychain is locked. Unlock it in Keychain Access and try again.",
    denied: "The login keychain refused this program. Try again and choose “Always Allow” when macOS asks; if it does \
             not ask, delete the entry “Kennex Dialer” in Keychain Access and connect the account again.",
    timed_out: "The login keychain did not answer. Look for a password dialog of macOS, perhaps behind other windows, and \
                try again.",
    failed: "The login keychain reported an error. Try again; if it stays, restart the computer.",
};

/// The login keychain needs no session.
#[derive(Default)]
pub(in crate::vault) struct Keychain {}

impl Keychain {
    pub(in crate::vault) fn with_entry<T>(
        &mut self,
        service: &str,
        user: &str,
        question: &dyn Fn(&keyring::Entry) -> keyring::Result<T>,
    ) -> keyring::Result<T> {
        question(&keyring::Entry::new(service, user)?)
    }
}

/// Reads an `OSStatus` (Apple, Security framework, `SecBase.h`).
pub(super) fn read_platform_error(
    error: &(dyn std::error::Error + Send + Sync + 'static),
) -> Option<VaultError> {
    let error = error.downcast_ref::<security_framework::base::Error>()?;
    let text = error.to_string();
    Some(match error.code() {
        // errSecNotAvailable, errSecNoSuchKeychain, errSecInvalidKeychain, errSecNoDefaultKeychain
        -25291 | -25294 | -25295 | -25307 => VaultError::Missing(text),
        // errSecInteractionNotAllowed, errSecInteractionRequired, errSecUserCanceled
        -25308 | -25315 | -128 => VaultError::Locked(text),
        // errSecReadOnly, errSecAuthFailed, errSecMissingEntitlement
        -25292 | -25293 | -34018 => VaultError::Denied(text),
        _ => VaultError::Failed(text),
    })
}
