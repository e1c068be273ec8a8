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
    assert_eq!(forged(&desk).await, 429);
    let reasons: Vec<_> = desk.agent.refused.lock().unwrap().iter().map(|told| told.reason).collect();
    assert_eq!(reasons, [RefusalReason::Unsigned, RefusalReason::Mismatch]);
}

/// Many strangers at once, as fast as they can, beside Twilio.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_does_not_starve_twilio() {
    const STRANGERS: u64 = 16;
    const GENUINE: u32 = 50;
    let desk = std::sync::Arc::new(Desk::open().await);
    let strangers: Vec<_> = (0..STRANGERS)
        .map(|_| {
            let desk = std::sync::Arc::clone(&desk);
            tokio::spawn(async move {
                loop {
                    forged(&desk).await;
                }
            })
        })
        .collect();
    while desk.count(Outcome::Flooding) == 0 {
        tokio::task::yield_now().await;
    }
    let before = desk.count(Outcome::Flooding);
    for sequence in 0..GENUINE {
        let answer = Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", sequence))).await;
        assert_eq!(answer.status, 204);
    }
    let meanwhile = desk.count(Outcome::Flooding) - before;
    for stranger in strangers {
        stranger.abort();
    }
    assert!(meanwhile > 0, "the flood went on");
    // In turn with the strangers, or nearly: by turns and not by time, which is not the gateway's alone.
    assert!(meanwhile < u64::from(GENUINE) * STRANGERS * 20, "{meanwhile}");
}
