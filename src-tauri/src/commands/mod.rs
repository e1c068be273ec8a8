//! Two Tauri commands: [`host`] carries every command of `dialer_engine::api`, which the window and a
//! browser share (docs/adr/0005-one-command-table.md); [`restart`] is the shell's own.

use dialer_domain::error::UserError;
use dialer_engine::api::dispatch;
use serde_json::Value;
use tauri::{AppHandle, State};

use crate::backend::Backend;

/// Runs `command` with `arguments`, an object keyed by argument name.
#[tauri::command]
pub(crate) async fn host(
    backend: State<'_, Backend>,
    command: String,
    arguments: Value,
) -> Result<Value, UserError> {
    match backend.inner() {
        Backend::Running(phone) => dispatch(phone, &command, arguments).await,
        Backend::Failed(error) => Err(error.clone()),
    }
}

/// Starts the program anew, for a window that could only say why it did not start.
#[tauri::command]
pub(crate) fn restart(app: AppHandle) {
    app.restart();
}
