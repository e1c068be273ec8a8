//! Sound inside the simulated network.

mod mixing;
mod pattern;
mod recording;
mod rtp;
mod switch;

pub(crate) use mixing::{RoomId, Seat};
pub(crate) use pattern::{BEEP_HZ, Pattern, Player};
pub(crate) use recording::{decode_wav, encode_wav, is_silent};
pub(crate) use rtp::{Arriving, RtpLine};
pub(crate) use switch::{Line, PortId, Switch, Tap};
