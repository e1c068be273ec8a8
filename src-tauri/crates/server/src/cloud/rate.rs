//! How often one agent may ask.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Agents remembered; beyond, those who have everything left are forgotten.
const MOST: usize = 4_096;

/// A bucket of requests for each agent.
pub(super) struct Rate {
    /// Requests one agent may make at once.
    burst: u32,
    /// How long it takes until one more is allowed, in milliseconds.
    one_every_ms: i64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    left: u32,
    since_ms: i64,
}

impl Rate {
    /// As many requests a minute as `per_minute` says for each agent, and as many at once.
    pub(super) fn new(per_minute: u32) -> Self {
        Self {
            burst: per_minute,
            one_every_ms: (60_000 / i64::from(per_minute.max(1))).max(1),
            buckets: Mutex::default(),
        }
    }

    /// Takes one request of `agent`, or answers how many seconds until the next is allowed.
    pub(super) fn take(&self, agent: &str, now_ms: i64) -> Result<(), u32> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            buckets.retain(|_, bucket| {
                bucket.fill(self, now_ms);
                bucket.left < self.burst
            });
            // Still too many: nobody is locked out, and nobody is held back for what they asked before.
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(agent.to_owned()).or_insert(Bucket { left: self.burst, since_ms: now_ms });
        bucket.fill(self, now_ms);
        if bucket.left == 0 {
            let wait_ms = (bucket.since_ms + self.one_every_ms - now_ms).max(1_000);
            return Err(u32::try_from(wait_ms.div_euclid(1_000)).unwrap_or(u32::MAX));
        }
        bucket.left -= 1;
        Ok(())
    }
}

impl Bucket {
    fn fill(&mut self, rate: &Rate, now_ms: i64) {
        // A clock set back must not lock anybody out.
        if now_ms < self.since_ms {
            *self = Self { left: rate.burst, since_ms: now_ms };
        }
        let more = u32::try_from((now_ms - self.since_ms) / rate.one_every_ms).unwrap_or(u32::MAX);
        self.left = self.left.saturating_add(more).min(rate.burst);
        self.since_ms = if self.left == rate.burst {
            now_ms
        } else {
            self.since_ms + i64::from(more) * rate.one_every_ms
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_at_once_then_ten_a_minute_for_each() {
        let rate = Rate::new(10);
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
        let rate = Rate::new(10);
        for n in 0..20_000 {
            assert_eq!(rate.take(&n.to_string(), i64::from(n) * 1_000), Ok(()));
        }
        assert!(rate.buckets.lock().is_ok_and(|buckets| buckets.len() <= MOST));
    }
}
