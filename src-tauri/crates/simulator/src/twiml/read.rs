//! Reads a TwiML document.
//!
//! Verb and attribute names are case-sensitive. A document that is not well-formed (12100), of a
//! wrong XML version (12101) or with another root (12102) ends the call; anything else that is wrong
//! is a warning, and the bad part is skipped or its default used. The attribute lists are those of
//! Twilio's TwiML reference; an attribute Twilio knows but the simulator does not act on is accepted
//! in silence only where ignoring it changes nothing a caller can notice (voice, language, trim).

use std::time::Duration;

use roxmltree::{Document as Xml, Node};

use super::document::{
    CallbackEvent, CallbackRequest, Dial, Document, Method, RejectReason, Target, TwimlError, Verb, Warning,
};

/// Schema warning: an element or attribute that is not known (twilio.com/docs/api/errors/12200).
const SCHEMA_WARNING: u32 = 12_200;
/// At most this many far ends ring at once or in turn (TwiML `<Dial>`).
const MOST_TARGETS: usize = 10;
/// Twilio lets a far end ring this much longer than `timeout` says.
const EXTRA_RINGING: Duration = Duration::from_secs(5);

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
    let verbs = root.children().filter(Node::is_element).filter_map(|node| reader.verb(node)).collect();
    Ok(Document { verbs, warnings: reader.warnings })
}

/// The version in the XML declaration, if there is one.
fn declared_version(text: &str) -> Option<&str> {
    let declaration = text.strip_prefix("<?xml")?.split_once("?>")?.0;
    let value = declaration.split_once("version")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next()?;
    value.get(1..)?.split_once(quote).map(|(version, _)| version)
}

struct Reader {
    warnings: Vec<Warning>,
}

