//! Counting refused requests, and telling of them without shouting.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::ports::{RefusalReason, RefusedWebhook};

/// The shortest time between two reports for one reason, in milliseconds.
const REPORT_EVERY_MS: i64 = 60_000;

/// How many wrong signatures, without a good request in between, are more than chance or a stranger's trial.
const PROOF_COUNT: usize = 3;
/// The time in which they must come, in milliseconds.
const PROOF_WITHIN_MS: i64 = 600_000;

/// How many requests were refused, and when that was last told.
#[derive(Default)]
pub(crate) struct Refusals {
    by_reason: Mutex<HashMap<RefusalReason, Tally>>,
}

#[derive(Default)]
struct Tally {
    count: u64,
    /// When the latest came, as far as they count as a proof.
    lately_ms: Vec<i64>,
    told_at_ms: Option<i64>,
    /// Told to the agent, and nothing good has come since.
    stands: bool,
}

impl Tally {
    /// Whether one more at `now_ms` is worth telling of. Who knows the name of our account can send a wrong
    /// signature about it, so one is no sign that our key is not Twilio's.
    fn is_proved(&mut self, reason: RefusalReason, now_ms: i64) -> bool {
        if !matches!(reason, RefusalReason::Mismatch | RefusalReason::OtherKey) {
            return true;
        }
        self.lately_ms.retain(|came_ms| is_within(PROOF_WITHIN_MS, *came_ms, now_ms));
        self.lately_ms.truncate(PROOF_COUNT - 1);
        self.lately_ms.push(now_ms);
        self.lately_ms.len() >= PROOF_COUNT
    }
}

/// Whether `then_ms` was less than `length_ms` before `now_ms`; a clock that was set back leaves nothing
/// before it.
fn is_within(length_ms: i64, then_ms: i64, now_ms: i64) -> bool {
    (0..length_ms).contains(&now_ms.saturating_sub(then_ms))
}

impl Refusals {
    /// Counts one, and tells of it when a report is due. What both methods tell keeps its order,
    /// so that a trouble which is over is never told last.
    pub(crate) fn refused(&self, reason: RefusalReason, now_ms: i64, tell: impl FnOnce(RefusedWebhook)) {
        let mut by_reason = self.by_reason.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = by_reason.entry(reason).or_default();
        tally.count += 1;
        let is_recent = tally.told_at_ms.is_some_and(|told_ms| is_within(REPORT_EVERY_MS, told_ms, now_ms));
        if !tally.is_proved(reason, now_ms) || is_recent {
            return;
        }
        let refused = RefusedWebhook { reason, count: tally.count };
        tally.told_at_ms = Some(now_ms);
        tally.stands = refused.user_error().is_some();
        tell(refused);
    }

    /// A good request came: tells of it if the agent was told of trouble. Trouble that comes back
    /// is told again as soon as it is proved.
    pub(crate) fn accepted(&self, tell: impl FnOnce()) {
        let mut by_reason = self.by_reason.lock().unwrap_or_else(PoisonError::into_inner);
        by_reason.values_mut().for_each(|tally| tally.lately_ms.clear());
        let mut any = false;
        for tally in by_reason.values_mut().filter(|tally| tally.stands) {
            (tally.stands, tally.told_at_ms) = (false, None);
            any = true;
        }
        if any {
            tell();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The count told when one more is refused, if any.
    fn told(refusals: &Refusals, reason: RefusalReason, at_ms: i64) -> Option<u64> {
        let mut told = None;
        refusals.refused(reason, at_ms, |refused| told = Some(refused.count));
        told
    }

    fn accepted(refusals: &Refusals) -> bool {
        let mut told = false;
        refusals.accepted(|| told = true);
        told
    }

    #[test]
    fn the_end_of_trouble_is_told_once_and_its_return_at_once() {
        let refusals = Refusals::default();
        assert!(!accepted(&refusals), "there was no trouble");
        assert_eq!(told(&refusals, RefusalReason::NoKey, 0), Some(1));
        assert!(accepted(&refusals));
        assert!(!accepted(&refusals), "it is over already");
        assert_eq!(told(&refusals, RefusalReason::NoKey, 1), Some(2));
        assert!(accepted(&refusals));
    }

    #[test]
    fn wrong_signatures_are_told_of_when_there_are_several_and_nothing_good_between() {
        for reason in [RefusalReason::Mismatch, RefusalReason::OtherKey] {
            let refusals = Refusals::default();
            let told = |at| told(&refusals, reason, at);
            assert_eq!((told(0), told(1)), (None, None), "a stranger's");
            assert!(!accepted(&refusals), "nobody heard of them");
            assert_eq!((told(2), told(3), told(4)), (None, None, Some(5)));
            assert!(accepted(&refusals));
            assert_eq!((told(5), told(6), told(7)), (None, None, Some(8)), "trouble that comes back");
        }
    }

    #[test]
    fn wrong_signatures_far_apart_prove_nothing() {
        let refusals = Refusals::default();
        let told = |at| told(&refusals, RefusalReason::Mismatch, at);
        for hour in 0..20 {
            assert_eq!((told(hour * 3_600_000), told(hour * 3_600_000 + 599_999)), (None, None), "{hour}");
        }
        assert_eq!((told(72_000_000), told(72_000_001), told(72_599_999)), (None, None, Some(43)));
        assert_eq!(told(72_600_002), None, "once a minute");
        assert_eq!(told(72_660_000), Some(45), "still several within ten minutes");
        assert_eq!((told(0), told(0), told(0)), (None, None, Some(48)), "a clock set back");
    }

    #[test]
    fn good_requests_are_no_news_after_strangers() {
        let refusals = Refusals::default();
        for reason in [RefusalReason::Unsigned, RefusalReason::NotOurAccount] {
            assert_eq!(told(&refusals, reason, 0), Some(1));
            assert!(!accepted(&refusals), "{reason:?}");
            assert_eq!(told(&refusals, reason, 1), None, "still once a minute");
        }
    }

    #[test]
    fn one_report_a_minute_for_each_reason() {
        let refusals = Refusals::default();
        let told = |reason, at| told(&refusals, reason, at);
        assert_eq!(told(RefusalReason::Unsigned, 0), Some(1));
        assert_eq!(told(RefusalReason::Unsigned, 59_999), None);
        assert_eq!(told(RefusalReason::NoKey, 59_999), Some(1));
        assert_eq!(told(RefusalReason::Unsigned, 60_000), Some(3));
        assert_eq!(told(RefusalReason::Unsigned, 0), Some(4), "a clock set back does not silence");
    }

    #[test]
    fn strangers_are_no_concern_of_the_agent() {
        for reason in [RefusalReason::Unsigned, RefusalReason::NotOurAccount] {
            assert_eq!(RefusedWebhook { reason, count: 9 }.user_error(), None);
        }
        let error = RefusedWebhook { reason: RefusalReason::Mismatch, count: 9 }.user_error();
        let message = error.map(|error| error.message).unwrap_or_default();
        let order = ["self-test", "Auth Token", "only if you changed it"].map(|part| message.find(part));
        assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{message}");
    }
}
