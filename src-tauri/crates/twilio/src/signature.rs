//! `X-Twilio-Signature`: how Twilio proves that a webhook is its own.
//!
//! The rule is the strict one of twilio-python 9.13.0: the URL as configured at Twilio, with and
//! without its port, and nothing rewritten. It covers no time and no nonce, so whoever checks a
//! signature must also refuse repetitions.
//!
//! The URL must be put together from what this side knows to be its public address and the path
//! and query as they arrived; `Host` and `X-Forwarded-*` say what a proxy made of it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use secrecy::{ExposeSecret, SecretString};
use sha2::Digest as _;
use subtle::ConstantTimeEq as _;

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-twilio-signature";

/// The header that names the shared key, when one signed: `key=<id>,algorithm=HMAC_SHA256`
/// (Twilio, Webhooks configuration API, public beta 2026). Absent for the Auth Token.
pub const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";

/// The query parameter that covers a body which is no form.
const BODY_HASH: &str = "bodySHA256";

/// The hash inside the HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HmacAlgorithm {
    /// What the Auth Token always signs with.
    Sha1,
    /// Open to shared keys.
    Sha256,
}

impl HmacAlgorithm {
    /// Reads Twilio's spelling.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256].into_iter().find(|algorithm| algorithm.as_wire() == text)
    }

    /// As Twilio writes it.
    pub fn as_wire(self) -> &'static str {
        match self {
            Self::Sha1 => "HMAC_SHA1",
            Self::Sha256 => "HMAC_SHA256",
        }
    }
}

/// What webhooks are signed with.
#[derive(Debug, Clone)]
pub enum WebhookKey {
    /// An account's or subaccount's Auth Token, primary or secondary.
    AuthToken(SecretString),
    /// A shared key of the Webhooks configuration API. Id and algorithm are pinned here: what a
    /// request says about them must agree and cannot weaken them.
    SharedKey {
        /// Twilio's name of the key.
        id: String,
        /// The algorithm chosen in the settings.
        algorithm: HmacAlgorithm,
        /// The key's secret.
        secret: SecretString,
    },
}

/// The part of a request beside the URL that its signature covers.
#[derive(Debug, Clone, Copy)]
pub enum SignedBody<'a> {
    /// The pairs of a form, decoded once, all of them, untrimmed, in any order. Empty for GET, whose
    /// parameters are part of the URL.
    Form(&'a [(String, String)]),
    /// Any other body, byte by byte; the URL must carry its `bodySHA256`.
    Raw(&'a [u8]),
}

/// The headers of a signed request.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignatureHeaders<'a> {
    /// [`SIGNATURE_HEADER`].
    pub signature: Option<&'a str>,
    /// [`SETTINGS_HEADER`].
    pub settings: Option<&'a str>,
}

/// Why a request is not believed to be Twilio's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature.
    #[error("the request carries no signature")]
    Missing,
    /// Another key or algorithm is named than the one configured.
    #[error("the request was signed with another key or algorithm than the one configured")]
    OtherKey,
    /// The body is not the one `bodySHA256` speaks of, or that parameter is absent.
    #[error("the body does not match its bodySHA256")]
    BodyHash,
    /// The signature does not match URL, parameters and key.
    #[error("the signature does not match")]
    Mismatch,
}

/// Checks that the holder of `key` signed the request to `url` with `body`.
///
/// `url` is the full public URL as configured at Twilio, query as received; a fragment is ignored,
/// because Twilio never signs it. Comparison takes the same time wherever texts differ.
pub fn validate(
    key: &WebhookKey,
    headers: SignatureHeaders<'_>,
    url: &str,
    body: SignedBody<'_>,
) -> Result<(), SignatureError> {
    validate_canonical(key, headers, url, "", &Canonical::of(body))
}

/// What a signature covers of a request beside its URL, in the order it is signed in: the costly half of
/// a check, which is the same for every key and address a request is tried with.
#[derive(Clone)]
pub struct Canonical {
    /// The parameters; empty for a body that is no form.
    suffix: String,
    /// The hash of a body that is no form.
    body_hash: Option<String>,
}

impl Canonical {
    /// Sorts the parameters, or hashes the body.
    pub fn of(body: SignedBody<'_>) -> Self {
        match body {
            SignedBody::Form(pairs) => Self { suffix: canonical(pairs), body_hash: None },
            SignedBody::Raw(bytes) => Self { suffix: String::new(), body_hash: Some(sha256_hex(bytes)) },
        }
    }
}

/// Lengths without contents: parameters hold telephone numbers.
impl std::fmt::Debug for Canonical {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canonical")
            .field("length", &self.suffix.len())
            .field("body_hash", &self.body_hash)
            .finish()
    }
}

