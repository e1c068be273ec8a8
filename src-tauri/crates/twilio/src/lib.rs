//! Twilio's wire formats: what travels between Twilio and this program, read and written.
//!
//! | module | holds |
//! | --- | --- |
//! | [`access_token`] | the JWT that lets the Voice SDK in, minted and checked |
//! | [`signature`] | `X-Twilio-Signature`, made and checked |
//! | [`webhook`] | the forms Twilio posts about a call |
//! | [`twiml`] | the documents that answer them |
//! | [`rest`] | the client of Twilio's REST API |
//!
//! Both directions are here because both ends are: the phone mints tokens and checks webhooks, the
//! simulator checks tokens and signs webhooks. Nothing but [`rest`] performs input or output or reads
//! a clock.

pub mod access_token;
pub mod rest;
pub mod signature;
pub mod twiml;
pub mod webhook;
