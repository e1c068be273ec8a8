//! Messages and recordings of calls: what is told of them, and how they sound.

use dialer_domain::sid::CallSid;
use dialer_media::signal::dominant_frequency;
use dialer_simulator::{CallerScript, Happening, IncomingCall, Step};
use serde_json::json;

use crate::bench::{Answer, Bench, OUR_NUMBER, Phone, Received};
use crate::rest::Rest;

const CALLBACKS: &str =
    "recordingStatusCallback=\"/recording\" recordingStatusCallbackEvent=\"in-progress completed absent\"";

fn from(number: &str) -> IncomingCall {
    IncomingCall::from_number(number.to_owned().try_into().unwrap())
}

fn doing(steps: Vec<Step>) -> IncomingCall {
    from("+12025550111").doing(CallerScript { steps, ..CallerScript::default() })
}

/// A call that is played this, with `/after` as what comes then.
fn call(bench: &Bench, verbs: &str, caller: &IncomingCall) -> CallSid {
    bench.webhooks.answer("/voice", Answer::twiml(verbs));
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    bench.simulator.place_incoming(caller).unwrap()
}

/// The recording that a callback tells of, as its file.
async fn wav(bench: &Bench, told: &Received) -> Vec<u8> {
    let path = told.get("RecordingUrl").strip_prefix(&bench.simulator.base_url()).unwrap().to_owned();
    let file = Rest::new(&bench.simulator)
        .request("GET", &format!("{path}.wav?RequestedChannels={}", told.get("RecordingChannels")));
    let file = file.send().await.unwrap();
    assert_eq!(file.status(), 200);
    file.bytes().await.unwrap().to_vec()
}

