//! Calls: legs, and the session that plays TwiML on the parent leg.

mod api;
mod dial;
mod leg;
mod permission;
mod play;
mod session;

pub(crate) use api::{Called, NewCall, call_out, end, redirect, ring_later};
pub use leg::CallRecord;
pub(crate) use leg::{End, Leg, LegCommand, LegDirection, LegState, NewLeg, Party};
pub(crate) use session::{Session, Start};
