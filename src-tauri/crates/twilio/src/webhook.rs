//! The forms Twilio posts about a call: what a call should do, and what became of its legs.

mod form;
mod status_callback;
mod voice_request;

pub use form::Form;
pub use status_callback::StatusCallback;
pub use voice_request::{CALL_ID_PARAM, VoiceRequest};

/// The longest `From` or `To` that is read, in bytes; a SIP address may have 255.
pub const MAX_ADDRESS_LENGTH: usize = 255;

/// Why a form is not the webhook it should be. Nothing a stranger typed is repeated here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// A parameter every such request has is absent or empty.
    #[error("the request has no {0}")]
    Missing(&'static str),
    /// A parameter is there but cannot be what it should be.
    #[error("the request's {0} is malformed")]
    Malformed(&'static str),
}

/// Reads the SID in parameter `name`, if there is one.
fn sid<T: std::str::FromStr>(form: &Form, name: &'static str) -> Result<Option<T>, WebhookError> {
    form.get(name).map(|text| text.parse().map_err(|_| WebhookError::Malformed(name))).transpose()
}

/// Reads an address such as `From`; absent and empty are both the empty text.
fn address(form: &Form, name: &'static str) -> Result<String, WebhookError> {
    let text = form.get(name).unwrap_or_default();
    if text.len() > MAX_ADDRESS_LENGTH || text.chars().any(char::is_control) {
        return Err(WebhookError::Malformed(name));
    }
    Ok(text.to_owned())
}
