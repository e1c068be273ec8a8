//! The calls under way that were placed from here, by agents or in the seed's short form, and when something was
//! last heard of each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dialer_domain::call::CallEvent;
use dialer_domain::sid::CallSid;

/// After so long without a word of a call, in milliseconds, Twilio is asked whether it goes on: the callback
/// that told its end may have been lost. A conversation is as silent, so this is no proof.
const SILENT_MS: i64 = 3 * 60_000;
/// How long a call is believed to be under way when Twilio cannot be asked either, in milliseconds: longer than
/// any may last.
const LONGEST_CALL_MS: i64 = 5 * 3_600_000;

/// The calls, by the leg that asked what to do.
#[derive(Debug, Default)]
pub(super) struct Live {
    calls: BTreeMap<CallSid, Call>,
    /// By when they began.
    by_age: BTreeSet<(i64, CallSid)>,
    /// How many each has: a webhook asks, and must not count them all.
    of_each: HashMap<String, u32>,
}

#[derive(Debug)]
struct Call {
    /// `From`, such as `client:albert`; empty for a call that is older than this run, until Twilio has said.
    whose: String,
    since_ms: i64,
    heard_ms: i64,
}

impl Live {
    /// A call is being connected.
    pub(super) fn began(&mut self, call_sid: &CallSid, whose: &str, now_ms: i64) {
        self.forget_old(now_ms);
        self.add(call_sid, Call { whose: whose.to_owned(), since_ms: now_ms, heard_ms: now_ms });
    }

    /// A call that began at `since_ms` may go on. Nothing was heard of it in this run.
    pub(super) fn resumed(&mut self, call_sid: &CallSid, since_ms: i64, now_ms: i64) {
        if now_ms.saturating_sub(since_ms) < LONGEST_CALL_MS {
            let heard_ms = since_ms.min(now_ms.saturating_sub(SILENT_MS));
            self.add(call_sid, Call { whose: String::new(), since_ms, heard_ms });
        }
    }

    /// A call goes on, and Twilio says whose it is.
    pub(super) fn is_of(&mut self, call_sid: &CallSid, whose: &str, now_ms: i64) {
        match self.calls.get(call_sid).map(|call| (call.whose.is_empty(), call.since_ms)) {
            Some((true, since_ms)) => {
                self.add(call_sid, Call { whose: whose.to_owned(), since_ms, heard_ms: now_ms });
            }
            Some((false, _)) => self.heard(call_sid, now_ms),
            None => {}
        }
    }

    fn add(&mut self, call_sid: &CallSid, call: Call) {
        self.ended(call_sid);
        self.by_age.insert((call.since_ms, call_sid.clone()));
        *self.of_each.entry(call.whose.clone()).or_default() += 1;
        self.calls.insert(call_sid.clone(), call);
    }

    /// Forgets calls of which neither callbacks nor Twilio itself have told the end.
    pub(super) fn forget_old(&mut self, now_ms: i64) {
        while let Some((since_ms, call_sid)) = self.by_age.first().cloned() {
            if now_ms.saturating_sub(since_ms) < LONGEST_CALL_MS {
                return;
            }
            self.ended(&call_sid);
        }
    }

    /// Something was told of a call. Answers with whose it was, if that ended it.
    pub(super) fn happened(&mut self, event: &CallEvent, now_ms: i64) -> Option<String> {
        let (parent, is_over) = match event {
            CallEvent::Dialled { call_sid, .. } => (call_sid, true),
            CallEvent::LegStatus { call_sid, parent_call_sid: None, status, .. } => {
                (call_sid, status.is_final())
            }
            CallEvent::LegStatus { parent_call_sid: Some(parent), .. } => (parent, false),
            CallEvent::Routed { .. }
            | CallEvent::Waiting { .. }
            | CallEvent::LeftQueue { .. }
            | CallEvent::Dequeued { .. }
            | CallEvent::Recording { .. }
            | CallEvent::Transcribed { .. }
            | CallEvent::Conference { .. }
            | CallEvent::Sdk { .. } => return None,
        };
        if is_over {
            return self.ended(parent);
        }
        self.heard(parent, now_ms);
        None
    }

    /// A call goes on.
    fn heard(&mut self, call_sid: &CallSid, now_ms: i64) {
        if let Some(call) = self.calls.get_mut(call_sid) {
            call.heard_ms = now_ms;
        }
    }

