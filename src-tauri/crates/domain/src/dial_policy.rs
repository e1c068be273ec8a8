//! What to answer when Twilio asks what a call should do.

use crate::call::CallId;
use crate::identity::ClientIdentity;
use crate::phone_number::E164;

/// What the decision depends on, as it stands at the moment of the request.
#[derive(Debug, Clone)]
pub struct Situation {
    /// The identity this phone's tokens name.
    pub identity: ClientIdentity,
    /// The caller id shown to called parties; `None` if no number has been chosen.
    pub caller_id: Option<E164>,
    /// Whether the phone is registered and may be rung.
    pub reachable: bool,
    /// Whether the agent is in a call.
    pub busy: bool,
}

/// The part of a voice webhook the decision reads. `to` and `call_id` come from the webview or from
/// a stranger and are not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceQuery {
    /// `From`: `client:…` from the SDK, otherwise the caller's number.
    pub from: String,
    /// `To`: what the agent dialled, or which of our numbers was called.
    pub to: String,
    /// The connect parameter `CallId`.
    pub call_id: Option<CallId>,
    /// Whether the request carried no `Direction`. Twilio sends one with every call; a request
    /// without it was composed by the account's own programs, in the short form
    /// `To=<customer>&From=<our number>`.
    pub short_form: bool,
}

/// What a call should do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteDecision {
    /// Dial a telephone number for the agent.
    DialNumber {
        /// Whom.
        to: E164,
        /// Shown as the caller.
        caller_id: E164,
    },
    /// Ring this phone.
    RingAgent {
        /// Its identity.
        identity: ClientIdentity,
    },
    /// Tell the caller a sentence and hang up.
    Refuse {
        /// Spoken to the caller.
        spoken: String,
        /// For the agent's log.
        reason: String,
    },
    /// Tell a caller who has no business with this phone a sentence and hang up. Unlike a refusal
    /// it is no call of the agent's, neither way, and has no place in the agent's log.
    TurnAway {
        /// Spoken to the caller.
        spoken: String,
    },
}

/// Longest conversation Twilio is told to allow, in seconds: its own default of four hours.
pub const TIME_LIMIT_S: u32 = 14_400;
/// How long the far end rings, in seconds; Twilio adds five.
pub const RING_TIMEOUT_S: u32 = 25;

/// Decides. A call whose `From` is a client is the agent's own; Twilio's `Direction` says `inbound`
/// for those too, so its value is not asked.
///
/// `From` equal to our caller id alone does not make a call the agent's: a stranger may show our
/// number as theirs, and dialling out for them would ring in circles at our cost. Only the short
/// form, which cannot come from the telephone network, is read that way.
pub fn decide(query: &VoiceQuery, now: &Situation) -> RouteDecision {
    match query.from.strip_prefix("client:") {
        Some(identity) if identity == now.identity.as_str() => decide_outgoing(query, now),
        Some(_) => RouteDecision::TurnAway { spoken: "This phone does not accept that call.".into() },
        None if query.short_form
            && now.caller_id.as_ref().is_some_and(|ours| ours.as_str() == query.from) =>
        {
            decide_outgoing(query, now)
        }
        None => decide_incoming(now),
    }
}

fn decide_outgoing(query: &VoiceQuery, now: &Situation) -> RouteDecision {
    let Some(caller_id) = now.caller_id.clone() else {
        return RouteDecision::Refuse {
            spoken: "No outgoing number has been chosen.".into(),
            reason: "No caller id has been chosen; choose one on the Account page.".into(),
        };
    };
    match E164::parse_strict(&query.to) {
        Ok(to) if to == caller_id => RouteDecision::Refuse {
            spoken: "You have dialled your own number.".into(),
            reason: "The number dialled is this phone's own caller id.".into(),
        },
        Ok(to) => RouteDecision::DialNumber { to, caller_id },
        Err(problem) => RouteDecision::Refuse {
            spoken: "The number you have dialled is not valid.".into(),
            reason: problem.to_string(),
        },
    }
}

