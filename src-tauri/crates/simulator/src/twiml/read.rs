//! Reads a TwiML document.
//!
//! Verb and attribute names are case-sensitive. A document that is not well-formed (12100), of a
//! wrong XML version (12101) or with another root (12102) ends the call; anything else that is wrong
//! is a warning, and the bad part is skipped or its default used. The attribute lists are those of
//! Twilio's TwiML reference, the codes those of its list of errors (twilio.com/docs/api/errors); where
//! that has none for a value, it is 12200. An attribute Twilio knows but the simulator does not act on is
//! accepted in silence only where ignoring it changes nothing a caller can notice (voice, language, hints).

use roxmltree::{Document as Xml, Node};

use super::document::{CallRecording, Document, Enqueue, RejectReason, TwimlError, Verb};
use super::reader::{Reader, SCHEMA_WARNING, inner_text, non_empty, own_text, text_of};

/// Longest name of a queue (TwiML `<Enqueue>`).
pub(super) const LONGEST_QUEUE_NAME: usize = 64;
/// Longest text of `<Say>`, in characters.
const LONGEST_SPEECH: usize = 4_096;

/// Reads `text`, or says why it cannot be played.
pub(crate) fn read(text: &str) -> Result<Document, TwimlError> {
    if text.starts_with('\u{feff}') {
        return Err(TwimlError::NotWellFormed("a byte order mark stands before the document".into()));
    }
    if declared_version(text).is_some_and(|version| version != "1.0") {
        return Err(TwimlError::Version);
    }
    let xml = Xml::parse(text).map_err(|problem| TwimlError::NotWellFormed(problem.to_string()))?;
    let root = xml.root_element();
    if root.tag_name().name() != "Response" {
        return Err(TwimlError::Root(root.tag_name().name().to_owned()));
    }
    let mut reader = Reader { warnings: Vec::new() };
    let mut verbs = Vec::new();
    for node in root.children().filter(Node::is_element) {
        reader.verb(node, &mut verbs);
    }
    Ok(Document { verbs, warnings: reader.warnings })
}

/// The version in the XML declaration, if there is one.
fn declared_version(text: &str) -> Option<&str> {
    let declaration = text.strip_prefix("<?xml")?.split_once("?>")?.0;
    let value = declaration.split_once("version")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split_once(quote).map(|(version, _)| version)
}

impl Reader {
    /// Reads one verb; `<Start>` and `<Stop>` may hold several.
    fn verb(&mut self, node: Node<'_, '_>, verbs: &mut Vec<Verb>) {
        let verb = match node.tag_name().name() {
            "Say" | "Play" | "Pause" => self.prompt(node),
            "Dial" => Some(Verb::Dial(Box::new(self.dial(node)))),
            "Gather" => Some(Verb::Gather(self.gather(node))),
            "Record" => Some(Verb::Record(self.record(node))),
            "Enqueue" => self.enqueue(node).map(Verb::Enqueue),
            "Leave" => {
                self.known(node, &[]);
                Some(Verb::Leave)
            }
            "Start" => return self.start(node, verbs),
            "Stop" => return self.stop(node, verbs),
            "Hangup" => {
                self.known(node, &[]);
                Some(Verb::Hangup)
            }
            "Reject" => Some(Verb::Reject { reason: self.reject(node) }),
            "Redirect" => {
                self.known(node, &["method"]);
                let method = self.method(node, "method", 13_710);
                // An empty <Redirect> asks the same document again: a relative reference to itself.
                Some(Verb::Redirect { url: inner_text(node), method })
            }
            known @ ("Connect" | "Refer" | "Pay" | "Sms" | "Prompt") => {
                let text = format!("the practice Twilio does not play <{known}>; it was skipped");
                self.warn(SCHEMA_WARNING, text);
                None
            }
            other => {
                self.warn(SCHEMA_WARNING, format!("<{other}> is not a TwiML verb"));
                None
            }
        };
        verbs.extend(verb);
    }

