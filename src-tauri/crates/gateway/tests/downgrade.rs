//! A shared key in place of the Auth Token: nobody talks the gateway into anything weaker.

use dialer_gateway::{Outcome, RefusalReason, STATUS_PATH, VOICE_PATH};
use dialer_twilio::signature::{HmacAlgorithm, SETTINGS_HEADER, WebhookKey, settings};
use dialer_twilio::webhook::Form;
use secrecy::SecretString;

use crate::desk::{Answer, BASE, Desk, PRIMARY, incoming, key, leg, signature_by};

const SECRET: &str = "shared-secret-of-this-test";

fn shared_key(id: &str, algorithm: HmacAlgorithm, secret: &str) -> WebhookKey {
    WebhookKey::SharedKey { id: id.to_owned(), algorithm, secret: SecretString::from(secret) }
}

fn ours() -> WebhookKey {
    shared_key("SK1", HmacAlgorithm::Sha256, SECRET)
}

/// A request signed with `key`, with these settings headers.
fn request(desk: &Desk, key: &WebhookKey, settings: &[&str]) -> reqwest::RequestBuilder {
    let form = incoming();
    let signed = signature_by(key, BASE, VOICE_PATH, &form);
    let request = desk.unsigned_post(VOICE_PATH, &form).header("X-Twilio-Signature", signed);
    settings.iter().fold(request, |request, settings| request.header(SETTINGS_HEADER, *settings))
}

async fn with_shared_key() -> Desk {
    let desk = Desk::open().await;
    desk.tokens.replace([ours()]);
    desk
}

const SETTINGS: &str = "key=SK1,algorithm=HMAC_SHA256";

#[tokio::test]
async fn what_the_shared_key_signed_is_good() {
    let desk = with_shared_key().await;
    assert_eq!(settings(&ours()).as_deref(), Some(SETTINGS));
    assert_eq!(Answer::of(request(&desk, &ours(), &[SETTINGS])).await.status, 200);
    let sha1 = shared_key("SK1", HmacAlgorithm::Sha1, SECRET);
    desk.tokens.replace([sha1.clone()]);
    let target = format!("{VOICE_PATH}?{}", incoming().encode());
    let get = desk.client.get(desk.local(&target));
    let signed = signature_by(&sha1, BASE, &target, &Form::new());
    let get = get.header("X-Twilio-Signature", signed).header(SETTINGS_HEADER, "key=SK1,algorithm=HMAC_SHA1");
    assert_eq!(Answer::of(get).await.status, 200);
}

#[tokio::test]
async fn nothing_weaker_is_taken_for_it() {
    let token = key(PRIMARY);
    let with = |id, algorithm| shared_key(id, algorithm, SECRET);
    let cases: [(&str, WebhookKey, Vec<&str>); 14] = [
        ("no settings", ours(), vec![]),
        ("the Auth Token, without settings", token.clone(), vec![]),
        ("the Auth Token, with settings", token.clone(), vec![SETTINGS]),
        ("the shared secret as if it were an Auth Token", key(SECRET), vec![]),
        ("the same with settings", key(SECRET), vec![SETTINGS]),
        ("SHA-1, said openly", with("SK1", HmacAlgorithm::Sha1), vec!["key=SK1,algorithm=HMAC_SHA1"]),
        ("SHA-1, passed off", with("SK1", HmacAlgorithm::Sha1), vec![SETTINGS]),
        ("an algorithm there is none of", ours(), vec!["key=SK1,algorithm=none"]),
        ("no algorithm", ours(), vec!["key=SK1"]),
        ("another key of the account", ours(), vec!["key=SK2,algorithm=HMAC_SHA256"]),
        ("no key", ours(), vec!["algorithm=HMAC_SHA256"]),
        ("empty settings", ours(), vec![""]),
        ("more settings", ours(), vec!["key=SK1,algorithm=HMAC_SHA256,algorithm=HMAC_SHA1"]),
        ("settings twice", ours(), vec![SETTINGS, "key=SK1,algorithm=HMAC_SHA1"]),
    ];
    for (what, signer, settings) in cases {
        let desk = with_shared_key().await;
        let answer = Answer::of(request(&desk, &signer, &settings)).await;
        assert_eq!((answer.status, answer.body.as_str()), (403, ""), "{what}");
        assert_eq!(desk.agent.asked(), 0, "{what}");
        let counts = [RefusalReason::OtherKey, RefusalReason::Mismatch]
            .map(|reason| desk.count(Outcome::Refused(reason)));
        assert!(matches!(counts, [1, 0] | [0, 1]), "{what}: {counts:?}");
    }
}

#[tokio::test]
async fn the_auth_token_goes_with_no_settings() {
    let desk = Desk::open().await;
    let token = key(PRIMARY);
    for settings in [&["key=SK1,algorithm=HMAC_SHA1"][..], &[""], &["\u{e4}"], &["", ""]] {
        let answer = Answer::of(request(&desk, &token, settings)).await;
        assert_eq!(answer.status, 403, "{settings:?}");
    }
    assert_eq!(Answer::of(request(&desk, &token, &[])).await.status, 200);
}

#[tokio::test]
async fn while_keys_change_both_are_good_each_in_its_own_way() {
    let desk = Desk::open().await;
    desk.tokens.replace([ours(), key(PRIMARY)]);
    assert_eq!(Answer::of(request(&desk, &ours(), &[SETTINGS])).await.status, 200);
    assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", 1))).await.status, 204);
    assert_eq!(Answer::of(request(&desk, &ours(), &[])).await.status, 403);
    assert_eq!(Answer::of(request(&desk, &key(PRIMARY), &[SETTINGS])).await.status, 403);
}

#[tokio::test]
async fn two_signatures_are_none() {
    let desk = Desk::open().await;
    let signed = desk.signed_post(VOICE_PATH, &incoming());
    assert_eq!(Answer::of(signed.header("X-Twilio-Signature", "another")).await.status, 403);
    assert_eq!(desk.agent.asked(), 0);
}
