//! What the program keeps on this computer: the call log in SQLite, secrets in the keychain.
//!
//! | module | holds |
//! | --- | --- |
//! | [`call_log`] | [`SqliteCallLog`](call_log::SqliteCallLog), the `CallStore` on disk |
//! | [`vault`] | [`OsVault`](vault::OsVault) on the system's keychain, [`MemoryVault`](vault::MemoryVault) for practice |
//! | [`folders`] | where the files are |
//!
//! Every call here may block on the disk or the system: use it from a blocking task.

pub mod call_log;
pub mod folders;
mod private_files;
pub mod vault;
