//! Reading at Twilio what callbacks did not tell: a callback can be lost, with the tunnel or while the
//! computer slept, and Twilio sends it once.

use std::sync::{Arc, Weak};
use std::time::Duration;

use dialer_domain::call::{CallEvent, CallStatus, LegRole, RecordingStatus};
use dialer_domain::call_log::{self, CallLogEntry};
use dialer_domain::error::UserError;
use dialer_domain::ports::{CallStore, Clock};
use dialer_domain::sid::CallSid;
use dialer_twilio::rest::{CallFilter, CallResource, Client, Recording, RecordingFilter};
use tokio::sync::mpsc;

use crate::account_api::AccountApi;
use crate::controller::Request;
use crate::core::blocking;

/// How often the log is looked through.
const EVERY: Duration = Duration::from_secs(60);
/// Rows looked at, newest first: what is older will not be known better.
const ROWS: u32 = 100;
/// Calls asked about in one look: REST is shared with everything else the account does.
const AT_ONCE: usize = 10;
/// Legs and recordings of one call that are read.
const OF_ONE_CALL: usize = 20;

/// What the task works with. It keeps neither the Controller alive nor the log open.
pub(crate) struct Repair {
    pub(crate) store: Weak<dyn CallStore>,
    pub(crate) api: Arc<AccountApi>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) controller: mpsc::WeakUnboundedSender<Request>,
}

impl Repair {
    /// Looks now and then until the Controller is gone.
    pub(crate) async fn run(self) {
        let mut look = tokio::time::interval(EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            if self.controller.upgrade().is_none() {
                return;
            }
            if let Err(error) = self.look().await {
                // The same comes again in a minute; whoever minds a missing network is told elsewhere.
                tracing::debug!(%error, detail = error.detail, "calls could not be read at Twilio");
            }
        }
    }

    async fn look(&self) -> Result<(), UserError> {
        let Some(store) = self.store.upgrade() else { return Ok(()) };
        let page = blocking(move || store.list(None, ROWS).map_err(|problem| problem.error)).await?;
        let now_ms = self.clock.now_ms();
        let unfinished: Vec<CallLogEntry> = page
            .entries
            .into_iter()
            .filter(|entry| call_log::unfinished(entry, now_ms).is_some())
            .take(AT_ONCE)
            .collect();
        if unfinished.is_empty() {
            return Ok(());
        }
        let client = self.api.client().await?;
        for entry in &unfinished {
            let Some(parent) = parent(entry) else { continue };
            for event in read(&client, &parent).await? {
                let Some(controller) = self.controller.upgrade() else { return Ok(()) };
                let _ = controller.send(Request::Happened(event));
            }
        }
        Ok(())
    }
}

/// The leg that asked for the call.
fn parent(entry: &CallLogEntry) -> Option<CallSid> {
    let first = entry.legs.first()?;
    Some(first.parent_call_sid.clone().unwrap_or_else(|| first.call_sid.clone()))
}

/// Everything Twilio knows of a call, as events.
async fn read(client: &Client, parent: &CallSid) -> Result<Vec<CallEvent>, UserError> {
    let told = |error: dialer_twilio::rest::RestError| error.user_error();
    let children =
        CallFilter { parent: Some(parent.clone()), limit: Some(OF_ONE_CALL), ..CallFilter::default() };
    let of_call = RecordingFilter {
        call: Some(parent.clone()),
        limit: Some(OF_ONE_CALL),
        ..RecordingFilter::default()
    };
    let mut events: Vec<CallEvent> = leg(&client.call(parent).await.map_err(told)?).into_iter().collect();
    events.extend(client.calls(&children).await.map_err(told)?.iter().filter_map(leg));
    events.extend(client.recordings(&of_call).await.map_err(told)?.iter().filter_map(recording));
    Ok(events)
}

/// A leg as its callback would have told it, without the counter that only callbacks have.
fn leg(call: &CallResource) -> Option<CallEvent> {
    let status = CallStatus::from_wire(&call.status)?;
    let is_child = call.parent_call_sid.is_some();
    let end = if is_child { call.to.as_deref() } else { call.from.as_deref() };
    let role = end
        .filter(|end| !end.is_empty())
        .map(|end| if end.starts_with("client:") { LegRole::Agent } else { LegRole::FarEnd });
    let at_ms = if status.is_final() { call.ended_ms.or(call.started_ms) } else { call.started_ms };
    Some(CallEvent::LegStatus {
        call_sid: call.sid.clone(),
        parent_call_sid: call.parent_call_sid.clone(),
        role,
        status,
        sequence: None,
        at_ms: at_ms?,
        duration_s: call
            .duration
            .as_deref()
            .filter(|_| status == CallStatus::Completed)
            .and_then(|duration| duration.parse().ok()),
        error_code: None,
    })
}

fn recording(recording: &Recording) -> Option<CallEvent> {
    let status = match recording.status.as_str() {
        "in-progress" | "paused" | "processing" | "stopped" => RecordingStatus::InProgress,
        "completed" => RecordingStatus::Completed,
        "absent" => RecordingStatus::Absent,
        _ => RecordingStatus::Failed,
    };
    Some(CallEvent::Recording {
        call_sid: recording.call_sid.clone()?,
        recording_sid: recording.sid.clone(),
        status,
        message: recording.source.as_deref() == Some("RecordVerb"),
        duration_s: recording.duration.as_deref().and_then(|duration| duration.parse().ok()),
        at_ms: recording.started_ms?,
    })
}
