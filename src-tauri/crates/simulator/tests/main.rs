//! The simulator as its users meet it: over a real WebSocket, real RTP and real webhooks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod bench;
mod callbacks;
mod conference;
mod contract;
mod control;
mod gather;
mod incoming;
mod manner;
mod nouns;
mod outgoing;
mod queue;
mod recordings;
mod rest;
mod signalling;
mod webhooks;
