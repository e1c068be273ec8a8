//! The `waitUrl` of an `<Enqueue>`: what somebody in the queue should hear.

use dialer_domain::call::CallEvent;
use dialer_domain::call_flow::Happened;
use dialer_domain::sid::{CallSid, QueueSid};

use super::{Form, WebhookError, call_sid, number, sid};

/// Somebody waits in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueWait {
    /// The caller's leg.
    pub call_sid: CallSid,
    /// The queue.
    pub queue_sid: Option<QueueSid>,
    /// The caller's place, from 1; the last one where Twilio does not tell.
    pub position: u32,
    /// Seconds waited so far (`QueueTime`).
    pub waited_s: u32,
}

impl QueueWait {
    /// Reads a form.
    pub fn parse(form: &Form) -> Result<Self, WebhookError> {
        let waiting = number(form, "CurrentQueueSize");
        Ok(Self {
            call_sid: call_sid(form)?,
            queue_sid: sid(form, "QueueSid"),
            position: number(form, "QueuePosition").or(waiting).unwrap_or(1).max(1),
            waited_s: number(form, "QueueTime").unwrap_or(0),
        })
    }

    /// What the call log should hold about it.
    pub fn event(&self, arrived_at_ms: i64) -> CallEvent {
        CallEvent::Waiting { call_sid: self.call_sid.clone(), waited_s: self.waited_s, at_ms: arrived_at_ms }
    }

    /// What a decision about the rest of the call reads.
    pub fn happened(&self) -> Happened {
        Happened::Waiting { position: self.position, waited_s: self.waited_s }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const CALL: &str = "CAcccccccccccccccccccccccccccccccc";
    const QUEUE: &str = "QUffffffffffffffffffffffffffffffff";

    #[test]
    fn the_third_in_the_queue() {
        let form = Form::new()
            .with("CallSid", CALL)
            .with("QueueSid", QUEUE)
            .with("QueuePosition", "3")
            .with("QueueTime", "61")
            .with("AvgQueueTime", "40")
            .with("CurrentQueueSize", "4")
            .with("MaxQueueSize", "1000");
        let wait = QueueWait::parse(&form).unwrap();
        assert_eq!(wait.queue_sid, Some(QueueSid::parse(QUEUE).unwrap()));
        assert_eq!(wait.happened(), Happened::Waiting { position: 3, waited_s: 61 });
        let call_sid = CallSid::parse(CALL).unwrap();
        assert_eq!(wait.event(7), CallEvent::Waiting { call_sid, waited_s: 61, at_ms: 7 });
    }

    #[test]
    fn an_untold_place_is_the_last() {
        let form = Form::new().with("CallSid", CALL).with("QueuePosition", "first").with("QueueTime", "");
        let position = |form: &Form| QueueWait::parse(form).unwrap().happened();
        assert_eq!(position(&form), Happened::Waiting { position: 1, waited_s: 0 });
        let form = form.with("CurrentQueueSize", "4");
        assert_eq!(position(&form), Happened::Waiting { position: 4, waited_s: 0 });
        let zero = Form::new().with("CallSid", CALL).with("QueuePosition", "0");
        assert_eq!(position(&zero), Happened::Waiting { position: 1, waited_s: 0 });
        assert_eq!(QueueWait::parse(&Form::new()), Err(WebhookError::Missing("CallSid")));
    }
}
