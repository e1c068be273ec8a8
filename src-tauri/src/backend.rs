//! What stands behind the window.

use dialer_domain::error::{ErrorCode, UserError};
use dialer_engine::phone::Phone;
use dialer_storage::call_log::CallLogError;
use dialer_storage::settings::SettingsError;

/// The phone, or why there is none: a window that says so beats a program that seems not to start.
pub(crate) enum Backend {
    /// All is well.
    Running(Phone),
    /// Every command answers with this.
    Failed(UserError),
}

/// The sentence for a start that failed.
pub(crate) fn start_failure(error: &anyhow::Error) -> UserError {
    if let Some(log) = error.downcast_ref::<CallLogError>() {
        return log.user_error();
    }
    if let Some(settings) = error.downcast_ref::<SettingsError>() {
        return settings.user_error();
    }
    UserError::new(ErrorCode::Internal, error.to_string()).with_detail(format!("{error:#}"))
}
