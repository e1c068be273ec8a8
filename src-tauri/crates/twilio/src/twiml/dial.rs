//! `<Dial>`: whom a call is connected to.

use dialer_domain::identity::ClientIdentity;
use dialer_domain::phone_number::E164;
use dialer_domain::sip_uri::SipUri;
use url::Url;

use super::xml::Writer;
use super::{only, recording_report_to};

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
    /// Whether the conversation is recorded.
    pub recording: Option<DialRecording>,
    /// Where Twilio asks how to go on once the other leg has ended.
    pub action: Option<Url>,
    /// Whom to call: up to ten numbers and clients, or one of the others.
    pub nouns: Vec<DialNoun>,
}

/// How a [`Dial`] is recorded: each side on a channel of its own, from the answer on. The recording
/// belongs to the leg that dials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialRecording {
    /// Where to tell of the recording.
    pub status_callback: Option<Url>,
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
    /// `<Number>`: an emergency number, which is dialled as it is and has no international form.
    Emergency {
        /// Such as `112`; anything but digits is left out.
        number: String,
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
    /// `<Sip>`: a telephone or an exchange on the internet.
    Sip {
        /// The address.
        uri: SipUri,
        /// Where to tell of the leg.
        status_callback: Option<Url>,
    },
    /// `<Queue>`: whoever has waited longest, or the first to come while it rings.
    Queue {
        /// The queue, as in [`Enqueue`](super::Enqueue).
        name: String,
        /// What the one who waited hears before they are connected.
        url: Option<Url>,
    },
    /// `<Conference>`: a room, which comes to be when the first one enters it.
    Conference(Conference),
}

/// `<Conference>`. No tone is heard when somebody enters or leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conference {
    /// The room, known in the whole account; no personal data.
    pub name: String,
    /// Whom this leg is called in the room, at most 128 characters.
    pub participant_label: Option<String>,
    /// Whether the conversation begins when this leg enters.
    pub start_on_enter: bool,
    /// Whether the conversation is over when this leg leaves. False for a leg that may pass its call on.
    pub end_on_exit: bool,
    /// What is heard until the conversation begins; silence when absent.
    pub wait_url: Option<Url>,
    /// Where to tell of the room. Fixed by the first leg to enter.
    pub status_callback: Option<Url>,
}

/// Every event of a leg that Twilio can tell of.
const LEG_EVENTS: &str = "initiated ringing answered completed";
/// Every event of a room but those about who speaks and what is announced.
const ROOM_EVENTS: &str = "start end join leave mute hold";

impl Dial {
    pub(super) fn write(&self, xml: &mut Writer) {
        xml.open("Dial");
        xml.optional("callerId", self.caller_id.as_ref().map(E164::as_str));
        if self.answer_on_bridge {
            xml.attribute("answerOnBridge", "true");
        }
        xml.number("timeout", self.timeout_s);
        xml.number("timeLimit", self.time_limit_s);
        if let Some(recording) = &self.recording {
            xml.attribute("record", "record-from-answer-dual");
            recording_report_to(xml, recording.status_callback.as_ref());
        }
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
                leg(xml, "Number", number.as_str(), status_callback.as_ref());
            }
            Self::Emergency { number, status_callback } => {
                leg(xml, "Number", &only("0123456789", number), status_callback.as_ref());
            }
            Self::Client { identity, parameters, status_callback } => {
                xml.open("Client");
                report_to(xml, status_callback.as_ref(), LEG_EVENTS);
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
            Self::Sip { uri, status_callback } => leg(xml, "Sip", uri.as_str(), status_callback.as_ref()),
            Self::Queue { name, url } => {
                xml.open("Queue");
                xml.optional("url", url.as_ref().map(Url::as_str));
                xml.text(name);
                xml.close("Queue");
            }
            Self::Conference(conference) => conference.write(xml),
        }
    }
}

impl Conference {
    fn write(&self, xml: &mut Writer) {
        let flag = |flag| if flag { "true" } else { "false" };
        xml.open("Conference");
        xml.optional("participantLabel", self.participant_label.as_deref());
        xml.attribute("startConferenceOnEnter", flag(self.start_on_enter));
        xml.attribute("endConferenceOnExit", flag(self.end_on_exit));
        xml.attribute("beep", "false");
        xml.attribute("waitUrl", self.wait_url.as_ref().map_or("", Url::as_str));
        report_to(xml, self.status_callback.as_ref(), ROOM_EVENTS);
        xml.text(&self.name);
        xml.close("Conference");
    }
}

fn leg(xml: &mut Writer, name: &'static str, address: &str, status_callback: Option<&Url>) {
    xml.open(name);
    report_to(xml, status_callback, LEG_EVENTS);
    xml.text(address);
    xml.close(name);
}

fn report_to(xml: &mut Writer, status_callback: Option<&Url>, events: &str) {
    if let Some(url) = status_callback {
        xml.attribute("statusCallback", url.as_str());
        xml.attribute("statusCallbackEvent", events);
    }
}
