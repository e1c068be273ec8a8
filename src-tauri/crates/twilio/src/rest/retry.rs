//! Which request is sent again, and when.
//!
//! - Twilio's own 429 (error 20429) and 503 (error 20503) say that nothing was done: such a request is
//!   always sent again.
//! - The same statuses without the code come from some server on the way, and it may have passed the
//!   request on. They, other answers of a failing server (500, 502, 504), and a connection that broke
//!   after the request had left, leave it open whether something was done: only what may be done twice is
//!   sent again.
//! - A connection that never came to be has done nothing. It is tried once more, no longer, because a
//!   computer without a network should say so soon.
//! - Waiting grows from 100 ms by doubling, ±10 %, to at most 30 s, in at most five tries; `Retry-After`
//!   is kept, and one beyond 30 s is left to the caller (Twilio's guidance on 20429).

use std::time::Duration;

/// How often a request is sent in all.
const TRIES: u32 = 5;
/// How often a connection is tried in all.
const CONNECTION_TRIES: u32 = 2;
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// The longest wait between two tries.
pub(crate) const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// How a try ended that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There was an answer; `code` is Twilio's own, where its body has one.
    Status { status: u16, code: Option<u32>, retry_after: Option<Duration> },
    /// The request did not leave, for a reason that may be gone in a moment.
    NotSent,
    /// It left, or may have, and no whole answer came.
    Lost,
    /// Trying again now would end the same way.
    Final,
}

impl Outcome {
    /// Whether Twilio may have done what was asked all the same.
    pub(crate) fn may_be_done(self) -> bool {
        match self {
            Self::Status { status: 429, code: Some(20429), .. }
            | Self::Status { status: 503, code: Some(20503), .. } => false,
            Self::Status { status, .. } => matches!(status, 429 | 500 | 502 | 503 | 504),
            Self::Lost => true,
            Self::NotSent | Self::Final => false,
        }
    }
}

/// How long to wait before the next try, or `None` if there is none. `tries` counts those made, the one
/// that ended so included; `jitter` lies between 0 and 1.
pub(crate) fn next_try(tries: u32, repeatable: bool, outcome: Outcome, jitter: f64) -> Option<Duration> {
    let (again, limit, wished) = match outcome {
        Outcome::Status { retry_after, .. } if outcome.may_be_done() => (repeatable, TRIES, retry_after),
        Outcome::Status { status: 429 | 503, retry_after, .. } => (true, TRIES, retry_after),
        Outcome::NotSent => (true, CONNECTION_TRIES, None),
        Outcome::Lost => (repeatable, CONNECTION_TRIES, None),
        Outcome::Status { .. } | Outcome::Final => (false, 0, None),
    };
    let wished = wished.unwrap_or_default();
    if !again || tries >= limit || wished > LONGEST_DELAY {
        return None;
    }
    let doubled = FIRST_DELAY.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_DELAY);
    Some(doubled.mul_f64(0.9 + 0.2 * jitter.clamp(0.0, 1.0)).max(wished).min(LONGEST_DELAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: f64 = 0.5;

    fn status(status: u16) -> Outcome {
        Outcome::Status { status, code: None, retry_after: None }
    }

    /// Twilio's own answer.
    fn twilios(status: u16) -> Outcome {
        Outcome::Status { status, code: Some(20_000 + u32::from(status)), retry_after: None }
    }

    fn ms(delay: Option<Duration>) -> Option<u128> {
        delay.map(|delay| delay.as_millis())
    }

    #[test]
    fn what_was_certainly_not_done_is_sent_again() {
        for refused in [429, 503] {
            for repeatable in [true, false] {
                let delays: Vec<_> =
                    (1..=6).map(|tries| ms(next_try(tries, repeatable, twilios(refused), EVEN))).collect();
                assert_eq!(delays, [Some(100), Some(200), Some(400), Some(800), None, None]);
            }
        }
    }

    #[test]
    fn what_may_have_been_done_is_sent_again_only_if_repeatable() {
        let of_another_code = Outcome::Status { status: 503, code: Some(20_500), retry_after: None };
        for failed in
            [status(429), status(500), status(502), status(503), status(504), twilios(500), of_another_code]
        {
            assert!(failed.may_be_done(), "{failed:?}");
            assert_eq!(ms(next_try(1, true, failed, EVEN)), Some(100), "{failed:?}");
            assert_eq!(next_try(1, false, failed, EVEN), None, "{failed:?}");
        }
        assert_eq!(ms(next_try(1, true, Outcome::Lost, EVEN)), Some(100));
        assert_eq!(next_try(1, false, Outcome::Lost, EVEN), None);
        assert_eq!(next_try(2, true, Outcome::Lost, EVEN), None);
    }

    #[test]
    fn a_connection_is_tried_twice() {
        assert_eq!(ms(next_try(1, false, Outcome::NotSent, EVEN)), Some(100));
        assert_eq!(next_try(2, true, Outcome::NotSent, EVEN), None);
    }

    #[test]
    fn what_was_refused_is_not_asked_again() {
        for refused in [200, 301, 400, 401, 403, 404, 407, 501] {
            assert_eq!(next_try(1, true, status(refused), EVEN), None, "{refused}");
        }
        assert_eq!(next_try(1, true, Outcome::Final, EVEN), None);
    }

    #[test]
    fn the_server_may_ask_for_more_time_but_not_for_any() {
        let wait = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            Outcome::Status { status: 429, code: Some(20_429), retry_after }
        };
        assert_eq!(ms(next_try(1, false, wait(7), EVEN)), Some(7_000));
        assert_eq!(ms(next_try(1, false, wait(0), EVEN)), Some(100));
        assert_eq!(ms(next_try(1, false, wait(30), EVEN)), Some(30_000));
        assert_eq!(next_try(1, false, wait(31), EVEN), None);
    }

    #[test]
    fn jitter_is_a_tenth_either_way() {
        assert_eq!(ms(next_try(1, false, twilios(429), 0.0)), Some(90));
        assert_eq!(ms(next_try(1, false, twilios(429), 1.0)), Some(110));
        assert_eq!(ms(next_try(1, false, twilios(429), f64::INFINITY)), Some(110));
    }
}
