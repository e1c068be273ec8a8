//! What became of all requests, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ports::RefusalReason;
use crate::route::Kind;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was good and got its answer.
    Accepted,
    /// Twilio did not sign it, or not so that it can be believed: 403.
    Refused(RefusalReason),
    /// The same, while there were too many of them: 429.
    Flooding,
    /// Signed, but there were too many in this second: 429.
    Limited,
    /// Signed, but there were too many at once: 503.
    Shed,
    /// It took too long to arrive or to answer.
    TimedOut,
    /// Its body was too large: 413.
    TooLarge,
    /// It was no proper request: 400.
    Malformed,
    /// There is nothing at that address: 404.
    NotFound,
    /// Nothing is done there by that method: 405.
    MethodNotAllowed,
}

/// Writes down every outcome once, with the word for it.
macro_rules! outcomes {
    ($([$($outcome:tt)+] $word:literal)+) => {
        impl Outcome {
            /// Every one there is.
            pub const ALL: [Self; [$($word),+].len()] = [$($($outcome)+),+];

            /// A word for a metric's label, such as `refused_mismatch`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($($outcome)+ => $word,)+
                }
            }
        }
    };
}

outcomes! {
    [Self::Accepted] "accepted"
    [Self::Refused(RefusalReason::Unsigned)] "refused_unsigned"
    [Self::Refused(RefusalReason::NotOurAccount)] "refused_not_our_account"
    [Self::Refused(RefusalReason::Mismatch)] "refused_mismatch"
    [Self::Refused(RefusalReason::OtherKey)] "refused_other_key"
    [Self::Refused(RefusalReason::NoKey)] "refused_no_key"
    [Self::Refused(RefusalReason::NoPublicBase)] "refused_no_public_base"
    [Self::Flooding] "flooding"
    [Self::Limited] "limited"
    [Self::Shed] "shed"
    [Self::TimedOut] "timed_out"
    [Self::TooLarge] "too_large"
    [Self::Malformed] "malformed"
    [Self::NotFound] "not_found"
    [Self::MethodNotAllowed] "method_not_allowed"
}

/// How many requests to one route had one outcome, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The route as in the table of the crate's documentation, such as `/api/calls/dialled/{purpose}`;
    /// `other` for all paths that are none.
    pub route: &'static str,
    /// What became of them.
    pub outcome: Outcome,
    /// How many, at least one.
    pub requests: u64,
}

/// What the gateway has done since it was started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// The requests, by route and outcome; those that never happened are left out.
    pub requests: Vec<Count>,
    /// Connections that were closed to make room for others.
    pub connections_evicted: u64,
}

impl Counts {
    /// How many requests had `outcome`, whatever they asked for.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.requests.iter().filter(|count| count.outcome == outcome).map(|count| count.requests).sum()
    }
}

/// The counters.
#[derive(Default)]
pub(crate) struct Counters {
    requests: [[AtomicU64; Outcome::ALL.len()]; Kind::ALL.len()],
    connections_evicted: AtomicU64,
}

impl Counters {
    pub(crate) fn request(&self, kind: Kind, outcome: Outcome) {
        let row = self.requests.get(kind as usize).into_iter().flatten();
        if let Some((_, counter)) = Outcome::ALL.iter().zip(row).find(|(other, _)| **other == outcome) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn connection_evicted(&self) {
        self.connections_evicted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counts {
        let rows = Kind::ALL.into_iter().zip(&self.requests);
        let counts = rows.flat_map(|(kind, row)| {
            Outcome::ALL.into_iter().zip(row).map(move |(outcome, counter)| Count {
                route: kind.pattern(),
                outcome,
                requests: counter.load(Ordering::Relaxed),
            })
        });
        Counts {
            requests: counts.filter(|count| count.requests > 0).collect(),
            connections_evicted: self.connections_evicted.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_pair_has_a_counter_and_a_name_of_its_own() {
        let counters = Counters::default();
        for kind in Kind::ALL {
            for outcome in Outcome::ALL {
                counters.request(kind, outcome);
            }
        }
        counters.request(Kind::Voice, Outcome::Shed);
        let counts = counters.read();
        assert_eq!(counts.requests.len(), Kind::ALL.len() * Outcome::ALL.len());
        for count in &counts.requests {
            let twice = count.route == Kind::Voice.pattern() && count.outcome == Outcome::Shed;
            assert_eq!(count.requests, if twice { 2 } else { 1 }, "{count:?}");
        }
        let names: BTreeSet<_> = counts.requests.iter().map(|c| (c.route, c.outcome.as_str())).collect();
        assert_eq!(names.len(), counts.requests.len());
    }
}
