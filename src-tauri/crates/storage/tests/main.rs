//! The call log on a real disk and secrets in a real keychain.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation in a test should panic")]

mod call_log;
mod child;
mod damage;
mod folders;
mod processes;
#[cfg(target_os = "linux")]
mod vault;
