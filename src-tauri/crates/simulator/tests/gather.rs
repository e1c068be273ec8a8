//! `<Gather>`: keys and words of callers, and what comes of them.

use dialer_domain::sid::CallSid;
use dialer_media::api::CodecName;
use dialer_simulator::{CallerScript, Happening, IncomingCall, KeyPath, Step};
use serde_json::json;

use crate::bench::{Answer, Bench, Phone};
use crate::rest::Rest;

/// Long enough to be heard by any machine before it is over.
const LONG: &str = "Thank you for calling. Please listen to all of the following options, of which there are many, \
                    because this sentence has no end in sight and goes on for as long as anybody would care to wait.";

fn caller(steps: Vec<Step>) -> IncomingCall {
    let script = CallerScript { steps, ..CallerScript::default() };
    IncomingCall::from_number("+12025550111".to_owned().try_into().unwrap()).doing(script)
}

fn press(digits: &str, via: KeyPath) -> Step {
    Step::Press { digits: digits.into(), via }
}

async fn call(bench: &Bench, verbs: &str, steps: Vec<Step>) -> CallSid {
    bench.webhooks.answer("/voice", Answer::twiml(verbs));
    bench.webhooks.answer("/menu", Answer::twiml("<Hangup/>"));
    bench.simulator.place_incoming(&caller(steps)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tones_of_a_caller_are_keys_and_finish_on_key_is_none() {
    let bench = Bench::start().await;
    let menu = format!("<Gather action=\"/menu\"><Say>{LONG}</Say></Gather>");
    let sid = call(&bench, &menu, vec![Step::Wait { s: 10.0 }, press("12#", KeyPath::InBand)]).await;
    let action = bench.webhooks.wait("/menu", 1).await.remove(0);
    assert_eq!((action.get("Digits"), action.get("CallSid")), ("12", sid.as_str()));
    assert_eq!(action.get("CallStatus"), "in-progress");
    assert!(!action.form.has("SpeechResult"));
    bench.event(|what| matches!(what, Happening::Spoken { text, .. } if text == LONG)).await;
    bench.event(|what| matches!(what, Happening::Gathering { call_sid } if *call_sid == sid)).await;
    bench
        .event(|what| matches!(what, Happening::Gathered { digits, speech: None, .. } if digits == "12"))
        .await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_key_ends_the_prompt() {
    let bench = Bench::start().await;
    let menu = format!("<Gather action=\"/menu\" timeout=\"600\"><Say loop=\"0\">{LONG}</Say></Gather>");
    let sid = call(&bench, &menu, Vec::new()).await;
    bench.heard(&sid, |heard| heard.level_dbfs > -40.0).await;
    bench.simulator.press(&sid, "7").unwrap();
    bench.heard(&sid, |heard| heard.level_dbfs < -90.0).await;
    assert!(bench.webhooks.got("/menu").is_empty(), "it waits for more");
    bench.simulator.press(&sid, "#").unwrap();
    assert_eq!(bench.webhooks.wait("/menu", 1).await[0].get("Digits"), "7");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_an_sdk_count_by_signalling_and_by_rtp() {
    let bench = Bench::start().await;
    bench
        .webhooks
        .answer("/voice", Answer::twiml("<Gather numDigits=\"2\" timeout=\"600\" action=\"/menu\"/>"));
    bench.webhooks.answer("/menu", Answer::twiml("<Hangup/>"));
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::with_codecs(vec![CodecName::Pcmu]);
    sdk.invite(&phone, "To=x").await;
    let (call_sid, _) = sdk.answered(&phone).await;
    bench.event(|what| matches!(what, Happening::Gathering { .. })).await;
    sdk.send("dtmf", json!({ "callsid": call_sid, "dtmf": "4" }));
    phone.peer.send_telephone_events("2", 160, 70);
    assert_eq!(bench.webhooks.wait("/menu", 1).await[0].get("Digits"), "42");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_beside_the_sound_count_and_number_ends_it() {
    let bench = Bench::start().await;
    let menu = "<Gather numDigits=\"1\" timeout=\"600\" finishOnKey=\"\" action=\"/menu\" method=\"GET\"/>";
    call(&bench, menu, vec![Step::Wait { s: 4.0 }, press("#", KeyPath::TelephoneEvent)]).await;
    let action = bench.webhooks.wait("/menu", 1).await.remove(0);
    assert_eq!((action.get("Digits"), action.method.as_str()), ("#", "GET"));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_pressed_goes_on_unless_the_empty_result_is_wanted() {
    let bench = Bench::start().await;
    for (attributes, steps) in [
        ("timeout=\"1\"", Vec::new()),
        ("timeout=\"600\"", vec![Step::Wait { s: 4.0 }, press("#", KeyPath::InBand)]),
    ] {
        let before = bench.webhooks.got("/next").len();
        let menu = format!("<Gather {attributes} action=\"/menu\"/><Redirect>/next</Redirect>");
        call(&bench, &menu, steps).await;
        bench.webhooks.wait("/next", before + 1).await;
        assert!(bench.webhooks.got("/menu").is_empty(), "{attributes}");
    }
    call(&bench, "<Gather timeout=\"1\" actionOnEmptyResult=\"true\" action=\"/menu\"/>", Vec::new()).await;
    assert_eq!(bench.webhooks.wait("/menu", 1).await[0].exact("Digits"), Some(""));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_action_the_document_itself_is_asked() {
    let bench = Bench::start().await;
    bench.webhooks.answer_each(
        "/voice",
        vec![Answer::twiml("<Gather numDigits=\"1\" timeout=\"600\"/>"), Answer::twiml("<Hangup/>")],
    );
    bench
        .simulator
        .place_incoming(&caller(vec![Step::Wait { s: 4.0 }, press("3", KeyPath::InBand)]))
        .unwrap();
    let asked = bench.webhooks.wait("/voice", 2).await;
    assert_eq!((asked[0].exact("Digits"), asked[1].exact("Digits")), (None, Some("3")));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_understood_and_end_the_prompt() {
    let bench = Bench::start().await;
    let menu = format!(
        "<Gather input=\"speech dtmf\" speechTimeout=\"auto\" action=\"/menu\"><Say loop=\"0\">{LONG}</Say></Gather>"
    );
    let steps = vec![Step::Wait { s: 10.0 }, Step::Say { text: "sales please".into() }];
    let sid = call(&bench, &menu, steps).await;
    let action = bench.webhooks.wait("/menu", 1).await.remove(0);
    assert_eq!((action.get("SpeechResult"), action.get("Confidence")), ("sales please", "0.9"));
    assert!(!action.form.has("Digits"));
    bench.event(|what| matches!(what, Happening::Said { call_sid, text } if *call_sid == sid && text == "sales please")).await;
    bench
        .event(
            |what| matches!(what, Happening::Gathered { speech: Some(text), .. } if text == "sales please"),
        )
        .await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_do_not_count_where_keys_are_asked_for() {
    let bench = Bench::start().await;
    let menu = "<Gather timeout=\"20\" action=\"/menu\"/><Redirect>/next</Redirect>";
    call(&bench, menu, vec![Step::Say { text: "hello".into() }]).await;
    bench.webhooks.wait("/next", 1).await;
    assert!(bench.webhooks.got("/menu").is_empty());
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_leads_a_call_out_of_a_menu_where_an_action_must_be_absolute() {
    let bench = Bench::start().await;
    let menu = format!("<Gather timeout=\"600\" action=\"/menu\"><Say loop=\"0\">{LONG}</Say></Gather>");
    let sid = call(&bench, &menu, vec![Step::Wait { s: 200.0 }]).await;
    bench.heard(&sid, |heard| heard.level_dbfs > -40.0).await;
    let rest = Rest::new(&bench.simulator);
    let path = rest.of(&format!("Calls/{sid}.json"));
    let other =
        "<Response><Gather timeout=\"1\" actionOnEmptyResult=\"true\" action=\"/relative\"/></Response>";
    assert_eq!(rest.post(&path, &[("Twiml", other)]).await.0, 200);
    bench.alert(15_004).await;
    bench.event(|what| matches!(what, Happening::LegStatus { call_sid, status, .. } if *call_sid == sid && status.is_final())).await;
    assert!(bench.webhooks.got("/menu").is_empty());
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn practice_numbers_press_and_speak() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/menu", Answer::twiml("<Hangup/>"));
    for (number, input, digits, speech) in [
        ("+12025550144", "dtmf", "4", ""),
        ("+12025550117", "dtmf", "1", ""),
        ("+12025550115", "speech", "", "I would like to speak to sales, please."),
    ] {
        let before = bench.webhooks.got("/menu").len();
        let menu = format!("<Gather input=\"{input}\" numDigits=\"1\" timeout=\"60\" action=\"/menu\"/>");
        bench.webhooks.answer("/voice", Answer::twiml(&menu));
        let from = number.to_owned().try_into().unwrap();
        bench.simulator.place_incoming(&IncomingCall::from_number(from)).unwrap();
        let action = bench.webhooks.wait("/menu", before + 1).await.remove(before);
        assert_eq!((action.get("Digits"), action.get("SpeechResult")), (digits, speech), "{number}");
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_can_be_scripted_over_http() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/voice", Answer::twiml("<Gather timeout=\"600\" action=\"/menu\"/>"));
    bench.webhooks.answer("/menu", Answer::twiml("<Pause length=\"600\"/>"));
    let call = json!({
        "from": "+12025550100",
        "from_sip": "sip:desk@practice.sip.example",
        "script": {
            "steps": [
                { "does": "wait", "s": 4 },
                { "does": "press", "digits": "9", "via": "telephone_event" },
                { "does": "press", "digits": "#" },
            ],
            "hang_up_after_s": 60,
        },
    });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/sim/incoming", bench.simulator.base_url());
    let placed = http.post(&url).json(&call).send().await.unwrap();
    assert_eq!(placed.status(), 201);
    let action = bench.webhooks.wait("/menu", 1).await.remove(0);
    assert_eq!((action.get("Digits"), action.get("From")), ("9", "sip:desk@practice.sip.example"));
    bench.event(|what| matches!(what, Happening::LegStatus { status, .. } if status.is_final())).await;
    let unknown = json!({ "from": "+12025550100", "script": { "steps": [{ "does": "dance" }] } });
    assert_eq!(http.post(&url).json(&unknown).send().await.unwrap().status(), 422);
    bench.stop().await;
}
