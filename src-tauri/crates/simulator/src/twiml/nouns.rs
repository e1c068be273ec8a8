//! Reads `<Dial>` and its nouns.

use std::time::Duration;

use dialer_domain::sid::TwimlAppSid;
use roxmltree::Node;

use super::dial::{ApplicationNoun, Destination, Dial, DialRecording, QueueNoun, Target, Whisper};
use super::document::{CallRecording, CallbackRequest};
use super::read::is_dialled;
use super::reader::{Reader, SCHEMA_WARNING, inner_text, non_empty, own_text, text_of};

/// At most this many far ends ring at once or in turn (TwiML `<Dial>`).
const MOST_TARGETS: usize = 10;
/// Twilio lets a far end ring this much longer than `timeout` says.
const EXTRA_RINGING: Duration = Duration::from_secs(5);
/// A SIP URI is shorter than this, in characters (TwiML `<Sip>`).
const SIP_URI_LIMIT: usize = 255;
/// All headers together are shorter than this (TwiML `<Sip>`).
const SIP_HEADERS_LIMIT: usize = 1_024;
/// Headers that may be sent besides `X-…` (TwiML `<Sip>`), in lower case.
const SIP_HEADERS: [&str; 4] =
    ["user-to-user", "remote-party-id", "p-preferred-identity", "p-called-party-id"];
/// Longest `customerId` (TwiML `<Application>`).
const LONGEST_CUSTOMER: usize = 256;

/// `<Dial>: Invalid nested element` (twilio.com/docs/api/errors/13215).
const NESTED: u32 = 13_215;

impl Reader {
    pub(super) fn dial(&mut self, node: Node<'_, '_>) -> Dial {
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
        Dial {
            action: text_of(node, "action"),
            method: self.method(node, "method", 13_210),
            answer_on_bridge: self.flag(node, "answerOnBridge", false, 13_219),
            caller_id: node.attribute("callerId").map(|id| id.trim().to_owned()),
            timeout: self.seconds(node, "timeout", 30, 5..=600, 13_212) + EXTRA_RINGING,
            time_limit: self.seconds(node, "timeLimit", 14_400, 1..=86_400, 13_216),
            hangup_on_star: self.flag(node, "hangupOnStar", false, 13_213),
            sequential: self.flag(node, "sequential", false, 13_218),
            record: self.dial_recording(node),
            destination: self.destination(node),
        }
    }

    fn dial_recording(&mut self, node: Node<'_, '_>) -> Option<DialRecording> {
        let (from_ringing, dual) = match node.attribute("record") {
            None | Some("do-not-record" | "false") => return None,
            Some("true" | "record-from-answer") => (false, false),
            Some("record-from-answer-dual") => (false, true),
            Some("record-from-ringing") => (true, false),
            Some("record-from-ringing-dual") => (true, true),
            Some(other) => {
                self.warn(13_217, format!("<Dial> has no record “{other}”; the call is not recorded"));
                return None;
            }
        };
        let recording = CallRecording {
            name: None,
            dual,
            track: self.track(node, "recordingTrack"),
            trim: self.trim(node, false, 13_699),
            callbacks: self.recording_callbacks(node),
        };
        Some(DialRecording { from_ringing, recording })
    }

    /// Everything inside `<Dial>`. A queue, a conference or an application stands alone.
    fn destination(&mut self, node: Node<'_, '_>) -> Destination {
        let mut targets: Vec<Target> = Vec::new();
        if let Some(number) = non_empty(own_text(node)) {
            let callbacks = CallbackRequest::default();
            targets.push(Target::Number { number, send_digits: None, whisper: None, callbacks });
        }
        let mut single = None;
        for child in node.children().filter(Node::is_element) {
            let name = child.tag_name().name();
            let read = match name {
                "Number" | "Client" | "Sip" => {
                    let target = self.target(child);
                    if targets.len() == MOST_TARGETS {
                        self.warn(NESTED, "<Dial> rings at most ten far ends; the rest were skipped");
                        break;
                    }
                    targets.extend(target);
                    continue;
                }
                "Queue" => self.queue(child).map(Destination::Queue),
                "Conference" => self.conference(child).map(|noun| Destination::Conference(Box::new(noun))),
                "Application" => self.application(child).map(Destination::Application),
                known @ ("WhatsApp" | "Sim") => {
                    self.warn(NESTED, format!("the practice Twilio does not dial <{known}>; it was skipped"));
                    None
                }
                other => {
                    self.warn(NESTED, format!("<Dial> has no noun <{other}>"));
                    None
                }
            };
            if single.is_none() {
                single = read;
            } else {
                self.warn(NESTED, format!("<{name}> cannot be dialled together with others; it was skipped"));
            }
        }
        match single {
            Some(single) => {
                if !targets.is_empty() {
                    self.warn(
                        NESTED,
                        "a queue, conference or application is dialled alone; others were skipped",
                    );
                }
                single
            }
            None => Destination::Parties(targets),
        }
    }

