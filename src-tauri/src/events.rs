//! Carries the core's events into the window.

use dialer_engine::core::Core;
use tauri::{AppHandle, Emitter as _};
use tokio::sync::broadcast::error::RecvError;

/// The Tauri event that carries one `HostEvent`.
const HOST_EVENT: &str = "host-event";

/// The Tauri event that tells of a gap.
const MISSED: &str = "host-events-missed";

/// Forwards until the core ends.
pub(crate) async fn forward(core: Core, app: AppHandle) {
    let mut events = core.subscribe();
    // The subscription must not keep the core alive after everything else has let go of it.
    drop(core);
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
