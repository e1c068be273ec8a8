//! Reads `<Conference>`.

use dialer_domain::sid::CallSid;
use roxmltree::Node;

use super::dial::{Beep, ConferenceEvent, ConferenceNoun};
use super::reader::{Reader, SCHEMA_WARNING, inner_text, non_empty, text_of};

/// Most participants of a conference.
const MOST_PARTICIPANTS: u64 = 250;
/// Longest `participantLabel` (twilio.com/docs/api/errors/16024).
const LONGEST_LABEL: usize = 128;

impl Reader {
    pub(super) fn conference(&mut self, node: Node<'_, '_>) -> Option<ConferenceNoun> {
        self.known(
            node,
            &[
                "muted",
                "beep",
                "startConferenceOnEnter",
                "endConferenceOnExit",
                "waitUrl",
                "waitMethod",
                "maxParticipants",
                "record",
                "trim",
                "coach",
                "participantLabel",
                "jitterBufferSize",
                "region",
                "statusCallback",
                "statusCallbackMethod",
                "statusCallbackEvent",
                "eventCallbackUrl",
                "recordingStatusCallback",
                "recordingStatusCallbackMethod",
                "recordingStatusCallbackEvent",
            ],
        );
        let Some(name) = non_empty(inner_text(node)) else {
            self.warn(13_237, "<Conference> has no name; it was skipped");
            return None;
        };
        let events = node.attribute("statusCallbackEvent").unwrap_or_default();
        let most =
            self.number(node, "maxParticipants", MOST_PARTICIPANTS, 2..=MOST_PARTICIPANTS, SCHEMA_WARNING);
        Some(ConferenceNoun {
            name,
            muted: self.flag(node, "muted", false, 13_230),
            beep: self.beep(node),
            start_on_enter: self.flag(node, "startConferenceOnEnter", true, 13_232),
            end_on_exit: self.flag(node, "endConferenceOnExit", false, 13_231),
            wait_url: node.attribute("waitUrl").map(|url| url.trim().to_owned()),
            wait_method: self.method(node, "waitMethod", 13_234),
            max_participants: usize::try_from(most).unwrap_or(usize::MAX),
            record: self.conference_record(node),
            trim: self.trim(node, true, 13_239),
            coach: text_of(node, "coach"),
            participant_label: self.participant_label(node),
            status_callback: text_of(node, "statusCallback"),
            status_callback_method: self.method(node, "statusCallbackMethod", SCHEMA_WARNING),
            status_callback_events: self.words(
                "statusCallbackEvent",
                events,
                SCHEMA_WARNING,
                ConferenceEvent::from_wire,
            ),
            recording_callbacks: self.recording_callbacks(node),
        })
    }

    fn beep(&mut self, node: Node<'_, '_>) -> Beep {
        match node.attribute("beep") {
            None | Some("true") => Beep::Both,
            Some("false") => Beep::Never,
            Some("onEnter") => Beep::OnEnter,
            Some("onExit") => Beep::OnExit,
            Some(_) => {
                self.warn(13_235, "“beep” must be true, false, onEnter or onExit; true was used");
                Beep::Both
            }
        }
    }

    fn conference_record(&mut self, node: Node<'_, '_>) -> bool {
        match node.attribute("record") {
            None | Some("do-not-record" | "false") => false,
            Some("record-from-start" | "true") => true,
            Some(_) => {
                self.warn(SCHEMA_WARNING, "“record” must be do-not-record or record-from-start");
                false
            }
        }
    }

    /// A label has at most 128 characters, is no CallSid and has no slash.
    fn participant_label(&mut self, node: Node<'_, '_>) -> Option<String> {
        text_of(node, "participantLabel").filter(|label| {
            let valid = label.chars().count() <= LONGEST_LABEL
                && CallSid::parse(label).is_err()
                && !label.contains('/');
            if !valid {
                self.warn(
                    16_024,
                    "“participantLabel” is too long, a CallSid, or has a slash; it was left out",
                );
            }
            valid
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::super::dial::Destination;
    use super::super::document::Verb;
    use super::super::read::read;
    use super::*;

    fn conference(text: &str) -> (ConferenceNoun, Vec<u32>) {
        let document = read(&format!("<Response><Dial>{text}</Dial></Response>")).unwrap();
        let codes = document.warnings.iter().map(|warning| warning.code).collect();
        let [Verb::Dial(dial)] = &document.verbs[..] else { panic!("{document:?}") };
        let Destination::Conference(noun) = &dial.destination else { panic!("{dial:?}") };
        ((**noun).clone(), codes)
    }

    #[test]
    fn reads_a_conference_as_the_gateway_writes_it() {
        let (noun, codes) = conference(
            r#"<Conference participantLabel="agent" startConferenceOnEnter="true" endConferenceOnExit="false" beep="false" waitUrl="" record="record-from-start" statusCallback="/c" statusCallbackEvent="start end join leave mute hold">c-7f3a</Conference>"#,
        );
        assert_eq!(codes, [0; 0]);
        assert_eq!(
            (noun.name.as_str(), noun.beep, noun.wait_url.as_deref()),
            ("c-7f3a", Beep::Never, Some(""))
        );
        assert!(noun.record && noun.trim && noun.start_on_enter && !noun.end_on_exit && !noun.muted);
        assert_eq!(noun.participant_label.as_deref(), Some("agent"));
        assert_eq!((noun.status_callback_events.len(), noun.max_participants), (6, 250));
    }

    #[test]
    fn bad_values_have_their_codes_and_fall_back_to_defaults() {
        let (noun, codes) = conference(
            r#"<Conference muted="x" beep="x" startConferenceOnEnter="x" endConferenceOnExit="x" waitMethod="x" trim="x" participantLabel="a/b">r</Conference>"#,
        );
        assert_eq!(codes, [13_230, 13_235, 13_232, 13_231, 13_234, 13_239, 16_024]);
        assert_eq!((noun.muted, noun.start_on_enter, noun.participant_label), (false, true, None));
    }
}
