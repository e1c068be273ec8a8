//! A log that cannot be written for a while loses nothing, and says so only while it lasts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dialer_domain::call::{CallDirection, CallEvent, CallId, SdkCallEvent};
use dialer_domain::call_log::{CallLogEntry, CallLogPage, Cursor};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::{CallStore, CallStoreError, Recorded};
use dialer_domain::sid::CallSid;
use dialer_engine::controller::Request;
use dialer_engine::ledger::{self, Entry};
use dialer_storage::call_log::SqliteCallLog;
use tokio::sync::{broadcast, mpsc};

fn full() -> CallStoreError {
    let error = UserError::new(ErrorCode::CallLogUnavailable, "The disk is full. Free some space.");
    CallStoreError { passing: true, error }
}

/// A real log on a disk that is full for the first few writes.
struct FullAtFirst {
    log: SqliteCallLog,
    refusals: AtomicU32,
}

impl CallStore for FullAtFirst {
    fn record(&self, call: Option<CallId>, event: CallEvent) -> Result<Option<Recorded>, CallStoreError> {
        let left = self.refusals.load(Ordering::Relaxed);
        if left > 0 {
            self.refusals.store(left - 1, Ordering::Relaxed);
            return Err(full());
        }
        self.log.record(call, event)
    }

    fn list(&self, before: Option<Cursor>, limit: u32) -> Result<CallLogPage, CallStoreError> {
        self.log.list(before, limit)
    }

    fn get(&self, call: CallId) -> Result<Option<CallLogEntry>, CallStoreError> {
        self.log.get(call)
    }

    fn of_leg(&self, leg: &CallSid) -> Result<Option<CallLogEntry>, CallStoreError> {
        self.log.of_leg(leg)
    }
}

fn event(what: SdkCallEvent, at_ms: i64) -> CallEvent {
    CallEvent::Sdk {
        direction: CallDirection::Outgoing,
        call_sid: None,
        parent_call_sid: None,
        peer: "+12025550101".into(),
        our_number: None,
        what,
        at_ms,
    }
}

/// What the Controller is told next, besides of rows.
#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else there is, the test judges")]
async fn next_but_rows(told: &mut mpsc::UnboundedReceiver<Request>) -> Request {
    loop {
        match told.recv().await.expect("the ledger runs") {
            Request::Logged(_) | Request::Unlogged(_) => {}
            other => return other,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_delays_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteCallLog::open(&folder.path().join("calls.sqlite")).unwrap().log;
    let store = Arc::new(FullAtFirst { log, refusals: AtomicU32::new(3) });
    let (to_ledger, entries) = mpsc::unbounded_channel();
    let (events, _listener) = broadcast::channel(16);
    let (controller, mut told) = mpsc::unbounded_channel();
    let running = tokio::spawn(ledger::run(store.clone(), entries, events, controller.downgrade()));

    let call = CallId(uuid::Uuid::new_v4());
    to_ledger.send(Entry { call: Some(call), event: event(SdkCallEvent::Dialing, 1) }).unwrap();
    to_ledger.send(Entry { call: Some(call), event: event(SdkCallEvent::HungUp, 2) }).unwrap();
    let Request::Raise(notice) = next_but_rows(&mut told).await else { panic!("the agent is told") };
    assert_eq!(notice.id, ledger::NOTICE);
    assert_eq!(notice.error, full().error);
    let Request::Clear(id) = next_but_rows(&mut told).await else { panic!("and told once that it is over") };
    assert_eq!(id, ledger::NOTICE);

    drop(to_ledger);
    running.await.unwrap();
    let entry = store.get(call).unwrap().unwrap();
    assert_eq!((entry.started_at_ms, entry.ended_at_ms), (1, Some(2)));
}

/// A log that refuses one call for good.
struct Damaged {
    log: SqliteCallLog,
    refused: CallId,
}

impl CallStore for Damaged {
    fn record(&self, call: Option<CallId>, event: CallEvent) -> Result<Option<Recorded>, CallStoreError> {
        if call == Some(self.refused) {
            return Err(CallStoreError { passing: false, ..full() });
        }
        self.log.record(call, event)
    }

    fn list(&self, before: Option<Cursor>, limit: u32) -> Result<CallLogPage, CallStoreError> {
        self.log.list(before, limit)
    }

    fn get(&self, call: CallId) -> Result<Option<CallLogEntry>, CallStoreError> {
        self.log.get(call)
    }

    fn of_leg(&self, leg: &CallSid) -> Result<Option<CallLogEntry>, CallStoreError> {
        self.log.of_leg(leg)
    }
}

#[tokio::test(start_paused = true)]
async fn one_damaged_call_does_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let log = SqliteCallLog::open(&folder.path().join("calls.sqlite")).unwrap().log;
    let (bad, good) = (CallId(uuid::Uuid::new_v4()), CallId(uuid::Uuid::new_v4()));
    let store = Arc::new(Damaged { log, refused: bad });
    let (to_ledger, entries) = mpsc::unbounded_channel();
    let (events, _listener) = broadcast::channel(16);
    let (controller, mut told) = mpsc::unbounded_channel();
    let running = tokio::spawn(ledger::run(store.clone(), entries, events, controller.downgrade()));
    to_ledger.send(Entry { call: Some(bad), event: event(SdkCallEvent::Dialing, 1) }).unwrap();
    to_ledger.send(Entry { call: Some(good), event: event(SdkCallEvent::Dialing, 2) }).unwrap();
    drop(to_ledger);
    running.await.unwrap();
    assert!(matches!(told.recv().await, Some(Request::Raise(notice)) if notice.dismissible));
    assert!(store.get(good).unwrap().is_some());
}
