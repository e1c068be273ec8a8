//! TwiML against golden files and against an XML reader that is not ours.

use std::path::Path;

use dialer_domain::identity::ClientIdentity;
use dialer_domain::phone_number::E164;
use dialer_domain::sip_uri::SipUri;
use dialer_twilio::twiml::{
    Conference, Dial, DialNoun, DialRecording, Enqueue, Gather, Prompt, Record, RejectReason, Response,
    Transcription, Verb,
};
use proptest::prelude::*;
use url::Url;

fn url(path: &str) -> Url {
    Url::parse(&format!("https://phone.example{path}")).unwrap()
}

fn number(text: &str) -> E164 {
    E164::parse_strict(text).unwrap()
}

/// Compares with `golden/<name>.xml`; `UPDATE_GOLDEN=1` writes the file instead.
fn golden(name: &str, response: &Response) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).with_extension("xml");
    let xml = response.to_xml();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &xml).unwrap();
    }
    let expected =
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(xml, expected, "{name}");
}

#[test]
fn an_outgoing_call() {
    let dial = Dial {
        caller_id: Some(number("+12025550100")),
        answer_on_bridge: true,
        timeout_s: Some(25),
        time_limit_s: Some(14_400),
        recording: Some(DialRecording { status_callback: Some(url("/api/calls/recording")) }),
        action: Some(url("/api/calls/dialled/outgoing")),
        nouns: vec![DialNoun::Number {
            number: number("+12025550123"),
            status_callback: Some(url("/api/calls/status")),
        }],
    };
    golden("outgoing", &Response::new().with(Verb::Dial(dial)));
}

#[test]
fn an_incoming_call() {
    let dial = Dial {
        answer_on_bridge: true,
        timeout_s: Some(25),
        action: Some(url("/api/calls/dialled/ring")),
        nouns: vec![DialNoun::Client {
            identity: ClientIdentity::parse("agent_1").unwrap(),
            parameters: vec![
                ("parent".into(), "CA00000000000000000000000000000001".into()),
                ("caller_name".into(), "Zoë & \"Co\" <x>".into()),
            ],
            status_callback: Some(url("/api/calls/status")),
        }],
        ..Dial::default()
    };
    golden("incoming", &Response::new().with(Verb::Dial(dial)));
}

fn dial(noun: DialNoun) -> Response {
    Response::new().with(Verb::Dial(Dial {
        answer_on_bridge: true,
        action: Some(url("/api/calls/dialled/outgoing")),
        nouns: vec![noun],
        ..Dial::default()
    }))
}

#[test]
fn a_message() {
    let record = Record {
        max_length_s: Some(120),
        timeout_s: Some(5),
        finish_on_key: Some("#".into()),
        keep_silence: true,
        transcription: Some(Transcription { callback: url("/api/calls/transcription") }),
        recording_status_callback: Some(url("/api/calls/recording")),
        ..Record::new(url("/api/calls/message"))
    };
    let greeting =
        Verb::Say { text: "Please leave a message after the tone.".into(), language: Some("en-GB".into()) };
    golden("voicemail", &Response::new().with(greeting).with(Verb::Record(record)).with(Verb::Hangup));
}

#[test]
fn a_menu() {
    let gather = Gather {
        num_digits: Some(1),
        timeout_s: Some(5),
        finish_on_key: Some(String::new()),
        prompts: vec![
            Prompt::Say { text: "For sales, press 1.".into(), language: None },
            Prompt::Pause { length_s: 1 },
            Prompt::Play { url: url("/api/calls/sounds/a.wav"), loops: 1 },
        ],
        ..Gather::new(url("/api/calls/menu/start/1"))
    };
    golden("menu", &Response::new().with(Verb::Gather(gather)));
}

#[test]
fn a_queue() {
    let enqueue = Enqueue {
        name: "support".into(),
        wait_url: Some(url("/api/calls/queue/wait")),
        action: Some(url("/api/calls/queue/left")),
    };
    golden("enqueue", &Response::new().with(Verb::Enqueue(enqueue)));
    golden("leave", &Response::new().with(Verb::Leave));
    golden("take_next", &dial(DialNoun::Queue { name: "support".into(), url: Some(url("/whisper")) }));
}

#[test]
fn a_conference() {
    let conference = Conference {
        name: "c-7f3a".into(),
        participant_label: Some("agent".into()),
        start_on_enter: true,
        end_on_exit: false,
        wait_url: None,
        status_callback: Some(url("/api/calls/conference")),
    };
    golden("conference", &dial(DialNoun::Conference(conference)));
}

#[test]
fn a_sip_address() {
    let uri = SipUri::parse("sip:a@b.example;transport=tls?x-h=1&x-k=2").unwrap();
    golden("sip", &dial(DialNoun::Sip { uri, status_callback: Some(url("/api/calls/status")) }));
}

#[test]
fn an_emergency_number_is_dialled_as_it_is() {
    let noun =
        DialNoun::Emergency { number: "911\"<".into(), status_callback: Some(url("/api/calls/status")) };
    golden("emergency", &dial(noun));
}

#[test]
fn every_other_verb() {
    let response = Response::new()
        .with(Verb::Say {
            text: "Nobody is available – please hold.".into(), language: Some("en-GB".into())
        })
        .with(Verb::Pause { length_s: 2 })
        .with(Verb::Play { url: url("/hold.mp3?a=1&b=2"), loops: 0 })
        .with(Verb::PlayDigits { digits: "1w2#x\"<".into() })
        .with(Verb::Dial(Dial { action: Some(url("/after")), ..Dial::default() }))
        .with(Verb::Redirect { url: url("/next") })
        .with(Verb::Reject(RejectReason::Busy))
        .with(Verb::Reject(RejectReason::Rejected))
        .with(Verb::Hangup);
    golden("verbs", &response);
}

#[test]
fn a_refusal() {
    golden("refusal", &Response::say_and_hang_up("The number you have dialled is not valid."));
}

#[test]
fn an_empty_document_is_a_document() {
    golden("empty", &Response::new());
}

#[test]
fn a_long_text_is_cut_where_twilio_would() {
    let xml = Response::say_and_hang_up("ä".repeat(5_000)).to_xml();
    assert_eq!(xml.matches('ä').count(), 4_096);
}

/// What an XML reader must find for `text`: itself, less what XML cannot hold.
fn readable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => c,
            '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => '\u{FFFD}',
            other => other,
        })
        .collect()
}

proptest! {
    #[test]
    fn no_text_breaks_out(text in any::<String>(), name in any::<String>(), value in "[\\x00-\\x7f]{0,40}") {
        let dial = Dial {
            nouns: vec![DialNoun::Client {
                identity: ClientIdentity::parse("agent_1").unwrap(),
                parameters: vec![(name.clone(), value.clone())],
                status_callback: None,
            }],
            ..Dial::default()
        };
        let xml = Response::new().with(Verb::Say { text: text.clone(), language: None }).with(Verb::Dial(dial)).to_xml();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let elements: Vec<_> = document.descendants().filter(roxmltree::Node::is_element).collect();
        let names: Vec<_> = elements.iter().map(|element| element.tag_name().name()).collect();
        prop_assert_eq!(names, ["Response", "Say", "Dial", "Client", "Identity", "Parameter"]);
        prop_assert_eq!(elements[1].text().unwrap_or_default(), readable(&text));
        prop_assert_eq!(elements[5].attribute("name").unwrap(), readable(&name));
        prop_assert_eq!(elements[5].attribute("value").unwrap(), readable(&value));
    }
}
