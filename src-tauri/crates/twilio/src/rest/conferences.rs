//! Conferences and who is in them.

use dialer_domain::sid::{CallSid, ConferenceSid};
use serde::Deserialize;

use super::client::Client;
use super::error::RestError;
use super::request::Request;

/// Which conferences to list; all that is set must apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConferenceFilter {
    /// The room's name.
    pub friendly_name: Option<String>,
    /// `init`, `in-progress` or `completed`.
    pub status: Option<String>,
    /// How many, newest first; all when absent.
    pub limit: Option<usize>,
}

/// A conference.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Conference {
    /// Its SID.
    pub sid: ConferenceSid,
    /// The room's name.
    #[serde(default)]
    pub friendly_name: Option<String>,
    /// `init`, `in-progress` or `completed`.
    pub status: String,
    /// Such as `last-participant-left`.
    #[serde(default)]
    pub reason_conference_ended: Option<String>,
    /// Whose leaving ended it.
    #[serde(default)]
    pub call_sid_ending_conference: Option<CallSid>,
}

/// A change to a conference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConferenceUpdate {
    /// End it for everyone.
    Complete,
    /// Play what this address gives to everyone.
    Announce {
        /// TwiML or sound.
        url: String,
    },
}

/// Someone in a conference.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Participant {
    /// The leg.
    pub call_sid: CallSid,
    /// The room.
    pub conference_sid: ConferenceSid,
    /// The name it was given.
    #[serde(default)]
    pub label: Option<String>,
    /// `queued`, `connecting`, `ringing`, `connected`, `complete` or `failed`.
    pub status: String,
    /// Is not heard.
    #[serde(default)]
    pub muted: bool,
    /// Hears music and is not heard.
    #[serde(default)]
    pub hold: bool,
    /// Ends the conference by leaving.
    #[serde(default)]
    pub end_conference_on_exit: bool,
    /// Is heard by one other only.
    #[serde(default)]
    pub coaching: bool,
    /// By whom.
    #[serde(default)]
    pub call_sid_to_coach: Option<CallSid>,
}

/// Someone to be called into a conference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewParticipant {
    /// An owned or verified number, or `client:…`.
    pub from: String,
    /// E.164, `client:…` or `sip:…`.
    pub to: String,
    /// A name to use in place of the leg's SID; one that is taken answers 16025.
    pub label: Option<String>,
    /// Seconds it may ring, 5 to 600.
    pub timeout_s: Option<u32>,
    /// Let ringing and announcements before the answer be heard; Twilio's yes when absent.
    pub early_media: Option<bool>,
    /// `true`, `false`, `onEnter` or `onExit`.
    pub beep: Option<String>,
    /// Not heard at first.
    pub muted: Option<bool>,
    /// Starts the conference by entering; Twilio's yes when absent.
    pub start_conference_on_enter: Option<bool>,
    /// Ends it by leaving; Twilio's no when absent.
    pub end_conference_on_exit: Option<bool>,
    /// What the called party sees, when it is not `from`.
    pub caller_id: Option<String>,
    /// Told of the events below.
    pub status_callback: Option<String>,
    /// `initiated`, `ringing`, `answered`, `completed`.
    pub status_callback_events: Vec<String>,
}

/// A change to someone in a conference; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParticipantUpdate {
    /// Not heard.
    pub muted: Option<bool>,
    /// On hold.
    pub hold: Option<bool>,
    /// What is heard on hold; Twilio's music when absent.
    pub hold_url: Option<String>,
    /// Played to this one only.
    pub announce_url: Option<String>,
    /// Ends the conference by leaving.
    pub end_conference_on_exit: Option<bool>,
    /// Heard by this one only; requires `call_sid_to_coach`.
    pub coaching: Option<bool>,
    /// Whom; one who is not in the room answers 13240.
    pub call_sid_to_coach: Option<CallSid>,
    /// A beep to the others on leaving.
    pub beep_on_exit: Option<bool>,
}

impl Client {
    /// Conferences of the account, newest first.
    pub async fn conferences(&self, filter: &ConferenceFilter) -> Result<Vec<Conference>, RestError> {
        let request = Request::get(self.path(&["Conferences"]))
            .query("FriendlyName", filter.friendly_name.as_ref())
            .query("Status", filter.status.as_ref());
        self.list(request, "conferences", filter.limit).await
    }

    /// Ends a conference, or speaks to all of it.
    pub async fn update_conference(
        &self,
        sid: &ConferenceSid,
        update: &ConferenceUpdate,
    ) -> Result<Conference, RestError> {
        let request = Request::post(self.path(&["Conferences", sid.as_str()]));
        let request = match update {
            ConferenceUpdate::Complete => request.repeatable().form("Status", Some("completed")),
            ConferenceUpdate::Announce { url } => request.form("AnnounceUrl", Some(url)),
        };
        self.read(&request).await
    }

    /// Everyone in a conference.
    pub async fn participants(&self, conference: &ConferenceSid) -> Result<Vec<Participant>, RestError> {
        self.list(Request::get(self.path(&participants(conference))), "participants", None).await
    }

    /// Calls someone into a conference, which need not exist yet: `room` is its name or its SID. Never
    /// sent twice.
    pub async fn create_participant(
        &self,
        room: &str,
        new: &NewParticipant,
    ) -> Result<Participant, RestError> {
        let request = Request::post(self.path(&["Conferences", room, "Participants"]))
            .form("From", Some(&new.from))
            .form("To", Some(&new.to))
            .form("Label", new.label.as_ref())
            .number("Timeout", new.timeout_s)
            .flag("EarlyMedia", new.early_media)
            .form("Beep", new.beep.as_ref())
            .flag("Muted", new.muted)
            .flag("StartConferenceOnEnter", new.start_conference_on_enter)
            .flag("EndConferenceOnExit", new.end_conference_on_exit)
            .form("CallerId", new.caller_id.as_ref())
            .form("StatusCallback", new.status_callback.as_ref())
            .each("StatusCallbackEvent", &new.status_callback_events);
        self.read(&request).await
    }

    /// Changes someone in a conference, named by the leg's SID or the label.
    pub async fn update_participant(
        &self,
        conference: &ConferenceSid,
        who: &str,
        update: &ParticipantUpdate,
    ) -> Result<Participant, RestError> {
        let request = Request::post(self.participant_path(conference, who))
            .flag("Muted", update.muted)
            .flag("Hold", update.hold)
            .form("HoldUrl", update.hold_url.as_ref())
            .form("HoldMethod", update.hold_url.as_ref().map(|_| "POST"))
            .form("AnnounceUrl", update.announce_url.as_ref())
            .flag("EndConferenceOnExit", update.end_conference_on_exit)
            .flag("Coaching", update.coaching)
            .form("CallSidToCoach", update.call_sid_to_coach.as_ref().map(CallSid::as_str))
            .flag("BeepOnExit", update.beep_on_exit);
        // An announcement would be heard twice.
        let request = if update.announce_url.is_none() { request.repeatable() } else { request };
        self.read(&request).await
    }

    /// Takes someone out of a conference, which ends the leg unless its TwiML goes on.
    pub async fn remove_participant(&self, conference: &ConferenceSid, who: &str) -> Result<(), RestError> {
        self.done(&Request::delete(self.participant_path(conference, who))).await
    }

    fn participant_path(&self, conference: &ConferenceSid, who: &str) -> Vec<String> {
        let [conferences, sid, participants] = participants(conference);
        self.path(&[conferences, sid, participants, who])
    }
}

fn participants(conference: &ConferenceSid) -> [&str; 3] {
    ["Conferences", conference.as_str(), "Participants"]
}