/// The pitch of one channel of an 8 kHz file, in its middle half.
fn pitch(wav: &[u8], channel: usize) -> f32 {
    let channels = usize::from(u16::from_le_bytes([wav[22], wav[23]]));
    assert_eq!(u32::from_le_bytes([wav[24], wav[25], wav[26], wav[27]]), 8_000);
    let samples: Vec<i16> = wav[44..]
        .chunks_exact(2)
        .map(|b| i16::from_le_bytes([b[0], b[1]]))
        .skip(channel)
        .step_by(channels)
        // Six times each: the measure is for 48 kHz.
        .flat_map(|sample| [sample; 6])
        .collect();
    dominant_frequency(&samples[samples.len() / 4..samples.len() * 3 / 4]).unwrap().hz
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_taken_told_and_written_down() {
    let bench = Bench::start().await;
    let verbs = format!(
        "<Say>Please leave a message.</Say><Record action=\"/after\" timeout=\"30\" {CALLBACKS} transcribeCallback=\"/text\"/>"
    );
    let sid = call(&bench, &verbs, &from("+12025550113"));
    let after = bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!((after.get("Digits"), after.get("CallStatus")), ("hangup", "completed"));
    let seconds: u32 = after.get("RecordingDuration").parse().unwrap();
    assert!((3..=12).contains(&seconds), "{seconds}");
    let told = bench.webhooks.wait("/recording", 2).await;
    let said: Vec<&str> = told.iter().map(|told| told.get("RecordingStatus")).collect();
    assert_eq!(said, ["in-progress", "completed"]);
    for told in &told {
        assert_eq!(told.get("RecordingSid"), after.get("RecordingSid"));
        assert_eq!((told.get("CallSid"), told.get("RecordingSource")), (sid.as_str(), "RecordVerb"));
        assert_eq!((told.get("RecordingChannels"), told.get("ErrorCode")), ("1", "0"));
        assert!(told.get("RecordingUrl").ends_with(after.get("RecordingSid")));
    }
    assert_eq!(told[1].get("RecordingDuration"), seconds.to_string());
    let text = bench.webhooks.wait("/text", 1).await.remove(0);
    assert_eq!(text.get("TranscriptionStatus"), "completed");
    assert_eq!(
        text.get("TranscriptionText"),
        "Hello, this is a practice call. Please call me back when you can. Thank you."
    );
    assert_eq!(text.get("RecordingSid"), after.get("RecordingSid"));
    bench
        .event(|what| matches!(what, Happening::RecordingStarted { call_sid, .. } if *call_sid == sid))
        .await;
    bench
        .event(|what| matches!(what, Happening::RecordingEnded { duration_s, .. } if *duration_s >= seconds))
        .await;
    let file = wav(&bench, &told[1]).await;
    let length = (file.len() - 44) as f64 / 16_000.0;
    assert!((length - f64::from(seconds)).abs() <= 0.5, "{length} of {seconds}");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_silence_or_the_length_end_a_message() {
    let bench = Bench::start().await;
    let tone = Step::Tone { hz: 700.0, for_s: 1.8 };
    // Half a second of leeway for the recording to begin; silence at the beginning is trimmed.
    let leeway = Step::Wait { s: 10.0 };
    for (attributes, steps, digits, seconds) in [
        ("timeout=\"1\"", vec![Step::AwaitBeep, leeway, tone.clone()], None, "2"),
        ("maxLength=\"1\"", vec![Step::AwaitBeep, tone.clone()], None, "1"),
    ] {
        let before = bench.webhooks.got("/after").len();
        let verbs = format!("<Record action=\"/after\" {attributes} {CALLBACKS}/>");
        call(&bench, &verbs, &doing(steps));
        let after = bench.webhooks.wait("/after", before + 1).await.remove(before);
        assert_eq!(after.exact("Digits"), digits, "{attributes}");
        assert_eq!((after.get("RecordingDuration"), after.get("CallStatus")), (seconds, "in-progress"));
        let sid = after.get("RecordingSid").to_owned();
        let told = bench
            .webhooks
            .wait_for("/recording", |told| {
                told.get("RecordingSid") == sid && told.get("RecordingStatus") == "completed"
            })
            .await;
        let file = wav(&bench, &told).await;
        assert!((pitch(&file, 0) - 700.0).abs() < 10.0, "{}", pitch(&file, 0));
    }
    let before = bench.webhooks.got("/after").len();
    let verbs = "<Record action=\"/after\" timeout=\"0\" playBeep=\"false\" finishOnKey=\"#\"/>";
    let steps = vec![
        Step::Wait { s: 4.0 },
        tone,
        Step::Press { digits: "5#".into(), via: dialer_simulator::KeyPath::InBand },
    ];
    call(&bench, verbs, &doing(steps));
    assert_eq!(bench.webhooks.wait("/after", before + 1).await[before].get("Digits"), "#", "5 is no end");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_silence_nothing_is_told_but_that_there_is_none() {
    let bench = Bench::start().await;
    let verbs = format!("<Record action=\"/after\" timeout=\"1\" {CALLBACKS}/><Redirect>/next</Redirect>");
    call(&bench, &verbs, &from("+12025550111"));
    bench.webhooks.wait("/next", 1).await;
    assert!(bench.webhooks.got("/after").is_empty());
    let told = bench.webhooks.wait("/recording", 2).await.remove(1);
    assert_eq!((told.get("RecordingStatus"), told.get("ErrorCode")), ("absent", "16102"));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialled_call_is_recorded_in_two_channels() {
    let bench = Bench::start().await;
    let verbs = format!(
        "<Dial callerId=\"{OUR_NUMBER}\" answerOnBridge=\"true\" record=\"record-from-answer-dual\" {CALLBACKS} action=\"/after\">\
         <Number statusCallback=\"/leg\">+12025550101</Number></Dial>"
    );
    bench.webhooks.answer("/voice", Answer::twiml(&verbs));
    bench.webhooks.answer("/after", Answer::twiml("<Hangup/>"));
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    phone.say(1_000);
    sdk.invite(&phone, "To=x").await;
    let (call_sid, _) = sdk.answered(&phone).await;
    bench.heard(&call_sid, |heard| heard.dominant_hz.is_some_and(|hz| (hz - 1_000.0).abs() < 3.0)).await;
    phone.hears(440.0).await;
    // A second in which both are heard steadily.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    sdk.send("hangup", json!({ "callsid": call_sid }));
    let told = bench.webhooks.wait_for("/recording", |told| told.get("RecordingStatus") == "completed").await;
    assert_eq!((told.get("CallSid"), told.get("RecordingSource")), (call_sid.as_str(), "DialVerb"));
    assert_eq!((told.get("RecordingChannels"), told.get("RecordingTrack")), ("2", "both"));
    let file = wav(&bench, &told).await;
    let (parent, child) = (pitch(&file, 0), pitch(&file, 1));
    assert!((parent - 1_000.0).abs() < 10.0 && (child - 440.0).abs() < 10.0, "{parent} {child}");
    assert_eq!(bench.webhooks.wait("/after", 1).await[0].get("RecordingSid"), told.get("RecordingSid"));
    let leg = bench.webhooks.wait("/leg", 1).await.remove(0);
    assert_eq!(leg.get("RecordingSid"), told.get("RecordingSid"));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unanswered_call_is_recorded_only_from_its_ringing_on() {
    let bench = Bench::start().await;
    for (record, count) in [("record-from-answer", 0), ("record-from-ringing", 1)] {
        let verbs = format!(
            "<Dial callerId=\"{OUR_NUMBER}\" timeout=\"20\" record=\"{record}\" {CALLBACKS} action=\"/after\">+12025550103</Dial>"
        );
        let before = bench.webhooks.got("/after").len();
        call(&bench, &verbs, &from("+12025550100"));
        let after = bench.webhooks.wait("/after", before + 1).await.remove(before);
        assert_eq!(after.form.has("RecordingUrl"), count == 1, "{record}");
        let rest = Rest::new(&bench.simulator);
        let (_, listed) = rest.get(&rest.of("Recordings.json")).await;
        assert_eq!(listed["recordings"].as_array().unwrap().len(), count, "{record}");
    }
    bench.webhooks.wait_for("/recording", |told| told.get("RecordingStatus") == "completed").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_recording_goes_on_beside_the_verbs_until_it_is_stopped() {
    let bench = Bench::start().await;
    let verbs = format!(
        "<Start><Recording name=\"r\" channels=\"mono\" {CALLBACKS}/></Start><Say>This is heard by all who listen.</Say>\
         <Stop><Recording name=\"r\"/></Stop><Stop><Recording name=\"r\"/></Stop><Pause length=\"600\"/>"
    );
    let sid = call(&bench, &verbs, &from("+12025550111"));
    let told = bench.webhooks.wait("/recording", 2).await.remove(1);
    assert_eq!(
        (told.get("RecordingStatus"), told.get("RecordingSource")),
        ("completed", "StartCallRecordingTwiML")
    );
    assert_eq!(told.get("CallSid"), sid.as_str());
    assert!(told.get("RecordingDuration").parse::<u32>().unwrap() >= 2);
    assert!(
        bench.simulator.calls().iter().any(|leg| leg.call_sid == sid && !leg.status.is_final()),
        "the call goes on"
    );
    bench.alert(12_200).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_leads_a_call_away_from_a_message() {
    let bench = Bench::start().await;
    let verbs = format!("<Record action=\"/after\" timeout=\"600\" {CALLBACKS}/>");
    let sid = call(&bench, &verbs, &from("+12025550101"));
    bench.event(|what| matches!(what, Happening::RecordingStarted { .. })).await;
    let rest = Rest::new(&bench.simulator);
    let path = rest.of(&format!("Calls/{sid}.json"));
    assert_eq!(rest.post(&path, &[("Twiml", "<Response><Pause length=\"600\"/></Response>")]).await.0, 200);
    bench.webhooks.wait("/recording", 2).await;
    assert!(bench.webhooks.got("/after").is_empty(), "nobody asks what comes after");
    bench.stop().await;
}
