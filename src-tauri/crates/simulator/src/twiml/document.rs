//! A TwiML document after reading: only what the simulator plays, with Twilio's defaults filled in.

use std::time::Duration;

use super::dial::Dial;
pub(crate) use crate::account::WebhookMethod as Method;
use crate::audio::Pattern;

/// A document that may be played.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Document {
    pub(crate) verbs: Vec<Verb>,
    pub(crate) warnings: Vec<Warning>,
}

/// Something in a document that was skipped or replaced by its default; the call goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) code: u32,
    pub(crate) text: String,
}

/// One verb.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verb {
    Say {
        text: String,
        loops: u32,
    },
    Play {
        url: Option<String>,
        loops: u32,
        digits: Option<String>,
    },
    /// Sound that came in place of a document.
    Sound(Pattern),
    Pause {
        length: Duration,
    },
    Dial(Box<Dial>),
    Gather(Gather),
    Record(Record),
    Enqueue(Enqueue),
    Leave,
    /// `<Start><Recording>`.
    StartRecording(CallRecording),
    /// `<Stop><Recording name="…">`.
    StopRecording {
        name: String,
    },
    Hangup,
    Reject {
        reason: RejectReason,
    },
    Redirect {
        url: String,
        method: Method,
    },
}

/// What a refused caller hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RejectReason {
    Rejected,
    Busy,
}

/// `<Gather>`, defaults as in Twilio's documentation of the verb.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gather {
    /// Keys count.
    pub(crate) dtmf: bool,
    /// Spoken words count.
    pub(crate) speech: bool,
    /// The document itself by default.
    pub(crate) action: Option<String>,
    pub(crate) method: Method,
    /// Longest wait for the first input, and from one key to the next.
    pub(crate) timeout: Duration,
    /// How much silence ends what was spoken; `None` for `auto`.
    pub(crate) speech_timeout: Option<Duration>,
    pub(crate) num_digits: Option<usize>,
    pub(crate) finish_on_key: Option<char>,
    pub(crate) action_on_empty_result: bool,
    /// `<Say>`, `<Play>` and `<Pause>`, heard until there is input.
    pub(crate) prompts: Vec<Verb>,
}

/// `<Record>`, defaults as in Twilio's documentation of the verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The document itself by default.
    pub(crate) action: Option<String>,
    pub(crate) method: Method,
    /// How much silence ends it; `None` for any amount.
    pub(crate) timeout: Option<Duration>,
    /// Keys that end it.
    pub(crate) finish_on_key: String,
    pub(crate) max_length: Duration,
    pub(crate) play_beep: bool,
    /// Without the silence at both ends.
    pub(crate) trim: bool,
    pub(crate) transcription: Option<Transcription>,
    pub(crate) callbacks: RecordingCallbackRequest,
}

/// `transcribe` and `transcribeCallback` of `<Record>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transcription {
    pub(crate) callback: Option<String>,
}

/// A recording of both sides of a call: of `<Dial record>` and `<Start><Recording>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallRecording {
    /// For `<Stop>`.
    pub(crate) name: Option<String>,
    /// Each side in a channel of its own.
    pub(crate) dual: bool,
    pub(crate) track: Track,
    /// Without the silence at both ends.
    pub(crate) trim: bool,
    pub(crate) callbacks: RecordingCallbackRequest,
}

/// Which side of a call is recorded, seen from Twilio: what comes in is what the party says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    Both,
    Inbound,
    Outbound,
}

/// `recordingStatusCallback`, `…Method` and `…Event`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RecordingCallbackRequest {
    pub(crate) url: Option<String>,
    pub(crate) method: Method,
    pub(crate) events: Vec<RecordingEvent>,
}

/// The names `recordingStatusCallbackEvent` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordingEvent {
    InProgress,
    Completed,
    Absent,
}

impl RecordingEvent {
    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        Some(match text {
            "in-progress" => Self::InProgress,
            "completed" => Self::Completed,
            "absent" => Self::Absent,
            _ => return None,
        })
    }
}

/// `<Enqueue>`, defaults as in Twilio's documentation of the verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Enqueue {
    /// Absent when the document names no queue, or one whose name is too long.
    pub(crate) name: Option<String>,
    /// `None` for Twilio's own music, the empty text for silence.
    pub(crate) wait_url: Option<String>,
    pub(crate) wait_method: Method,
    pub(crate) action: Option<String>,
    pub(crate) method: Method,
    /// Only in Twilio's libraries, not on its pages.
    pub(crate) max_queue_size: Option<usize>,
}

/// `statusCallback`, `statusCallbackMethod` and `statusCallbackEvent` of a noun.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CallbackRequest {
    pub(crate) url: Option<String>,
    pub(crate) method: Method,
    pub(crate) events: Vec<CallbackEvent>,
}

/// The names `statusCallbackEvent` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallbackEvent {
    Initiated,
    Ringing,
    Answered,
    Completed,
}

impl CallbackEvent {
    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        Some(match text {
            "initiated" => Self::Initiated,
            "ringing" => Self::Ringing,
            "answered" => Self::Answered,
            "completed" => Self::Completed,
            _ => return None,
        })
    }
}

/// Why a document cannot be played at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TwimlError {
    /// Not well-formed.
    #[error("Document parse failure: {0}")]
    NotWellFormed(String),
    /// XML version other than 1.0.
    #[error("Invalid Twilio Markup XML version")]
    Version,
    /// The root is something else.
    #[error("Invalid root element <{0}>: expected <Response>")]
    Root(String),
}

impl TwimlError {
    /// Twilio's error code.
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::NotWellFormed(_) => 12_100,
            Self::Version => 12_101,
            Self::Root(_) => 12_102,
        }
    }
}
