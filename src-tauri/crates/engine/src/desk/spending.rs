//! What today's calls to telephones came to, and what those under way may still come to.
//!
//! Two accounts are kept. A call that Twilio was told to connect counts from that moment on, with all the time it
//! was granted: two calls placed at once must not both be given what is left of the day. When it is over, it
//! counts as long as it was; the row of the call log says so, and stands for it from then on and after a restart.

use std::collections::{BTreeMap, BTreeSet};

use dialer_domain::call::{CallDirection, CallEvent, CallId, CallOutcome, CallStatus};
use dialer_domain::call_flow::{Connect, Purpose};
use dialer_domain::call_log::CallLogEntry;
use dialer_domain::destination::Destination;
use dialer_domain::dial_policy::{LONGEST_CALL_S, Spent};
use dialer_domain::money::Money;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::CallSid;

use crate::local_time::Moment;

/// How long a call may take beyond what it was granted, in milliseconds: it rings before. Whoever has not been
/// heard of then has ended unheard.
const RINGS_FOR_MS: i64 = 120_000;

/// Calls to telephones, as far as they may matter today.
#[derive(Debug, Default)]
pub(super) struct Spending {
    calls: BTreeMap<CallId, Call>,
    /// By the leg that asked.
    grants: BTreeMap<CallSid, Grant>,
    /// Those that pass a caller on and are not known to be over.
    forwards: BTreeSet<CallSid>,
}

/// A call of the log that was answered.
#[derive(Debug)]
struct Call {
    /// Absent for a caller who was passed on before the program started: the log does not say to whom.
    to: Option<E164>,
    answered_at_ms: i64,
    /// Seconds; absent while it lasts.
    lasted_s: Option<u32>,
    legs: Vec<CallSid>,
}

/// A connection that Twilio was told to make.
#[derive(Debug)]
struct Grant {
    to: E164,
    time_limit_s: u32,
    at_ms: i64,
    /// Seconds; absent while it lasts.
    lasted_s: Option<u32>,
}

impl Grant {
    fn is_under_way(&self, now_ms: i64) -> bool {
        let longest_ms = i64::from(self.time_limit_s) * 1_000 + RINGS_FOR_MS;
        self.lasted_s.is_none() && now_ms.saturating_sub(self.at_ms) < longest_ms
    }
}

impl Spending {
    /// Twilio is being told to connect `call_sid`.
    pub(super) fn granted(&mut self, call_sid: &CallSid, connect: &Connect, now_ms: i64) {
        let forward = match connect.purpose {
            Purpose::Outgoing => false,
            Purpose::Forward => true,
            Purpose::Ring | Purpose::TakeNext => return,
        };
        if let Some(Destination::Number(to)) = connect.to.first() {
            let (to, time_limit_s) = (to.clone(), connect.time_limit_s);
            let grant = Grant { to, time_limit_s, at_ms: now_ms, lasted_s: None };
            self.grants.insert(call_sid.clone(), grant);
            if forward {
                self.forwards.insert(call_sid.clone());
            }
        }
    }

    /// A connection counts no longer, or as a row of the log.
    fn forget(&mut self, call_sid: &CallSid) {
        self.grants.remove(call_sid);
        self.forwards.remove(call_sid);
    }

    pub(super) fn happened(&mut self, event: &CallEvent, now_ms: i64) {
        match event {
            CallEvent::Dialled {
                call_sid,
                purpose: Purpose::Outgoing | Purpose::Forward,
                status,
                duration_s,
                ..
            } => match status {
                CallStatus::Completed | CallStatus::InProgress => self.over(call_sid, *duration_s, now_ms),
                // Nobody was spoken to.
                CallStatus::Queued
                | CallStatus::Initiated
                | CallStatus::Ringing
                | CallStatus::Busy
                | CallStatus::NoAnswer
                | CallStatus::Failed
                | CallStatus::Canceled => self.forget(call_sid),
            },
            CallEvent::LegStatus { call_sid, status, .. } if status.is_final() => {
                self.over(call_sid, None, now_ms);
            }
            CallEvent::Dialled { .. }
            | CallEvent::LegStatus { .. }
            | CallEvent::Routed { .. }
            | CallEvent::Waiting { .. }
            | CallEvent::LeftQueue { .. }
            | CallEvent::Dequeued { .. }
            | CallEvent::Recording { .. }
            | CallEvent::Transcribed { .. }
            | CallEvent::Conference { .. }
            | CallEvent::Sdk { .. } => {}
        }
    }

