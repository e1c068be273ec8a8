//! Connecting, keeping and disconnecting an account, at the simulator's REST surface.

mod connecting;
mod keeping;
mod leaving;
mod secrets;
