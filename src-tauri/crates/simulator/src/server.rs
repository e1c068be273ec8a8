//! The one port: signalling, the control API, and Twilio's 404 for everything else.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{State, WebSocketUpgrade};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::control;
use crate::network::Network;
use crate::signalling;

/// Largest signalling frame: an SDP with many candidates has a few kB.
const LARGEST_FRAME: usize = 256 * 1024;

pub(crate) fn router(network: Arc<Network>) -> Router {
    Router::new()
        .route("/signal", get(signal))
        .nest("/sim", control::router(Arc::clone(&network)))
        .fallback(not_found)
        .with_state(network)
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
    let body = json!({
        "code": 20404,
        "message": format!("The requested resource {} was not found", uri.path()),
        "more_info": "https://www.twilio.com/docs/errors/20404",
        "status": 404,
    });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}
