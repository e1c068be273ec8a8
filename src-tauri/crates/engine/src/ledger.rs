//! Writes call events to the store in order, off the Controller's task, and tells the UI of new rows.

use std::sync::Arc;

use dialer_domain::call::{CallEvent, CallId};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::{CallStore, CallStoreError};
use tokio::sync::mpsc;

use crate::api::{HostEvent, Notice};
use crate::controller::Request;

/// Id of the notice that stands while the log cannot be written.
pub const NOTICE: &str = "call-log";
/// Id of the notice about an event that cannot be written at all.
const DAMAGED: &str = "call-log-damaged";
/// How long to wait before a failed write is tried again.
const RETRY: std::time::Duration = std::time::Duration::from_secs(5);

/// An event on its way to the store.
#[derive(Debug)]
pub struct Entry {
    /// The call, where the reporter knows it.
    pub call: Option<CallId>,
    /// What happened.
    pub event: CallEvent,
}

/// Runs until every sender is gone and every event is written. A write that fails for a reason that may
/// pass is repeated, so a full disk loses nothing while the program runs.
pub async fn run(
    store: Arc<dyn CallStore>,
    mut entries: mpsc::UnboundedReceiver<Entry>,
    events: tokio::sync::broadcast::Sender<HostEvent>,
    controller: mpsc::WeakUnboundedSender<Request>,
) {
    let tell = |request: Request| {
        if let Some(controller) = controller.upgrade() {
            let _ = controller.send(request);
        }
    };
    while let Some(Entry { call, event }) = entries.recv().await {
        let mut failing = false;
        loop {
            let (store, attempt) = (Arc::clone(&store), event.clone());
            let written = tokio::task::spawn_blocking(move || store.record(call, attempt)).await;
            let problem = match written {
                Ok(Ok(recorded)) => {
                    if let Some(recorded) = recorded {
                        for gone in recorded.removed {
                            tell(Request::Unlogged(gone));
                            let _ = events.send(HostEvent::CallLogRemoved(gone));
                        }
                        tell(Request::Logged(Box::new(recorded.entry.clone())));
                        let _ = events.send(HostEvent::CallLogChanged(recorded.entry));
                    }
                    break;
                }
                Ok(Err(problem)) => problem,
                Err(panicked) => CallStoreError { passing: false, error: unexpected(&panicked) },
            };
            let notice = |id: &str, dismissible| {
                Request::Raise(Notice { id: id.into(), error: problem.error.clone(), dismissible })
            };
            tracing::error!(%problem, passing = problem.passing, "the call log cannot be written");
            if !problem.passing {
                // Trying again would hold up every other call behind the one that cannot be written.
                tell(notice(DAMAGED, true));
                break;
            }
            if !failing {
                failing = true;
                tell(notice(NOTICE, false));
            }
            // With nobody left to tell, the program is ending: one try was all there was time for.
            if controller.upgrade().is_none() {
                break;
            }
            tokio::time::sleep(RETRY).await;
        }
        if failing {
            tell(Request::Clear(NOTICE.into()));
        }
    }
}

fn unexpected(panicked: &tokio::task::JoinError) -> UserError {
    UserError::new(
        ErrorCode::CallLogUnavailable,
        "One entry of the call log could not be written. Calls still work; please report this.",
    )
    .with_detail(panicked.to_string())
}
