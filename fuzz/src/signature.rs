//! What was signed is accepted and what was not is refused, whatever the address and the body.

use dialer_twilio::signature::{
    HmacAlgorithm, SignatureHeaders, SignedBody, WebhookKey, settings, sign, validate, with_body_hash,
};
use dialer_twilio::webhook::Form;

/// Reads an address, a signature, the header of a shared key and a body.
pub fn try_out(bytes: &[u8]) {
    let [url, signature, header, body] = super::pieces(bytes);
    let form = Form::parse(body.as_bytes());
    let token = WebhookKey::AuthToken("0123456789abcdef0123456789abcdef".into());
    let shared = |algorithm| WebhookKey::SharedKey { id: "key_1".into(), algorithm, secret: "secret".into() };
    for key in [token, shared(HmacAlgorithm::Sha1), shared(HmacAlgorithm::Sha256)] {
        let named = settings(&key);
        let signed_form = SignedBody::Form(form.pairs());
        let genuine = sign(&key, url, signed_form);
        let headers = |signature, settings| SignatureHeaders { signature: Some(signature), settings };
        assert_eq!(validate(&key, headers(&genuine, named.as_deref()), url, signed_form), Ok(()));

        // Nobody guesses a signature, so what is accepted is the genuine one: of the address as it is, or
        // with or without its port.
        let headers_given = headers(signature, Some(header).filter(|header| !header.is_empty()));
        if validate(&key, headers_given, url, signed_form).is_ok() {
            assert_eq!(signature.len(), genuine.len());
            assert_eq!(headers_given.settings, named.as_deref());
        }
        // Another key, or none, is named: no signature helps.
        if Some(header) != named.as_deref() {
            assert!(validate(&key, headers(&genuine, Some(header)), url, signed_form).is_err());
        }

        let raw = SignedBody::Raw(body.as_bytes());
        assert!(
            url.contains("bodySHA256")
                || validate(&key, headers(&genuine, named.as_deref()), url, raw).is_err()
        );
        let hashed = with_body_hash(url, body.as_bytes());
        let genuine = sign(&key, &hashed, raw);
        let answer = validate(&key, headers(&genuine, named.as_deref()), &hashed, raw);
        assert!(answer.is_ok() || url.contains('%') || url.contains("bodySHA256"), "{url:?}: {answer:?}");
    }
}
