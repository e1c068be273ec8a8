//! Calls that REST lists, places, ends and redirects.

use dialer_domain::sid::CallSid;
use dialer_simulator::Happening;
use serde_json::json;

use super::{Rest, refusal};
use crate::bench::{Answer, Bench, OUR_NUMBER, Phone};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_placed_reported_and_ended() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let calls = owner.of("Calls.json");
    bench.webhooks.answer("/placed", Answer::twiml("<Play loop=\"0\">http://192.0.2.1/tune.mp3</Play>"));
    let (url, status) = (bench.webhooks.url("/placed"), bench.webhooks.url("/status"));
    let form = [
        ("To", "+12025550109"),
        ("From", OUR_NUMBER),
        ("Url", url.as_str()),
        ("StatusCallback", status.as_str()),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
    ];
    let (code, placed) = owner.post(&calls, &form).await;
    assert_eq!(
        (code, &placed["status"], &placed["direction"]),
        (201, &json!("queued"), &json!("outbound-api"))
    );
    let asked = bench.webhooks.wait("/placed", 1).await.remove(0);
    assert_eq!((asked.get("Direction"), asked.get("CallStatus")), ("outbound-api", "in-progress"));
    assert_eq!(asked.get("CallSid"), placed["sid"].as_str().unwrap());
    let one = owner.of(&format!("Calls/{}.json", placed["sid"].as_str().unwrap()));
    assert_eq!(owner.get(&one).await.1["status"], "in-progress");
    let live = owner.of("Calls.json?Status=in-progress&To=%2B12025550109");
    assert_eq!(owner.get(&live).await.1["calls"].as_array().unwrap().len(), 1);
    assert_eq!(owner.post(&one, &[("Status", "completed")]).await.1["status"], "completed");
    let reported = bench.webhooks.wait("/status", 3).await;
    let said: Vec<&str> = reported.iter().map(|callback| callback.get("CallStatus")).collect();
    assert_eq!(said, ["initiated", "in-progress", "completed"]);
    let (_, ended) = owner.get(&one).await;
    assert!(ended["end_time"].is_string() && ended["duration"].is_string(), "{ended}");
    assert_eq!(owner.post(&one, &[("Status", "completed")]).await.0, 200, "ending twice is no error");
    assert_eq!(refusal(owner.post(&one, &[("Url", url.as_str())]).await), (400, 21_220));
    assert_eq!(owner.get(&owner.of("Calls.json?StartTime%3E=2100-01-01")).await.1["calls"], json!([]));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_called_with_parameters() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    let form = [
        ("To", "client:agent_1?why=a%20test"),
        ("From", "client:desk"),
        ("Twiml", "<Response><Play loop=\"0\">http://192.0.2.1/tune.mp3</Play></Response>"),
    ];
    let (status, placed) = owner.post(&owner.of("Calls.json"), &form).await;
    assert_eq!((status, &placed["to"]), (201, &json!("client:agent_1")));
    let invite = sdk.answer_invite(&phone).await;
    assert_eq!((&invite["callsid"], &invite["parameters"]["From"]), (&placed["sid"], &json!("client:desk")));
    assert_eq!(invite["parameters"]["Params"], "why=a+test");
    let one = owner.of(&format!("Calls/{}.json", placed["sid"].as_str().unwrap()));
    bench
        .event(
            |what| matches!(what, Happening::LegStatus { status, .. } if status.as_wire() == "in-progress"),
        )
        .await;
    assert_eq!(owner.post(&one, &[("Status", "completed")]).await.0, 200);
    assert_eq!(sdk.expect("hangup").await["callsid"], placed["sid"]);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nobody_answers_ends_in_time() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let status = bench.webhooks.url("/status");
    let form = [
        ("To", "+12025550103"),
        ("From", OUR_NUMBER),
        ("Twiml", "<Response/>"),
        ("Timeout", "5"),
        ("StatusCallback", status.as_str()),
    ];
    assert_eq!(owner.post(&owner.of("Calls.json"), &form).await.0, 201);
    let told = bench.webhooks.wait("/status", 1).await;
    assert_eq!(told[0].get("CallStatus"), "no-answer", "only the end is told unless asked");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_cannot_be_placed() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let (to, from, twiml) = (("To", "+12025550100"), ("From", OUR_NUMBER), ("Twiml", "<Response/>"));
    for (form, code) in [
        (vec![from, twiml], 21_201),
        (vec![to, twiml], 21_213),
        (vec![("To", "555"), from, twiml], 21_211),
        (vec![to, ("From", "555"), twiml], 21_212),
        (vec![to, ("From", "+12025550155"), twiml], 21_210),
        (vec![to, from], 21_205),
        (vec![to, from, ("Url", "here")], 21_205),
        (vec![to, from, ("ApplicationSid", "AP0123")], 21_218),
        (vec![to, from, ("Twiml", "<Response>")], 12_100),
        (vec![to, from, twiml, ("Timeout", "601")], 21_208),
        (vec![("To", "+37167000000"), from, twiml], 21_215),
    ] {
        assert_eq!(refusal(owner.post(&owner.of("Calls.json"), &form).await), (400, code), "{form:?}");
    }
    assert!(bench.simulator.calls().is_empty());
    bench.stop().await;
}

