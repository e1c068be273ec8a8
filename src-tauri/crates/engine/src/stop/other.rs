//! Ctrl-C in a console; a window is asked to close by the window system.

pub(super) async fn asked() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
