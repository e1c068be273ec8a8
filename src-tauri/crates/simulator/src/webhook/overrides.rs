//! How patiently a webhook is asked: connection overrides in a URL's fragment.
//!
//! Names, ranges and defaults are those of Twilio's page "Webhooks (HTTP callbacks): Connection
//! Overrides": `ct`, `rt` and `tt` in milliseconds, `rc` tries more, `rp` what they are for; Twilio
//! sends no fragment to the server and does not sign it. `e` (the edge) and `sni` are read and have
//! no effect on one computer. What becomes of a value out of its range is not documented: here it
//! counts as absent. The 15 seconds a call waits in all are a ceiling for all of them.

use std::time::Duration;

use url::Url;

/// What makes a request be sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryOn {
    /// 400 to 499.
    ClientError,
    /// 500 to 599.
    ServerError,
    /// The connection did not come about.
    Connect,
    /// The server said nothing for too long.
    Read,
}

impl RetryOn {
    pub(crate) const ALL: [Self; 4] = [Self::ClientError, Self::ServerError, Self::Connect, Self::Read];
}

/// How long to wait for what, and how often to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Patience {
    pub(crate) connect: Duration,
    /// For each piece of the answer.
    pub(crate) read: Duration,
    /// For all tries together.
    pub(crate) total: Duration,
    /// Tries after the first.
    pub(crate) retries: u32,
    pub(crate) retry_on: Vec<RetryOn>,
}

impl Default for Patience {
    /// Twilio's: five seconds to connect, fifteen in all, one more try when that fails.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(15),
            total: Duration::from_secs(15),
            retries: 1,
            retry_on: vec![RetryOn::Connect],
        }
    }
}

impl Patience {
    /// These, with what the fragment of `url` asks for in their place.
    #[must_use]
    pub(crate) fn overridden(mut self, url: &Url) -> Self {
        let fragment = url.fragment().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(fragment.as_bytes()) {
            let ms = |most: u64| {
                value.parse().ok().filter(|ms| (100..=most).contains(ms)).map(Duration::from_millis)
            };
            match &*name {
                "ct" => self.connect = ms(10_000).unwrap_or(self.connect),
                "rt" => self.read = ms(15_000).unwrap_or(self.read),
                "tt" => self.total = ms(15_000).unwrap_or(self.total),
                "rc" => self.retries = value.parse().ok().filter(|rc| *rc <= 5).unwrap_or(self.retries),
                "rp" => {
                    let policies: Vec<RetryOn> = value.split(',').flat_map(policy).copied().collect();
                    if !policies.is_empty() {
                        self.retry_on = policies;
                    }
                }
                _ => {}
            }
        }
        self
    }
}

fn policy(word: &str) -> &'static [RetryOn] {
    match word.trim() {
        "4xx" => &[RetryOn::ClientError],
        "5xx" => &[RetryOn::ServerError],
        "ct" => &[RetryOn::Connect],
        "rt" => &[RetryOn::Read],
        "all" => &RetryOn::ALL,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn of(fragment: &str) -> Patience {
        Patience::default().overridden(&Url::parse(&format!("https://a.example/x{fragment}")).unwrap())
    }

    #[test]
    fn fragments_are_read() {
        assert_eq!(of(""), Patience::default());
        assert_eq!(
            of("#ct=200&rt=300&tt=4000&rc=3&rp=5xx,rt&e=dublin"),
            Patience {
                connect: Duration::from_millis(200),
                read: Duration::from_millis(300),
                total: Duration::from_secs(4),
                retries: 3,
                retry_on: vec![RetryOn::ServerError, RetryOn::Read],
            }
        );
        assert_eq!(of("#rc=0&rp=all").retry_on, RetryOn::ALL);
    }

    #[test]
    fn what_is_out_of_range_counts_as_absent() {
        assert_eq!(of("#ct=99&rt=15001&tt=soon&rc=6&rp=sometimes&top"), Patience::default());
    }
}
