//! Repeated webhooks have one effect.
//!
//! Twilio's signature covers no time, so a request that was once good stays good; and Twilio itself
//! repeats requests it got no answer to. What was done about a request is therefore kept for a
//! while and answered again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

/// How long a request is remembered, in milliseconds.
const REMEMBERED_FOR_MS: i64 = 600_000;

/// One of the names a request goes by: half a hash of what makes it that request.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name([u8; 16]);

impl Name {
    /// The name that `parts` make, in this order.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // With its length, so that nothing can pass from one part to the next.
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
        let mut name = [0; 16];
        name.copy_from_slice(&hash.finalize()[..16]);
        Self(name)
    }
}

/// The outcomes of requests, by the names a request goes by.
pub(crate) struct Replay<T> {
    /// How many names are kept.
    most: usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    outcomes: HashMap<Name, Arc<OnceCell<T>>>,
    /// In order of first sight, with its time in Unix milliseconds.
    order: VecDeque<(i64, Name)>,
}

impl<T> Replay<T> {
    /// Remembers at most `most` names; more than a busy phone gets in ten minutes is enough.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, state: Mutex::new(State { outcomes: HashMap::new(), order: VecDeque::new() }) }
    }

    /// Where the outcome of the request with any of these `names` is kept. Whoever gets an empty
    /// cell fills it; an attempt that fails leaves it empty for the next.
    pub(crate) fn outcome(&self, names: &[Name], now_ms: i64) -> Arc<OnceCell<T>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget(now_ms, self.most);
        let cell = names.iter().find_map(|name| state.outcomes.get(name).cloned()).unwrap_or_default();
        for name in names {
            if !state.outcomes.contains_key(name) {
                state.outcomes.insert(*name, Arc::clone(&cell));
                state.order.push_back((now_ms, *name));
            }
        }
        cell
    }
}

impl<T> State<T> {
    fn forget(&mut self, now_ms: i64, most: usize) {
        while let Some((seen_ms, name)) = self.order.front() {
            // A clock set back must not keep entries for ever.
            let age_ms = now_ms.saturating_sub(*seen_ms);
            if (0..REMEMBERED_FOR_MS).contains(&age_ms) && self.order.len() < most {
                return;
            }
            self.outcomes.remove(name);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const MOST: usize = 100;

    fn names(names: &[&str]) -> Vec<Name> {
        names.iter().map(|name| Name::of(&[name])).collect()
    }

    #[test]
    fn parts_of_a_name_do_not_run_together() {
        assert!(Name::of(&["ab", "c"]) != Name::of(&["a", "bc"]));
        assert!(Name::of(&["a", ""]) != Name::of(&["a"]));
        assert!(Name::of(&["a", "b"]) == Name::of(&["a", "b"]));
    }

    #[test]
    fn any_name_finds_the_outcome() {
        let replay = Replay::<u32>::new(MOST);
        replay.outcome(&names(&["a", "b"]), 0).set(7).unwrap();
        assert_eq!(replay.outcome(&names(&["b", "c"]), 1).get(), Some(&7));
        assert_eq!(replay.outcome(&names(&["c"]), 2).get(), Some(&7));
        assert_eq!(replay.outcome(&names(&["d"]), 2).get(), None);
    }

    #[test]
    fn an_outcome_is_forgotten_after_ten_minutes() {
        let replay = Replay::<u32>::new(MOST);
        replay.outcome(&names(&["a"]), 0).set(7).unwrap();
        assert_eq!(replay.outcome(&names(&["a"]), 599_999).get(), Some(&7));
        assert_eq!(replay.outcome(&names(&["a"]), 600_000).get(), None);
    }

    #[test]
    fn memory_is_bounded() {
        let replay = Replay::<u32>::new(MOST);
        for number in 0..1_000 {
            replay.outcome(&names(&[&number.to_string()]), 0).set(number).unwrap();
        }
        let state = replay.state.lock().unwrap();
        assert!(state.outcomes.len() <= MOST && state.order.len() <= MOST);
        assert!(state.outcomes.contains_key(&Name::of(&["999"])));
    }

    #[test]
    fn a_clock_set_back_forgets_rather_than_keeps() {
        let replay = Replay::<u32>::new(MOST);
        replay.outcome(&names(&["a"]), 1_000_000).set(7).unwrap();
        assert_eq!(replay.outcome(&names(&["a"]), 0).get(), None);
    }
}
