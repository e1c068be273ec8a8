#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation in a test should panic")]

mod flows;
mod outcomes;
mod properties;
mod stories;
mod unfinished;

use super::*;
use crate::call::SdkCallEvent;
use crate::call_flow::{Purpose, QueueResult};
use crate::destination::QUEUE_ADDRESS;
use crate::sid::{CallSid, ConferenceSid};

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

/// The leg by which a caller is passed on.
fn elsewhere() -> CallSid {
    CallSid::from_bytes([3; 16])
}

/// The agent's own leg when they take a caller out of the queue.
fn taker() -> CallSid {
    CallSid::from_bytes([4; 16])
}

fn recording_sid() -> RecordingSid {
    RecordingSid::from_bytes([5; 16])
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

    /// A callback of a leg that is neither of the two usual ones.
    fn other_leg(
        mut self,
        (call_sid, parent): (CallSid, Option<CallSid>),
        role: Option<LegRole>,
        status: CallStatus,
        duration_s: Option<u32>,
    ) -> Self {
        let event = CallEvent::LegStatus {
            call_sid,
            parent_call_sid: parent,
            role,
            status,
            sequence: Some(self.sequence),
            at_ms: self.now_ms / 1000 * 1000,
            duration_s,
            error_code: None,
        };
        self.sequence += 1;
        self.push(event)
    }

    fn passed_on(self, status: CallStatus, duration_s: Option<u32>) -> Self {
        self.other_leg((elsewhere(), Some(parent())), Some(LegRole::FarEnd), status, duration_s)
    }

    fn dialled(
        self,
        purpose: Purpose,
        dialled_sid: Option<CallSid>,
        status: CallStatus,
        duration_s: Option<u32>,
    ) -> Self {
        let call_sid = if purpose == Purpose::TakeNext { taker() } else { parent() };
        let at_ms = self.now_ms;
        self.push(CallEvent::Dialled { call_sid, dialled_sid, purpose, status, duration_s, at_ms })
    }

    fn waiting(self, waited_s: u32) -> Self {
        let at_ms = self.now_ms;
        self.push(CallEvent::Waiting { call_sid: parent(), waited_s, at_ms })
    }

    fn dequeued(self, waited_s: u32) -> Self {
        let at_ms = self.now_ms;
        self.push(CallEvent::Dequeued {
            call_sid: parent(),
            agent_sid: taker(),
            waited_s: Some(waited_s),
            at_ms,
        })
    }

    fn left_queue(self, result: QueueResult, waited_s: u32) -> Self {
        let at_ms = self.now_ms;
        self.push(CallEvent::LeftQueue { call_sid: parent(), result, waited_s: Some(waited_s), at_ms })
    }

    fn recording(self, message: bool, status: RecordingStatus, duration_s: Option<u32>) -> Self {
        let at_ms = self.now_ms;
        self.push(CallEvent::Recording {
            call_sid: parent(),
            recording_sid: recording_sid(),
            status,
            message,
            duration_s,
            at_ms,
        })
    }

    fn transcribed(self, text: &str) -> Self {
        let at_ms = self.now_ms;
        let text = text.into();
        self.push(CallEvent::Transcribed { call_sid: parent(), recording_sid: recording_sid(), text, at_ms })
    }

    fn conference(self, call_sid: CallSid, what: &str) -> Self {
        let at_ms = self.now_ms;
        let conference_sid = ConferenceSid::from_bytes([6; 16]);
        let sequence = u32::try_from(self.events.len()).ok();
        self.push(CallEvent::Conference { call_sid, conference_sid, what: what.into(), sequence, at_ms })
    }

    /// The agent asks for the next caller in the queue.
    fn takes_next(self) -> Self {
        let at_ms = self.now_ms;
        self.push(CallEvent::Routed {
            call_sid: taker(),
            direction: CallDirection::Outgoing,
            peer: QUEUE_ADDRESS.into(),
            our_number: Some("+12025550100".into()),
            at_ms,
            refusal: None,
        })
    }

    /// What the SDK says of that.
    fn taker_sdk(self, what: SdkCallEvent) -> Self {
        let at_ms = self.now_ms;
        self.push(CallEvent::Sdk {
            direction: CallDirection::Outgoing,
            call_sid: (what != SdkCallEvent::Dialing).then(taker),
            parent_call_sid: None,
            peer: QUEUE_ADDRESS.into(),
            our_number: None,
            what,
            at_ms,
        })
    }

    fn row(&self) -> CallLogEntry {
        fold(ID, &self.events).expect("a call with events has a row")
    }
}
