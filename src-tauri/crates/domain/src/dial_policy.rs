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
}

/// Longest conversation Twilio is told to allow, in seconds: its own default of four hours.
pub const TIME_LIMIT_S: u32 = 14_400;
/// How long the far end rings, in seconds; Twilio adds five.
pub const RING_TIMEOUT_S: u32 = 25;

/// Decides. A call whose `From` is a client is the agent's own; Twilio's `Direction` says `inbound`
/// for those too, so it is not asked.
pub fn decide(query: &VoiceQuery, now: &Situation) -> RouteDecision {
    match query.from.strip_prefix("client:") {
        Some(identity) if identity == now.identity.as_str() => decide_outgoing(query, now),
        Some(_) => RouteDecision::Refuse {
            spoken: "This phone does not accept that call.".into(),
            reason: "A call came from a client identity that is not this phone's.".into(),
        },
        None => decide_incoming(now),
    }
}

fn decide_outgoing(query: &VoiceQuery, now: &Situation) -> RouteDecision {
    let Some(caller_id) = now.caller_id.clone() else {
        return RouteDecision::Refuse {
            spoken: "No outgoing number has been chosen.".into(),
            reason: "No caller id has been chosen; pick one in the settings.".into(),
        };
    };
    match E164::parse_strict(&query.to) {
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
            reason: "The phone was not registered.".into(),
        };
    }
    if now.busy {
        return RouteDecision::Refuse {
            spoken: "The person you are calling is on another call. Please try again later.".into(),
            reason: "The agent was in another call.".into(),
        };
    }
    RouteDecision::RingAgent { identity: now.identity.clone() }
}
