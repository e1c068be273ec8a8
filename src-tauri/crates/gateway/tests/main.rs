//! The gateway as Twilio and as strangers meet it: a real server on a free port, a real client.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod desk;
mod forgery;
mod lifecycle;
mod limits;
mod replay;
mod routes;
