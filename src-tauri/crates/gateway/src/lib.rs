//! The only part of the program that strangers can reach: the server that Twilio calls.
//!
//! | methods | path | answers |
//! | --- | --- | --- |
//! | `GET, POST` | `/api/calls/twiml` | the voice URL: what a call that begins should do, as TwiML |
//! | `POST` | `/api/calls/dialled/{purpose}` | how it goes on after `<Dial>`: `outgoing`, `ring`, `forward`, `take-next` |
//! | `POST` | `/api/calls/menu/{keys}/{attempt}` | how it goes on after `<Gather>`; `start` for the first page |
//! | `POST` | `/api/calls/message` | how it goes on after `<Record>` |
//! | `POST` | `/api/calls/queue/wait` | what somebody in the queue hears |
//! | `POST` | `/api/calls/queue/left` | how it goes on after `<Enqueue>` |
//! | `POST` | `/api/calls/queue/taken` | nothing to hear for whom an agent takes out of the queue |
//! | `POST` | `/api/calls/status` | 204 for every status callback of a leg |
//! | `POST` | `/api/calls/recording` | 204 for every status callback of a recording |
//! | `POST` | `/api/calls/transcription` | 204 for every message that was written down |
//! | `POST` | `/api/calls/conference` | 204 for every status callback of a conference |
//! | `GET, HEAD` | `/api/calls/sounds/{name}.wav` | something callers hear, under a name that cannot be guessed |
//! | `GET, HEAD` | `/.well-known/kennex-dialer/{nonce}` | proof that this very process is behind the public URL |
//!
//! All but the last two believe nothing that Twilio did not sign: anything else gets an empty 403, or 429
//! where there is too much of it, and has no effect. Twilio does not sign when it fetches a sound. The signed
//! URL is put together from the public address this side knows and the path and query as they arrived, never
//! from `Host` or `X-Forwarded-*`, because every tunnel rewrites those. There is no route that hands out
//! tokens here: through a tunnel every peer looks like this computer, so there would be no telling who asks.
//!
//! [`tunnel`] brings Twilio's requests from a public address to the server, and tells whether they arrive.
//!
//! Decisions are made elsewhere, behind the port [`Calls`]. Whatever happens behind it, a caller
//! hears something within Twilio's 15 seconds.

mod answer;
mod bucket;
mod callback;
mod connection;
mod counts;
mod document;
mod fallback;
mod ports;
mod proof;
mod public_base;
mod refusals;
mod replay;
mod route;
mod server;
mod sound;
mod steering;
mod tune;
pub mod tunnel;
mod verification;

pub use counts::{Count, Counts, Outcome};
pub use fallback::fallback_document;
pub use ports::{AuthTokens, Calls, RefusalReason, RefusedWebhook};
pub use proof::{PROOF_PATH, Proof};
pub use route::{STATUS_PATH, VOICE_PATH};
pub use server::{Gateway, GatewayOptions, StartError};
