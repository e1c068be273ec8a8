//! Callbacks that arrive in another order, twice, late or not at all.

use dialer_domain::phone_number::E164;
use dialer_domain::sid::CallSid;
use dialer_simulator::{
    CallbackFailure, CallbackFault, Faults, Happening, IncomingCall, Pace, SimulatorOptions, WebhookPurpose,
};

use crate::bench::{Answer, Bench, OUR_NUMBER};

const SEED: u64 = 7;

async fn bench() -> Bench {
    Bench::start_with(SimulatorOptions {
        pace: Pace::times(20.0).unwrap(),
        seed: SEED,
        ..SimulatorOptions::default()
    })
    .await
}

fn rule(only: &[WebhookPurpose], then: CallbackFailure) -> Faults {
    let fault = CallbackFault { only: only.to_vec(), url_contains: None, times: None, then };
    Faults { callbacks: vec![fault], ..Faults::default() }
}

/// Someone calls, is put through to a number that hangs up after a second, and is recorded.
async fn call(bench: &Bench) -> CallSid {
    let dial = format!(
        "<Dial callerId=\"{OUR_NUMBER}\" action=\"/after\" record=\"record-from-answer-dual\" \
         recordingStatusCallback=\"/recorded\" recordingStatusCallbackEvent=\"in-progress completed\">\
         <Number statusCallback=\"/leg\" statusCallbackEvent=\"initiated ringing answered completed\">\
         +12025550139</Number></Dial>"
    );
    bench.webhooks.answer("/voice", Answer::twiml(&dial));
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    let from = E164::parse_strict("+12025550101").unwrap();
    let call = bench.simulator.place_incoming(&IncomingCall::from_number(from)).unwrap();
    bench.event(|what| matches!(what, Happening::LegStatus { call_sid, status, .. } if *call_sid == call && status.is_final())).await;
    call
}

/// What arrived, in order: the leg's statuses, the parent's, the recording's.
fn arrived(bench: &Bench) -> Vec<String> {
    let told = bench.webhooks.all().into_iter().filter(|request| request.path != "/voice");
    told.map(|request| {
        let status = ["RecordingStatus", "DialCallStatus", "CallStatus"];
        let status = status.iter().map(|name| request.get(name)).find(|status| !status.is_empty());
        format!("{} {}", request.path, status.unwrap())
    })
    .collect()
}

async fn held(bench: &Bench, count: usize) {
    let all = || {
        let events = bench.simulator.events_since(0);
        events.iter().filter(|event| matches!(event.what, Happening::WebhookHeld { .. })).count()
    };
    bench.event(|_| all() >= count).await;
}

const NOTICES: [WebhookPurpose; 2] = [WebhookPurpose::StatusCallback, WebhookPurpose::RecordingCallback];

