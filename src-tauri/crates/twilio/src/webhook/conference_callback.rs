//! The status callback of a conference.

use dialer_domain::call::CallEvent;
use dialer_domain::sid::{CallSid, ConferenceSid};

use super::{Form, WebhookError, demanded_sid, number, sid, time_ms};

/// Something happened in a conference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConferenceCallback {
    /// Which.
    pub conference_sid: ConferenceSid,
    /// What happened (`StatusCallbackEvent`), such as `participant-join`.
    pub what: String,
    /// The leg it happened to; absent for the conference as a whole.
    pub call_sid: Option<CallSid>,
    /// Twilio's counter per conference.
    pub sequence: Option<u32>,
    /// When it happened, in Unix milliseconds at Twilio's clock (whole seconds).
    pub timestamp_ms: Option<i64>,
}

impl ConferenceCallback {
    /// Reads a form.
    pub fn parse(form: &Form) -> Result<Self, WebhookError> {
        let what = form.get("StatusCallbackEvent").ok_or(WebhookError::Missing("StatusCallbackEvent"))?;
        Ok(Self {
            conference_sid: demanded_sid(form, "ConferenceSid")?,
            what: what.to_owned(),
            call_sid: sid(form, "CallSid"),
            sequence: number(form, "SequenceNumber"),
            timestamp_ms: time_ms(form, "Timestamp"),
        })
    }

    /// What the call log should hold about it; `None` for what happened to the conference as a whole.
    pub fn event(&self, arrived_at_ms: i64) -> Option<CallEvent> {
        Some(CallEvent::Conference {
            call_sid: self.call_sid.clone()?,
            conference_sid: self.conference_sid.clone(),
            what: self.what.clone(),
            sequence: self.sequence,
            at_ms: self.timestamp_ms.unwrap_or(arrived_at_ms),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const CALL: &str = "CAcccccccccccccccccccccccccccccccc";
    const ROOM: &str = "CFffffffffffffffffffffffffffffffff";

    #[test]
    fn somebody_leaves() {
        let form = Form::new()
            .with("ConferenceSid", ROOM)
            .with("FriendlyName", "c-7f3a")
            .with("StatusCallbackEvent", "participant-leave")
            .with("CallSid", CALL)
            .with("ParticipantLabel", "customer")
            .with("ReasonParticipantLeft", "participant_add_failed")
            .with("ParticipantCallStatus", "busy")
            .with("SequenceNumber", "4")
            .with("Timestamp", "Sat, 21 Nov 2026 10:00:00 +0000");
        let callback = ConferenceCallback::parse(&form).unwrap();
        assert_eq!(
            callback.event(7),
            Some(CallEvent::Conference {
                call_sid: CallSid::parse(CALL).unwrap(),
                conference_sid: ConferenceSid::parse(ROOM).unwrap(),
                what: "participant-leave".into(),
                sequence: Some(4),
                at_ms: 1_795_255_200_000,
            })
        );
    }

    #[test]
    fn the_room_as_a_whole_is_no_leg() {
        let form = Form::new()
            .with("ConferenceSid", ROOM)
            .with("StatusCallbackEvent", "conference-end")
            .with("CallSidEndingConference", CALL)
            .with("ReasonConferenceEnded", "last-participant-left");
        let callback = ConferenceCallback::parse(&form).unwrap();
        assert_eq!(callback.event(7), None);
    }

    #[test]
    fn what_is_no_conference_callback() {
        for (form, expected) in [
            (Form::new().with("ConferenceSid", ROOM), WebhookError::Missing("StatusCallbackEvent")),
            (
                Form::new().with("StatusCallbackEvent", "conference-start"),
                WebhookError::Missing("ConferenceSid"),
            ),
        ] {
            assert_eq!(ConferenceCallback::parse(&form), Err(expected));
        }
    }
}