/// [`validate`] for whoever tries several keys or addresses.
///
/// The URL is `base`, such as `https://a.example:8443/phone`, followed by `target`, the path and query as
/// received; neither is copied. `base` may have a query only where `target` is empty.
pub fn validate_canonical(
    key: &WebhookKey,
    headers: SignatureHeaders<'_>,
    base: &str,
    target: &str,
    body: &Canonical,
) -> Result<(), SignatureError> {
    let given = headers.signature.filter(|text| !text.is_empty()).ok_or(SignatureError::Missing)?;
    if headers.settings != settings(key).as_deref() {
        return Err(SignatureError::OtherKey);
    }
    let (base, target) = (without_fragment(base), without_fragment(target));
    if let Some(hash) = &body.body_hash {
        check_body_hash(base, target, hash)?;
    }
    let mut matches = subtle::Choice::from(0);
    for candidate in [without_port(base), with_port(base)] {
        let expected = hmac_base64(key, &[&candidate, target, &body.suffix]);
        matches |= expected.as_bytes().ct_eq(given.as_bytes());
    }
    if matches.into() { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// Signs a request as Twilio does: the value of [`SIGNATURE_HEADER`].
///
/// `url` is used as it is, so the caller decides about the port. A [`SignedBody::Raw`] must be sent
/// to a URL made by [`with_body_hash`].
pub fn sign(key: &WebhookKey, url: &str, body: SignedBody<'_>) -> String {
    let params = match body {
        SignedBody::Form(pairs) => pairs,
        SignedBody::Raw(_) => &[],
    };
    hmac_base64(key, &[without_fragment(url), &canonical(params)])
}

/// The value of [`SETTINGS_HEADER`] that goes with `key`; `None` for an Auth Token.
pub fn settings(key: &WebhookKey) -> Option<String> {
    match key {
        WebhookKey::AuthToken(_) => None,
        WebhookKey::SharedKey { id, algorithm, .. } => {
            Some(format!("key={id},algorithm={}", algorithm.as_wire()))
        }
    }
}

/// Adds the hash of a body that is no form to the URL it is sent to.
pub fn with_body_hash(url: &str, body: &[u8]) -> String {
    let url = without_fragment(url);
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{BODY_HASH}={}", sha256_hex(body))
}

/// Names sorted by bytes, each with its set of values, sorted, without separators.
fn canonical(pairs: &[(String, String)]) -> String {
    let mut by_name: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        by_name.entry(name).or_default().insert(value);
    }
    let mut text = String::new();
    for (name, values) in by_name {
        for value in values {
            text.push_str(name);
            text.push_str(value);
        }
    }
    text
}

fn check_body_hash(base: &str, target: &str, hash: &str) -> Result<(), SignatureError> {
    let query = base.split_once('?').or_else(|| target.split_once('?')).map_or("", |(_, query)| query);
    let given = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == BODY_HASH)
        .map(|(_, value)| value)
        .ok_or(SignatureError::BodyHash)?;
    if hash.as_bytes().ct_eq(given.as_bytes()).into() { Ok(()) } else { Err(SignatureError::BodyHash) }
}

