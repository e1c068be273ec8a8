//! TwiML, written: the documents that tell Twilio what a call should do.
//!
//! Verbs, nouns and attributes are named as in Twilio's TwiML reference; only those with a use are
//! here. Lists inside an attribute are separated by spaces. Every URL is absolute, because Twilio
//! resolves a relative one against the document it last fetched, which is not always ours.
//! Reading TwiML is the simulator's job and lives there.

mod xml;

use dialer_domain::identity::ClientIdentity;
use dialer_domain::phone_number::E164;
use url::Url;

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

/// `<Dial>`. The first party to answer is connected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dial {
    /// Shown to the called party. Required when the caller is a client: without it 13214.
    pub caller_id: Option<E164>,
    /// Keeps the caller ringing until the called party answers, instead of answering at once. Works
    /// only in the first verb of a document.
    pub answer_on_bridge: bool,
    /// How long the called party rings, in seconds, 5 to 600; Twilio adds five.
    pub timeout_s: Option<u32>,
    /// The longest conversation, in seconds.
    pub time_limit_s: Option<u32>,
    /// Where Twilio asks how to go on once the other leg has ended.
    pub action: Option<Url>,
    /// Whom to call.
    pub nouns: Vec<DialNoun>,
}

/// Whom a [`Dial`] calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialNoun {
    /// `<Number>`: a telephone.
    Number {
        /// The number.
        number: E164,
        /// Where to tell of the leg.
        status_callback: Option<Url>,
    },
    /// `<Client>`: the Voice SDK, wherever it is signed in under this identity.
    Client {
        /// The identity.
        identity: ClientIdentity,
        /// Name and value of what the SDK gets as custom parameters.
        parameters: Vec<(String, String)>,
        /// Where to tell of the leg.
        status_callback: Option<Url>,
    },
}

/// Every event of a leg that Twilio can tell of.
const STATUS_EVENTS: &str = "initiated ringing answered completed";

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
            Self::Say { text, language } => {
                xml.open("Say");
                xml.optional("language", language.as_deref());
                xml.text(text.char_indices().nth(MAX_SAY_LENGTH).map_or(text, |(end, _)| &text[..end]));
                xml.close("Say");
            }
            Self::Pause { length_s } => {
                xml.open("Pause");
                xml.attribute("length", &length_s.to_string());
                xml.close("Pause");
            }
            Self::Play { url, loops } => {
                xml.open("Play");
                xml.attribute("loop", &loops.to_string());
                xml.text(url.as_str());
                xml.close("Play");
            }
            Self::PlayDigits { digits } => {
                let keys: String =
                    digits.chars().filter(|key| matches!(key, '0'..='9' | '*' | '#' | 'w')).collect();
                xml.open("Play");
                xml.attribute("digits", &keys);
                xml.close("Play");
            }
            Self::Dial(dial) => dial.write(xml),
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

impl Dial {
    fn write(&self, xml: &mut Writer) {
        xml.open("Dial");
        xml.optional("callerId", self.caller_id.as_ref().map(E164::as_str));
        if self.answer_on_bridge {
            xml.attribute("answerOnBridge", "true");
        }
        xml.optional("timeout", self.timeout_s.map(|seconds| seconds.to_string()).as_deref());
        xml.optional("timeLimit", self.time_limit_s.map(|seconds| seconds.to_string()).as_deref());
        xml.optional("action", self.action.as_ref().map(Url::as_str));
        for noun in &self.nouns {
            noun.write(xml);
        }
        xml.close("Dial");
    }
}

impl DialNoun {
    fn write(&self, xml: &mut Writer) {
        match self {
            Self::Number { number, status_callback } => {
                xml.open("Number");
                report_to(xml, status_callback.as_ref());
                xml.text(number.as_str());
                xml.close("Number");
            }
            Self::Client { identity, parameters, status_callback } => {
                xml.open("Client");
                report_to(xml, status_callback.as_ref());
                xml.open("Identity");
                xml.text(identity.as_str());
                xml.close("Identity");
                for (name, value) in parameters {
                    xml.open("Parameter");
                    xml.attribute("name", name);
                    xml.attribute("value", value);
                    xml.close("Parameter");
                }
                xml.close("Client");
            }
        }
    }
}

fn report_to(xml: &mut Writer, status_callback: Option<&Url>) {
    if let Some(url) = status_callback {
        xml.attribute("statusCallback", url.as_str());
        xml.attribute("statusCallbackEvent", STATUS_EVENTS);
    }
}
