//! When an access token must be renewed, by our own wall clock.
//!
//! The SDK's `tokenWillExpire` timer is set on every `connected` message, never cleared, and delayed
//! by sleep (voice-sdk 2.18.5, `device.ts`), so it is not asked. In a call each token update costs
//! about a second of sound on Twilio, so a renewal waits for the call's end while it safely can.

/// A token's span in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenSpan {
    /// When it was issued.
    pub issued_at_ms: i64,
    /// When Twilio stops accepting it.
    pub expires_at_ms: i64,
}

/// What to do about a token at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Nothing before this Unix millisecond.
    WaitUntil(i64),
    /// Renew at once.
    Now,
}

/// Without a call, renew when less than this share of the lifetime remains: a quarter.
const IDLE_SHARE: i64 = 4;
/// In a call, renew only when this little remains, in milliseconds: enough for three tries.
const IN_CALL_MARGIN_MS: i64 = 60_000;

/// Decides whether the token should be renewed at `now_ms`.
///
/// A clock that was set back before the issue time also asks for a renewal: the span cannot be
/// trusted then.
pub fn renewal(now_ms: i64, token: TokenSpan, in_call: bool) -> Renewal {
    let lifetime = (token.expires_at_ms - token.issued_at_ms).max(0);
    let margin = if in_call { IN_CALL_MARGIN_MS.min(lifetime / 2) } else { lifetime / IDLE_SHARE };
    let due = token.expires_at_ms - margin;
    if now_ms >= due || now_ms < token.issued_at_ms { Renewal::Now } else { Renewal::WaitUntil(due) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: TokenSpan = TokenSpan { issued_at_ms: 0, expires_at_ms: 3_600_000 };

    #[test]
    fn idle_renews_in_the_last_quarter() {
        assert_eq!(renewal(0, HOUR, false), Renewal::WaitUntil(2_700_000));
        assert_eq!(renewal(2_699_999, HOUR, false), Renewal::WaitUntil(2_700_000));
        assert_eq!(renewal(2_700_000, HOUR, false), Renewal::Now);
    }

    #[test]
    fn a_call_defers_to_the_last_minute() {
        assert_eq!(renewal(3_000_000, HOUR, true), Renewal::WaitUntil(3_540_000));
        assert_eq!(renewal(3_540_000, HOUR, true), Renewal::Now);
    }

    #[test]
    fn sleep_past_the_end_and_a_clock_set_back_renew_at_once() {
        assert_eq!(renewal(9_000_000, HOUR, true), Renewal::Now);
        assert_eq!(renewal(-1, HOUR, false), Renewal::Now);
    }
}
