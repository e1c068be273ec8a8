//! Who waits in the queue, as the requests of those who wait tell.

use std::collections::BTreeMap;

use dialer_domain::phone_number::{self, E164};
use dialer_domain::sid::CallSid;

use crate::api::{QueueView, WaitingView};

/// How long one who waits may be silent before they count as gone, in milliseconds. Twilio asks what
/// they hear each time the music is over, so the end of one who is gone was lost on the way.
const SILENT_FOR_MS: i64 = 120_000;

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    callers: BTreeMap<CallSid, Caller>,
}

#[derive(Debug)]
struct Caller {
    peer: String,
    since_ms: i64,
    seen_ms: i64,
}

impl Waiting {
    pub(super) fn seen(&mut self, call_sid: &CallSid, peer: &str, now_ms: i64) {
        let caller = self.callers.entry(call_sid.clone()).or_insert_with(|| Caller {
            peer: peer.to_owned(),
            since_ms: now_ms,
            seen_ms: now_ms,
        });
        caller.seen_ms = now_ms;
    }

    pub(super) fn gone(&mut self, call_sid: &CallSid) {
        self.callers.remove(call_sid);
    }

    pub(super) fn forget(&mut self, now_ms: i64) {
        self.callers.retain(|_, caller| (0..SILENT_FOR_MS).contains(&now_ms.saturating_sub(caller.seen_ms)));
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.callers.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn view(&self) -> QueueView {
        let mut waiting: Vec<WaitingView> = self
            .callers
            .values()
            .map(|caller| WaitingView {
                peer: caller.peer.clone(),
                formatted: E164::parse_strict(&caller.peer)
                    .map_or_else(|_| caller.peer.clone(), |number| phone_number::format(&number)),
                since_ms: caller.since_ms,
            })
            .collect();
        waiting.sort_by(|a, b| (a.since_ms, &a.peer).cmp(&(b.since_ms, &b.peer)));
        QueueView { waiting }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn call(n: u8) -> CallSid {
        CallSid::from_bytes([n; 16])
    }

    #[test]
    fn they_stand_in_the_order_they_came_and_leave_when_they_leave() {
        let mut waiting = Waiting::default();
        waiting.seen(&call(2), "+12025550123", 1_000);
        waiting.seen(&call(1), "sip:desk@example.com", 2_000);
        waiting.seen(&call(2), "+12025550123", 31_000);
        let view = waiting.view();
        assert_eq!(view.waiting.len(), 2);
        let first = view.waiting.first().unwrap();
        assert_eq!((first.formatted.as_str(), first.since_ms), ("+1 202-555-0123", 1_000));
        waiting.gone(&call(2));
        assert_eq!(waiting.view().waiting.first().unwrap().peer, "sip:desk@example.com");
        waiting.gone(&call(1));
        assert_eq!(waiting.count(), 0);
    }

    #[test]
    fn one_who_was_not_heard_of_for_two_minutes_is_gone() {
        let mut waiting = Waiting::default();
        waiting.seen(&call(1), "+12025550123", 0);
        waiting.seen(&call(1), "+12025550123", 60_000);
        waiting.forget(179_999);
        assert_eq!(waiting.count(), 1);
        waiting.forget(180_000);
        assert_eq!(waiting.count(), 0);
    }
}
