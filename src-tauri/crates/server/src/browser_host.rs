//! The UI's commands and events over loopback HTTP, guarded by a bearer secret.
//!
//! | route | does |
//! | --- | --- |
//! | `POST /host/{command}` | one command of `dialer_engine::api`, arguments as a JSON object |
//! | `GET /host/events` | every `HostEvent` as a line of JSON, until the client goes |
//! | anything else | a file of the built UI |
//!
//! Any program on this computer can reach a loopback port, and so can a web page by way of the
//! agent's browser. The secret keeps programs out; the check of `Host` keeps out pages that point a
//! name of their own at 127.0.0.1 (DNS rebinding). The secret travels in the fragment of the URL,
//! which browsers do not send.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path as RoutePath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_engine::api::{HostEvent, dispatch};
use dialer_engine::phone::Phone;
use futures_util::StreamExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// Largest body of a command in bytes; an SDP is a few thousand.
const MAX_BODY: usize = 256 * 1024;

/// As in `tauri.conf.json`, without what only the window needs: scripts of the program alone, and no
/// connection but to this computer.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; media-src 'self' mediastream: blob: data:; connect-src 'self' ws://127.0.0.1:*; \
    object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

fn header_layer(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

/// Makes the bearer secret of one run: 256 random bits, base64url.
pub fn fresh_secret() -> SecretString {
    let bytes: [u8; 32] = rand::random();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes).into()
}

struct Host {
    phone: Phone,
    secret: SecretString,
    authority: SocketAddr,
}

/// Serves until `stop` resolves. `listener` must be bound to a loopback address.
pub async fn serve(
    listener: TcpListener,
    phone: Phone,
    secret: SecretString,
    ui: &Path,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let host = Arc::new(Host { phone, secret, authority: listener.local_addr()? });
    let guarded = Router::new()
        .route("/host/events", get(events))
        .route("/host/{command}", post(command))
        .layer(middleware::from_fn_with_state(Arc::clone(&host), require_secret))
        .with_state(Arc::clone(&host));
    let router = guarded
        .fallback_service(ServeDir::new(ui))
        .layer(header_layer(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(header_layer(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_layer(header::REFERRER_POLICY, "no-referrer"))
        .layer(middleware::from_fn_with_state(host, require_own_name))
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY));
    // Not a graceful shutdown: that would wait for the page's event stream, which never ends.
    tokio::select! {
        served = axum::serve(listener, router) => served,
        () = stop => Ok(()),
    }
}

async fn require_own_name(State(host): State<Arc<Host>>, request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).and_then(|name| name.to_str().ok()).unwrap_or_default();
    if named != host.authority.to_string() && named != format!("localhost:{}", host.authority.port()) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    next.run(request).await
}

async fn require_secret(State(host): State<Arc<Host>>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    if !bool::from(given.as_bytes().ct_eq(host.secret.expose_secret().as_bytes())) {
        let error = UserError::new(
            ErrorCode::Internal,
            "This page has lost its permission to speak to the program. Open the address the program printed once more.",
        );
        return (StatusCode::UNAUTHORIZED, axum::Json(error)).into_response();
    }
    next.run(request).await
}

async fn command(State(host): State<Arc<Host>>, RoutePath(name): RoutePath<String>, body: Bytes) -> Response {
    let arguments = if body.is_empty() { Ok(serde_json::json!({})) } else { serde_json::from_slice(&body) };
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(error) => {
            let error = UserError::new(ErrorCode::Internal, "The command's arguments are not JSON.")
                .with_detail(error.to_string());
            return (StatusCode::BAD_REQUEST, axum::Json(error)).into_response();
        }
    };
    match dispatch(&host.phone, &name, arguments).await {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(error)).into_response(),
    }
}

async fn events(State(host): State<Arc<Host>>) -> Response {
    let lines = futures_util::stream::unfold(host.phone.subscribe(), |mut events| async move {
        match events.recv().await {
            Ok(event) => Some((line(&event), events)),
            // The page connects again and asks how things stand, which makes up for what it missed.
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "the page fell behind");
                None
            }
            Err(RecvError::Closed) => None,
        }
    });
    // A first empty line opens the stream at once, so that the page knows it is subscribed.
    let opened = futures_util::stream::once(async { String::from("\n") });
    let body = Body::from_stream(opened.chain(lines).map(Ok::<_, Infallible>));
    ([(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")], body)
        .into_response()
}

fn line(event: &HostEvent) -> String {
    match serde_json::to_string(event) {
        Ok(mut text) => {
            text.push('\n');
            text
        }
        Err(error) => {
            tracing::error!(%error, "an event could not be written as JSON");
            String::from("\n")
        }
    }
}
