//! What the simulator answers though the client never asks, held against Twilio's OpenAPI files too.

use std::collections::BTreeSet;

use dialer_domain::phone_number::E164;
use dialer_simulator::IncomingCall;
use serde_json::json;

use super::proxy::{Exchange, Proxy};
use super::specification;
use crate::bench::{Answer, Bench, OUR_NUMBER};
use crate::rest::{Rest, refusal};

/// The cut of the file that has these requests.
const SIMULATED: &str = include_str!("../../../twilio/tests/openapi/simulated_api_v2010.json");

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_the_simulator_keeps_to_the_specification_too() {
    let bench = Bench::start().await;
    let direct = Rest::new(&bench.simulator);
    let proxy = Proxy::start(bench.simulator.base_url()).await;
    let asked = direct.through(proxy.url.as_str().trim_end_matches('/'));
    rooms(&bench, &direct, &asked).await;
    queues(&bench, &direct, &asked).await;
    words(&bench, &asked).await;

    let files = [specification::read("api", SIMULATED)];
    let mut unseen: BTreeSet<String> =
        specification::operations(&files).into_iter().map(|(name, _)| name).collect();
    let mut deviations = Vec::new();
    for Exchange { sent, status, content_type, body } in proxy.seen() {
        let operation = specification::find(&files, &sent).unwrap_or_else(|| panic!("unknown: {sent:?}"));
        let name = format!("{} {}", sent.method, operation.template);
        let found = operation
            .check_request(&sent)
            .into_iter()
            .chain(operation.check_answer(status, &content_type, &body))
            .filter(|found| !specification::tolerated(found));
        deviations.extend(found.map(|found| format!("{name} ({status}): {found}")));
        if status < 300 {
            unseen.remove(&name);
        }
    }
    assert!(deviations.is_empty(), "{}", deviations.join("\n"));
    assert!(unseen.is_empty(), "no success was seen of {unseen:?}");
    bench.stop().await;
}

async fn rooms(bench: &Bench, direct: &Rest, asked: &Rest) {
    let room = direct.of("Conferences/beyond/Participants.json");
    let told = bench.webhooks.url("/room-recorded");
    let guest = |label: &'static str| {
        [
            ("From", OUR_NUMBER),
            ("To", "+12025550110"),
            ("Label", label),
            ("ConferenceRecord", "true"),
            ("ConferenceTrim", "do-not-trim"),
            ("ConferenceRecordingStatusCallback", told.as_str()),
            ("ConferenceRecordingStatusCallbackEvent", "in-progress completed"),
        ]
    };
    let (_, one) = direct.post(&room, &guest("one")).await;
    direct.post(&room, &guest("two")).await;
    bench.webhooks.wait("/room-recorded", 1).await;
    let sid = one["conference_sid"].as_str().unwrap();
    let (_, shown) = asked.get(&direct.of(&format!("Conferences/{sid}.json"))).await;
    assert_eq!((&shown["status"], &shown["friendly_name"]), (&json!("in-progress"), &json!("beyond")));
    let (_, shown) = asked.get(&direct.of(&format!("Conferences/{sid}/Participants/one.json"))).await;
    assert_eq!(shown["call_sid"], one["call_sid"]);

    // A recording of the call beside that of the room.
    let call = one["call_sid"].as_str().unwrap();
    let below_call = |name: &str| direct.of(&format!("Calls/{call}/Recordings{name}.json"));
    let (status, begun) = direct.post(&below_call(""), &[("RecordingTrack", "inbound")]).await;
    assert_eq!(status, 201, "{begun}");
    let (_, listed) = asked.get(&below_call("")).await;
    assert_eq!(listed["recordings"][0]["sid"], begun["sid"]);
    let one_of_call = below_call(&format!("/{}", begun["sid"].as_str().unwrap()));
    assert_eq!(asked.get(&one_of_call).await.1["track"], "inbound");
    assert_eq!(asked.delete(&one_of_call).await.0, 204);
    assert_eq!(refusal(direct.get(&one_of_call).await), (404, 20_404));

    let below_room = |name: &str| direct.of(&format!("Conferences/{sid}/Recordings{name}.json"));
    let (_, listed) = asked.get(&below_room("")).await;
    let recording = listed["recordings"][0]["sid"].as_str().unwrap();
    assert_eq!(listed["recordings"][0]["source"], "Conference");
    let one_of_room = below_room(&format!("/{recording}"));
    assert_eq!(asked.post(&one_of_room, &[("Status", "paused")]).await.1["status"], "paused");
    assert_eq!(asked.get(&one_of_room).await.1["status"], "paused");
    assert_eq!(asked.delete(&one_of_room).await.0, 204);
    direct.post(&direct.of(&format!("Conferences/{sid}.json")), &[("Status", "completed")]).await;
}

