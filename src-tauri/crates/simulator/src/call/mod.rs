//! Calls: legs, and the session that plays TwiML on the parent leg.

mod dial;
mod leg;
mod play;
mod session;

pub use leg::CallRecord;
pub(crate) use leg::{End, Leg, LegCommand, LegDirection, LegState, NewLeg, Party};
pub(crate) use session::Session;
