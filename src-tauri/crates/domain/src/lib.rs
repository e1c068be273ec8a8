//! Telephony decisions of Kennex Dialer, as plain values and functions.
//!
//! Nothing here performs input or output, reads a clock or spawns a task: time, randomness and the
//! outside world are passed in, so that every rule can be tested by calling it.
//!
//! | module | holds |
//! | --- | --- |
//! | [`account`] | an account at Twilio as it was read, and where its numbers lead |
//! | [`setup`] | connecting an account as a plan of steps that can be repeated and undone |
//! | [`entry`] | what the agent enters to connect an account, cleaned and checked for its form |
//! | [`env_file`] | the same out of a `.env` file |
//! | [`error`] | [`ErrorCode`](error::ErrorCode) for the machine, a sentence with the cure for the person |
//! | [`sid`] | Twilio's identifiers as validated types |
//! | [`phone_number`] | E.164 numbers, as-you-type formatting |
//! | [`identity`] | the client identity an access token names |
//! | [`call`] | what can happen to a call, as events |
//! | [`call_log`] | the fold from events to the row the agent reads |
//! | [`call_flow`] | what to answer when Twilio asks what a call should do, and how it goes on |
//! | [`incoming`] | the agent's rules for incoming calls: hours, voicemail, menu, queue |
//! | [`dial_policy`] | the rules for outgoing calls, and the verdict on one |
//! | [`intent`] | calls the agent has asked for, each good for one request of Twilio |
//! | [`destination`] | whom the agent can call |
//! | [`link`] | whom a `tel:` or `sip:` link asks to be called |
//! | [`sip_uri`], [`local_time`], [`money`] | small values |
//! | [`token`] | when an access token must be renewed |
//! | [`ports`] | traits towards keychain, disk, clock and shell |

pub mod account;
pub mod call;
pub mod call_flow;
pub mod call_log;
pub mod destination;
pub mod dial_policy;
pub mod entry;
pub mod env_file;
pub mod error;
pub mod identity;
pub mod incoming;
pub mod intent;
pub mod link;
pub mod local_time;
pub mod money;
pub mod phone_number;
pub mod ports;
pub mod setup;
pub mod sid;
pub mod sip_uri;
pub mod token;
