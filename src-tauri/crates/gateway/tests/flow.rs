//! How a call goes on: every instruction as Twilio gets it, and every address it leads back to.

use std::collections::BTreeMap;

use dialer_domain::call::{CallEvent, CallStatus, RecordingStatus};
use dialer_domain::call_flow::{Purpose, QueueResult};
use dialer_domain::incoming::{Answer as Rule, Choice, Chosen, MenuKey, MenuPage, Music, Prompt, SoundName};
use dialer_domain::phone_number::E164;
use dialer_gateway::{VOICE_PATH, fallback_document};
use dialer_twilio::webhook::Form;

use crate::desk::{Answer, BASE, CALL, Desk, OURS, THEIRS, incoming, outgoing, under_way};
use crate::routes::{response_of, spoken};

/// The leg of an agent who takes somebody out of the queue.
const TAKER: &str = "CAdddddddddddddddddddddddddddddddd";

const CHILD: &str = "CA00000000000000000000000000000002";
const RECORDING: &str = "RE00000000000000000000000000000001";

/// The document for a signed request to `path`.
async fn asked(desk: &Desk, path: &str, form: &Form) -> String {
    response_of(&Answer::of(desk.signed_post(path, form)).await).to_owned()
}

/// The document that a caller gets under these rules.
async fn greeted(desk: &Desk, open: Rule) -> String {
    desk.agent.rules.lock().unwrap().incoming.open = open;
    asked(desk, VOICE_PATH, &incoming()).await
}

async fn dialled(desk: &Desk, purpose: &str, status: &str) -> String {
    let form = under_way(&[("DialCallStatus", status), ("DialCallSid", CHILD), ("DialCallDuration", "7")]);
    asked(desk, &format!("/api/calls/dialled/{purpose}"), &form).await
}

fn say(text: &str) -> Prompt {
    Prompt::say(text)
}

fn sound(byte: u8) -> SoundName {
    SoundName::from_bytes([byte; 16])
}

fn number(text: &str) -> E164 {
    E164::parse_strict(text).unwrap()
}

const HANG_UP: &str = "<Response><Hangup/></Response>";
const VOICEMAIL: &str = concat!(
    "<Response><Say>Nobody can take your call right now. Please leave a message after the tone.</Say>",
    "<Record action=\"https://phone.example/api/calls/message\" maxLength=\"120\" timeout=\"5\" ",
    "finishOnKey=\"#\" playBeep=\"true\" ",
    "recordingStatusCallback=\"https://phone.example/api/calls/recording\" ",
    "recordingStatusCallbackEvent=\"in-progress completed absent\"/><Hangup/></Response>",
);

#[tokio::test]
async fn who_does_not_answer_gives_way_to_the_next_rule() {
    let desk = Desk::open().await;
    for status in ["no-answer", "busy", "failed", "canceled", "something-new"] {
        assert_eq!(dialled(&desk, "ring", status).await, VOICEMAIL, "{status}");
    }
    assert_eq!(dialled(&desk, "ring", "completed").await, HANG_UP);
    assert_eq!(dialled(&desk, "forward", "busy").await, VOICEMAIL);
    assert!(dialled(&desk, "outgoing", "no-answer").await.ends_with("<Hangup/></Response>"));
    assert!(dialled(&desk, "take-next", "no-answer").await.contains("<Say>"));
    let events = desk.agent.events.lock().unwrap();
    assert_eq!(events.len(), 9);
    let CallEvent::Dialled { call_sid, dialled_sid, purpose, status, duration_s, .. } = &events[0] else {
        panic!("{events:?}");
    };
    assert_eq!((call_sid.as_str(), *purpose, *status), (CALL, Purpose::Ring, CallStatus::NoAnswer));
    assert_eq!((dialled_sid.as_ref().unwrap().as_str(), *duration_s), (CHILD, Some(7)));
}

#[tokio::test]
async fn a_busy_agent_does_not_ring() {
    let desk = Desk::open().await;
    desk.agent.situation.lock().unwrap().busy = true;
    assert_eq!(asked(&desk, VOICE_PATH, &incoming()).await, VOICEMAIL);
}

