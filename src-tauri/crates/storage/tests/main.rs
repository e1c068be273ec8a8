//! The call log and the settings on a real disk, secrets in a real keychain and in an encrypted file.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation in a test should panic")]

mod call_log;
mod child;
#[cfg(target_os = "linux")]
mod chosen;
mod damage;
mod flows;
mod folders;
#[cfg(target_os = "linux")]
mod keyring;
mod processes;
mod settings;
mod sounds;
#[cfg(target_os = "linux")]
mod vault;
