//! TwiML documents, each with what Twilio's own packages are to be told to write the same one.

use dialer_domain::identity::ClientIdentity;
use dialer_domain::phone_number::E164;
use dialer_domain::sip_uri::SipUri;
use dialer_twilio::twiml::{
    Conference, Dial, DialNoun, DialRecording, Enqueue, Gather, Prompt, Record, RejectReason, Response,
    Transcription, Verb,
};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use url::Url;

use super::text;

/// A call of a method of the official packages: its name, its options by their Python names, the text it takes,
/// and the calls on what it answers.
fn call(name: &str, options: Value, text: Option<&str>, children: Vec<Value>) -> Value {
    let Value::Object(mut options) = options else { panic!("options have names") };
    options.retain(|_, value| !value.is_null());
    json!({ "name": name, "options": options, "text": text, "children": children })
}

const LEG_EVENTS: [&str; 4] = ["initiated", "ringing", "answered", "completed"];
const RECORDING_EVENTS: [&str; 3] = ["in-progress", "completed", "absent"];
const ROOM_EVENTS: [&str; 6] = ["start", "end", "join", "leave", "mute", "hold"];

/// The document, and the calls on a `VoiceResponse`.
pub(crate) fn any(random: &mut StdRng) -> (Response, Value) {
    let mut response = Response::new();
    let mut calls = Vec::new();
    for _ in 0..random.random_range(0..5) {
        let (verb, call) = verb(random);
        response = response.with(verb);
        calls.push(call);
    }
    (response, Value::Array(calls))
}

fn verb(random: &mut StdRng) -> (Verb, Value) {
    match random.random_range(0..11) {
        0 => {
            let (prompt, call) = prompt(random);
            (prompt.into(), call)
        }
        1 => {
            let digits = text::of(random, "0123456789*#w", 1..9);
            (
                Verb::PlayDigits { digits: digits.clone() },
                call("play", json!({ "digits": digits }), None, vec![]),
            )
        }
        2 => {
            let url = url(random);
            (
                Verb::Redirect { url: url.clone() },
                call("redirect", json!({ "method": "POST" }), Some(url.as_str()), vec![]),
            )
        }
        3 => (Verb::Hangup, call("hangup", json!({}), None, vec![])),
        4 => (Verb::Leave, call("leave", json!({}), None, vec![])),
        5 => {
            let (reason, word) = if random.random() {
                (RejectReason::Busy, "busy")
            } else {
                (RejectReason::Rejected, "rejected")
            };
            (Verb::Reject(reason), call("reject", json!({ "reason": word }), None, vec![]))
        }
        6 => gather(random),
        7 => record(random),
        8 => enqueue(random),
        _ => dial(random),
    }
}

fn prompt(random: &mut StdRng) -> (Prompt, Value) {
    match random.random_range(0..3) {
        0 => {
            let text = text::any(random);
            let language =
                maybe(random, |random| text::one(random, &["en-GB", "de-DE", "x\"<&'"]).to_owned());
            let said = call("say", json!({ "language": language }), Some(&text), vec![]);
            (Prompt::Say { text, language }, said)
        }
        1 => {
            let (url, loops) = (url(random), random.random_range(0..4));
            (
                Prompt::Play { url: url.clone(), loops },
                call("play", json!({ "loop": loops }), Some(url.as_str()), vec![]),
            )
        }
        _ => {
            let length_s = random.random_range(0..100);
            (Prompt::Pause { length_s }, call("pause", json!({ "length": length_s }), None, vec![]))
        }
    }
}

fn gather(random: &mut StdRng) -> (Verb, Value) {
    let (prompts, prompted) = (0..random.random_range(0..4)).map(|_| prompt(random)).unzip();
    let gather = Gather {
        action: url(random),
        action_on_empty_result: random.random(),
        num_digits: maybe(random, |random| random.random_range(1..5)),
        timeout_s: maybe(random, |random| random.random_range(0..60)),
        finish_on_key: maybe(random, |random| text::one(random, &["", "#", "*", "0"]).to_owned()),
        prompts,
    };
    let options = json!({
        "input": "dtmf",
        "action": gather.action.as_str(),
        "action_on_empty_result": gather.action_on_empty_result.then_some(true),
        "num_digits": gather.num_digits,
        "timeout": gather.timeout_s,
        "finish_on_key": gather.finish_on_key,
    });
    let call = call("gather", options, None, prompted);
    (Verb::Gather(gather), call)
}

fn record(random: &mut StdRng) -> (Verb, Value) {
    let record = Record {
        action: url(random),
        max_length_s: maybe(random, |random| random.random_range(1..4000)),
        timeout_s: maybe(random, |random| random.random_range(0..60)),
        finish_on_key: maybe(random, |random| text::of(random, "0123456789*#", 0..4)),
        play_beep: random.random(),
        keep_silence: random.random(),
        transcription: maybe(random, |random| Transcription { callback: url(random) }),
        recording_status_callback: maybe(random, url),
    };
    let options = json!({
        "action": record.action.as_str(),
        "max_length": record.max_length_s,
        "timeout": record.timeout_s,
        "finish_on_key": record.finish_on_key,
        "play_beep": record.play_beep,
        "trim": record.keep_silence.then_some("do-not-trim"),
        "transcribe": record.transcription.is_some().then_some(true),
        "transcribe_callback": record.transcription.as_ref().map(|transcription| transcription.callback.as_str()),
        "recording_status_callback": at(&record.recording_status_callback),
        "recording_status_callback_event": record.recording_status_callback.is_some().then_some(RECORDING_EVENTS),
    });
    (Verb::Record(record), call("record", options, None, vec![]))
}