fn decide_incoming(now: &Situation) -> RouteDecision {
    if !now.reachable {
        return RouteDecision::Refuse {
            spoken: "Nobody is available to take your call. Please try again later.".into(),
            reason: "This phone was not connected.".into(),
        };
    }
    if now.busy {
        return RouteDecision::Refuse {
            spoken: "The person you are calling is on another call. Please try again later.".into(),
            reason: "You were in another call.".into(),
        };
    }
    RouteDecision::RingAgent { identity: now.identity.clone() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const OURS: &str = "+12025550100";

    fn situation() -> Situation {
        Situation {
            identity: ClientIdentity::parse("agent_1").unwrap(),
            caller_id: Some(E164::parse_strict(OURS).unwrap()),
            reachable: true,
            busy: false,
        }
    }

    fn query(from: &str, to: &str) -> VoiceQuery {
        VoiceQuery { from: from.into(), to: to.into(), call_id: None, short_form: false }
    }

    fn refusal(decision: RouteDecision) -> String {
        match decision {
            RouteDecision::Refuse { reason, .. } => reason,
            other @ (RouteDecision::DialNumber { .. }
            | RouteDecision::RingAgent { .. }
            | RouteDecision::TurnAway { .. }) => {
                panic!("{other:?}")
            }
        }
    }

    #[test]
    fn the_agent_dials_a_number_under_the_stored_caller_id() {
        assert_eq!(
            decide(&query("client:agent_1", "+12025550123"), &situation()),
            RouteDecision::DialNumber {
                to: E164::parse_strict("+12025550123").unwrap(),
                caller_id: E164::parse_strict(OURS).unwrap(),
            }
        );
    }

    #[test]
    fn the_agent_cannot_dial_what_is_no_number() {
        for to in
            ["", "911", "client:agent_2", "sip:a@b.example", "+0123456789", "2025550123", "+1 202 555 0123"]
        {
            assert!(
                refusal(decide(&query("client:agent_1", to), &situation())).contains("+ and 7 to 15 digits"),
                "{to}"
            );
        }
        assert!(refusal(decide(&query("client:agent_1", OURS), &situation())).contains("own caller id"));
    }

    #[test]
    fn without_a_caller_id_nothing_is_dialled() {
        let now = Situation { caller_id: None, ..situation() };
        assert!(refusal(decide(&query("client:agent_1", "+12025550123"), &now)).contains("caller id"));
    }

    #[test]
    fn another_identity_is_turned_away() {
        for from in ["client:agent_2", "client:", "client:AGENT_1"] {
            assert!(
                matches!(
                    decide(&query(from, "+12025550123"), &situation()),
                    RouteDecision::TurnAway { spoken } if spoken.contains("does not accept")
                ),
                "{from}"
            );
        }
    }

    #[test]
    fn a_stranger_rings_the_agent_when_there_is_one_to_ring() {
        let ring = decide(&query("+12025550123", OURS), &situation());
        assert_eq!(ring, RouteDecision::RingAgent { identity: ClientIdentity::parse("agent_1").unwrap() });
        let away = Situation { reachable: false, ..situation() };
        assert!(refusal(decide(&query("+12025550123", OURS), &away)).contains("not connected"));
        let busy = Situation { busy: true, ..situation() };
        assert!(refusal(decide(&query("+12025550123", OURS), &busy)).contains("another call"));
    }

    #[test]
    fn a_stranger_showing_our_number_cannot_make_us_dial() {
        let forged = query(OURS, "+12025550177");
        assert!(matches!(decide(&forged, &situation()), RouteDecision::RingAgent { .. }));
    }

    #[test]
    fn the_short_form_dials_only_from_our_number() {
        let ours = VoiceQuery { short_form: true, ..query(OURS, "+12025550123") };
        assert!(matches!(decide(&ours, &situation()), RouteDecision::DialNumber { .. }));
        let stranger = VoiceQuery { short_form: true, ..query("+12025550177", OURS) };
        assert!(matches!(decide(&stranger, &situation()), RouteDecision::RingAgent { .. }));
    }
}