impl Reader {
    fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(Warning { code: SCHEMA_WARNING, text: text.into() });
    }

    fn verb(&mut self, node: Node<'_, '_>) -> Option<Verb> {
        match node.tag_name().name() {
            "Say" => {
                self.known(node, &["voice", "language", "loop"]);
                Some(Verb::Say { text: inner_text(node), loops: self.loops(node) })
            }
            "Play" => {
                self.known(node, &["loop", "digits"]);
                let url = non_empty(inner_text(node));
                let digits = node.attribute("digits").map(str::to_owned);
                if url.is_none() && digits.is_none() {
                    self.warn("<Play> has neither a URL nor digits");
                    return None;
                }
                Some(Verb::Play { url, loops: self.loops(node), digits })
            }
            "Pause" => {
                self.known(node, &["length"]);
                let seconds = self.number(node, "length", 1, 0..=86_400);
                Some(Verb::Pause { length: Duration::from_secs(seconds) })
            }
            "Dial" => Some(Verb::Dial(self.dial(node))),
            "Hangup" => {
                self.known(node, &[]);
                Some(Verb::Hangup)
            }
            "Reject" => {
                self.known(node, &["reason"]);
                let reason = match node.attribute("reason") {
                    None | Some("rejected") => RejectReason::Rejected,
                    Some("busy") => RejectReason::Busy,
                    Some(other) => {
                        self.warn(format!("<Reject> has no reason “{other}”"));
                        RejectReason::Rejected
                    }
                };
                Some(Verb::Reject { reason })
            }
            "Redirect" => {
                self.known(node, &["method"]);
                let method = self.method(node, "method");
                // An empty <Redirect> asks the same document again: a relative reference to itself.
                Some(Verb::Redirect { url: inner_text(node), method })
            }
            known @ ("Gather" | "Record" | "Enqueue" | "Leave" | "Start" | "Stop" | "Connect" | "Refer"
            | "Pay" | "Sms" | "Prompt") => {
                self.warn(format!("the practice Twilio does not play <{known}> yet; it was skipped"));
                None
            }
            other => {
                self.warn(format!("<{other}> is not a TwiML verb"));
                None
            }
        }
    }

    fn dial(&mut self, node: Node<'_, '_>) -> Dial {
        self.known(
            node,
            &[
                "action",
                "method",
                "answerOnBridge",
                "callerId",
                "timeout",
                "timeLimit",
                "hangupOnStar",
                "sequential",
                "record",
                "recordingStatusCallback",
                "recordingStatusCallbackMethod",
                "recordingStatusCallbackEvent",
                "recordingTrack",
                "trim",
                "ringTone",
                "referUrl",
                "referMethod",
                "callReason",
                "recordingConfigurationId",
                "events",
                "passports",
            ],
        );
        if node.attribute("record").is_some_and(|record| record != "do-not-record" && record != "false") {
            self.warn("the practice Twilio does not record yet; the call goes on unrecorded");
        }
        let timeout = self.number(node, "timeout", 30, 5..=600);
        let time_limit = self.number(node, "timeLimit", 14_400, 1..=86_400);
        let mut targets: Vec<Target> = Vec::new();
        if let Some(number) = non_empty(own_text(node)) {
            targets.push(Target::Number { number, send_digits: None, callbacks: CallbackRequest::default() });
        }
        for child in node.children().filter(Node::is_element) {
            let Some(target) = self.target(child) else { continue };
            if targets.len() == MOST_TARGETS {
                self.warn("<Dial> rings at most ten far ends; the rest were skipped");
                break;
            }
            targets.push(target);
        }
        Dial {
            action: node.attribute("action").map(str::to_owned),
            method: self.method(node, "method"),
            answer_on_bridge: self.flag(node, "answerOnBridge"),
            caller_id: node.attribute("callerId").map(|id| id.trim().to_owned()),
            timeout: Duration::from_secs(timeout) + EXTRA_RINGING,
            time_limit: Duration::from_secs(time_limit),
            hangup_on_star: self.flag(node, "hangupOnStar"),
            sequential: self.flag(node, "sequential"),
            targets,
        }
    }

    fn target(&mut self, node: Node<'_, '_>) -> Option<Target> {
        match node.tag_name().name() {
            "Number" => {
                self.known(
                    node,
                    &[
                        "sendDigits",
                        "url",
                        "method",
                        "statusCallback",
                        "statusCallbackMethod",
                        "statusCallbackEvent",
                        "byoc",
                        "machineDetection",
                        "machineDetectionTimeout",
                        "machineDetectionSpeechThreshold",
                        "machineDetectionSpeechEndThreshold",
                        "machineDetectionSilenceTimeout",
                        "amdStatusCallback",
                        "amdStatusCallbackMethod",
                        "phoneNumberSid",
                    ],
                );
                self.whisper(node);
                Some(Target::Number {
                    number: inner_text(node),
                    send_digits: node.attribute("sendDigits").map(str::to_owned),
                    callbacks: self.callbacks(node),
                })
            }
            "Client" => {
                self.known(
                    node,
                    &[
                        "url",
                        "method",
                        "statusCallback",
                        "statusCallbackMethod",
                        "statusCallbackEvent",
                        "clientNotificationUrl",
                    ],
                );
                self.whisper(node);
                let mut identity = non_empty(own_text(node));
                let mut parameters = Vec::new();
                for child in node.children().filter(Node::is_element) {
                    match child.tag_name().name() {
                        "Identity" => identity = non_empty(inner_text(child)),
                        "Parameter" => match (child.attribute("name"), child.attribute("value")) {
                            (Some(name), Some(value)) => parameters.push((name.to_owned(), value.to_owned())),
                            _ => self.warn("<Parameter> needs name and value"),
                        },
                        other => self.warn(format!("<Client> has no element <{other}>")),
                    }
                }
                let Some(identity) = identity else {
                    self.warn("<Client> names nobody");
                    return None;
                };
                Some(Target::Client { identity, parameters, callbacks: self.callbacks(node) })
            }
            known @ ("Sip" | "Conference" | "Queue" | "Application" | "WhatsApp" | "Sim") => {
                self.warn(format!("the practice Twilio does not dial <{known}> yet; it was skipped"));
                None
            }
            other => {
                self.warn(format!("<Dial> has no noun <{other}>"));
                None
            }
        }
    }

    fn whisper(&mut self, node: Node<'_, '_>) {
        if node.attribute("url").is_some_and(|url| !url.is_empty()) {
            self.warn("the practice Twilio does not play a whisper (url) yet; the legs are joined at once");
        }
    }

    fn callbacks(&mut self, node: Node<'_, '_>) -> CallbackRequest {
        let mut events = Vec::new();
        for word in node.attribute("statusCallbackEvent").unwrap_or("completed").split([' ', ',']) {
            match CallbackEvent::from_wire(word) {
                Some(event) => events.push(event),
                None if word.is_empty() => {}
                None => self.warn(format!("statusCallbackEvent has no event “{word}”")),
            }
        }
        CallbackRequest {
            url: node.attribute("statusCallback").map(str::to_owned).and_then(non_empty),
            method: self.method(node, "statusCallbackMethod"),
            events,
        }
    }

    fn known(&mut self, node: Node<'_, '_>, names: &[&str]) {
        for attribute in node.attributes() {
            if !names.contains(&attribute.name()) {
                self.warn(format!("<{}> has no attribute “{}”", node.tag_name().name(), attribute.name()));
            }
        }
    }

    /// `loop`: 1 by default, 0 for without end.
    fn loops(&mut self, node: Node<'_, '_>) -> u32 {
        u32::try_from(self.number(node, "loop", 1, 0..=1000)).unwrap_or(1)
    }

    fn number(
        &mut self,
        node: Node<'_, '_>,
        name: &str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> u64 {
        let Some(text) = node.attribute(name) else { return default };
        match text.trim().parse::<u64>() {
            Ok(value) => value.clamp(*range.start(), *range.end()),
            Err(_) => {
                self.warn(format!("“{name}” must be a whole number; {default} was used"));
                default
            }
        }
    }

    fn flag(&mut self, node: Node<'_, '_>, name: &str) -> bool {
        match node.attribute(name) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.warn(format!("“{name}” must be true or false; false was used"));
                false
            }
        }
    }

    fn method(&mut self, node: Node<'_, '_>, name: &str) -> Method {
        match node.attribute(name) {
            None => Method::Post,
            Some(method) if method.eq_ignore_ascii_case("POST") => Method::Post,
            Some(method) if method.eq_ignore_ascii_case("GET") => Method::Get,
            Some(_) => {
                self.warn(format!("“{name}” must be GET or POST; POST was used"));
                Method::Post
            }
        }
    }
}

