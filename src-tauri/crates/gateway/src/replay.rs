//! Repeated webhooks have one effect.
//!
//! Twilio's signature covers no time, so a request that was once good stays good; and Twilio itself
//! repeats requests it got no answer to. What was done about a request is therefore kept for a
//! while and answered again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// How long a request is remembered, in milliseconds.
const REMEMBERED_FOR_MS: i64 = 600_000;
/// How many names of requests are remembered; more than a busy phone gets in that time.
const REMEMBERED_COUNT: usize = 8_192;

/// The outcomes of requests, by the names a request goes by.
pub(crate) struct Replay<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    outcomes: HashMap<String, Arc<OnceCell<T>>>,
    /// In order of first sight, with its time in Unix milliseconds.
    order: VecDeque<(i64, String)>,
}

impl<T> Replay<T> {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { outcomes: HashMap::new(), order: VecDeque::new() }) }
    }

    /// Where the outcome of the request with any of these `names` is kept. Whoever gets an empty
    /// cell fills it; an attempt that fails leaves it empty for the next.
    pub(crate) fn outcome(&self, names: &[String], now_ms: i64) -> Arc<OnceCell<T>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget(now_ms);
        let cell = names.iter().find_map(|name| state.outcomes.get(name).cloned()).unwrap_or_default();
        for name in names {
            if !state.outcomes.contains_key(name) {
                state.outcomes.insert(name.clone(), Arc::clone(&cell));
                state.order.push_back((now_ms, name.clone()));
            }
        }
        cell
    }
}

impl<T> State<T> {
    fn forget(&mut self, now_ms: i64) {
        while let Some((seen_ms, name)) = self.order.front() {
            // A clock set back must not keep entries for ever.
            let age_ms = now_ms.saturating_sub(*seen_ms);
            if (0..REMEMBERED_FOR_MS).contains(&age_ms) && self.order.len() < REMEMBERED_COUNT {
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

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn any_name_finds_the_outcome() {
        let replay = Replay::<u32>::new();
        replay.outcome(&names(&["a", "b"]), 0).set(7).unwrap();
        assert_eq!(replay.outcome(&names(&["b", "c"]), 1).get(), Some(&7));
        assert_eq!(replay.outcome(&names(&["c"]), 2).get(), Some(&7));
        assert_eq!(replay.outcome(&names(&["d"]), 2).get(), None);
    }

    #[test]
    fn an_outcome_is_forgotten_after_ten_minutes() {
        let replay = Replay::<u32>::new();
        replay.outcome(&names(&["a"]), 0).set(7).unwrap();
        assert_eq!(replay.outcome(&names(&["a"]), 599_999).get(), Some(&7));
        assert_eq!(replay.outcome(&names(&["a"]), 600_000).get(), None);
    }

    #[test]
    fn memory_is_bounded() {
        let replay = Replay::<u32>::new();
        for number in 0..20_000 {
            replay.outcome(&names(&[&number.to_string()]), 0).set(number).unwrap();
        }
        let state = replay.state.lock().unwrap();
        assert!(state.outcomes.len() <= REMEMBERED_COUNT && state.order.len() <= REMEMBERED_COUNT);
        assert!(state.outcomes.contains_key("19999"));
    }

    #[test]
    fn a_clock_set_back_forgets_rather_than_keeps() {
        let replay = Replay::<u32>::new();
        replay.outcome(&names(&["a"]), 1_000_000).set(7).unwrap();
        assert_eq!(replay.outcome(&names(&["a"]), 0).get(), None);
    }
}
