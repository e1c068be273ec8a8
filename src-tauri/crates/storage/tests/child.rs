//! Runs one test of this binary in a process of its own, which can be killed or given another
//! environment. Such tests are marked ignored: they are parts of others.

use std::path::Path;
use std::process::Command;

/// This binary, about to run the ignored test `name`.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(this_binary());
    command.args(arguments(name));
    command
}

/// The path of this binary.
pub(crate) fn this_binary() -> std::path::PathBuf {
    std::env::current_exe().expect("a running program has a path")
}

/// What to call this binary with to run the ignored test `name` alone.
pub(crate) fn arguments(name: &str) -> [&str; 5] {
    ["--ignored", "--exact", "--nocapture", "--test-threads=1", name]
}

/// A path the parent passed in the environment.
pub(crate) fn path_from_parent(variable: &str) -> std::path::PathBuf {
    let value = std::env::var_os(variable);
    Path::new(&value.unwrap_or_else(|| panic!("run by another test, which sets {variable}"))).to_owned()
}
