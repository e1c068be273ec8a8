//! The public address of the gateway, as Twilio was told it.

use std::sync::{Arc, PoisonError, RwLock};

use url::Url;

use crate::route::Route;

/// How long an address stays good after it was replaced, in milliseconds: calls under way still
/// carry it in their callbacks.
const FORMER_FOR_MS: i64 = 600_000;
/// How many replaced addresses are remembered.
const FORMER_COUNT: usize = 2;

/// The current address and those it replaced.
#[derive(Default)]
pub(crate) struct PublicBase {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    current: Option<Base>,
    /// Newest first, with the Unix millisecond until which each is good.
    former: Vec<(Base, i64)>,
}

struct Base {
    url: Url,
    /// As [`before_path`] has it.
    text: Arc<str>,
}

impl Base {
    fn new(url: Url) -> Self {
        let text = Arc::from(before_path(&url));
        Self { url, text }
    }
}

impl PublicBase {
    pub(crate) fn set(&self, base: Url, now_ms: i64) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.current.as_ref().is_some_and(|current| current.url == base) {
            return;
        }
        state.former.retain(|(former, until_ms)| former.url != base && *until_ms > now_ms);
        if let Some(replaced) = state.current.replace(Base::new(base)) {
            state.former.insert(0, (replaced, now_ms.saturating_add(FORMER_FOR_MS)));
            state.former.truncate(FORMER_COUNT);
        }
    }

    pub(crate) fn current(&self) -> Option<Url> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.current.as_ref().map(|base| base.url.clone())
    }

    /// The current address, then those replaced lately, each as text without a slash at its end: with a path
    /// and query behind it as they arrived, nothing of them rewritten, it is a URL that Twilio signs.
    pub(crate) fn good(&self, now_ms: i64) -> Vec<Arc<str>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let former = state.former.iter().filter(|(_, until_ms)| *until_ms > now_ms).map(|(base, _)| base);
        state.current.iter().chain(former).map(|base| Arc::clone(&base.text)).collect()
    }
}

/// The addresses under which Twilio reaches the routes.
pub(crate) struct Addresses {
    base: Url,
}

impl Addresses {
    pub(crate) fn new(base: Url) -> Self {
        Self { base }
    }

    /// The address of `route`.
    pub(crate) fn of(&self, route: impl Into<Route>) -> Url {
        let mut address = self.base.clone();
        let prefix = self.base.path().trim_end_matches('/').len();
        address.set_path(&format!("{}{}", &self.base.path()[..prefix], route.into().path()));
        address
    }
}

/// `base` with `path_and_query` behind it, as text: nothing of the latter is rewritten.
pub(crate) fn join(base: &Url, path_and_query: &str) -> String {
    format!("{}{path_and_query}", before_path(base))
}

/// What stands before the path of a route. A base may have a path of its own, which a proxy in front of us
/// takes off.
fn before_path(base: &Url) -> &str {
    base.as_str().trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::route::Question;

    fn url(host: &str) -> Url {
        Url::parse(&format!("https://{host}.example")).unwrap()
    }

    fn good(base: &PublicBase, now_ms: i64) -> Vec<String> {
        base.good(now_ms)
            .iter()
            .map(|text| text.trim_start_matches("https://").trim_end_matches(".example").to_owned())
            .collect()
    }

    #[test]
    fn a_replaced_address_stays_good_for_ten_minutes() {
        let base = PublicBase::default();
        assert!(good(&base, 0).is_empty());
        base.set(url("a"), 0);
        base.set(url("b"), 1_000);
        assert_eq!(good(&base, 600_999), ["b", "a"]);
        assert_eq!(good(&base, 601_000), ["b"]);
    }

    #[test]
    fn two_replaced_addresses_are_remembered() {
        let base = PublicBase::default();
        for (at, host) in ["a", "b", "c", "d"].into_iter().enumerate() {
            base.set(url(host), i64::try_from(at).unwrap());
        }
        assert_eq!(good(&base, 10), ["d", "c", "b"]);
    }

    #[test]
    fn setting_the_same_address_or_going_back_forgets_nothing() {
        let base = PublicBase::default();
        base.set(url("a"), 0);
        base.set(url("a"), 1);
        base.set(url("b"), 2);
        base.set(url("a"), 3);
        assert_eq!(good(&base, 4), ["a", "b"]);
    }

    #[test]
    fn an_address_is_the_base_and_the_path() {
        for base in ["https://h.example/prefix/", "https://h.example/prefix", "http://127.0.0.1:3002"] {
            let base = Url::parse(base).unwrap();
            let written = Addresses::new(base.clone()).of(Question::Wait);
            let path = Route::from(Question::Wait).path();
            assert_eq!(written.as_str(), join(&base, &path));
            let signed = PublicBase::default();
            signed.set(base, 0);
            assert_eq!(written.as_str(), format!("{}{path}", signed.good(0)[0]));
        }
    }

    #[test]
    fn paths_are_joined_as_they_are() {
        let base = Url::parse("https://h.example/prefix/").unwrap();
        assert_eq!(join(&base, "/x%2Fy?b=2&a=%20+"), "https://h.example/prefix/x%2Fy?b=2&a=%20+");
        assert_eq!(join(&url("h"), "/x"), "https://h.example/x");
    }
}