    /// A connection is over; how long it was is no more than the time since it was asked for.
    fn over(&mut self, call_sid: &CallSid, lasted_s: Option<u32>, now_ms: i64) {
        if let Some(grant) = self.grants.get_mut(call_sid) {
            let at_most = seconds(grant.at_ms, now_ms).min(grant.time_limit_s);
            grant.lasted_s = lasted_s.or(grant.lasted_s).or(Some(at_most));
            self.forwards.remove(call_sid);
        }
    }

    /// Takes note of a row of the call log.
    pub(super) fn logged(&mut self, entry: &CallLogEntry) {
        let legs: Vec<CallSid> = entry.legs.iter().map(|leg| leg.call_sid.clone()).collect();
        let granted = legs.iter().find_map(|sid| self.grants.get(sid)).map(|grant| grant.to.clone());
        let known = self.calls.remove(&entry.id).and_then(|call| call.to);
        if entry.ended_at_ms.is_some() {
            for leg in &legs {
                self.forget(leg);
            }
        }
        let to = match entry.direction {
            CallDirection::Outgoing => match E164::parse_strict(&entry.peer) {
                Ok(number) => Some(number),
                Err(_) => return,
            },
            CallDirection::Incoming if entry.outcome == Some(CallOutcome::Forwarded) => granted.or(known),
            CallDirection::Incoming => return,
        };
        let began_at_ms = match entry.direction {
            CallDirection::Outgoing => entry.answered_at_ms,
            CallDirection::Incoming => Some(entry.started_at_ms),
        };
        if let Some(answered_at_ms) = began_at_ms {
            let lasted_s = entry
                .ended_at_ms
                .map(|ended_at_ms| entry.duration_s.unwrap_or_else(|| seconds(answered_at_ms, ended_at_ms)));
            self.calls.insert(entry.id, Call { to, answered_at_ms, lasted_s, legs });
        }
    }

    pub(super) fn unlogged(&mut self, call: CallId) {
        self.calls.remove(&call);
    }

    /// Forgets what does not count today: calls that ended and began on a day before, and connections that can no
    /// longer be under way. A call without an end counts for as long as one may last.
    pub(super) fn forget_before(&mut self, now: &Moment) {
        let longest_ms = i64::from(LONGEST_CALL_S) * 1_000;
        self.calls.retain(|_, call| {
            let lasts =
                call.lasted_s.is_none() && now.now_ms.saturating_sub(call.answered_at_ms) <= longest_ms;
            lasts || call.answered_at_ms >= now.midnight_ms
        });
        self.grants.retain(|_, grant| grant.is_under_way(now.now_ms) || grant.at_ms >= now.midnight_ms);
        self.forwards.retain(|sid| self.grants.contains_key(sid));
    }

    /// What today came to. `forwards` are the numbers that callers are passed on to now: where it is not known
    /// which one a caller got, it was the dearest.
    pub(super) fn spent(&self, prices: &BTreeMap<E164, Money>, forwards: &[&E164], now: &Moment) -> Spent {
        let price = |to: &E164| prices.get(to).map(|price| price.micros);
        let dearest = forwards.iter().map(|number| price(number)).max().flatten();
        let mut spent = Spent::default();
        let mut add = |price: Option<u64>, lasted_s: u32, at_most_s: u32| {
            // Twilio bills minutes begun.
            let minutes = u64::from(lasted_s.div_ceil(60));
            let at_most = u64::from(at_most_s.max(lasted_s).div_ceil(60));
            spent.seconds += u64::from(lasted_s);
            spent.reserved_seconds += u64::from(at_most_s.saturating_sub(lasted_s));
            spent.micros = spent
                .micros
                .zip(price)
                .map(|(micros, price)| micros.saturating_add(minutes.saturating_mul(price)));
            let reserved = (at_most - minutes).saturating_mul(price.unwrap_or_default());
            spent.reserved_micros = spent.reserved_micros.saturating_add(reserved);
        };
        let mut answered: BTreeMap<&CallSid, i64> = BTreeMap::new();
        for call in self.today(now) {
            let granted = |sid: &&CallSid| self.grants.contains_key(*sid);
            if call.legs.iter().any(|sid| granted(&sid)) {
                // It counts as what it was granted.
                let legs = call.legs.iter().filter(granted);
                answered.extend(legs.map(|sid| (sid, call.answered_at_ms)));
                continue;
            }
            let lasted_s = call.lasted_s.unwrap_or_else(|| seconds(call.answered_at_ms, now.now_ms));
            add(call.to.as_ref().map_or(dearest, price), lasted_s, lasted_s);
        }
        for (sid, grant) in self.grants_of_today(now) {
            let (lasted_s, at_most_s) = match grant.lasted_s {
                Some(lasted_s) => (lasted_s, lasted_s),
                None if grant.is_under_way(now.now_ms) => {
                    let so_far_s = answered.get(sid).map_or(0, |at_ms| seconds(*at_ms, now.now_ms));
                    (so_far_s.min(grant.time_limit_s), grant.time_limit_s)
                }
                None => (grant.time_limit_s, grant.time_limit_s),
            };
            add(price(&grant.to), lasted_s, at_most_s);
        }
        spent
    }

