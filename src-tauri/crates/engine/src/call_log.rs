//! Opening the call log, whatever the last run left behind.

use std::path::PathBuf;
use std::sync::Arc;

use dialer_domain::call::{CallEvent, SdkCallEvent};
use dialer_domain::ports::{CallStore, CallStoreError};
use dialer_storage::call_log::{CallLogError, Opened, SqliteCallLog, set_aside_notice};

use crate::api::Notice;

/// The reason of a call whose end nobody saw.
const FORGOTTEN: &str = "The program ended during this call; how long it lasted is not known.";
/// How many of the newest rows are looked at for calls without an end.
const FORGOTTEN_LOOK: u32 = 50;

/// An open call log. Two phones of one run may have it, one after the other.
#[derive(Clone)]
pub struct CallLog {
    /// The log.
    pub store: Arc<dyn CallStore>,
    /// What the agent must know: the one found was damaged and has been set aside.
    pub notice: Option<Notice>,
}

/// Opens the call log in `file`, or begins one.
pub async fn open(file: PathBuf) -> anyhow::Result<CallLog> {
    let Opened { log, set_aside } = tokio::task::spawn_blocking(move || {
        let opened = SqliteCallLog::open(&file)?;
        // A full disk must not keep the agent from calling; the rows wait for the next start.
        if let Err(error) = end_forgotten_calls(&opened.log) {
            tracing::warn!(%error, "calls of an earlier run could not be ended in the log");
        }
        Ok::<_, CallLogError>(opened)
    })
    .await??;
    let notice = set_aside.map(|path| Notice {
        id: "call-log-set-aside".into(),
        error: set_aside_notice(&path),
        dismissible: true,
    });
    Ok(CallLog { store: Arc::new(log), notice })
}

/// A program that was killed in a call never wrote its end. It is written now, at the last moment
/// known, so that no row claims for ever to be a call in progress.
fn end_forgotten_calls(log: &SqliteCallLog) -> Result<(), CallStoreError> {
    for entry in
        log.list(None, FORGOTTEN_LOOK)?.entries.into_iter().filter(|entry| entry.ended_at_ms.is_none())
    {
        let event = CallEvent::Sdk {
            direction: entry.direction,
            call_sid: None,
            parent_call_sid: None,
            peer: entry.peer,
            our_number: None,
            what: SdkCallEvent::Failed { code: 0, message: FORGOTTEN.into() },
            at_ms: entry.answered_at_ms.unwrap_or(entry.started_at_ms),
        };
        log.record(Some(entry.id), event)?;
    }
    Ok(())
}
