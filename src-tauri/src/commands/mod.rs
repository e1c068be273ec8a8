//! The one Tauri command. Every other is declared in `dialer_engine::api` and dispatched there, so
//! that the window and a browser share them (docs/adr/0005-one-command-table.md).

use dialer_domain::error::UserError;
use dialer_engine::api::dispatch;
use dialer_engine::core::Core;
use serde_json::Value;
use tauri::State;

/// Runs `command` with `arguments`, an object keyed by argument name.
#[tauri::command]
pub(crate) async fn host(
    core: State<'_, Core>,
    command: String,
    arguments: Value,
) -> Result<Value, UserError> {
    dispatch(core.inner(), &command, arguments).await
}
