#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation in a test should panic")]

mod outcomes;
mod properties;

use super::*;
use crate::call::SdkCallEvent;
use crate::sid::CallSid;

const ID: CallId = CallId(uuid::Uuid::from_u128(7));
const START: i64 = 1_790_000_000_000;
const FAR_NUMBER: &str = "+12025550123";

/// The leg that asks for the call.
fn parent() -> CallSid {
    CallSid::from_bytes([1; 16])
}

/// The leg that `<Dial>` makes.
fn child() -> CallSid {
    CallSid::from_bytes([2; 16])
}

/// A call under construction: each event comes a second after the one before.
struct Script {
    direction: CallDirection,
    now_ms: i64,
    sequence: u32,
    events: Vec<CallEvent>,
}

impl Script {
    fn new(direction: CallDirection) -> Self {
        Self { direction, now_ms: START, sequence: 0, events: Vec::new() }
    }

    fn outgoing() -> Self {
        Self::new(CallDirection::Outgoing).sdk(SdkCallEvent::Dialing).routed(None)
    }

    fn incoming() -> Self {
        Self::new(CallDirection::Incoming).routed(None)
    }

    fn push(mut self, event: CallEvent) -> Self {
        self.events.push(event);
        self.now_ms += 1000;
        self
    }

    fn pause(mut self, ms: i64) -> Self {
        self.now_ms += ms;
        self
    }

    fn routed(self, refusal: Option<&str>) -> Self {
        let event = CallEvent::Routed {
            call_sid: parent(),
            direction: self.direction,
            peer: FAR_NUMBER.into(),
            our_number: Some("+12025550100".into()),
            at_ms: self.now_ms,
            refusal: refusal.map(str::to_owned),
        };
        self.push(event)
    }

    fn sdk(self, what: SdkCallEvent) -> Self {
        let (call_sid, parent_call_sid) = match self.direction {
            CallDirection::Outgoing => ((what != SdkCallEvent::Dialing).then(parent), None),
            CallDirection::Incoming => (Some(child()), Some(parent())),
        };
        let event = CallEvent::Sdk {
            direction: self.direction,
            call_sid,
            parent_call_sid,
            peer: FAR_NUMBER.into(),
            our_number: None,
            what,
            at_ms: self.now_ms,
        };
        self.push(event)
    }

    fn sdk_failed(self, code: u32) -> Self {
        self.sdk(SdkCallEvent::Failed { code, message: format!("The SDK said {code}.") })
    }

    fn leg(self, status: CallStatus) -> Self {
        self.leg_with(status, None, None)
    }

    fn leg_with(mut self, status: CallStatus, duration_s: Option<u32>, error_code: Option<u32>) -> Self {
        let event = CallEvent::LegStatus {
            call_sid: child(),
            parent_call_sid: Some(parent()),
            role: Some(match self.direction {
                CallDirection::Outgoing => LegRole::FarEnd,
                CallDirection::Incoming => LegRole::Agent,
            }),
            status,
            sequence: Some(self.sequence),
            at_ms: self.now_ms / 1000 * 1000,
            duration_s,
            error_code,
        };
        self.sequence += 1;
        self.push(event)
    }

    fn parent_ended(self, status: CallStatus, duration_s: Option<u32>) -> Self {
        let event = CallEvent::LegStatus {
            call_sid: parent(),
            parent_call_sid: None,
            role: None,
            status,
            sequence: None,
            at_ms: self.now_ms / 1000 * 1000,
            duration_s,
            error_code: None,
        };
        self.push(event)
    }

    fn row(&self) -> CallLogEntry {
        fold(ID, &self.events).expect("a call with events has a row")
    }
}
