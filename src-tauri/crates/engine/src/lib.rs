//! The Controller: one task owns all state; generic over the ports; knows no Tauri.
//!
//! | module | holds |
//! | --- | --- |
//! | [`api`] | every command and event, declared once for all hosts |
//! | [`stop`] | when the system asks the program to end |
//! | [`state`] | what is known and what follows from it, pure |
//! | [`call_log`] | opening the call log, whatever the last run left behind |
//! | [`controller`] | the task that owns the state |
//! | [`core`] | the handle hosts, gateway and self-test use |
//! | [`desk`] | rules, intents, queue and spending: what decisions about calls need besides, pure |
//! | [`account_api`] | Twilio's REST API for the account in use, and its prices |
//! | [`repair`] | reads at Twilio what callbacks did not tell |
//! | [`local_time`] | the wall clock |
//! | [`ledger`] | writes call events in order |
//! | [`phone`] | practice or a real account, and the way from the one to the other |
//! | [`sound`] | who carries the sound |
//! | [`twilio_at`] | the real Twilio, or a simulator |
//! | [`practice`] | practice mode: simulator, gateway and account put together |
//! | [`self_test`] | drives the window through a whole day of two calls |

mod account;
pub mod account_api;
pub mod api;
pub mod call_log;
pub mod controller;
pub mod core;
pub mod desk;
mod fallback;
mod greeting;
pub mod ledger;
mod live;
pub mod local_time;
pub mod phone;
mod placing;
pub mod practice;
mod preview;
pub mod repair;
mod routing;
mod rules;
pub mod self_test;
mod session;
pub mod sound;
pub mod state;
pub mod stop;
pub mod twilio_at;
