//! Whole flows of calls without a window: what the rules say, against the simulator.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dialer_domain::call::{CallDirection, CallId, CallOutcome, RecordingStatus};
use dialer_domain::call_flow::Rules;
use dialer_domain::call_log::CallLogEntry;
use dialer_domain::dial_policy::OtherCountries;
use dialer_domain::error::ErrorCode;
use dialer_domain::incoming::{Answer, Prompt};
use dialer_domain::phone_number::E164;
use dialer_engine::api::{
    CallPermit, Commands as _, PreviewAgent, PreviewScript, PreviewWho, RulesCommands as _,
};
use dialer_engine::phone::Phone as WholePhone;
use dialer_engine::practice::Practice;
use dialer_engine::twilio_at::TwilioAt;
use dialer_simulator::{CallerScript, Happening, IncomingCall, SimEvent, Step};
use tokio::sync::broadcast::Receiver;

use dialer_storage::vault::ChosenVault;

use crate::computer::start;
use crate::phone::Phone;
use crate::practice_call::{logged, practice};

/// Long enough for the slowest machine; every wait ends with what it waits for.
const PATIENCE: Duration = Duration::from_secs(60);
const CALLER: &str = "+12025550107";
const ANSWERS: &str = "+12025550101";

fn number(text: &str) -> E164 {
    E164::parse_strict(text).unwrap()
}

fn rules(change: impl FnOnce(&mut Rules)) -> Rules {
    let mut rules = Rules::default();
    change(&mut rules);
    rules
}

/// Somebody calls who does these things once they hear something.
fn rung(practice: &Practice, steps: Vec<Step>) {
    let script = CallerScript { steps, ..CallerScript::default() };
    let call = IncomingCall::from_number(number(CALLER)).doing(script);
    practice.simulator.place_incoming(&call).unwrap();
}

async fn seen(events: &mut Receiver<SimEvent>, what: impl Fn(&Happening) -> bool) -> SimEvent {
    let mut passed = Vec::new();
    let look = async {
        loop {
            let event = events.recv().await.unwrap();
            if what(&event.what) {
                return event;
            }
            passed.push(event.what);
        }
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(event) => event,
        Err(_) => panic!("it did not happen, but this did: {passed:#?}"),
    }
}

/// A phone that practises, in a folder of its own.
async fn quiet_phone(folder: &Path) -> WholePhone {
    let memory = Arc::new(ChosenVault::memory());
    start(folder, Some(&memory), TwilioAt::Twilio).await
}

