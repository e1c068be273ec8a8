//! Carries the phone's events into the window.

use dialer_engine::api::HostEvent;
use tauri::{AppHandle, Emitter as _};
use tokio::sync::broadcast::{self, error::RecvError};

/// The Tauri event that carries one `HostEvent`.
const HOST_EVENT: &str = "host-event";

/// The Tauri event that tells of a gap.
const MISSED: &str = "host-events-missed";

/// Forwards until the phone ends.
pub(crate) async fn forward(mut events: broadcast::Receiver<HostEvent>, app: AppHandle) {
    loop {
        match events.recv().await {
            Ok(event) => {
                if let Err(error) = app.emit(HOST_EVENT, &event) {
                    tracing::warn!(%error, "an event did not reach the window");
                }
            }
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "the window fell behind");
                // The page asks how things stand, which makes up for what it missed.
                let _ = app.emit(MISSED, ());
            }
            Err(RecvError::Closed) => return,
        }
    }
}
