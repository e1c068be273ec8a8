//! What signed requests get.

use dialer_domain::call::{CallEvent, CallStatus};
use dialer_gateway::{PROOF_PATH, STATUS_PATH, VOICE_PATH};
use dialer_twilio::signature::{SignedBody, with_body_hash};
use dialer_twilio::webhook::Form;

use crate::desk::{ACCOUNT, Answer, BASE, CALL, Desk, THEIRS, incoming, leg, outgoing, signature};

/// The only `<Say>` of a document that ends in `<Hangup>`; panics for any other document.
pub(crate) fn spoken(answer: &Answer) -> String {
    assert_eq!(answer.status, 200);
    let document = roxmltree::Document::parse(&answer.body).unwrap();
    let verbs: Vec<_> = document.root_element().children().collect();
    let names: Vec<_> = verbs.iter().map(|verb| verb.tag_name().name()).collect();
    assert_eq!(names, ["Say", "Hangup"], "{}", answer.body);
    verbs[0].text().unwrap().to_owned()
}

const OUTGOING: &str = concat!(
    "<Response><Dial callerId=\"+12025550100\" answerOnBridge=\"true\" timeout=\"25\" timeLimit=\"14400\" ",
    "action=\"https://phone.example/api/calls/dialled/outgoing\">",
    "<Number statusCallback=\"https://phone.example/api/calls/status\" ",
    "statusCallbackEvent=\"initiated ringing answered completed\">+12025550123</Number></Dial></Response>",
);

const INCOMING: &str = concat!(
    "<Response><Dial answerOnBridge=\"true\" timeout=\"25\" timeLimit=\"14400\" ",
    "action=\"https://phone.example/api/calls/dialled/ring\">",
    "<Client statusCallback=\"https://phone.example/api/calls/status\" ",
    "statusCallbackEvent=\"initiated ringing answered completed\"><Identity>agent_1</Identity>",
    "<Parameter name=\"parent\" value=\"CA00000000000000000000000000000001\"/>",
    "<Parameter name=\"called\" value=\"+12025550100\"/></Client></Dial></Response>",
);

pub(crate) fn response_of(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/xml; charset=utf-8");
    answer.body.trim_start_matches("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").trim_end()
}

#[tokio::test]
async fn an_outgoing_call_is_dialled() {
    let desk = Desk::open().await;
    let answer = Answer::of(desk.signed_post(VOICE_PATH, &outgoing(THEIRS))).await;
    assert_eq!(response_of(&answer), OUTGOING);
    assert_eq!(desk.agent.event_count(), 1);
}

#[tokio::test]
async fn an_incoming_call_rings_the_agent() {
    let desk = Desk::open().await;
    let answer = Answer::of(desk.signed_post(VOICE_PATH, &incoming())).await;
    assert_eq!(response_of(&answer), INCOMING);
}

#[tokio::test]
async fn a_get_carries_its_parameters_in_the_query() {
    let desk = Desk::open().await;
    let target = format!("{VOICE_PATH}?{}", outgoing(THEIRS).encode());
    let signed = signature(BASE, &target, &Form::new());
    let answer = Answer::of(desk.client.get(desk.local(&target)).header("X-Twilio-Signature", signed)).await;
    assert_eq!(response_of(&answer), OUTGOING);
}

#[tokio::test]
async fn the_short_form_is_dialled() {
    let desk = Desk::open().await;
    let target = format!("{VOICE_PATH}?To=%2B12025550123&From=%2B12025550100");
    let signed = signature(BASE, &target, &Form::new());
    let answer = Answer::of(desk.client.get(desk.local(&target)).header("X-Twilio-Signature", signed)).await;
    assert_eq!(response_of(&answer), OUTGOING);
}

#[tokio::test]
async fn a_bad_number_is_told_to_the_caller_and_the_log() {
    let desk = Desk::open().await;
    for to in ["", "12", "not a number", "<Hangup/>"] {
        let answer = Answer::of(desk.signed_post(VOICE_PATH, &outgoing(to))).await;
        assert_eq!(spoken(&answer), "The number you have dialled is not valid.", "{to}");
    }
    let events = desk.agent.events.lock().unwrap();
    assert_eq!(events.len(), 4);
    for event in events.iter() {
        assert!(matches!(event, CallEvent::Routed { refusal: Some(_), .. }), "{event:?}");
    }
}