/// An outgoing call of the SDK that is up: the parent's SID and the dialled leg's.
async fn connected(bench: &Bench, phone: &Phone) -> (crate::bench::Sdk, CallSid, CallSid) {
    let mut sdk = bench.agent("agent_1").await;
    let document = format!(
        "<Dial callerId=\"{OUR_NUMBER}\" answerOnBridge=\"true\" action=\"/after\"><Number>+12025550101</Number></Dial>"
    );
    bench.webhooks.answer("/voice", Answer::twiml(&document));
    bench.webhooks.answer("/after", Answer::twiml("<Pause length=\"600\"/>"));
    sdk.invite(phone, "To=x").await;
    let (parent, _) = sdk.answered(phone).await;
    phone.hears(440.0).await;
    let child =
        bench.simulator.calls().into_iter().find(|leg| leg.parent_call_sid.is_some()).unwrap().call_sid;
    (sdk, parent, child)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialled_leg_that_is_redirected_leaves_its_parent() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let phone = Phone::new();
    let (_sdk, parent, child) = connected(&bench, &phone).await;
    bench.webhooks.answer("/moved", Answer::twiml("<Pause length=\"600\"/>"));
    let moved = bench.webhooks.url("/moved");
    let path = owner.of(&format!("Calls/{child}.json"));
    assert_eq!(owner.post(&path, &[("Url", moved.as_str())]).await.0, 200);
    assert_eq!(bench.webhooks.wait("/moved", 1).await[0].get("CallSid"), child.as_str());
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!((after.get("CallSid"), after.get("DialCallStatus")), (parent.as_str(), "completed"));
    assert!(!after.form.has("DialCallDuration"), "it was not hung up");
    assert_eq!(after.get("DialBridged"), "true");
    assert_eq!(owner.get(&path).await.1["status"], "in-progress", "it lives on");
    // And once more, now that it has documents of its own.
    let twiml = [("Twiml", "<Response><Hangup/></Response>")];
    assert_eq!(owner.post(&path, &twiml).await.0, 200);
    bench.event(|what| matches!(what, Happening::LegStatus { call_sid, status, .. } if *call_sid == child && status.is_final())).await;
    let (_, parent) = owner.get(&owner.of(&format!("Calls/{parent}.json"))).await;
    assert_eq!(parent["status"], "in-progress");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_that_is_redirected_hangs_up_what_it_dialled() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let phone = Phone::new();
    let (_sdk, parent, child) = connected(&bench, &phone).await;
    let path = owner.of(&format!("Calls/{parent}.json"));
    let twiml = [("Twiml", "<Response><Pause length=\"600\"/></Response>")];
    assert_eq!(owner.post(&path, &twiml).await.0, 200);
    bench.event(|what| matches!(what, Happening::LegStatus { call_sid, status, .. } if *call_sid == child && status.is_final())).await;
    assert!(bench.webhooks.got("/after").is_empty(), "the action is not asked");
    assert_eq!(owner.get(&path).await.1["status"], "in-progress");
    assert_eq!(owner.post(&path, &[("Status", "completed")]).await.0, 200);
    bench.event(|what| matches!(what, Happening::LegStatus { call_sid, status, .. } if *call_sid == parent && status.is_final())).await;
    bench.stop().await;
}
