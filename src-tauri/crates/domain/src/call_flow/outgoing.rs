//! What the agent gets who calls somebody.

use super::{
    Connect, Instruction, Permission, Purpose, Rules, Situation, VoiceQuery, was_answered, with_plus,
};
use crate::call::CallStatus;
use crate::destination::Destination;
use crate::dial_policy::{self, RING_TIMEOUT_S, Refusal, Verdict};
use crate::incoming::Prompt;
use crate::phone_number::E164;

/// How long an agent waits for somebody to take out of an empty queue, in seconds: Twilio's least, which
/// it adds five to.
const TAKE_NEXT_S: u32 = 5;

/// Connects the agent with the one they called, if the rules allow it.
pub(super) fn place(query: &VoiceQuery, rules: &Rules, now: &Situation) -> Instruction {
    let to = match Destination::parse(&query.to, &now.outlook.home_region) {
        Ok(to) => to,
        Err(reason) => {
            return Instruction::Refuse {
                spoken: "The number you have dialled is not valid.".into(),
                reason,
            };
        }
    };
    if now.permission == Permission::Missing {
        return Instruction::Refuse {
            spoken: "This call was not placed with this phone.".into(),
            reason:
                "Somebody tried to place a call with this phone's sign-in that you did not ask for. If this \
                     happens again, disconnect the account and connect it anew: that makes a new key."
                    .into(),
        };
    }
    match dial_policy::judge(&to, &rules.outgoing, &now.outlook) {
        Verdict::Allowed { caller_id, time_limit_s } => {
            let (purpose, ring_s) = match to {
                Destination::NextInQueue => (Purpose::TakeNext, TAKE_NEXT_S),
                Destination::Number(_)
                | Destination::Emergency(_)
                | Destination::Client(_)
                | Destination::Sip(_) => (Purpose::Outgoing, RING_TIMEOUT_S),
            };
            Instruction::Connect(Connect { to: vec![to], caller_id, ring_s, time_limit_s, purpose })
        }
        // There is nobody to ask here: the agent was asked when they placed the call.
        Verdict::Ask(question) => refused(question.refusal()),
        Verdict::Refused(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Instruction {
    Instruction::Refuse { spoken: refusal.spoken, reason: refusal.reason }
}

/// As [`place`], for the short form: it names the caller id itself.
pub(super) fn place_short_form(query: &VoiceQuery, rules: &Rules, now: &Situation) -> Instruction {
    let query = VoiceQuery { from: with_plus(&query.from), to: with_plus(&query.to), ..query.clone() };
    let mut now = now.clone();
    now.outlook.caller_id = E164::parse_strict(&query.from).ok();
    place(&query, rules, &now)
}

/// What follows when the conversation is over or did not come about. The SDK tells the agent in words, and
/// a sentence to it would count as an answer; a telephone that was connected by the short form is told.
pub(super) fn after(query: &VoiceQuery, status: CallStatus) -> Instruction {
    let sentence = match status {
        CallStatus::Busy => "The line is busy.",
        CallStatus::NoAnswer => "Nobody answered.",
        CallStatus::Failed => "The call could not be connected.",
        CallStatus::Queued
        | CallStatus::Initiated
        | CallStatus::Ringing
        | CallStatus::InProgress
        | CallStatus::Completed
        | CallStatus::Canceled => return Instruction::HangUp,
    };
    if query.from.starts_with("client:") {
        return Instruction::HangUp;
    }
    Instruction::Tell { prompt: Prompt::say(sentence) }
}

/// What follows when the agent has spoken to somebody out of the queue, or nobody was in it.
pub(super) fn after_queue(status: CallStatus) -> Instruction {
    if was_answered(status) {
        Instruction::HangUp
    } else {
        Instruction::Tell { prompt: Prompt::say("Nobody is waiting.") }
    }
}
