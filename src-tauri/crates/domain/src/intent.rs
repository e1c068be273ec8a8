//! Calls that agents have asked for, each good for one request of Twilio.
//!
//! An access token says who calls, not that the agent wanted this call: whoever gets hold of a token
//! could dial with it. So the program notes every call the moment the agent places it, and a call that
//! was not noted, or was noted for somebody else, is not connected. Neither does an agent's token make use of
//! what another agent asked for.

use std::collections::BTreeMap;

use crate::call::CallId;
use crate::destination::Destination;
use crate::identity::ClientIdentity;
use crate::phone_number::E164;

/// How long after it was noted a call may begin, in milliseconds: the SDK's signalling takes seconds
/// at the worst of times.
pub const GOOD_FOR_MS: i64 = 30_000;
/// How many are kept of each agent; more than one can place in that time.
const MOST_OF_ONE: usize = 16;
/// How many are kept in all, however many agents there are.
const MOST: usize = 16_384;

/// A call that an agent has asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Who asked for it, by the identity that their access token names.
    pub by: ClientIdentity,
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
        let by = intent.by.clone();
        self.noted.insert(call, intent);
        // One agent who asks for many pushes out no other's.
        if self.noted.values().filter(|intent| intent.by == by).count() > MOST_OF_ONE {
            self.forget_oldest(|intent| intent.by == by);
        }
        if self.noted.len() > MOST {
            self.forget_oldest(|_| true);
        }
    }

    /// Takes the intent of the call that `by` asks to `to`, which is thereby used up. One for another
    /// destination or another agent is used up too: whoever guessed its name gets no second guess. Where the
    /// request does not tell who asks (`by` is `None`: the seed's short form), any agent's is good.
    pub fn take(
        &mut self,
        call: Option<CallId>,
        by: Option<&str>,
        to: &Destination,
        now_ms: i64,
    ) -> Option<Intent> {
        self.forget(now_ms);
        let is_theirs = |intent: &Intent| by.is_none_or(|by| intent.by.as_str() == by);
        self.noted.remove(&call?).filter(|intent| intent.to == *to && is_theirs(intent))
    }

    /// The telephone numbers that are asked for.
    pub fn numbers(&self) -> impl Iterator<Item = &E164> {
        self.noted.values().filter_map(|intent| match &intent.to {
            Destination::Number(number) => Some(number),
            Destination::Emergency(_)
            | Destination::Client(_)
            | Destination::Sip(_)
            | Destination::NextInQueue => None,
        })
    }

    fn forget_oldest(&mut self, of: impl Fn(&Intent) -> bool) {
        let those = self.noted.iter().filter(|(_, intent)| of(intent));
        let oldest = those.min_by_key(|(_, intent)| intent.placed_at_ms).map(|(call, _)| *call);
        if let Some(oldest) = oldest {
            self.noted.remove(&oldest);
        }
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
        by("albert", at_ms)
    }

    fn by(agent: &str, at_ms: i64) -> Intent {
        let by = ClientIdentity::parse(agent).unwrap();
        Intent { by, to: to("+12025550123"), caller_id: None, confirmed: false, placed_at_ms: at_ms }
    }

    const ALBERT: Option<&str> = Some("albert");

    #[test]
    fn an_intent_is_good_once_for_its_destination_and_thirty_seconds() {
        let mut intents = Intents::default();
        intents.note(call(1), intent(0));
        assert_eq!(intents.take(Some(call(1)), ALBERT, &to("+12025550123"), 29_999), Some(intent(0)));
        assert_eq!(intents.take(Some(call(1)), ALBERT, &to("+12025550123"), 29_999), None, "used up");
        intents.note(call(2), intent(0));
        assert_eq!(intents.take(Some(call(2)), ALBERT, &to("+12025550123"), 30_000), None, "too late");
        intents.note(call(3), intent(0));
        assert_eq!(intents.take(Some(call(3)), ALBERT, &to("+12025550199"), 1), None, "for somebody else");
        assert_eq!(intents.take(Some(call(3)), ALBERT, &to("+12025550123"), 1), None, "and then gone");
        intents.note(call(4), intent(1_000));
        assert_eq!(
            intents.take(Some(call(4)), ALBERT, &to("+12025550123"), 0),
            None,
            "the clock was set back"
        );
        assert_eq!(intents.take(None, ALBERT, &to("+12025550123"), 0), None);
    }

    #[test]
    fn an_agent_makes_no_use_of_what_another_asked_for() {
        let mut intents = Intents::default();
        intents.note(call(1), intent(0));
        assert_eq!(intents.take(Some(call(1)), Some("berta"), &to("+12025550123"), 1), None);
        assert_eq!(intents.take(Some(call(1)), ALBERT, &to("+12025550123"), 1), None, "and it is gone");
        intents.note(call(2), intent(0));
        assert!(intents.take(Some(call(2)), None, &to("+12025550123"), 1).is_some(), "nobody is named");
    }

    #[test]
    fn one_who_asks_for_many_pushes_out_no_others() {
        let mut intents = Intents::default();
        intents.note(call(0), by("berta", 0));
        for n in 1..=255 {
            intents.note(call(n), intent(i64::from(n)));
        }
        assert_eq!(intents.noted.len(), MOST_OF_ONE + 1);
        assert!(intents.take(Some(call(0)), Some("berta"), &to("+12025550123"), 256).is_some());
        assert!(intents.take(Some(call(255)), ALBERT, &to("+12025550123"), 256).is_some());
    }
}
