//! What agents are served: access tokens, leave to place a call, the call log; and the server's health.
//!
//! | route | answers |
//! | --- | --- |
//! | `POST /api/calls/token` `{"agentId"}` | `{"token", "identity", "expiresAt"}`, the last in Unix seconds |
//! | `POST /api/calls/intents` `{"agentId", "to", "callerId"?}` | `{"callId", "expiresAt"}`: connect within that time with the parameters `To` and `CallId` |
//! | `GET /api/calls` `?limit=` | the call log, newest first |
//! | `GET /healthz` | 200 while the server runs |
//! | `GET /readyz` | 200 while calls can be served and logged, 503 otherwise |
//! | `GET /metrics` | figures for monitoring |
//!
//! Everything under `/api` wants `Authorization: Bearer` with `AGENT_API_TOKEN`.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use dialer_domain::call::CallId;
use dialer_domain::dial_policy::{Refusal, Verdict};
use dialer_domain::identity::ClientIdentity;
use dialer_domain::intent::GOOD_FOR_MS;
use dialer_domain::phone_number::E164;
use dialer_gateway::Gateway;
use dialer_twilio::access_token::AccessToken;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use super::advice;
use super::desk::CloudDesk;
use super::metrics;
use super::rate::Rate;
use super::tally::Refused;

/// How long an access token lasts, in seconds.
const TOKEN_TTL_S: u32 = 3_600;
/// Largest body, in bytes: a request is a few names.
const MAX_BODY: usize = 4 * 1024;
/// How long a request may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// Rows of the call log given at once, if nothing else is asked for.
const ROWS: u32 = 50;

struct Agents {
    desk: Arc<CloudDesk>,
    /// Gone when the server ends.
    gateway: Weak<Gateway>,
    log_healthy: Arc<AtomicBool>,
    rate: Rate,
    issued: AtomicU64,
}

pub(super) fn router(desk: Arc<CloudDesk>, gateway: Weak<Gateway>, log_healthy: Arc<AtomicBool>) -> Router {
    let rate = Rate::new(desk.config.tokens_per_minute);
    let agents = Arc::new(Agents { desk, gateway, log_healthy, rate, issued: AtomicU64::new(0) });
    Router::new()
        .route("/api/calls", get(calls))
        .route("/api/calls/token", post(token))
        .route("/api/calls/intents", post(intent))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&agents), only_agents))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .with_state(agents)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, TIMEOUT))
        .layer(CatchPanicLayer::new())
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(json!({ "error": error }))).into_response()
}

fn answer(body: Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

async fn only_agents(State(agents): State<Arc<Agents>>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map_or("", |(_, token)| token.trim());
    let expected = agents.desk.config.agent_token.expose_secret();
    if !bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
        let mut refused = refusal(
            StatusCode::UNAUTHORIZED,
            "Send the header Authorization: Bearer with the server's AGENT_API_TOKEN.",
        );
        refused.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        return refused;
    }
    next.run(request).await
}

/// An agent's name, and their turn.
#[expect(clippy::result_large_err, reason = "what is refused is answered at once")]
fn agent(agents: &Agents, name: &str) -> Result<ClientIdentity, Response> {
    let identity = ClientIdentity::parse(name).map_err(|_| {
        refusal(StatusCode::BAD_REQUEST, "agentId must be 1 to 121 letters, digits and underscores.")
    })?;
    agents.rate.take(identity.as_str(), agents.desk.clock.now_ms()).map_err(|wait_s| {
        let mut refused =
            refusal(StatusCode::TOO_MANY_REQUESTS, "This agent asks too often. Wait a few seconds.");
        refused.headers_mut().insert(header::RETRY_AFTER, wait_s.into());
        refused
    })?;
    Ok(identity)
}

