//! The only part of the program that strangers can reach: the server that Twilio calls.
//!
//! | route | answers |
//! | --- | --- |
//! | `GET`, `POST /api/calls/twiml` | what a call should do, as TwiML |
//! | `POST /api/calls/status` | 204 for every status callback |
//! | `GET /.well-known/kennex-dialer/{nonce}` | proof that this very process is behind the public URL |
//!
//! The first two believe nothing that Twilio did not sign: anything else gets an empty 403 and has
//! no effect. The signed URL is put together from the public address this side knows and the path
//! and query as they arrived, never from `Host` or `X-Forwarded-*`, because every tunnel rewrites
//! those. There is no route that hands out tokens here: through a tunnel every peer looks like this
//! computer, so there would be no telling who asks.
//!
//! [`tunnel`] brings Twilio's requests from a public address to the server, and tells whether they arrive.
//!
//! Decisions are made elsewhere, behind the port [`Calls`]. Whatever happens behind it, a caller
//! hears something within Twilio's 15 seconds.

mod document;
mod ports;
mod proof;
mod public_base;
mod refusals;
mod replay;
mod routes;
mod server;
pub mod tunnel;
mod verification;

pub use ports::{AuthTokens, Calls, RefusalReason, RefusedWebhook};
pub use proof::{PROOF_PATH, Proof};
pub use routes::{STATUS_PATH, VOICE_PATH};
pub use server::{Gateway, GatewayOptions, StartError};