#[tokio::test]
async fn a_form_that_makes_no_sense_is_told_to_the_caller() {
    let desk = Desk::open().await;
    for form in [
        Form::new(),
        Form::new().with("AccountSid", ACCOUNT),
        Form::new().with("From", "client:agent_1").with("CallSid", "CA1"),
        Form::new().with("From", "x".repeat(300)),
    ] {
        let answer = Answer::of(desk.signed_post(VOICE_PATH, &form)).await;
        assert!(spoken(&answer).contains("not understood"));
    }
    assert_eq!(desk.agent.asked(), 0);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_checked_by_its_hash_and_not_understood() {
    let desk = Desk::open().await;
    let body = r#"{"From":"client:agent_1","To":"+12025550123"}"#;
    let url = with_body_hash(&format!("{BASE}{VOICE_PATH}"), body.as_bytes());
    let target = url.strip_prefix(BASE).unwrap().to_owned();
    let key = dialer_twilio::signature::WebhookKey::AuthToken("primary-token-of-this-test".into());
    let signed = dialer_twilio::signature::sign(&key, &url, SignedBody::Raw(body.as_bytes()));
    let post = |body: &'static str| {
        let request = desk.client.post(desk.local(&target)).header("Content-Type", "application/json");
        request.header("X-Twilio-Signature", &signed).body(body)
    };
    assert!(spoken(&Answer::of(post(body)).await).contains("not understood"));
    assert_eq!(Answer::of(post("{}")).await.status, 403);
    assert_eq!(desk.agent.asked(), 0);
}

#[tokio::test]
async fn a_status_callback_is_passed_on() {
    let desk = Desk::open().await;
    let answer = Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", 1))).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    let events = desk.agent.events.lock().unwrap();
    let [
        CallEvent::LegStatus {
            parent_call_sid: Some(parent),
            status: CallStatus::Ringing,
            sequence: Some(1),
            ..
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(parent.as_str(), CALL);
}

#[tokio::test]
async fn a_signed_head_does_not_place_a_call() {
    let desk = Desk::open().await;
    let target = format!("{VOICE_PATH}?{}", outgoing(THEIRS).encode());
    let signed = signature(BASE, &target, &Form::new());
    let answer = Answer::of(desk.client.head(desk.local(&target)).header("X-Twilio-Signature", signed)).await;
    assert_eq!((answer.status, desk.agent.asked()), (405, 0));
}

#[tokio::test]
async fn the_proof_is_ours() {
    let desk = Desk::open().await;
    let other = Desk::open().await;
    let proof = desk.gateway.proof();
    let nonce = proof.nonce();
    let target = format!("{PROOF_PATH}{nonce}");
    let answer = Answer::of(desk.client.get(desk.local(&target))).await;
    assert_eq!((answer.status, answer.headers["cache-control"].as_bytes()), (200, b"no-store".as_slice()));
    assert!(proof.matches(&nonce, &answer.body));
    let elsewhere = Answer::of(other.client.get(other.local(&target))).await;
    assert!(!proof.matches(&nonce, &elsewhere.body));
    let odd = Answer::of(desk.client.get(desk.local(&format!("{PROOF_PATH}short")))).await;
    assert_eq!(odd.status, 404);
}

#[tokio::test]
async fn callbacks_go_to_the_newest_public_address() {
    let desk = Desk::open().await;
    desk.gateway.set_public_base("https://proxy.example/phone/".parse().unwrap());
    assert_eq!(desk.gateway.voice_url().unwrap().as_str(), "https://proxy.example/phone/api/calls/twiml");
    assert_eq!(
        desk.gateway.status_callback_url().unwrap().as_str(),
        "https://proxy.example/phone/api/calls/status"
    );
    assert_eq!(
        desk.gateway.recording_callback_url().unwrap().as_str(),
        "https://proxy.example/phone/api/calls/recording"
    );
    assert_eq!(
        desk.gateway.conference_callback_url().unwrap().as_str(),
        "https://proxy.example/phone/api/calls/conference"
    );
    let form = outgoing(THEIRS);
    let signed = signature("https://proxy.example/phone", VOICE_PATH, &form);
    let answer = Answer::of(desk.unsigned_post(VOICE_PATH, &form).header("X-Twilio-Signature", signed)).await;
    assert!(answer.body.contains("\"https://proxy.example/phone/api/calls/status\""), "{}", answer.body);
}
