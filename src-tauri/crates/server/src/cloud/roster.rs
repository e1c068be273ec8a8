//! Who has signed in, and whose turn it is to be rung.
//!
//! Twilio rings ten at once at most (TwiML `<Dial>`). Of more than ten, those are rung whose telephone has been
//! silent longest: who was rung, or has placed a call or ended one, goes to the end of the line, so that everybody's
//! turn comes. Those who are speaking are rung only if there are not ten others.

use std::collections::BTreeMap;

use dialer_domain::identity::ClientIdentity;
use dialer_storage::sign_ins::GoodUntil;

/// As many as one `<Dial>` rings.
const RUNG_AT_ONCE: usize = 10;
/// Agents remembered; the ones whose token is good for the shortest time go first.
const MOST: usize = 1_000;

/// Those who have signed in.
#[derive(Debug, Default)]
pub(super) struct Roster {
    agents: BTreeMap<ClientIdentity, Agent>,
    /// The line, its head first.
    line: BTreeMap<u64, ClientIdentity>,
    /// The place behind the last.
    end: u64,
}

#[derive(Debug)]
struct Agent {
    /// Unix milliseconds.
    until_ms: i64,
    /// In the line.
    place: u64,
}

impl Roster {
    /// Those who had signed in before the server was restarted and whose token is still good.
    pub(super) fn of(kept: GoodUntil, now_ms: i64) -> Self {
        let mut roster = Self::default();
        for (identity, until_ms) in kept.into_iter().filter(|(_, until_ms)| *until_ms > now_ms) {
            roster.signed_in(identity, until_ms);
        }
        roster
    }

    /// An agent's token is good until `until_ms`. Who had signed in before keeps their place in the line.
    pub(super) fn signed_in(&mut self, identity: ClientIdentity, until_ms: i64) {
        if let Some(agent) = self.agents.get_mut(&identity) {
            agent.until_ms = until_ms;
            return;
        }
        if self.agents.len() >= MOST {
            let first = self.agents.iter().min_by_key(|(_, agent)| agent.until_ms);
            if let Some(first) = first.map(|(identity, _)| identity.clone()) {
                self.forget(&first);
            }
        }
        let place = self.last_place();
        self.line.insert(place, identity.clone());
        self.agents.insert(identity, Agent { until_ms, place });
    }

    /// Whom to ring: at most ten, in the order of the line. `speaks` tells who is in a call.
    pub(super) fn next(
        &mut self,
        now_ms: i64,
        speaks: impl Fn(&ClientIdentity) -> bool,
    ) -> Vec<ClientIdentity> {
        let mut expired = Vec::new();
        let (mut free, mut speaking) = (Vec::new(), Vec::new());
        let few = self.line.len() <= RUNG_AT_ONCE;
        for identity in self.line.values() {
            if self.agents.get(identity).is_none_or(|agent| agent.until_ms <= now_ms) {
                expired.push(identity.clone());
            } else if few || !speaks(identity) {
                free.push(identity.clone());
                if free.len() == RUNG_AT_ONCE {
                    break;
                }
            } else if speaking.len() < RUNG_AT_ONCE {
                speaking.push(identity.clone());
            }
        }
        for identity in &expired {
            self.forget(identity);
        }
        let more = RUNG_AT_ONCE - free.len();
        free.extend(speaking.into_iter().take(more));
        free
    }

    /// An agent's telephone rang, or they placed a call: they go to the end of the line. Where all are rung each
    /// time, the line does not matter.
    pub(super) fn had_their_turn(&mut self, identity: &str) {
        if self.line.len() <= RUNG_AT_ONCE {
            return;
        }
        let Ok(identity) = ClientIdentity::parse(identity) else { return };
        let place = self.last_place();
        if let Some(agent) = self.agents.get_mut(&identity) {
            self.line.remove(&agent.place);
            agent.place = place;
            self.line.insert(place, identity);
        }
    }

