//! How a call ended, and why. Only an ended call shows its verdict.

use super::evidence::Evidence;
use super::reason::{self, BUSY, CANCELLED, DECLINED, UNAVAILABLE};
use crate::call::{CallDirection, CallOutcome, CallStatus, SdkCallEvent};
use crate::call_flow::Purpose;

/// The end of a call.
pub(super) struct Verdict {
    pub(super) outcome: CallOutcome,
    pub(super) reason: Option<String>,
    pub(super) error_code: Option<u32>,
}

/// Whether the two parties spoke.
///
/// A dialled leg that was up proves it, as does what Twilio says when a connection is over or a caller has
/// left the queue. The SDK's word proves it for an incoming call, where the
/// agent's answer is the answer. An outgoing call is also "accepted" by the SDK when an
/// announcement answers it, such as a refusal or what follows a failed `<Dial>`; there Twilio's
/// word, where it has come, outweighs the SDK's.
pub(super) fn is_answered(evidence: &Evidence<'_>) -> bool {
    if evidence.dialled_legs().any(|leg| leg.was_up)
        || evidence.dials().any(|dial| dial.was_up)
        || evidence.queue.was_taken
    {
        return true;
    }
    if !evidence.sdk_said(&SdkCallEvent::Accepted) {
        return false;
    }
    match evidence.direction {
        CallDirection::Incoming => true,
        CallDirection::Outgoing => !was_refused(evidence) && evidence.dialled_end().is_none(),
    }
}

/// Whether Twilio was told to refuse, and nobody was dialled all the same by a repeated request.
fn was_refused(evidence: &Evidence<'_>) -> bool {
    evidence.refusal.is_some() && evidence.dialled_legs().next().is_none() && evidence.dials.is_empty()
}

/// Judges a call as if it had ended.
pub(super) fn judge(evidence: &Evidence<'_>, answered: bool) -> Verdict {
    let outcome = if answered {
        CallOutcome::Answered
    } else {
        match evidence.direction {
            CallDirection::Outgoing => outgoing(evidence),
            CallDirection::Incoming => incoming(evidence),
        }
    };
    explain(evidence, outcome)
}

/// The SDK calls busy, declined and no answer alike an error 31005, so Twilio's status of the far
/// leg is asked first.
fn outgoing(evidence: &Evidence<'_>) -> CallOutcome {
    let hung_up = evidence.sdk_said(&SdkCallEvent::HungUp);
    if was_refused(evidence) {
        return CallOutcome::Failed;
    }
    match evidence.dialled_end() {
        Some(CallStatus::Busy) => return CallOutcome::Busy,
        // Twilio ends a far leg that still rings as `no-answer` or `canceled` when the agent hangs up.
        Some(CallStatus::NoAnswer) if !hung_up => return CallOutcome::NoAnswer,
        Some(CallStatus::NoAnswer | CallStatus::Canceled) => return CallOutcome::Canceled,
        Some(CallStatus::Failed) => return CallOutcome::Failed,
        Some(
            CallStatus::Queued
            | CallStatus::Initiated
            | CallStatus::Ringing
            | CallStatus::InProgress
            | CallStatus::Completed,
        )
        | None => {}
    }
    if hung_up {
        return CallOutcome::Canceled;
    }
    if let Some((code, _)) = evidence.sdk_failure() {
        match code {
            BUSY | DECLINED => return CallOutcome::Busy,
            UNAVAILABLE => return CallOutcome::NoAnswer,
            CANCELLED => return CallOutcome::Canceled,
            _ if reason::is_precise(code) || !far_end_rang(evidence) => return CallOutcome::Failed,
            _ => {}
        }
    }
    match evidence.parent_end() {
        Some(CallStatus::Busy) => CallOutcome::Busy,
        Some(CallStatus::NoAnswer) => CallOutcome::NoAnswer,
        Some(CallStatus::Canceled) => CallOutcome::Canceled,
        Some(CallStatus::Failed) => CallOutcome::Failed,
        Some(
            CallStatus::Queued
            | CallStatus::Initiated
            | CallStatus::Ringing
            | CallStatus::InProgress
            | CallStatus::Completed,
        )
        | None => {
            if far_end_rang(evidence) {
                CallOutcome::NoAnswer
            } else {
                CallOutcome::Failed
            }
        }
    }
}

