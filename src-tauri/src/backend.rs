//! What stands behind the window.

use dialer_domain::error::{ErrorCode, UserError};
use dialer_engine::core::Core;
use dialer_storage::call_log::CallLogError;

/// The core, or why there is none: a window that says so beats a program that seems not to start.
pub(crate) enum Backend {
    /// All is well.
    Running(Core),
    /// Every command answers with this.
    Failed(UserError),
}

/// The sentence for a start that failed.
pub(crate) fn start_failure(error: &anyhow::Error) -> UserError {
    match error.downcast_ref::<CallLogError>() {
        Some(log) => log.user_error(),
        None => UserError::new(ErrorCode::Internal, error.to_string()).with_detail(format!("{error:#}")),
    }
}