#[tokio::test]
async fn a_message_is_taken_and_written_down() {
    let desk = Desk::open().await;
    {
        let mut rules = desk.agent.rules.lock().unwrap();
        rules.incoming.voicemail.greeting = Prompt::Play { sound: sound(1) };
        rules.incoming.voicemail.transcribe = true;
    }
    let document = greeted(&desk, Rule::Voicemail).await;
    let expected = concat!(
        "<Play loop=\"1\">https://phone.example/api/calls/sounds/01010101010101010101010101010101.wav</Play>",
        "<Record action=\"https://phone.example/api/calls/message\" maxLength=\"120\" timeout=\"5\" ",
        "finishOnKey=\"#\" playBeep=\"true\" transcribe=\"true\" ",
        "transcribeCallback=\"https://phone.example/api/calls/transcription\" ",
    );
    assert!(document.contains(expected), "{document}");
    let recorded = [
        ("RecordingUrl", "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1"),
        ("RecordingSid", RECORDING),
        ("RecordingDuration", "4"),
        ("Digits", "hangup"),
    ];
    assert_eq!(asked(&desk, "/api/calls/message", &under_way(&recorded)).await, HANG_UP);
    // The caller hung up on the greeting: there is no recording, and nothing odd about that.
    assert_eq!(asked(&desk, "/api/calls/message", &under_way(&[])).await, HANG_UP);
    let events = desk.agent.events.lock().unwrap();
    let messages: Vec<_> =
        events.iter().filter(|event| matches!(event, CallEvent::Recording { message: true, .. })).collect();
    assert_eq!(messages.len(), 1, "{events:?}");
}

fn menu() -> MenuPage {
    let choice = |then| Choice { label: "x".into(), then };
    let key = |digit| MenuKey::of(digit).unwrap();
    let deeper = MenuPage {
        prompt: say("Deeper."),
        choices: BTreeMap::from([(
            key('0'),
            choice(Chosen::Answer { answer: Rule::Message { prompt: say("Bye.") } }),
        )]),
        attempts: 1,
        ..MenuPage::default()
    };
    MenuPage {
        prompt: say("Press 1 or 7."),
        choices: BTreeMap::from([
            (key('1'), choice(Chosen::Answer { answer: Rule::Ring })),
            (key('7'), choice(Chosen::Page { page: deeper })),
        ]),
        wait_s: 6,
        attempts: 2,
        otherwise: Box::new(Rule::Voicemail),
    }
}

fn gather(place: &str, text: &str) -> String {
    format!(
        "<Response><Gather input=\"dtmf\" numDigits=\"1\" timeout=\"6\" \
         action=\"https://phone.example/api/calls/menu/{place}\" actionOnEmptyResult=\"true\">\
         <Say>{text}</Say></Gather></Response>"
    )
}

#[tokio::test]
async fn a_menu_leads_where_its_keys_say() {
    let desk = Desk::open().await;
    desk.agent.rules.lock().unwrap().incoming.menu = menu();
    assert_eq!(greeted(&desk, Rule::Menu).await, gather("start/1", "Press 1 or 7."));
    let press = async |place: &str, key: &str| {
        asked(&desk, &format!("/api/calls/menu/{place}"), &under_way(&[("Digits", key)])).await
    };
    assert!(press("start/1", "1").await.contains("<Client "));
    assert_eq!(press("start/1", "7").await, gather("7/1", "Deeper."));
    assert!(press("7/1", "0").await.contains("<Say>Bye.</Say><Hangup/>"));
    for nothing in ["", "9", "#", "17"] {
        assert_eq!(press("start/1", nothing).await, gather("start/2", "Press 1 or 7."), "{nothing}");
        assert_eq!(press("start/2", nothing).await, VOICEMAIL, "{nothing}");
    }
    assert_eq!(press("7/1", "").await, VOICEMAIL);
    assert_eq!(press("9/1", "1").await, VOICEMAIL, "a page that is gone");
}

/// The document that plays a recording.
fn music(name: u8, loops: u32, pause_s: u32) -> String {
    let name = sound(name);
    format!(
        "<Response><Play loop=\"{loops}\">{BASE}/api/calls/sounds/{}.wav</Play>\
         <Pause length=\"{pause_s}\"/></Response>",
        name.as_str()
    )
}

/// A WAV file of 8,000 bytes a second.
fn silence(seconds: u32) -> bytes::Bytes {
    let length = seconds * 8_000;
    let numbers = [&8_000_u32.to_le_bytes()[..], &8_000_u32.to_le_bytes(), b"\x01\0\x08\0"].concat();
    let head = [&b"RIFF"[..], &(length + 36).to_le_bytes(), b"WAVEfmt \x10\0\0\0\x01\0\x01\0"].concat();
    let data = [&b"data"[..], &length.to_le_bytes(), &vec![0x80; length as usize]].concat();
    [head, numbers, data].concat().into()
}

