//! Where a document is played, and which verbs are allowed there.

use crate::twiml::Verb;

/// Where a document is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    Call,
    /// `waitUrl` of `<Enqueue>` (TwiML `<Enqueue>` lists the verbs).
    QueueWait,
    /// `url` of `<Queue>` (TwiML `<Queue>` lists the verbs).
    QueueWhisper,
    /// `url` of `<Number>`, `<Client>` or `<Sip>`.
    Whisper,
}

impl Scene {
    /// Why a verb is not played here: Twilio's code and a text.
    pub(super) fn refuses(self, verb: &Verb) -> Option<(u32, &'static str)> {
        let sound =
            matches!(verb, Verb::Say { .. } | Verb::Play { .. } | Verb::Sound(_) | Verb::Pause { .. });
        let allowed = sound
            || match self {
                Self::Call => !matches!(verb, Verb::Leave),
                Self::QueueWait => {
                    matches!(verb, Verb::Hangup | Verb::Redirect { .. } | Verb::Leave | Verb::Gather(_))
                }
                Self::QueueWhisper => matches!(verb, Verb::Redirect { .. }),
                Self::Whisper => matches!(verb, Verb::Gather(_) | Verb::Hangup),
            };
        match (allowed, self, verb) {
            (true, ..) => None,
            (false, Self::Whisper, Verb::Dial(_)) => {
                Some((13_201, "Dial: Cannot Dial out from a Dial Call Segment"))
            }
            (false, Self::Call, _) => Some((12_200, "<Leave> is for callers in a queue; it was skipped")),
            (false, ..) => {
                Some((12_200, "the document holds a verb that is not played here; it was skipped"))
            }
        }
    }
}