fn enqueue(random: &mut StdRng) -> (Verb, Value) {
    let enqueue = Enqueue { name: name(random), wait_url: maybe(random, url), action: maybe(random, url) };
    let options = json!({ "wait_url": at(&enqueue.wait_url), "action": at(&enqueue.action) });
    let call = call("enqueue", options, Some(&enqueue.name), vec![]);
    (Verb::Enqueue(enqueue), call)
}

fn dial(random: &mut StdRng) -> (Verb, Value) {
    let (nouns, called): (Vec<_>, Vec<_>) = (0..random.random_range(0..4)).map(|_| noun(random)).unzip();
    let dial = Dial {
        caller_id: maybe(random, number),
        answer_on_bridge: random.random(),
        timeout_s: maybe(random, |random| random.random_range(5..600)),
        time_limit_s: maybe(random, |random| random.random_range(60..14_400)),
        recording: maybe(random, |random| DialRecording { status_callback: maybe(random, url) }),
        action: maybe(random, url),
        nouns,
    };
    let told = dial.recording.as_ref().and_then(|recording| recording.status_callback.as_ref());
    let options = json!({
        "caller_id": dial.caller_id,
        "answer_on_bridge": dial.answer_on_bridge.then_some(true),
        "timeout": dial.timeout_s,
        "time_limit": dial.time_limit_s,
        "record": dial.recording.is_some().then_some("record-from-answer-dual"),
        "recording_status_callback": told.map(Url::as_str),
        "recording_status_callback_event": told.map(|_| RECORDING_EVENTS),
        "action": at(&dial.action),
    });
    let call = call("dial", options, None, called);
    (Verb::Dial(dial), call)
}

fn noun(random: &mut StdRng) -> (DialNoun, Value) {
    let status_callback = maybe(random, url);
    let told = |url: &Option<Url>| json!({ "status_callback": at(url), "status_callback_event": url.as_ref().map(|_| LEG_EVENTS) });
    match random.random_range(0..6) {
        0 => {
            let number = number(random);
            let call = call("number", told(&status_callback), Some(number.as_str()), vec![]);
            (DialNoun::Number { number, status_callback }, call)
        }
        1 => {
            let number = text::one(random, &["112", "911", "999"]).to_owned();
            let call = call("number", told(&status_callback), Some(&number), vec![]);
            (DialNoun::Emergency { number, status_callback }, call)
        }
        2 => {
            let identity = ClientIdentity::parse(&text::of(random, "abcXYZ019_", 1..20)).unwrap();
            let parameters: Vec<(String, String)> = (0..random.random_range(0..3))
                .map(|_| (text::of(random, "abcXYZ_019", 1..10), text::any(random)))
                .collect();
            let named = parameters.iter().map(|(name, value)| {
                call("parameter", json!({ "name": name, "value": value }), None, vec![])
            });
            let children = std::iter::once(call("identity", json!({}), Some(identity.as_str()), vec![]))
                .chain(named)
                .collect();
            let call = call("client", told(&status_callback), None, children);
            (DialNoun::Client { identity, parameters, status_callback }, call)
        }
        3 => {
            let tail = text::one(random, &["", ";transport=tls", "?x-h=1&x-k=2", ":5061;user=phone"]);
            let uri =
                SipUri::parse(&format!("sip:{}@pbx.example{tail}", text::of(random, "abc019+-_.", 1..9)))
                    .unwrap();
            let call = call("sip", told(&status_callback), Some(uri.as_str()), vec![]);
            (DialNoun::Sip { uri, status_callback }, call)
        }
        4 => {
            let (name, url) = (name(random), maybe(random, url));
            let call = call("queue", json!({ "url": at(&url) }), Some(&name), vec![]);
            (DialNoun::Queue { name, url }, call)
        }
        _ => conference(random),
    }
}

fn conference(random: &mut StdRng) -> (DialNoun, Value) {
    let conference = Conference {
        name: name(random),
        participant_label: maybe(random, text::any),
        start_on_enter: random.random(),
        end_on_exit: random.random(),
        wait_url: maybe(random, url),
        status_callback: maybe(random, url),
    };
    let options = json!({
        "participant_label": conference.participant_label,
        "start_conference_on_enter": conference.start_on_enter,
        "end_conference_on_exit": conference.end_on_exit,
        "beep": "false",
        "wait_url": conference.wait_url.as_ref().map_or("", Url::as_str),
        "status_callback": at(&conference.status_callback),
        "status_callback_event": conference.status_callback.as_ref().map(|_| ROOM_EVENTS),
    });
    let call = call("conference", options, Some(&conference.name), vec![]);
    (DialNoun::Conference(conference), call)
}

fn maybe<T>(random: &mut StdRng, make: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    random.random::<bool>().then(|| make(random))
}

fn at(url: &Option<Url>) -> Option<&str> {
    url.as_ref().map(Url::as_str)
}

fn url(random: &mut StdRng) -> Url {
    let query = text::one(random, &["", "?a=1&b=%20", "?x='y'&z=ü", "?<>=\""]);
    Url::parse(&format!("https://phone.example/api/calls/{}{query}", text::of(random, "abc/019", 0..9)))
        .unwrap()
}

fn number(random: &mut StdRng) -> E164 {
    E164::parse_strict(&format!("+1202555{:04}", random.random_range(0..10_000))).unwrap()
}

fn name(random: &mut StdRng) -> String {
    format!("q{}", text::any(random))
}
