//! Which rows Twilio should be asked about again: callbacks can be lost, and nothing tells that they were.

use super::CallLogEntry;
use crate::call::{CallOutcome, RecordingStatus};

/// How long after its beginning a call without an end is asked about, in milliseconds. Calls can be longer;
/// those that this program has itself under way need no question.
const NO_END_MS: i64 = 15 * 60_000;
/// How long after the end Twilio's own account of it is waited for, in milliseconds.
const NO_ACCOUNT_MS: i64 = 2 * 60_000;
/// How long after the end a recording may take, in milliseconds ("seconds to minutes").
const RECORDING_MS: i64 = 10 * 60_000;
/// How long after its beginning a call is asked about, in milliseconds; what is not known then stays so.
const GIVEN_UP_MS: i64 = 3 * 24 * 3_600_000;

/// What a row lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// The call has no end, or one of its legs has none: a caller who missed the agent may have stayed and
    /// left a message.
    End,
    /// The parties spoke, and Twilio has not said for how long.
    Duration,
    /// A recording has begun and is neither ready nor known to be absent.
    Recording,
}

/// Whether `entry` was left without an end by a run of the program before the one that began at `began_ms` (Unix
/// milliseconds): what was told in between is lost, so there is nothing to wait for.
pub fn left_open(entry: &CallLogEntry, began_ms: i64) -> bool {
    entry.started_at_ms < began_ms
        && entry.ended_at_ms.is_none()
        && !entry.legs.is_empty()
        && began_ms - entry.started_at_ms <= GIVEN_UP_MS
}

/// What `entry` lacks at `now_ms` (Unix milliseconds) though its callbacks should have come; `None` for a row
/// that is whole, that is too young or too old to ask about, or whose legs are not known.
pub fn unfinished(entry: &CallLogEntry, now_ms: i64) -> Option<Unfinished> {
    let age_ms = now_ms.saturating_sub(entry.started_at_ms);
    if entry.legs.is_empty() || age_ms > GIVEN_UP_MS {
        return None;
    }
    let Some(ended_at_ms) = entry.ended_at_ms else {
        return (age_ms >= NO_END_MS).then_some(Unfinished::End);
    };
    let since_ms = now_ms.saturating_sub(ended_at_ms);
    if since_ms >= NO_ACCOUNT_MS {
        if entry.legs.iter().any(|leg| !leg.status.is_final()) {
            return Some(Unfinished::End);
        }
        let spoke = matches!(entry.outcome, Some(CallOutcome::Answered | CallOutcome::Forwarded));
        if spoke && entry.legs.iter().all(|leg| leg.duration_s.is_none()) {
            return Some(Unfinished::Duration);
        }
    }
    let in_progress = |recording: &super::Recording| recording.status == RecordingStatus::InProgress;
    (since_ms >= RECORDING_MS && entry.recordings.iter().any(in_progress)).then_some(Unfinished::Recording)
}
