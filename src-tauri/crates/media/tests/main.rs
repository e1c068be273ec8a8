//! The engine's parts against each other, over real sockets on 127.0.0.1.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks for a few events among many")]

mod agent;
mod engine;
mod far_end;
mod netem;
#[cfg(target_os = "linux")]
mod sound_server;
mod transport;
mod wait;
