//! The simulator as its users meet it: over a real WebSocket, real RTP and real webhooks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod bench;
mod contract;
mod control;
mod incoming;
mod outgoing;
mod rest;
mod signalling;
mod webhooks;
