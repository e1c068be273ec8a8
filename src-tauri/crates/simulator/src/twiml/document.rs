//! A TwiML document after reading: only what the simulator plays, with Twilio's defaults filled in.

use std::time::Duration;

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
    Dial(Dial),
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
    pub(crate) targets: Vec<Target>,
}

/// Whom to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Number { number: String, send_digits: Option<String>, callbacks: CallbackRequest },
    Client { identity: String, parameters: Vec<(String, String)>, callbacks: CallbackRequest },
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