#[tokio::test]
async fn callers_wait_in_the_queue() {
    let desk = Desk::open_with(|options| options.queue = "desk-1".into()).await;
    desk.agent.rules.lock().unwrap().incoming.queue.greeting = say("Please hold.");
    assert_eq!(
        greeted(&desk, Rule::Queue).await,
        concat!(
            "<Response><Say>Please hold.</Say>",
            "<Enqueue waitUrl=\"https://phone.example/api/calls/queue/wait\" ",
            "action=\"https://phone.example/api/calls/queue/left\">desk-1</Enqueue></Response>",
        )
    );
    let wait = async |position: &str, waited: &str| {
        let form = under_way(&[("QueuePosition", position), ("QueueTime", waited)]);
        asked(&desk, "/api/calls/queue/wait", &form).await
    };
    let first = wait("1", "0").await;
    assert!(first.starts_with("<Response><Say>You are next in line.</Say><Play loop=\"2\">"), "{first}");
    assert!(wait("3", "5").await.contains("<Say>You are number 3 in line.</Say>"));
    // The first is gone, the second lasts a second, the third a minute.
    for (at, seconds) in [(2, 1), (3, 60)] {
        desk.agent.sounds.lock().unwrap().insert(sound(at), silence(seconds));
    }
    let mut waited = 10;
    for (music, expected) in [
        (Music::Silence, "<Response><Pause length=\"30\"/></Response>".to_owned()),
        (Music::Recording { sound: sound(1) }, music(1, 1, 30)),
        (Music::Recording { sound: sound(2) }, music(2, 30, 3)),
        (Music::Recording { sound: sound(3) }, music(3, 1, 3)),
    ] {
        {
            let queue = &mut desk.agent.rules.lock().unwrap().incoming.queue;
            (queue.tell_position, queue.music) = (false, music);
        }
        waited += 1;
        assert_eq!(wait("1", &waited.to_string()).await, expected);
    }
    assert_eq!(wait("1", "900").await, "<Response><Leave/></Response>");
    let left = async |result: &str| {
        asked(&desk, "/api/calls/queue/left", &under_way(&[("QueueResult", result), ("QueueTime", "900")]))
            .await
    };
    assert_eq!(left("leave").await, VOICEMAIL);
    let taken = under_way(&[("DequeingCallSid", TAKER), ("QueueTime", "33")]);
    assert_eq!(asked(&desk, "/api/calls/queue/taken", &taken).await, "<Response/>");
    assert_eq!(left("bridged").await, HANG_UP);
    let events = desk.agent.events.lock().unwrap();
    assert_eq!(events.iter().filter(|event| matches!(event, CallEvent::Waiting { .. })).count(), 7);
    let bridged = CallEvent::LeftQueue {
        call_sid: CALL.parse().unwrap(),
        result: QueueResult::Bridged,
        waited_s: Some(900),
        at_ms: 0,
    };
    assert!(events.contains(&bridged), "{events:?}");
    let dequeued = CallEvent::Dequeued {
        call_sid: CALL.parse().unwrap(),
        agent_sid: TAKER.parse().unwrap(),
        waited_s: Some(33),
        at_ms: 0,
    };
    assert!(events.contains(&dequeued), "{events:?}");
}

#[tokio::test]
async fn the_agent_reaches_every_kind_of_destination() {
    let desk = Desk::open().await;
    desk.agent.rules.lock().unwrap().outgoing.emergency = true;
    let dial = |purpose: &str, noun: &str| {
        // An agent who calls another shows their own address; whoever takes the next caller does not ring.
        let caller_id =
            if noun.contains("<Client") { String::new() } else { format!("callerId=\"{OURS}\" ") };
        let timeout = if noun.contains("<Queue") { 5 } else { 25 };
        format!(
            "<Response><Dial {caller_id}answerOnBridge=\"true\" timeout=\"{timeout}\" timeLimit=\"14400\" \
             action=\"{BASE}/api/calls/dialled/{purpose}\">{noun}</Dial></Response>"
        )
    };
    let report = format!(
        "statusCallback=\"{BASE}/api/calls/status\" statusCallbackEvent=\"initiated ringing answered completed\""
    );
    for (to, purpose, noun) in [
        (THEIRS, "outgoing", format!("<Number {report}>{THEIRS}</Number>")),
        ("911", "outgoing", format!("<Number {report}>911</Number>")),
        ("sip:desk@example.com", "outgoing", format!("<Sip {report}>sip:desk@example.com</Sip>")),
        (
            "client:agent_2",
            "outgoing",
            format!(
                "<Client {report}><Identity>agent_2</Identity><Parameter name=\"parent\" value=\"{CALL}\"/></Client>"
            ),
        ),
        ("queue:", "take-next", format!("<Queue url=\"{BASE}/api/calls/queue/taken\">kennex-dialer</Queue>")),
    ] {
        assert_eq!(asked(&desk, VOICE_PATH, &outgoing(to)).await, dial(purpose, &noun), "{to}");
    }
}

