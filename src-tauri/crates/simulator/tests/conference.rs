//! Conferences: who hears whom, who is told what, and what REST can do about it.

use dialer_domain::phone_number::E164;
use dialer_simulator::{AnswerScript, FarEndScript, Happening, TalkScript};
use serde_json::{Value, json};

use crate::bench::{Answer, Bench, OUR_NUMBER, Phone, Received, call_sid};
use crate::rest::{Rest, refusal};

const EVENTS: &str = "start end join leave mute hold modify announcement";

/// A bench, its REST, and what calls people into rooms.
struct Hall {
    bench: Bench,
    rest: Rest,
}

impl Hall {
    async fn open() -> Self {
        let bench = Bench::start().await;
        let rest = Rest::new(&bench.simulator);
        Self { bench, rest }
    }

    /// Calls somebody who answers at once and says a tone, and plays this to them; the leg.
    async fn call(&self, last_two: u32, hz: f32, verbs: &str) -> String {
        let number = format!("+12025550{last_two}");
        let script = FarEndScript {
            answer: AnswerScript::Answer { after_s: 0.0 },
            talk: if hz == 0.0 { TalkScript::Silence } else { TalkScript::Tone { hz } },
            hang_up_after_s: None,
            patience_s: None,
        };
        self.bench.simulator.set_far_end(&E164::parse_strict(&number).unwrap(), script);
        let twiml = format!("<Response>{verbs}</Response>");
        let form = [("To", number.as_str()), ("From", OUR_NUMBER), ("Twiml", &twiml)];
        let (status, placed) = self.rest.post(&self.rest.of("Calls.json"), &form).await;
        assert_eq!(status, 201, "{placed}");
        placed["sid"].as_str().unwrap().to_owned()
    }

    /// The same into the room "desk".
    async fn enter(&self, last_two: u32, hz: f32, attributes: &str) -> String {
        let beep = if attributes.contains("beep=") { "" } else { "beep=\"false\"" };
        let room = format!(
            "<Dial action=\"{}\"><Conference waitUrl=\"\" statusCallback=\"{}\" \
             statusCallbackEvent=\"{EVENTS}\" {beep} {attributes}>desk</Conference></Dial>",
            self.bench.webhooks.url("/after"),
            self.bench.webhooks.url("/room")
        );
        self.call(last_two, hz, &room).await
    }

    /// Waits for so many callbacks; what they say, by their numbers.
    async fn told(&self, count: usize) -> Vec<Received> {
        let mut told = self.bench.webhooks.wait("/room", count).await;
        told.sort_by_key(|told| told.get("SequenceNumber").parse::<u32>().unwrap());
        told
    }

    async fn hears(&self, call: &str, hz: f32) {
        let near = |heard: Option<f32>| heard.is_some_and(|heard| (heard - hz).abs() < 5.0);
        let call = call.parse().unwrap();
        self.bench.heard(&call, |heard| heard.level_dbfs > -45.0 && near(heard.dominant_hz)).await;
    }

    async fn hears_something(&self, call: &str) {
        let call = call.parse().unwrap();
        self.bench.heard(&call, |heard| heard.level_dbfs > -40.0).await;
    }

    async fn hears_nothing(&self, call: &str) {
        let call = call.parse().unwrap();
        // Half a second is what the meter looks back.
        self.bench.heard(&call, |heard| heard.frames > 25 && heard.level_dbfs < -60.0).await;
    }

    /// The SID of the room that is not over.
    async fn room(&self) -> String {
        let path = self.rest.of("Conferences.json?FriendlyName=desk");
        let (_, rooms) = self.rest.get(&path).await;
        rooms["conferences"][0]["sid"].as_str().unwrap().to_owned()
    }

    fn participant(&self, room: &str, who: &str) -> String {
        self.rest.of(&format!("Conferences/{room}/Participants/{who}.json"))
    }

    async fn change(&self, who: &str, form: &[(&str, &str)]) -> Value {
        let room = self.room().await;
        let (status, changed) = self.rest.post(&self.participant(&room, who), form).await;
        assert_eq!(status, 200, "{changed}");
        changed
    }

    async fn hang_up(&self, call: &str) {
        self.bench.simulator.hang_up(&call.parse().unwrap()).unwrap();
    }

    async fn ended(&self, call: &str) {
        let sid = call.parse().unwrap();
        self.bench
            .event(|what| {
                matches!(what, Happening::LegStatus { call_sid, status, .. } if *call_sid == sid && status.is_final())
            })
            .await;
    }
}

