//! Windows: Credential Manager.

use dialer_domain::ports::VaultError;

use crate::vault::told::Words;

pub(in crate::vault) const WORDS: Words = Words {
    missing: "Windows has no Credential Manager for this session, so the sign-in cannot be kept safely. Sign in to Windows \
              as a user and start the program there.",
    locked: "Credential Manager is not available to this session. Sign out of Windows and in again, then try again.",
    denied: "Windows does not let this program use Credential Manager. Ask whoever manages this computer to allow \
             storing passwords for this user.",
    timed_out: "Credential Manager did not answer. Wait a moment and try again.",
    failed: "Credential Manager reported an error. Try again; if it stays, restart the computer.",
};

/// Credential Manager needs no session.
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

/// Reads a Windows error by the library's text, which is all it gives out
/// (windows-native-keyring-store 1.1, `PlatformError`).
pub(super) fn read_platform_error(
    error: &(dyn std::error::Error + Send + Sync + 'static),
) -> Option<VaultError> {
    let text = error.to_string();
    Some(match text.as_str() {
        // A session without a logon, such as a service, has no Credential Manager.
        "Windows ERROR_NO_SUCH_LOGON_SESSION" => VaultError::Missing(text),
        // ERROR_ACCESS_DENIED, ERROR_ACCESS_DISABLED_BY_POLICY
        "Windows error code 5" | "Windows error code 1260" => VaultError::Denied(text),
        _ => VaultError::Failed(text),
    })
}
