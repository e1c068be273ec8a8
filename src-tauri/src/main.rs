//! Kennex Dialer, the desktop app.
// A release build on Windows must not open a console beside the window.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    kennex_dialer::run()
}
