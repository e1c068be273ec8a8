//! SIP addresses, whispers and applications.

use dialer_simulator::{Happening, IncomingCall, TwimlApp};
use serde_json::json;

use crate::bench::{Answer, Bench, OUR_NUMBER, Phone};
use crate::rest::Rest;

const LEG: &str = "statusCallback=\"/leg\" statusCallbackEvent=\"initiated ringing answered completed\"";

fn from(number: &str) -> IncomingCall {
    IncomingCall::from_number(number.to_owned().try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sip_address_is_dialled_and_its_response_told() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    let verbs = |user: &str| {
        Answer::twiml(&format!(
            "<Dial callerId=\"desk_1\" action=\"/after\"><Sip {LEG}>sip:{user}@pbx.example;transport=tls?x-order=7</Sip></Dial>"
        ))
    };
    bench.webhooks.answer("/voice", verbs("5550101"));
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    sdk.invite(&phone, "To=x").await;
    let (call_sid, _) = sdk.answered(&phone).await;
    phone.hears(440.0).await;
    bench
        .event(|what| matches!(what, Happening::SipInvite { uri, headers, .. }
            if uri == "sip:5550101@pbx.example;transport=tls" && headers[..] == [("x-order".to_owned(), "7".to_owned())]))
        .await;
    sdk.send("hangup", json!({ "callsid": call_sid }));
    let legs = bench.webhooks.wait("/leg", 4).await;
    let told: Vec<(&str, &str)> =
        legs.iter().map(|leg| (leg.get("CallStatus"), leg.get("SipResponseCode"))).collect();
    assert_eq!(told, [("initiated", ""), ("ringing", ""), ("in-progress", ""), ("completed", "200")]);
    assert!(legs.iter().all(|leg| leg.form.has("SipCallId") && leg.get("From") == "desk_1"));
    assert_eq!(legs[0].get("To"), "sip:5550101@pbx.example;transport=tls");
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!(
        (after.get("DialSipResponseCode"), after.get("DialSipCallId")),
        ("200", legs[0].get("SipCallId"))
    );

    bench.webhooks.answer("/voice", verbs("+12025550102"));
    bench.simulator.place_incoming(&from("+12025550100")).unwrap();
    let after = bench.webhooks.wait("/after", 2).await.remove(1);
    assert_eq!((after.get("DialCallStatus"), after.get("DialSipResponseCode")), ("busy", "486"));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sip_calls_that_cannot_be_placed_have_their_codes() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    for (count, verbs, code) in [
        (1, "<Dial action=\"/after\"><Sip>sip:a@192.168.1.1</Sip></Dial>", 13_254),
        (2, "<Dial action=\"/after\" callerId=\"a b\"><Sip>sip:a@b.example</Sip></Dial>", 13_247),
        (3, "<Dial action=\"/after\"><Sip>a@b.example</Sip></Dial>", 13_243),
    ] {
        bench.webhooks.answer("/voice", Answer::twiml(verbs));
        bench.simulator.place_incoming(&from("+12025550100")).unwrap();
        assert_eq!(bench.webhooks.wait("/after", count).await[count - 1].get("DialCallStatus"), "failed");
        bench.alert(code).await;
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_from_a_sip_domain_asks_the_same_voice_url() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/voice", Answer::twiml("<Dial>+12025550100</Dial>"));
    let call = IncomingCall {
        from_sip: Some("sip:alice@practice.sip.example".to_owned().try_into().unwrap()),
        ..from("+12025550101")
    };
    bench.simulator.place_incoming(&call).unwrap();
    let voice = bench.webhooks.wait("/voice", 1).await.remove(0);
    for (name, value) in [
        ("From", "sip:alice@practice.sip.example"),
        ("To", "sip:+12025550190@practice.sip.example"),
        ("SipDomain", "practice.sip.example"),
        ("Direction", "inbound"),
    ] {
        assert_eq!(voice.exact(name), Some(value), "{name}");
    }
    assert!(voice.form.has("SipCallId") && !voice.form.has("FromCountry"));
    // An address is no caller id for a number.
    bench.alert(13_247).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whisper_is_heard_by_the_called_party_alone_and_may_ask_for_a_key() {
    let bench = Bench::start().await;
    let verbs = format!(
        "<Dial callerId=\"{OUR_NUMBER}\" answerOnBridge=\"true\" action=\"/after\"><Number url=\"/whisper\">+12025550148</Number></Dial>"
    );
    bench.webhooks.answer("/voice", Answer::twiml(&verbs));
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    // The far end presses 8.
    bench.webhooks.answer(
        "/whisper",
        Answer::twiml("<Dial>+12025550100</Dial><Gather numDigits=\"1\" timeout=\"60\" action=\"/accept\"><Say>Press 8.</Say></Gather><Hangup/>"),
    );
    bench.webhooks.answer("/accept", Answer::twiml("<Say>Connecting.</Say>"));
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    phone.say(900);
    sdk.invite(&phone, "To=x").await;
    let accept = bench.webhooks.wait("/accept", 1).await.remove(0);
    let whisper = bench.webhooks.wait("/whisper", 1).await.remove(0);
    assert_eq!((accept.get("Digits"), accept.get("CallSid")), ("8", whisper.get("CallSid")));
    let (call_sid, _) = sdk.answered(&phone).await;
    assert_eq!(whisper.get("ParentCallSid"), call_sid.as_str());
    bench.heard(&call_sid, |heard| heard.dominant_hz.is_some_and(|hz| (hz - 900.0).abs() < 3.0)).await;
    bench.alert(13_201).await;

    // Who does not press anything is not connected.
    sdk.send("hangup", json!({ "callsid": call_sid }));
    bench.webhooks.wait("/after", 1).await;
    bench.webhooks.answer("/whisper", Answer::twiml("<Gather timeout=\"1\" numDigits=\"2\"/><Hangup/>"));
    bench.webhooks.answer("/voice", Answer::twiml(&verbs.replace("0148", "0111")));
    sdk.invite(&Phone::new(), "To=x").await;
    let after = bench.webhooks.wait("/after", 2).await.remove(1);
    assert_eq!((after.get("DialCallStatus"), after.get("DialBridged")), ("completed", "false"));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_leads_the_called_party_out_of_a_whisper() {
    let bench = Bench::start().await;
    bench.webhooks.answer(
        "/voice",
        Answer::twiml("<Dial action=\"/after\"><Number url=\"/whisper\">+12025550111</Number></Dial>"),
    );
    bench
        .webhooks
        .answer("/whisper", Answer::twiml("<Say loop=\"0\">Somebody would like to speak to you.</Say>"));
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    bench.simulator.place_incoming(&from("+12025550100")).unwrap();
    let child = bench.webhooks.wait("/whisper", 1).await.remove(0).get("CallSid").to_owned();
    bench
        .event(|what| matches!(what, Happening::Spoken { call_sid, .. } if call_sid.as_str() == child))
        .await;
    let rest = Rest::new(&bench.simulator);
    let elsewhere = [("Twiml", "<Response><Play loop=\"0\">http://192.0.2.1/music.mp3</Play></Response>")];
    assert_eq!(rest.post(&rest.of(&format!("Calls/{child}.json")), &elsewhere).await.0, 200);
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!((after.get("DialCallSid"), after.get("DialBridged")), (child.as_str(), "false"));
    assert!(!after.form.has("DialCallDuration"), "it is not over");
    bench
        .event(|what| matches!(what, Happening::Played { call_sid, .. } if call_sid.as_str() == child))
        .await;
    bench.heard(&child.parse().unwrap(), |heard| heard.level_dbfs > -40.0).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_dialled_and_heard() {
    let bench = Bench::start().await;
    bench.webhooks.answer(
        "/app",
        Answer::twiml(
            "<Gather numDigits=\"1\" timeout=\"600\" action=\"/key\"><Say>Press a key.</Say></Gather>",
        ),
    );
    bench.webhooks.answer("/key", Answer::twiml("<Play loop=\"0\">http://192.0.2.1/music.mp3</Play>"));
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    let app = TwimlApp { voice_url: Some(bench.webhooks.url("/app")), ..TwimlApp::default() };
    let app = bench.simulator.create_application(app);
    let verbs = format!(
        "<Dial action=\"/after\"><Application {LEG} customerId=\"c1\"><ApplicationSid>{app}</ApplicationSid>\
         <Parameter name=\"Order\" value=\"7\"/></Application></Dial>"
    );
    bench.webhooks.answer("/voice", Answer::twiml(&verbs));
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    sdk.invite(&phone, "To=x").await;
    let (call_sid, _) = sdk.answered(&phone).await;
    let asked = bench.webhooks.wait("/app", 1).await.remove(0);
    for (name, value) in [
        ("From", "client:agent_1"),
        ("To", app.as_str()),
        ("ParentCallSid", call_sid.as_str()),
        ("Param_Order", "7"),
        ("CustomerId", "c1"),
    ] {
        assert_eq!(asked.exact(name), Some(value), "{name}");
    }
    phone.hears_such(|heard| heard.level_dbfs > -35.0, "the application").await;
    sdk.send("dtmf", json!({ "callsid": call_sid, "dtmf": "5" }));
    let key = bench.webhooks.wait("/key", 1).await.remove(0);
    assert_eq!((key.get("Digits"), key.get("CallSid")), ("5", asked.get("CallSid")));
    sdk.send("hangup", json!({ "callsid": call_sid }));
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!((after.get("DialCallStatus"), after.get("DialCallSid")), ("completed", asked.get("CallSid")));
    assert_eq!(bench.webhooks.wait("/leg", 4).await[3].get("CallStatus"), "completed");

    // Another account's app must allow it, and an unknown one cannot be dialled at all.
    let url = bench.webhooks.url("/app");
    let foreign =
        bench.simulator.create_foreign_application(TwimlApp { voice_url: Some(url), ..TwimlApp::default() });
    bench.webhooks.answer("/voice", Answer::twiml(&verbs.replace(app.as_str(), foreign.as_str())));
    bench.simulator.place_incoming(&from("+12025550100")).unwrap();
    assert_eq!(bench.webhooks.wait("/after", 2).await[1].get("DialCallStatus"), "failed");
    bench.alert(21_218).await;
    bench.stop().await;
}