fn events(told: &[Received]) -> Vec<&str> {
    told.iter().map(|told| told.get("StatusCallbackEvent")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_hears_the_others_but_the_muted() {
    let hall = Hall::open().await;
    let one = hall.enter(150, 500.0, "participantLabel=\"one\"").await;
    hall.told(1).await;
    hall.hears_nothing(&one).await;
    let two = hall.enter(151, 900.0, "participantLabel=\"two\"").await;
    hall.told(3).await;
    let three = hall.enter(152, 0.0, "participantLabel=\"three\" muted=\"true\"").await;
    hall.told(4).await;
    hall.hears(&one, 900.0).await;
    hall.hears(&two, 500.0).await;
    assert_eq!(hall.change("one", &[("Muted", "true")]).await["muted"], true);
    hall.hears(&three, 900.0).await;
    hall.hears_nothing(&two).await;
    hall.change(&one, &[("Muted", "false")]).await;
    hall.change("two", &[("Muted", "true")]).await;
    hall.hears(&three, 500.0).await;
    for call in [&one, &two, &three] {
        hall.hang_up(call).await;
    }
    let told = hall.told(11).await;
    assert_eq!(
        events(&told)[..7],
        [
            "participant-join",
            "conference-start",
            "participant-join",
            "participant-join",
            "participant-mute",
            "participant-unmute",
            "participant-mute",
        ]
    );
    assert_eq!(
        events(&told)[7..],
        ["participant-leave", "participant-leave", "participant-leave", "conference-end"]
    );
    let numbers: Vec<_> =
        told.iter().map(|told| told.get("SequenceNumber").parse::<u32>().unwrap()).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
    let room = hall.room().await;
    for (name, value) in [
        ("ConferenceSid", room.as_str()),
        ("FriendlyName", "desk"),
        ("CallSid", &one),
        ("ParticipantLabel", "one"),
        ("Muted", "false"),
        ("Hold", "false"),
        ("Coaching", "false"),
        ("StartConferenceOnEnter", "true"),
        ("EndConferenceOnExit", "false"),
    ] {
        assert_eq!(told[0].get(name), value, "{name}");
    }
    assert_eq!(told[3].get("Muted"), "true");
    assert_eq!(told[9].get("ReasonParticipantLeft"), "participant_hung_up");
    assert_eq!(told[9].get("ParticipantCallStatus"), "completed");
    assert_eq!(told[10].get("ReasonConferenceEnded"), "last-participant-left");
    assert_eq!(told[10].get("CallSidEndingConference"), told[9].get("CallSid"));
    assert_eq!(told[10].get("ParticipantLabelEndingConference"), told[9].get("ParticipantLabel"));
    let after = hall.bench.webhooks.wait("/after", 3).await;
    assert!(after.iter().all(|after| after.get("DialCallStatus") == "answered"));
    assert!(after.iter().all(|after| !after.form.has("DialCallDuration")));
    hall.bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_with_the_one_who_may_start_it_and_ends_with_the_one_who_may_end_it() {
    let hall = Hall::open().await;
    let wait = hall.bench.webhooks.url("/wait");
    hall.bench
        .webhooks
        .answer("/wait", Answer::twiml("<Say>Please wait for a while, we will be there soon.</Say>"));
    let attributes = format!("startConferenceOnEnter=\"false\" waitUrl=\"{wait}\"");
    let room = |more: &str| {
        format!(
            "<Dial action=\"{}\"><Conference beep=\"false\" {more}>desk</Conference></Dial>",
            hall.bench.webhooks.url("/after")
        )
    };
    let one = hall.call(150, 500.0, &room(&attributes)).await;
    let two = hall.call(151, 900.0, &room(&attributes)).await;
    hall.bench.webhooks.wait("/wait", 4).await;
    assert_eq!(
        hall.rest.get(&hall.rest.of("Conferences.json?Status=init")).await.1["conferences"][0]["status"],
        "init"
    );
    let boss = hall.call(152, 0.0, &room("endConferenceOnExit=\"true\"")).await;
    hall.hears(&one, 900.0).await;
    hall.hears(&two, 500.0).await;
    let sid = hall.room().await;
    let one_of = hall.rest.of(&format!("Conferences/{sid}.json"));
    assert_eq!(hall.rest.get(&one_of).await.1["status"], "in-progress");
    hall.hang_up(&boss).await;
    // The others' documents have nothing more to play.
    hall.ended(&one).await;
    hall.ended(&two).await;
    let (_, over) = hall.rest.get(&one_of).await;
    assert_eq!(over["status"], "completed");
    assert_eq!(over["reason_conference_ended"], "participant-with-end-conference-on-exit-left");
    assert_eq!(over["call_sid_ending_conference"], json!(boss));
    hall.bench.webhooks.wait("/after", 3).await;
    hall.bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_on_hold_hears_music_and_is_not_heard() {
    let hall = Hall::open().await;
    let one = hall.enter(150, 500.0, "").await;
    let two = hall.enter(151, 900.0, "").await;
    hall.hears(&two, 500.0).await;
    let mut samples = vec![0_i16; 24_000];
    dialer_media::signal::Tone::at_rate(650.0, -10.0, 8_000).fill(&mut samples);
    let mut file =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
    file.extend(u32::try_from(samples.len() * 2).unwrap().to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    hall.bench.webhooks.answer("/music", Answer::new(200, "audio/wav", file).header("etag", "\"m\""));
    let music = hall.bench.webhooks.url("/music");
    let held = hall.change(&one, &[("Hold", "true"), ("HoldUrl", music.as_str())]).await;
    assert_eq!(held["hold"], true);
    hall.hears(&one, 650.0).await;
    hall.hears_nothing(&two).await;
    // Again and again, until it is over.
    hall.bench.webhooks.wait("/music", 2).await;
    assert_eq!(hall.bench.webhooks.got("/music")[0].method, "GET");
    hall.change(&one, &[("Hold", "false")]).await;
    hall.hears(&one, 900.0).await;
    hall.hears(&two, 500.0).await;
    let told = hall.told(5).await;
    assert_eq!(events(&told)[3..], ["participant-hold", "participant-unhold"]);
    let said = Answer::twiml("<Say>Attention please, this is an announcement.</Say>");
    hall.bench.webhooks.answer("/say", said);
    let say = hall.bench.webhooks.url("/say");
    hall.change(&two, &[("AnnounceUrl", say.as_str())]).await;
    let told = hall.told(6).await;
    assert_eq!((told[5].get("StatusCallbackEvent"), told[5].get("CallSid")), ("announcement-end", &*two));
    hall.bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_call_moves_into_a_conference_when_it_is_needed() {
    let hall = Hall::open().await;
    let bench = &hall.bench;
    let room = "<Dial><Conference beep=\"false\" waitUrl=\"\">desk</Conference></Dial>";
    bench.webhooks.answer(
        "/voice",
        Answer::twiml(&format!(
            "<Dial callerId=\"{OUR_NUMBER}\" answerOnBridge=\"true\" action=\"/upgrade\">\
             <Number statusCallback=\"/leg\" statusCallbackEvent=\"answered completed\">+12025550101</Number></Dial>"
        )),
    );
    bench.webhooks.answer("/upgrade", Answer::twiml(room));
    let mut sdk = bench.agent("agent_1").await;
    let phone = Phone::new();
    phone.say(700);
    sdk.invite(&phone, "To=%2B12025550101").await;
    let (parent, _) = sdk.answered(&phone).await;
    phone.hears(440.0).await;
    let child = bench.webhooks.wait("/leg", 1).await[0].get("CallSid").to_owned();
    let twiml = format!("<Response>{room}</Response>");
    let one = hall.rest.of(&format!("Calls/{child}.json"));
    assert_eq!(hall.rest.post(&one, &[("Twiml", &twiml)]).await.0, 200);
    let action = bench.webhooks.wait("/upgrade", 1).await.remove(0);
    assert_eq!((action.get("DialCallStatus"), action.get("DialCallSid")), ("completed", &*child));
    assert!(!action.form.has("DialCallDuration"));
    phone.reset();
    phone.hears(440.0).await;
    hall.hears(&child, 700.0).await;
    let sid = hall.room().await;
    let (_, inside) = hall.rest.get(&hall.rest.of(&format!("Conferences/{sid}/Participants.json"))).await;
    let mut legs: Vec<_> =
        inside["participants"].as_array().unwrap().iter().map(|party| party["call_sid"].clone()).collect();
    legs.sort_by_key(Value::to_string);
    let mut both = vec![json!(parent), json!(child)];
    both.sort_by_key(Value::to_string);
    assert_eq!(legs, both);
    assert!(bench.webhooks.got("/leg").len() == 1, "the far end's leg lives on");

    // A third is asked first, as in a warm transfer: the customer waits meanwhile.
    hall.change(&child, &[("Hold", "true")]).await;
    let form = [("From", OUR_NUMBER), ("To", "+12025550110"), ("Label", "consult"), ("Beep", "false")];
    let path = hall.rest.of("Conferences/desk/Participants.json");
    let (status, consult) = hall.rest.post(&path, &form).await;
    assert_eq!((status, &consult["label"]), (201, &json!("consult")));
    let consult = consult["call_sid"].as_str().unwrap().to_owned();
    hall.hears(&consult, 700.0).await;
    // Then the agent goes, and the two are left.
    hall.change(&child, &[("Hold", "false"), ("EndConferenceOnExit", "true")]).await;
    assert_eq!(hall.rest.delete(&hall.participant(&sid, parent.as_str())).await.0, 204);
    assert_eq!(call_sid(&sdk.expect("hangup").await), parent);
    hall.hears(&consult, 440.0).await;
    hall.hang_up(&child).await;
    hall.ended(&consult).await;
    hall.bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_cannot_be_added_go_on_elsewhere() {
    let hall = Hall::open().await;
    let after = hall.bench.webhooks.url("/after");
    let one = hall.enter(150, 500.0, "participantLabel=\"one\"").await;
    hall.told(1).await;
    let again = |attributes: &str, then: &str| {
        format!("<Dial action=\"{after}\"><Conference {attributes}>desk</Conference></Dial>{then}")
    };
    let second = hall.call(151, 0.0, &again("participantLabel=\"one\"", "<Pause length=\"1\"/>")).await;
    hall.bench.alert(16_025).await;
    hall.ended(&second).await;
    assert!(hall.bench.webhooks.got("/after").is_empty(), "it goes on with the next verb");
    let nobody = "coach=\"CA00000000000000000000000000000000\"";
    hall.call(152, 0.0, &again(nobody, "")).await;
    hall.bench.alert(13_240).await;
    let gone = hall.bench.webhooks.wait("/after", 1).await.remove(0);
    assert_eq!(gone.get("DialCallStatus"), "failed");
    hall.call(153, 0.0, &again("maxParticipants=\"2\" beep=\"false\"", "")).await;
    hall.told(3).await;
    hall.call(154, 0.0, &again("maxParticipants=\"2\"", "")).await;
    hall.bench.alert(16_020).await;
    // One who coaches is heard by one alone.
    let coach = hall.enter(155, 700.0, &format!("coach=\"{one}\"")).await;
    hall.hears(&one, 700.0).await;
    let party = hall.rest.get(&hall.participant(&hall.room().await, &coach)).await.1;
    assert_eq!((&party["coaching"], &party["call_sid_to_coach"]), (&json!(true), &json!(one)));
    hall.bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_calls_people_in_and_tells_how_that_went() {
    let hall = Hall::open().await;
    let one = hall.enter(150, 500.0, "").await;
    let two = hall.enter(151, 0.0, "").await;
    hall.told(3).await;
    let path = hall.rest.of(&format!("Conferences/{}/Participants.json", hall.room().await));
    let status = hall.bench.webhooks.url("/status");
    // It rings for five simulated seconds before it answers.
    let form = [
        ("From", OUR_NUMBER),
        ("To", "+12025550125"),
        ("Label", "guest"),
        ("Beep", "false"),
        ("StatusCallback", status.as_str()),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "completed"),
    ];
    let (code, guest) = hall.rest.post(&path, &form).await;
    assert_eq!((code, &guest["label"]), (201, &json!("guest")));
    assert!(matches!(guest["status"].as_str(), Some("connecting" | "ringing")), "{guest}");
    assert_eq!(refusal(hall.rest.post(&path, &form).await), (400, 16_025));
    let told = hall.told(4).await;
    assert_eq!(
        (told[3].get("StatusCallbackEvent"), told[3].get("ParticipantLabel")),
        ("participant-join", "guest")
    );
    assert_eq!(hall.change("guest", &[]).await["status"], "connected");
    hall.hears(guest["call_sid"].as_str().unwrap(), 500.0).await;
    for (to, call_status) in [("+12025550102", "busy"), ("+12025550105", "failed")] {
        let form = [("From", OUR_NUMBER), ("To", to), ("Label", to)];
        assert_eq!(hall.rest.post(&path, &form).await.0, 201);
        let left = hall.bench.webhooks.wait_for("/room", |told| told.get("ParticipantLabel") == to).await;
        assert_eq!(left.get("StatusCallbackEvent"), "participant-leave", "it never joined");
        assert_eq!(left.get("ReasonParticipantLeft"), "participant_add_failed");
        assert_eq!(left.get("ParticipantCallStatus"), call_status);
    }
    // One who is taken out while it rings is rung no more.
    let form = [("From", OUR_NUMBER), ("To", "+12025550103")];
    let (_, ringing) = hall.rest.post(&path, &form).await;
    let ringing = ringing["call_sid"].as_str().unwrap();
    let sid = hall.room().await;
    assert_eq!(hall.rest.delete(&hall.participant(&sid, ringing)).await.0, 204);
    hall.ended(ringing).await;
    let (_, over) =
        hall.rest.post(&hall.rest.of(&format!("Conferences/{sid}.json")), &[("Status", "completed")]).await;
    assert_eq!(
        (&over["status"], &over["reason_conference_ended"]),
        (&json!("completed"), &json!("conference-ended-via-api"))
    );
    for call in [&one, &two] {
        hall.ended(call).await;
    }
    hall.bench.webhooks.wait("/status", 2).await;
    assert_eq!(refusal(hall.rest.post(&path, &form).await), (404, 20_404));
    let (_, by_name) =
        hall.rest.get(&hall.rest.of("Conferences.json?FriendlyName=desk&Status=in-progress")).await;
    assert_eq!(by_name["conferences"], json!([]));
    hall.bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_has_what_all_say_and_none_of_the_music() {
    let hall = Hall::open().await;
    let told = hall.bench.webhooks.url("/recorded");
    let record = format!(
        "record=\"record-from-start\" recordingStatusCallback=\"{told}\" recordingStatusCallbackEvent=\"in-progress completed\""
    );
    let one = hall.enter(150, 500.0, &record).await;
    hall.told(1).await;
    assert!(hall.bench.webhooks.got("/recorded").is_empty(), "it has not started");
    let two = hall.enter(151, 0.0, "").await;
    // A second and a half: what is very short is no recording.
    let second = two.parse().unwrap();
    hall.bench.heard(&second, |heard| heard.frames > 75).await;
    hall.hears(&two, 500.0).await;
    hall.hang_up(&one).await;
    hall.hang_up(&two).await;
    let told = hall.bench.webhooks.wait("/recorded", 2).await;
    assert_eq!(told[0].get("RecordingStatus"), "in-progress");
    let done = &told[1];
    let room = hall.room().await;
    assert_eq!((done.get("RecordingStatus"), done.get("RecordingSource")), ("completed", "Conference"));
    assert_eq!((done.get("ConferenceSid"), done.get("RecordingChannels")), (&*room, "1"));
    let below = hall.rest.of(&format!("Conferences/{room}/Recordings.json"));
    let (_, listed) = hall.rest.get(&below).await;
    assert_eq!(listed["recordings"][0]["sid"], done.get("RecordingSid"));
    let file = hall.rest.of(&format!("Recordings/{}.wav", done.get("RecordingSid")));
    let wav = hall.rest.request("GET", &file).send().await.unwrap().bytes().await.unwrap();
    let samples: Vec<i16> =
        wav[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let mut louder = Vec::new();
    dialer_media::resample::Resampler::new(8_000, 48_000).process(&samples, &mut louder);
    let hz = dialer_media::signal::dominant_frequency(&louder[4_800..]).unwrap().hz;
    assert!((hz - 500.0).abs() < 5.0, "{hz}");
    hall.bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_inside_hear_a_beep_when_somebody_comes_and_goes() {
    let hall = Hall::open().await;
    let one = hall.enter(150, 0.0, "beep=\"onEnter\"").await;
    hall.told(1).await;
    hall.hears_nothing(&one).await;
    let two = hall.enter(151, 0.0, "beep=\"true\"").await;
    hall.hears_something(&one).await;
    hall.hears_nothing(&one).await;
    hall.hears_nothing(&two).await;
    let three = hall.enter(152, 0.0, "beep=\"onExit\"").await;
    hall.told(4).await;
    hall.hang_up(&two).await;
    hall.hears_something(&three).await;
    hall.bench.stop().await;
}
