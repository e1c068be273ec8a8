//! What can happen to a call, as events from two witnesses: Twilio's callbacks and the Voice SDK.
//!
//! A call has one *agent leg* (the SDK's) and usually one *far leg* (the other party's). For an
//! outgoing call the agent leg is the parent; for an incoming call the far leg is the parent.
//! `CallId` is ours and names the whole call; `CallSid` is Twilio's and names one leg.

use serde::{Deserialize, Serialize};

use crate::call_flow::{Purpose, QueueResult};
use crate::sid::{CallSid, ConferenceSid, RecordingSid};

/// Our own name of a whole call, a random UUID made before Twilio knows of it.
///
/// It travels with an outgoing call as the connect parameter `CallId` and comes back in the voice
/// webhook, which joins the two witnesses' reports from the first moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[ts(type = "string")]
pub struct CallId(pub uuid::Uuid);

impl std::fmt::Display for CallId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Who started the call, seen from the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// The agent called.
    Outgoing,
    /// The agent was called.
    Incoming,
}

/// Twilio's `CallStatus` of one leg, in the order in which a leg may pass through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    /// Accepted by Twilio, not yet dialled.
    Queued,
    /// Dialling has begun.
    Initiated,
    /// The far end rings.
    Ringing,
    /// Answered.
    InProgress,
    /// Ended after an answer.
    Completed,
    /// The far end was busy or declined.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// Ended by the caller before an answer.
    Canceled,
    /// Could not be connected.
    Failed,
}

impl CallStatus {
    /// Whether no other status can follow.
    pub fn is_final(self) -> bool {
        self >= Self::Completed
    }

    /// Reads Twilio's spelling, such as `in-progress`; also `answered`, the event's name for it.
    pub fn from_wire(text: &str) -> Option<Self> {
        Some(match text {
            "queued" => Self::Queued,
            "initiated" => Self::Initiated,
            "ringing" => Self::Ringing,
            "in-progress" | "answered" => Self::InProgress,
            "completed" => Self::Completed,
            "busy" => Self::Busy,
            "no-answer" => Self::NoAnswer,
            "canceled" => Self::Canceled,
            "failed" => Self::Failed,
            _ => return None,
        })
    }

    /// Twilio's spelling.
    pub fn as_wire(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        }
    }
}

/// How a call ended, in the agent's words rather than a leg's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// The two parties spoke.
    Answered,
    /// Incoming: the caller gave up or the ring timed out.
    Missed,
    /// Incoming: the agent declined.
    Declined,
    /// Incoming: the caller left a message.
    Voicemail,
    /// Incoming: the caller was passed on to another number and spoke there.
    Forwarded,
    /// Outgoing: the far end was busy or declined.
    Busy,
    /// Outgoing: nobody answered.
    NoAnswer,
    /// Outgoing: the agent hung up before an answer.
    Canceled,
    /// The call could not be connected; the reason says why.
    Failed,
}

/// Which of the two legs an event speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum LegRole {
    /// The SDK's leg.
    Agent,
    /// The other party's leg.
    FarEnd,
}

