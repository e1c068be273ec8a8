//! Recordings of calls and conferences.

use dialer_domain::sid::{CallSid, ConferenceSid, RecordingSid};
use serde::Deserialize;

use super::client::Client;
use super::error::RestError;
use super::request::Request;
use super::times;

/// Which recordings to list; all that is set must apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Of this leg.
    pub call: Option<CallSid>,
    /// Of this conference.
    pub conference: Option<ConferenceSid>,
    /// Unix milliseconds; those made then or later.
    pub created_from_ms: Option<i64>,
    /// How many, newest first; all when absent.
    pub limit: Option<usize>,
}

/// A recording. Its sound is another request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Recording {
    /// Its SID.
    pub sid: RecordingSid,
    /// The leg; of two that talk, the parent.
    #[serde(default)]
    pub call_sid: Option<CallSid>,
    /// The conference.
    #[serde(default)]
    pub conference_sid: Option<ConferenceSid>,
    /// `in-progress`, `paused`, `stopped`, `processing`, `completed`, `absent` or `deleted`.
    pub status: String,
    /// `DialVerb`, `StartCallRecordingAPI` and others.
    #[serde(default)]
    pub source: Option<String>,
    /// 1 or 2.
    #[serde(default)]
    pub channels: Option<u32>,
    /// Seconds, as a decimal number; `-1` while it is not known.
    #[serde(default)]
    pub duration: Option<String>,
    /// Unix milliseconds of its beginning.
    #[serde(default, rename = "start_time", deserialize_with = "times::optional")]
    pub started_ms: Option<i64>,
    /// Why there is none.
    #[serde(default)]
    pub error_code: Option<i64>,
    /// Where its sound is; credentials are to be sent along.
    #[serde(default)]
    pub media_url: Option<String>,
}

/// How to record a call that is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRecording {
    /// Each side on a channel of its own.
    pub two_channels: bool,
    /// `both`, `inbound` or `outbound`; Twilio's `both` when absent.
    pub track: Option<String>,
    /// Told when the recording is ready.
    pub status_callback: Option<String>,
    /// `in-progress`, `completed`, `absent`; Twilio tells only the second when empty.
    pub status_callback_events: Vec<String>,
}

/// What a running recording shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingStatus {
    /// Leave out what is said from now on.
    PausedWithoutSilence,
    /// Keep silence in place of what is said from now on.
    PausedWithSilence,
    /// Go on.
    InProgress,
    /// End.
    Stopped,
}

impl Client {
    /// Recordings of the account, newest first.
    pub async fn recordings(&self, filter: &RecordingFilter) -> Result<Vec<Recording>, RestError> {
        let request = Request::get(self.path(&["Recordings"]))
            .query("CallSid", filter.call.as_ref().map(CallSid::as_str))
            .query("ConferenceSid", filter.conference.as_ref().map(ConferenceSid::as_str))
            .query("DateCreated>", filter.created_from_ms.and_then(times::iso));
        self.list(request, "recordings", filter.limit).await
    }

    /// Deletes a recording's sound; Twilio keeps the rest for 40 days.
    pub async fn delete_recording(&self, sid: &RecordingSid) -> Result<(), RestError> {
        self.done(&Request::delete(self.path(&["Recordings", sid.as_str()]))).await
    }

    /// Begins to record a leg.
    pub async fn start_recording(
        &self,
        call: &CallSid,
        recording: &NewRecording,
    ) -> Result<Recording, RestError> {
        let request = Request::post(self.path(&["Calls", call.as_str(), "Recordings"]))
            .form("RecordingChannels", recording.two_channels.then_some("dual"))
            .form("RecordingTrack", recording.track.as_ref())
            .form("RecordingStatusCallback", recording.status_callback.as_ref())
            .each("RecordingStatusCallbackEvent", &recording.status_callback_events);
        self.read(&request).await
    }

    /// Pauses, continues or ends a recording of a leg; `None` names the one that runs
    /// (`Twilio.CURRENT`).
    pub async fn update_recording(
        &self,
        call: &CallSid,
        recording: Option<&RecordingSid>,
        status: RecordingStatus,
    ) -> Result<Recording, RestError> {
        let name = recording.map_or("Twilio.CURRENT", RecordingSid::as_str);
        let (status, pause) = match status {
            RecordingStatus::PausedWithoutSilence => ("paused", Some("skip")),
            RecordingStatus::PausedWithSilence => ("paused", Some("silence")),
            RecordingStatus::InProgress => ("in-progress", None),
            RecordingStatus::Stopped => ("stopped", None),
        };
        let request = Request::post(self.path(&["Calls", call.as_str(), "Recordings", name]))
            .repeatable()
            .form("Status", Some(status))
            .form("PauseBehavior", pause);
        self.read(&request).await
    }
}
