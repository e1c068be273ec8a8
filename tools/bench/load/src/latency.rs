//! Percentiles. Every latency is kept, so they are exact.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::connection::Answer;
use crate::twilio::Kind;

/// What some requests met with.
#[derive(Default)]
pub(crate) struct Tally {
    latencies: Vec<Duration>,
    statuses: BTreeMap<u16, u64>,
    /// Answers other than they should be.
    wrong: u64,
    /// Requests without an answer.
    failed: u64,
    /// The first thing that went wrong, in words.
    trouble: Option<String>,
}

impl Tally {
    /// With room for `count` of them.
    pub(crate) fn with_room(count: usize) -> Self {
        Self { latencies: Vec::with_capacity(count), ..Self::default() }
    }

    /// Counts one request. Whatever the outcome, its time counts: a server is not the faster for
    /// answering wrongly.
    pub(crate) fn count(&mut self, kind: Kind, outcome: anyhow::Result<Answer<'_>>, took: Duration) {
        self.latencies.push(took);
        match outcome {
            Ok(answer) => {
                *self.statuses.entry(answer.status).or_default() += 1;
                if !kind.accepts(&answer) {
                    self.wrong += 1;
                    self.trouble.get_or_insert_with(|| {
                        let body = String::from_utf8_lossy(answer.body);
                        format!("status {}: {}", answer.status, body.chars().take(300).collect::<String>())
                    });
                }
            }
            Err(error) => {
                self.failed += 1;
                self.trouble.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.latencies.len()
    }

    /// As JSON; times in milliseconds, rates per second of `window`.
    pub(crate) fn report(mut self, window: Duration) -> Value {
        self.latencies.sort_unstable();
        let ms = |share: f64| percentile(&self.latencies, share).map(|took| took.as_secs_f64() * 1e3);
        json!({
            "requests": self.latencies.len(),
            "perSecond": self.latencies.len() as f64 / window.as_secs_f64(),
            "p50Ms": ms(0.5),
            "p99Ms": ms(0.99),
            "p999Ms": ms(0.999),
            "maxMs": ms(1.0),
            "statuses": self.statuses,
            "wrong": self.wrong,
            "failed": self.failed,
            "trouble": self.trouble,
        })
    }
}

/// The smallest of the `sorted` values that at least `share` of them do not exceed (nearest rank).
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> Option<Duration> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let values: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let ms = |share| percentile(&values, share).map(|took| took.as_millis());
        assert_eq!((ms(0.5), ms(0.99), ms(1.0)), (Some(100), Some(198), Some(200)));
        assert_eq!(percentile(&values[..1], 0.01).map(|took| took.as_millis()), Some(1));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
