//! Too many bad requests: they are answered in fewer words, and cost the good ones nothing.

use dialer_gateway::{Outcome, RefusalReason, STATUS_PATH, VOICE_PATH};

use crate::desk::{Answer, Desk, incoming, leg};

async fn forged(desk: &Desk) -> u16 {
    let request = desk.unsigned_post(VOICE_PATH, &incoming());
    Answer::of(request.header("X-Twilio-Signature", "BwcHBwcHBwcHBwcHBwcHBwcHBwc=")).await.status
}

#[tokio::test]
async fn bad_requests_are_refused_in_fewer_words_when_there_are_too_many() {
    let desk = Desk::open().await;
    for at in 0..40 {
        assert_eq!(forged(&desk).await, 403, "{at}");
    }
    assert_eq!(forged(&desk).await, 429);
    let unsigned = Answer::of(desk.unsigned_post(STATUS_PATH, &leg("ringing", 1))).await;
    assert_eq!((unsigned.status, unsigned.body.as_str()), (429, ""));
    desk.clock.set(50);
    assert_eq!((forged(&desk).await, forged(&desk).await), (403, 429));
    let counts = desk.gateway.counts();
    assert_eq!(counts.of(Outcome::Refused(RefusalReason::Mismatch)), 41);
    assert_eq!(counts.of(Outcome::Flooding), 3);
}

#[tokio::test]
async fn a_good_request_in_a_flood_is_as_good_as_ever() {
    let desk = Desk::open().await;
    for sequence in 0..100 {
        assert!(matches!(forged(&desk).await, 403 | 429));
        assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", sequence))).await.status, 204);
    }
    assert_eq!(desk.agent.event_count(), 100);
    assert_eq!((desk.count(Outcome::Accepted), desk.count(Outcome::Flooding)), (100, 60));
}

#[tokio::test]
async fn strangers_in_numbers_do_not_hide_trouble_of_our_own() {
    let desk = Desk::open().await;
    for _ in 0..60 {
        Answer::of(desk.unsigned_post(VOICE_PATH, &incoming())).await;
    }
    for _ in 0..3 {
        assert_eq!(forged(&desk).await, 429);
    }
    let reasons: Vec<_> = desk.agent.refused.lock().unwrap().iter().map(|told| told.reason).collect();
    assert_eq!(reasons, [RefusalReason::Unsigned, RefusalReason::Mismatch]);
}
