//! What the HTTP library reports, in our terms.

use std::error::Error;

use super::error::{RestError, UnreachableCause, without_numbers};
use super::retry::Outcome;

/// Why a try brought no whole answer, and whether another one is worth it.
pub(crate) fn classify(error: reqwest::Error) -> (RestError, Outcome) {
    // The address may hold a telephone number.
    let error = error.without_url();
    let text = chain_text(&error);
    let cause = cause(&error, &text);
    let outcome = match cause {
        UnreachableCause::Dns | UnreachableCause::Connect => Outcome::NotSent,
        UnreachableCause::Timeout if error.is_connect() => Outcome::NotSent,
        UnreachableCause::Timeout | UnreachableCause::Interrupted => Outcome::Lost,
        UnreachableCause::Tls | UnreachableCause::Proxy => Outcome::Final,
    };
    (RestError::Unreachable { cause, detail: without_numbers(&text) }, outcome)
}

/// An error and what it came from, in one line.
pub(crate) fn chain_text(error: &reqwest::Error) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn cause(error: &reqwest::Error, text: &str) -> UnreachableCause {
    if chain(error).any(is_tls) {
        UnreachableCause::Tls
    } else if error.is_timeout() {
        UnreachableCause::Timeout
    } else if text.contains("tunnel error") || text.contains("proxy") {
        UnreachableCause::Proxy
    } else if text.contains("dns error") {
        UnreachableCause::Dns
    } else if error.is_connect() {
        UnreachableCause::Connect
    } else {
        UnreachableCause::Interrupted
    }
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let link = next?;
        next = link.source();
        Some(link)
    })
}

/// TLS errors arrive in an I/O error within another, which do not name what they hold as their source.
fn is_tls(link: &(dyn Error + 'static)) -> bool {
    link.is::<rustls::Error>()
        || link
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .is_some_and(|inner| is_tls(inner))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::sync::Arc;

    use reqwest::dns::{Name, Resolve, Resolving};

    use super::*;

    /// Knows no name, as a computer without a network.
    struct Nameless;

    impl Resolve for Nameless {
        fn resolve(&self, _name: Name) -> Resolving {
            Box::pin(async { Err("no name server".into()) })
        }
    }

    #[tokio::test]
    async fn a_name_that_is_not_found_is_told_without_the_address() {
        let http = reqwest::Client::builder().no_proxy().dns_resolver(Arc::new(Nameless)).build().unwrap();
        let error = http.get("https://nowhere.invalid/+12025550123").send().await.unwrap_err();
        let (error, outcome) = classify(error);
        let RestError::Unreachable { cause, detail } = error else { panic!("{error}") };
        assert_eq!((cause, outcome), (UnreachableCause::Dns, Outcome::NotSent));
        assert!(detail.contains("no name server") && !detail.contains("2025550123"), "{detail}");
    }
}