#[expect(clippy::result_large_err, reason = "what is refused is answered at once")]
fn body<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Response> {
    body.map(|Json(body)| body).map_err(|rejection| refusal(rejection.status(), &rejection.body_text()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenRequest {
    agent_id: String,
}

async fn token(
    State(agents): State<Arc<Agents>>,
    request: Result<Json<TokenRequest>, JsonRejection>,
) -> Result<Response, Response> {
    let request = body(request)?;
    let identity = agent(&agents, &request.agent_id)?;
    let config = &agents.desk.config;
    let issued = AccessToken::new(config.account_sid.clone(), config.api_key.clone(), identity.as_str())
        .map(|token| {
            token
                .outgoing(config.twiml_app_sid.clone())
                .incoming(true)
                .ttl_s(TOKEN_TTL_S)
                .jti_suffix(uuid::Uuid::new_v4().simple().to_string())
        })
        .and_then(|token| token.sign(agents.desk.clock.now_ms(), &config.api_secret))
        .map_err(|error| {
            tracing::error!(%error, "an access token could not be made");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "The token could not be made; see the server's log.")
        })?;
    agents.issued.fetch_add(1, Ordering::Relaxed);
    agents.desk.signed_in(identity.clone(), issued.span.expires_at_ms);
    Ok(answer(json!({
        "token": issued.jwt.expose_secret(),
        "identity": identity.as_str(),
        "expiresAt": issued.span.expires_at_ms / 1_000,
    })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntentRequest {
    agent_id: String,
    to: String,
    caller_id: Option<E164>,
}

async fn intent(
    State(agents): State<Arc<Agents>>,
    request: Result<Json<IntentRequest>, JsonRejection>,
) -> Result<Response, Response> {
    let request = body(request)?;
    let identity = agent(&agents, &request.agent_id)?;
    let call = CallId(uuid::Uuid::new_v4());
    let verdict = agents
        .desk
        .place(&identity, call, &request.to, request.caller_id)
        .await
        .map_err(|problem| refusal(StatusCode::BAD_REQUEST, &problem))?;
    if !matches!(verdict, Verdict::Allowed { .. }) {
        agents.desk.tally.refused(Refused::ByRules);
    }
    match verdict {
        Verdict::Allowed { .. } => Ok(answer(json!({
            "callId": call.to_string(),
            "expiresAt": (agents.desk.clock.now_ms() + GOOD_FOR_MS) / 1_000,
        }))),
        // A server asks nobody.
        Verdict::Ask(question) => Err(refused(&question.refusal())),
        Verdict::Refused(refusal) => Err(refused(&refusal)),
    }
}

fn refused(why: &Refusal) -> Response {
    refusal(StatusCode::FORBIDDEN, &advice::for_server(&why.reason))
}

#[derive(Deserialize)]
struct Page {
    limit: Option<u32>,
}

async fn calls(State(agents): State<Arc<Agents>>, Query(page): Query<Page>) -> Response {
    let store = Arc::clone(&agents.desk.store);
    let limit = page.limit.unwrap_or(ROWS);
    match tokio::task::spawn_blocking(move || store.list(None, limit)).await {
        Ok(Ok(mut page)) => {
            for reason in page.entries.iter_mut().filter_map(|entry| entry.reason.as_mut()) {
                if let Cow::Owned(here) = advice::for_server(reason) {
                    *reason = here;
                }
            }
            answer(json!({ "calls": page.entries }))
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "the call log could not be read");
            refusal(StatusCode::SERVICE_UNAVAILABLE, &error.error.message)
        }
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "The call log could not be read."),
    }
}

async fn ready(State(agents): State<Arc<Agents>>) -> Response {
    if agents.log_healthy.load(Ordering::Relaxed) {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the call log cannot be written\n").into_response()
    }
}

async fn figures(State(agents): State<Arc<Agents>>) -> Response {
    let Some(gateway) = agents.gateway.upgrade() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server ends\n").into_response();
    };
    let text = metrics::text(
        &gateway,
        &agents.desk,
        agents.issued.load(Ordering::Relaxed),
        agents.log_healthy.load(Ordering::Relaxed),
    );
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}