/// All text inside, also in nested elements (`<Say>` may hold SSML), with white space folded.
fn inner_text(node: Node<'_, '_>) -> String {
    let all: String = node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect();
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of the element itself, without that of nested elements.
fn own_text(node: Node<'_, '_>) -> String {
    let own: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    own.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn only_dial(text: &str) -> Dial {
        let document = read(text).unwrap();
        match document.verbs.as_slice() {
            [Verb::Dial(dial)] => dial.clone(),
            other => panic!("expected one <Dial>, got {other:?}"),
        }
    }

    #[test]
    fn reads_what_the_gateway_writes_for_an_outgoing_call() {
        let dial = only_dial(
            r#"<?xml version="1.0" encoding="UTF-8"?><Response><Dial callerId="+12025550190" answerOnBridge="true" timeout="25" timeLimit="14400"><Number statusCallback="https://h/leg" statusCallbackEvent="initiated ringing answered completed">+12025550100</Number></Dial></Response>"#,
        );
        assert_eq!(dial.caller_id.as_deref(), Some("+12025550190"));
        assert!(dial.answer_on_bridge);
        assert_eq!(dial.timeout, Duration::from_secs(30), "25 and the five Twilio adds");
        let [Target::Number { number, callbacks, .. }] = dial.targets.as_slice() else { panic!("{dial:?}") };
        assert_eq!(number, "+12025550100");
        assert_eq!(callbacks.events.len(), 4);
    }

    #[test]
    fn reads_a_client_with_parameters() {
        let dial = only_dial(
            r#"<Response><Dial><Client><Identity>agent_1</Identity><Parameter name="caller" value="Zo&#235; &amp; Co"/></Client></Dial></Response>"#,
        );
        assert_eq!(
            dial.targets,
            [Target::Client {
                identity: "agent_1".into(),
                parameters: vec![("caller".into(), "Zoë & Co".into())],
                callbacks: CallbackRequest {
                    url: None,
                    method: Method::Post,
                    events: vec![CallbackEvent::Completed]
                },
            }]
        );
    }

    #[test]
    fn a_plain_number_and_the_bounds_of_timeout() {
        let dial = only_dial("<Response><Dial timeout=\"1\">\n  +12025550100 </Dial></Response>");
        assert_eq!(dial.timeout, Duration::from_secs(10), "at least 5, and 5 more");
        assert!(matches!(&dial.targets[..], [Target::Number { number, .. }] if number == "+12025550100"));
    }

    #[test]
    fn rings_at_most_ten() {
        let nouns = "<Number>+12025550100</Number>".repeat(11);
        let document = read(&format!("<Response><Dial>{nouns}</Dial></Response>")).unwrap();
        assert!(matches!(&document.verbs[..], [Verb::Dial(dial)] if dial.targets.len() == 10));
        assert_eq!(document.warnings.len(), 1);
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
    fn the_unknown_is_skipped_with_a_warning() {
        let document =
            read(r#"<Response><Sing/><Say mood="glad">hi</Say><Dial><Pigeon/></Dial><hangup/></Response>"#)
                .unwrap();
        assert_eq!(document.verbs.len(), 2, "<Say> and an empty <Dial>");
        assert_eq!(document.warnings.len(), 4);
        assert!(document.warnings.iter().all(|warning| warning.code == 12_200));
    }

    #[test]
    fn bad_values_fall_back_to_defaults() {
        let dial = only_dial(
            r#"<Response><Dial timeout="soon" answerOnBridge="yes" method="PUT"><Number>1</Number></Dial></Response>"#,
        );
        assert_eq!(dial.timeout, Duration::from_secs(35));
        assert!(!dial.answer_on_bridge);
        assert_eq!(dial.method, Method::Post);
    }
}