fn far_end_rang(evidence: &Evidence<'_>) -> bool {
    evidence.sdk_said(&SdkCallEvent::Ringing)
        || evidence.dialled_legs().any(|leg| leg.status() == Some(CallStatus::Ringing))
}

fn incoming(evidence: &Evidence<'_>) -> CallOutcome {
    // Wherever the caller got in the end outweighs how they missed the agent.
    if evidence.was_passed_on() {
        return CallOutcome::Forwarded;
    }
    if evidence.has_message() {
        return CallOutcome::Voicemail;
    }
    let declined_here = evidence.sdk_said(&SdkCallEvent::Declined)
        || (evidence.sdk_said(&SdkCallEvent::HungUp) && !evidence.sdk_said(&SdkCallEvent::CanceledByCaller));
    if declined_here {
        return CallOutcome::Declined;
    }
    // What the page says comes before the leg's `busy`, which Twilio reports for every `reject()`: also
    // for one that the page sent because the line was taken or the sound failed.
    match evidence.sdk_failure() {
        // Turned away while the agent was on another call.
        Some((BUSY, _)) => return CallOutcome::Missed,
        // The agent's side failed, such as a microphone that could not be opened for the answer.
        Some((code, _)) if code != CANCELLED && (reason::is_precise(code) || !evidence.known_to_twilio) => {
            return CallOutcome::Failed;
        }
        _ => {}
    }
    if evidence.dialled_end() == Some(CallStatus::Busy) { CallOutcome::Declined } else { CallOutcome::Missed }
}

/// Finds the sentence and the code behind an outcome.
fn explain(evidence: &Evidence<'_>, outcome: CallOutcome) -> Verdict {
    let leg_code = evidence
        .dialled_legs()
        .chain(evidence.passed_on_legs())
        .filter_map(|leg| leg.error_code)
        .min()
        .or_else(|| evidence.parent_legs().filter_map(|leg| leg.error_code).min());
    // A generic SDK error beside Twilio's own word says only that the call is over.
    let sdk_failure = evidence
        .sdk_failure()
        .filter(|(code, _)| *code != CANCELLED && (reason::is_precise(*code) || !evidence.known_to_twilio));
    let by_code = |code: u32| (reason::for_code(code).map(str::to_owned), Some(code));
    let by_sdk = |(code, message): (u32, &str)| {
        let sentence = reason::for_code(code).or(Some(message).filter(|message| !message.is_empty()));
        (sentence.map(str::to_owned), Some(code).filter(|code| *code != 0))
    };

    let (reason, error_code) = match outcome {
        CallOutcome::Answered => sdk_failure.map(by_sdk).unwrap_or_default(),
        CallOutcome::Busy | CallOutcome::NoAnswer => sdk_failure
            .filter(|(code, _)| matches!(*code, BUSY | DECLINED | UNAVAILABLE))
            .map(by_sdk)
            .or(leg_code.map(by_code))
            .or_else(|| {
                evidence.dials.get(&Purpose::TakeNext).map(|_| (Some("Nobody was waiting.".to_owned()), None))
            })
            .unwrap_or_default(),
        CallOutcome::Canceled | CallOutcome::Declined | CallOutcome::Voicemail | CallOutcome::Forwarded => {
            (None, None)
        }
        CallOutcome::Missed => {
            let refusal =
                evidence.refusal.filter(|_| was_refused(evidence)).map(|why| (Some(why.to_owned()), None));
            refusal.or(leg_code.map(by_code)).unwrap_or_default()
        }
        CallOutcome::Failed => {
            let refusal =
                evidence.refusal.filter(|_| was_refused(evidence)).map(|why| (Some(why.to_owned()), None));
            let (sentence, code) =
                refusal.or(leg_code.map(by_code)).or(sdk_failure.map(by_sdk)).unwrap_or_default();
            let unexplained = || match evidence.dialled_end() {
                Some(_) => "The number could not be reached. Check it and try again.",
                None => {
                    "The call ended before it was connected. Try again; if it keeps happening, open Diagnostics."
                }
            };
            (sentence.or_else(|| Some(unexplained().to_owned())), code)
        }
    };
    Verdict { outcome, reason, error_code }
}
