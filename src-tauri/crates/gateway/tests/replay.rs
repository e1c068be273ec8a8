//! A request that comes again has no second effect.

use std::time::Duration;

use dialer_gateway::{STATUS_PATH, VOICE_PATH};
use dialer_twilio::webhook::Form;

use crate::desk::{ACCOUNT, Answer, BASE, Desk, THEIRS, incoming, leg, outgoing, signature, under_way};
use crate::routes::spoken;

/// Longer than any stall of the computer, and within what the client waits.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_replayed_voice_webhook_gets_the_same_answer_and_asks_nobody() {
    let desk = Desk::open().await;
    let first = Answer::of(desk.signed_post(VOICE_PATH, &outgoing(THEIRS))).await;
    desk.agent.situation.lock().unwrap().outlook.caller_id = None;
    let again = Answer::of(desk.signed_post(VOICE_PATH, &outgoing(THEIRS))).await;
    assert_eq!(first.body, again.body);
    assert_eq!((desk.agent.asked(), desk.agent.event_count()), (1, 1));
}

#[tokio::test]
async fn twilios_own_repetition_is_known_by_its_token() {
    let desk = Desk::open().await;
    let token = |request: reqwest::RequestBuilder| request.header("I-Twilio-Idempotency-Token", "t-1");
    let first = Answer::of(token(desk.signed_post(VOICE_PATH, &incoming()))).await;
    // The address changed in between, so the signature is another one.
    desk.gateway.set_public_base("https://new.example".parse().unwrap());
    let signed = signature("https://new.example", VOICE_PATH, &incoming());
    let request = desk.unsigned_post(VOICE_PATH, &incoming()).header("X-Twilio-Signature", signed);
    let again = Answer::of(token(request)).await;
    assert_eq!(first.body, again.body);
    assert_eq!(desk.agent.asked(), 1);
}

#[tokio::test]
async fn another_call_under_the_same_token_is_another_call() {
    let desk = Desk::open().await;
    let mut other = outgoing(THEIRS);
    for form in [incoming(), std::mem::take(&mut other)] {
        let form: dialer_twilio::webhook::Form = form
            .pairs()
            .iter()
            .map(|(name, value)| match name.as_str() {
                "CallSid" if form.get("ApplicationSid").is_some() => {
                    (name.clone(), "CA00000000000000000000000000000009".to_owned())
                }
                _ => (name.clone(), value.clone()),
            })
            .collect();
        Answer::of(desk.signed_post(VOICE_PATH, &form).header("I-Twilio-Idempotency-Token", "t-1")).await;
    }
    assert_eq!(desk.agent.asked(), 2);
}

#[tokio::test]
async fn a_callback_about_another_call_under_the_same_token_is_another_callback() {
    let desk = Desk::open().await;
    let recording = |at: u8| {
        Form::new()
            .with("AccountSid", ACCOUNT)
            .with("CallSid", format!("CA0000000000000000000000000000000{at}"))
            .with("RecordingSid", format!("RE0000000000000000000000000000000{at}"))
            .with("RecordingStatus", "completed")
    };
    let status = |at: u8| {
        Form::new()
            .with("AccountSid", ACCOUNT)
            .with("CallSid", format!("CA0000000000000000000000000000000{at}"))
            .with("CallStatus", "completed")
    };
    for (path, forms) in
        [(STATUS_PATH, [status(7), status(8)]), ("/api/calls/recording", [recording(7), recording(8)])]
    {
        let before = desk.agent.event_count();
        // The token is not signed: whoever has caught one can send it along with something else first.
        for form in &forms {
            let request = desk.signed_post(path, form).header("I-Twilio-Idempotency-Token", "t-1");
            assert_eq!(Answer::of(request).await.status, 204, "{path}");
        }
        assert_eq!(desk.agent.event_count() - before, 2, "{path}");
    }
}

#[tokio::test]
async fn a_callback_told_again_under_its_token_is_told_once() {
    let desk = Desk::open().await;
    // Numbered anew: neither the signature nor what it tells of is the same.
    for sequence in [1, 2] {
        let request = desk.signed_post(STATUS_PATH, &leg("ringing", sequence));
        let answer = Answer::of(request.header("I-Twilio-Idempotency-Token", "t-1")).await;
        assert_eq!(answer.status, 204);
    }
    assert_eq!(desk.agent.event_count(), 1);
}

#[tokio::test]
async fn a_status_callback_is_told_once() {
    let desk = Desk::open().await;
    for _ in 0..3 {
        assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", 1))).await.status, 204);
    }
    assert_eq!(desk.agent.event_count(), 1);
    for (status, sequence) in [("ringing", 2), ("completed", 1)] {
        assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &leg(status, sequence))).await.status, 204);
    }
    assert_eq!(desk.agent.event_count(), 3);
}

/// The answer to a request the agent, asked for the `nth` time, takes too long over. No time
/// passes but the gateway's patience, and that at one stroke once the agent has been asked.
async fn out_of_patience(desk: &Desk, nth: usize, request: reqwest::RequestBuilder) -> Answer {
    let impatience = async {
        desk.agent.until_asked(nth).await;
        tokio::time::pause();
        tokio::time::advance(PATIENCE).await;
        tokio::time::resume();
    };
    tokio::join!(Answer::of(request), impatience).0
}

