//! Apps and numbers: what is set, kept and put back.

use dialer_domain::account::NumberRouting;
use dialer_domain::phone_number::E164;
use dialer_simulator::{
    Happening, IncomingCall, NumberSettings, OperationError, Scenario, SimulatorOptions, TwimlApp,
};
use serde_json::{Value, json};

use super::{Rest, refusal};
use crate::bench::{Answer, Bench, OUR_NUMBER};

const TRUNK: &str = "TK0123456789abcdef0123456789abcdef";

fn number(text: &str) -> E164 {
    E164::parse_strict(text).unwrap()
}

async fn sid_of(owner: &Rest, number: &str) -> String {
    let path = owner.of(&format!("IncomingPhoneNumbers.json?PhoneNumber={}", number.replace('+', "%2B")));
    owner.get(&path).await.1["incoming_phone_numbers"][0]["sid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_made_changed_and_deleted() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let apps = owner.of("Applications.json");
    let form = [("FriendlyName", "Desk"), ("VoiceUrl", "https://Phone.Example.com"), ("VoiceMethod", "GET")];
    let (status, made) = owner.post(&apps, &form).await;
    assert_eq!((status, &made["voice_url"]), (201, &json!("https://Phone.Example.com")), "to the byte");
    assert_eq!((&made["voice_method"], &made["status_callback"]), (&json!("GET"), &Value::Null));
    let one = owner.of(&format!("Applications/{}.json", made["sid"].as_str().unwrap()));
    let (status, changed) =
        owner.post(&one, &[("VoiceUrl", ""), ("StatusCallback", "https://a.example/s")]).await;
    assert_eq!((status, &changed["voice_url"], &changed["friendly_name"]), (200, &json!(""), &json!("Desk")));
    for (name, value, code) in [
        ("VoiceUrl", "phone.example.com", 21_402),
        ("VoiceUrl", "ftp://phone.example.com", 21_402),
        ("VoiceMethod", "PUT", 21_403),
        ("VoiceCallerIdLookup", "perhaps", 20_001),
    ] {
        assert_eq!(refusal(owner.post(&one, &[(name, value)]).await), (400, code), "{name}={value}");
    }
    assert_eq!(owner.get(&one).await.1, changed, "refused changes change nothing");
    assert_eq!(owner.delete(&one).await.0, 204);
    assert_eq!(refusal(owner.get(&one).await), (404, 20_404));

    let foreign = bench.simulator.create_foreign_application(TwimlApp::default());
    let path = owner.of(&format!("Applications/{foreign}.json"));
    assert_eq!(refusal(owner.get(&path).await), (404, 20_404), "someone else's");
    let ours = owner.of(&format!("IncomingPhoneNumbers/{}.json", sid_of(&owner, OUR_NUMBER).await));
    let refused = owner.post(&ours, &[("VoiceApplicationSid", foreign.as_str())]).await;
    assert_eq!(refusal(refused), (400, 21_420));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_app_is_taken_off_the_numbers_it_was_on() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let apps = owner.of("Applications.json");
    let made = owner.post(&apps, &[("FriendlyName", "Desk")]).await.1["sid"].as_str().unwrap().to_owned();
    let settings = NumberSettings {
        routing: NumberRouting {
            voice_url: Some("https://old.example.com/voice".into()),
            ..NumberRouting::default()
        },
        ..NumberSettings::default()
    };
    let mut paths = Vec::new();
    for text in ["+12025550195", "+12025550196"] {
        bench.simulator.add_number(&number(text), &settings).unwrap();
        paths.push(owner.of(&format!("IncomingPhoneNumbers/{}.json", sid_of(&owner, text).await)));
    }
    let before = owner.get(&paths[0]).await.1;
    owner.post(&paths[0], &[("VoiceApplicationSid", &made), ("SmsApplicationSid", &made)]).await;
    owner.post(&paths[1], &[("VoiceApplicationSid", bench.app.as_str())]).await;

    assert_eq!(owner.delete(&owner.of(&format!("Applications/{made}.json"))).await.0, 204);
    let now = owner.get(&paths[0]).await.1;
    for name in ["voice_application_sid", "sms_application_sid", "voice_url"] {
        assert_eq!(now[name], before[name], "{name}");
    }
    assert_eq!(now["voice_application_sid"], json!(""));
    let other = owner.get(&paths[1]).await.1;
    assert_eq!(other["voice_application_sid"], json!(bench.app.as_str()), "another app stays");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_number_said_can_be_put_back_to_the_byte() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let routing = NumberRouting {
        voice_url: Some("https://old.example.com/voice?a=%20b".into()),
        voice_method: Some("GET".into()),
        voice_fallback_url: Some(String::new()),
        trunk_sid: Some(TRUNK.into()),
        ..NumberRouting::default()
    };
    let settings = NumberSettings { friendly_name: Some("Front desk".into()), voice: true, routing };
    bench.simulator.add_number(&number("+12025550195"), &settings).unwrap();
    let again = bench.simulator.add_number(&number("+12025550195"), &settings);
    assert!(matches!(again, Err(OperationError::NumberTaken(_))));
    let path = owner.of(&format!("IncomingPhoneNumbers/{}.json", sid_of(&owner, "+12025550195").await));
    let before = owner.get("/sim/state").await.1;
    let (_, old) = owner.get(&path).await;
    assert_eq!((&old["trunk_sid"], &old["voice_application_sid"]), (&json!(TRUNK), &json!("")));

    let (status, bound) = owner.post(&path, &[("VoiceApplicationSid", bench.app.as_str())]).await;
    assert_eq!(
        (status, &bound["trunk_sid"], &bound["voice_application_sid"]),
        (200, &Value::Null, &json!(bench.app))
    );
    assert_eq!(bound["voice_url"], old["voice_url"], "ignored, and kept");
    let (_, restored) = owner.post(&path, &[("VoiceApplicationSid", ""), ("TrunkSid", TRUNK)]).await;
    assert_eq!((&restored["trunk_sid"], &restored["voice_application_sid"]), (&json!(TRUNK), &json!("")));
    let after = owner.get("/sim/state").await.1;
    assert_eq!(after, before);

    let call = IncomingCall::from_number(number("+12025550100")).to(number("+12025550195"));
    assert_eq!(bench.simulator.place_incoming(&call), Err(OperationError::NotRouted), "the trunk takes it");
    let buy = owner.post(&owner.of("IncomingPhoneNumbers.json"), &[("PhoneNumber", "+12025550196")]).await;
    assert_eq!(refusal(buy), (400, 21_422));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_an_app_is_asked_at_its_own_addresses() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    bench.webhooks.answer("/own", Answer::new(500, "text/plain", "broken"));
    bench.webhooks.answer("/fallback", Answer::twiml("<Hangup/>"));
    let path = owner.of(&format!("IncomingPhoneNumbers/{}.json", sid_of(&owner, "+12025550191").await));
    let url = |path: &str| bench.webhooks.url(path).to_string();
    let (own, fallback, ended) = (url("/own"), url("/fallback"), url("/ended"));
    let form = [("VoiceUrl", own.as_str()), ("VoiceFallbackUrl", &fallback), ("StatusCallback", &ended)];
    assert_eq!(owner.post(&path, &form).await.0, 200);
    let call = IncomingCall::from_number(number("+12025550100")).to(number("+12025550191"));
    bench.simulator.place_incoming(&call).unwrap();
    let asked = bench.webhooks.wait("/fallback", 1).await.remove(0);
    assert_eq!((asked.get("ErrorCode"), asked.get("ErrorUrl")), ("11200", own.as_str()));
    assert_eq!(bench.webhooks.wait("/ended", 1).await[0].get("CallStatus"), "completed");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_set_up_over_http_and_by_scenario() {
    let scenario = Scenario::parse(
        r#"{"foreign_applications":{"theirs":{"voice_url":"http://127.0.0.1:9/"}},
            "numbers":{"+12025550190":null,"+12025550192":{"voice":false},"+12025550193":"theirs"}}"#,
    )
    .unwrap();
    let options = SimulatorOptions { scenario: Some(scenario), ..SimulatorOptions::default() };
    let bench = Bench::start_with(options).await;
    let owner = Rest::new(&bench.simulator);
    let deaf = owner.of(&format!("IncomingPhoneNumbers/{}.json", sid_of(&owner, "+12025550192").await));
    assert_eq!(owner.get(&deaf).await.1["capabilities"]["voice"], json!(false));
    let theirs = owner.of(&format!("IncomingPhoneNumbers/{}.json", sid_of(&owner, "+12025550193").await));
    let app = owner.get(&theirs).await.1["voice_application_sid"].as_str().unwrap().to_owned();
    assert_eq!(refusal(owner.get(&owner.of(&format!("Applications/{app}.json"))).await), (404, 20_404));

    let settings = json!({ "routing": { "trunk_sid": TRUNK } });
    let put = owner.request("PUT", "/sim/numbers/+12025550190").json(&settings).send().await.unwrap();
    assert_eq!(put.status(), 204);
    assert!(bench.simulator.numbers()[0].application_sid.is_none());
    let post = owner.request("POST", "/sim/numbers/+12025550199").json(&json!({})).send().await.unwrap();
    assert_eq!(post.status(), 201);
    let twice = owner.request("POST", "/sim/numbers/+12025550199").json(&json!({})).send().await.unwrap();
    assert_eq!(twice.status(), 409);
    for owned in bench.simulator.numbers() {
        let path = format!("/sim/numbers/{}", owned.number);
        assert_eq!(owner.request("DELETE", &path).json(&json!({})).send().await.unwrap().status(), 204);
    }
    let (_, none) = owner.get(&owner.of("IncomingPhoneNumbers.json")).await;
    assert_eq!(none["incoming_phone_numbers"], json!([]), "an account may have no number at all");
    assert!(bench.simulator.account().numbers.is_empty());
    bench.event(|what| matches!(what, Happening::RestRequest { method, .. } if method == "GET")).await;
    bench.stop().await;

    let empty = Scenario::parse(r#"{"numbers":{}}"#).unwrap();
    let options = SimulatorOptions { scenario: Some(empty), ..SimulatorOptions::default() };
    let simulator = dialer_simulator::Simulator::start(options).await.unwrap();
    assert!(simulator.numbers().is_empty());
    simulator.shutdown().await;
}
