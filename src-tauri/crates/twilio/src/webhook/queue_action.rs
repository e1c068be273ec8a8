//! The `action` of an `<Enqueue>`: somebody left the queue.

use dialer_domain::call::CallEvent;
use dialer_domain::call_flow::{Happened, QueueResult};
use dialer_domain::sid::{CallSid, QueueSid};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};

use super::{Form, WebhookError, call_sid, number, sid};

/// How somebody left a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueAction {
    /// The caller's leg.
    pub call_sid: CallSid,
    /// The queue.
    pub queue_sid: Option<QueueSid>,
    /// How.
    pub result: QueueResult,
    /// Seconds waited.
    pub waited_s: Option<u32>,
}

impl QueueAction {
    /// Reads a form.
    pub fn parse(form: &Form) -> Result<Self, WebhookError> {
        let result = form.get("QueueResult").ok_or(WebhookError::Missing("QueueResult"))?;
        let word: StrDeserializer<'_, Error> = result.into_deserializer();
        Ok(Self {
            call_sid: call_sid(form)?,
            queue_sid: sid(form, "QueueSid"),
            result: QueueResult::deserialize(word).unwrap_or(QueueResult::Error),
            waited_s: number(form, "QueueTime"),
        })
    }

    /// What the call log should hold about it.
    pub fn event(&self, arrived_at_ms: i64) -> CallEvent {
        CallEvent::LeftQueue {
            call_sid: self.call_sid.clone(),
            result: self.result,
            waited_s: self.waited_s,
            at_ms: arrived_at_ms,
        }
    }

    /// What a decision about the rest of the call reads.
    pub fn happened(&self) -> Happened {
        Happened::LeftQueue { result: self.result }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const CALL: &str = "CAcccccccccccccccccccccccccccccccc";

    #[test]
    fn every_result_of_twilios_and_one_it_does_not_have() {
        for (wire, result) in [
            ("bridged", QueueResult::Bridged),
            ("bridging-in-process", QueueResult::BridgingInProcess),
            ("error", QueueResult::Error),
            ("hangup", QueueResult::Hangup),
            ("leave", QueueResult::Leave),
            ("redirected", QueueResult::Redirected),
            ("redirected-from-bridged", QueueResult::RedirectedFromBridged),
            ("queue-full", QueueResult::QueueFull),
            ("system-error", QueueResult::SystemError),
            ("abducted", QueueResult::Error),
        ] {
            let form = Form::new().with("CallSid", CALL).with("QueueResult", wire).with("QueueTime", "5");
            let action = QueueAction::parse(&form).unwrap();
            let call_sid = CallSid::parse(CALL).unwrap();
            assert_eq!(action.happened(), Happened::LeftQueue { result }, "{wire}");
            assert_eq!(
                action.event(7),
                CallEvent::LeftQueue { call_sid, result, waited_s: Some(5), at_ms: 7 }
            );
        }
    }

    #[test]
    fn what_is_no_queue_action() {
        assert_eq!(
            QueueAction::parse(&Form::new().with("CallSid", CALL)),
            Err(WebhookError::Missing("QueueResult"))
        );
        assert_eq!(
            QueueAction::parse(&Form::new().with("QueueResult", "leave")),
            Err(WebhookError::Missing("CallSid"))
        );
    }
}
