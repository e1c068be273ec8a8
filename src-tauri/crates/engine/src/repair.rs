//! Reading at Twilio what callbacks did not tell: a callback can be lost, with the tunnel or while the
//! computer slept, and Twilio sends it once.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use dialer_domain::call::{CallDirection, CallEvent, CallId};
use dialer_domain::call_log::{self, CallLogEntry};
use dialer_domain::error::UserError;
use dialer_domain::phone_number::E164;
use dialer_domain::ports::{CallStore, Clock};
use dialer_domain::sid::CallSid;
use dialer_twilio::rest::{CallFilter, CallResource, Client, Recording, RecordingFilter, RestError};
use tokio::sync::mpsc;

use crate::account_api::AccountApi;
use crate::controller::Request;
use crate::core::blocking;

/// How often the log is looked through.
const EVERY: Duration = Duration::from_secs(60);
/// Rows looked at, newest first: what is older will not be known better.
const ROWS: u32 = 100;
/// After so long without a look, in milliseconds, calls may have come that nobody was told of.
const AWAY_MS: i64 = 5 * 60_000;
/// How far back is looked for those at most, in milliseconds: a long weekend.
const FARTHEST_MS: i64 = 4 * 24 * 3_600_000;
/// How many of them are read for each number.
const MISSED: usize = 100;
/// How long after its end a call's own events may still come, in milliseconds.
const SETTLED_MS: i64 = 2 * 60_000;
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
    /// Numbers whose calls ring here.
    pub(crate) numbers: Vec<E164>,
}

impl Repair {
    /// Looks now and then until the Controller is gone.
    pub(crate) async fn run(self) {
        // Read before the first call of this run: what is newer than that may have been missed.
        let mut known_until_ms = self.newest().await;
        let mut looked_ms: Option<i64> = None;
        let mut hopeless = HashSet::new();
        let mut look = tokio::time::interval(EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            if self.controller.upgrade().is_none() {
                return;
            }
            let now_ms = self.clock.now_ms();
            if let Err(error) = self.look(now_ms, &mut hopeless).await {
                quietly(&error);
            }
            let away = looked_ms.is_none_or(|at| now_ms.saturating_sub(at) > AWAY_MS);
            let Some(since_ms) = known_until_ms.filter(|_| away) else {
                looked_ms = looked_ms.map(|_| now_ms);
                continue;
            };
            match self.look_for_missed(since_ms, now_ms).await {
                Ok(()) => (looked_ms, known_until_ms) = (Some(now_ms), Some(now_ms)),
                Err(error) => quietly(&error),
            }
        }
    }

    /// When the newest call of the log began; `None` for an empty log, which has missed nothing.
    async fn newest(&self) -> Option<i64> {
        let store = self.store.upgrade()?;
        let page = blocking(move || store.list(None, 1).map_err(|problem| problem.error)).await.ok()?;
        page.entries.first().map(|entry| entry.started_at_ms)
    }

    async fn look(&self, now_ms: i64, hopeless: &mut HashSet<CallId>) -> Result<(), UserError> {
        let Some(store) = self.store.upgrade() else { return Ok(()) };
        let page = blocking(move || store.list(None, ROWS).map_err(|problem| problem.error)).await?;
        let unfinished: Vec<CallLogEntry> = page
            .entries
            .into_iter()
            .filter(|entry| !hopeless.contains(&entry.id) && call_log::unfinished(entry, now_ms).is_some())
            .take(AT_ONCE)
            .collect();
        if unfinished.is_empty() {
            return Ok(());
        }
        let client = self.api.client().await?;
        for entry in &unfinished {
            let Some(parent) = parent(entry) else { continue };
            match read(&client, &parent).await {
                Ok(events) => self.tell(events),
                // Deleted there, or of an account that was connected before: nobody knows more of it.
                Err(RestError::Refused { status: 404, .. }) => {
                    hopeless.insert(entry.id);
                }
                Err(error) => quietly(&error.user_error()),
            }
        }
        Ok(())
    }

    /// Calls that came while this computer slept or was off: Twilio played its fallback, and told nobody.
    async fn look_for_missed(&self, since_ms: i64, now_ms: i64) -> Result<(), UserError> {
        let Some(store) = self.store.upgrade() else { return Ok(()) };
        let since_ms = since_ms.max(now_ms.saturating_sub(FARTHEST_MS));
        let client = self.api.client().await?;
        for number in &self.numbers {
            let filter = CallFilter {
                to: Some(number.as_str().to_owned()),
                started_from_ms: Some(since_ms),
                limit: Some(MISSED),
                ..CallFilter::default()
            };
            for call in client.calls(&filter).await.map_err(|error| error.user_error())? {
                let Some(routed) = missed(&call, number, now_ms) else { continue };
                let (store, sid) = (Arc::clone(&store), call.sid.clone());
                if blocking(move || store.of_leg(&sid).map_err(|problem| problem.error)).await?.is_some() {
                    continue;
                }
                // Somebody else may have answered it: its other legs say so.
                let mut events = read(&client, &call.sid).await.map_err(|error| error.user_error())?;
                events.insert(0, routed);
                self.tell(events);
            }
        }
        Ok(())
    }

    fn tell(&self, events: Vec<CallEvent>) {
        if let Some(controller) = self.controller.upgrade() {
            for event in events {
                let _ = controller.send(Request::Happened(event));
            }
        }
    }
}

/// The same comes again in a minute; whoever minds a missing network is told elsewhere.
fn quietly(error: &UserError) {
    tracing::debug!(%error, detail = error.detail, "calls could not be read at Twilio");
}

/// What the log says of a caller of whom this computer heard nothing.
const UNREACHABLE: &str = "This computer could not be reached when the call came.";

/// A call that came to `number` while nobody was told, if that is what it was.
fn missed(call: &CallResource, number: &E164, now_ms: i64) -> Option<CallEvent> {
    let (from, to) = (call.from.clone()?, call.to.clone()?);
    let came_in = call.direction.as_deref() == Some("inbound") && !from.starts_with("client:");
    // One that ends this moment may have its events still on their way.
    let over = call.ended_ms.is_some_and(|at| now_ms.saturating_sub(at) > SETTLED_MS);
    if to != number.as_str() || !came_in || !over || call.parent_call_sid.is_some() {
        return None;
    }
    Some(CallEvent::Routed {
        call_sid: call.sid.clone(),
        direction: CallDirection::Incoming,
        peer: from,
        our_number: Some(to),
        at_ms: call.started_ms.or(call.ended_ms)?,
        refusal: Some(UNREACHABLE.into()),
    })
}

/// The leg that asked for the call.
fn parent(entry: &CallLogEntry) -> Option<CallSid> {
    let first = entry.legs.first()?;
    Some(first.parent_call_sid.clone().unwrap_or_else(|| first.call_sid.clone()))
}

/// Everything Twilio knows of a call, as events.
async fn read(client: &Client, parent: &CallSid) -> Result<Vec<CallEvent>, RestError> {
    let children =
        CallFilter { parent: Some(parent.clone()), limit: Some(OF_ONE_CALL), ..CallFilter::default() };
    let of_call = RecordingFilter {
        call: Some(parent.clone()),
        limit: Some(OF_ONE_CALL),
        ..RecordingFilter::default()
    };
    let mut events: Vec<CallEvent> = client.call(parent).await?.event().into_iter().collect();
    events.extend(client.calls(&children).await?.iter().filter_map(CallResource::event));
    events.extend(client.recordings(&of_call).await?.iter().filter_map(Recording::event));
    Ok(events)
}

#[cfg(test)]
mod tests;
