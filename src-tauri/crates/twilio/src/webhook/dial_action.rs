//! The `action` of a `<Dial>`: a connection is over, or did not come about.

use dialer_domain::call::{CallEvent, CallStatus};
use dialer_domain::call_flow::{Happened, Purpose};
use dialer_domain::sid::CallSid;

use super::{Form, WebhookError, call_sid, number, sid};

/// What became of a `<Dial>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialAction {
    /// The leg that dialled.
    pub call_sid: CallSid,
    /// What the connection was for; the address that Twilio asks says it.
    pub purpose: Purpose,
    /// How it ended (`DialCallStatus`): a final status. Of one that was answered, but whose parties were never
    /// connected (`DialBridged`), there was no answer to speak of.
    pub status: CallStatus,
    /// The leg that was dialled, or that was taken out of a queue; absent for conferences.
    pub dialled_sid: Option<CallSid>,
    /// Whole seconds of conversation; absent for conferences, and when REST took the other leg away.
    pub duration_s: Option<u32>,
}

impl DialAction {
    /// Reads a form. For a queue that was dialled, programs in the field read `DequeueResult`,
    /// `DequeuedCallSid` and `DequeuedCallDuration`, which Twilio's pages do not mention: they are taken
    /// where the documented ones are absent.
    pub fn parse(form: &Form, purpose: Purpose) -> Result<Self, WebhookError> {
        let status = match (form.get("DialCallStatus"), form.get("DequeueResult")) {
            (Some(status), _) => status_of(status),
            (None, Some("bridged")) => CallStatus::Completed,
            (None, Some(_)) => CallStatus::NoAnswer,
            (None, None) => return Err(WebhookError::Missing("DialCallStatus")),
        };
        Ok(Self {
            call_sid: call_sid(form)?,
            purpose,
            status: match (status, form.get("DialBridged")) {
                (CallStatus::Completed, Some("false")) => CallStatus::NoAnswer,
                (status, _) => status,
            },
            dialled_sid: sid(form, "DialCallSid").or(sid(form, "DequeuedCallSid")),
            duration_s: number(form, "DialCallDuration").or_else(|| number(form, "DequeuedCallDuration")),
        })
    }

    /// What the call log should hold about it.
    pub fn event(&self, arrived_at_ms: i64) -> CallEvent {
        CallEvent::Dialled {
            call_sid: self.call_sid.clone(),
            dialled_sid: self.dialled_sid.clone(),
            purpose: self.purpose,
            status: self.status,
            duration_s: self.duration_s,
            at_ms: arrived_at_ms,
        }
    }

    /// What a decision about the rest of the call reads.
    pub fn happened(&self) -> Happened {
        Happened::Dialled { purpose: self.purpose, status: self.status }
    }
}

/// `answered` is what Twilio says of a conference that was entered and left. A word that is no status, and
/// one that leaves the leg under way after its end, say that there was no conversation.
fn status_of(text: &str) -> CallStatus {
    match CallStatus::from_wire(text) {
        Some(CallStatus::InProgress) => CallStatus::Completed,
        Some(status) if status.is_final() => status,
        Some(_) | None => CallStatus::Failed,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const CALL: &str = "CAcccccccccccccccccccccccccccccccc";
    const LEG: &str = "CAdddddddddddddddddddddddddddddddd";

    fn form(status: &str) -> Form {
        Form::new()
            .with("CallSid", CALL)
            .with("CallStatus", "in-progress")
            .with("DialCallSid", LEG)
            .with("DialCallStatus", status)
    }

    #[test]
    fn a_conversation_that_is_over() {
        let form = form("completed").with("DialCallDuration", "42").with("DialBridged", "true");
        let action = DialAction::parse(&form, Purpose::Outgoing).unwrap();
        assert_eq!(
            action.event(7),
            CallEvent::Dialled {
                call_sid: CallSid::parse(CALL).unwrap(),
                dialled_sid: Some(CallSid::parse(LEG).unwrap()),
                purpose: Purpose::Outgoing,
                status: CallStatus::Completed,
                duration_s: Some(42),
                at_ms: 7,
            }
        );
        assert_eq!(
            action.happened(),
            Happened::Dialled { purpose: Purpose::Outgoing, status: CallStatus::Completed }
        );
    }

    #[test]
    fn every_status_is_a_final_one() {
        for (wire, expected) in [
            ("completed", CallStatus::Completed),
            ("answered", CallStatus::Completed),
            ("busy", CallStatus::Busy),
            ("no-answer", CallStatus::NoAnswer),
            ("failed", CallStatus::Failed),
            ("canceled", CallStatus::Canceled),
            ("ringing", CallStatus::Failed),
            ("queue-not-found", CallStatus::Failed),
        ] {
            let action = DialAction::parse(&form(wire), Purpose::Ring).unwrap();
            assert_eq!((action.status, action.duration_s), (expected, None), "{wire}");
        }
    }

    #[test]
    fn whoever_answered_and_was_never_connected_did_not_answer() {
        for (bridged, expected) in [("true", CallStatus::Completed), ("false", CallStatus::NoAnswer)] {
            let form = form("completed").with("DialBridged", bridged);
            let action = DialAction::parse(&form, Purpose::Ring).unwrap();
            assert_eq!(action.status, expected, "{bridged}");
        }
    }

    #[test]
    fn a_caller_taken_out_of_a_queue() {
        let queue = Form::new()
            .with("CallSid", CALL)
            .with("DequeueResult", "bridged")
            .with("DequeuedCallSid", LEG)
            .with("DequeuedCallDuration", "42");
        let action = DialAction::parse(&queue, Purpose::TakeNext).unwrap();
        assert_eq!((action.status, action.duration_s), (CallStatus::Completed, Some(42)));
        assert_eq!(action.dialled_sid, CallSid::parse(LEG).ok());
        let other = Form::new().with("CallSid", CALL).with("DequeueResult", "hangup");
        let action = DialAction::parse(&other, Purpose::TakeNext).unwrap();
        assert_eq!((action.status, action.dialled_sid), (CallStatus::NoAnswer, None));
        let both = queue.with("DialCallStatus", "no-answer");
        assert_eq!(DialAction::parse(&both, Purpose::TakeNext).unwrap().status, CallStatus::NoAnswer);
    }

    #[test]
    fn what_is_no_dial_action() {
        let without =
            |name: &str| form("busy").pairs().iter().filter(|pair| pair.0 != name).cloned().collect::<Form>();
        for name in ["CallSid", "DialCallStatus"] {
            let error = DialAction::parse(&without(name), Purpose::Ring).unwrap_err();
            assert!(matches!(error, WebhookError::Missing(missing) if missing == name));
        }
        assert!(DialAction::parse(&without("DialCallSid"), Purpose::Ring).unwrap().dialled_sid.is_none());
    }
}
