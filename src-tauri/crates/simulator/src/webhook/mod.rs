//! Requests to the account's webhook server.

mod fetch;
mod form;
mod status;

pub(crate) use fetch::{Content, Conversation, Request};
pub(crate) use form::{API_VERSION, StatusDetail, call_form, rfc2822};
pub(crate) use status::StatusCallbacks;
