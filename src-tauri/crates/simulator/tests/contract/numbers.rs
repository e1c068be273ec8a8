//! Numbers: pointed at an app and put back as they were; and numbers verified by a call.

use dialer_domain::account::NumberRouting;
use dialer_domain::phone_number::E164;
use dialer_simulator::NumberSettings;
use dialer_twilio::rest::CallerIdCheck;

use super::desk::{Desk, code};
use crate::bench::OUR_NUMBER;

pub(crate) async fn walk(desk: &Desk) {
    for before in routings(desk) {
        there_and_back(desk, before).await;
    }
    let silent = E164::parse_strict("+12025550199").unwrap();
    let settings = NumberSettings { voice: false, ..NumberSettings::default() };
    desk.bench.simulator.add_number(&silent, &settings).unwrap();
    let numbers = desk.key.numbers().await.unwrap();
    let voice = |wanted: &str| numbers.iter().find(|number| number.number.as_str() == wanted).unwrap().voice;
    assert_eq!((voice(OUR_NUMBER), voice(silent.as_str())), (true, false));
    let unknown = "PN00000000000000000000000000000000".parse().unwrap();
    assert!(desk.key.number(&unknown).await.unwrap_err().is_not_found());
    moved_meanwhile(desk).await;
    verified(desk).await;
}

/// As numbers are found: never set up, with addresses, on a trunk, at another computer's app.
fn routings(desk: &Desk) -> Vec<NumberRouting> {
    let other = desk.bench.simulator.create_application(dialer_simulator::TwimlApp::default());
    let addressed = NumberRouting {
        voice_url: Some("https://old.example.com/voice?a=1&b=%C3%A4".into()),
        voice_method: Some("GET".into()),
        voice_fallback_url: Some(String::new()),
        voice_fallback_method: Some("GET".into()),
        status_callback: Some("https://old.example.com/status".into()),
        status_callback_method: Some("GET".into()),
        voice_caller_id_lookup: Some(true),
        voice_receive_mode: Some("fax".into()),
        ..NumberRouting::default()
    };
    vec![
        NumberRouting::default(),
        NumberRouting { trunk_sid: Some("TK00000000000000000000000000000001".into()), ..addressed.clone() },
        NumberRouting { voice_application_sid: Some(other.to_string()), ..NumberRouting::default() },
        addressed,
    ]
}

async fn there_and_back(desk: &Desk, before: NumberRouting) {
    let simulator = &desk.bench.simulator;
    let number = E164::parse_strict(OUR_NUMBER).unwrap();
    let settings = NumberSettings { routing: before, ..NumberSettings::default() };
    simulator.set_up_number(&number, &settings).unwrap();
    let settings = simulator.number_settings(&number).unwrap();
    let found = desk.key.numbers().await.unwrap().into_iter().find(|owned| owned.number == number).unwrap();

    let bound = desk.key.bind_number(&found.sid, &desk.bench.app).await.unwrap();
    assert_eq!(bound.routing.voice_application_sid.as_deref(), Some(desk.bench.app.as_str()));
    assert_eq!(bound.routing.trunk_sid.filter(|sid| !sid.is_empty()), None);
    assert_eq!(bound.routing.voice_url, found.routing.voice_url, "ignored, and kept");

    let restored = desk.key.restore_number(&found.sid, &found.routing).await.unwrap();
    assert_eq!(restored, found);
    assert_eq!(desk.key.number(&found.sid).await.unwrap(), found);
    assert_eq!(simulator.number_settings(&number).unwrap(), settings, "on the other side too");

    let writes = |desk: &Desk| desk.proxy.seen().iter().filter(|seen| seen.sent.method == "POST").count();
    let written = writes(desk);
    assert_eq!(desk.key.restore_number(&found.sid, &found.routing).await.unwrap(), found);
    assert_eq!(writes(desk), written, "what is as it was is not written again");
}

/// Someone put the number on a trunk after it was pointed here: putting it back takes it off again.
async fn moved_meanwhile(desk: &Desk) {
    let number = E164::parse_strict(OUR_NUMBER).unwrap();
    let set_up = |trunk: Option<&str>| {
        let routing = NumberRouting { trunk_sid: trunk.map(str::to_owned), ..NumberRouting::default() };
        desk.bench.simulator.set_up_number(&number, &NumberSettings { routing, ..NumberSettings::default() })
    };
    set_up(None).unwrap();
    let numbers = desk.key.numbers().await.unwrap();
    let before = numbers.into_iter().find(|owned| owned.number == number).unwrap();
    set_up(Some("TK00000000000000000000000000000001")).unwrap();
    assert_eq!(desk.key.restore_number(&before.sid, &before.routing).await.unwrap(), before);
}

async fn verified(desk: &Desk) {
    let check = |number: &str, path: &str| CallerIdCheck {
        number: E164::parse_strict(number).unwrap(),
        friendly_name: "Front desk".into(),
        delay_s: 1,
        status_callback: Some(desk.bench.webhooks.url(path).to_string()),
    };
    // One who answers and keys in the code; one who is busy.
    let validation = desk.key.validate_caller_id(&check("+12025550110", "/verified")).await.unwrap();
    assert_eq!(validation.code.len(), 6);
    let told = desk.bench.webhooks.wait("/verified", 1).await;
    assert_eq!(
        (told[0].get("VerificationStatus"), told[0].get("CallSid")),
        ("success", validation.call_sid.as_str())
    );
    let ids = desk.key.caller_ids().await.unwrap();
    assert_eq!(ids.len(), 1);
    assert_eq!((ids[0].number.as_str(), ids[0].friendly_name.as_str()), ("+12025550110", "Front desk"));
    assert_eq!(told[0].get("OutgoingCallerIdSid"), ids[0].sid.as_str());
    assert_eq!(code(desk.key.validate_caller_id(&check("+12025550110", "/verified")).await), Some(21450));

    desk.key.validate_caller_id(&check("+12025550102", "/busy")).await.unwrap();
    assert_eq!(desk.bench.webhooks.wait("/busy", 1).await[0].get("VerificationStatus"), "failed");
    desk.key.delete_caller_id(&ids[0].sid).await.unwrap();
    assert_eq!(desk.key.caller_ids().await.unwrap(), []);
    assert!(desk.key.delete_caller_id(&ids[0].sid).await.unwrap_err().is_not_found());
}