/// One thing a witness saw. Events form a set: the same event twice is one event, and the order of
/// arrival has no meaning; [`crate::call_log::fold`] sorts by what they say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CallEvent {
    /// Twilio asked what to do with a call (voice webhook).
    Routed {
        /// The parent leg.
        call_sid: CallSid,
        /// Who started the call.
        direction: CallDirection,
        /// The other party: an E.164 number, `client:…` or what Twilio sent.
        peer: String,
        /// Which of our numbers is used.
        our_number: Option<String>,
        /// Unix milliseconds at our clock.
        at_ms: i64,
        /// Why the call was refused, when it was.
        refusal: Option<String>,
    },
    /// A status callback of one leg.
    LegStatus {
        /// The leg.
        call_sid: CallSid,
        /// Its parent, absent for the parent itself.
        parent_call_sid: Option<CallSid>,
        /// Which party's leg it is, when the callback tells.
        role: Option<LegRole>,
        /// The leg's status.
        status: CallStatus,
        /// Twilio's counter per leg, from 0; absent on the parent's final callback.
        sequence: Option<u32>,
        /// Unix milliseconds at Twilio's clock (`Timestamp`), or of arrival when absent.
        at_ms: i64,
        /// Whole seconds the leg lasted after its answer; on `completed` only.
        duration_s: Option<u32>,
        /// Twilio's `ErrorCode`, when given.
        error_code: Option<u32>,
    },
    /// Twilio asked how to go on after a `<Dial>` (its `action`).
    Dialled {
        /// The parent leg.
        call_sid: CallSid,
        /// The leg that was connected, or the first that was dialled.
        dialled_sid: Option<CallSid>,
        /// What the connection was for.
        purpose: Purpose,
        /// How it ended (`DialCallStatus`).
        status: CallStatus,
        /// Whole seconds of conversation (`DialCallDuration`).
        duration_s: Option<u32>,
        /// Unix milliseconds at our clock.
        at_ms: i64,
    },
    /// The caller was put in the queue, or asked again what to hear there.
    Waiting {
        /// The caller's leg.
        call_sid: CallSid,
        /// Seconds waited so far.
        waited_s: u32,
        /// Unix milliseconds at our clock.
        at_ms: i64,
    },
    /// The caller left the queue.
    LeftQueue {
        /// The caller's leg.
        call_sid: CallSid,
        /// How.
        result: QueueResult,
        /// Seconds waited (`QueueTime`).
        waited_s: Option<u32>,
        /// Unix milliseconds at our clock.
        at_ms: i64,
    },
    /// An agent takes the caller out of the queue (`url` of `<Queue>`): the two are about to be connected.
    Dequeued {
        /// The caller's leg.
        call_sid: CallSid,
        /// The leg of the agent who takes them (`DequeingCallSid`).
        agent_sid: CallSid,
        /// Seconds waited (`QueueTime`).
        waited_s: Option<u32>,
        /// Unix milliseconds at our clock.
        at_ms: i64,
    },
    /// A recording began, is ready, or did not come about (recording status callback, or `<Record>`'s
    /// `action`).
    Recording {
        /// The leg it belongs to: the parent of a two-leg call.
        call_sid: CallSid,
        /// Which.
        recording_sid: RecordingSid,
        /// What of it.
        status: RecordingStatus,
        /// Whether it is a message that the caller left.
        message: bool,
        /// Whole seconds, once ready.
        duration_s: Option<u32>,
        /// Unix milliseconds at Twilio's clock, or of arrival.
        at_ms: i64,
    },
    /// A recording was written down.
    Transcribed {
        /// The leg it belongs to.
        call_sid: CallSid,
        /// Which.
        recording_sid: RecordingSid,
        /// What was said; empty when it could not be understood.
        text: String,
        /// Unix milliseconds of arrival.
        at_ms: i64,
    },
    /// Something happened to the leg in a conference.
    Conference {
        /// The leg.
        call_sid: CallSid,
        /// Which conference.
        conference_sid: ConferenceSid,
        /// `StatusCallbackEvent`, such as `participant-join`.
        what: String,
        /// Twilio's counter per conference.
        sequence: Option<u32>,
        /// Unix milliseconds at Twilio's clock, or of arrival.
        at_ms: i64,
    },
    /// Something the Voice SDK reported.
    Sdk {
        /// Who started the call.
        direction: CallDirection,
        /// The agent leg, once Twilio has told it.
        call_sid: Option<CallSid>,
        /// The parent leg, when the TwiML passed it along (`parent` parameter of `<Client>`).
        parent_call_sid: Option<CallSid>,
        /// The other party.
        peer: String,
        /// Which of our numbers was called, for an incoming call (`called` parameter of `<Client>`).
        our_number: Option<String>,
        /// What happened.
        what: SdkCallEvent,
        /// Unix milliseconds at our clock.
        at_ms: i64,
    },
}

impl CallEvent {
    /// When it happened, in Unix milliseconds; whose clock that is differs by kind.
    pub fn at_ms(&self) -> i64 {
        match self {
            Self::Routed { at_ms, .. }
            | Self::LegStatus { at_ms, .. }
            | Self::Dialled { at_ms, .. }
            | Self::Waiting { at_ms, .. }
            | Self::LeftQueue { at_ms, .. }
            | Self::Dequeued { at_ms, .. }
            | Self::Recording { at_ms, .. }
            | Self::Transcribed { at_ms, .. }
            | Self::Conference { at_ms, .. }
            | Self::Sdk { at_ms, .. } => *at_ms,
        }
    }

    pub(crate) fn at_ms_mut(&mut self) -> &mut i64 {
        match self {
            Self::Routed { at_ms, .. }
            | Self::LegStatus { at_ms, .. }
            | Self::Dialled { at_ms, .. }
            | Self::Waiting { at_ms, .. }
            | Self::LeftQueue { at_ms, .. }
            | Self::Dequeued { at_ms, .. }
            | Self::Recording { at_ms, .. }
            | Self::Transcribed { at_ms, .. }
            | Self::Conference { at_ms, .. }
            | Self::Sdk { at_ms, .. } => at_ms,
        }
    }
}

/// What there is of a recording (`RecordingStatus`), in the order in which it may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "kebab-case")]
pub enum RecordingStatus {
    /// It has begun.
    InProgress,
    /// It can be heard.
    Completed,
    /// There is nothing to hear: too short, or silence.
    Absent,
    /// Twilio could not keep it.
    Failed,
    /// The agent has deleted it.
    Deleted,
}

/// What the SDK said about a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SdkCallEvent {
    /// `connect()` was called.
    Dialing,
    /// The far end rings.
    Ringing,
    /// An incoming call arrived.
    Incoming,
    /// The call is up.
    Accepted,
    /// Signalling or media was lost; the call may come back.
    Reconnecting,
    /// It came back.
    Reconnected,
    /// The agent hung up.
    HungUp,
    /// The agent declined an incoming call.
    Declined,
    /// The caller gave up, or another device answered.
    CanceledByCaller,
    /// The call is over.
    Ended,
    /// The SDK or Twilio reported an error.
    Failed {
        /// Twilio's error code, such as 31486; 0 when the SDK gave none.
        code: u32,
        /// A sentence for the agent.
        message: String,
    },
}
