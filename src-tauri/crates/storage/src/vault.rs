//! Secrets: in the system's keychain, in an encrypted file where there is none, or in memory for practice.
//!
//! | system | keychain |
//! | --- | --- |
//! | Linux, BSD | Secret Service (GNOME Keyring, KWallet, KeePassXC) over D-Bus |
//! | macOS | login keychain |
//! | Windows | Credential Manager |
//!
//! What only one system has, with its words for the agent, is in `vault/keychain/`.

mod chosen;
mod file;
mod keychain;
mod memory;
mod os;
mod told;
mod worker;

pub use dialer_domain::ports::{VaultKind, load_required};

pub use chosen::ChosenVault;
pub use file::{FileVault, PASSPHRASE_MIN};
pub use memory::MemoryVault;
pub use os::{OsVault, SERVICE, TIMEOUT};
pub use told::user_error;
