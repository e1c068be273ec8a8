//! From events to the row the agent reads.
//!
//! Two witnesses report a call, in any order and more than once: Twilio by webhooks and status
//! callbacks ("order of arrival is not guaranteed", Twilio, "Call status callbacks"), the Voice SDK
//! by its own events. [`fold`] reads the *set* of their events, so that the row is the same
//! whatever arrived first. More events only ever add to what is known: a leg does not leave a
//! final status, an ended call does not come back, and a conversation that Twilio or an answered
//! incoming call proved stays a conversation.
//!
//! | module | holds |
//! | --- | --- |
//! | `evidence` | what the events say about each leg and each moment |
//! | `leg` | what they say about one leg |
//! | `timeline` | when the call was answered and ended, and how long it was |
//! | `verdict` | how the call ended, and why |
//! | `unfinished`, `left_open` | which rows Twilio should be asked about again |
//! | [`reason`] | Twilio's error codes as sentences for the agent |

mod evidence;
mod leg;
pub mod reason;
#[cfg(test)]
mod tests;
mod timeline;
mod unfinished;
mod verdict;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::{CallDirection, CallEvent, CallId, CallOutcome, CallStatus, LegRole, RecordingStatus};
use crate::sid::{CallSid, RecordingSid};

pub use unfinished::{Unfinished, left_open, unfinished};

/// One leg of a logged call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Leg {
    /// Twilio's name of the leg.
    pub call_sid: CallSid,
    /// Its parent leg, absent for the parent itself.
    pub parent_call_sid: Option<CallSid>,
    /// Whose leg it is, where known.
    pub role: Option<LegRole>,
    /// The furthest status reported.
    pub status: CallStatus,
    /// Whole seconds after the answer, once completed.
    pub duration_s: Option<u32>,
}

/// One call as the log shows it. All times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct CallLogEntry {
    /// Our name of the call.
    pub id: CallId,
    /// Who started it.
    pub direction: CallDirection,
    /// The other party: E.164, `client:…`, or empty when unknown.
    pub peer: String,
    /// Which of our numbers was used.
    pub our_number: Option<String>,
    /// The first event.
    #[ts(type = "number")]
    pub started_at_ms: i64,
    /// When the two parties were connected.
    #[ts(type = "number | null")]
    pub answered_at_ms: Option<i64>,
    /// When the call ended; absent while it lasts.
    #[ts(type = "number | null")]
    pub ended_at_ms: Option<i64>,
    /// Seconds of conversation, once ended: Twilio's `CallDuration` where known, else by our clock. For a
    /// caller who was forwarded, the conversation there.
    pub duration_s: Option<u32>,
    /// How it ended; absent while it lasts.
    pub outcome: Option<CallOutcome>,
    /// Why, in words, for outcomes that need one.
    pub reason: Option<String>,
    /// Twilio's error code behind the reason.
    pub error_code: Option<u32>,
    /// The legs Twilio reported, parent first, then by SID.
    pub legs: Vec<Leg>,
    /// What was recorded, messages first, then by SID.
    #[serde(default)]
    pub recordings: Vec<Recording>,
    /// Seconds the caller waited in the queue, if they were put there.
    #[serde(default)]
    pub waited_s: Option<u32>,
}

/// One recording of a logged call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Recording {
    /// Twilio's name of it.
    pub recording_sid: RecordingSid,
    /// Whether it is a message that the caller left.
    pub message: bool,
    /// What there is of it.
    pub status: RecordingStatus,
    /// Whole seconds, once ready.
    pub duration_s: Option<u32>,
    /// What was said, where it was written down.
    pub text: Option<String>,
}

/// Where the next page of the log begins: calls older than this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Cursor {
    /// `started_at_ms` of the last row of the previous page.
    #[ts(type = "number")]
    pub started_at_ms: i64,
    /// Its id, which breaks ties.
    pub id: CallId,
}

/// A page of the log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct CallLogPage {
    /// The rows.
    pub entries: Vec<CallLogEntry>,
    /// Where the next page begins; absent on the last page.
    pub next: Option<Cursor>,
}

