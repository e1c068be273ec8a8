//! Counting refused requests, and telling of them without shouting.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::ports::{RefusalReason, RefusedWebhook};

/// The shortest time between two reports for one reason, in milliseconds.
const REPORT_EVERY_MS: i64 = 60_000;

/// How many requests were refused, and when that was last told.
#[derive(Default)]
pub(crate) struct Refusals {
    by_reason: Mutex<HashMap<RefusalReason, Tally>>,
}

#[derive(Default)]
struct Tally {
    count: u64,
    told_at_ms: Option<i64>,
    /// Told to the agent, and nothing good has come since.
    stands: bool,
}

impl Refusals {
    /// Counts one, and tells of it when a report is due. What both methods tell keeps its order,
    /// so that a trouble which is over is never told last.
    pub(crate) fn refused(&self, reason: RefusalReason, now_ms: i64, tell: impl FnOnce(RefusedWebhook)) {
        let mut by_reason = self.by_reason.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = by_reason.entry(reason).or_default();
        tally.count += 1;
        let recent =
            tally.told_at_ms.is_some_and(|told| (0..REPORT_EVERY_MS).contains(&now_ms.saturating_sub(told)));
        if recent {
            return;
        }
        let refused = RefusedWebhook { reason, count: tally.count };
        tally.told_at_ms = Some(now_ms);
        tally.stands = refused.user_error().is_some();
        tell(refused);
    }

    /// A good request came: tells of it if the agent was told of trouble. Trouble that comes back
    /// is told again at once.
    pub(crate) fn accepted(&self, tell: impl FnOnce()) {
        let mut by_reason = self.by_reason.lock().unwrap_or_else(PoisonError::into_inner);
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
        assert_eq!(told(&refusals, RefusalReason::Mismatch, 0), Some(1));
        assert!(accepted(&refusals));
        assert!(!accepted(&refusals), "it is over already");
        assert_eq!(told(&refusals, RefusalReason::Mismatch, 1), Some(2));
        assert!(accepted(&refusals));
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
        assert_eq!(told(RefusalReason::Mismatch, 59_999), Some(1));
        assert_eq!(told(RefusalReason::Unsigned, 60_000), Some(3));
        assert_eq!(told(RefusalReason::Unsigned, 0), Some(4), "a clock set back does not silence");
    }

    #[test]
    fn strangers_are_no_concern_of_the_agent() {
        for reason in [RefusalReason::Unsigned, RefusalReason::NotOurAccount] {
            assert_eq!(RefusedWebhook { reason, count: 9 }.user_error(), None);
        }
        let error = RefusedWebhook { reason: RefusalReason::Mismatch, count: 9 }.user_error();
        assert!(error.is_some_and(|error| error.message.contains("Auth Token")));
    }
}
