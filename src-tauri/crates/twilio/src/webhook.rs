//! The forms Twilio posts about a call: what a call should do, and what became of it.
//!
//! | reader | of the request |
//! | --- | --- |
//! | [`VoiceRequest`] | to the voice URL: a call begins |
//! | [`StatusCallback`] | about a leg |
//! | [`DialAction`] | after a `<Dial>` |
//! | [`GatherAction`] | after a `<Gather>` |
//! | [`RecordAction`] | after a `<Record>` |
//! | [`QueueWait`], [`QueueAction`] | while somebody waits in a queue, and after |
//! | [`QueueWhisper`] | before somebody who waited is connected |
//! | [`RecordingCallback`], [`TranscriptionCallback`] | about a recording |
//! | [`ConferenceCallback`] | about a conference |
//!
//! Readers take what they need and ignore the rest: Twilio adds parameters without notice. Only what a
//! request would be senseless without is demanded. A SID, a number or a time that cannot be read counts as absent,
//! and a word that Twilio did not have when this was written is taken for the least promising one: whoever is
//! on the line must get an answer.

mod conference_callback;
mod dial_action;
mod form;
mod gather_action;
mod queue_action;
mod queue_wait;
mod queue_whisper;
mod record_action;
pub(crate) mod recording_callback;
mod sip;
pub(crate) mod status_callback;
mod transcription_callback;
mod voice_request;

pub use conference_callback::ConferenceCallback;
pub use dial_action::DialAction;
pub use form::Form;
pub use gather_action::GatherAction;
pub use queue_action::QueueAction;
pub use queue_wait::QueueWait;
pub use queue_whisper::QueueWhisper;
pub use record_action::RecordAction;
pub use recording_callback::RecordingCallback;
pub use status_callback::StatusCallback;
pub use transcription_callback::TranscriptionCallback;
pub use voice_request::{CALL_ID_PARAM, VoiceRequest};

use dialer_domain::sid::CallSid;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The longest `From` or `To` that is read, in bytes, after the parameters of a SIP address are gone; such an
/// address may have 255.
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

/// Reads the SID in parameter `name`, if there is one. What has not the form of a SID names nothing we know.
fn sid<T: std::str::FromStr>(form: &Form, name: &str) -> Option<T> {
    form.get(name).and_then(|text| text.parse().ok())
}

/// Reads the SID in parameter `name`, which must be there.
fn demanded_sid<T: std::str::FromStr>(form: &Form, name: &'static str) -> Result<T, WebhookError> {
    let text = form.get(name).ok_or(WebhookError::Missing(name))?;
    text.parse().map_err(|_| WebhookError::Malformed(name))
}

/// The leg that a request is about.
fn call_sid(form: &Form) -> Result<CallSid, WebhookError> {
    demanded_sid(form, "CallSid")
}

/// Reads an address such as `From`; absent and empty are both the empty text. Of a SIP address remains what
/// names somebody: neither its parameters nor its headers.
fn address(form: &Form, name: &'static str) -> Result<String, WebhookError> {
    bounded(sip::bare(form.get(name).unwrap_or_default()), name)
}

/// Reads an address as it came.
fn whole(form: &Form, name: &'static str) -> Result<String, WebhookError> {
    bounded(form.get(name).unwrap_or_default(), name)
}

fn bounded(address: &str, name: &'static str) -> Result<String, WebhookError> {
    if address.len() > MAX_ADDRESS_LENGTH || address.chars().any(char::is_control) {
        return Err(WebhookError::Malformed(name));
    }
    Ok(address.to_owned())
}

/// Reads a number, if there is one that can be read.
fn number<T: std::str::FromStr>(form: &Form, name: &str) -> Option<T> {
    form.get(name).and_then(|text| text.parse().ok())
}

/// Reads a time such as `Sat, 21 Nov 2026 10:00:00 +0000`, in Unix milliseconds.
fn time_ms(form: &Form, name: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(form.get(name)?, &Rfc2822).ok()?;
    time.unix_timestamp().checked_mul(1_000)
}
