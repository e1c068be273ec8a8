//! The Controller: one task owns all state; generic over the ports; knows no Tauri.
//!
//! | module | holds |
//! | --- | --- |
//! | [`api`] | every command and event, declared once for all hosts |
//! | [`stop`] | when the system asks the program to end |
//! | [`state`] | what is known and what follows from it, pure |
//! | [`controller`] | the task that owns the state |
//! | [`core`] | the handle hosts, gateway and self-test use |
//! | [`ledger`] | writes call events in order |
//! | [`practice`] | practice mode: simulator, gateway and account put together |
//! | [`self_test`] | drives the window through a whole day of two calls |

pub mod api;
pub mod controller;
pub mod core;
pub mod ledger;
pub mod phone;
pub mod practice;
pub mod self_test;
pub mod state;
pub mod stop;
