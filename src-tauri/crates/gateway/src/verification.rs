//! Before every webhook: nothing is done for a request that Twilio did not sign.

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use dialer_domain::sid::AccountSid;
use dialer_twilio::signature::{self, Canonical, SignatureError, SignatureHeaders, SignedBody, WebhookKey};
use dialer_twilio::webhook::Form;

use crate::counts::Outcome;
use crate::ports::RefusalReason;
use crate::replay::Name;
use crate::route::Route;
use crate::server::Shared;

/// The largest body that is read, in bytes; Twilio's are a few kilobytes.
const MAX_BODY_LENGTH: usize = 64 * 1024;
/// The most parameters that are read; Twilio sends some dozens. Sorting is what costs in a check.
const MAX_PARAMETERS: usize = 512;
/// Marks Twilio's own repetitions of a request.
const IDEMPOTENCY_HEADER: &str = "i-twilio-idempotency-token";

/// A request that Twilio signed. Its parameters are had together with its [names](Self::open) only, because
/// these are made of them.
pub(crate) struct Signed {
    /// Its parameters: the body of a POST, the query of a GET.
    form: Form,
    /// Its signature, which no request with other content shares.
    signature: String,
    /// Twilio's own name of the request across repetitions.
    idempotency_token: Option<String>,
}

impl Signed {
    /// The names the request to `route` goes by, in every repetition, and its parameters.
    ///
    /// One is its signature: whoever has caught a request can send it again in other words (parameters in
    /// another order, a letter moved from a value into its name) but cannot sign another one. One is Twilio's own
    /// token, where it repeats itself; that is not signed, so it counts only together with the call it came with.
    pub(crate) fn open(self, route: &Route) -> (Vec<Name>, Form) {
        let path = route.path();
        let call = self.form.get("CallSid").unwrap_or_default();
        let token = self.idempotency_token.as_deref();
        let names = std::iter::once(Name::of(&[&path, "signature", &self.signature]))
            .chain(token.map(|token| Name::of(&[&path, "token", call, token])))
            .collect();
        (names, self.form)
    }
}

/// Reads a request and checks that Twilio signed it.
///
/// Every request is checked, however many bad ones come: a limit that stopped the checking would stop
/// Twilio's requests among theirs. Beyond the limit bad ones are answered in fewer words.
pub(crate) async fn verify(shared: &Shared, parts: &Parts, body: Body) -> Result<Signed, Outcome> {
    let headers = SignatureHeaders {
        signature: only(&parts.headers, signature::SIGNATURE_HEADER),
        settings: only(&parts.headers, signature::SETTINGS_HEADER),
    };
    let announced = only(&parts.headers, header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
    if announced.is_some_and(|length: u64| length > MAX_BODY_LENGTH as u64) {
        return Err(Outcome::TooLarge);
    }
    let Some(signature) = headers.signature.filter(|text| !text.is_empty()) else {
        return Err(refused(shared, RefusalReason::Unsigned));
    };
    // The parameters of a GET are in the URL and signed there; a body it may have means nothing.
    let is_get = parts.method == Method::GET;
    let body = if is_get { Bytes::new() } else { read(body).await? };
    let is_form = is_get || body.is_empty() || has_form(&parts.headers);
    let encoded = match (is_get, is_form) {
        (true, _) => parts.uri.query().unwrap_or_default().as_bytes(),
        (false, true) => &body,
        (false, false) => &[],
    };
    if encoded.iter().filter(|byte| **byte == b'&').count() >= MAX_PARAMETERS {
        return Err(Outcome::TooLarge);
    }
    let form = Form::parse(encoded);
    let signed = match (is_get, is_form) {
        (true, _) => SignedBody::Form(&[]),
        (false, true) => SignedBody::Form(form.pairs()),
        (false, false) => SignedBody::Raw(&body),
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    if let Err(reason) = check(shared, headers, target, &form, signed).await {
        return Err(refused(shared, reason));
    }
    shared.refusals.accepted(|| {
        tracing::info!("webhook requests are good again");
        shared.calls.webhook_accepted();
    });
    let idempotency_token = only(&parts.headers, IDEMPOTENCY_HEADER).filter(|token| !token.is_empty());
    Ok(Signed {
        signature: signature.to_owned(),
        idempotency_token: idempotency_token.map(str::to_owned),
        form,
    })
}

/// Reads a body up to the limit.
async fn read(body: Body) -> Result<Bytes, Outcome> {
    axum::body::to_bytes(body, MAX_BODY_LENGTH).await.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if too_large { Outcome::TooLarge } else { Outcome::Malformed }
    })
}

fn has_form(headers: &HeaderMap) -> bool {
    let essence = only(headers, header::CONTENT_TYPE.as_str()).and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// The value of a header. One that is there twice, or is no text, is the empty text: it must not pass for
/// one that is absent, nor one of the two for the other.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let only = if values.next().is_none() { first.to_str().ok() } else { None };
    Some(only.unwrap_or_default())
}

/// Whether Twilio signed the request for us. Who speaks of another account is told apart first:
/// every public address gets such visitors, and none of our own affairs concern them.
async fn check(
    shared: &Shared,
    headers: SignatureHeaders<'_>,
    target: &str,
    form: &Form,
    body: SignedBody<'_>,
) -> Result<(), RefusalReason> {
    let account: Option<AccountSid> = form.get("AccountSid").and_then(|sid| sid.parse().ok());
    let Some(keys) = shared.auth_tokens.keys(account.as_ref()).await else {
        return Err(RefusalReason::NotOurAccount);
    };
    try_keys(shared, headers, target, body, &keys)
        // Twilio names the account. Whoever does not is a stranger until the signature says otherwise.
        .map_err(|reason| if account.is_some() { reason } else { RefusalReason::NotOurAccount })
}

/// Tries every key on every address Twilio may still be using for us.
fn try_keys(
    shared: &Shared,
    headers: SignatureHeaders<'_>,
    target: &str,
    body: SignedBody<'_>,
    keys: &[WebhookKey],
) -> Result<(), RefusalReason> {
    let bases = shared.public_base.good(shared.clock.now_ms());
    if bases.is_empty() {
        return Err(RefusalReason::NoPublicBase);
    }
    if keys.is_empty() {
        return Err(RefusalReason::NoKey);
    }
    // Sorted or hashed once, however many keys and addresses there are to try, and before that not at all.
    let body = Canonical::of(body);
    let mut refusal = SignatureError::OtherKey;
    for key in keys {
        for base in &bases {
            match signature::validate_canonical(key, headers, base, target, &body) {
                Ok(()) => return Ok(()),
                // With several keys, the reason of one that could have signed tells most.
                Err(SignatureError::OtherKey) => {}
                Err(
                    error @ (SignatureError::Missing | SignatureError::BodyHash | SignatureError::Mismatch),
                ) => {
                    refusal = error;
                }
            }
        }
    }
    Err(refusal.into())
}

/// Counts a bad request, tells of it when that is due, and says how it is answered.
fn refused(shared: &Shared, reason: RefusalReason) -> Outcome {
    let now_ms = shared.clock.now_ms();
    shared.refusals.refused(reason, now_ms, |refused| {
        tracing::warn!(?reason, count = refused.count, "webhook requests are being refused");
        shared.calls.webhook_refused(refused);
    });
    if shared.bad.take(now_ms) { Outcome::Refused(reason) } else { Outcome::Flooding }
}
