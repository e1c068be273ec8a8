//! The one port: signalling, the control API, REST, and Twilio's 404 for everything else.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State, WebSocketUpgrade};
use axum::http::header::DATE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use crate::control;
use crate::network::Network;
use crate::rest::{self, Refusal};
use crate::signalling;
use crate::webhook::rfc2822;

/// Largest signalling frame: an SDP with many candidates has a few kB.
const LARGEST_FRAME: usize = 256 * 1024;

pub(crate) fn router(network: Arc<Network>) -> Router {
    Router::new()
        .route("/signal", get(signal))
        .nest("/sim", control::router(Arc::clone(&network)))
        .route("/{product}/{*path}", any(rest::serve))
        .fallback(not_found)
        .layer(from_fn_with_state(Arc::clone(&network), date))
        .with_state(network)
}

/// Writes Twilio's time into the answer.
async fn date(State(network): State<Arc<Network>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(date) = HeaderValue::from_str(&http_date(network.twilio_now_ms())) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// Unix milliseconds as `Mon, 23 Nov 2026 10:00:00 GMT`.
fn http_date(at_ms: i64) -> String {
    rfc2822(at_ms).replace("+0000", "GMT")
}

async fn signal(State(network): State<Arc<Network>>, upgrade: WebSocketUpgrade) -> Response {
    if network.faults().refuse_signalling {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade
        .max_message_size(LARGEST_FRAME)
        .max_frame_size(LARGEST_FRAME)
        .on_upgrade(move |websocket| signalling::serve(network, websocket))
}

/// Twilio's answer for a resource it does not have (REST error format, code 20404).
async fn not_found(uri: Uri) -> Response {
    Refusal::not_found(uri.path()).into_response()
}
