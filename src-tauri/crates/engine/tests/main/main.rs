//! Integration tests of the engine, in one binary to keep linking short.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is the test's failure")]

mod account;
mod bindings;
mod computer;
mod flows;
mod greeting;
mod ledger;
mod log_privacy;
mod phone;
mod practice_call;
mod preview;
mod rules;
mod signing;
