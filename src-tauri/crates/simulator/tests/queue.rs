//! Queues: waiting, being taken, and every way out.

use dialer_domain::sid::CallSid;
use dialer_simulator::{CallerScript, Happening, IncomingCall, Step};
use serde_json::json;

use crate::bench::{Answer, Bench, Phone, Sdk};
use crate::rest::Rest;

fn from(number: &str) -> IncomingCall {
    IncomingCall::from_number(number.to_owned().try_into().unwrap())
}

/// A caller whose tone is that of no telephone signal.
fn saying_620() -> IncomingCall {
    let steps = vec![Step::Tone { hz: 620.0, for_s: 600.0 }];
    from("+12025550111").doing(CallerScript { steps, ..CallerScript::default() })
}

/// A bench whose callers wait in the queue "support", and whose agents take them.
async fn desk(enqueue: &str, wait: &str) -> Bench {
    let bench = Bench::start().await;
    let verbs = format!("<Enqueue action=\"/after\" {enqueue}>support</Enqueue><Redirect>/next</Redirect>");
    bench.webhooks.answer("/voice", Answer::twiml(&verbs));
    bench.webhooks.answer("/wait", Answer::twiml(wait));
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    bench.webhooks.answer("/next", Answer::twiml("<Hangup/>"));
    bench
}

async fn enqueue(bench: &Bench, caller: &IncomingCall) -> CallSid {
    let sid = bench.simulator.place_incoming(caller).unwrap();
    bench.event(|what| matches!(what, Happening::Queued { call_sid, queue } if *call_sid == sid && queue == "support")).await;
    sid
}

/// An agent's call that is played this.
async fn take(bench: &Bench, sdk: &Sdk, phone: &Phone, verbs: &str) {
    bench.webhooks.answer("/voice", Answer::twiml(verbs));
    bench.webhooks.answer("/taken", Answer::twiml("<Hangup/>"));
    sdk.invite(phone, "To=x").await;
}

