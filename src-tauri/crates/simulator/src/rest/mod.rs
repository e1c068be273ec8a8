//! Twilio's REST API, as far as a softphone needs it.
//!
//! Each of Twilio's hosts is a path here: `/api` stands for `https://api.twilio.com`, and so on for
//! `/voice`, `/monitor`, `/pricing`, `/lookups`, `/iam`, `/accounts`, `/webhooks` and `/insights`,
//! which has nothing yet.
//!
//! # Where it comes from
//!
//! - Paths, field names, formats, enumerations and paging: twilio-oai (`twilio_api_v2010`,
//!   `twilio_voice_v1`, `twilio_monitor_v1`, `twilio_pricing_v2`, `twilio_lookups_v2`,
//!   `twilio_iam_v1`, `twilio_accounts_v1`), and its example answers.
//! - Error codes: Twilio's error dictionary (twilio.com/docs/api/errors). A Standard key gets 20003 on
//!   accounts and keys, a restricted one 70051 (its page names the missing permission as a cause), and
//!   may only read TwiML Apps (Twilio's list of permissions).
//! - Events of a call, alerts and notifications tell of the webhooks this simulator really requested.
//!
//! # What is guessed
//!
//! - Which code and HTTP status a suspended account gets: the Auth Token may read the account, all
//!   else is 403 with 20005, and calls and validations 10001. A closed account is 401 with 20005.
//! - Another account's SID in the path: 404 for the account itself, 401 with 20003 below it.
//! - Test credentials get 403 with 20008 for everything, though Twilio allows them a few requests.
//! - Codes of parameters that are missing or malformed where the dictionary has no entry: 20001.
//! - A secondary Auth Token that exists is replaced by the next one; promoting without one is 20404.
//! - A restricted key's policy is kept and shown but not read: it may do what no policy can forbid.
//! - Lists are ordered by creation, newest first.
//! - A number is found by any part of it, as in twilio-oai; setting its `VoiceApplicationSid` to an app
//!   that is not the account's is 21420. Clearing the app leaves the trunk alone.
//! - Redirecting or ending calls: `call/api.rs`. Verifying numbers: `caller_ids.rs`.
//!
//! # What is different
//!
//! Answers are JSON only, so a path without `.json` is not found. `meta` links and `url`s begin with
//! this simulator's address, not with Twilio's: following one must not leave this computer. Prices
//! and permissions of countries are a choice (`account/country.rs`). Numbers cannot be bought or
//! released, calls not deleted.

mod accounts;
mod applications;
mod ask;
mod auth;
mod caller_ids;
mod calls;
mod conferences;
mod countries;
mod date;
mod debugger;
mod keys;
mod numbers;
mod page;
mod participants;
mod queues;
mod recordings;
mod refusal;
mod serve;
mod transcriptions;
mod usage;
mod webhooks;

pub(crate) use refusal::Refusal;
pub(crate) use serve::serve;