    /// A call is over. Answers with whose it was.
    pub(super) fn ended(&mut self, call_sid: &CallSid) -> Option<String> {
        let call = self.calls.remove(call_sid)?;
        self.by_age.remove(&(call.since_ms, call_sid.clone()));
        if let Some(count) = self.of_each.get_mut(&call.whose) {
            *count -= 1;
            if *count == 0 {
                self.of_each.remove(&call.whose);
            }
        }
        Some(call.whose)
    }

    /// How many are under way.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.calls.len()).unwrap_or(u32::MAX)
    }

    /// How many are under way of the one with the address `whose`.
    pub(super) fn count_of(&self, whose: &str) -> u32 {
        self.of_each.get(whose).copied().unwrap_or_default()
    }

    /// Calls of which nothing was heard for long, the longest silent first.
    pub(super) fn silent(&self, now_ms: i64) -> Vec<CallSid> {
        let mut silent: Vec<_> =
            self.calls.iter().filter(|(_, call)| now_ms.saturating_sub(call.heard_ms) >= SILENT_MS).collect();
        silent.sort_by_key(|(_, call)| call.heard_ms);
        silent.into_iter().map(|(sid, _)| sid.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use dialer_domain::call::CallStatus;

    use super::*;

    const MINUTE: i64 = 60_000;

    fn sid(n: u8) -> CallSid {
        CallSid::from_bytes([n; 16])
    }

    fn leg(n: u8, parent: Option<u8>, status: CallStatus) -> CallEvent {
        CallEvent::LegStatus {
            call_sid: sid(n),
            parent_call_sid: parent.map(sid),
            role: None,
            status,
            sequence: None,
            at_ms: 0,
            duration_s: None,
            error_code: None,
        }
    }

    #[test]
    fn a_call_counts_until_its_end_is_told() {
        let mut live = Live::default();
        live.began(&sid(1), "client:albert", 0);
        live.began(&sid(2), "client:berta", 0);
        assert_eq!((live.count_of("client:albert"), live.count_of("client:carl"), live.count()), (1, 0, 2));
        live.began(&sid(2), "client:berta", 0);
        assert_eq!((live.count_of("client:berta"), live.count()), (1, 2), "it is the same call");
        assert_eq!(live.happened(&leg(9, Some(1), CallStatus::Completed), 0), None, "the other party's leg");
        assert_eq!(live.happened(&leg(1, None, CallStatus::Ringing), 0), None);
        let ended = live.happened(&leg(1, None, CallStatus::Completed), 0);
        assert_eq!(ended.as_deref(), Some("client:albert"));
        assert_eq!((live.count_of("client:albert"), live.count()), (0, 1));
        live.forget_old(LONGEST_CALL_MS);
        assert!(live.count() == 0 && live.by_age.is_empty() && live.of_each.is_empty());
    }

    #[test]
    fn a_call_of_an_earlier_run_counts_for_all_and_then_for_its_agent() {
        let mut live = Live::default();
        live.resumed(&sid(1), 0, MINUTE);
        live.resumed(&sid(2), -LONGEST_CALL_MS, MINUTE);
        assert_eq!((live.count(), live.silent(MINUTE)), (1, vec![sid(1)]), "it is asked about at once");
        live.is_of(&sid(1), "client:albert", MINUTE);
        live.is_of(&sid(3), "client:albert", MINUTE);
        assert_eq!((live.count(), live.count_of("client:albert"), live.count_of("")), (1, 1, 0));
        assert!(live.silent(MINUTE).is_empty());
        live.ended(&sid(1));
        assert!(live.count() == 0 && live.by_age.is_empty() && live.of_each.is_empty());
    }

    #[test]
    fn twilio_is_asked_about_calls_that_are_silent() {
        let mut live = Live::default();
        live.began(&sid(1), "client:albert", 0);
        live.began(&sid(2), "client:berta", MINUTE);
        live.happened(&leg(9, Some(1), CallStatus::InProgress), 2 * MINUTE);
        assert_eq!(live.silent(4 * MINUTE), [sid(2)]);
        assert_eq!(live.silent(5 * MINUTE), [sid(2), sid(1)], "the longest silent first");
        live.is_of(&sid(2), "client:berta", 5 * MINUTE);
        assert_eq!(live.silent(5 * MINUTE), [sid(1)]);
        live.ended(&sid(1));
        assert!(live.silent(6 * MINUTE).is_empty());
    }
}