#[tokio::test]
async fn callers_are_passed_on_told_or_declined() {
    let desk = Desk::open().await;
    let document = greeted(&desk, Rule::Forward { to: number("+12025550199") }).await;
    assert!(document.contains("action=\"https://phone.example/api/calls/dialled/forward\""), "{document}");
    assert!(document.contains(">+12025550199</Number>"), "{document}");

    let desk = Desk::open().await;
    let prompt = Prompt::Say { text: "Geschlossen & weg.".into(), language: Some("de-DE".into()) };
    assert_eq!(
        greeted(&desk, Rule::Message { prompt }).await,
        "<Response><Say language=\"de-DE\">Geschlossen &amp; weg.</Say><Hangup/></Response>"
    );
}

#[tokio::test]
async fn the_busy_tone_is_for_calls_that_are_not_answered() {
    let desk = Desk::open().await;
    assert_eq!(greeted(&desk, Rule::Decline).await, "<Response><Reject reason=\"busy\"/></Response>");
    // The same call led to the voice URL once more, after a menu say: it was answered meanwhile.
    assert_eq!(asked(&desk, VOICE_PATH, &under_way(&[])).await, HANG_UP);
}

#[tokio::test]
async fn a_sip_telephone_calls_at_the_same_address() {
    let desk = Desk::open().await;
    let form: Form = incoming()
        .pairs()
        .iter()
        .map(|(name, value)| {
            let value = match name.as_str() {
                "From" | "Caller" => "sip:desk@agents.sip.twilio.com;transport=tls",
                "To" | "Called" => "sip:100@agents.sip.twilio.com",
                _ => value,
            };
            (name.clone(), value.to_owned())
        })
        .collect();
    let document = asked(&desk, VOICE_PATH, &form.with("SipDomain", "agents.sip.twilio.com")).await;
    assert!(document.contains("<Identity>agent_1</Identity>"), "{document}");
    let events = desk.agent.events.lock().unwrap();
    let CallEvent::Routed { peer, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!(peer, "sip:desk@agents.sip.twilio.com");
}

#[tokio::test]
async fn what_became_of_recordings_and_conferences_is_passed_on() {
    let desk = Desk::open().await;
    let about_call = |more: &[(&str, &str)]| {
        let form = Form::new().with("AccountSid", crate::desk::ACCOUNT).with("CallSid", CALL);
        more.iter().fold(form, |form, (name, value)| form.with(*name, *value))
    };
    let recording =
        [("RecordingSid", RECORDING), ("RecordingStatus", "completed"), ("RecordingSource", "RecordVerb")];
    let transcription = [
        ("RecordingSid", RECORDING),
        ("TranscriptionStatus", "completed"),
        ("TranscriptionText", "Hello there."),
    ];
    let conference = [
        ("ConferenceSid", "CF00000000000000000000000000000001"),
        ("StatusCallbackEvent", "participant-join"),
        ("SequenceNumber", "3"),
    ];
    for (path, form) in [
        ("/api/calls/recording", about_call(&recording)),
        ("/api/calls/transcription", about_call(&transcription)),
        ("/api/calls/conference", about_call(&conference)),
    ] {
        for _ in 0..2 {
            let answer = Answer::of(desk.signed_post(path, &form)).await;
            assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
        }
    }
    let events = desk.agent.events.lock().unwrap();
    let [
        CallEvent::Recording { status: RecordingStatus::Completed, message: true, .. },
        CallEvent::Transcribed { text, .. },
        CallEvent::Conference { what, sequence: Some(3), .. },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!((text.as_str(), what.as_str()), ("Hello there.", "participant-join"));
}

#[tokio::test]
async fn callbacks_that_tell_nothing_known_are_taken_without_effect() {
    let desk = Desk::open().await;
    for path in ["status", "recording", "transcription", "conference"] {
        for form in
            [Form::new(), under_way(&[("CallStatus", "teleported")]), under_way(&[("RecordingSid", "RE1")])]
        {
            let form = form.with("SequenceNumber", "x");
            let answer = Answer::of(desk.signed_post(&format!("/api/calls/{path}"), &form)).await;
            assert_eq!(answer.status, 204, "{path}");
        }
    }
    // A caller's own in-progress status is the one thing known among these.
    let events = desk.agent.events.lock().unwrap();
    assert!(events.iter().all(|event| matches!(event, CallEvent::LegStatus { .. })), "{events:?}");
}

#[tokio::test]
async fn a_call_under_way_goes_on_although_a_question_is_not_understood() {
    let desk = Desk::open().await;
    {
        let mut rules = desk.agent.rules.lock().unwrap();
        rules.incoming.menu = menu();
        rules.outgoing.emergency = true;
    }
    let ask = async |path: &str, form: &Form| asked(&desk, &format!("/api/calls/{path}"), form).await;
    let nameless = Form::new().with("AccountSid", crate::desk::ACCOUNT);
    let odd = nameless.clone().with("CallSid", "CA1").with("From", "x".repeat(300)).with("Digits", "1");
    for form in [under_way(&[]), nameless, odd] {
        assert_eq!(ask("dialled/ring", &form).await, VOICEMAIL, "{form:?}");
        assert_eq!(ask("dialled/forward", &form).await, VOICEMAIL, "{form:?}");
        assert_eq!(ask("queue/left", &form).await, VOICEMAIL, "{form:?}");
        assert!(ask("dialled/outgoing", &form).await.contains("could not be connected"), "{form:?}");
        assert!(ask("dialled/take-next", &form).await.contains("<Say>"), "{form:?}");
        assert_eq!(ask("menu/start/1", &form).await, gather("start/2", "Press 1 or 7."), "{form:?}");
        assert_eq!(ask("menu/start/2", &form).await, VOICEMAIL, "{form:?}");
        assert_eq!(ask("message", &form).await, HANG_UP, "{form:?}");
    }
    // Nobody waits for ever because nobody knows for how long.
    assert_eq!(ask("queue/wait", &Form::new()).await, "<Response><Leave/></Response>");
    assert_eq!(desk.agent.event_count(), 0, "nothing was told");
}

#[tokio::test]
async fn a_call_that_begins_in_words_not_understood_is_told_so() {
    let desk = Desk::open().await;
    let odd =
        incoming().with("CallSid", "CA1").pairs().iter().filter(|(_, sid)| sid != CALL).cloned().collect();
    assert!(spoken(&Answer::of(desk.signed_post(VOICE_PATH, &odd)).await).contains("not understood"));
    assert_eq!(desk.agent.asked(), 0);
}

/// Every address in a document, whatever it is for.
fn addresses(document: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(document).unwrap();
    let values = document.descendants().flat_map(|node| {
        let text = node.text().map(str::to_owned);
        node.attributes().map(|attribute| attribute.value().to_owned()).chain(text).collect::<Vec<_>>()
    });
    values.filter(|value| value.contains('/')).collect()
}

#[tokio::test]
async fn every_address_in_every_document_is_answered() {
    let rules = [
        Rule::Ring,
        Rule::Voicemail,
        Rule::Menu,
        Rule::Queue,
        Rule::Forward { to: number("+12025550199") },
        Rule::Message { prompt: Prompt::Play { sound: sound(1) } },
    ];
    for rule in rules {
        let desk = Desk::open().await;
        for name in [sound(1), sound(2)] {
            desk.agent.sounds.lock().unwrap().insert(name, bytes::Bytes::from_static(b"RIFF"));
        }
        desk.agent.rules.lock().unwrap().incoming.voicemail.transcribe = true;
        let mut documents = vec![greeted(&desk, rule.clone()).await];
        documents.push(asked(&desk, "/api/calls/queue/wait", &under_way(&[("QueuePosition", "2")])).await);
        let mut seen = 0;
        for address in documents.iter().flat_map(|document| addresses(document)) {
            let path = address.strip_prefix(BASE).unwrap();
            seen += 1;
            if path.starts_with("/api/calls/sounds/") {
                assert_eq!(Answer::of(desk.client.get(desk.local(path))).await.status, 200, "{path}");
            } else {
                let answer = Answer::of(desk.signed_post(path, &under_way(&[]))).await;
                assert!(matches!(answer.status, 200 | 204), "{path}: {}", answer.status);
                let forged = Answer::of(desk.unsigned_post(path, &under_way(&[]))).await;
                assert_eq!(forged.status, 403, "{path}");
            }
        }
        assert!(seen >= 2, "{rule:?}: {documents:?}");
        let fallback = fallback_document(&desk.agent.rules.lock().unwrap().incoming);
        assert_eq!(addresses(&fallback), Vec::<String>::new());
    }
}