    /// `<Say>`, `<Play>` or `<Pause>`: what may also stand inside `<Gather>`.
    pub(super) fn prompt(&mut self, node: Node<'_, '_>) -> Option<Verb> {
        match node.tag_name().name() {
            "Say" => {
                self.known(node, &["voice", "language", "loop"]);
                let mut text = inner_text(node);
                if text.is_empty() {
                    self.warn(13_520, "<Say> says nothing");
                }
                if let Some((end, _)) = text.char_indices().nth(LONGEST_SPEECH) {
                    self.warn(
                        13_521,
                        format!("<Say> says at most {LONGEST_SPEECH} characters; the rest was cut off"),
                    );
                    text.truncate(end);
                }
                Some(Verb::Say { text, loops: self.loops(node, 13_510) })
            }
            "Play" => {
                self.known(node, &["loop", "digits"]);
                let url = non_empty(inner_text(node));
                let digits = node.attribute("digits").map(str::to_owned);
                if digits.as_deref().is_some_and(|digits| !digits.chars().all(is_dialled)) {
                    self.warn(13_430, "“digits” may hold 0-9, A-D, *, #, w and W");
                }
                if url.is_none() && digits.is_none() {
                    self.warn(SCHEMA_WARNING, "<Play> has neither a URL nor digits");
                    return None;
                }
                Some(Verb::Play { url, loops: self.loops(node, 13_410), digits })
            }
            "Pause" => {
                self.known(node, &["length"]);
                Some(Verb::Pause { length: self.seconds(node, "length", 1, 0..=86_400, 13_910) })
            }
            _ => None,
        }
    }

    fn reject(&mut self, node: Node<'_, '_>) -> RejectReason {
        self.known(node, &["reason"]);
        match node.attribute("reason") {
            None | Some("rejected") => RejectReason::Rejected,
            Some("busy") => RejectReason::Busy,
            Some(other) => {
                self.warn(13_810, format!("<Reject> has no reason “{other}”"));
                RejectReason::Rejected
            }
        }
    }

    fn enqueue(&mut self, node: Node<'_, '_>) -> Option<Enqueue> {
        self.known(
            node,
            &["action", "method", "waitUrl", "waitUrlMethod", "maxQueueSize", "workflowSid", "name"],
        );
        let tasks = node.children().any(|child| child.tag_name().name() == "Task");
        if tasks || node.attribute("workflowSid").is_some() {
            self.warn(14_220, "the practice Twilio has no TaskRouter; <Enqueue> was skipped");
            return None;
        }
        let name = non_empty(own_text(node)).or_else(|| text_of(node, "name"));
        let size = self.number(node, "maxQueueSize", 0, 1..=5_000, SCHEMA_WARNING);
        Some(Enqueue {
            name: self.queue_name(name, 14_204, 14_205),
            wait_url: node.attribute("waitUrl").map(|url| url.trim().to_owned()),
            wait_method: self.method(node, "waitUrlMethod", 14_206),
            action: text_of(node, "action"),
            method: self.method(node, "method", 14_201),
            max_queue_size: usize::try_from(size).ok().filter(|size| *size > 0),
        })
    }

    /// A name a queue may have.
    pub(super) fn queue_name(&mut self, name: Option<String>, none: u32, too_long: u32) -> Option<String> {
        match name {
            None => {
                self.warn(none, "no queue is named");
                None
            }
            Some(name) if name.chars().count() > LONGEST_QUEUE_NAME => {
                let text = format!("the name of a queue has at most {LONGEST_QUEUE_NAME} characters");
                self.warn(too_long, text);
                None
            }
            Some(name) => Some(name),
        }
    }