/// The set that `events` stand for, in one fixed order: repeats are gone.
///
/// Two events are one when they differ in nothing but their time: the earliest time stays, because
/// a repeat can only come later. Two reports of one leg with the same status and `SequenceNumber`
/// are one event even if one of them knew more (a parent, a duration); together they know all.
///
/// `distinct(known + new) == distinct(known)` says that `new` adds nothing, now or later.
pub fn distinct(events: &[CallEvent]) -> Vec<CallEvent> {
    let mut set = BTreeMap::new();
    for event in events {
        set.entry(identity(event)).and_modify(|known| absorb(known, event)).or_insert_with(|| event.clone());
    }
    set.into_values().collect()
}

/// The event without what a repeat may change.
fn identity(event: &CallEvent) -> CallEvent {
    let mut identity = event.clone();
    *identity.at_ms_mut() = 0;
    if let CallEvent::LegStatus {
        parent_call_sid,
        role,
        duration_s,
        error_code,
        call_sid: _,
        status: _,
        sequence: _,
        at_ms: _,
    } = &mut identity
    {
        *parent_call_sid = None;
        *role = None;
        *duration_s = None;
        *error_code = None;
    }
    identity
}

/// Joins a repeat into the event it repeats. Each field takes a minimum or maximum, so the result
/// does not depend on which of the two came first.
fn absorb(known: &mut CallEvent, repeat: &CallEvent) {
    match (known, repeat) {
        (
            CallEvent::LegStatus { parent_call_sid, role, at_ms, duration_s, error_code, .. },
            CallEvent::LegStatus {
                parent_call_sid: parent_too,
                role: role_too,
                at_ms: at_too,
                duration_s: duration_too,
                error_code: error_too,
                ..
            },
        ) => {
            *at_ms = (*at_ms).min(*at_too);
            *parent_call_sid = least(parent_call_sid.take(), parent_too.clone());
            *role = least(*role, *role_too);
            *error_code = least(*error_code, *error_too);
            *duration_s = (*duration_s).max(*duration_too);
        }
        // Equal identities are of one kind.
        (known, repeat) => {
            let at_too = repeat.at_ms();
            let at_ms = known.at_ms_mut();
            *at_ms = (*at_ms).min(at_too);
        }
    }
}

/// The smaller of what is known; `None` is unknown, not small.
fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Folds every event of one call into its row; `None` for no events.
///
/// The result depends on the set of events alone, never on their order or repetition.
///
/// [`CallEvent::Sdk`] with [`Failed`](crate::call::SdkCallEvent::Failed) counts as the call's end:
/// it is for errors that end a call, not for warnings.
pub fn fold(id: CallId, events: &[CallEvent]) -> Option<CallLogEntry> {
    let events = distinct(events);
    let evidence = evidence::gather(&events)?;
    let answered = verdict::is_answered(&evidence);
    let started_at_ms = evidence.started_at_ms;
    // Twilio's clock and ours may differ by minutes; a row never shows time running backwards.
    let ended_at_ms = evidence.ended_at_ms().map(|at| at.max(started_at_ms));
    let answered_at_ms = if answered { evidence.connected_at_ms() } else { None }
        .map(|at| at.max(started_at_ms).min(ended_at_ms.unwrap_or(i64::MAX)));
    let duration_s = match ended_at_ms {
        Some(ended) if answered => evidence
            .conversation_s()
            .or_else(|| answered_at_ms.and_then(|up| u32::try_from((ended - up) / 1000).ok())),
        Some(_) if evidence.was_passed_on() => evidence.passed_on_s(),
        _ => None,
    };
    let verdict = verdict::judge(&evidence, answered);
    Some(CallLogEntry {
        id,
        direction: evidence.direction,
        peer: evidence.peer.clone(),
        our_number: evidence.our_number.clone(),
        started_at_ms,
        answered_at_ms,
        ended_at_ms,
        duration_s,
        outcome: ended_at_ms.map(|_| verdict.outcome),
        reason: ended_at_ms.and(verdict.reason),
        error_code: ended_at_ms.and(verdict.error_code),
        legs: evidence.legs(),
        recordings: evidence.recordings(),
        waited_s: evidence.queue.waited_s,
    })
}
