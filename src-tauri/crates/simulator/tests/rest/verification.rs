//! Verifying caller ids, trial limits, and who may be shown.

use dialer_domain::account::AccountKind;
use dialer_simulator::{AccountSettings, AnswerScript, FarEndScript, Happening, TalkScript};
use serde_json::json;

use super::{Rest, refusal};
use crate::bench::{Answer, Bench, OUR_NUMBER, Phone};

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_answers_and_keys_in_the_code_is_verified() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let told = bench.webhooks.url("/verified");
    let ids = owner.of("OutgoingCallerIds.json");
    let form = [
        ("PhoneNumber", "+12025550100"),
        ("FriendlyName", "Mobile"),
        ("CallDelay", "2"),
        ("StatusCallback", told.as_str()),
    ];
    let (status, asked) = owner.post(&ids, &form).await;
    assert_eq!(status, 200);
    let code = asked["validation_code"].as_str().unwrap().to_owned();
    assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()), "{asked}");
    let call = asked["call_sid"].as_str().unwrap();
    assert_eq!(owner.get(&ids).await.1["outgoing_caller_ids"], json!([]), "not before the code is keyed in");

    let callback = bench.webhooks.wait("/verified", 1).await.remove(0);
    assert_eq!((callback.get("VerificationStatus"), callback.get("CallSid")), ("success", call));
    let (_, listed) = owner.get(&ids).await;
    let verified = &listed["outgoing_caller_ids"][0];
    assert_eq!(
        (&verified["phone_number"], &verified["friendly_name"]),
        (&json!("+12025550100"), &json!("Mobile"))
    );
    assert_eq!(verified["sid"], callback.get("OutgoingCallerIdSid"));
    let (_, shown) = owner.get(&owner.of(&format!("Calls/{call}.json"))).await;
    assert_eq!((&shown["status"], &shown["direction"]), (&json!("completed"), &json!("outbound-api")));

    assert_eq!(refusal(owner.post(&ids, &[("PhoneNumber", "+12025550100")]).await), (400, 21_450));
    let one = owner.of(&format!("OutgoingCallerIds/{}.json", verified["sid"].as_str().unwrap()));
    assert_eq!(owner.post(&one, &[("FriendlyName", "Desk")]).await.1["friendly_name"], "Desk");
    assert_eq!(owner.delete(&one).await.0, 204);
    assert_eq!(refusal(owner.get(&one).await), (404, 20_404));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_does_not_is_not() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let ids = owner.of("OutgoingCallerIds.json");
    let told = bench.webhooks.url("/verified");
    // Busy; rings for ever; a voicemail box; keys of its own.
    let numbers = ["+12025550102", "+12025550103", "+12025550107", "+12025550108"];
    for number in numbers {
        let form = [("PhoneNumber", number), ("StatusCallback", told.as_str())];
        assert_eq!(owner.post(&ids, &form).await.0, 200);
    }
    let callbacks = bench.webhooks.wait("/verified", numbers.len()).await;
    for callback in callbacks {
        assert_eq!(callback.exact("VerificationStatus"), Some("failed"), "{callback:?}");
        assert!(!callback.form.has("OutgoingCallerIdSid"));
    }
    assert_eq!(owner.get(&ids).await.1["outgoing_caller_ids"], json!([]));
    for (form, code) in [
        (vec![], 20_001),
        (vec![("PhoneNumber", "555")], 21_401),
        (vec![("PhoneNumber", "+12025550100"), ("CallDelay", "61")], 21_454),
        (vec![("PhoneNumber", "+12025550100"), ("StatusCallback", "here")], 21_456),
        (vec![("PhoneNumber", "+37167000000")], 21_215),
    ] {
        assert_eq!(refusal(owner.post(&ids, &form).await), (400, code), "{form:?}");
    }
    bench.stop().await;
}

/// The product's outgoing call with `caller_id`, to its end.
async fn dial(bench: &Bench, caller_id: &str, number: &str) -> String {
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    let document = format!(
        "<Dial callerId=\"{caller_id}\" answerOnBridge=\"true\" action=\"/after\"><Number>{number}</Number></Dial>"
    );
    bench.webhooks.answer("/voice", Answer::twiml(&document));
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    let before = bench.webhooks.got("/after").len();
    sdk.invite(&phone, "To=x").await;
    sdk.expect("hangup").await;
    bench.webhooks.wait("/after", before + 1).await.pop().unwrap().get("DialCallStatus").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_number_may_be_shown_and_others_not() {
    let bench = Bench::start().await;
    let hangs_up = FarEndScript {
        answer: AnswerScript::Answer { after_s: 1.0 },
        talk: TalkScript::Echo,
        hang_up_after_s: Some(1.0),
        patience_s: None,
    };
    bench.simulator.set_far_end(&"+12025550177".parse_number(), hangs_up);
    assert_eq!(dial(&bench, "+12025550155", "+12025550177").await, "failed");
    bench.alert(13_214).await;
    let verified = vec!["+12025550155".parse_number()];
    bench.simulator.set_account(AccountSettings { verified, ..bench.simulator.account_settings() });
    assert_eq!(dial(&bench, "+12025550155", "+12025550177").await, "completed");
    assert_eq!(dial(&bench, OUR_NUMBER, "+37167000000").await, "failed");
    bench.alert(13_227).await;
    assert!(
        bench
            .simulator
            .calls()
            .iter()
            .any(|leg| leg.to == "+37167000000" && leg.status.as_wire() == "failed")
    );
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_calls_verified_numbers_for_ten_minutes() {
    // At this pace ten minutes are six seconds.
    let options = dialer_simulator::SimulatorOptions {
        pace: dialer_simulator::Pace::times(100.0).unwrap(),
        ..dialer_simulator::SimulatorOptions::default()
    };
    let bench = Bench::start_with(options).await;
    let owner = Rest::new(&bench.simulator);
    let verified = ["+12025550100", "+12025550109"].map(ParseNumber::parse_number).to_vec();
    let trial = AccountSettings { kind: AccountKind::Trial, verified, ..bench.simulator.account_settings() };
    bench.simulator.set_account(trial);
    assert_eq!(dial(&bench, OUR_NUMBER, "+12025550101").await, "failed");
    bench.alert(21_219).await;
    assert_eq!(dial(&bench, "+12025550191", "+12025550100").await, "failed", "not the assigned number");
    bench.alert(573_002).await;
    assert_eq!(dial(&bench, OUR_NUMBER, "+12025550100").await, "completed");
    bench.alert(13_805).await;
    let call = [("To", "+12025550101"), ("From", OUR_NUMBER), ("Url", "http://127.0.0.1:9/")];
    assert_eq!(refusal(owner.post(&owner.of("Calls.json"), &call).await), (400, 21_219));

    let five = (0..5).map(|unit| format!("+1202555012{unit}").as_str().parse_number()).collect();
    bench.simulator.set_account(AccountSettings { verified: five, ..bench.simulator.account_settings() });
    let sixth = owner.post(&owner.of("OutgoingCallerIds.json"), &[("PhoneNumber", "+12025550100")]).await;
    assert_eq!(refusal(sixth), (400, 10_002));
    bench.event(|what| matches!(what, Happening::RestRequest { status: Some(400), .. })).await;
    bench.stop().await;
}

/// Numbers as texts of a test.
trait ParseNumber {
    fn parse_number(self) -> dialer_domain::phone_number::E164;
}

impl ParseNumber for &str {
    fn parse_number(self) -> dialer_domain::phone_number::E164 {
        dialer_domain::phone_number::E164::parse_strict(self).unwrap()
    }
}
