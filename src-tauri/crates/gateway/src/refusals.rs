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
}

impl Refusals {
    /// Counts one; answers with a report when one is due.
    pub(crate) fn count(&self, reason: RefusalReason, now_ms: i64) -> Option<RefusedWebhook> {
        let mut by_reason = self.by_reason.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = by_reason.entry(reason).or_default();
        tally.count += 1;
        let recent =
            tally.told_at_ms.is_some_and(|told| (0..REPORT_EVERY_MS).contains(&now_ms.saturating_sub(told)));
        if recent {
            return None;
        }
        tally.told_at_ms = Some(now_ms);
        Some(RefusedWebhook { reason, count: tally.count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_report_a_minute_for_each_reason() {
        let refusals = Refusals::default();
        let told = |reason, at| refusals.count(reason, at).map(|refused| refused.count);
        assert_eq!(told(RefusalReason::Unsigned, 0), Some(1));
        assert_eq!(told(RefusalReason::Unsigned, 59_999), None);
        assert_eq!(told(RefusalReason::Mismatch, 59_999), Some(1));
        assert_eq!(told(RefusalReason::Unsigned, 60_000), Some(3));
        assert_eq!(told(RefusalReason::Unsigned, 0), Some(4), "a clock set back does not silence");
    }

    #[test]
    fn strangers_are_no_concern_of_the_agent() {
        assert_eq!(RefusedWebhook { reason: RefusalReason::Unsigned, count: 9 }.user_error(), None);
        let error = RefusedWebhook { reason: RefusalReason::Mismatch, count: 9 }.user_error();
        assert!(error.is_some_and(|error| error.message.contains("Auth Token")));
    }
}
