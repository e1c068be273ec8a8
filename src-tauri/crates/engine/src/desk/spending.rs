//! What today's calls to telephones came to, by the rows of the call log.

use std::collections::BTreeMap;

use dialer_domain::call::{CallDirection, CallId};
use dialer_domain::call_log::CallLogEntry;
use dialer_domain::dial_policy::Spent;
use dialer_domain::phone_number::E164;

use crate::local_time::Moment;

/// Calls to telephones that were answered, as far as they may matter today.
#[derive(Debug, Default)]
pub(super) struct Spending {
    calls: BTreeMap<CallId, Call>,
}

#[derive(Debug)]
struct Call {
    to: E164,
    answered_at_ms: i64,
    /// Seconds; absent while it lasts.
    lasted_s: Option<u32>,
}

impl Spending {
    pub(super) fn logged(&mut self, entry: &CallLogEntry) {
        let to = E164::parse_strict(&entry.peer).ok().filter(|_| entry.direction == CallDirection::Outgoing);
        match to.zip(entry.answered_at_ms) {
            Some((to, answered_at_ms)) => {
                let lasted_s = entry.ended_at_ms.map(|ended_at_ms| {
                    entry.duration_s.unwrap_or_else(|| seconds(answered_at_ms, ended_at_ms))
                });
                self.calls.insert(entry.id, Call { to, answered_at_ms, lasted_s });
            }
            // More may have become known of it, such as that nobody answered after all.
            None => {
                self.calls.remove(&entry.id);
            }
        }
    }

    pub(super) fn unlogged(&mut self, call: CallId) {
        self.calls.remove(&call);
    }

    pub(super) fn spent(&self, prices: &BTreeMap<E164, u64>, now: &Moment) -> Spent {
        self.today(now).fold(Spent::default(), |spent, call| {
            let lasted_s = call.lasted_s.unwrap_or_else(|| seconds(call.answered_at_ms, now.now_ms));
            let price = prices.get(&call.to).copied().unwrap_or_default();
            Spent {
                seconds: spent.seconds + u64::from(lasted_s),
                // Twilio bills minutes begun.
                micros: spent.micros + u64::from(lasted_s.div_ceil(60)) * price,
            }
        })
    }

    /// Everybody called today.
    pub(super) fn called(&self, now: &Moment) -> Vec<E164> {
        let mut called: Vec<E164> = self.today(now).map(|call| call.to.clone()).collect();
        called.sort();
        called.dedup();
        called
    }

    fn today(&self, now: &Moment) -> impl Iterator<Item = &Call> {
        self.calls.values().filter(|call| call.lasted_s.is_none() || call.answered_at_ms >= now.midnight_ms)
    }
}

fn seconds(from_ms: i64, to_ms: i64) -> u32 {
    u32::try_from((to_ms - from_ms).max(0) / 1_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use dialer_domain::call::CallOutcome;
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

    #[test]
    fn minutes_begun_are_paid_and_seconds_counted() {
        let prices = BTreeMap::from([(E164::parse_strict("+12025550123").unwrap(), 14_000)]);
        let mut spending = Spending::default();
        spending.logged(&row(1, "+12025550123", Some(30 * HOUR), Some(30 * HOUR + 61_000)));
        spending.logged(&row(2, "+12025550123", Some(31 * HOUR), None));
        spending.logged(&row(3, "+12025550177", Some(29 * HOUR), Some(29 * HOUR + 10_000)));
        spending.logged(&row(4, "client:agent_2", Some(29 * HOUR), Some(30 * HOUR)));
        let spent = spending.spent(&prices, &now(31 * HOUR + 5_000));
        assert_eq!(spent, Spent { seconds: 61 + 5 + 10, micros: 3 * 14_000 });
        assert_eq!(spending.called(&now(31 * HOUR)).len(), 2);
    }

    #[test]
    fn yesterday_does_not_count_unless_the_call_goes_on() {
        let mut spending = Spending::default();
        spending.logged(&row(1, "+12025550123", Some(HOUR), Some(2 * HOUR)));
        assert_eq!(spending.spent(&BTreeMap::new(), &now(25 * HOUR)), Spent::default());
        spending.logged(&row(2, "+12025550123", Some(23 * HOUR), None));
        assert_eq!(spending.spent(&BTreeMap::new(), &now(25 * HOUR)).seconds, 7_200);
    }

    #[test]
    fn a_row_that_proves_unanswered_or_another_counts_no_longer() {
        let mut spending = Spending::default();
        spending.logged(&row(1, "+12025550123", Some(30 * HOUR), None));
        spending.logged(&row(1, "+12025550123", None, Some(30 * HOUR)));
        spending.logged(&row(2, "+12025550123", Some(30 * HOUR), None));
        spending.unlogged(CallId(uuid::Uuid::from_bytes([2; 16])));
        assert_eq!(spending.spent(&BTreeMap::new(), &now(31 * HOUR)), Spent::default());
    }
}
