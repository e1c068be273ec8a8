//! What can go wrong between a request and its answer.

use std::time::Duration;

use super::credentials::CredentialKind;

/// Why there was no way to Twilio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreachableCause {
    /// The name of the host was not found.
    Dns,
    /// Nothing answered at its address.
    Connect,
    /// Something answered, but not with a certificate of Twilio's that is valid by this computer's clock.
    Tls,
    /// A proxy is set for this computer and did not let the request through.
    Proxy,
    /// No answer came in time.
    Timeout,
    /// The connection broke before the answer was whole.
    Interrupted,
}

/// Why a request has no result. Texts of Twilio's are kept without telephone numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// No answer at all. Whether Twilio did what was asked is known only for the causes before the
    /// request left: all but [`UnreachableCause::Timeout`] and [`UnreachableCause::Interrupted`].
    #[error("Twilio could not be reached ({cause:?}): {detail}")]
    Unreachable {
        /// Why.
        cause: UnreachableCause,
        /// The chain of errors.
        detail: String,
    },
    /// Somebody else answered: the sign-in page of a network, a proxy, a filter.
    #[error("the answer is not Twilio's (status {status}, {content_type})")]
    NotTwilio {
        /// Its HTTP status.
        status: u16,
        /// Its content type, or what it was instead.
        content_type: String,
    },
    /// Twilio understood and said no.
    #[error("Twilio refused (status {status}, code {}): {message}", Shown(*code))]
    Refused {
        /// HTTP status, 4xx.
        status: u16,
        /// Twilio's error code, such as 20003.
        code: Option<u32>,
        /// Twilio's words.
        message: String,
        /// What was signed in with.
        by: CredentialKind,
    },
    /// Too many requests at once, still, after several tries.
    #[error("Twilio has too many requests")]
    TooManyRequests {
        /// How long Twilio asks to wait, if it said so.
        retry_after: Option<Duration>,
    },
    /// Twilio failed, still, after those tries that were safe.
    #[error("Twilio failed (status {status}, code {}): {message}", Shown(*code))]
    Server {
        /// HTTP status, 5xx.
        status: u16,
        /// Twilio's error code, such as 20500.
        code: Option<u32>,
        /// Twilio's words.
        message: String,
    },
    /// Twilio's answer is not of the form it should be.
    #[error("Twilio's answer cannot be read: {detail}")]
    Malformed {
        /// Where, without what is there.
        detail: String,
    },
    /// Only the Auth Token may ask for this, and there is only a key. Nothing was sent.
    #[error("an API key may not ask for {what}")]
    WrongKeyClass {
        /// What was asked for.
        what: &'static str,
    },
}

struct Shown(Option<u32>);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(code) => write!(f, "{code}"),
            None => f.write_str("none"),
        }
    }
}

impl RestError {
    /// Twilio's error code, where it gave one.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Refused { code, .. } | Self::Server { code, .. } => *code,
            Self::TooManyRequests { .. } => Some(20429),
            Self::Unreachable { .. }
            | Self::NotTwilio { .. }
            | Self::Malformed { .. }
            | Self::WrongKeyClass { .. } => None,
        }
    }

    /// Whether the same request can succeed later without anyone changing what is asked, or as whom.
    pub fn passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::NotTwilio { .. }
            | Self::TooManyRequests { .. }
            | Self::Server { .. } => true,
            Self::Refused { .. } | Self::Malformed { .. } | Self::WrongKeyClass { .. } => false,
        }
    }

    /// Whether Twilio has no such thing, or no longer.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. } | Self::Refused { code: Some(20404), .. })
    }
}

/// `text` without what could be a telephone number: `+` and seven digits or more, or ten digits, with
/// the usual separators between them. Digits that belong to a word, as in a SID, stay.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| matches!(c, '+' | '(') || c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        let end = from
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.')))
            .unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        let in_a_word = kept.ends_with(|c: char| c.is_ascii_alphanumeric())
            || after.starts_with(|c: char| c.is_ascii_alphanumeric()) && !run.ends_with([' ', '.']);
        let is_number = digits >= 10 || (run.starts_with('+') && digits >= 7);
        if is_number && !in_a_word {
            kept.push_str("(number)");
            kept.push_str(&run[run.trim_end_matches(|c: char| !c.is_ascii_digit()).len()..]);
        } else {
            kept.push_str(run);
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_out_and_sids_stay() {
        for (given, kept) in [
            ("The number +12025550123 is unverified.", "The number (number) is unverified."),
            ("To (202) 555-0123, please", "To (number), please"),
            ("202.555.0123", "(number)"),
            ("+1 202 555 0123", "(number)"),
            ("number:+44 20 7946 0000.", "number:(number)."),
            ("code 20003, status 401", "code 20003, status 401"),
            (
                "/2010-04-01/Accounts/AC01234567890123456789012345678901.json",
                "/2010-04-01/Accounts/AC01234567890123456789012345678901.json",
            ),
            ("SK0123456789abcdef0123456789012345", "SK0123456789abcdef0123456789012345"),
            ("1234567", "1234567"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(given), kept, "{given}");
        }
    }
}
