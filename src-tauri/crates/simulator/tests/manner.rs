//! How patiently webhooks are asked, by what they are signed, and what is kept of their answers.

use std::time::Duration;

use dialer_domain::sid::CallSid;
use dialer_simulator::{Happening, IncomingCall, TwimlApp, WebhookPurpose};
use dialer_twilio::signature::{HmacAlgorithm, SignedBody, WebhookKey, sign};
use serde_json::{Value, json};

use crate::bench::{Answer, Bench};
use crate::rest::Rest;

/// A telephone call to our number, lived to its end.
async fn call(bench: &Bench) -> CallSid {
    let from = "+12025550101".to_owned().try_into().unwrap();
    let call = bench.simulator.place_incoming(&IncomingCall::from_number(from)).unwrap();
    bench.event(|what| matches!(what, Happening::LegStatus { call_sid, status, .. } if *call_sid == call && status.is_final())).await;
    call
}

/// Sets the voice URL, with this fragment.
fn voice_url(bench: &Bench, fragment: &str) {
    let mut url = bench.webhooks.url("/voice");
    url.set_fragment(Some(fragment));
    let app = TwimlApp { voice_url: Some(url), ..TwimlApp::default() };
    bench.simulator.update_application(&bench.app, app).unwrap();
}

fn broken() -> Answer {
    Answer::new(500, "text/plain", "no")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_says_when_and_how_often_it_is_tried_again() {
    let bench = Bench::start().await;
    voice_url(&bench, "rc=2&rp=5xx,4xx");
    let refused = Answer::new(403, "text/plain", "");
    bench.webhooks.answer_each("/voice", vec![broken(), refused, Answer::twiml("<Hangup/>")]);
    call(&bench).await;
    let tries = bench.webhooks.got("/voice");
    assert_eq!(tries.len(), 3);
    assert!(tries.iter().all(|request| request.idempotency == tries[0].idempotency));
    assert!(bench.alerts().is_empty());

    bench.webhooks.answer_each("/voice", vec![broken(), broken(), broken(), Answer::twiml("<Hangup/>")]);
    call(&bench).await;
    assert_eq!((bench.webhooks.got("/voice").len(), bench.alerts()), (6, vec![11_200]));

    voice_url(&bench, "rc=2&rp=rt");
    bench.webhooks.answer_each("/voice", vec![broken(), Answer::twiml("<Hangup/>")]);
    call(&bench).await;
    assert_eq!((bench.webhooks.got("/voice").len(), bench.alerts().len()), (7, 2), "not for such an answer");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_says_how_long_it_is_waited_for() {
    let bench = Bench::start().await;
    let slow = Answer::twiml("<Hangup/>").after(Duration::from_secs(600));
    voice_url(&bench, "rt=2000&rc=1&rp=rt");
    bench.webhooks.answer_each("/voice", vec![slow.clone(), Answer::twiml("<Hangup/>")]);
    call(&bench).await;
    assert_eq!((bench.webhooks.got("/voice").len(), bench.alerts()), (2, vec![]));
    voice_url(&bench, "tt=2000&rc=5&rp=all");
    bench.webhooks.answer("/voice", slow);
    call(&bench).await;
    assert_eq!((bench.webhooks.got("/voice").len(), bench.alerts()), (3, vec![11_205]));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_that_has_not_changed_is_not_fetched_again() {
    let bench = Bench::start().await;
    let mut samples = vec![0_i16; 8_000];
    dialer_media::signal::Tone::at_rate(650.0, -10.0, 8_000).fill(&mut samples);
    let mut file =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
    file.extend(u32::try_from(samples.len() * 2).unwrap().to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bench.webhooks.answer("/a.wav", Answer::new(200, "audio/wav", file).header("etag", "\"v1\""));
    bench.webhooks.answer("/voice", Answer::twiml("<Play>/a.wav</Play>"));
    for known_as in [None, Some("\"v1\"")] {
        let call = call(&bench).await;
        let hz = bench.simulator.heard(&call).unwrap().dominant_hz;
        assert!(hz.is_some_and(|hz| (hz - 650.0).abs() < 3.0), "{hz:?}");
        assert_eq!(bench.webhooks.got("/a.wav").last().unwrap().known_as.as_deref(), known_as);
    }
    // A file is no webhook and not signed, so the bench would complain.
    bench.simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_shown_once_it_is_asked_for_and_to_nobody_else() {
    let bench = Bench::start().await;
    let mut url = bench.webhooks.url("/voice");
    url.set_username("twilio").unwrap();
    url.set_password(Some("a+b %40")).unwrap();
    let app = TwimlApp { voice_url: Some(url.clone()), ..TwimlApp::default() };
    bench.simulator.update_application(&bench.app, app).unwrap();
    let asks = Answer::new(401, "text/plain", "").header("www-authenticate", "Basic realm=\"phone\"");
    bench.webhooks.answer_each("/voice", vec![asks, Answer::twiml("<Hangup/>")]);
    call(&bench).await;
    let [first, second] = &bench.webhooks.got("/voice")[..] else { panic!("two requests") };
    // "twilio:a+b @"
    assert_eq!(
        (first.authorization.as_deref(), second.authorization.as_deref()),
        (None, Some("Basic dHdpbGlvOmErYiBA"))
    );
    let key = WebhookKey::AuthToken(bench.simulator.account().auth_token);
    let signature = sign(&key, url.as_str(), SignedBody::Form(second.form.pairs()));
    assert_eq!(second.signature.as_ref(), Some(&signature), "the whole address is signed");
    bench.webhooks.answer("/voice", broken());
    call(&bench).await;
    assert_eq!(bench.alerts(), [11_200]);
    let shown = serde_json::to_string(&bench.simulator.events_since(0)).unwrap();
    assert!(!shown.contains("a+b"), "{shown}");
    bench.simulator.shutdown().await;
}

async fn ask(owner: &Rest, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = owner.request(method, &format!("/webhooks/v1/Webhooks/{path}"));
    let response = if body.is_null() { request } else { request.json(body) }.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
}

/// Waits until a change of rules has spread.
async fn spread(owner: &Rest, accepted: (u16, Value)) -> String {
    assert_eq!(accepted.0, 202, "{}", accepted.1);
    let operation = &accepted.1["operation"];
    let path = format!("Operations/{}", operation["id"].as_str().unwrap());
    while ask(owner, "GET", &path, &Value::Null).await.1["status"] != "COMPLETED" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    operation["resourceId"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_key_signs_what_its_rule_is_for() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    bench.webhooks.answer("/voice", Answer::twiml("<Hangup/>"));
    let (status, key) = ask(&owner, "POST", "SharedKeys", &json!({ "friendlyName": "desk" })).await;
    assert_eq!(status, 201);
    let id = key["id"].as_str().unwrap();
    assert!(ask(&owner, "GET", &format!("SharedKeys/{id}"), &Value::Null).await.1["secret"].is_null());
    let setting = json!({
        "signature": { "type": "SHARED_KEY", "sharedKeyId": id, "algorithm": "HMAC_SHA256" },
        "connection": { "retryPolicy": { "retryCount": 1, "retryOn": ["HTTP_5XX"] } },
    });
    let (_, setting) = ask(&owner, "POST", "Settings", &setting).await;
    assert_eq!(setting["signature"]["algorithm"], "HMAC_SHA256");
    let value = bench.webhooks.url("/voice").to_string();
    let settings = json!([{ "settingId": setting["id"], "percentage": 100 }]);
    let rule = json!({ "matchType": "EXACT_MATCH", "value": value, "settings": settings });
    let rule_id = spread(&owner, ask(&owner, "POST", "Rules", &rule).await).await;

    let key = WebhookKey::SharedKey {
        id: id.to_owned(),
        algorithm: HmacAlgorithm::Sha256,
        secret: key["secret"].as_str().unwrap().into(),
    };
    bench.webhooks.expect_key(key);
    bench.webhooks.answer_each("/voice", vec![broken(), Answer::twiml("<Hangup/>")]);
    call(&bench).await;
    bench.webhooks.wait("/parent", 1).await;
    let tries = bench.webhooks.got("/voice");
    assert_eq!(tries.len(), 2, "the setting has one more try");
    assert_eq!(tries[0].settings, Some(format!("key={id},algorithm=HMAC_SHA256")));
    assert!(tries.iter().all(|request| request.signed));
    let parent = &bench.webhooks.got("/parent")[0];
    assert!(parent.settings.is_none() && !parent.signed, "no rule is for that address");

    let (status, again) = ask(&owner, "POST", "Rules", &rule).await;
    assert_eq!((status, &again["code"]), (409, &json!(59_103)));
    assert_eq!(ask(&owner, "DELETE", &format!("SharedKeys/{id}"), &Value::Null).await.0, 409);
    spread(&owner, ask(&owner, "DELETE", &format!("Rules/{rule_id}"), &Value::Null).await).await;
    call(&bench).await;
    assert!(bench.webhooks.got("/voice")[2].settings.is_none());
    // Two keys signed, so the bench would complain.
    bench.simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_delivery_tells_what_came_back() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    bench.webhooks.answer("/reach", Answer::twiml("<Hangup/>"));
    let url = bench.webhooks.url("/reach").to_string();
    let (status, told) = ask(&owner, "POST", "Tests", &json!({ "url": url, "method": "POST" })).await;
    assert_eq!((status, &told["result"]["response"]["statusCode"]), (201, &json!(200)), "{told}");
    assert!(told["result"]["timing"]["totalMs"].is_u64());
    assert!(bench.webhooks.got("/reach")[0].signed);
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/", unused.local_addr().unwrap());
    drop(unused);
    let (_, told) = ask(&owner, "POST", "Tests", &json!({ "url": nobody, "method": "POST" })).await;
    assert!(told["result"]["error"].is_string(), "{told}");
    let (status, refused) = ask(&owner, "POST", "Tests", &json!({ "url": "no address" })).await;
    assert_eq!((status, &refused["status"]), (400, &json!(400)));
    let purposes = bench.simulator.events_since(0);
    let is_call =
        |what: &Happening| matches!(what, Happening::Webhook { purpose: WebhookPurpose::Voice, .. });
    assert!(!purposes.iter().any(|event| is_call(&event.what)));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_fails_in_the_middle_of_a_call_has_a_fallback_too() {
    let bench = Bench::start().await;
    let app = TwimlApp {
        voice_url: Some(bench.webhooks.url("/voice")),
        voice_fallback_url: Some(bench.webhooks.url("/fallback")),
        ..TwimlApp::default()
    };
    bench.simulator.update_application(&bench.app, app).unwrap();
    bench
        .webhooks
        .answer("/voice", Answer::twiml("<Dial action=\"/after\" timeout=\"5\">+12025550102</Dial>"));
    bench.webhooks.answer("/after", Answer::new(200, "text/xml", "<Response>"));
    bench.webhooks.answer("/gone", broken());
    let first = Answer::twiml("<Redirect>/gone</Redirect>");
    bench.webhooks.answer_each("/fallback", vec![first, Answer::twiml("<Hangup/>")]);
    call(&bench).await;
    assert_eq!(bench.alerts(), [12_100, 11_200]);
    let asked = bench.webhooks.got("/fallback");
    let urls = [bench.webhooks.url("/after"), bench.webhooks.url("/gone")];
    for ((asked, code), url) in asked.iter().zip(["12100", "11200"]).zip(&urls) {
        assert_eq!((asked.get("ErrorCode"), asked.get("ErrorUrl")), (code, url.as_str()));
    }
    assert_eq!((asked.len(), asked[0].get("DialCallStatus")), (2, "busy"), "with what the first was told");
    bench.stop().await;
}
