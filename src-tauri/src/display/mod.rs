//! Whether a window can be shown at all. Each system answers in a module of its own.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "other.rs"]
mod system;

/// There is nothing to show a window on.
#[derive(Debug, thiserror::Error)]
#[error(
    "There is no display to open the window on. Start the program from a desktop, or use ./dev run, which makes a virtual display for the self-test."
)]
pub(crate) struct NoDisplay;

/// Answers before the window system is asked, because GTK ends the program instead of answering.
pub(crate) fn check() -> Result<(), NoDisplay> {
    if system::has_display() { Ok(()) } else { Err(NoDisplay) }
}