fn over(entry: &CallLogEntry) -> bool {
    entry.ended_at_ms.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_finds_nobody_leaves_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    let say = Step::Say { text: "Please call me back".into() };
    rung(&practice, vec![Step::AwaitBeep, say, Step::Wait { s: 1.0 }, Step::HangUp]);
    let ready = |entry: &CallLogEntry| {
        entry.recordings.iter().any(|recording| recording.status == RecordingStatus::Completed)
    };
    let entry = logged(&practice, |entry| over(entry) && ready(entry)).await;
    assert_eq!(entry.outcome, Some(CallOutcome::Voicemail));
    assert_eq!(entry.direction, CallDirection::Incoming);
    assert_eq!(entry.peer, CALLER);
    let message = entry.recordings.first().unwrap();
    assert!(message.message && message.duration_s.is_some_and(|s| s > 0), "{message:?}");

    let sid = message.recording_sid.clone();
    let heard = practice.core.recording(sid.clone()).await.unwrap();
    let wav = STANDARD.decode(heard.wav_base64).unwrap();
    assert!(wav.starts_with(b"RIFF") && wav.iter().skip(44).any(|byte| *byte != 0), "a sound");
    practice.core.delete_recording(entry.id, sid.clone()).await.unwrap();
    let entry = logged(&practice, |entry| entry.recordings.is_empty()).await;
    assert_eq!(entry.outcome, Some(CallOutcome::Voicemail), "it was a message all the same");
    assert!(practice.core.recording(sid).await.is_err(), "and is gone at Twilio");
    practice.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_chooses_from_the_menu() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    practice.core.rules_changed(rules(|rules| rules.incoming.open = Answer::Menu));
    let mut events = practice.simulator.subscribe();
    let press = Step::Press { digits: "1".into(), via: Default::default() };
    rung(&practice, vec![Step::Wait { s: 1.0 }, press, Step::Wait { s: 60.0 }]);
    seen(&mut events, |what| matches!(what, Happening::Gathered { digits, .. } if digits == "1")).await;
    // The key rings the agent, who is not there: then it is a message.
    seen(&mut events, |what| matches!(what, Happening::RecordingStarted { .. })).await;
    practice.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_waits_and_the_agent_takes_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    practice.core.rules_changed(rules(|rules| rules.incoming.open = Answer::Queue));
    let mut phone = Phone::register(practice.core.clone()).await;
    let mut view = practice.core.watch();
    rung(&practice, vec![Step::Tone { hz: 440.0, for_s: 60.0 }]);
    tokio::time::timeout(PATIENCE, view.wait_for(|view| !view.queue.waiting.is_empty()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(view.borrow().queue.waiting.first().unwrap().peer, CALLER);
    let mut events = practice.simulator.subscribe();
    let call = phone.call("queue:").await;
    seen(&mut events, |what| matches!(what, Happening::LeftQueue { .. })).await;
    tokio::time::timeout(PATIENCE, view.wait_for(|view| view.queue.waiting.is_empty()))
        .await
        .unwrap()
        .unwrap();
    // The agent's row and the caller's are one while the two still speak.
    let entry = logged(&practice, |entry| entry.peer == CALLER && entry.legs.len() == 2).await;
    assert_eq!((entry.ended_at_ms, entry.waited_s.is_some()), (None, true));
    phone.hang_up(&call).await;
    practice.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    practice.core.rules_changed(rules(|rules| {
        rules.incoming.offline = Answer::Forward { to: number(ANSWERS) };
    }));
    rung(&practice, vec![Step::Wait { s: 8.0 }, Step::HangUp]);
    let entry = logged(&practice, |entry| entry.outcome == Some(CallOutcome::Forwarded)).await;
    assert_eq!(entry.peer, CALLER);
    practice.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_agent_did_not_place_is_refused_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    let mut phone = Phone::register(practice.core.clone()).await;
    let mut events = practice.simulator.subscribe();
    let thief = tokio::spawn(async move { phone.connect(CallId(uuid::Uuid::new_v4()), ANSWERS).await });
    seen(&mut events, |what| matches!(what, Happening::Spoken { text, .. } if text.contains("not placed")))
        .await;
    let entry = logged(&practice, |entry| entry.reason.is_some()).await;
    assert_eq!(entry.outcome, Some(CallOutcome::Failed));
    assert!(
        practice
            .core
            .snapshot(dialer_engine::api::PageId(uuid::Uuid::new_v4()))
            .await
            .unwrap()
            .notices
            .iter()
            .any(|notice| notice.error.code == ErrorCode::CallRefused)
    );
    thief.abort();
    practice.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_are_asked_before_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    let ask = |to: &'static str, confirmed| {
        let core = practice.core.clone();
        async move { core.prepare_call(CallId(uuid::Uuid::new_v4()), to.into(), None, confirmed).await }
    };
    let paris = "+33142685300";
    let CallPermit::Ask { question, price_per_minute } = ask(paris, false).await.unwrap() else {
        panic!("a new country is a question")
    };
    assert_eq!(question.region, "FR");
    assert!(price_per_minute.is_some_and(|price| price.micros > 0 && price.currency == "USD"));
    assert_eq!(ask(paris, true).await.unwrap(), CallPermit::Go { to: paris.into() });
    for refused in ["911", "+19005550123", "+33899000000", "0815", "client:not an identity"] {
        assert_eq!(ask(refused, true).await.unwrap_err().code, ErrorCode::CallRefused, "{refused}");
    }
    for allowed in ["client:agent_2", "sip:desk@example.com", "queue:"] {
        assert_eq!(ask(allowed, false).await.unwrap(), CallPermit::Go { to: allowed.into() });
    }
    practice.core.rules_changed(rules(|rules| rules.outgoing.other_countries = OtherCountries::Block));
    assert_eq!(ask(paris, false).await.unwrap_err().code, ErrorCode::CallRefused);
    practice.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_can_be_tried_before_they_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let phone = quiet_phone(folder.path()).await;
    let script = |keys: &str, agent| PreviewScript {
        at: None,
        agent,
        agent_answers: true,
        hidden_number: false,
        keys: keys.into(),
    };
    let menu = rules(|rules| rules.incoming.open = Answer::Menu);
    let lines = phone.preview_incoming(menu.clone(), script("1", PreviewAgent::Ready)).await.unwrap();
    let said: Vec<(PreviewWho, &str)> = lines.iter().map(|line| (line.who, line.text.as_str())).collect();
    let heard = said.iter().position(|(who, text)| *who == PreviewWho::Heard && text.contains("press 1"));
    let pressed = said.iter().position(|line| *line == (PreviewWho::Caller, "Presses 1."));
    assert!(heard.is_some() && pressed > heard, "first the menu, then the key: {said:?}");
    assert!(said.last().is_some_and(|(who, text)| *who == PreviewWho::Agent && text.contains("answered")));

    let lines = phone.preview_incoming(menu, script("-2", PreviewAgent::Ready)).await.unwrap();
    let said: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert!(
        said.contains(&"Presses no key.") && said.contains(&"The caller can leave a message."),
        "{said:?}"
    );

    let queue = rules(|rules| rules.incoming.busy = Answer::Queue);
    let lines = phone.preview_incoming(queue, script("", PreviewAgent::Busy)).await.unwrap();
    let said: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert!(said.iter().any(|text| text.contains("queue")) && said.contains(&"Music."), "{said:?}");

    let broken = rules(|rules| rules.incoming.no_answer = Answer::Ring);
    let refused = phone.preview_incoming(broken, script("", PreviewAgent::Ready)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidEntry);
    phone.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_hear_the_agents_own_recording() {
    let folder = tempfile::tempdir().unwrap();
    let phone = quiet_phone(folder.path()).await;
    let wav = STANDARD.encode(tone());
    let sound = phone.add_sound("Greeting".into(), wav.clone()).await.unwrap();
    assert_eq!(phone.sound(sound.name.clone()).await.unwrap().wav_base64, wav);
    let named = rules(|rules| {
        rules.incoming.voicemail.greeting = Prompt::Play { sound: sound.name.clone() };
    });
    phone.save_rules(named.clone()).await.unwrap();
    assert_eq!(phone.delete_sound(sound.name.clone()).await.unwrap_err().code, ErrorCode::InvalidEntry);

    let simulator = phone.simulator().unwrap();
    let mut events = simulator.subscribe();
    simulator.place_incoming(&IncomingCall::from_number(number(CALLER))).unwrap();
    let played =
        |what: &Happening| matches!(what, Happening::Played { url, .. } if url.contains(sound.name.as_str()));
    seen(&mut events, played).await;
    assert!(
        simulator.events_since(0).iter().all(|event| !matches!(event.what, Happening::Alert { .. })),
        "it was fetched"
    );

    phone.save_rules(Rules::default()).await.unwrap();
    phone.delete_sound(sound.name.clone()).await.unwrap();
    assert!(phone.save_rules(named).await.is_err(), "no rule may name what is not there");
    assert!(phone.add_sound("Song".into(), STANDARD.encode(b"ID3 not a WAV file")).await.is_err());
    phone.shutdown().await;
}

/// Half a second at 440 Hz: 8 kHz, 16 bits, mono.
fn tone() -> Vec<u8> {
    let samples = (0..4_000_u32).map(|n| (f64::from(n) * 440.0 * std::f64::consts::TAU / 8_000.0).sin());
    #[expect(clippy::cast_possible_truncation, reason = "within the range of a sample")]
    let sound: Vec<u8> = samples.flat_map(|sample| ((sample * 8_000.0) as i16).to_le_bytes()).collect();
    let length = u32::try_from(sound.len()).unwrap();
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    for half in [1_u16, 1] {
        wav.extend(half.to_le_bytes());
    }
    wav.extend(8_000_u32.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    for half in [2_u16, 16] {
        wav.extend(half.to_le_bytes());
    }
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.extend(sound);
    wav
}
