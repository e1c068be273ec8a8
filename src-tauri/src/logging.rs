//! Where the log goes: standard error, at a level that names no caller.

use tracing_subscriber::EnvFilter;

/// `RUST_LOG` chooses otherwise. The pulseaudio client calls every closed stream an error; zbus prints its authentication handshake below WARN.
const DEFAULT_FILTER: &str = "info,pulseaudio=off,zbus=warn,str0m=warn,tao=warn,wry=warn";

/// Starts the log for the life of the process.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
