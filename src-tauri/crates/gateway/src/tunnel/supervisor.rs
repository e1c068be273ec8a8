//! The task that carries out what the state machine decides.

use tokio::sync::{mpsc, watch};

use super::log::Log;
use super::{TunnelOptions, TunnelState};

/// What the owner of the tunnel tells the task. When the sender is gone, the tunnel ends.
#[derive(Debug)]
pub(crate) enum Command {
    Retry,
    NetworkChanged,
    Offline(bool),
    InCall(bool),
    WebhookSeen,
}

pub(crate) async fn run(
    options: TunnelOptions,
    mut commands: mpsc::UnboundedReceiver<Command>,
    tell: watch::Sender<TunnelState>,
    log: Log,
) {
    let _ = (options, log);
    while commands.recv().await.is_some() {}
    let _ = tell.send(TunnelState::Off);
}