    fn start(&mut self, node: Node<'_, '_>, verbs: &mut Vec<Verb>) {
        self.known(node, &["action", "method"]);
        for child in node.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "Recording" => verbs.push(Verb::StartRecording(self.recording(child))),
                known @ ("Stream" | "Siprec" | "Transcription") => {
                    self.warn(SCHEMA_WARNING, format!("the practice Twilio does not start a <{known}>"));
                }
                other => self.warn(14_300, format!("<Start> has no noun <{other}>")),
            }
        }
    }

    fn recording(&mut self, node: Node<'_, '_>) -> CallRecording {
        self.known(
            node,
            &[
                "name",
                "recordingStatusCallback",
                "recordingStatusCallbackMethod",
                "recordingStatusCallbackEvent",
                "trim",
                "track",
                "channels",
                "recordingConfigurationId",
            ],
        );
        let dual = match node.attribute("channels") {
            None | Some("dual") => true,
            Some("mono") => false,
            Some(_) => {
                self.warn(SCHEMA_WARNING, "“channels” must be mono or dual; dual was used");
                true
            }
        };
        CallRecording {
            name: text_of(node, "name"),
            dual,
            track: self.track(node, "track"),
            trim: self.trim(node, true, 13_699),
            callbacks: self.recording_callbacks(node),
        }
    }

    fn stop(&mut self, node: Node<'_, '_>, verbs: &mut Vec<Verb>) {
        self.known(node, &[]);
        for child in node.children().filter(Node::is_element) {
            match (child.tag_name().name(), text_of(child, "name")) {
                ("Recording", Some(name)) => verbs.push(Verb::StopRecording { name }),
                ("Recording", None) => self.warn(SCHEMA_WARNING, "<Stop><Recording> needs a name"),
                (other, _) => {
                    self.warn(SCHEMA_WARNING, format!("the practice Twilio does not stop a <{other}>"));
                }
            }
        }
    }
}

