//! Calls the SDK places.

use dialer_domain::call::CallStatus;
use dialer_media::api::CodecName;
use dialer_simulator::{DigitPath, FarEndScript, Happening, TalkScript, TwimlApp};
use serde_json::json;

use crate::bench::{Answer, Bench, OUR_NUMBER, Phone, Received, Sdk};

fn statuses(callbacks: &[Received]) -> Vec<String> {
    callbacks.iter().map(|callback| callback.get("CallStatus").to_owned()).collect()
}

/// Places a call to `number` and waits until it is up.
async fn call(bench: &Bench, sdk: &mut Sdk, phone: &Phone, number: &str) -> dialer_domain::sid::CallSid {
    bench.dial_number(number);
    sdk.invite(phone, &format!("To={}", number.replace('+', "%2B"))).await;
    sdk.answered(phone).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_heard_both_ways_and_reported() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    bench.dial_number("+12025550101");
    phone.say(1000);
    sdk.invite(&phone, "To=%2B12025550101&CallId=42").await;
    let ringing = sdk.expect("ringing").await;
    let (call_sid, _) = sdk.answered(&phone).await;
    assert_eq!(ringing["callsid"], json!(call_sid));
    phone.hears(440.0).await;
    phone.reset();
    let heard =
        bench.heard(&call_sid, |heard| heard.dominant_hz.is_some_and(|hz| (hz - 1000.0).abs() < 3.0)).await;
    assert!(heard.packets > 0 && heard.level_dbfs > -20.0, "{heard:?}");
    sdk.send("hangup", json!({ "callsid": call_sid }));

    let voice = bench.webhooks.wait("/voice", 1).await.remove(0);
    for (name, value) in [
        ("AccountSid", bench.simulator.account().account_sid.as_str()),
        ("ApiVersion", "2010-04-01"),
        ("ApplicationSid", bench.app.as_str()),
        ("CallSid", call_sid.as_str()),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("From", "client:agent_1"),
        ("Caller", "client:agent_1"),
        ("To", "+12025550101"),
        ("Called", ""),
        ("CallId", "42"),
    ] {
        assert_eq!(voice.exact(name), Some(value), "{name}");
    }
    assert!(!voice.form.has("FromCountry"), "a call of the SDK has no geography");

    let legs = bench.webhooks.wait("/leg", 4).await;
    assert_eq!(statuses(&legs), ["initiated", "ringing", "in-progress", "completed"]);
    for (index, leg) in legs.iter().enumerate() {
        assert_eq!(leg.get("SequenceNumber"), index.to_string());
        assert_eq!(leg.get("ParentCallSid"), call_sid.as_str());
        assert_eq!(leg.get("Direction"), "outbound-dial");
        assert_eq!(leg.get("From"), OUR_NUMBER);
        assert_eq!(leg.get("ToCountry"), "US");
        assert_eq!(leg.get("CallbackSource"), "call-progress-events");
        assert!(leg.get("Timestamp").ends_with(" +0000"), "{}", leg.get("Timestamp"));
        assert_eq!(leg.form.has("CallDuration"), index == 3);
    }
    let parent = bench.webhooks.wait("/parent", 1).await.remove(0);
    assert_eq!(parent.get("CallStatus"), "completed");
    assert_eq!(parent.get("CallSid"), call_sid.as_str());
    assert!(!parent.form.has("ParentCallSid"));
    assert!(parent.get("CallDuration").parse::<u32>().unwrap() >= 1);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_is_heard_over_pcmu_too() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::with_codecs(vec![CodecName::Pcmu, CodecName::Opus]);
    phone.say(700);
    let call_sid = call(&bench, &mut sdk, &phone, "+12025550110").await;
    phone.hears(700.0).await;
    let agreed = phone.peer.negotiated().await.unwrap().unwrap();
    assert_eq!(agreed.codec, CodecName::Pcmu);
    sdk.send("hangup", json!({ "callsid": call_sid }));
    bench.webhooks.wait("/parent", 1).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_looks_like_that_of_twilios_gateway() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    bench.dial_number("+12025550110");
    sdk.invite(&phone, "To=x").await;
    let answer = sdk.expect("answer").await;
    let sdp = answer["sdp"].as_str().unwrap();
    for line in ["a=ice-lite", "a=setup:active", "a=end-of-candidates", "a=rtcp-mux"] {
        assert!(sdp.contains(&format!("\r\n{line}\r\n")), "{line} in {sdp}");
    }
    assert!(sdp.contains(" RTP/SAVPF 111 0 ") || sdp.contains(" RTP/SAVPF "), "{sdp}");
    assert!(sdp.contains("telephone-event/8000") && !sdp.contains("telephone-event/48000"), "{sdp}");
    assert_eq!(sdp.matches("typ host").count(), 1, "{sdp}");
    assert!(sdp.lines().count() == sdp.matches("\r\n").count(), "every line ends with CRLF");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_nobody_takes_end_with_their_reason() {
    for (number, code, status, far_statuses) in [
        ("+12025550102", 31_486, "busy", vec!["initiated", "busy"]),
        ("+12025550103", 31_480, "no-answer", vec!["initiated", "ringing", "no-answer"]),
        ("+12025550104", 31_603, "busy", vec!["initiated", "ringing", "busy"]),
        ("+12025550105", 31_404, "failed", vec!["initiated", "failed"]),
        ("+12025550106", 31_480, "failed", vec!["initiated", "failed"]),
    ] {
        let bench = Bench::start().await;
        let mut sdk = bench.agent("agent_1").await;
        let phone = Phone::new();
        bench.dial_number_for(number, 25);
        sdk.invite(&phone, "To=x").await;
        let hangup = sdk.expect("hangup").await;
        assert_eq!(hangup["error"]["code"], code, "{number}");
        let legs = bench.webhooks.wait("/leg", far_statuses.len()).await;
        assert_eq!(statuses(&legs), far_statuses, "{number}");
        assert!(!legs.last().unwrap().form.has("CallDuration"), "nobody talked");
        let parent = bench.webhooks.wait("/parent", 1).await.remove(0);
        assert_eq!(parent.get("CallStatus"), status, "{number}");
        assert!(!sdk.unexpected().contains(&"answer".to_owned()), "{number}");
        bench.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_names_its_code() {
    let bench = Bench::start().await;
    let sdk = bench.agent("agent_1").await;
    bench.dial_number("+12025550105");
    sdk.invite(&Phone::new(), "To=x").await;
    let failed = bench.webhooks.wait("/leg", 2).await.remove(1);
    assert_eq!((failed.get("ErrorCode"), failed.get("SipResponseCode")), ("13224", "404"));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ringback_is_heard_before_the_answer() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    let ring_for_long = FarEndScript {
        answer: dialer_simulator::AnswerScript::Ring,
        talk: TalkScript::Echo,
        hang_up_after_s: None,
        patience_s: None,
    };
    bench.simulator.set_far_end(&"+12025550177".parse_number(), ring_for_long);
    bench.webhooks.answer(
        "/voice",
        Answer::twiml(&format!(
            "<Dial callerId=\"{OUR_NUMBER}\" answerOnBridge=\"true\" timeout=\"600\">+12025550177</Dial>"
        )),
    );
    let temporary = sdk.invite(&phone, "To=x").await;
    let ringing = sdk.expect("ringing").await;
    phone.accept_answer(ringing["sdp"].as_str().expect("early media")).await;
    phone
        .hears_such(
            |heard| {
                heard
                    .dominant
                    .is_some_and(|tone| [440.0_f32, 480.0].iter().any(|hz| (tone.hz - hz).abs() < 5.0))
            },
            "ringback",
        )
        .await;
    // The temporary id still names the call.
    sdk.send("hangup", json!({ "callsid": temporary }));
    let parent = bench.webhooks.wait("/parent", 1).await.remove(0);
    assert_eq!(parent.get("CallStatus"), "canceled");
    bench.event(|what| matches!(what, Happening::LegStatus { to, status: CallStatus::Canceled, .. } if to == "+12025550177")).await;
    bench.stop().await;
}

/// Reads a number that a test knows to be one.
trait ParseNumber {
    fn parse_number(&self) -> dialer_domain::phone_number::E164;
}

impl ParseNumber for str {
    fn parse_number(&self) -> dialer_domain::phone_number::E164 {
        dialer_domain::phone_number::E164::parse_strict(self).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_far_end_hangs_up_and_the_duration_is_simulated_time() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    let call_sid = call(&bench, &mut sdk, &phone, "+12025550139").await;
    let hangup = sdk.expect("hangup").await;
    assert_eq!(hangup, json!({ "callsid": call_sid }), "no error after a conversation");
    let far_end = bench.webhooks.wait("/leg", 4).await.remove(3);
    let duration: u32 = far_end.get("CallDuration").parse().unwrap();
    assert!(duration >= 9, "nine simulated seconds, was {duration}");
    let parent = bench.webhooks.wait("/parent", 1).await.remove(0);
    assert_eq!(parent.get("CallStatus"), "completed");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_reach_the_far_end_by_signalling_and_by_rtp() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    // PCMU, whose clock telephone events at 8000 Hz share.
    let phone = Phone::with_codecs(vec![CodecName::Pcmu]);
    let call_sid = call(&bench, &mut sdk, &phone, "+12025550109").await;
    sdk.send("dtmf", json!({ "callsid": call_sid, "dtmf": "1w2" }));
    bench.heard(&call_sid, |heard| heard.dtmf == "12").await;
    phone.peer.send_telephone_events("3#", 160, 70);
    bench.heard(&call_sid, |heard| heard.dtmf == "123#").await;
    for (digit, via) in [('1', DigitPath::Signalling), ('#', DigitPath::TelephoneEvent)] {
        bench
            .event(
                |what| matches!(what, Happening::Digit { digit: d, via: v, .. } if *d == digit && *v == via),
            )
            .await;
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_the_far_end_presses_are_heard() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    let call_sid = call(&bench, &mut sdk, &phone, "+12025550108").await;
    let far_leg = far_leg(&bench, &call_sid);
    phone.hears_key('9', || bench.simulator.press(&far_leg, "9").unwrap()).await;
    assert!(bench.simulator.press(&call_sid, "1").is_err(), "an SDK presses its keys itself");
    bench.stop().await;
}

fn far_leg(bench: &Bench, parent: &dialer_domain::sid::CallSid) -> dialer_domain::sid::CallSid {
    let legs = bench.simulator.calls();
    legs.into_iter().find(|leg| leg.parent_call_sid.as_ref() == Some(parent)).unwrap().call_sid
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_answers_the_call_and_is_heard() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    bench
        .webhooks
        .answer("/voice", Answer::twiml("<Say>The number you have dialled is not valid.</Say><Hangup/>"));
    sdk.invite(&phone, "To=x").await;
    let (call_sid, _) = sdk.answered(&phone).await;
    phone.hears_such(|heard| heard.level_dbfs > -35.0, "the prompt").await;
    assert_eq!(sdk.expect("hangup").await, json!({ "callsid": call_sid }));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_cannot_be_placed_say_why() {
    let bench = Bench::start().await;
    let no_url = bench.simulator.create_application(TwimlApp::default());
    let unknown = "AP00000000000000000000000000000000".parse().unwrap();
    for (token, params, code) in [
        (bench.new_token("a").incoming(true), String::new(), 31_201),
        (bench.new_token("a").outgoing(no_url), String::new(), 31_404),
        (bench.new_token("a").outgoing(unknown), String::new(), 31_001),
        (bench.new_token("a").outgoing(bench.app.clone()), format!("x={}", "y".repeat(900)), 31_103),
    ] {
        let mut sdk = Sdk::connect(&bench.simulator).await;
        sdk.listen(&bench.sign(&token), 0).await;
        let temporary = sdk.invite(&Phone::new(), &params).await;
        let hangup = sdk.expect("hangup").await;
        assert_eq!((hangup["callsid"].as_str(), &hangup["error"]["code"]), (Some(&*temporary), &json!(code)));
    }
    let mut sdk = bench.agent("agent_1").await;
    sdk.send("invite", json!({ "callsid": "TJS1", "sdp": "v=0 nonsense", "twilio": {} }));
    assert_eq!(sdk.expect("hangup").await["error"]["code"], 31_100);
    let mut stranger = Sdk::connect(&bench.simulator).await;
    stranger.send("invite", json!({ "callsid": "TJS2", "sdp": "v=0", "twilio": {} }));
    assert_eq!(stranger.expect("hangup").await["error"]["code"], 31_201);
    assert!(bench.webhooks.got("/voice").is_empty(), "none of them was worth asking about");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_call_on_a_socket_does_not_touch_the_first() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    phone.say(600);
    let call_sid = call(&bench, &mut sdk, &phone, "+12025550110").await;
    sdk.unexpected();
    let second = sdk.invite(&Phone::new(), "To=x").await;
    let hangup = sdk.expect("hangup").await;
    assert_eq!((hangup["callsid"].as_str(), &hangup["error"]["code"]), (Some(&*second), &json!(31_486)));
    phone.hears(600.0).await;
    assert!(!sdk.unexpected().iter().any(|kind| kind == "ringing" || kind == "answer"));
    // Hung up, the socket is free at once, and what is on its way about the old call stays away.
    sdk.send("hangup", json!({ "callsid": call_sid }));
    let mut last = call_sid;
    for _ in 0..5 {
        let next = call(&bench, &mut sdk, &Phone::new(), "+12025550110").await;
        assert_ne!(next, last);
        sdk.send("hangup", json!({ "callsid": next }));
        last = next;
    }
    for _ in 0..5 {
        let temporary = sdk.invite(&Phone::new(), "To=x").await;
        sdk.send("hangup", json!({ "callsid": temporary }));
    }
    sdk.unexpected();
    bench.webhooks.wait("/parent", 11).await;
    assert!(sdk.unexpected().iter().all(|kind| kind != "hangup"), "none of them was refused");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dial_takes_the_caller_id_only_if_it_is_ours() {
    let bench = Bench::start().await;
    for verbs in ["<Dial>+12025550100</Dial>", "<Dial callerId=\"+12025550123\">+12025550100</Dial>"] {
        let mut sdk = bench.agent("agent_1").await;
        bench.webhooks.answer("/voice", Answer::twiml(verbs));
        sdk.invite(&Phone::new(), "To=x").await;
        sdk.expect("hangup").await;
    }
    assert_eq!(bench.alerts(), [13_214, 13_214]);
    assert!(bench.simulator.calls().iter().all(|leg| leg.parent_call_sid.is_none()), "nobody was dialled");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_action_takes_over_with_what_became_of_the_dialled_leg() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    let dial = |number: &str| {
        Answer::twiml(&format!(
            "<Dial action=\"/after\" callerId=\"{OUR_NUMBER}\" answerOnBridge=\"true\">{number}</Dial><Say>not reached</Say>"
        ))
    };
    bench.webhooks.answer("/voice", dial("+12025550102"));
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    sdk.invite(&phone, "To=x").await;
    assert_eq!(sdk.expect("hangup").await["error"]["code"], 31_486, "the call was never answered");
    let busy = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!((busy.get("DialCallStatus"), busy.get("DialBridged")), ("busy", "false"));
    assert!(!busy.form.has("DialCallDuration"));

    bench.webhooks.answer("/voice", dial("+12025550132"));
    sdk.invite(&phone, "To=x").await;
    sdk.expect("answer").await;
    assert_eq!(sdk.expect("hangup").await["error"], json!(null));
    let talked = bench.webhooks.wait("/after", 2).await.remove(1);
    assert_eq!((talked.get("DialCallStatus"), talked.get("DialBridged")), ("completed", "true"));
    assert!(talked.get("DialCallDuration").parse::<u32>().unwrap() >= 2);
    assert_eq!(talked.get("CallStatus"), "in-progress");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_several_far_ends_to_answer_wins() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    bench.webhooks.answer(
        "/voice",
        Answer::twiml(&format!(
            "<Dial callerId=\"{OUR_NUMBER}\"><Number>+12025550103</Number><Number>+12025550101</Number></Dial>"
        )),
    );
    sdk.invite(&phone, "To=x").await;
    sdk.answered(&phone).await;
    phone.hears(440.0).await;
    let mut statuses: Vec<(String, CallStatus)> = bench
        .simulator
        .calls()
        .into_iter()
        .filter(|leg| leg.parent_call_sid.is_some())
        .map(|leg| (leg.to, leg.status))
        .collect();
    statuses.sort();
    assert_eq!(
        statuses,
        [
            ("+12025550101".to_owned(), CallStatus::InProgress),
            ("+12025550103".to_owned(), CallStatus::Canceled),
        ]
    );
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn star_ends_the_dialled_call_and_the_document_goes_on() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    let verbs = format!(
        "<Dial callerId=\"{OUR_NUMBER}\" hangupOnStar=\"true\">+12025550110</Dial><Redirect>/next</Redirect>"
    );
    bench.webhooks.answer("/voice", Answer::twiml(&verbs));
    bench.webhooks.answer("/next", Answer::twiml("<Hangup/>"));
    sdk.invite(&phone, "To=x").await;
    let (call_sid, _) = sdk.answered(&phone).await;
    bench.event(|what| is_up(what, "+12025550110")).await;
    sdk.send("dtmf", json!({ "callsid": call_sid, "dtmf": "1*" }));
    sdk.expect("hangup").await;
    bench.webhooks.wait("/next", 1).await;
    bench.stop().await;
}

fn is_up(what: &Happening, number: &str) -> bool {
    matches!(what, Happening::LegStatus { to, status: CallStatus::InProgress, .. } if to == number)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_limit_ends_the_conversation() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let verbs =
        format!("<Dial callerId=\"{OUR_NUMBER}\" timeLimit=\"10\" action=\"/after\">+12025550110</Dial>");
    bench.webhooks.answer("/voice", Answer::twiml(&verbs));
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    sdk.invite(&Phone::new(), "To=x").await;
    sdk.expect("hangup").await;
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert!(after.get("DialCallDuration").parse::<u32>().unwrap() >= 10);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sequential_dialling_tries_one_after_the_other() {
    let bench = Bench::start().await;
    let sdk = bench.agent("agent_1").await;
    let verbs = format!(
        "<Dial callerId=\"{OUR_NUMBER}\" sequential=\"true\"><Number>+12025550102</Number>\
         <Number>+12025550104</Number><Number sendDigits=\"w12\">+12025550109</Number><Number>+12025550110</Number></Dial>"
    );
    bench.webhooks.answer("/voice", Answer::twiml(&verbs));
    sdk.invite(&Phone::new(), "To=x").await;
    bench.event(|what| is_up(what, "+12025550109")).await;
    let dialled: Vec<_> =
        bench.simulator.calls().into_iter().filter(|leg| leg.parent_call_sid.is_some()).collect();
    let numbers: Vec<&str> = dialled.iter().map(|leg| leg.to.as_str()).collect();
    assert_eq!(numbers, ["+12025550102", "+12025550104", "+12025550109"], "the fourth was not needed");
    bench.heard(&dialled[2].call_sid, |heard| heard.dtmf == "12").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_pressed_while_it_rings_do_not_burst_on_whoever_answers() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    let verbs = format!(
        "<Dial callerId=\"{OUR_NUMBER}\" answerOnBridge=\"true\" sequential=\"true\" timeout=\"600\">\
         <Number>+12025550103</Number><Number>+12025550109</Number></Dial>"
    );
    bench.webhooks.answer("/voice", Answer::twiml(&verbs));
    sdk.invite(&phone, "To=x").await;
    let ringing = sdk.expect("ringing").await;
    let call_sid = crate::bench::call_sid(&ringing);
    sdk.send("dtmf", json!({ "callsid": call_sid, "dtmf": "12" }));
    // What is refused after the keys says that they were taken.
    sdk.send("reinvite", json!({ "callsid": call_sid, "sdp": "v=0 nonsense" }));
    sdk.expect("error").await;
    bench.simulator.hang_up(&far_leg(&bench, &call_sid)).unwrap();
    sdk.answered(&phone).await;
    sdk.send("dtmf", json!({ "callsid": call_sid, "dtmf": "9" }));
    let answered = bench.simulator.calls().into_iter().find(|leg| leg.to == "+12025550109").unwrap();
    let heard = bench.heard(&answered.call_sid, |heard| !heard.dtmf.is_empty()).await;
    assert_eq!(heard.dtmf, "9");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voicemail_box_greets_and_listens() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    let call_sid = call(&bench, &mut sdk, &phone, "+12025550107").await;
    phone.hears_such(|heard| heard.level_dbfs > -35.0, "the greeting").await;
    phone.say(750);
    bench.heard(&call_sid, |heard| heard.dominant_hz.is_some_and(|hz| (hz - 750.0).abs() < 3.0)).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tokens_parameters_win_over_the_pages() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/voice", Answer::twiml("<Hangup/>"));
    let token = bench.new_token("agent_1").outgoing(bench.app.clone()).outgoing_param("Team", "red");
    let mut sdk = Sdk::connect(&bench.simulator).await;
    sdk.listen(&bench.sign(&token), 0).await;
    sdk.invite(&Phone::new(), "Team=blue&From=%2B12025550100&Note=a%20%26%20b").await;
    let voice = bench.webhooks.wait("/voice", 1).await.remove(0);
    assert_eq!((voice.exact("Team"), voice.exact("Note")), (Some("red"), Some("a & b")));
    assert_eq!(voice.exact("From"), Some("client:agent_1"), "who calls cannot be forged");
    assert_eq!(voice.form.pairs().iter().filter(|(name, _)| name == "From").count(), 1);
    bench.stop().await;
}
