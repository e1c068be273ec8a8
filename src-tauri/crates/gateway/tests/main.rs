//! The gateway as Twilio and as strangers meet it: a real server on a free port, a real client.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod desk;
mod downgrade;
mod flood;
mod flow;
mod forgery;
mod lifecycle;
mod limits;
mod replay;
mod routes;
mod sounds;
mod surface;
// The other side of a tunnel is played by Debian's programs, and looked at through /proc.
#[cfg(target_os = "linux")]
mod tunnel;