    /// Callers who are being passed on.
    pub(super) fn forwards_under_way(&self, now_ms: i64) -> u32 {
        let grants = self.forwards.iter().filter_map(|sid| self.grants.get(sid));
        let forwards = grants.filter(|grant| grant.is_under_way(now_ms));
        u32::try_from(forwards.count()).unwrap_or(u32::MAX)
    }

    /// Everybody called today.
    pub(super) fn called(&self, now: &Moment) -> Vec<E164> {
        let logged = self.today(now).filter_map(|call| call.to.clone());
        logged.chain(self.grants_of_today(now).map(|(_, grant)| grant.to.clone())).collect()
    }

    fn today(&self, now: &Moment) -> impl Iterator<Item = &Call> {
        self.calls.values().filter(|call| call.lasted_s.is_none() || call.answered_at_ms >= now.midnight_ms)
    }

    fn grants_of_today(&self, now: &Moment) -> impl Iterator<Item = (&CallSid, &Grant)> {
        self.grants
            .iter()
            .filter(|(_, grant)| grant.is_under_way(now.now_ms) || grant.at_ms >= now.midnight_ms)
    }
}

fn seconds(from_ms: i64, to_ms: i64) -> u32 {
    u32::try_from((to_ms - from_ms).max(0) / 1_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use dialer_domain::call_log::Leg;
    use dialer_domain::local_time::{LocalDate, LocalMoment};

    const HOUR: i64 = 3_600_000;

    fn now(now_ms: i64) -> Moment {
        let local = LocalMoment { date: LocalDate { year: 2026, month: 1, day: 1 }, weekday: 3, minute: 0 };
        Moment { now_ms, midnight_ms: 24 * HOUR, local }
    }

    fn row(n: u8, peer: &str, answered: Option<i64>, ended: Option<i64>) -> CallLogEntry {
        CallLogEntry {
            id: CallId(uuid::Uuid::from_bytes([n; 16])),
            direction: CallDirection::Outgoing,
            peer: peer.into(),
            our_number: None,
            started_at_ms: 0,
            answered_at_ms: answered,
            ended_at_ms: ended,
            duration_s: answered.zip(ended).map(|(from, to)| seconds(from, to)),
            outcome: ended.map(|_| CallOutcome::Answered),
            reason: None,
            error_code: None,
            legs: Vec::new(),
            recordings: Vec::new(),
            waited_s: None,
        }
    }

    fn number(text: &str) -> E164 {
        E164::parse_strict(text).unwrap()
    }

    fn prices(of: &[(&str, u64)]) -> BTreeMap<E164, Money> {
        of.iter()
            .map(|(text, micros)| (number(text), Money { micros: *micros, currency: "USD".into() }))
            .collect()
    }

    fn sid(n: u8) -> CallSid {
        CallSid::from_bytes([n; 16])
    }

    fn leg(n: u8) -> Leg {
        Leg {
            call_sid: sid(n),
            parent_call_sid: None,
            role: None,
            status: CallStatus::Ringing,
            duration_s: None,
        }
    }

    fn connect(to: &str, time_limit_s: u32, purpose: Purpose) -> Connect {
        let to = vec![Destination::Number(number(to))];
        Connect { to, caller_id: None, ring_s: 25, time_limit_s, purpose }
    }

    fn dialled(n: u8, purpose: Purpose, status: CallStatus, duration_s: Option<u32>) -> CallEvent {
        CallEvent::Dialled { call_sid: sid(n), dialled_sid: None, purpose, status, duration_s, at_ms: 0 }
    }

    fn came_to(seconds: u64, micros: u64) -> Spent {
        Spent { seconds, micros: Some(micros), ..Spent::default() }
    }

    #[test]
    fn minutes_begun_are_paid_and_seconds_counted() {
        let known = prices(&[("+12025550123", 14_000), ("+12025550177", 1_000)]);
        let mut spending = Spending::default();
        spending.logged(&row(1, "+12025550123", Some(30 * HOUR), Some(30 * HOUR + 61_000)));
        spending.logged(&row(2, "+12025550123", Some(31 * HOUR), None));
        spending.logged(&row(3, "+12025550177", Some(29 * HOUR), Some(29 * HOUR + 10_000)));
        spending.logged(&row(4, "client:agent_2", Some(29 * HOUR), Some(30 * HOUR)));
        let spent = |known: &BTreeMap<E164, Money>| spending.spent(known, &[], &now(31 * HOUR + 5_000));
        assert_eq!(spent(&known), came_to(61 + 5 + 10, 3 * 14_000 + 1_000));
        let lacking = spent(&prices(&[("+12025550123", 14_000)]));
        assert_eq!(
            (lacking.seconds, lacking.micros),
            (61 + 5 + 10, None),
            "what is not known is not nothing"
        );
        assert_eq!(spending.called(&now(31 * HOUR)).len(), 3);
    }

    #[test]
    fn yesterday_does_not_count_unless_the_call_goes_on() {
        let mut spending = Spending::default();
        spending.logged(&row(1, "+12025550123", Some(HOUR), Some(2 * HOUR)));
        assert_eq!(spending.spent(&BTreeMap::new(), &[], &now(25 * HOUR)), Spent::default());
        spending.logged(&row(2, "+12025550123", Some(23 * HOUR), None));
        assert_eq!(spending.spent(&BTreeMap::new(), &[], &now(25 * HOUR)).seconds, 7_200);
    }

    #[test]
    fn yesterdays_calls_are_forgotten() {
        let mut spending = Spending::default();
        spending.logged(&row(1, "+12025550123", Some(HOUR), Some(2 * HOUR)));
        spending.logged(&row(2, "+12025550123", Some(23 * HOUR), None));
        spending.logged(&row(3, "+12025550123", Some(25 * HOUR), Some(25 * HOUR + 60_000)));
        spending.granted(&sid(1), &connect("+12025550123", 600, Purpose::Outgoing), HOUR);
        spending.granted(&sid(2), &connect("+12025550123", 14_400, Purpose::Outgoing), 24 * HOUR - 1);
        let spent = |spending: &Spending| spending.spent(&BTreeMap::new(), &[], &now(26 * HOUR)).seconds;
        let before = spent(&spending);
        spending.forget_before(&now(26 * HOUR));
        assert_eq!(spent(&spending), before, "what counts today stays");
        assert_eq!((spending.calls.len(), spending.grants.len()), (2, 1));
        spending.forget_before(&now(28 * HOUR));
        assert_eq!(spending.calls.len(), 1, "no call lasts as long");
    }

    #[test]
    fn a_row_that_proves_unanswered_or_another_counts_no_longer() {
        let mut spending = Spending::default();
        spending.logged(&row(1, "+12025550123", Some(30 * HOUR), None));
        spending.logged(&row(1, "+12025550123", None, Some(30 * HOUR)));
        spending.logged(&row(2, "+12025550123", Some(30 * HOUR), None));
        spending.unlogged(CallId(uuid::Uuid::from_bytes([2; 16])));
        assert_eq!(spending.spent(&BTreeMap::new(), &[], &now(31 * HOUR)), Spent::default());
    }

    #[test]
    fn a_call_counts_with_all_it_was_granted_until_it_is_over() {
        let known = prices(&[("+12025550123", 10_000)]);
        let at = 30 * HOUR;
        let mut spending = Spending::default();
        spending.granted(&sid(1), &connect("+12025550123", 600, Purpose::Outgoing), at);
        let spent = |spending: &Spending, now_ms| spending.spent(&known, &[], &now(now_ms));
        let all = Spent { reserved_seconds: 600, reserved_micros: 100_000, ..Spent::default() };
        assert_eq!(spent(&spending, at), all);
        // It is answered, and lasts.
        let under_way =
            |ended| CallLogEntry { legs: vec![leg(1)], ..row(1, "+12025550123", Some(at + 10_000), ended) };
        spending.logged(&under_way(None));
        let half =
            Spent { seconds: 90, reserved_seconds: 510, micros: Some(20_000), reserved_micros: 80_000 };
        assert_eq!(spent(&spending, at + 100_000), half);
        // It is over; the row that says so comes later.
        spending.happened(&dialled(1, Purpose::Outgoing, CallStatus::Completed, Some(95)), at + 105_000);
        assert_eq!(spent(&spending, at + 106_000), came_to(95, 20_000));
        spending.logged(&under_way(Some(at + 105_000)));
        assert_eq!(spent(&spending, at + 200_000), came_to(95, 20_000));
        assert!(spending.grants.is_empty());
    }

    #[test]
    fn nothing_is_reserved_for_whom_nobody_answered() {
        let mut spending = Spending::default();
        let at = 30 * HOUR;
        for n in 1..=4 {
            spending.granted(&sid(n), &connect("+12025550123", 600, Purpose::Outgoing), at);
        }
        spending.happened(&dialled(1, Purpose::Outgoing, CallStatus::NoAnswer, None), at);
        let unanswered = row(2, "+12025550123", None, Some(at));
        spending.logged(&CallLogEntry { legs: vec![leg(2)], ..unanswered });
        spending.happened(
            &CallEvent::LegStatus {
                call_sid: sid(3),
                parent_call_sid: None,
                role: None,
                status: CallStatus::Completed,
                sequence: None,
                at_ms: at,
                duration_s: None,
                error_code: None,
            },
            at + 5_000,
        );
        let spent = spending.spent(&BTreeMap::new(), &[], &now(at + 6_000));
        assert_eq!(
            (spent.seconds, spent.reserved_seconds),
            (5, 600),
            "the third at most since it was placed"
        );
        // The end of the fourth got lost: it can have used no more than it was given.
        let later = spending.spent(&BTreeMap::new(), &[], &now(at + 900_000));
        assert_eq!((later.seconds, later.reserved_seconds), (605, 0));
    }

    #[test]
    fn callers_who_are_passed_on_count_too() {
        let known = prices(&[("+12025550177", 10_000), ("+12025550188", 30_000)]);
        let at = 30 * HOUR;
        let mut spending = Spending::default();
        spending.granted(&sid(1), &connect("+12025550177", 600, Purpose::Forward), at);
        spending.granted(&sid(2), &connect("+12025550177", 600, Purpose::Forward), at);
        spending.granted(&sid(3), &connect("+12025550177", 600, Purpose::Ring), at);
        assert_eq!(spending.forwards_under_way(at), 2);
        assert_eq!(spending.forwards_under_way(at + 720_000), 0);
        spending.happened(&dialled(1, Purpose::Forward, CallStatus::Busy, None), at);
        spending.happened(&dialled(2, Purpose::Forward, CallStatus::Completed, Some(61)), at);
        assert_eq!(spending.forwards_under_way(at), 0);
        assert_eq!(spending.spent(&known, &[], &now(at)), came_to(61, 20_000));
        // The row says so as well, but not to whom; that is remembered.
        let forwarded = CallLogEntry {
            direction: CallDirection::Incoming,
            outcome: Some(CallOutcome::Forwarded),
            duration_s: Some(61),
            legs: vec![leg(2)],
            ..row(2, "+12025550123", None, Some(at + 61_000))
        };
        let forwarded = CallLogEntry { started_at_ms: at, ..forwarded };
        spending.logged(&forwarded);
        spending.logged(&forwarded);
        assert_eq!(spending.spent(&known, &[], &now(at + HOUR)), came_to(61, 20_000));
        // After a restart it is not, and the dearest of those that the rules name is taken.
        let mut spending = Spending::default();
        spending.logged(&forwarded);
        let (one, other) = (number("+12025550177"), number("+12025550188"));
        assert_eq!(spending.spent(&known, &[&one, &other], &now(at + HOUR)), came_to(61, 60_000));
        assert_eq!(spending.spent(&known, &[], &now(at + HOUR)).micros, None);
    }
}
