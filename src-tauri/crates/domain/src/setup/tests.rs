#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation in a test should panic")]

mod histories;
mod model;
mod rules;
