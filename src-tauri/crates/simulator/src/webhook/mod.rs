//! Requests to the account's webhook server.

mod cache;
mod callback;
mod fetch;
mod form;
mod manner;
mod overrides;
mod status;

pub(crate) use cache::Cache;
pub(crate) use callback::HeldCallbacks;
pub(crate) use fetch::{Content, Conversation, Request, fetch_sound, test_delivery};
pub(crate) use form::{API_VERSION, StatusDetail, call_form, rfc2822};
pub(crate) use manner::{Clients, client};
pub(crate) use overrides::{Patience, RetryOn};
pub(crate) use status::StatusCallbacks;
