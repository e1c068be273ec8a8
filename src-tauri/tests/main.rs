//! Integration tests of the whole repository, in one binary to keep linking short.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is the test's failure")]

mod layers;
