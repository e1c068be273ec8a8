//! The `action` of a `<Record>`: a message was taken, or the caller hung up on the greeting.

use dialer_domain::call::{CallEvent, RecordingStatus};
use dialer_domain::call_flow::Happened;
use dialer_domain::sid::{CallSid, RecordingSid};

use super::{Form, WebhookError, call_sid, number, sid};

/// What became of a `<Record>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordAction {
    /// The caller's leg.
    pub call_sid: CallSid,
    /// The recording, where there is one.
    pub recording_sid: Option<RecordingSid>,
    /// Whole seconds.
    pub duration_s: Option<u32>,
}

impl RecordAction {
    /// Reads a form.
    pub fn parse(form: &Form) -> Result<Self, WebhookError> {
        Ok(Self {
            call_sid: call_sid(form)?,
            recording_sid: match sid(form, "RecordingSid") {
                Some(sid) => Some(sid),
                None => form.get("RecordingUrl").and_then(named_by),
            },
            duration_s: number(form, "RecordingDuration"),
        })
    }

    /// What the call log should hold about it; `None` where nothing was recorded. The recording has begun, and
    /// its length is known, so a message of some seconds is one; whether and when it can be heard is for
    /// [`RecordingCallback`](super::RecordingCallback) to say.
    pub fn event(&self, arrived_at_ms: i64) -> Option<CallEvent> {
        Some(CallEvent::Recording {
            call_sid: self.call_sid.clone(),
            recording_sid: self.recording_sid.clone()?,
            status: RecordingStatus::InProgress,
            message: true,
            duration_s: self.duration_s,
            at_ms: arrived_at_ms,
        })
    }

    /// What a decision about the rest of the call reads.
    pub fn happened(&self) -> Happened {
        Happened::MessageTaken
    }
}

/// The recording that an address ends in. The documentation promises the address, not the SID.
fn named_by(url: &str) -> Option<RecordingSid> {
    let name = url.rsplit('/').next()?;
    RecordingSid::parse(name.split_once(['.', '?']).map_or(name, |(name, _)| name)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const CALL: &str = "CAcccccccccccccccccccccccccccccccc";
    const RECORDING: &str = "REeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

    #[test]
    fn a_message() {
        let url = format!("https://api.twilio.com/2010-04-01/Accounts/AC/Recordings/{RECORDING}");
        let form = Form::new()
            .with("CallSid", CALL)
            .with("RecordingUrl", url)
            .with("RecordingDuration", "11")
            .with("Digits", "#");
        let action = RecordAction::parse(&form).unwrap();
        assert_eq!(
            action.event(7),
            Some(CallEvent::Recording {
                call_sid: CallSid::parse(CALL).unwrap(),
                recording_sid: RecordingSid::parse(RECORDING).unwrap(),
                status: RecordingStatus::InProgress,
                message: true,
                duration_s: Some(11),
                at_ms: 7,
            })
        );
        let told = Form::new().with("CallSid", CALL).with("RecordingSid", RECORDING);
        assert_eq!(RecordAction::parse(&told).unwrap().recording_sid, action.recording_sid);
    }

    #[test]
    fn a_caller_who_hung_up() {
        let form =
            Form::new().with("CallSid", CALL).with("Digits", "hangup").with("RecordingUrl", "https://x/.wav");
        let action = RecordAction::parse(&form).unwrap();
        assert_eq!((action.event(7), action.happened()), (None, Happened::MessageTaken));
        assert_eq!(RecordAction::parse(&Form::new()), Err(WebhookError::Missing("CallSid")));
    }
}
