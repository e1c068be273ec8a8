//! The status callback: Twilio tells what became of a leg.

use dialer_domain::call::{CallEvent, CallStatus, LegRole};
use dialer_domain::sid::{AccountSid, CallSid};

use super::{Form, WebhookError, address, call_sid, number, sid, time_ms};

/// A status callback of one leg. Callbacks arrive in any order and may repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCallback {
    /// The account the call belongs to. Twilio always sends it.
    pub account_sid: Option<AccountSid>,
    /// The leg.
    pub call_sid: CallSid,
    /// The leg that caused it; absent for the parent itself.
    pub parent_call_sid: Option<CallSid>,
    /// How far the leg is.
    pub status: CallStatus,
    /// Whose leg it is, as far as its addresses tell.
    pub role: Option<LegRole>,
    /// Twilio's counter per leg, from 0; absent on the parent's final callback.
    pub sequence: Option<u32>,
    /// When it happened, in Unix milliseconds at Twilio's clock (whole seconds).
    pub timestamp_ms: Option<i64>,
    /// Whole seconds after the answer (`CallDuration`), on the final callback.
    pub duration_s: Option<u32>,
    /// Why the leg failed, in Twilio's error codes.
    pub error_code: Option<u32>,
    /// All parameters.
    pub form: Form,
}

impl StatusCallback {
    /// Reads a form. Numbers and times that cannot be read count as absent: a call must not stay
    /// open in the log because a duration was odd.
    pub fn parse(form: Form) -> Result<Self, WebhookError> {
        let parent_call_sid = sid(&form, "ParentCallSid");
        let from = address(&form, "From")?;
        let to = address(&form, "To")?;
        let status = form.get("CallStatus").ok_or(WebhookError::Missing("CallStatus"))?;
        Ok(Self {
            account_sid: sid(&form, "AccountSid"),
            call_sid: call_sid(&form)?,
            status: CallStatus::from_wire(status).ok_or(WebhookError::Malformed("CallStatus"))?,
            role: role(parent_call_sid.is_some(), &from, &to),
            parent_call_sid,
            sequence: number(&form, "SequenceNumber"),
            timestamp_ms: time_ms(&form, "Timestamp"),
            duration_s: number(&form, "CallDuration"),
            error_code: number(&form, "ErrorCode").filter(|code| *code != 0),
            form,
        })
    }

    /// The callback as an event; `arrived_at_ms` (Unix milliseconds) stands in for a missing
    /// `Timestamp`.
    pub fn event(&self, arrived_at_ms: i64) -> CallEvent {
        CallEvent::LegStatus {
            call_sid: self.call_sid.clone(),
            parent_call_sid: self.parent_call_sid.clone(),
            role: self.role,
            status: self.status,
            sequence: self.sequence,
            at_ms: self.timestamp_ms.unwrap_or(arrived_at_ms),
            duration_s: self.duration_s,
            error_code: self.error_code,
        }
    }
}

/// A child leg was called, so its `To` is its own end; a parent leg called, so its `From` is.
pub(crate) fn role(is_child: bool, from: &str, to: &str) -> Option<LegRole> {
    let end = if is_child { to } else { from };
    match end {
        "" => None,
        client if client.starts_with("client:") => Some(LegRole::Agent),
        _ => Some(LegRole::FarEnd),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const LEG: &str = "CAdddddddddddddddddddddddddddddddd";
    const PARENT: &str = "CAcccccccccccccccccccccccccccccccc";

    fn child(to: &str, status: &str) -> Form {
        Form::new()
            .with("CallSid", LEG)
            .with("ParentCallSid", PARENT)
            .with("CallStatus", status)
            .with("From", "+12025550100")
            .with("To", to)
            .with("Direction", "outbound-dial")
            .with("ToCity", "")
            .with("Timestamp", "Sat, 21 Nov 2026 10:00:00 +0000")
            .with("CallbackSource", "call-progress-events")
            .with("SequenceNumber", "3")
    }

    #[test]
    fn a_completed_far_leg() {
        let form = child("+12025550123", "completed")
            .with("CallDuration", "42")
            .with("Duration", "1")
            .with("ErrorCode", "0");
        assert_eq!(
            StatusCallback::parse(form).unwrap().event(7),
            CallEvent::LegStatus {
                call_sid: CallSid::parse(LEG).unwrap(),
                parent_call_sid: Some(CallSid::parse(PARENT).unwrap()),
                role: Some(LegRole::FarEnd),
                status: CallStatus::Completed,
                sequence: Some(3),
                at_ms: 1_795_255_200_000,
                duration_s: Some(42),
                error_code: None,
            }
        );
    }

    #[test]
    fn whose_leg_it_is() {
        let role_of = |form: Form| StatusCallback::parse(form).unwrap().role;
        assert_eq!(role_of(child("client:agent_1", "ringing")), Some(LegRole::Agent));
        let parent = |from: &str| {
            Form::new().with("CallSid", PARENT).with("CallStatus", "completed").with("From", from)
        };
        assert_eq!(role_of(parent("client:agent_1")), Some(LegRole::Agent));
        assert_eq!(role_of(parent("+12025550123")), Some(LegRole::FarEnd));
        assert_eq!(role_of(parent("")), None);
    }

    #[test]
    fn oddities_do_not_lose_the_status() {
        let form = child("+12025550123", "no-answer").with("CallDuration", "soon");
        let form: Form = form
            .pairs()
            .iter()
            .filter(|(name, _)| name != "Timestamp" && name != "SequenceNumber")
            .cloned()
            .collect();
        let callback =
            StatusCallback::parse(form.with("Timestamp", "yesterday").with("SequenceNumber", "-1")).unwrap();
        assert_eq!((callback.duration_s, callback.sequence, callback.timestamp_ms), (None, None, None));
        assert!(matches!(
            callback.event(7),
            CallEvent::LegStatus { at_ms: 7, status: CallStatus::NoAnswer, .. }
        ));
    }

    #[test]
    fn what_is_no_status_callback() {
        for (form, expected) in [
            (Form::new().with("CallSid", LEG), WebhookError::Missing("CallStatus")),
            (Form::new().with("CallStatus", "ringing"), WebhookError::Missing("CallSid")),
            (child("+1", "teleported"), WebhookError::Malformed("CallStatus")),
            (
                Form::new().with("CallStatus", "ringing").with("CallSid", "CA1"),
                WebhookError::Malformed("CallSid"),
            ),
        ] {
            assert_eq!(StatusCallback::parse(form), Err(expected));
        }
    }

    #[test]
    fn answered_is_the_event_name_of_in_progress() {
        assert_eq!(
            StatusCallback::parse(child("+12025550123", "answered")).unwrap().status,
            CallStatus::InProgress
        );
    }
}
