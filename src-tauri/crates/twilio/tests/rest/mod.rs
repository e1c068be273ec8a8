//! The REST client against a server that records and answers as told. How it gets on with the
//! simulator is told by the simulator's contract tests.

mod bench;
mod examples;
mod golden;
mod log;
mod paging;
mod proxies;
mod refusals;
mod sending;
mod sound;
mod webhooks;