    fn target(&mut self, node: Node<'_, '_>) -> Option<Target> {
        match node.tag_name().name() {
            "Number" => Some(self.number_noun(node)),
            "Client" => self.client(node),
            _ => self.sip(node),
        }
    }

    fn number_noun(&mut self, node: Node<'_, '_>) -> Target {
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
        let send_digits = text_of(node, "sendDigits").filter(|digits| {
            let valid = digits.chars().all(is_dialled);
            if !valid {
                self.warn(13_222, "“sendDigits” may hold 0-9, A-D, *, #, w and W; nothing is sent");
            }
            valid
        });
        Target::Number {
            number: inner_text(node),
            send_digits,
            whisper: self.whisper(node, 13_221),
            callbacks: self.callbacks(node),
        }
    }

    fn client(&mut self, node: Node<'_, '_>) -> Option<Target> {
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
        let mut identity = non_empty(own_text(node));
        let mut parameters = Vec::new();
        for child in node.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "Identity" => identity = non_empty(inner_text(child)),
                "Parameter" => parameters.extend(self.parameter(child)),
                other => self.warn(SCHEMA_WARNING, format!("<Client> has no element <{other}>")),
            }
        }
        let Some(identity) = identity else {
            self.warn(SCHEMA_WARNING, "<Client> names nobody");
            return None;
        };
        let whisper = self.whisper(node, SCHEMA_WARNING);
        Some(Target::Client { identity, parameters, whisper, callbacks: self.callbacks(node) })
    }

    fn sip(&mut self, node: Node<'_, '_>) -> Option<Target> {
        self.known(
            node,
            &[
                "username",
                "password",
                "url",
                "method",
                "statusCallback",
                "statusCallbackMethod",
                "statusCallbackEvent",
                "codecs",
            ],
        );
        // Far ends of practice ask for no password, so only the form is looked at.
        if text_of(node, "username").is_some() != text_of(node, "password").is_some() {
            self.warn(13_249, "“username” and “password” of <Sip> belong together");
        }
        let text = inner_text(node);
        let (uri, headers) = text.split_once('?').unwrap_or((&text, ""));
        let address = uri.strip_prefix("sips:").or_else(|| uri.strip_prefix("sip:"));
        let valid = address.and_then(|address| address.split_once('@')).is_some_and(|(user, host)| {
            !user.is_empty() && !host.is_empty() && !host.contains('@') && uri.len() < SIP_URI_LIMIT
        }) && uri.bytes().all(|byte| byte.is_ascii_graphic());
        if !valid {
            self.warn(13_243, "<Sip> holds no SIP URI; it was skipped");
            return None;
        }
        let headers = self.sip_headers(headers);
        let whisper = self.whisper(node, 13_241);
        Some(Target::Sip { uri: uri.to_owned(), headers, whisper, callbacks: self.callbacks(node) })
    }

    /// The headers after `?` of a SIP URI; those that may not be sent are left out.
    fn sip_headers(&mut self, text: &str) -> Vec<(String, String)> {
        if text.len() >= SIP_HEADERS_LIMIT {
            self.warn(13_253, "the headers of <Sip> are too long; none is sent");
            return Vec::new();
        }
        let mut headers: Vec<(String, String)> =
            form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        headers.retain(|(name, _)| {
            let lower = name.to_ascii_lowercase();
            let allowed = lower.starts_with("x-") || SIP_HEADERS.contains(&lower.as_str());
            if !allowed {
                self.warn(13_252, format!("<Sip> may not send the header “{name}”"));
            }
            allowed
        });
        headers
    }

    fn queue(&mut self, node: Node<'_, '_>) -> Option<QueueNoun> {
        self.known(node, &["url", "method", "reservationSid", "postWorkActivitySid"]);
        if node.attribute("reservationSid").is_some() {
            self.warn(14_217, "the practice Twilio has no TaskRouter; the reservation was ignored");
        }
        let name = self.queue_name(non_empty(inner_text(node)), 14_212, 14_213)?;
        Some(QueueNoun { name, whisper: self.whisper(node, 14_210) })
    }

    fn application(&mut self, node: Node<'_, '_>) -> Option<ApplicationNoun> {
        self.known(
            node,
            &[
                "customerId",
                "copyParentTo",
                "url",
                "method",
                "statusCallback",
                "statusCallbackMethod",
                "statusCallbackEvent",
            ],
        );
        let mut sid = non_empty(own_text(node));
        let mut parameters = Vec::new();
        for child in node.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "ApplicationSid" => sid = non_empty(inner_text(child)),
                "Parameter" => parameters.extend(self.parameter(child)),
                other => self.warn(SCHEMA_WARNING, format!("<Application> has no element <{other}>")),
            }
        }
        let Some(sid) = sid.and_then(|sid| TwimlAppSid::parse(&sid).ok()) else {
            self.warn(SCHEMA_WARNING, "<Application> names no TwiML App; it was skipped");
            return None;
        };
        let customer_id = text_of(node, "customerId");
        if customer_id.as_ref().is_some_and(|id| id.chars().count() > LONGEST_CUSTOMER) {
            self.warn(SCHEMA_WARNING, format!("“customerId” has at most {LONGEST_CUSTOMER} characters"));
        }
        Some(ApplicationNoun {
            sid,
            parameters,
            customer_id: customer_id.map(|id| id.chars().take(LONGEST_CUSTOMER).collect()),
            copy_parent_to: self.flag(node, "copyParentTo", false, SCHEMA_WARNING),
            callbacks: self.callbacks(node),
        })
    }

    /// The document at `url`. `method` is wrong with `code`.
    fn whisper(&mut self, node: Node<'_, '_>, code: u32) -> Option<Whisper> {
        let method = self.method(node, "method", code);
        text_of(node, "url").map(|url| Whisper { url, method })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::super::document::{CallbackEvent, Method, RecordingEvent, Track, Verb};
    use super::super::read::read;
    use super::*;

    fn dial_and_codes(text: &str) -> (Dial, Vec<u32>) {
        let document = read(&format!("<Response>{text}</Response>")).unwrap();
        let codes = document.warnings.iter().map(|warning| warning.code).collect();
        match document.verbs.into_iter().next() {
            Some(Verb::Dial(dial)) => (*dial, codes),
            other => panic!("expected <Dial>, got {other:?}"),
        }
    }

    fn only_dial(text: &str) -> Dial {
        let (dial, codes) = dial_and_codes(text);
        assert_eq!(codes, [0; 0], "{text}");
        dial
    }

    fn targets(dial: Dial) -> Vec<Target> {
        let Destination::Parties(targets) = dial.destination else {
            panic!("expected parties, got {dial:?}")
        };
        targets
    }

    #[test]
    fn reads_what_the_gateway_writes_for_an_outgoing_call() {
        let dial = only_dial(
            r#"<Dial callerId="+12025550190" answerOnBridge="true" timeout="25" timeLimit="14400" record="record-from-answer-dual" recordingStatusCallback="https://h/rec" recordingStatusCallbackEvent="in-progress completed absent" action="https://h/after"><Number statusCallback="https://h/leg" statusCallbackEvent="initiated ringing answered completed">+12025550100</Number></Dial>"#,
        );
        assert_eq!(dial.caller_id.as_deref(), Some("+12025550190"));
        assert!(dial.answer_on_bridge);
        assert_eq!(dial.timeout, Duration::from_secs(30), "25 and the five Twilio adds");
        let record = dial.record.clone().unwrap();
        assert!(!record.from_ringing && record.recording.dual && !record.recording.trim);
        assert_eq!(
            record.recording.callbacks.events,
            [RecordingEvent::InProgress, RecordingEvent::Completed, RecordingEvent::Absent]
        );
        let targets = targets(dial);
        let [Target::Number { number, callbacks, .. }] = &targets[..] else { panic!("{targets:?}") };
        assert_eq!(number, "+12025550100");
        assert_eq!(callbacks.events.len(), 4);
    }

    #[test]
    fn reads_a_client_with_parameters_and_a_whisper() {
        let dial = only_dial(
            r#"<Dial><Client url="/whisper" method="GET"><Identity>agent_1</Identity><Parameter name="caller" value="Zo&#235; &amp; Co"/></Client></Dial>"#,
        );
        assert_eq!(
            targets(dial),
            [Target::Client {
                identity: "agent_1".into(),
                parameters: vec![("caller".into(), "Zoë & Co".into())],
                whisper: Some(Whisper { url: "/whisper".into(), method: Method::Get }),
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
        let dial = only_dial("<Dial timeout=\"1\">\n  +12025550100 </Dial>");
        assert_eq!(dial.timeout, Duration::from_secs(10), "at least 5, and 5 more");
        assert!(matches!(&targets(dial)[..], [Target::Number { number, .. }] if number == "+12025550100"));
    }

    #[test]
    fn rings_at_most_ten() {
        let nouns = "<Number>+12025550100</Number>".repeat(11);
        let (dial, codes) = dial_and_codes(&format!("<Dial>{nouns}</Dial>"));
        assert_eq!((targets(dial).len(), codes), (10, vec![13_215]));
    }

    #[test]
    fn reads_a_sip_address_and_its_headers() {
        let dial = only_dial(
            "<Dial><Sip username=\"u\" password=\"p\">sip:a@b.example;transport=tls?x-h=1&amp;User-to-User=k%20v</Sip></Dial>",
        );
        let targets = targets(dial);
        let [Target::Sip { uri, headers, .. }] = &targets[..] else { panic!("{targets:?}") };
        assert_eq!(uri, "sip:a@b.example;transport=tls");
        assert_eq!(headers[..], [("x-h".to_owned(), "1".to_owned()), ("User-to-User".into(), "k v".into())]);
    }

    #[test]
    fn sip_addresses_that_cannot_be_dialled_have_their_codes() {
        let long = "a".repeat(250);
        for (text, code, left) in [
            ("<Sip>a@b.example</Sip>".to_owned(), 13_243, 0),
            ("<Sip>sip:@b.example</Sip>".into(), 13_243, 0),
            (format!("<Sip>sip:{long}@b.example</Sip>"), 13_243, 0),
            ("<Sip>sip:a@b.example?Subject=hi</Sip>".into(), 13_252, 1),
            (format!("<Sip>sip:a@b.example?x-a={}</Sip>", "b".repeat(1_024)), 13_253, 1),
            ("<Sip username=\"u\">sip:a@b.example</Sip>".into(), 13_249, 1),
        ] {
            let (dial, codes) = dial_and_codes(&format!("<Dial>{text}</Dial>"));
            assert_eq!((codes, targets(dial).len()), (vec![code], left), "{text}");
        }
    }

    #[test]
    fn a_queue_a_conference_and_an_application_are_dialled_alone() {
        let dial = only_dial("<Dial><Queue url=\"/whisper\">support</Queue></Dial>");
        let whisper = Some(Whisper { url: "/whisper".into(), method: Method::Post });
        assert_eq!(dial.destination, Destination::Queue(QueueNoun { name: "support".into(), whisper }));
        let (dial, codes) =
            dial_and_codes("<Dial>+12025550100<Queue>support</Queue><Conference>room</Conference></Dial>");
        assert!(matches!(dial.destination, Destination::Queue(_)));
        assert_eq!(codes, [13_215, 13_215]);
        let app = "AP0123456789abcdef0123456789abcdef";
        let dial = only_dial(&format!(
            "<Dial><Application copyParentTo=\"true\" customerId=\"c\"><ApplicationSid>{app}</ApplicationSid>\
             <Parameter name=\"a\" value=\"b\"/></Application></Dial>"
        ));
        let Destination::Application(noun) = dial.destination else { panic!("{dial:?}") };
        assert_eq!((noun.sid.as_str(), noun.copy_parent_to), (app, true));
        assert_eq!((noun.parameters, noun.customer_id), (vec![("a".into(), "b".into())], Some("c".into())));
    }

    #[test]
    fn bad_values_have_their_codes_and_fall_back_to_defaults() {
        let (dial, codes) = dial_and_codes(
            r#"<Dial timeout="soon" answerOnBridge="yes" method="PUT" record="some" recordingTrack="left"><Number sendDigits="x">1</Number></Dial>"#,
        );
        assert_eq!(codes, [13_210, 13_219, 13_212, 13_217, 13_222]);
        assert_eq!((dial.timeout, dial.answer_on_bridge), (Duration::from_secs(35), false));
        assert_eq!((dial.method, dial.record), (Method::Post, None));
        let (dial, codes) = dial_and_codes(
            r#"<Dial timeLimit="x" hangupOnStar="x" sequential="x" record="true" recordingTrack="left" recordingStatusCallbackEvent="now" trim="x"><Queue/></Dial>"#,
        );
        assert_eq!(codes, [13_216, 13_213, 13_218, 13_622, 13_699, 13_621, 14_212]);
        assert_eq!(dial.record.unwrap().recording.track, Track::Both);
    }
}
