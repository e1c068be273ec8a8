//! The routes and what they answer.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use dialer_domain::call_flow::Instruction;
use dialer_twilio::twiml;
use dialer_twilio::webhook::{StatusCallback, VoiceRequest};

use crate::document::{document, no_decision, not_understood};
use crate::proof::PROOF_PATH;
use crate::public_base::join;
use crate::server::Shared;
use crate::verification::{Signed, only_signed};

/// The voice URL: Twilio asks here what a call should do.
pub const VOICE_PATH: &str = "/api/calls/twiml";
/// Where every leg reports to.
pub const STATUS_PATH: &str = "/api/calls/status";

pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    // A HEAD must not be served as the GET it stands for: asking has an effect here.
    let voice = webhook(get(voice).post(voice), shared).head(not_allowed("GET,POST"));
    let status = webhook(post(status), shared);
    Router::new()
        .route(VOICE_PATH, voice)
        .route(STATUS_PATH, status)
        .route(&format!("{PROOF_PATH}{{nonce}}"), get(proof))
        .with_state(Arc::clone(shared))
}

fn webhook(methods: MethodRouter<Arc<Shared>>, shared: &Arc<Shared>) -> MethodRouter<Arc<Shared>> {
    methods.route_layer(from_fn_with_state(Arc::clone(shared), only_signed))
}

fn not_allowed(allow: &'static str) -> impl Fn() -> std::future::Ready<Response> + Clone {
    move || std::future::ready((StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, allow)]).into_response())
}

async fn voice(State(shared): State<Arc<Shared>>, Extension(signed): Extension<Signed>) -> Response {
    let names = names(&signed, "voice", &signed.signature);
    let request = match VoiceRequest::parse(signed.form) {
        Ok(request) => request,
        Err(reason) => {
            tracing::warn!(%reason, "a voice webhook was not understood; the caller was told so");
            return twiml(not_understood().to_xml());
        }
    };
    let status_callback = shared.public_base.current().and_then(|base| join(&base, STATUS_PATH).parse().ok());
    let outcome = shared.answers.outcome(&names, shared.clock.now_ms());
    let decide = outcome.get_or_init(|| async {
        let decision = shared.calls.begin(request.clone()).await;
        if matches!(decision, Instruction::TurnAway { .. }) {
            tracing::warn!("a call from a client identity that is not this phone's was turned away");
        }
        document(&decision, &request, status_callback).to_xml()
    });
    match tokio::time::timeout(shared.answer_within, decide).await {
        Ok(document) => twiml(document.clone()),
        Err(_) => {
            tracing::error!("no decision about a call within the time; the caller was asked to try again");
            twiml(no_decision().to_xml())
        }
    }
}

async fn status(State(shared): State<Arc<Shared>>, Extension(signed): Extension<Signed>) -> StatusCode {
    let callback = match StatusCallback::parse(signed.form.clone()) {
        Ok(callback) => callback,
        Err(reason) => {
            // Twilio posts more kinds of callback here than the ones about legs, and may add some.
            tracing::debug!(%reason, "a callback that tells of no leg");
            return StatusCode::NO_CONTENT;
        }
    };
    let event = format!("{}|{}|{:?}", callback.call_sid, callback.status.as_wire(), callback.sequence);
    let now_ms = shared.clock.now_ms();
    let outcome = shared.told.outcome(&names(&signed, "status", &event), now_ms);
    let tell = outcome.get_or_init(|| shared.calls.happened(callback.event(now_ms)));
    match tokio::time::timeout(shared.answer_within, tell).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => {
            tracing::error!("a status callback was not taken in within the time");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn proof(State(shared): State<Arc<Shared>>, Path(nonce): Path<String>) -> Response {
    match shared.proof.answer(&nonce) {
        Some(answer) => {
            let headers = [no_store(), (header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))];
            (headers, answer).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The names a request goes by: its event, and Twilio's own token where it repeats itself. The
/// token is not signed, so it counts only together with the call it came with.
fn names(signed: &Signed, kind: &str, event: &str) -> Vec<String> {
    let call = signed.form.get("CallSid").unwrap_or_default();
    let token = signed.idempotency_token.iter().map(|token| format!("{kind}|{call}|token|{token}"));
    std::iter::once(format!("{kind}|{call}|event|{event}")).chain(token).collect()
}

fn twiml(document: String) -> Response {
    let headers = [no_store(), (header::CONTENT_TYPE, HeaderValue::from_static(twiml::CONTENT_TYPE))];
    (headers, document).into_response()
}

/// Keeps proxies on the way from answering in our place.
fn no_store() -> (HeaderName, HeaderValue) {
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
