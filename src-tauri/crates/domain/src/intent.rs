//! Calls the agent has asked for, each good for one request of Twilio.
//!
//! An access token says who calls, not that the agent wanted this call: whoever gets hold of a token
//! could dial with it. So the program notes every call the moment the agent places it, and a call that
//! was not noted, or was noted for somebody else, is not connected.

use std::collections::BTreeMap;

use crate::call::CallId;
use crate::destination::Destination;
use crate::phone_number::E164;

/// How long after it was noted a call may begin, in milliseconds: the SDK's signalling takes seconds
/// at the worst of times.
pub const GOOD_FOR_MS: i64 = 30_000;
/// How many are kept; more than an agent can place in that time.
const MOST: usize = 64;

/// A call the agent has asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Whom.
    pub to: Destination,
    /// The number shown to them; the account's own choice when absent.
    pub caller_id: Option<E164>,
    /// Whether the agent has agreed to a call that the rules leave to them to decide.
    pub confirmed: bool,
    /// When it was noted, in Unix milliseconds.
    pub placed_at_ms: i64,
}

/// The calls asked for.
#[derive(Debug, Default)]
pub struct Intents {
    noted: BTreeMap<CallId, Intent>,
}

impl Intents {
    /// Notes a call.
    pub fn note(&mut self, call: CallId, intent: Intent) {
        self.forget(intent.placed_at_ms);
        self.noted.insert(call, intent);
        while self.noted.len() > MOST {
            let oldest = self.noted.iter().min_by_key(|(_, intent)| intent.placed_at_ms).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.noted.remove(&oldest);
            }
        }
    }

    /// Takes the intent of the call that asks for `to`, which is thereby used up. One for another
    /// destination is used up too: whoever guessed its name gets no second guess.
    pub fn take(&mut self, call: Option<CallId>, to: &Destination, now_ms: i64) -> Option<Intent> {
        self.forget(now_ms);
        self.noted.remove(&call?).filter(|intent| intent.to == *to)
    }

    /// A clock set back must not keep them for ever.
    fn forget(&mut self, now_ms: i64) {
        self.noted.retain(|_, intent| (0..GOOD_FOR_MS).contains(&now_ms.saturating_sub(intent.placed_at_ms)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn call(n: u8) -> CallId {
        CallId(uuid::Uuid::from_bytes([n; 16]))
    }

    fn to(number: &str) -> Destination {
        Destination::Number(E164::parse_strict(number).unwrap())
    }

    fn intent(at_ms: i64) -> Intent {
        Intent { to: to("+12025550123"), caller_id: None, confirmed: false, placed_at_ms: at_ms }
    }

    #[test]
    fn an_intent_is_good_once_for_its_destination_and_thirty_seconds() {
        let mut intents = Intents::default();
        intents.note(call(1), intent(0));
        assert_eq!(intents.take(Some(call(1)), &to("+12025550123"), 29_999), Some(intent(0)));
        assert_eq!(intents.take(Some(call(1)), &to("+12025550123"), 29_999), None, "used up");
        intents.note(call(2), intent(0));
        assert_eq!(intents.take(Some(call(2)), &to("+12025550123"), 30_000), None, "too late");
        intents.note(call(3), intent(0));
        assert_eq!(intents.take(Some(call(3)), &to("+12025550199"), 1), None, "for somebody else");
        assert_eq!(intents.take(Some(call(3)), &to("+12025550123"), 1), None, "and then gone");
        intents.note(call(4), intent(1_000));
        assert_eq!(intents.take(Some(call(4)), &to("+12025550123"), 0), None, "the clock was set back");
        assert_eq!(intents.take(None, &to("+12025550123"), 0), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut intents = Intents::default();
        for n in 0..=255 {
            intents.note(call(n), intent(i64::from(n)));
        }
        assert_eq!(intents.noted.len(), MOST);
        assert!(intents.take(Some(call(255)), &to("+12025550123"), 256).is_some());
    }
}
