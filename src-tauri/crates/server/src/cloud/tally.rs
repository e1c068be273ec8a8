//! What is counted of the server's decisions, for monitoring.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a call was not connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// No agent had asked for it.
    NotAskedFor,
    /// The rules do not allow it.
    ByRules,
    /// As many calls were under way as the whole server may have.
    TooMany,
}

/// The counters.
#[derive(Debug, Default)]
pub(super) struct Tally {
    refused: [AtomicU64; 3],
    lost_events: AtomicU64,
}

impl Refused {
    pub(super) const ALL: [Self; 3] = [Self::NotAskedFor, Self::ByRules, Self::TooMany];

    /// A word for a metric's label.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NotAskedFor => "not_asked_for",
            Self::ByRules => "by_rules",
            Self::TooMany => "too_many_calls",
        }
    }
}

impl Tally {
    fn of(&self, why: Refused) -> &AtomicU64 {
        let [not_asked_for, by_rules, too_many] = &self.refused;
        match why {
            Refused::NotAskedFor => not_asked_for,
            Refused::ByRules => by_rules,
            Refused::TooMany => too_many,
        }
    }

    /// A call was refused, or an agent's wish to place one.
    pub(super) fn refused(&self, why: Refused) {
        self.of(why).fetch_add(1, Ordering::Relaxed);
    }

    /// How many were.
    pub(super) fn how_many_refused(&self, why: Refused) -> u64 {
        self.of(why).load(Ordering::Relaxed)
    }

    /// Something that happened to a call did not get into the log.
    pub(super) fn lost_event(&self) {
        self.lost_events.fetch_add(1, Ordering::Relaxed);
    }

    /// How much did not.
    pub(super) fn lost_events(&self) -> u64 {
        self.lost_events.load(Ordering::Relaxed)
    }
}