    /// How many are rung.
    pub(super) fn count(&self, now_ms: i64) -> usize {
        self.agents.values().filter(|agent| agent.until_ms > now_ms).count()
    }

    /// Everybody, to be kept.
    pub(super) fn good_until(&self) -> GoodUntil {
        self.agents.iter().map(|(identity, agent)| (identity.clone(), agent.until_ms)).collect()
    }

    fn forget(&mut self, identity: &ClientIdentity) {
        if let Some(agent) = self.agents.remove(identity) {
            self.line.remove(&agent.place);
        }
    }

    fn last_place(&mut self) -> u64 {
        self.end += 1;
        self.end
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use std::collections::BTreeSet;

    use super::*;

    fn agent(n: usize) -> ClientIdentity {
        ClientIdentity::parse(&format!("agent_{n:02}")).unwrap()
    }

    fn roster(agents: usize) -> Roster {
        let mut roster = Roster::default();
        for n in 0..agents {
            roster.signed_in(agent(n), 1_000);
        }
        roster
    }

    /// A call comes in and nobody answers.
    fn ring(roster: &mut Roster) -> Vec<ClientIdentity> {
        let rung = roster.next(0, |_| false);
        for identity in &rung {
            roster.had_their_turn(identity.as_str());
        }
        rung
    }

    #[test]
    fn everybodys_turn_comes() {
        let mut roster = roster(25);
        let mut rung = BTreeSet::new();
        for _ in 0..3 {
            let ten = ring(&mut roster);
            assert_eq!(ten.len(), RUNG_AT_ONCE);
            rung.extend(ten);
        }
        assert_eq!(rung.len(), 25, "three calls, and everybody was rung");
        assert_eq!(ring(&mut roster).first(), Some(&agent(5)), "who was rung longest ago");
        // To sign in again is no way to the head of the line, nor to its end.
        roster.signed_in(agent(15), 2_000);
        assert_eq!(roster.next(0, |_| false).first(), Some(&agent(15)));
    }

    #[test]
    fn who_places_calls_is_rung_later() {
        let mut roster = roster(12);
        roster.had_their_turn("agent_00");
        roster.had_their_turn("nobody");
        let rung = roster.next(0, |_| false);
        assert!(!rung.contains(&agent(0)) && rung.contains(&agent(10)), "{rung:?}");
    }

    #[test]
    fn who_speaks_is_rung_only_where_there_are_not_ten_others() {
        let mut many = roster(15);
        let speak = |n: usize| move |identity: &ClientIdentity| *identity < agent(n);
        let first = |roster: &mut Roster, n| roster.next(0, speak(n)).first().cloned();
        assert_eq!(first(&mut many, 5), Some(agent(5)));
        let rung = many.next(0, speak(10));
        assert_eq!((rung.len(), rung.first(), rung.last()), (10, Some(&agent(10)), Some(&agent(4))));
        assert_eq!(first(&mut roster(10), 5), Some(agent(0)), "all of ten are rung");
    }

    #[test]
    fn who_let_their_token_expire_is_forgotten() {
        let mut roster = roster(3);
        roster.signed_in(agent(1), 5_000);
        assert_eq!((roster.count(999), roster.count(1_000)), (3, 1));
        assert_eq!(roster.next(1_000, |_| false), [agent(1)]);
        assert_eq!(roster.good_until(), GoodUntil::from([(agent(1), 5_000)]));
        let kept = GoodUntil::from([(agent(1), 5_000), (agent(2), 900)]);
        assert_eq!(Roster::of(kept, 1_000).next(1_000, |_| false), [agent(1)]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut roster = Roster::default();
        for n in 0..3_000 {
            roster.signed_in(agent(n), i64::try_from(n).unwrap());
        }
        assert_eq!((roster.agents.len(), roster.line.len()), (MOST, MOST));
        assert!(roster.agents.contains_key(&agent(2_999)), "the first to expire go first");
    }
}
