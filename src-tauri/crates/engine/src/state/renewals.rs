//! When the SDK gets its next access token.

use dialer_domain::token::{Renewal, TokenSpan, renewal};

/// How long an unanswered request for a renewal is given before it is repeated, in milliseconds.
const RENEWAL_RETRY_MS: i64 = 15_000;

/// The token in use, and what was asked about the next one.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    token: Option<TokenSpan>,
    asked_at_ms: Option<i64>,
}

impl Renewals {
    /// A token was issued.
    pub(super) fn issued(&mut self, token: TokenSpan) {
        self.token = Some(token);
    }

    /// Whether the SDK should be given a new token now. Asks again when nothing came of the last time.
    pub(super) fn due(&mut self, in_call: bool, now_ms: i64) -> bool {
        let Some(token) = self.token else { return false };
        if renewal(now_ms, token, in_call) != Renewal::Now || self.asked_lately(now_ms) {
            return false;
        }
        self.asked_at_ms = Some(now_ms);
        true
    }

    /// Whether a refused token should be replaced now. A good key cures it at once; a bad one would be
    /// refused as fast as tokens can be minted.
    pub(super) fn after_refusal(&mut self, now_ms: i64) -> bool {
        if self.asked_lately(now_ms) {
            return false;
        }
        self.asked_at_ms = Some(now_ms);
        true
    }

    fn asked_lately(&self, now_ms: i64) -> bool {
        self.asked_at_ms.is_some_and(|at| (0..RENEWAL_RETRY_MS).contains(&(now_ms - at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_token_is_replaced_but_not_at_full_speed() {
        let mut renewals = Renewals::default();
        assert!(renewals.after_refusal(1_000));
        assert!(!renewals.after_refusal(2_000));
        assert!(renewals.after_refusal(17_000));
    }

    #[test]
    fn a_renewal_is_asked_once_and_repeated_when_nothing_came() {
        let mut renewals = Renewals::default();
        renewals.issued(TokenSpan { issued_at_ms: 0, expires_at_ms: 3_600_000 });
        assert!(!renewals.due(false, 1_000_000));
        assert!(renewals.due(false, 3_000_000));
        assert!(!renewals.due(false, 3_005_000));
        assert!(renewals.due(false, 3_016_000));
        renewals.issued(TokenSpan { issued_at_ms: 3_016_000, expires_at_ms: 6_616_000 });
        assert!(!renewals.due(false, 3_032_000));
    }
}
