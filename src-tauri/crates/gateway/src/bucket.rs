//! A limit on how often something may happen.

use std::sync::{Mutex, PoisonError};

/// One token, in the unit the level is kept in.
const TOKEN: i64 = 1_000;

/// Tokens that are taken and come back with time.
pub(crate) struct Bucket {
    per_second: i64,
    /// Full, in thousandths of a token.
    full: i64,
    level: Mutex<Level>,
}

struct Level {
    /// In thousandths of a token, so that every millisecond counts.
    tokens: i64,
    /// When that was, in Unix milliseconds.
    at_ms: i64,
}

impl Bucket {
    /// `burst` tokens at first and at most; `per_second` come back.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let full = i64::from(burst) * TOKEN;
        Self { per_second: i64::from(per_second), full, level: Mutex::new(Level { tokens: full, at_ms: 0 }) }
    }

    /// Takes a token, if there is one at `now_ms` (Unix milliseconds).
    pub(crate) fn take(&self, now_ms: i64) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock set back brings nothing, but time counts again from there.
        let passed_ms = now_ms.saturating_sub(level.at_ms).max(0);
        level.at_ms = now_ms;
        level.tokens = level.tokens.saturating_add(passed_ms.saturating_mul(self.per_second)).min(self.full);
        let any = level.tokens >= TOKEN;
        if any {
            level.tokens -= TOKEN;
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &Bucket, now_ms: i64) -> usize {
        (0..1_000).filter(|_| bucket.take(now_ms)).count()
    }

    #[test]
    fn a_burst_at_first_then_as_many_as_time_brings() {
        let bucket = Bucket::new(20, 40);
        assert_eq!(taken(&bucket, 5), 40);
        assert_eq!(taken(&bucket, 54), 0);
        assert_eq!(taken(&bucket, 55), 1);
        assert_eq!(taken(&bucket, 1_055), 20);
        assert_eq!(taken(&bucket, i64::MAX), 40, "never more than the burst");
    }

    #[test]
    fn single_milliseconds_add_up() {
        let bucket = Bucket::new(20, 1);
        assert_eq!(taken(&bucket, 0), 1);
        assert_eq!((1..=1_000).map(|at| taken(&bucket, at)).sum::<usize>(), 20);
    }

    #[test]
    fn a_clock_set_back_neither_gives_nor_stops() {
        let bucket = Bucket::new(20, 40);
        assert_eq!(taken(&bucket, 1_000_000), 40);
        assert_eq!(taken(&bucket, 0), 0);
        assert_eq!(taken(&bucket, 1_000), 20);
    }
}