fn sha256_hex(body: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in sha2::Sha256::digest(body) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The HMAC of `parts`, one after the other.
fn hmac_base64(key: &WebhookKey, parts: &[&str]) -> String {
    let (secret, algorithm) = match key {
        WebhookKey::AuthToken(secret) => (secret, HmacAlgorithm::Sha1),
        WebhookKey::SharedKey { secret, algorithm, .. } => (secret, *algorithm),
    };
    let secret = secret.expose_secret().as_bytes();
    match algorithm {
        HmacAlgorithm::Sha1 => mac::<Hmac<sha1::Sha1>>(secret, parts),
        HmacAlgorithm::Sha256 => mac::<Hmac<sha2::Sha256>>(secret, parts),
    }
}

fn mac<M: hmac::Mac + hmac::KeyInit>(secret: &[u8], parts: &[&str]) -> String {
    // HMAC takes keys of every length; were that ever to change, no signature would match "".
    let Ok(mut mac) = <M as hmac::KeyInit>::new_from_slice(secret) else { return String::new() };
    for part in parts {
        mac.update(part.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(before, _)| before)
}

/// Splits a URL into scheme, authority without port, port with its colon, and the rest.
fn split(url: &str) -> Option<(&str, &str, &str, &str)> {
    let (scheme, after) = url.split_once("://")?;
    let end = after.find(['/', '?']).unwrap_or(after.len());
    let (authority, rest) = after.split_at(end);
    // User info may hold colons, and so may an IPv6 address in brackets; a port follows both.
    let host = authority.rfind('@').map_or(0, |at| at + 1);
    let bracket = authority[host..].rfind(']').map_or(host, |at| host + at);
    let (bare, port) = match authority[bracket..].find(':') {
        Some(colon) => authority.split_at(bracket + colon),
        None => (authority, ""),
    };
    Some((scheme, bare, port, rest))
}

/// The URL without its port, whatever that is.
fn without_port(url: &str) -> String {
    split(url).map_or_else(|| url.to_owned(), |(scheme, bare, _, rest)| format!("{scheme}://{bare}{rest}"))
}

/// The URL with its port, or with the one its scheme implies.
fn with_port(url: &str) -> String {
    match split(url) {
        Some((scheme, bare, "", rest)) => {
            let port = if scheme == "https" { 443 } else { 80 };
            format!("{scheme}://{bare}:{port}{rest}")
        }
        Some(_) | None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_and_go() {
        for (url, bare, full) in [
            ("https://a.example/x?y=1:2", "https://a.example/x?y=1:2", "https://a.example:443/x?y=1:2"),
            ("http://a.example", "http://a.example", "http://a.example:80"),
            ("https://a.example:8443?q", "https://a.example?q", "https://a.example:8443?q"),
            ("https://u:p@a.example/x", "https://u:p@a.example/x", "https://u:p@a.example:443/x"),
            ("https://u:p@a.example:1/x", "https://u:p@a.example/x", "https://u:p@a.example:1/x"),
            ("http://[::1]:3002/x", "http://[::1]/x", "http://[::1]:3002/x"),
            ("http://[::1]/x", "http://[::1]/x", "http://[::1]:80/x"),
            ("http://127.0.0.1:3002/a:b@c", "http://127.0.0.1/a:b@c", "http://127.0.0.1:3002/a:b@c"),
            ("no url", "no url", "no url"),
        ] {
            assert_eq!(without_port(url), bare);
            assert_eq!(with_port(url), full);
        }
    }

    #[test]
    fn base_and_target_are_signed_as_one_address() {
        let key = WebhookKey::AuthToken("secret-of-this-test".into());
        let pairs = [("To".to_owned(), "1".to_owned()), ("From".to_owned(), "2".to_owned())];
        let form = Canonical::of(SignedBody::Form(&pairs));
        let check = |signed: &str, base: &str, target: &str, body: SignedBody<'_>, canonical: &Canonical| {
            let signature = sign(&key, signed, body);
            let headers = SignatureHeaders { signature: Some(&signature), settings: None };
            let whole = validate(&key, headers, &format!("{base}{target}"), body);
            assert_eq!(validate_canonical(&key, headers, base, target, canonical), whole, "{base} {target}");
            whole
        };
        for (signed, base, target) in [
            ("https://a.example/x?k=v", "https://a.example", "/x?k=v"),
            ("https://a.example:443/x?k=v", "https://a.example", "/x?k=v"),
            ("https://a.example/p/x", "https://a.example:8443/p", "/x"),
            ("https://a.example:8443/p/x", "https://a.example:8443/p", "/x"),
            ("https://a.example/x", "https://a.example", "/x#f"),
        ] {
            assert_eq!(check(signed, base, target, SignedBody::Form(&pairs), &form), Ok(()), "{signed}");
        }
        let other = check("https://a.example/y", "https://a.example", "/x", SignedBody::Form(&pairs), &form);
        assert_eq!(other, Err(SignatureError::Mismatch));
        let raw = SignedBody::Raw(b"{}");
        let url = with_body_hash("https://a.example/x", b"{}");
        let target = url.strip_prefix("https://a.example").unwrap_or_default();
        assert_eq!(check(&url, "https://a.example", target, raw, &Canonical::of(raw)), Ok(()));
        let unnamed = check("https://a.example/x", "https://a.example", "/x", raw, &Canonical::of(raw));
        assert_eq!(unnamed, Err(SignatureError::BodyHash));
        let forged = SignedBody::Raw(b"[]");
        let forged = check(&url, "https://a.example", target, forged, &Canonical::of(forged));
        assert_eq!(forged, Err(SignatureError::BodyHash));
    }

    #[test]
    fn a_body_hash_joins_the_query() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            with_body_hash("https://a.example/x", b""),
            format!("https://a.example/x?bodySHA256={empty}")
        );
        assert_eq!(
            with_body_hash("https://a.example/x?k=v#f", b""),
            format!("https://a.example/x?k=v&bodySHA256={empty}")
        );
    }
}
