//! Twilio's wire formats against values made by Twilio's own libraries, and the REST client against
//! Twilio's specification.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "a library of its own where a fuzzer runs it")]
mod fuzz;
mod fuzz_inputs;
mod generated;
mod official;
mod rest;
mod signature;
mod signed_requests;
mod specification;
mod token;
mod twiml;
