//! Calls that come to the SDK.

use dialer_domain::call::CallStatus;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::CallSid;
use dialer_simulator::{AnswerScript, FarEndScript, Happening, IncomingCall, OperationError, TalkScript};
use serde_json::json;

use crate::bench::{Answer, Bench, OUR_NUMBER, Phone, Sdk};

fn number(text: &str) -> E164 {
    E164::parse_strict(text).unwrap()
}

fn from(caller: &str) -> IncomingCall {
    IncomingCall::from_number(number(caller))
}

fn script(patience_s: Option<f64>) -> FarEndScript {
    FarEndScript {
        answer: AnswerScript::Busy,
        talk: TalkScript::Tone { hz: 520.0 },
        hang_up_after_s: None,
        patience_s,
    }
}

fn status(bench: &Bench, call: &CallSid) -> CallStatus {
    bench.simulator.calls().into_iter().find(|leg| leg.call_sid == *call).unwrap().status
}

async fn ended(bench: &Bench, call: &CallSid) -> CallStatus {
    bench.event(|what| matches!(what, Happening::LegStatus { call_sid, status, .. } if call_sid == call && status.is_final())).await;
    status(bench, call)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_answered_heard_both_ways_and_ended_by_the_caller() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    bench.ring_client("agent_1");
    let parent = bench.simulator.place_incoming(&from("+12025550101")).unwrap();
    phone.say(1200);
    let invite = sdk.answer_invite(&phone).await;
    let parameters = &invite["parameters"];
    assert_eq!(parameters["CallSid"], invite["callsid"]);
    assert_eq!(parameters["From"], "+12025550101");
    assert_eq!(parameters["To"], "client:agent_1");
    assert_eq!(parameters["AccountSid"], json!(bench.simulator.account().account_sid));
    assert_eq!(parameters["ApiVersion"], "2010-04-01");
    assert_eq!(parameters["StirStatus"], "TN-Validation-Passed-A");
    assert_eq!(parameters["Params"], "called=%2B12025550190");
    phone.hears(440.0).await;
    bench.heard(&parent, |heard| heard.dominant_hz.is_some_and(|hz| (hz - 1200.0).abs() < 3.0)).await;
    bench.simulator.hang_up(&parent).unwrap();
    assert_eq!(sdk.expect("hangup").await, json!({ "callsid": invite["callsid"] }));

    let voice = bench.webhooks.wait("/voice", 1).await.remove(0);
    for (name, value) in [
        ("From", "+12025550101"),
        ("To", OUR_NUMBER),
        ("Caller", "+12025550101"),
        ("Called", OUR_NUMBER),
        ("Direction", "inbound"),
        ("CallStatus", "ringing"),
        ("FromCountry", "US"),
        ("FromState", "DC"),
        ("FromCity", ""),
        ("CalledZip", ""),
    ] {
        assert_eq!(voice.exact(name), Some(value), "{name}");
    }
    assert!(!voice.form.has("ApplicationSid"));
    let legs = bench.webhooks.wait("/leg", 4).await;
    let statuses: Vec<&str> = legs.iter().map(|leg| leg.get("CallStatus")).collect();
    assert_eq!(statuses, ["initiated", "ringing", "in-progress", "completed"]);
    assert_eq!(legs[0].get("To"), "client:agent_1");
    assert_eq!(bench.webhooks.wait("/parent", 1).await[0].get("CallStatus"), "completed");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_ring_and_the_slower_is_told() {
    let bench = Bench::start().await;
    let (mut one, mut two) = (bench.agent("agent_1").await, bench.agent("agent_1").await);
    let mut other = bench.agent("agent_2").await;
    bench.ring_client("agent_1");
    bench.simulator.place_incoming(&from("+12025550101")).unwrap();
    let phone = Phone::new();
    let ignored = one.expect("invite").await;
    let taken = two.answer_invite(&phone).await;
    assert_eq!(ignored["callsid"], taken["callsid"]);
    assert_ne!(ignored["sdp"], taken["sdp"], "each device has its own media");
    assert_eq!(one.expect("cancel").await["callsid"], ignored["callsid"]);
    phone.hears(440.0).await;
    // An answer that comes too late finds the call gone to another.
    one.send("answer", json!({ "callsid": ignored["callsid"], "sdp": "v=0" }));
    phone.reset();
    phone.hears(440.0).await;
    two.send("hangup", json!({ "callsid": taken["callsid"] }));
    bench.webhooks.wait("/parent", 1).await;
    assert!(!two.unexpected().contains(&"cancel".to_owned()));
    assert!(other.unexpected().is_empty(), "another identity is not concerned");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_call_is_busy_once_every_device_declined() {
    let bench = Bench::start().await;
    let (mut one, mut two) = (bench.agent("agent_1").await, bench.agent("agent_1").await);
    bench.ring_client("agent_1");
    let parent = bench.simulator.place_incoming(&from("+12025550101")).unwrap();
    let invite = one.expect("invite").await;
    one.send("reject", json!({ "callsid": invite["callsid"] }));
    two.expect("invite").await;
    assert_eq!(status(&bench, &parent), CallStatus::Ringing, "the other device still rings");
    two.send("reject", json!({ "callsid": invite["callsid"] }));
    assert_eq!(ended(&bench, &parent).await, CallStatus::Busy);
    let leg = bench.webhooks.wait("/leg", 3).await.remove(2);
    assert_eq!(leg.get("CallStatus"), "busy");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_cancels_the_ringing() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    bench.ring_client("agent_1");
    let parent = bench.simulator.place_incoming(&from("+12025550101")).unwrap();
    let invite = sdk.expect("invite").await;
    bench.simulator.hang_up(&parent).unwrap();
    assert_eq!(sdk.expect("cancel").await["callsid"], invite["callsid"]);
    assert_eq!(ended(&bench, &parent).await, CallStatus::Canceled);
    assert_eq!(bench.webhooks.wait("/leg", 3).await[2].get("CallStatus"), "canceled");
    // By its own script, too.
    bench.simulator.set_far_end(&number("+12025550178"), script(Some(4.0)));
    let parent = bench.simulator.place_incoming(&from("+12025550178")).unwrap();
    assert_eq!(ended(&bench, &parent).await, CallStatus::Canceled);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_call_ends_after_the_timeout_and_the_document_goes_on() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    bench.webhooks.answer(
        "/voice",
        Answer::twiml("<Dial timeout=\"5\" answerOnBridge=\"true\"><Client>agent_1</Client></Dial><Say>Nobody is there.</Say>"),
    );
    let parent = bench.simulator.place_incoming(&from("+12025550101")).unwrap();
    sdk.expect("invite").await;
    sdk.expect("cancel").await;
    assert_eq!(ended(&bench, &parent).await, CallStatus::Completed, "the prompt answered the call");
    bench.heard(&parent, |heard| heard.frames > 0).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_registered_rings_until_the_timeout() {
    let bench = Bench::start().await;
    bench.webhooks.answer(
        "/voice",
        Answer::twiml(
            "<Dial answerOnBridge=\"true\" timeout=\"5\"><Client statusCallback=\"/leg\" \
             statusCallbackEvent=\"initiated ringing answered completed\">agent_1</Client></Dial>",
        ),
    );
    let parent = bench.simulator.place_incoming(&from("+12025550101")).unwrap();
    assert_eq!(ended(&bench, &parent).await, CallStatus::NoAnswer);
    let legs = bench.webhooks.wait("/leg", 3).await;
    let statuses: Vec<&str> = legs.iter().map(|leg| leg.get("CallStatus")).collect();
    assert_eq!(statuses, ["initiated", "ringing", "no-answer"]);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reject_is_busy_to_a_telephone() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/voice", Answer::twiml("<Reject reason=\"busy\"/>"));
    let parent = bench.simulator.place_incoming(&from("+12025550101")).unwrap();
    assert_eq!(ended(&bench, &parent).await, CallStatus::Busy);
    let mut sdk = bench.agent("agent_1").await;
    sdk.invite(&Phone::new(), "").await;
    assert_eq!(sdk.expect("hangup").await["error"], json!(null), "an SDK sees just a hang-up");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sdks_talk_to_each_other() {
    let bench = Bench::start().await;
    let (mut caller, mut called) = (bench.agent("agent_1").await, bench.agent("agent_2").await);
    let (here, there) = (Phone::new(), Phone::new());
    here.say(500);
    there.say(800);
    bench.ring_client("agent_2");
    caller.invite(&here, "To=client%3Aagent_2").await;
    let invite = called.answer_invite(&there).await;
    assert_eq!(invite["parameters"]["From"], "client:agent_1");
    assert_eq!(caller.expect("ringing").await["sdp"], json!(null), "no carrier, no early media");
    let (call_sid, _) = caller.answered(&here).await;
    here.hears(800.0).await;
    there.hears(500.0).await;
    there.say(0);
    here.say(0);
    there.hears_key('7', || caller.send("dtmf", json!({ "callsid": call_sid, "dtmf": "77" }))).await;
    called.send("hangup", json!({ "callsid": invite["callsid"] }));
    assert_eq!(caller.expect("hangup").await["callsid"], json!(call_sid));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ringing_call_can_be_taken_by_another_device_with_its_connect_token() {
    let bench = Bench::start().await;
    let mut rung = bench.agent("agent_1").await;
    bench.ring_client("agent_1");
    bench.simulator.place_incoming(&from("+12025550101")).unwrap();
    let invite = rung.expect("invite").await;
    let mut taker = Sdk::connect(&bench.simulator).await;
    taker.listen(&bench.token("agent_1"), 0).await;
    let phone = Phone::new();
    let offer = phone.offer().await;
    taker.send(
        "invite",
        json!({ "callsid": invite["callsid"], "reconnect": "wrong", "sdp": offer, "twilio": {} }),
    );
    assert_eq!(taker.expect("hangup").await["error"]["code"], 31_209);
    taker.send(
        "invite",
        json!({ "callsid": invite["callsid"], "reconnect": invite["reconnect"], "sdp": offer, "twilio": {} }),
    );
    taker.answered(&phone).await;
    phone.hears(440.0).await;
    rung.expect("cancel").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_nobody_answers_for_are_not_placed() {
    let bench = Bench::start().await;
    let our = number(OUR_NUMBER);
    let stranger = IncomingCall::from_number(number("+12025550101")).to(number("+12025550999"));
    assert_eq!(
        bench.simulator.place_incoming(&stranger),
        Err(OperationError::UnknownNumber(number("+12025550999")))
    );
    bench.simulator.bind_number(&our, None).unwrap();
    assert_eq!(bench.simulator.place_incoming(&from("+12025550101")), Err(OperationError::NotRouted));
    bench.stop().await;
}
