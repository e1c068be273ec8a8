//! Writes call events to the log, off the requests' tasks and many at once.

use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dialer_domain::call::{CallEvent, CallId};
use dialer_domain::ports::{CallStore as _, CallStoreError};
use dialer_storage::call_log::SqliteCallLog;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::desk::CloudDesk;

/// How many events are written at once at most.
const AT_ONCE: usize = 256;
/// How long events gather before the next write. The first is written at once; when many come, each write
/// costs the processor that answers calls more than all the events in it.
const GATHERING: Duration = Duration::from_millis(20);
/// How long to wait before a failed write is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// An event on its way to the log, with its call where that is known by name.
pub(super) type Entry = (Option<CallId>, CallEvent);

/// The task that writes.
pub(super) struct Writing {
    task: JoinHandle<()>,
    healthy: Arc<AtomicBool>,
}

impl Writing {
    /// Whether the last write went well; shared with whoever asks.
    pub(super) fn health(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.healthy)
    }

    /// Waits until everything is written, at most until `deadline`. The task must have been told to close.
    pub(super) async fn end(self, deadline: Instant) {
        if tokio::time::timeout_at(deadline, self.task).await.is_err() {
            tracing::error!("the call log could not be written in time; the last entries are lost");
        }
    }
}

/// Writes until `closing` says so, or nobody is left to send, and every event is written. What is sent after it was
/// told to close is not taken: somebody who never ends must not keep the log from being written out.
pub(super) fn start(
    store: Arc<SqliteCallLog>,
    mut entries: mpsc::Receiver<Entry>,
    desk: Weak<CloudDesk>,
    mut closing: watch::Receiver<bool>,
) -> Writing {
    let healthy = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&healthy);
    let task = tokio::spawn(async move {
        let mut batch = Vec::with_capacity(AT_ONCE);
        loop {
            let taken = tokio::select! {
                biased;
                taken = entries.recv_many(&mut batch, AT_ONCE) => taken,
                () = closed(&mut closing), if !entries.is_closed() => {
                    entries.close();
                    continue;
                }
            };
            if taken == 0 {
                return;
            }
            write(&store, std::mem::take(&mut batch), &desk, &told, &mut closing).await;
            if taken < AT_ONCE && !entries.is_closed() {
                tokio::time::sleep(GATHERING).await;
            }
        }
    });
    Writing { task, healthy }
}

/// Resolves once the server closes.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that the server is gone already.
    let _ = closing.wait_for(|closing| *closing).await;
}

async fn write(
    store: &Arc<SqliteCallLog>,
    mut batch: Vec<Entry>,
    desk: &Weak<CloudDesk>,
    healthy: &AtomicBool,
    closing: &mut watch::Receiver<bool>,
) {
    while !batch.is_empty() {
        let (writer, attempt) = (Arc::clone(store), batch.clone());
        let written = tokio::task::spawn_blocking(move || {
            if let Ok(recorded) = writer.record_all(&attempt) {
                return (recorded.into_iter().flatten().collect::<Vec<_>>(), usize::MAX, None);
            }
            // One of them may be the trouble: the others are kept all the same.
            let mut rows = Vec::new();
            for (index, (call, event)) in attempt.into_iter().enumerate() {
                match writer.record(call, event) {
                    Ok(recorded) => rows.extend(recorded),
                    Err(error) => return (rows, index, Some(error)),
                }
            }
            (rows, usize::MAX, None)
        })
        .await;
        let (rows, done, failed) = match written {
            Ok(outcome) => outcome,
            Err(panicked) => {
                tracing::error!(%panicked, "entries of the call log could not be written; they are lost");
                healthy.store(false, Ordering::Relaxed);
                return;
            }
        };
        if let Some(desk) = desk.upgrade() {
            for recorded in &rows {
                for gone in &recorded.removed {
                    desk.unlogged(*gone);
                }
                desk.logged(&recorded.entry);
            }
        }
        batch.drain(..done.min(batch.len()));
        healthy.store(failed.is_none(), Ordering::Relaxed);
        match failed {
            None => {}
            Some(CallStoreError { passing: true, error }) => {
                tracing::error!(%error, "the call log cannot be written; it is tried again");
                if *closing.borrow() {
                    tracing::error!(
                        count = batch.len(),
                        "entries of the call log are lost, because the server ends"
                    );
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(RETRY) => {}
                    () = closed(closing) => {}
                }
            }
            Some(CallStoreError { passing: false, error }) => {
                // Trying again would hold up every other call behind the one that cannot be written.
                tracing::error!(%error, "an entry of the call log cannot be written; it is lost");
                batch.drain(..1.min(batch.len()));
            }
        }
    }
}