async fn queues(bench: &Bench, direct: &Rest, asked: &Rest) {
    let new = [("FriendlyName", "beyond"), ("MaxSize", "3")];
    let (status, made) = asked.post(&direct.of("Queues.json"), &new).await;
    assert_eq!((status, &made["max_size"], &made["current_size"]), (201, &json!(3), &json!(0)));
    assert_eq!(refusal(direct.post(&direct.of("Queues.json"), &new).await), (400, 22_003));
    let one = direct.of(&format!("Queues/{}.json", made["sid"].as_str().unwrap()));
    assert_eq!(asked.post(&one, &[("MaxSize", "5")]).await.1["max_size"], 5);
    bench.webhooks.answer("/voice", Answer::twiml("<Enqueue waitUrl=\"\" action=\"/left\">beyond</Enqueue>"));
    let from = E164::parse_strict("+12025550111").unwrap();
    let call = bench.simulator.place_incoming(&IncomingCall::from_number(from)).unwrap();
    let is_in =
        |what: &dialer_simulator::Happening| matches!(what, dialer_simulator::Happening::Queued { .. });
    bench.event(is_in).await;
    let front = direct.of(&format!("Queues/{}/Members/Front.json", made["sid"].as_str().unwrap()));
    let (_, member) = direct.get(&front).await;
    assert_eq!((&member["call_sid"], &member["position"]), (&json!(call), &json!(1)));
    let by_sid = front.replace("Front", call.as_str());
    assert_eq!(asked.get(&by_sid).await.1["queue_sid"], made["sid"]);
    assert_eq!(refusal(direct.delete(&one).await), (400, 20_001));
    bench.simulator.hang_up(&call).unwrap();
    bench.webhooks.wait("/left", 1).await;
    assert_eq!(asked.get(&one).await.1["current_size"], 0);
    assert_eq!(asked.delete(&one).await.0, 204);
    assert_eq!(refusal(direct.get(&one).await), (404, 20_404));
}

async fn words(bench: &Bench, asked: &Rest) {
    bench.webhooks.answer(
        "/voice",
        Answer::twiml("<Record action=\"/after\" timeout=\"30\" transcribeCallback=\"/text\"/>"),
    );
    let from = E164::parse_strict("+12025550113").unwrap();
    bench.simulator.place_incoming(&IncomingCall::from_number(from)).unwrap();
    let told = bench.webhooks.wait("/text", 1).await.remove(0);
    let (recording, sid) = (told.get("RecordingSid"), told.get("TranscriptionSid"));
    let (_, listed) = asked.get(&asked.of("Transcriptions.json")).await;
    assert_eq!(listed["transcriptions"][0]["sid"], sid);
    assert_eq!(listed["transcriptions"][0]["transcription_text"], told.get("TranscriptionText"));
    let (_, shown) = asked.get(&asked.of(&format!("Transcriptions/{sid}.json"))).await;
    assert_eq!((&shown["status"], &shown["recording_sid"]), (&json!("completed"), &json!(recording)));
    let below = asked.of(&format!("Recordings/{recording}/Transcriptions/{sid}.json"));
    assert_eq!(asked.get(&below).await.1, shown);
}
