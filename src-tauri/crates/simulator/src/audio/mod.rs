//! Sound inside the simulated network.

mod pattern;
mod recording;
mod rtp;
mod switch;

pub(crate) use pattern::{Pattern, Player};
pub(crate) use recording::decode_wav;
pub(crate) use rtp::{Arriving, RtpLine};
pub(crate) use switch::{Line, PortId, Switch};