/// Whether a character can be dialled, or waits.
pub(super) fn is_dialled(digit: char) -> bool {
    matches!(digit, '0'..='9' | 'A'..='D' | 'a'..='d' | '*' | '#' | 'w' | 'W')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use proptest::prelude::*;

    use super::super::document::{Method, Track};
    use super::*;

    /// The only verb of a document, and the codes of its warnings.
    fn only(text: &str) -> (Verb, Vec<u32>) {
        let document = read(&format!("<Response>{text}</Response>")).unwrap();
        let codes = document.warnings.iter().map(|warning| warning.code).collect();
        let mut verbs = document.verbs.into_iter();
        let verb = verbs.next().unwrap();
        assert_eq!(verbs.next(), None, "{text}");
        (verb, codes)
    }

    #[test]
    fn fatal_documents_have_their_codes() {
        for (text, code) in [
            ("", 12_100),
            ("<Response>", 12_100),
            ("hello<Response/>", 12_100),
            ("\u{feff}<Response/>", 12_100),
            ("<!DOCTYPE x [<!ENTITY a \"b\">]><Response>&a;</Response>", 12_100),
            ("<?xml version=\"1.1\"?><Response/>", 12_101),
            ("<response/>", 12_102),
            ("<html><body>Bad gateway</body></html>", 12_102),
        ] {
            assert_eq!(read(text).map_err(|error| error.code()).unwrap_err(), code, "{text:?}");
        }
    }

    #[test]
    fn what_the_product_writes_is_read_without_a_warning() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../twilio/tests/golden");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "xml") {
                let document = read(&std::fs::read_to_string(&path).unwrap()).unwrap();
                assert_eq!(document.warnings, [], "{}", path.display());
                count += 1;
            }
        }
        assert!(count >= 10, "{count} documents");
    }

    #[test]
    fn the_unknown_is_skipped_with_a_warning() {
        let document =
            read(r#"<Response><Sing/><Say mood="glad">hi</Say><Dial><Pigeon/></Dial><hangup/></Response>"#)
                .unwrap();
        assert_eq!(document.verbs.len(), 2, "<Say> and an empty <Dial>");
        let codes: Vec<u32> = document.warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, [12_200, 12_200, 13_215, 12_200]);
    }

    #[test]
    fn reads_a_queue_and_what_is_wrong_with_one() {
        let enqueue = |text: &str| match only(text) {
            (Verb::Enqueue(enqueue), codes) => (enqueue, codes),
            other => panic!("expected <Enqueue>, got {other:?}"),
        };
        let (queue, codes) = enqueue(
            "<Enqueue waitUrl=\"\" waitUrlMethod=\"GET\" action=\"/a\" maxQueueSize=\"3\"> support </Enqueue>",
        );
        assert!(codes.is_empty());
        assert_eq!((queue.name.as_deref(), queue.wait_url.as_deref()), (Some("support"), Some("")));
        assert_eq!((queue.wait_method, queue.max_queue_size), (Method::Get, Some(3)));
        let (nameless, codes) = enqueue("<Enqueue method=\"x\" waitUrlMethod=\"x\"/>");
        assert_eq!((nameless.name, codes), (None, vec![14_204, 14_206, 14_201]));
        let (_, codes) = enqueue(&format!("<Enqueue>{}</Enqueue>", "n".repeat(65)));
        assert_eq!(codes, [14_205]);
        let task = read("<Response><Enqueue workflowSid=\"WW1\"/></Response>").unwrap();
        assert_eq!((task.verbs, task.warnings[0].code), (Vec::new(), 14_220));
    }

    #[test]
    fn recordings_are_started_and_stopped_by_name() {
        let text = r#"<Response><Start><Recording name="r" channels="mono" track="inbound" trim="do-not-trim" recordingStatusCallback="/r"/><Tape/></Start><Stop><Recording name="r"/><Recording/></Stop></Response>"#;
        let document = read(text).unwrap();
        let [Verb::StartRecording(started), Verb::StopRecording { name }] = &document.verbs[..] else {
            panic!("{document:?}")
        };
        assert_eq!((started.name.as_deref(), name.as_str()), (Some("r"), "r"));
        assert_eq!((started.dual, started.track, started.trim), (false, Track::Inbound, false));
        let codes: Vec<u32> = document.warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, [14_300, 12_200]);
    }

    #[test]
    fn speech_is_not_endless() {
        let (said, codes) = only(&format!("<Say>{}</Say>", "ä".repeat(5_000)));
        assert!(matches!(said, Verb::Say { text, .. } if text.chars().count() == 4_096));
        assert_eq!(codes, [13_521]);
    }

    /// Something like TwiML: known names in any place, with any values.
    fn twiml_like() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec![
            "Say",
            "Play",
            "Pause",
            "Dial",
            "Gather",
            "Record",
            "Enqueue",
            "Leave",
            "Start",
            "Stop",
            "Recording",
            "Number",
            "Client",
            "Identity",
            "Parameter",
            "Sip",
            "Queue",
            "Conference",
            "Application",
            "Redirect",
            "Reject",
            "Hangup",
            "Task",
            "x",
        ]);
        let attribute = (
            prop::sample::select(vec![
                "action",
                "method",
                "timeout",
                "numDigits",
                "finishOnKey",
                "input",
                "maxLength",
                "loop",
                "length",
                "record",
                "trim",
                "name",
                "value",
                "url",
                "waitUrl",
                "beep",
                "participantLabel",
                "sendDigits",
                "speechTimeout",
                "maxQueueSize",
                "channels",
                "statusCallbackEvent",
                "digits",
                "y",
            ]),
            "[^<>&\"]{0,12}|[0-9]{1,25}|-?[0-9]{1,3}",
        );
        let attributes = prop::collection::btree_map(attribute.0, attribute.1, 0..5);
        let written = |name: &str, attributes: &std::collections::BTreeMap<&str, String>, inside: &str| {
            let attributes: String =
                attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
            format!("<{name}{attributes}>{inside}</{name}>")
        };
        let leaf = (name.clone(), attributes.clone(), "[^<>&]{0,20}|sip:[^<>&]{0,20}")
            .prop_map(move |(name, attributes, text)| written(name, &attributes, &text));
        let tree = leaf.prop_recursive(4, 24, 5, move |inner| {
            (name.clone(), attributes.clone(), prop::collection::vec(inner, 0..5))
                .prop_map(move |(name, attributes, inside)| written(name, &attributes, &inside.concat()))
        });
        prop::collection::vec(tree, 0..5).prop_map(|verbs| format!("<Response>{}</Response>", verbs.concat()))
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>(), markup in "[<>/?!\\[\\]=\"'&;#a-zA-Z ]{0,80}") {
            let _ = read(&text);
            let _ = read(&markup);
            let _ = read(&format!("<?xml {text}"));
        }

        #[test]
        fn whatever_looks_like_twiml_is_read(text in twiml_like()) {
            // Characters XML has no place for are the only reason left to refuse it.
            match read(&text) {
                Ok(_) => {}
                Err(TwimlError::NotWellFormed(problem)) => {
                    let no_xml = |c: char| c.is_control() || c > '\u{d7ff}';
                    prop_assert!(text.chars().any(no_xml), "{}", problem);
                }
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }
}
