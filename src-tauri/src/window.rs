//! The one window.

use tauri::{App, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

/// Wide enough for the pad, tall enough for pad and Call button; from 820 px the history stands beside.
const SIZE: (f64, f64) = (400.0, 680.0);
/// Below this the pad no longer fits.
const MIN_SIZE: (f64, f64) = (360.0, 560.0);

/// Opens the window on the built UI.
pub(crate) fn open(app: &App) -> tauri::Result<WebviewWindow> {
    WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
        .title("Kennex Dialer")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(MIN_SIZE.0, MIN_SIZE.1)
        // The page takes dropped files itself.
        .disable_drag_drop_handler()
        .build()
}
