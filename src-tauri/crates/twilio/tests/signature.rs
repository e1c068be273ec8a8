//! Signatures against `vectors/signature_vectors.json` and shared keys.

use dialer_twilio::signature::{
    HmacAlgorithm, SignatureError, SignatureHeaders, SignedBody, WebhookKey, settings, sign, validate,
    with_body_hash,
};
use dialer_twilio::webhook::Form;
use secrecy::SecretString;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    url: String,
    signed_url: String,
    params: Option<Vec<(String, String)>>,
    body: Option<String>,
    auth_token: String,
    signature: String,
    valid: bool,
}

impl Vector {
    fn body(&self) -> SignedBody<'_> {
        match (&self.params, &self.body) {
            (Some(pairs), _) => SignedBody::Form(pairs),
            (None, Some(body)) => SignedBody::Raw(body.as_bytes()),
            (None, None) => SignedBody::Form(&[]),
        }
    }

    fn key(&self) -> WebhookKey {
        WebhookKey::AuthToken(SecretString::from(self.auth_token.clone()))
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str::<File>(include_str!("vectors/signature_vectors.json")).unwrap().vectors
}

fn signed(signature: &str) -> SignatureHeaders<'_> {
    SignatureHeaders { signature: Some(signature), settings: None }
}

#[test]
fn every_vector_gets_the_strict_answer() {
    let vectors = vectors();
    assert!(vectors.len() >= 35, "the file is whole");
    for vector in &vectors {
        let answer = validate(&vector.key(), signed(&vector.signature), &vector.url, vector.body());
        assert_eq!(answer.is_ok(), vector.valid, "{}: {answer:?}", vector.id);
    }
}

#[test]
fn signing_makes_the_very_signatures_of_the_library() {
    for vector in vectors().iter().filter(|vector| vector.valid) {
        assert_eq!(sign(&vector.key(), &vector.signed_url, vector.body()), vector.signature, "{}", vector.id);
    }
}

#[test]
fn a_form_is_signed_as_it_was_decoded() {
    let vector = vectors().into_iter().find(|vector| vector.id == "client-identity").unwrap();
    let wire: Form = vector.params.clone().unwrap().into_iter().collect();
    let received = Form::parse(wire.encode().as_bytes());
    let body = SignedBody::Form(received.pairs());
    assert_eq!(validate(&vector.key(), signed(&vector.signature), &vector.url, body), Ok(()));
}

#[test]
fn a_body_that_is_no_form_needs_its_hash_in_the_url() {
    let key = WebhookKey::AuthToken(SecretString::from("t"));
    let body = br#"{"a":1}"#;
    let plain = "https://phone.example/hook";
    let hashed = with_body_hash(plain, body);
    let signature = sign(&key, &hashed, SignedBody::Raw(body));
    assert_eq!(validate(&key, signed(&signature), &hashed, SignedBody::Raw(body)), Ok(()));
    assert_eq!(
        validate(&key, signed(&signature), &hashed, SignedBody::Raw(b"{}")),
        Err(SignatureError::BodyHash)
    );
    let unhashed = sign(&key, plain, SignedBody::Raw(body));
    assert_eq!(
        validate(&key, signed(&unhashed), plain, SignedBody::Raw(body)),
        Err(SignatureError::BodyHash)
    );
}

fn shared(algorithm: HmacAlgorithm) -> WebhookKey {
    WebhookKey::SharedKey { id: "key_1".into(), algorithm, secret: SecretString::from("sharedKeyForTests") }
}

#[test]
fn shared_keys_sign_with_either_hash() {
    let url = "https://phone.example/api/calls/status";
    let form = Form::new().with("To", "X").with("CallSid", "CA1");
    for (algorithm, expected, settings_header) in [
        (HmacAlgorithm::Sha1, "oxhz3EOqAwEFvJRhB/KXCeelvaQ=", "key=key_1,algorithm=HMAC_SHA1"),
        (
            HmacAlgorithm::Sha256,
            "GQYxLAARrke96frxTvtAU4ubuPLWZFgUvgP49aAMdwA=",
            "key=key_1,algorithm=HMAC_SHA256",
        ),
    ] {
        let key = shared(algorithm);
        assert_eq!(sign(&key, url, SignedBody::Form(form.pairs())), expected);
        assert_eq!(settings(&key).as_deref(), Some(settings_header));
        let headers = SignatureHeaders { signature: Some(expected), settings: Some(settings_header) };
        assert_eq!(validate(&key, headers, url, SignedBody::Form(form.pairs())), Ok(()));
    }
}

#[test]
fn a_request_cannot_choose_its_key_or_weaken_the_hash() {
    let url = "https://phone.example/x";
    let check = |key: &WebhookKey, signer: &WebhookKey, header: Option<&str>| {
        let signature = sign(signer, url, SignedBody::Form(&[]));
        validate(
            key,
            SignatureHeaders { signature: Some(&signature), settings: header },
            url,
            SignedBody::Form(&[]),
        )
    };
    let strong = shared(HmacAlgorithm::Sha256);
    let weak = shared(HmacAlgorithm::Sha1);
    let token = WebhookKey::AuthToken(SecretString::from("sharedKeyForTests"));
    // No header, a weaker hash, another key, a word nobody knows.
    for header in [
        None,
        Some("key=key_1,algorithm=HMAC_SHA1"),
        Some("key=key_2,algorithm=HMAC_SHA256"),
        Some("key=key_1,algorithm=NONE"),
        Some(""),
    ] {
        assert_eq!(check(&strong, &weak, header), Err(SignatureError::OtherKey), "{header:?}");
    }
    assert_eq!(check(&token, &weak, settings(&weak).as_deref()), Err(SignatureError::OtherKey));
    assert_eq!(check(&token, &weak, None), Ok(()), "the same secret and hash make the same signature");
}

#[test]
fn an_absent_signature_is_missing_not_wrong() {
    let key = WebhookKey::AuthToken(SecretString::from("t"));
    for headers in [SignatureHeaders::default(), signed("")] {
        assert_eq!(
            validate(&key, headers, "https://a.example/", SignedBody::Form(&[])),
            Err(SignatureError::Missing)
        );
    }
}

#[test]
fn the_fragment_is_never_signed() {
    let key = WebhookKey::AuthToken(SecretString::from("t"));
    let signature = sign(&key, "https://a.example/x#rc=2", SignedBody::Form(&[]));
    assert_eq!(validate(&key, signed(&signature), "https://a.example/x", SignedBody::Form(&[])), Ok(()));
}

#[test]
fn a_key_does_not_show_in_debug_output() {
    assert!(!format!("{:?}", shared(HmacAlgorithm::Sha1)).contains("sharedKeyForTests"));
}
