//! Requests to the account's webhook server.

mod answer;
mod cache;
mod callback;
mod fetch;
mod form;
mod manner;
mod overrides;
mod status;

pub(crate) use answer::Content;
pub(crate) use cache::Cache;
pub(crate) use callback::HeldCallbacks;
pub(crate) use fetch::{Conversation, Request, fetch_sound, test_delivery};
pub(crate) use form::{API_VERSION, StatusDetail, call_form, rfc2822};
pub(crate) use manner::{Clients, client};
pub(crate) use overrides::{Patience, RetryOn};
pub(crate) use status::StatusCallbacks;
