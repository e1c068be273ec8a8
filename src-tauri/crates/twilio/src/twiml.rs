//! TwiML, written: the documents that tell Twilio what a call should do.
//!
//! Verbs, nouns and attributes are named as in Twilio's TwiML reference; only those with a use are
//! here. Lists inside an attribute are separated by spaces. Every URL is absolute, because Twilio
//! resolves a relative one against the document it last fetched, which is not always ours.
//! Reading TwiML is the simulator's job and lives there.

mod dial;
mod gather;
mod prompt;
mod queue;
mod record;
mod xml;

use url::Url;

pub use dial::{Conference, Dial, DialNoun, DialRecording};
pub use gather::Gather;
pub use prompt::Prompt;
pub use queue::Enqueue;
pub use record::{Record, Transcription};
use xml::Writer;

/// The content type of every document.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// The longest text `<Say>` speaks, in characters; a longer one is cut there.
pub const MAX_SAY_LENGTH: usize = 4_096;

/// `<Response>`: verbs, done one after another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    verbs: Vec<Verb>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// `<Say>`: speaks a text.
    Say {
        /// Spoken, at most [`MAX_SAY_LENGTH`] characters.
        text: String,
        /// BCP 47 tag such as `en-GB`; Twilio's default is `en-US`.
        language: Option<String>,
    },
    /// `<Pause>`: silence.
    Pause {
        /// Seconds.
        length_s: u32,
    },
    /// `<Play>`: plays a recording.
    Play {
        /// The audio file.
        url: Url,
        /// How many times; 0 is without end.
        loops: u32,
    },
    /// `<Play digits>`: presses keys.
    PlayDigits {
        /// `0-9*#`, and `w` for half a second of silence; other characters are left out.
        digits: String,
    },
    /// `<Dial>`: connects the caller to someone else.
    Dial(Dial),
    /// `<Gather>`: waits for keys.
    Gather(Gather),
    /// `<Record>`: records the caller.
    Record(Record),
    /// `<Enqueue>`: puts the caller in a queue.
    Enqueue(Enqueue),
    /// `<Leave>`: takes the caller out of the queue whose wait document this is.
    Leave,
    /// `<Redirect>`: goes on with another document.
    Redirect {
        /// Where to POST.
        url: Url,
    },
    /// `<Hangup>`: ends the call.
    Hangup,
    /// `<Reject>`: declines an unanswered call without cost. Never towards a call of the Voice
    /// SDK, which cannot tell it from a hang-up (twilio-client.js issue 285).
    Reject(RejectReason),
}

/// What the caller of a rejected call hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectReason {
    /// A message that the number is not in service.
    Rejected,
    /// A busy tone.
    Busy,
}

impl Response {
    /// A document without verbs, which ends the call.
    pub fn new() -> Self {
        Self::default()
    }

    /// A document that speaks a sentence and ends the call.
    pub fn say_and_hang_up(text: impl Into<String>) -> Self {
        Self::new().with(Verb::Say { text: text.into(), language: None }).with(Verb::Hangup)
    }

    /// Adds a verb at the end.
    #[must_use]
    pub fn with(mut self, verb: Verb) -> Self {
        self.verbs.push(verb);
        self
    }

    /// The document as text, on one line after the XML declaration.
    pub fn to_xml(&self) -> String {
        let mut xml = Writer::new();
        xml.open("Response");
        for verb in &self.verbs {
            verb.write(&mut xml);
        }
        xml.close("Response");
        xml.finish()
    }
}

impl Verb {
    fn write(&self, xml: &mut Writer) {
        match self {
            Self::Say { text, language } => prompt::say(xml, text, language.as_deref()),
            Self::Pause { length_s } => prompt::pause(xml, *length_s),
            Self::Play { url, loops } => prompt::play(xml, url, *loops),
            Self::PlayDigits { digits } => {
                xml.open("Play");
                xml.attribute("digits", &only("0123456789*#w", digits));
                xml.close("Play");
            }
            Self::Dial(dial) => dial.write(xml),
            Self::Gather(gather) => gather.write(xml),
            Self::Record(record) => record.write(xml),
            Self::Enqueue(enqueue) => enqueue.write(xml),
            Self::Leave => xml.empty("Leave"),
            Self::Redirect { url } => {
                xml.open("Redirect");
                xml.attribute("method", "POST");
                xml.text(url.as_str());
                xml.close("Redirect");
            }
            Self::Hangup => xml.empty("Hangup"),
            Self::Reject(reason) => {
                xml.open("Reject");
                xml.attribute(
                    "reason",
                    match reason {
                        RejectReason::Rejected => "rejected",
                        RejectReason::Busy => "busy",
                    },
                );
                xml.close("Reject");
            }
        }
    }
}

/// Adds where to tell of a recording, and all there is to tell.
fn recording_report_to(xml: &mut Writer, callback: Option<&Url>) {
    if let Some(url) = callback {
        xml.attribute("recordingStatusCallback", url.as_str());
        xml.attribute("recordingStatusCallbackEvent", "in-progress completed absent");
    }
}

/// The keys of a telephone in `text`; `keys` are those that mean something where they are written.
fn only(keys: &str, text: &str) -> String {
    text.chars().filter(|key| keys.contains(*key)).collect()
}
