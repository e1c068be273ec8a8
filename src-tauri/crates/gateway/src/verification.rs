//! The layer before every webhook route: nothing is done for a request that Twilio did not sign.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use dialer_domain::sid::AccountSid;
use dialer_twilio::signature::{self, SignatureError, SignatureHeaders, SignedBody, WebhookKey};
use dialer_twilio::webhook::Form;

use crate::ports::RefusalReason;
use crate::public_base::join;
use crate::server::Shared;

/// The largest body that is read, in bytes; Twilio's are a few kilobytes.
const MAX_BODY_LENGTH: usize = 64 * 1024;
/// Marks Twilio's own repetitions of a request.
const IDEMPOTENCY_HEADER: &str = "i-twilio-idempotency-token";

/// A request that Twilio signed, for the handlers behind the layer.
#[derive(Clone)]
pub(crate) struct Signed {
    /// Its parameters: the body of a POST, the query of a GET.
    pub(crate) form: Form,
    /// Its signature, which no request with other content shares.
    pub(crate) signature: String,
    /// Twilio's own name of the request across repetitions.
    pub(crate) idempotency_token: Option<String>,
}

/// Lets through what is signed, refuses the rest with an empty 403.
pub(crate) async fn only_signed(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = match read(body, &parts.headers).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let is_form = parts.method == Method::GET || body.is_empty() || has_form(&parts.headers);
    let form = match (&parts.method, is_form) {
        (&Method::GET, _) => Form::parse(parts.uri.query().unwrap_or_default().as_bytes()),
        (_, true) => Form::parse(&body),
        (_, false) => Form::new(),
    };
    let signed = match (&parts.method, is_form) {
        // The parameters of a GET are in the URL and signed there.
        (&Method::GET, _) => SignedBody::Form(&[]),
        (_, true) => SignedBody::Form(form.pairs()),
        (_, false) => SignedBody::Raw(&body),
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    if let Err(reason) = check(&shared, &parts.headers, target, &form, signed).await {
        return refuse(&shared, reason);
    }
    shared.refusals.accepted(|| {
        tracing::info!("webhook requests are good again");
        shared.calls.webhook_accepted();
    });
    // Counted from here on: strangers must not be able to use up what Twilio needs.
    let Ok(_permit) = shared.in_flight.try_acquire() else {
        tracing::warn!("too many webhooks at once; one was turned away");
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    parts.extensions.insert(Signed {
        form,
        signature: text(&parts.headers, signature::SIGNATURE_HEADER).unwrap_or_default().to_owned(),
        idempotency_token: text(&parts.headers, IDEMPOTENCY_HEADER).map(str::to_owned),
    });
    next.run(Request::from_parts(parts, Body::empty())).await
}

/// Reads a body up to the limit.
async fn read(body: Body, headers: &HeaderMap) -> Result<Bytes, StatusCode> {
    let announced =
        text(headers, header::CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY_LENGTH as u64) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    axum::body::to_bytes(body, MAX_BODY_LENGTH).await.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if too_large { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST }
    })
}

fn has_form(headers: &HeaderMap) -> bool {
    let essence = text(headers, header::CONTENT_TYPE.as_str()).and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether Twilio signed the request for us. Who speaks of another account is told apart first:
/// every public address gets such visitors, and none of our own affairs concern them.
async fn check(
    shared: &Shared,
    headers: &HeaderMap,
    target: &str,
    form: &Form,
    body: SignedBody<'_>,
) -> Result<(), RefusalReason> {
    let headers = SignatureHeaders {
        signature: text(headers, signature::SIGNATURE_HEADER),
        settings: text(headers, signature::SETTINGS_HEADER),
    };
    if headers.signature.is_none() {
        return Err(RefusalReason::Unsigned);
    }
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
    let mut refusal = SignatureError::OtherKey;
    for key in keys {
        for base in &bases {
            match signature::validate(key, headers, &join(base, target), body) {
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

fn refuse(shared: &Shared, reason: RefusalReason) -> Response {
    shared.refusals.refused(reason, shared.clock.now_ms(), |refused| {
        tracing::warn!(?reason, count = refused.count, "webhook requests are being refused");
        shared.calls.webhook_refused(refused);
    });
    StatusCode::FORBIDDEN.into_response()
}
