//! Waiting for what must happen, with a limit that only a failure reaches.

use std::future::Future;
use std::time::Duration;

use dialer_media::api::ConnectionState;
use dialer_media::transport::PeerEvent;
use tokio::sync::mpsc::UnboundedReceiver;

/// Far beyond what anything here takes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen within {LIMIT:?}"),
    }
}

/// Waits for a connection state, dropping everything else.
pub(crate) async fn connection(events: &mut UnboundedReceiver<PeerEvent>, wanted: ConnectionState) {
    within(&format!("{wanted:?}"), async {
        loop {
            if events.recv().await.expect("the peer lives") == PeerEvent::Connection(wanted) {
                return;
            }
        }
    })
    .await;
}
