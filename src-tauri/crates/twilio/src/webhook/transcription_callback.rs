//! The `transcribeCallback` of a `<Record>`: a recording was written down.

use dialer_domain::call::CallEvent;
use dialer_domain::sid::{CallSid, RecordingSid};

use super::{Form, WebhookError, call_sid, demanded_sid};

/// What was said in a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptionCallback {
    /// The leg it belongs to.
    pub call_sid: CallSid,
    /// Which.
    pub recording_sid: RecordingSid,
    /// What was said; empty when it could not be understood.
    pub text: String,
}

impl TranscriptionCallback {
    /// Reads a form. One whose `TranscriptionStatus` is `failed` has no text.
    pub fn parse(form: &Form) -> Result<Self, WebhookError> {
        let understood = form.get("TranscriptionStatus") == Some("completed");
        let text = form.get("TranscriptionText").filter(|_| understood);
        Ok(Self {
            call_sid: call_sid(form)?,
            recording_sid: demanded_sid(form, "RecordingSid")?,
            text: text.unwrap_or_default().to_owned(),
        })
    }

    /// What the call log should hold about it.
    pub fn event(&self, arrived_at_ms: i64) -> CallEvent {
        CallEvent::Transcribed {
            call_sid: self.call_sid.clone(),
            recording_sid: self.recording_sid.clone(),
            text: self.text.clone(),
            at_ms: arrived_at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const CALL: &str = "CAcccccccccccccccccccccccccccccccc";
    const RECORDING: &str = "REeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

    fn form(status: &str) -> Form {
        Form::new()
            .with("CallSid", CALL)
            .with("RecordingSid", RECORDING)
            .with("TranscriptionStatus", status)
            .with("TranscriptionText", "Please call back.")
    }

    #[test]
    fn what_was_understood_and_what_was_not() {
        for (status, expected) in [("completed", "Please call back."), ("failed", ""), ("", "")] {
            let callback = TranscriptionCallback::parse(&form(status)).unwrap();
            assert_eq!(
                callback.event(7),
                CallEvent::Transcribed {
                    call_sid: CallSid::parse(CALL).unwrap(),
                    recording_sid: RecordingSid::parse(RECORDING).unwrap(),
                    text: expected.into(),
                    at_ms: 7,
                },
                "{status}"
            );
        }
        assert_eq!(
            TranscriptionCallback::parse(&Form::new().with("CallSid", CALL)),
            Err(WebhookError::Missing("RecordingSid"))
        );
    }
}
