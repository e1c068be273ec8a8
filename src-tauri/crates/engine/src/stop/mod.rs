//! When the system asks the program to end. Each kind of system has a module of its own.

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(not(unix))]
#[path = "other.rs"]
mod system;

/// Resolves when a person or the system asks the program to end: Ctrl-C, a logout, a stopping service.
/// Calls can then be hung up and the log written, for which the system gives a few seconds.
pub async fn asked() {
    if let Err(error) = system::asked().await {
        tracing::error!(%error, "requests to end cannot be noticed; the program runs until it is killed");
        std::future::pending::<()>().await;
    }
}