/// A whole call whose callbacks are held to the end and then sent in an order of chance.
async fn shuffled(seed: u64) -> Vec<String> {
    let bench = bench().await;
    bench.simulator.set_faults(rule(&NOTICES, CallbackFailure::Hold { seed }));
    call(&bench).await;
    held(&bench, 7).await;
    assert_eq!(arrived(&bench), ["/after completed"], "an action is not held");
    bench.simulator.set_faults(Faults::default());
    bench.webhooks.wait("/leg", 4).await;
    bench.webhooks.wait("/recorded", 2).await;
    bench.webhooks.wait("/parent", 1).await;
    let order = arrived(&bench).split_off(1);
    bench.stop().await;
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_call_is_shuffled_by_a_seed() {
    let (one, again, other) = (shuffled(1).await, shuffled(1).await, shuffled(2).await);
    assert_eq!(one, again, "equal seeds, equal orders");
    assert_ne!(one, other);
    let mut sorted = one.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        [
            "/leg completed",
            "/leg in-progress",
            "/leg initiated",
            "/leg ringing",
            "/parent completed",
            "/recorded completed",
            "/recorded in-progress",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_can_be_lost_by_itself() {
    let bench = bench().await;
    bench.simulator.set_faults(rule(&[WebhookPurpose::RecordingCallback], CallbackFailure::Lose));
    let first = call(&bench).await;
    let is_lost = |what: &Happening| {
        matches!(what, Happening::Webhook { purpose: WebhookPurpose::RecordingCallback, status: None, call_sid, .. }
            if *call_sid == first)
    };
    bench.event(is_lost).await;
    bench.webhooks.wait("/leg", 4).await;
    bench.webhooks.wait("/parent", 1).await;
    assert!(bench.webhooks.got("/recorded").is_empty());
    bench.simulator.set_faults(rule(&[WebhookPurpose::DialAction], CallbackFailure::Lose));
    call(&bench).await;
    bench.alert(11_205).await;
    bench.webhooks.wait("/recorded", 2).await;
    assert_eq!(bench.webhooks.got("/after").len(), 1, "that of the first call");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_twice_has_the_same_token_and_a_rule_is_used_up() {
    let bench = bench().await;
    let twice = CallbackFault {
        only: Vec::new(),
        url_contains: Some("/leg".into()),
        times: Some(1),
        then: CallbackFailure::Duplicate,
    };
    let action = CallbackFault {
        only: vec![WebhookPurpose::DialAction],
        url_contains: None,
        times: None,
        then: CallbackFailure::Duplicate,
    };
    bench.simulator.set_faults(Faults { callbacks: vec![twice, action], ..Faults::default() });
    call(&bench).await;
    let legs = bench.webhooks.wait("/leg", 5).await;
    let numbers: Vec<_> = legs.iter().map(|leg| leg.get("SequenceNumber")).collect();
    assert_eq!(numbers, ["0", "0", "1", "2", "3"]);
    assert!(legs[0].idempotency.is_some() && legs[0].idempotency == legs[1].idempotency);
    assert_ne!(legs[1].idempotency, legs[2].idempotency);
    let actions = bench.webhooks.wait("/after", 2).await;
    assert_eq!(actions[0].idempotency, actions[1].idempotency);
    assert_eq!(bench.simulator.faults().callbacks[0].times, Some(0));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_one_is_overtaken() {
    let bench = bench().await;
    let late = CallbackFault {
        only: vec![WebhookPurpose::StatusCallback],
        url_contains: Some("/leg".into()),
        times: Some(1),
        then: CallbackFailure::Delay { ms: 60_000 },
    };
    bench.simulator.set_faults(Faults { callbacks: vec![late], ..Faults::default() });
    call(&bench).await;
    let legs = bench.webhooks.wait("/leg", 3).await;
    let numbers: Vec<_> = legs.iter().map(|leg| leg.get("SequenceNumber")).collect();
    assert_eq!(numbers, ["1", "2", "3"], "the first is still on its way");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chance_decides_the_same_for_the_same_seed() {
    let mut fates = Vec::new();
    for seed in [3, 3, 4, 5] {
        let bench = bench().await;
        let random =
            CallbackFailure::Random { seed, lose_percent: 50, duplicate_percent: 0, delay_up_to_ms: 100 };
        bench.simulator.set_faults(rule(&[], random));
        call(&bench).await;
        // Each of the seven is told of once, whether it is lost or sent.
        told_of(&bench, 7).await;
        let mut came = arrived(&bench);
        came.sort();
        fates.push(came);
        bench.stop().await;
    }
    assert_eq!(fates[0], fates[1]);
    assert!(fates[0] != fates[2] || fates[0] != fates[3], "{fates:?}");
    assert!(fates.iter().all(|fate| fate.contains(&"/after completed".to_owned())), "{fates:?}");
    assert!(fates.iter().any(|fate| fate.len() < 8), "{fates:?}");

    let bench = bench().await;
    let twice =
        CallbackFailure::Random { seed: 3, lose_percent: 0, duplicate_percent: 100, delay_up_to_ms: 0 };
    bench.simulator.set_faults(rule(&NOTICES, twice));
    call(&bench).await;
    told_of(&bench, 14).await;
    assert_eq!(bench.webhooks.got("/leg").len(), 8);
    bench.stop().await;
}

/// Waits until so many notices have been sent or lost.
async fn told_of(bench: &Bench, count: usize) {
    let is_notice =
        |what: &Happening| matches!(what, Happening::Webhook { purpose, .. } if NOTICES.contains(purpose));
    let seen = || bench.simulator.events_since(0).iter().filter(|event| is_notice(&event.what)).count();
    bench.event(|_| seen() >= count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_of_rooms_queues_menus_and_messages_are_lost_likewise() {
    let bench = bench().await;
    let room = "<Dial><Conference waitUrl=\"\" statusCallback=\"/lost\" statusCallbackEvent=\"join\">r</Conference></Dial>";
    for (purpose, verbs) in [
        (WebhookPurpose::ConferenceCallback, room),
        (WebhookPurpose::EnqueueAction, "<Enqueue waitUrl=\"\" action=\"/lost\">q</Enqueue>"),
        (WebhookPurpose::GatherAction, "<Gather numDigits=\"1\" action=\"/lost\"/>"),
        (WebhookPurpose::RecordAction, "<Record timeout=\"30\" action=\"/lost\"/>"),
        (
            WebhookPurpose::TranscriptionCallback,
            "<Record timeout=\"30\" transcribeCallback=\"/lost\" action=\"/after\"/>",
        ),
    ] {
        bench.simulator.set_faults(rule(&[purpose], CallbackFailure::Lose));
        bench.webhooks.answer("/voice", Answer::twiml(verbs));
        // Speaks after a beep, and hangs up then.
        let from = E164::parse_strict("+12025550113").unwrap();
        let call = bench.simulator.place_incoming(&IncomingCall::from_number(from)).unwrap();
        if purpose == WebhookPurpose::GatherAction {
            bench.event(|what| matches!(what, Happening::Gathering { call_sid } if *call_sid == call)).await;
            bench.simulator.press(&call, "5").unwrap();
        }
        if purpose == WebhookPurpose::EnqueueAction {
            bench.event(|what| matches!(what, Happening::Queued { call_sid, .. } if *call_sid == call)).await;
            bench.simulator.hang_up(&call).unwrap();
        }
        bench
            .event(|what| {
                matches!(what, Happening::Webhook { purpose: of, status: None, call_sid, .. }
                    if *of == purpose && *call_sid == call)
            })
            .await;
    }
    assert!(bench.webhooks.got("/lost").is_empty());
    bench.stop().await;
}
