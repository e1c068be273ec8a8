//! What Twilio did not sign has no effect.

use std::sync::atomic::Ordering;

use dialer_gateway::{Outcome, RefusalReason, STATUS_PATH, VOICE_PATH};
use dialer_twilio::signature::{SignedBody, sign, with_body_hash};
use dialer_twilio::webhook::Form;

use crate::desk::{
    Answer, BASE, Desk, PRIMARY, SECONDARY, THEIRS, incoming, key, leg, outgoing, signature, signature_by,
};

async fn assert_refused(desk: &Desk, what: &str, request: reqwest::RequestBuilder) {
    let answer = Answer::of(request).await;
    assert_eq!((answer.status, answer.body.as_str()), (403, ""), "{what}");
    assert_eq!(desk.agent.asked(), 0, "{what}");
}

#[tokio::test]
async fn forged_requests_get_an_empty_403() {
    let desk = Desk::open().await;
    let form = outgoing(THEIRS);
    let good = signature(BASE, VOICE_PATH, &form);
    let with = |form: &Form, signature: &str| {
        desk.unsigned_post(VOICE_PATH, form).header("X-Twilio-Signature", signature)
    };
    assert_refused(&desk, "unsigned", desk.unsigned_post(VOICE_PATH, &form)).await;
    assert_refused(&desk, "empty", with(&form, "")).await;
    assert_refused(&desk, "cut", with(&form, &good[..20])).await;
    assert_refused(&desk, "garbage", with(&form, "BwcHBwcHBwcHBwcHBwcHBwcHBwc=")).await;
    assert_refused(&desk, "another call", with(&outgoing("+12025550199"), &good)).await;
    assert_refused(&desk, "a parameter more", with(&form.clone().with("To", "+1900"), &good)).await;
    assert_refused(&desk, "another path", with(&form, &signature(BASE, STATUS_PATH, &form))).await;
    assert_refused(&desk, "another host", with(&form, &signature("https://else.example", VOICE_PATH, &form)))
        .await;
    assert_refused(
        &desk,
        "another scheme",
        with(&form, &signature("http://phone.example", VOICE_PATH, &form)),
    )
    .await;
    assert_refused(&desk, "status", desk.unsigned_post(STATUS_PATH, &leg("completed", 3))).await;
    assert_refused(&desk, "get", desk.client.get(desk.local(VOICE_PATH))).await;
    let settings =
        with(&form, &good).header("X-Twilio-Webhooks-Signature-Settings", "key=k,algorithm=HMAC_SHA1");
    assert_refused(&desk, "a key of its own choice", settings).await;
}

#[tokio::test]
async fn a_query_added_to_a_signed_url_is_refused() {
    let desk = Desk::open().await;
    let form = incoming();
    let request = desk.unsigned_post(&format!("{VOICE_PATH}?x=1"), &form);
    assert_refused(&desk, "query", request.header("X-Twilio-Signature", signature(BASE, VOICE_PATH, &form)))
        .await;
}

fn reasons(desk: &Desk) -> Vec<RefusalReason> {
    desk.agent.refused.lock().unwrap().iter().map(|refused| refused.reason).collect()
}

#[tokio::test]
async fn strangers_raise_no_notice() {
    let desk = Desk::open().await;
    let foreign = Form::new().with("AccountSid", "AC00000000000000000000000000000009").with("From", THEIRS);
    let nameless = Form::new().with("From", THEIRS);
    assert_refused(&desk, "another account", desk.signed_post(VOICE_PATH, &foreign)).await;
    let forged = desk.unsigned_post(VOICE_PATH, &nameless).header("X-Twilio-Signature", "forged");
    assert_refused(&desk, "no account", forged).await;
    assert_eq!(reasons(&desk), [RefusalReason::NotOurAccount], "told once a minute");
    assert_eq!(desk.agent.refused.lock().unwrap()[0].user_error(), None);

    desk.tokens.lock();
    desk.clock.set(60_000);
    assert_refused(&desk, "no account", desk.signed_post(VOICE_PATH, &nameless)).await;
    assert_eq!(reasons(&desk), [RefusalReason::NotOurAccount; 2], "a locked keychain is not their concern");
}

#[tokio::test]
async fn a_stranger_before_the_public_address_is_known_raises_no_notice() {
    let desk = Desk::open_without_base(|_| ()).await;
    let foreign = Form::new().with("AccountSid", "AC00000000000000000000000000000009").with("From", THEIRS);
    assert_refused(&desk, "another account", desk.signed_post(VOICE_PATH, &foreign)).await;
    assert_eq!(reasons(&desk), [RefusalReason::NotOurAccount]);
}

#[tokio::test]
async fn trouble_with_our_own_account_is_told_until_it_is_over() {
    let desk = Desk::open().await;
    let accepted = || desk.agent.accepted.load(Ordering::SeqCst);
    let forged = || desk.unsigned_post(VOICE_PATH, &incoming()).header("X-Twilio-Signature", "forged");
    assert_eq!(Answer::of(desk.signed_post(VOICE_PATH, &incoming())).await.status, 200);
    assert_eq!(accepted(), 0, "nothing was wrong");

    for _ in 0..3 {
        assert_eq!(reasons(&desk), []);
        assert_eq!(Answer::of(forged()).await.status, 403);
    }
    desk.tokens.lock();
    assert_eq!(Answer::of(desk.signed_post(VOICE_PATH, &incoming())).await.status, 403);
    assert_eq!(reasons(&desk), [RefusalReason::Mismatch, RefusalReason::NoKey]);
    assert_eq!(accepted(), 0);

    desk.tokens.unlock();
    for _ in 0..2 {
        assert_eq!(Answer::of(desk.signed_post(VOICE_PATH, &incoming())).await.status, 200);
        assert_eq!(accepted(), 1, "told once");
    }
    for _ in 0..3 {
        assert_eq!(reasons(&desk).len(), 2);
        assert_eq!(Answer::of(forged()).await.status, 403);
    }
    assert_eq!(reasons(&desk).last(), Some(&RefusalReason::Mismatch), "trouble that comes back");
}

