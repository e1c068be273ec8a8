//! From a decision to the TwiML that carries it out.

use dialer_domain::call_flow::Instruction;
use dialer_domain::destination::Destination;
use dialer_twilio::twiml::{Dial, DialNoun, Response, Verb};
use dialer_twilio::webhook::VoiceRequest;
use url::Url;

/// Spoken when no decision could be had in time.
const NO_DECISION: &str = "Your call cannot be connected right now. Please try again later.";
/// Spoken when the request about a call was not understood.
const NOT_UNDERSTOOD: &str = "Your call cannot be connected, because something about it was not understood.";

/// Name of the custom parameter that tells the SDK the caller's leg, to join what both know.
const PARENT_PARAM: &str = "parent";
/// Name of the custom parameter that tells the SDK which of our numbers was called.
const CALLED_PARAM: &str = "called";

/// The document for `instruction`. Every leg reports to `status_callback`.
///
/// A refusal is spoken, never a `<Reject>`: the SDK cannot tell that from a hang-up.
pub(crate) fn document(
    instruction: &Instruction,
    request: &VoiceRequest,
    status_callback: Option<Url>,
) -> Response {
    match instruction {
        Instruction::Connect(connect) => Response::new().with(Verb::Dial(Dial {
            caller_id: connect.caller_id.clone(),
            answer_on_bridge: true,
            timeout_s: Some(connect.ring_s),
            time_limit_s: Some(connect.time_limit_s),
            recording: None,
            action: None,
            nouns: connect.to.iter().filter_map(|to| noun(to, request, status_callback.clone())).collect(),
        })),
        Instruction::Refuse { spoken, .. } | Instruction::TurnAway { spoken } => {
            Response::say_and_hang_up(spoken.as_str())
        }
        Instruction::Menu { .. }
        | Instruction::Voicemail { .. }
        | Instruction::Enqueue { .. }
        | Instruction::Wait { .. }
        | Instruction::LeaveQueue
        | Instruction::Tell { .. }
        | Instruction::Decline
        | Instruction::HangUp => no_decision(),
    }
}

fn noun(to: &Destination, request: &VoiceRequest, status_callback: Option<Url>) -> Option<DialNoun> {
    match to {
        Destination::Number(number) => Some(DialNoun::Number { number: number.clone(), status_callback }),
        Destination::Client(identity) => {
            let parent =
                request.call_sid.as_ref().map(|sid| (PARENT_PARAM.to_owned(), sid.as_str().to_owned()));
            let called = (!request.to.is_empty()).then(|| (CALLED_PARAM.to_owned(), request.to.clone()));
            Some(DialNoun::Client {
                identity: identity.clone(),
                parameters: parent.into_iter().chain(called).collect(),
                status_callback,
            })
        }
        Destination::Emergency(_) | Destination::Sip(_) | Destination::NextInQueue => None,
    }
}

/// The document when no decision could be had in time.
pub(crate) fn no_decision() -> Response {
    Response::say_and_hang_up(NO_DECISION)
}

/// The document when the request was not understood.
pub(crate) fn not_understood() -> Response {
    Response::say_and_hang_up(NOT_UNDERSTOOD)
}