#[tokio::test]
async fn a_question_that_stayed_open_is_asked_again() {
    let desk = Desk::open_with(|options| {
        options.answer_within = PATIENCE;
        options.request_timeout = PATIENCE * 10;
        options.header_timeout = PATIENCE * 10;
    })
    .await;
    let held = desk.agent.gate.acquire().await.unwrap();
    let apology = out_of_patience(&desk, 1, desk.signed_post(VOICE_PATH, &outgoing(THEIRS))).await;
    assert!(spoken(&apology).contains("try again"));
    let status = out_of_patience(&desk, 2, desk.signed_post(STATUS_PATH, &leg("ringing", 1))).await;
    assert_eq!(status.status, 503);
    drop(held);
    let answer = Answer::of(desk.signed_post(VOICE_PATH, &outgoing(THEIRS))).await;
    assert!(answer.body.contains("<Number"), "{}", answer.body);
    assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", 1))).await.status, 204);
    assert_eq!(desk.agent.event_count(), 2);
}

#[tokio::test]
async fn two_at_once_are_one() {
    let desk = Desk::open().await;
    let held = desk.agent.gate.acquire().await.unwrap();
    let form = outgoing(THEIRS);
    let both = async {
        tokio::join!(
            Answer::of(desk.signed_post(VOICE_PATH, &form)),
            Answer::of(desk.signed_post(VOICE_PATH, &form))
        )
    };
    let release = async {
        desk.agent.until_asked(1).await;
        drop(held);
    };
    let ((first, second), ()) = tokio::join!(both, release);
    assert_eq!(first.body, second.body);
    assert_eq!(desk.agent.asked(), 1);
}

#[tokio::test]
async fn every_kind_of_question_is_asked_once() {
    let desk = Desk::open().await;
    let wait = |waited| under_way(&[("QueuePosition", "1"), ("QueueTime", waited)]);
    for (path, form, effects) in [
        ("/api/calls/dialled/ring", under_way(&[("DialCallStatus", "busy")]), 2),
        ("/api/calls/menu/start/1", under_way(&[("Digits", "1")]), 1),
        ("/api/calls/message", under_way(&[]), 1),
        ("/api/calls/queue/wait", wait("0"), 2),
        ("/api/calls/queue/wait", wait("32"), 2),
        ("/api/calls/queue/left", under_way(&[("QueueResult", "leave")]), 2),
    ] {
        let before = desk.agent.asked();
        let first = Answer::of(desk.signed_post(path, &form)).await;
        for _ in 0..2 {
            assert_eq!(Answer::of(desk.signed_post(path, &form)).await.body, first.body, "{path}");
        }
        assert_eq!(desk.agent.asked() - before, effects, "{path}");
    }
}

#[tokio::test]
async fn a_caught_request_in_other_words_is_the_same_request() {
    let desk = Desk::open().await;
    let form = leg("ringing", 1);
    let signed = signature(BASE, STATUS_PATH, &form);
    let send = async |form: &Form| {
        let request = desk.unsigned_post(STATUS_PATH, form).header("X-Twilio-Signature", &signed);
        Answer::of(request).await.status
    };
    let backwards: Form = form.pairs().iter().rev().cloned().collect();
    let twice = form.pairs().iter().fold(form.clone(), |form, (name, value)| form.with(name, value));
    // What is signed has no separators: a letter may pass from a value to its name.
    let shifted: Form = form
        .pairs()
        .iter()
        .map(|(name, value)| match name.as_str() {
            "SequenceNumber" => ("SequenceNumber1".to_owned(), String::new()),
            _ => (name.clone(), value.clone()),
        })
        .collect();
    for form in [form, backwards, twice, shifted] {
        assert_eq!(send(&form).await, 204);
    }
    assert_eq!(desk.agent.event_count(), 1);
}

#[tokio::test]
async fn a_callback_told_again_in_other_words_is_told_once() {
    let desk = Desk::open().await;
    for timestamp in ["Sat, 21 Nov 2026 10:00:00 +0000", "Sat, 21 Nov 2026 10:00:01 +0000"] {
        let form: Form = leg("ringing", 1)
            .pairs()
            .iter()
            .map(|(name, value)| {
                let value = if name == "Timestamp" { timestamp } else { value };
                (name.clone(), value.to_owned())
            })
            .collect();
        assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &form)).await.status, 204);
    }
    assert_eq!(desk.agent.event_count(), 1);
}

#[tokio::test]
async fn a_call_led_to_the_voice_url_again_is_decided_again() {
    let desk = Desk::open().await;
    let first = Answer::of(desk.signed_post(VOICE_PATH, &incoming())).await;
    assert!(first.body.contains("<Client"), "{}", first.body);
    desk.agent.situation.lock().unwrap().busy = true;
    // The same call, going already.
    let again = Answer::of(desk.signed_post(VOICE_PATH, &under_way(&[]))).await;
    assert!(again.body.contains("<Record"), "{}", again.body);
    assert_eq!(Answer::of(desk.signed_post(VOICE_PATH, &incoming())).await.body, first.body, "a repetition");
    assert_eq!(desk.agent.asked(), 2);
}
