//! Twilio's wire formats against values made by Twilio's own libraries.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod signature;
mod token;
mod twiml;
