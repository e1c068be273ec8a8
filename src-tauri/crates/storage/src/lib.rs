//! What the program keeps on this computer: the call log in SQLite, settings in a file, secrets in the
//! keychain.
//!
//! | module | holds |
//! | --- | --- |
//! | [`call_log`] | [`SqliteCallLog`](call_log::SqliteCallLog), the `CallStore` on disk |
//! | [`settings`] | [`Settings`](settings::Settings): which account is connected, and what was changed for it |
//! | [`sign_ins`] | [`SignIns`](sign_ins::SignIns): which agents of a server have signed in |
//! | [`sounds`] | [`Sounds`](sounds::Sounds): the agent's recordings that callers hear |
//! | [`vault`] | [`ChosenVault`](vault::ChosenVault): the system's keychain, an encrypted file or memory |
//! | [`folders`] | where the files are |
//!
//! Every call here may block on the disk or the system: use it from a blocking task.

pub mod call_log;
pub mod folders;
mod private_files;
mod set_aside;
pub mod settings;
pub mod sign_ins;
pub mod sounds;
pub mod vault;
