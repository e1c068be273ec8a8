//! The `url` of a `<Queue>`: what somebody who waited should hear before they are connected.

use dialer_domain::call::CallEvent;
use dialer_domain::sid::{CallSid, QueueSid};

use super::{Form, WebhookError, call_sid, number, sid};

/// Somebody is being taken out of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueWhisper {
    /// The caller's leg.
    pub call_sid: CallSid,
    /// The leg that takes them. Twilio spells the parameter `DequeingCallSid` (TwiML, `<Queue>`).
    pub agent_sid: CallSid,
    /// The queue.
    pub queue_sid: Option<QueueSid>,
    /// Seconds waited (`QueueTime`).
    pub waited_s: Option<u32>,
}

impl QueueWhisper {
    /// Reads a form. One that does not tell who takes the caller tells nothing.
    pub fn parse(form: &Form) -> Result<Self, WebhookError> {
        Ok(Self {
            call_sid: call_sid(form)?,
            agent_sid: sid(form, "DequeingCallSid").ok_or(WebhookError::Missing("DequeingCallSid"))?,
            queue_sid: sid(form, "QueueSid"),
            waited_s: number(form, "QueueTime"),
        })
    }

    /// What the call log should hold about it.
    pub fn event(&self, arrived_at_ms: i64) -> CallEvent {
        CallEvent::Dequeued {
            call_sid: self.call_sid.clone(),
            agent_sid: self.agent_sid.clone(),
            waited_s: self.waited_s,
            at_ms: arrived_at_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const CALLER: &str = "CAcccccccccccccccccccccccccccccccc";
    const AGENT: &str = "CAdddddddddddddddddddddddddddddddd";
    const QUEUE: &str = "QUffffffffffffffffffffffffffffffff";

    #[test]
    fn who_takes_whom() {
        let form = Form::new()
            .with("CallSid", CALLER)
            .with("QueueSid", QUEUE)
            .with("QueueTime", "61")
            .with("DequeingCallSid", AGENT);
        let whisper = QueueWhisper::parse(&form).unwrap();
        assert_eq!(whisper.queue_sid, QueueSid::parse(QUEUE).ok());
        assert_eq!(
            whisper.event(7),
            CallEvent::Dequeued {
                call_sid: CallSid::parse(CALLER).unwrap(),
                agent_sid: CallSid::parse(AGENT).unwrap(),
                waited_s: Some(61),
                at_ms: 7,
            }
        );
    }

    #[test]
    fn what_is_no_whisper() {
        for (form, missing) in [
            (Form::new().with("CallSid", CALLER), "DequeingCallSid"),
            (Form::new().with("DequeingCallSid", AGENT), "CallSid"),
        ] {
            let error = QueueWhisper::parse(&form).unwrap_err();
            assert!(matches!(error, WebhookError::Missing(name) if name == missing));
        }
    }
}