async fn left(bench: &Bench, sid: &CallSid) -> String {
    let event =
        bench.event(|what| matches!(what, Happening::LeftQueue { call_sid, .. } if call_sid == sid)).await;
    let Happening::LeftQueue { result, .. } = event.what else { panic!("{event:?}") };
    result
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_waiting_is_told_and_joined_with_who_takes_them() {
    let bench = desk("waitUrl=\"/wait\"", "<Play>http://192.0.2.1/music.mp3</Play>").await;
    let first = enqueue(&bench, &saying_620()).await;
    let second = enqueue(&bench, &from("+12025550111")).await;
    let waited = bench.webhooks.wait_for("/wait", |wait| wait.get("CallSid") == second.as_str()).await;
    assert_eq!((waited.get("QueuePosition"), waited.get("CurrentQueueSize")), ("2", "2"));
    assert_eq!((waited.get("MaxQueueSize"), waited.get("QueueTime").parse::<u32>().is_ok()), ("100", true));
    assert!(waited.get("QueueSid").starts_with("QU") && waited.form.has("AvgQueueTime"));
    bench
        .webhooks
        .wait_for("/wait", |wait| wait.get("CallSid") == first.as_str() && wait.get("QueueTime") != "0")
        .await;

    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    phone.say(1_200);
    bench
        .webhooks
        .answer("/whisper", Answer::twiml("<Say>You are being connected.</Say><Dial>+12025550100</Dial>"));
    let verbs = "<Dial action=\"/taken\" record=\"record-from-answer\"><Queue url=\"/whisper\">support</Queue></Dial>";
    take(&bench, &sdk, &phone, verbs).await;
    let (agent, _) = sdk.answered(&phone).await;
    let whisper = bench.webhooks.wait("/whisper", 1).await.remove(0);
    assert_eq!((whisper.get("CallSid"), whisper.get("DequeingCallSid")), (first.as_str(), agent.as_str()));
    assert!(whisper.form.has("QueueTime") && whisper.get("QueueSid") == waited.get("QueueSid"));
    phone.hears(620.0).await;
    bench.heard(&first, |heard| heard.dominant_hz.is_some_and(|hz| (hz - 1_200.0).abs() < 3.0)).await;
    bench.alert(12_200).await;
    assert!(bench.webhooks.got("/after").is_empty(), "not before the conversation is over");
    sdk.send("hangup", json!({ "callsid": agent }));
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!((after.get("CallSid"), after.get("QueueResult")), (first.as_str(), "bridged"));
    assert_eq!(after.get("QueueSid"), waited.get("QueueSid"));
    let taken = bench.webhooks.wait("/taken", 1).await.remove(0);
    assert_eq!((taken.get("DialCallStatus"), taken.get("DialCallSid")), ("completed", first.as_str()));
    assert_eq!(taken.get("DialBridged"), "true");
    assert!(taken.get("RecordingSid").starts_with("RE"), "the conversation was recorded");
    assert_eq!(left(&bench, &first).await, "bridged");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dials_an_empty_queue_waits_for_the_next_or_gives_up() {
    let bench = desk("waitUrl=\"\"", "").await;
    // The queue is there once somebody was in it.
    let gone = enqueue(&bench, &from("+12025550111")).await;
    bench.simulator.hang_up(&gone).unwrap();
    assert_eq!(left(&bench, &gone).await, "hangup");
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!((after.get("QueueResult"), after.get("CallStatus")), ("hangup", "completed"));

    let mut sdk = bench.agent("agent_1").await;
    let early = Phone::new();
    take(&bench, &sdk, &early, "<Dial action=\"/taken\" timeout=\"5\"><Queue>support</Queue></Dial>").await;
    sdk.answered(&early).await;
    assert_eq!(bench.webhooks.wait("/taken", 1).await[0].get("DialCallStatus"), "no-answer");
    sdk.expect("hangup").await;

    let phone = Phone::new();
    take(&bench, &sdk, &phone, "<Dial action=\"/taken\" timeout=\"600\"><Queue>support</Queue></Dial>").await;
    sdk.answered(&phone).await;
    phone.hears_such(|heard| heard.level_dbfs > -40.0, "ringing while the queue is empty").await;
    bench.webhooks.answer("/voice", Answer::twiml("<Enqueue waitUrl=\"\">support</Enqueue>"));
    let caller = bench.simulator.place_incoming(&saying_620()).unwrap();
    phone.hears(620.0).await;
    bench.simulator.hang_up(&caller).unwrap();
    let taken = bench.webhooks.wait("/taken", 2).await.remove(1);
    assert_eq!((taken.get("DialCallStatus"), taken.get("DialCallSid")), ("completed", caller.as_str()));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_does_not_exist_fails() {
    let bench = desk("", "").await;
    let sdk = bench.agent("agent_1").await;
    take(&bench, &sdk, &Phone::new(), "<Dial action=\"/taken\"><Queue>nobody</Queue></Dial>").await;
    assert_eq!(bench.webhooks.wait("/taken", 1).await[0].get("DialCallStatus"), "failed");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leave_goes_on_with_the_document_and_keys_are_gathered_while_waiting() {
    let bench = desk("waitUrl=\"/wait\"", "<Gather numDigits=\"1\" timeout=\"600\" action=\"/key\"/>").await;
    bench.webhooks.answer("/key", Answer::twiml("<Leave/>"));
    let step = |digits: &str| Step::Press { digits: digits.into(), via: dialer_simulator::KeyPath::InBand };
    let steps = vec![Step::Wait { s: 6.0 }, step("*")];
    let script = CallerScript { steps, again: true, ..CallerScript::default() };
    let sid = enqueue(&bench, &from("+12025550111").doing(script)).await;
    assert_eq!(bench.webhooks.wait("/key", 1).await[0].get("Digits"), "*");
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!((after.get("QueueResult"), after.get("CallStatus")), ("leave", "in-progress"));
    assert_eq!(left(&bench, &sid).await, "leave");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_action_the_document_goes_on() {
    let bench = desk("", "").await;
    bench.webhooks.answer(
        "/voice",
        Answer::twiml("<Enqueue waitUrl=\"/wait\">support</Enqueue><Redirect>/next</Redirect>"),
    );
    bench.webhooks.answer("/wait", Answer::twiml("<Say>Nobody is there.</Say><Leave/>"));
    bench.simulator.place_incoming(&from("+12025550111")).unwrap();
    bench.webhooks.wait("/next", 1).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_a_bad_name_and_a_bad_wait_url_are_results() {
    let bench = desk("waitUrl=\"\" maxQueueSize=\"1\"", "").await;
    enqueue(&bench, &from("+12025550111")).await;
    let refused = bench.simulator.place_incoming(&from("+12025550116")).unwrap();
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!((after.get("CallSid"), after.get("QueueResult")), (refused.as_str(), "queue-full"));
    assert!(!after.form.has("QueueSid") && !after.form.has("QueueTime"));
    bench.alert(14_207).await;
    for (count, verbs, code) in [
        (2, "<Enqueue action=\"/after\"/>", 14_204),
        (3, "<Enqueue action=\"/after\" waitUrl=\"/broken\">other</Enqueue>", 12_100),
    ] {
        bench.webhooks.answer("/broken", Answer::new(200, "text/xml", "<Response>"));
        bench.webhooks.answer("/voice", Answer::twiml(verbs));
        bench.simulator.place_incoming(&from("+12025550111")).unwrap();
        assert_eq!(
            bench.webhooks.wait("/after", count).await[count - 1].get("QueueResult"),
            "error",
            "{verbs}"
        );
        bench.alert(code).await;
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_out_of_patience_hangs_up() {
    let bench = desk("", "").await;
    let script = CallerScript { hang_up_after_s: Some(60.0), ..CallerScript::default() };
    let sid = enqueue(&bench, &from("+12025550111").doing(script)).await;
    assert_eq!(left(&bench, &sid).await, "hangup");
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert!(after.get("QueueTime").parse::<u32>().unwrap() >= 20, "{}", after.get("QueueTime"));
    // Twilio's own music was heard meanwhile.
    bench
        .event(
            |what| matches!(what, Happening::Played { call_sid, url } if *call_sid == sid && url.is_empty()),
        )
        .await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_leads_a_call_out_of_the_queue_and_out_of_the_conversation() {
    let bench = desk("waitUrl=\"\"", "").await;
    let rest = Rest::new(&bench.simulator);
    let elsewhere = [("Twiml", "<Response><Pause length=\"600\"/></Response>")];
    let waiting = enqueue(&bench, &from("+12025550111")).await;
    assert_eq!(rest.post(&rest.of(&format!("Calls/{waiting}.json")), &elsewhere).await.0, 200);
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!((after.get("CallSid"), after.get("QueueResult")), (waiting.as_str(), "redirected"));

    let talking = enqueue(&bench, &saying_620()).await;
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    take(&bench, &sdk, &phone, "<Dial action=\"/taken\"><Queue>support</Queue></Dial>").await;
    sdk.answered(&phone).await;
    phone.hears(620.0).await;
    assert_eq!(rest.post(&rest.of(&format!("Calls/{talking}.json")), &elsewhere).await.0, 200);
    let after = bench.webhooks.wait("/after", 2).await.remove(1);
    assert_eq!(
        (after.get("CallSid"), after.get("QueueResult")),
        (talking.as_str(), "redirected-from-bridged")
    );
    let taken = bench.webhooks.wait("/taken", 1).await.remove(0);
    assert_eq!((taken.get("DialCallStatus"), taken.form.has("DialCallDuration")), ("completed", false));
    for sid in [&waiting, &talking] {
        let legs = bench.simulator.calls();
        assert!(legs.iter().any(|leg| leg.call_sid == *sid && !leg.status.is_final()), "both live on");
    }
    bench.stop().await;
}
