//! Linux and BSD: the Secret Service on the session bus.

use std::collections::HashMap;
use std::sync::Arc;

use dialer_domain::ports::VaultError;
use keyring_core::api::CredentialStoreApi as _;
use zbus_secret_service_keyring_store::Store;

use crate::vault::told::Words;

pub(in crate::vault) const WORDS: Words = Words {
    missing: "No keychain is running, so the sign-in cannot be kept safely. Install and start GNOME Keyring or KWallet, \
              or switch on the Secret Service in KeePassXC, then try again.",
    locked: "The keychain is locked. Unlock it, for example in “Passwords and Keys”, or make a default keyring there if \
             you have none; then try again.",
    denied: "The system does not let this program use the keychain. Allow it to talk to org.freedesktop.secrets on the \
             session bus (in a sandbox such as Flatpak this is a permission), then try again.",
    timed_out: "The keychain did not answer. Look for its password dialog, perhaps behind other windows, and try again.",
    failed: "The keychain reported an error. Try again; if it stays, log out of the desktop and in again.",
};

/// A session with the Secret Service, opened with the first question (about 100 ms).
#[derive(Default)]
pub(in crate::vault) struct Keychain {
    store: Option<Arc<Store>>,
}

impl Keychain {
    /// Asks about the entry. A session that has gone stale, such as after a restart of the keychain,
    /// is opened anew once.
    pub(in crate::vault) fn with_entry<T>(
        &mut self,
        service: &str,
        user: &str,
        question: &dyn Fn(&keyring::Entry) -> keyring::Result<T>,
    ) -> keyring::Result<T> {
        let reused = self.store.is_some();
        let answer = self.attempt(service, user, question);
        let Err(error @ keyring::Error::PlatformFailure(_)) = &answer else { return answer };
        self.store = None;
        if reused && matches!(super::read_error(error), VaultError::Missing(_) | VaultError::Failed(_)) {
            return self.attempt(service, user, question);
        }
        answer
    }

    fn attempt<T>(
        &mut self,
        service: &str,
        user: &str,
        question: &dyn Fn(&keyring::Entry) -> keyring::Result<T>,
    ) -> keyring::Result<T> {
        let store = match &self.store {
            Some(store) => store,
            None => self.store.insert(Store::new()?),
        };
        // What “Passwords and Keys” shows.
        let label = format!("{service}: {user}");
        let inner = store.build(service, user, Some(&HashMap::from([("label", label.as_str())])))?;
        question(&keyring::Entry { inner })
    }
}

pub(super) fn read_platform_error(
    error: &(dyn std::error::Error + Send + Sync + 'static),
) -> Option<VaultError> {
    use secret_service::Error;

    let error = error.downcast_ref::<Error>()?;
    let text = error.to_string();
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library may add variants, and no other has a cure"
    )]
    Some(match error {
        // `NoResult`: there is no default keyring to write to.
        Error::Locked | Error::NoResult | Error::Prompt | Error::PromptDisconnected => {
            VaultError::Locked(text)
        }
        Error::Unavailable => VaultError::Missing(text),
        Error::Zbus(error) => read_bus_error(error, text),
        Error::ZbusFdo(error) => read_fdo_error(error, text),
        _ => VaultError::Failed(text),
    })
}

fn read_bus_error(error: &zbus::Error, text: String) -> VaultError {
    use zbus::Error;

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library may add variants, and no other has a cure"
    )]
    match error {
        Error::Address(_) | Error::Connection(..) | Error::Handshake(_) | Error::InputOutput(_) => {
            VaultError::Missing(text)
        }
        Error::MethodError(name, ..) => read_error_name(name.as_str(), text),
        Error::FDO(error) => read_fdo_error(error, text),
        _ => VaultError::Failed(text),
    }
}

fn read_fdo_error(error: &zbus::fdo::Error, text: String) -> VaultError {
    use zbus::DBusError as _;

    if let zbus::fdo::Error::ZBus(error) = error {
        return read_bus_error(error, text);
    }
    read_error_name(error.name().as_str(), text)
}

/// Reads a D-Bus error name: the standard ones of the bus (D-Bus Specification) and those of the
/// Secret Service (Secret Service API Draft 0.2, "Errors").
fn read_error_name(name: &str, text: String) -> VaultError {
    if name == "org.freedesktop.Secret.Error.IsLocked" {
        return VaultError::Locked(text);
    }
    match name.strip_prefix("org.freedesktop.DBus.Error.") {
        Some("ServiceUnknown" | "NameHasNoOwner" | "NoServer" | "Disconnected" | "NoReply") => {
            VaultError::Missing(text)
        }
        // The keychain is installed but could not be started.
        Some(spawn) if spawn.starts_with("Spawn.") => VaultError::Missing(text),
        Some("AccessDenied" | "AuthFailed" | "InteractiveAuthorizationRequired") => VaultError::Denied(text),
        _ => VaultError::Failed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secret_service::Error;

    fn read(error: Error) -> VaultError {
        crate::vault::keychain::read_error(&keyring::Error::PlatformFailure(Box::new(error)))
    }

    #[test]
    fn what_the_bus_says_is_told_apart() {
        use zbus::fdo::Error as Fdo;
        let text = || "why".to_owned();
        assert!(matches!(read(Error::Unavailable), VaultError::Missing(_)));
        assert!(matches!(read(Error::ZbusFdo(Fdo::ServiceUnknown(text()))), VaultError::Missing(_)));
        assert!(matches!(read(Error::ZbusFdo(Fdo::SpawnChildExited(text()))), VaultError::Missing(_)));
        assert!(matches!(read(Error::ZbusFdo(Fdo::AccessDenied(text()))), VaultError::Denied(_)));
        let nested = Error::Zbus(zbus::Error::FDO(Box::new(Fdo::NameHasNoOwner(text()))));
        assert!(matches!(read(nested), VaultError::Missing(_)));
        assert!(matches!(read(Error::Zbus(zbus::Error::Address(text()))), VaultError::Missing(_)));
        assert!(matches!(read(Error::Prompt), VaultError::Locked(_)));
        assert!(matches!(read(Error::Crypto("bad key")), VaultError::Failed(_)));
        assert!(matches!(
            read_error_name("org.freedesktop.Secret.Error.IsLocked", text()),
            VaultError::Locked(_)
        ));
    }
}
