//! How often one agent may ask.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Requests one agent may make at once.
const BURST: u32 = 10;
/// How long it takes until one more is allowed, in milliseconds: ten a minute.
const ONE_EVERY_MS: i64 = 6_000;
/// Agents remembered; beyond, those who have everything left are forgotten.
const MOST: usize = 4_096;

/// A bucket of requests for each agent.
#[derive(Default)]
pub(super) struct Rate {
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    left: u32,
    since_ms: i64,
}

impl Rate {
    /// Takes one request of `agent`, or answers how many seconds until the next is allowed.
    pub(super) fn take(&self, agent: &str, now_ms: i64) -> Result<(), u32> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            buckets.retain(|_, bucket| {
                bucket.fill(now_ms);
                bucket.left < BURST
            });
        }
        let bucket = buckets.entry(agent.to_owned()).or_insert(Bucket { left: BURST, since_ms: now_ms });
        bucket.fill(now_ms);
        if bucket.left == 0 {
            let wait_ms = (bucket.since_ms + ONE_EVERY_MS - now_ms).max(1_000);
            return Err(u32::try_from(wait_ms.div_euclid(1_000)).unwrap_or(u32::MAX));
        }
        bucket.left -= 1;
        Ok(())
    }
}

impl Bucket {
    fn fill(&mut self, now_ms: i64) {
        // A clock set back must not lock anybody out.
        if now_ms < self.since_ms {
            *self = Self { left: BURST, since_ms: now_ms };
        }
        let more = u32::try_from((now_ms - self.since_ms) / ONE_EVERY_MS).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(more).min(BURST);
        self.since_ms =
            if self.left == BURST { now_ms } else { self.since_ms + i64::from(more) * ONE_EVERY_MS };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_at_once_then_ten_a_minute_for_each() {
        let rate = Rate::default();
        for _ in 0..10 {
            assert_eq!(rate.take("albert", 0), Ok(()));
        }
        assert_eq!(rate.take("albert", 0), Err(6));
        assert_eq!(rate.take("berta", 0), Ok(()));
        assert_eq!(rate.take("albert", 6_000), Ok(()));
        assert_eq!(rate.take("albert", 6_001), Err(5));
        assert_eq!(rate.take("albert", 0), Ok(()), "the clock was set back");
    }

    #[test]
    fn memory_is_bounded_by_those_who_ask() {
        let rate = Rate::default();
        for n in 0..20_000 {
            assert_eq!(rate.take(&n.to_string(), i64::from(n) * 1_000), Ok(()));
        }
        assert!(rate.buckets.lock().is_ok_and(|buckets| buckets.len() <= MOST));
    }
}
