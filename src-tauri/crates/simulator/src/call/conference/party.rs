//! One participant of a conference.

use std::sync::Arc;

use dialer_domain::sid::CallSid;
use tokio::sync::{mpsc, watch};
use url::Url;

use crate::account::WebhookMethod;
use crate::call::{Leg, RecordingCallbacks};
use crate::twiml::{Beep, ConferenceEvent, ConferenceNoun, RecordingCallbackRequest};

/// What is heard by one who does not hear the conference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Music {
    /// Twilio's own.
    Usual,
    Silence,
    From(Url, WebhookMethod),
}

impl Music {
    /// By a `waitUrl` or `HoldUrl`: absent for Twilio's own music, empty for silence. An address that is
    /// none gives silence too.
    pub(crate) fn of(url: Option<&str>, base: &Url, method: WebhookMethod) -> Self {
        match url {
            None => Self::Usual,
            Some("") => Self::Silence,
            Some(text) => base.join(text).map_or(Self::Silence, |url| Self::From(url, method)),
        }
    }
}

/// What a participant hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hears {
    /// The conference has not started.
    Waiting(Music),
    Held(Music),
    Conference,
}

/// How and with what somebody enters.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) label: Option<String>,
    pub(crate) muted: bool,
    pub(crate) beep: Beep,
    pub(crate) start_on_enter: bool,
    pub(crate) end_on_exit: bool,
    pub(crate) coach: Option<String>,
    pub(crate) wait: Music,
    pub(crate) max_participants: usize,
    pub(crate) callbacks: Option<ConferenceCallbacks>,
    pub(crate) record: Option<RoomRecording>,
}

/// How a conference is recorded from its start on.
#[derive(Debug, Clone)]
pub(crate) struct RoomRecording {
    /// Without the silence at both ends.
    pub(crate) trim: bool,
    pub(crate) callbacks: Option<RecordingCallbacks>,
}

/// Where and when a conference is reported; the first participant to join decides.
#[derive(Debug, Clone)]
pub(crate) struct ConferenceCallbacks {
    pub(crate) url: Url,
    pub(crate) method: WebhookMethod,
    pub(crate) events: Vec<ConferenceEvent>,
}

impl Entry {
    /// As `<Conference>` says; relative addresses start from `base`.
    pub(crate) fn of(noun: &ConferenceNoun, base: &Url) -> Self {
        let url = noun.status_callback.as_deref().and_then(|url| base.join(url).ok());
        Self {
            label: noun.participant_label.clone(),
            muted: noun.muted,
            beep: noun.beep,
            start_on_enter: noun.start_on_enter,
            end_on_exit: noun.end_on_exit,
            coach: noun.coach.clone(),
            wait: Music::of(noun.wait_url.as_deref(), base, noun.wait_method),
            max_participants: noun.max_participants,
            callbacks: url.map(|url| ConferenceCallbacks {
                url,
                method: noun.status_callback_method,
                events: noun.status_callback_events.clone(),
            }),
            record: noun.record.then(|| RoomRecording {
                trim: noun.trim,
                callbacks: RecordingCallbacks::of(&noun.recording_callbacks, base),
            }),
        }
    }

    /// The `<Conference>` that says the same.
    pub(crate) fn noun(&self, name: &str) -> ConferenceNoun {
        let (wait_url, wait_method) = match &self.wait {
            Music::Usual => (None, WebhookMethod::Post),
            Music::Silence => (Some(String::new()), WebhookMethod::Post),
            Music::From(url, method) => (Some(url.to_string()), *method),
        };
        let callbacks = self.callbacks.as_ref();
        let of_recording = self.record.as_ref().and_then(|record| record.callbacks.as_ref());
        ConferenceNoun {
            name: name.to_owned(),
            muted: self.muted,
            beep: self.beep,
            start_on_enter: self.start_on_enter,
            end_on_exit: self.end_on_exit,
            wait_url,
            wait_method,
            max_participants: self.max_participants,
            record: self.record.is_some(),
            trim: self.record.as_ref().is_some_and(|record| record.trim),
            coach: self.coach.clone(),
            participant_label: self.label.clone(),
            status_callback: callbacks.map(|callbacks| callbacks.url.to_string()),
            status_callback_method: callbacks.map(|callbacks| callbacks.method).unwrap_or_default(),
            status_callback_events: callbacks.map(|callbacks| callbacks.events.clone()).unwrap_or_default(),
            recording_callbacks: of_recording
                .map(|callbacks| RecordingCallbackRequest {
                    url: Some(callbacks.url.to_string()),
                    method: callbacks.method,
                    events: callbacks.events.clone(),
                })
                .unwrap_or_default(),
        }
    }
}

/// Why somebody is not added to a conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAdded {
    /// 16025.
    LabelTaken,
    /// 13240.
    NobodyToCoach,
    /// 16020.
    Full,
    /// The conference has ended.
    Over,
}

/// Why a participant left (`ReasonParticipantLeft`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    HungUp,
    ByApi,
    ConferenceEndedByApi,
    ModeratorEnded,
    NeverAnswered,
}

impl Left {
    pub(crate) fn as_wire(self) -> &'static str {
        match self {
            Self::HungUp => "participant_hung_up",
            Self::ByApi => "participant_updated_via_api",
            Self::ConferenceEndedByApi => "conference_ended_via_api",
            Self::ModeratorEnded => "moderator_ended_conference",
            Self::NeverAnswered => "participant_add_failed",
        }
    }
}

/// What a participant's session is told by the conference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) hears: Hears,
    /// It has been taken out.
    pub(crate) gone: bool,
}

/// Something to play in between.
#[derive(Debug, Clone)]
pub(crate) struct Announcement {
    pub(crate) url: Url,
    pub(crate) method: WebhookMethod,
    /// Whether it is for this participant alone, and its end to be reported for it.
    pub(crate) alone: bool,
}

/// A participant as the conference knows it. Times are Unix milliseconds.
pub(crate) struct Party {
    pub(crate) leg: Arc<Leg>,
    pub(crate) label: Option<String>,
    pub(crate) muted: bool,
    pub(crate) hold: Option<Music>,
    pub(crate) beep: Beep,
    pub(crate) start_on_enter: bool,
    pub(crate) end_on_exit: bool,
    /// The participant who alone hears this one.
    pub(crate) coaches: Option<CallSid>,
    pub(crate) wait: Music,
    /// Not while REST is still calling it.
    pub(crate) joined: bool,
    /// Those inside hear how the call goes.
    pub(crate) early_media: bool,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    pub(crate) told: watch::Sender<Told>,
    pub(crate) announcements: mpsc::UnboundedSender<Announcement>,
}

impl Party {
    pub(crate) fn is_called(&self, who: &str) -> bool {
        self.leg.sid.as_str() == who || self.label.as_deref() == Some(who)
    }
}
