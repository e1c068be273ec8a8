//! Windows and macOS always have a display where a program can be started.

pub(super) fn has_display() -> bool {
    true
}