#[tokio::test]
async fn a_stranger_who_names_our_account_now_and_then_raises_no_notice() {
    let desk = Desk::open().await;
    let forged = || desk.unsigned_post(VOICE_PATH, &incoming()).header("X-Twilio-Signature", "forged");
    for at in 0..10 {
        assert_eq!(Answer::of(forged()).await.status, 403);
        assert_eq!(Answer::of(forged()).await.status, 403);
        assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", at))).await.status, 204);
    }
    assert_eq!(reasons(&desk), []);
    assert_eq!(desk.agent.accepted.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_a_proxy_says_about_the_host_changes_nothing() {
    let desk = Desk::open().await;
    let lies = |request: reqwest::RequestBuilder| {
        request
            .header("Host", "else.example")
            .header("X-Forwarded-Host", "else.example")
            .header("X-Forwarded-Proto", "http")
            .header("X-Forwarded-Port", "81")
            .header("Forwarded", "host=else.example;proto=http")
            .header("X-Original-URL", "/else")
    };
    assert_eq!(Answer::of(lies(desk.signed_post(VOICE_PATH, &incoming()))).await.status, 200);
    // The same lies do not make a signature for the lied-about host good.
    let form = outgoing(THEIRS);
    let signed = signature("http://else.example:81", VOICE_PATH, &form);
    let answer =
        Answer::of(lies(desk.unsigned_post(VOICE_PATH, &form).header("X-Twilio-Signature", signed))).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn the_port_may_be_in_the_signed_url_or_not() {
    let desk = Desk::open().await;
    let form = incoming();
    for base in ["https://phone.example", "https://phone.example:443"] {
        let signed = signature(base, VOICE_PATH, &form);
        let answer =
            Answer::of(desk.unsigned_post(VOICE_PATH, &form).header("X-Twilio-Signature", signed)).await;
        assert_eq!(answer.status, 200, "{base}");
    }
}

#[tokio::test]
async fn every_key_is_tried_at_every_address_with_every_kind_of_body() {
    let desk = Desk::open().await;
    desk.gateway.set_public_base("https://second.example/phone/".parse().unwrap());
    desk.gateway.set_public_base("https://third.example:8443".parse().unwrap());
    let (form, json) = (leg("ringing", 1), "{}");
    let bases = [BASE, "https://second.example/phone", "https://third.example:8443"];
    for (base, token) in bases.into_iter().flat_map(|base| [(base, PRIMARY), (base, SECONDARY)]) {
        let key = key(token);
        let post = desk.unsigned_post(STATUS_PATH, &form);
        let post = post.header("X-Twilio-Signature", signature_by(&key, base, STATUS_PATH, &form));
        assert_eq!(Answer::of(post).await.status, 204, "{base} {token}");

        let target = format!("{VOICE_PATH}?{}", incoming().encode());
        let get = desk.client.get(desk.local(&target));
        let get = get.header("X-Twilio-Signature", signature_by(&key, base, &target, &Form::new()));
        assert_eq!(Answer::of(get).await.status, 200, "{base} {token}");

        let url = with_body_hash(&format!("{base}{STATUS_PATH}"), json.as_bytes());
        let raw = desk.client.post(desk.local(url.strip_prefix(base).unwrap()));
        let raw = raw.header("X-Twilio-Signature", sign(&key, &url, SignedBody::Raw(json.as_bytes())));
        assert_eq!(Answer::of(raw.body(json)).await.status, 204, "{base} {token}");
    }
    assert_eq!(desk.count(Outcome::Accepted), 18);
}

#[tokio::test]
async fn a_replaced_address_is_good_for_ten_minutes_more() {
    let desk = Desk::open().await;
    desk.gateway.set_public_base("https://new.example".parse().unwrap());
    desk.clock.set(599_999);
    assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", 1))).await.status, 204);
    desk.clock.set(600_000);
    assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &leg("completed", 2))).await.status, 403);
}

#[tokio::test]
async fn without_a_public_address_nothing_is_believed() {
    let desk = Desk::open_without_base(|_| ()).await;
    assert_refused(&desk, "no base", desk.signed_post(VOICE_PATH, &incoming())).await;
    assert_eq!(desk.agent.refused.lock().unwrap()[0].reason, RefusalReason::NoPublicBase);
}

#[tokio::test]
async fn refusals_are_counted_and_told_once_a_minute() {
    let desk = Desk::open().await;
    let unsigned = || Answer::of(desk.unsigned_post(VOICE_PATH, &incoming()));
    for _ in 0..5 {
        assert_eq!(unsigned().await.status, 403);
    }
    desk.clock.set(60_000);
    assert_eq!(unsigned().await.status, 403);
    let refused: Vec<_> = desk.agent.refused.lock().unwrap().iter().map(|r| (r.reason, r.count)).collect();
    assert_eq!(refused, [(RefusalReason::Unsigned, 1), (RefusalReason::Unsigned, 6)]);
}
