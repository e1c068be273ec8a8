//! What was signed is accepted and what was not is refused, whatever the address and the body.

use dialer_twilio::signature::{
    HmacAlgorithm, SignatureHeaders, SignedBody, WebhookKey, settings, sign, validate, with_body_hash,
};
use dialer_twilio::webhook::Form;

/// The address as it is, without its port, and with the one that goes without saying.
fn addresses(url: &str) -> [String; 3] {
    let as_it_is = || [url.to_owned(), url.to_owned(), url.to_owned()];
    let url = url.split('#').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return as_it_is() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.rfind(['@', ']']).unwrap_or_default();
    let bare = authority[host..].find(':').map_or(authority, |colon| &authority[..host + colon]);
    let port = if scheme == "https" { 443 } else { 80 };
    [url.to_owned(), format!("{scheme}://{bare}{path}"), format!("{scheme}://{bare}:{port}{path}")]
}

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
            let possible = addresses(url).map(|address| sign(&key, &address, signed_form));
            assert!(possible.iter().any(|genuine| genuine == signature), "{url:?}: {signature}");
            assert_eq!(headers_given.settings, named.as_deref());
        }
        // The same signature but for one character is none.
        let mut other = genuine.clone().into_bytes();
        let at = body.len() % other.len();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8_lossy(&other);
        assert!(validate(&key, headers(&other, named.as_deref()), url, signed_form).is_err());
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
