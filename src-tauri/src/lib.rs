//! The shell: the only place that names Tauri, and the place where concrete types meet.

mod arguments;
mod backend;
mod commands;
mod display;
mod events;
mod launch;
mod logging;
mod tunnel_program;
mod window;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;

/// Exit code of a program that could not start, as opposed to a self-test that failed (1).
const COULD_NOT_START: u8 = 2;

/// Reads the command line, starts the core, opens the window, and stays until it is closed.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    logging::start();
    match launch::launch(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Nothing else can speak yet; a failed write to stderr leaves nobody to tell.
            let mut out = std::io::stderr();
            let _ = writeln!(out, "kennex-dialer: {error}");
            for cause in error.chain().skip(1) {
                let _ = writeln!(out, "  because: {cause}");
            }
            ExitCode::from(COULD_NOT_START)
        }
    }
}
