//! `<Dial>` and its nouns after reading.

use std::time::Duration;

use dialer_domain::sid::TwimlAppSid;

use super::document::{CallRecording, CallbackRequest, Method, RecordingCallbackRequest};

/// `<Dial>`, defaults as in Twilio's documentation of the verb.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dial {
    pub(crate) action: Option<String>,
    pub(crate) method: Method,
    pub(crate) answer_on_bridge: bool,
    pub(crate) caller_id: Option<String>,
    /// How long the far ends ring, with Twilio's five extra seconds.
    pub(crate) timeout: Duration,
    /// Longest conversation.
    pub(crate) time_limit: Duration,
    pub(crate) hangup_on_star: bool,
    pub(crate) sequential: bool,
    pub(crate) record: Option<DialRecording>,
    pub(crate) destination: Destination,
}

/// `record` of `<Dial>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DialRecording {
    /// From the first ringing on, rather than from the answer.
    pub(crate) from_ringing: bool,
    pub(crate) recording: CallRecording,
}

/// What is dialled. Only parties can be several.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Destination {
    Parties(Vec<Target>),
    Queue(QueueNoun),
    Conference(Box<ConferenceNoun>),
    Application(ApplicationNoun),
}

/// Whom to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Number {
        number: String,
        send_digits: Option<String>,
        whisper: Option<Whisper>,
        callbacks: CallbackRequest,
    },
    Client {
        identity: String,
        parameters: Vec<(String, String)>,
        whisper: Option<Whisper>,
        callbacks: CallbackRequest,
    },
    Sip {
        /// Without headers, such as `sip:a@b.example;transport=tls`.
        uri: String,
        /// Headers for the far end.
        headers: Vec<(String, String)>,
        whisper: Option<Whisper>,
        callbacks: CallbackRequest,
    },
}

/// A document the called party hears before the two are joined (`url` and `method` of a noun).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whisper {
    pub(crate) url: String,
    pub(crate) method: Method,
}

/// `<Queue>`: the caller who has waited longest is dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueNoun {
    pub(crate) name: String,
    /// Heard by the caller who waited.
    pub(crate) whisper: Option<Whisper>,
}

/// `<Application>`: another TwiML App is dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApplicationNoun {
    pub(crate) sid: TwimlAppSid,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) customer_id: Option<String>,
    /// `To` is that of the parent, rather than the app's SID.
    pub(crate) copy_parent_to: bool,
    pub(crate) callbacks: CallbackRequest,
}

/// `<Conference>`, defaults as in Twilio's documentation of the noun.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConferenceNoun {
    pub(crate) name: String,
    pub(crate) muted: bool,
    pub(crate) beep: Beep,
    pub(crate) start_on_enter: bool,
    pub(crate) end_on_exit: bool,
    /// `None` for Twilio's own music, the empty text for silence.
    pub(crate) wait_url: Option<String>,
    pub(crate) wait_method: Method,
    pub(crate) max_participants: usize,
    /// `record-from-start`.
    pub(crate) record: bool,
    pub(crate) trim: bool,
    /// CallSid of the participant who alone hears this one.
    pub(crate) coach: Option<String>,
    pub(crate) participant_label: Option<String>,
    pub(crate) status_callback: Option<String>,
    pub(crate) status_callback_method: Method,
    pub(crate) status_callback_events: Vec<ConferenceEvent>,
    pub(crate) recording_callbacks: RecordingCallbackRequest,
}

/// When a conference beeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beep {
    Both,
    Never,
    OnEnter,
    OnExit,
}

/// The names `statusCallbackEvent` of a conference knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConferenceEvent {
    Start,
    End,
    Join,
    Leave,
    Mute,
    Hold,
    Modify,
    Speaker,
    Announcement,
}

impl ConferenceEvent {
    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        Some(match text {
            "start" => Self::Start,
            "end" => Self::End,
            "join" => Self::Join,
            "leave" => Self::Leave,
            "mute" => Self::Mute,
            "hold" => Self::Hold,
            "modify" => Self::Modify,
            "speaker" => Self::Speaker,
            "announcement" => Self::Announcement,
            _ => return None,
        })
    }
}
