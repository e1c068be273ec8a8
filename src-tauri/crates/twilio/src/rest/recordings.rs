//! Recordings of calls and conferences.

use bytes::Bytes;
use dialer_domain::call::{self, CallEvent};
use dialer_domain::sid::{CallSid, ConferenceSid, RecordingSid};
use serde::Deserialize;

use super::client::Client;
use super::error::RestError;
use super::request::Request;
use super::times;
use crate::webhook::recording_callback::status_of;

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

/// A recording, written down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Transcription {
    /// `TR…`.
    pub sid: String,
    /// The recording.
    pub recording_sid: RecordingSid,
    /// `in-progress`, `completed` or `failed`.
    pub status: String,
    /// What was said; Twilio writes `(blank)` where nothing was understood.
    #[serde(default)]
    pub transcription_text: Option<String>,
}

/// The longest recording that is fetched, in bytes: over an hour of two channels of 16 bits at 8 kHz.
pub const LARGEST_RECORDING: usize = 128 * 1024 * 1024;

impl Recording {
    /// What its status callback would have told; `None` for a recording of no leg, and for a status that is
    /// not known.
    pub fn event(&self) -> Option<CallEvent> {
        let status = match self.status.as_str() {
            "deleted" => call::RecordingStatus::Deleted,
            told => status_of(told)?,
        };
        Some(CallEvent::Recording {
            call_sid: self.call_sid.clone()?,
            recording_sid: self.sid.clone(),
            status,
            message: self.source.as_deref() == Some("RecordVerb"),
            duration_s: self.duration.as_deref().and_then(|duration| duration.parse().ok()),
            at_ms: self.started_ms?,
        })
    }
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

    /// One recording.
    pub async fn recording(&self, sid: &RecordingSid) -> Result<Recording, RestError> {
        self.read(&Request::get(self.path(&["Recordings", sid.as_str()]))).await
    }

    /// A recording's sound, as a WAV file of at most [`LARGEST_RECORDING`] bytes, signed in for, because an
    /// account may demand that. There is none until the recording is completed, nor once it is deleted
    /// ([`RestError::is_not_found`]). Where the account keeps its recordings on a disk of its own, Twilio
    /// sends the asker there, which is not followed.
    pub async fn recording_wav(&self, sid: &RecordingSid) -> Result<Bytes, RestError> {
        let account = ["2010-04-01", "Accounts", self.account_sid().as_str(), "Recordings"];
        let file = format!("{}.wav", sid.as_str());
        let path = account.iter().map(|text| (*text).to_owned()).chain([file]).collect();
        self.send(&Request::get(path).sound(LARGEST_RECORDING), None).await.map(Bytes::from)
    }

    /// What a recording was written down as, each time it was.
    pub async fn transcriptions(&self, sid: &RecordingSid) -> Result<Vec<Transcription>, RestError> {
        let request = Request::get(self.path(&["Recordings", sid.as_str(), "Transcriptions"]));
        self.list(request, "transcriptions", None).await
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
