//! The recording status callback: Twilio tells what became of a recording.

use dialer_domain::call::{CallEvent, RecordingStatus};
use dialer_domain::sid::{CallSid, ConferenceSid, RecordingSid};

use super::{Form, WebhookError, demanded_sid, number, sid, time_ms};

/// A recording began, is ready, or did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingCallback {
    /// Which.
    pub recording_sid: RecordingSid,
    /// The leg it belongs to: of two that talk, the parent. Absent for conferences.
    pub call_sid: Option<CallSid>,
    /// The conference it belongs to.
    pub conference_sid: Option<ConferenceSid>,
    /// What there is of it.
    pub status: RecordingStatus,
    /// Whether it is a message that the caller left (`RecordingSource` is `RecordVerb`).
    pub message: bool,
    /// Whole seconds, once ready.
    pub duration_s: Option<u32>,
    /// When it began, in Unix milliseconds at Twilio's clock.
    pub started_ms: Option<i64>,
}

impl RecordingCallback {
    /// Reads a form.
    pub fn parse(form: &Form) -> Result<Self, WebhookError> {
        let status = form.get("RecordingStatus").ok_or(WebhookError::Missing("RecordingStatus"))?;
        Ok(Self {
            recording_sid: demanded_sid(form, "RecordingSid")?,
            call_sid: sid(form, "CallSid"),
            conference_sid: sid(form, "ConferenceSid"),
            status: status_of(status).ok_or(WebhookError::Malformed("RecordingStatus"))?,
            message: form.get("RecordingSource") == Some("RecordVerb"),
            duration_s: number(form, "RecordingDuration"),
            started_ms: time_ms(form, "RecordingStartTime"),
        })
    }

    /// What the call log should hold about it; `None` for a recording that belongs to no leg. The time is that
    /// of the recording's beginning or end by Twilio's clock, where it can be told.
    pub fn event(&self, arrived_at_ms: i64) -> Option<CallEvent> {
        let length_ms = self.duration_s.map(|seconds| i64::from(seconds) * 1_000);
        let at_ms = match self.status {
            RecordingStatus::InProgress => self.started_ms,
            RecordingStatus::Completed
            | RecordingStatus::Absent
            | RecordingStatus::Failed
            | RecordingStatus::Deleted => {
                self.started_ms.zip(length_ms).map(|(start, length)| start.saturating_add(length))
            }
        };
        Some(CallEvent::Recording {
            call_sid: self.call_sid.clone()?,
            recording_sid: self.recording_sid.clone(),
            status: self.status,
            message: self.message,
            duration_s: self.duration_s,
            at_ms: at_ms.unwrap_or(arrived_at_ms),
        })
    }
}

/// A paused or stopped recording is under way until Twilio has made it ready.
pub(crate) fn status_of(text: &str) -> Option<RecordingStatus> {
    Some(match text {
        "in-progress" | "paused" | "stopped" | "processing" => RecordingStatus::InProgress,
        "completed" => RecordingStatus::Completed,
        "absent" => RecordingStatus::Absent,
        "failed" => RecordingStatus::Failed,
        _ => return None,
    })
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
            .with("RecordingStatus", status)
            .with("RecordingStartTime", "Sat, 21 Nov 2026 10:00:00 +0000")
            .with("RecordingChannels", "1")
            .with("RecordingSource", "RecordVerb")
            .with("ErrorCode", "0")
    }

    #[test]
    fn a_message_that_can_be_heard() {
        let callback = RecordingCallback::parse(&form("completed").with("RecordingDuration", "11")).unwrap();
        assert_eq!(
            callback.event(7),
            Some(CallEvent::Recording {
                call_sid: CallSid::parse(CALL).unwrap(),
                recording_sid: RecordingSid::parse(RECORDING).unwrap(),
                status: RecordingStatus::Completed,
                message: true,
                duration_s: Some(11),
                at_ms: 1_795_255_211_000,
            })
        );
    }

    #[test]
    fn when_it_happened() {
        let at_ms = |form: Form| RecordingCallback::parse(&form).unwrap().event(7).unwrap().at_ms();
        assert_eq!(at_ms(form("in-progress")), 1_795_255_200_000);
        assert_eq!(at_ms(form("completed")), 7, "no length, no end");
        assert_eq!(at_ms(form("absent")), 7);
    }

    #[test]
    fn a_conference_is_no_leg() {
        let conference = format!("CF{}", "f".repeat(32));
        let form = Form::new()
            .with("ConferenceSid", conference.clone())
            .with("RecordingSid", RECORDING)
            .with("RecordingStatus", "completed")
            .with("RecordingSource", "Conference");
        let callback = RecordingCallback::parse(&form).unwrap();
        assert!(!callback.message);
        assert_eq!(
            (callback.conference_sid.unwrap().as_str(), callback.call_sid),
            (conference.as_str(), None)
        );
        assert_eq!(RecordingCallback::parse(&form).unwrap().event(7), None);
    }

    #[test]
    fn what_is_no_recording_callback() {
        for (form, expected) in [
            (Form::new().with("RecordingSid", RECORDING), WebhookError::Missing("RecordingStatus")),
            (Form::new().with("RecordingStatus", "absent"), WebhookError::Missing("RecordingSid")),
            (form("melted"), WebhookError::Malformed("RecordingStatus")),
        ] {
            assert_eq!(RecordingCallback::parse(&form), Err(expected));
        }
    }
}
