//! The agent's own calls that Twilio was told to connect and that are not over, as far as this program itself knows.
//!
//! What the page says about calls ends with the page, and a page that was reloaded says nothing of the calls before
//! it. How many calls there may be at once is therefore held to this: a call counts from the moment Twilio is told to
//! connect it until Twilio says that it is over.

use std::collections::BTreeMap;

use dialer_domain::call::{CallEvent, CallId};
use dialer_domain::call_flow::{Connect, Purpose};
use dialer_domain::sid::CallSid;

/// How long a call may take beyond its longest conversation, in milliseconds: it rings before. Whatever has not been
/// heard of by then is over.
const RINGS_FOR_MS: i64 = 120_000;

/// Calls that are not over.
#[derive(Debug, Default)]
pub(super) struct Placed {
    calls: BTreeMap<CallId, Open>,
}

#[derive(Debug)]
struct Open {
    /// The agent's leg.
    leg: CallSid,
    /// Unix milliseconds.
    at_ms: i64,
    longest_ms: i64,
}

impl Placed {
    /// Twilio is being told to connect `call`.
    pub(super) fn connected(&mut self, call: CallId, leg: &CallSid, connect: &Connect, now_ms: i64) {
        match connect.purpose {
            Purpose::Outgoing | Purpose::TakeNext => {
                let longest_ms = i64::from(connect.time_limit_s) * 1_000 + RINGS_FOR_MS;
                self.calls.retain(|_, open| open.lasts(now_ms));
                self.calls.insert(call, Open { leg: leg.clone(), at_ms: now_ms, longest_ms });
            }
            // Callers', not the agent's.
            Purpose::Ring | Purpose::Forward => {}
        }
    }

    /// Takes in what Twilio says of a call.
    pub(super) fn happened(&mut self, event: &CallEvent) {
        let over = match event {
            CallEvent::LegStatus { call_sid, status, .. } if status.is_final() => call_sid,
            // What was connected has ended.
            CallEvent::Dialled { call_sid, .. } => call_sid,
            CallEvent::LegStatus { .. }
            | CallEvent::Routed { .. }
            | CallEvent::Waiting { .. }
            | CallEvent::LeftQueue { .. }
            | CallEvent::Dequeued { .. }
            | CallEvent::Recording { .. }
            | CallEvent::Transcribed { .. }
            | CallEvent::Conference { .. }
            | CallEvent::Sdk { .. } => return,
        };
        self.calls.retain(|_, open| open.leg != *over);
    }

    /// The calls at `now_ms`.
    pub(super) fn open(&self, now_ms: i64) -> impl Iterator<Item = CallId> {
        self.calls.iter().filter(move |(_, open)| open.lasts(now_ms)).map(|(call, _)| *call)
    }
}

impl Open {
    /// A clock set back must not keep it for ever.
    fn lasts(&self, now_ms: i64) -> bool {
        (0..self.longest_ms).contains(&now_ms.saturating_sub(self.at_ms))
    }
}

#[cfg(test)]
mod tests {
    use dialer_domain::call::CallStatus;

    use super::*;

    fn call(n: u8) -> CallId {
        CallId(uuid::Uuid::from_bytes([n; 16]))
    }

    fn leg(n: u8) -> CallSid {
        CallSid::from_bytes([n; 16])
    }

    fn connect(purpose: Purpose) -> Connect {
        Connect { to: Vec::new(), caller_id: None, ring_s: 25, time_limit_s: 60, purpose }
    }

    fn dialled(n: u8) -> CallEvent {
        CallEvent::Dialled {
            call_sid: leg(n),
            purpose: Purpose::Outgoing,
            dialled_sid: None,
            status: CallStatus::Completed,
            duration_s: Some(3),
            at_ms: 5_000,
        }
    }

    #[test]
    fn a_call_is_open_until_twilio_says_otherwise_or_it_can_no_longer_last() {
        let mut placed = Placed::default();
        placed.connected(call(1), &leg(1), &connect(Purpose::Outgoing), 0);
        placed.connected(call(2), &leg(2), &connect(Purpose::TakeNext), 0);
        placed.connected(call(3), &leg(3), &connect(Purpose::Ring), 0);
        assert_eq!(placed.open(1_000).collect::<Vec<_>>(), [call(1), call(2)]);
        placed.happened(&dialled(9));
        placed.happened(&dialled(1));
        assert_eq!(placed.open(1_000).collect::<Vec<_>>(), [call(2)]);
        assert_eq!(placed.open(179_999).count(), 1);
        assert_eq!(placed.open(180_000).count(), 0, "a minute's conversation, and the ringing");
        assert_eq!(placed.open(-1).count(), 0, "the clock was set back");
    }
}
