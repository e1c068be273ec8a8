//! Reading at Twilio what callbacks did not tell: a callback can be lost, with the tunnel or while the
//! computer slept, and Twilio sends it once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use dialer_domain::call::{CallDirection, CallEvent, CallId};
use dialer_domain::call_log::{self, CallLogEntry};
use dialer_domain::error::UserError;
use dialer_domain::phone_number::E164;
use dialer_domain::ports::{CallStore, CallStoreError, Clock};
use dialer_domain::sid::CallSid;
use dialer_twilio::rest::{CallFilter, CallResource, Client, Recording, RecordingFilter, RestError};

use crate::account_api::AccountApi;
use crate::core::blocking;

/// How often the log is looked through.
const EVERY: Duration = Duration::from_secs(60);
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

/// Who is told what was read, and may know of more calls to ask about.
pub trait Listener: Send + Sync + 'static {
    /// Whether nobody listens any more, because the program ends.
    fn is_gone(&self) -> bool;
    /// Something happened to a call, as a callback would have told it.
    fn happened(&self, event: CallEvent);
    /// Calls to ask about at `now_ms` (Unix milliseconds) whatever the log says of them, by the leg that asked
    /// what to do; those not answered yet come again the next time.
    fn in_doubt(&self, _now_ms: i64) -> Vec<CallSid> {
        Vec::new()
    }
    /// Twilio has answered about a call that was in doubt, at `now_ms`, with the leg that asked; what it knows has
    /// been told. `None` where it knows nothing.
    fn answered(&self, _call: &CallSid, _known: Option<&CallResource>, _now_ms: i64) {}
}

/// What the task works with. It keeps neither who listens alive nor the log open.
pub struct Repair<L> {
    /// The log.
    pub store: Weak<dyn CallStore>,
    /// Asks Twilio.
    pub api: Arc<AccountApi>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Who is told.
    pub listener: L,
    /// Numbers whose calls ring here.
    pub numbers: Vec<E164>,
    /// Rows looked at, newest first: what is older will not be known better.
    pub rows: u32,
}

/// What was asked about rows of the log, and about calls in doubt.
#[derive(Default)]
struct Asked {
    /// When this run began, in Unix milliseconds.
    began_ms: i64,
    /// Rows of which nobody knows more.
    hopeless: HashSet<CallId>,
    /// When, in Unix milliseconds: who was asked about lately comes last.
    at_ms: HashMap<CallId, i64>,
    /// Likewise of the calls in doubt.
    doubts_at_ms: HashMap<CallSid, i64>,
}

impl<L: Listener> Repair<L> {
    /// Looks now and then until nobody listens.
    pub async fn run(self) {
        // Read before the first call of this run: what is newer than that may have been missed.
        let mut known_until_ms = self.newest().await;
        let mut looked_ms: Option<i64> = None;
        let mut asked = Asked { began_ms: self.clock.now_ms(), ..Asked::default() };
        let mut look = tokio::time::interval(EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            if self.listener.is_gone() {
                return;
            }
            let now_ms = self.clock.now_ms();
            let doubts = self.look_at_doubts(now_ms, &mut asked).await;
            for looked in [doubts, self.look(now_ms, &mut asked).await] {
                if let Err(error) = looked {
                    quietly(&error);
                }
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

    async fn look(&self, now_ms: i64, asked: &mut Asked) -> Result<(), UserError> {
        let Some(store) = self.store.upgrade() else { return Ok(()) };
        let rows = self.rows;
        let newest = blocking(move || newest(&*store, rows).map_err(|problem| problem.error)).await?;
        let mut unfinished: Vec<CallLogEntry> = newest
            .into_iter()
            .filter(|entry| !asked.hopeless.contains(&entry.id))
            .filter(|entry| {
                call_log::unfinished(entry, now_ms).is_some() || call_log::left_open(entry, asked.began_ms)
            })
            // What was in doubt has just been read.
            .filter(|entry| parent(entry).is_none_or(|leg| asked.doubts_at_ms.get(&leg) != Some(&now_ms)))
            .collect();
        asked.at_ms.retain(|call, _| unfinished.iter().any(|entry| entry.id == *call));
        // Stable, so that of those not asked about the newest is the first.
        unfinished.sort_by_key(|entry| asked.at_ms.get(&entry.id).copied());
        unfinished.truncate(AT_ONCE);
        if unfinished.is_empty() {
            return Ok(());
        }
        let client = self.api.client().await?;
        for entry in &unfinished {
            let Some(parent) = parent(entry) else { continue };
            asked.at_ms.insert(entry.id, now_ms);
            match read(&client, &parent).await {
                Ok(read) => self.tell(read.events()),
                // Deleted there, or of an account that was connected before: nobody knows more of it.
                Err(RestError::Refused { status: 404, .. }) => {
                    asked.hopeless.insert(entry.id);
                }
                Err(error) => quietly(&error.user_error()),
            }
        }
        Ok(())
    }

    /// Calls that the listener has doubts about. Of one that the log does not know, who called whom is told, too.
    async fn look_at_doubts(&self, now_ms: i64, asked: &mut Asked) -> Result<(), UserError> {
        let mut calls = self.listener.in_doubt(now_ms);
        let doubted: HashSet<&CallSid> = calls.iter().collect();
        asked.doubts_at_ms.retain(|call, _| doubted.contains(call));
        // Stable: those about which nothing could be read the last time come last.
        calls.sort_by_key(|call| asked.doubts_at_ms.get(call).copied());
        calls.truncate(AT_ONCE);
        if calls.is_empty() {
            return Ok(());
        }
        let client = self.api.client().await?;
        for call in calls {
            asked.doubts_at_ms.insert(call.clone(), now_ms);
            match read(&client, &call).await {
                Ok(read) => {
                    let begun = if self.is_logged(&call).await? { None } else { read.begun() };
                    self.tell(begun.into_iter().chain(read.events()).collect());
                    self.listener.answered(&call, Some(&read.parent), now_ms);
                }
                Err(RestError::Refused { status: 404, .. }) => self.listener.answered(&call, None, now_ms),
                Err(error) => quietly(&error.user_error()),
            }
        }
        Ok(())
    }

    /// Whether the log knows the call of a leg, and who the other party was.
    async fn is_logged(&self, leg: &CallSid) -> Result<bool, UserError> {
        let Some(store) = self.store.upgrade() else { return Ok(false) };
        let leg = leg.clone();
        let entry = blocking(move || store.of_leg(&leg).map_err(|problem| problem.error)).await?;
        Ok(entry.is_some_and(|entry| !entry.peer.is_empty()))
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
                let read = read(&client, &call.sid).await.map_err(|error| error.user_error())?;
                self.tell(std::iter::once(routed).chain(read.events()).collect());
            }
        }
        Ok(())
    }

    fn tell(&self, events: Vec<CallEvent>) {
        for event in events {
            self.listener.happened(event);
        }
    }
}

/// The newest rows of the log, at most so many.
fn newest(store: &dyn CallStore, rows: u32) -> Result<Vec<CallLogEntry>, CallStoreError> {
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let (mut entries, mut before) = (Vec::new(), None);
    loop {
        let left = rows.saturating_sub(entries.len());
        let page = store.list(before, u32::try_from(left).unwrap_or(u32::MAX))?;
        entries.extend(page.entries);
        before = match page.next {
            Some(next) if entries.len() < rows => Some(next),
            Some(_) | None => return Ok(entries),
        };
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

/// The leg that asked what to do with the call, by which Twilio is asked about the whole of it.
pub fn parent(entry: &CallLogEntry) -> Option<CallSid> {
    let first = entry.legs.first()?;
    Some(first.parent_call_sid.clone().unwrap_or_else(|| first.call_sid.clone()))
}

/// Everything Twilio knows of a call.
struct Read {
    parent: CallResource,
    children: Vec<CallResource>,
    recordings: Vec<Recording>,
}

impl Read {
    /// How far it is.
    fn events(&self) -> Vec<CallEvent> {
        let legs = std::iter::once(&self.parent).chain(&self.children).filter_map(CallResource::event);
        legs.chain(self.recordings.iter().filter_map(Recording::event)).collect()
    }

    /// Who called whom. Of a client's call only the leg that was dialled for it says whom.
    fn begun(&self) -> Option<CallEvent> {
        let from = self.parent.from.clone()?;
        let (direction, peer, our_number) = if from.starts_with("client:") {
            let dialled = self.children.first()?;
            (CallDirection::Outgoing, dialled.to.clone()?, dialled.from.clone())
        } else {
            (CallDirection::Incoming, from, self.parent.to.clone())
        };
        Some(CallEvent::Routed {
            call_sid: self.parent.sid.clone(),
            direction,
            peer,
            our_number,
            at_ms: self.parent.started_ms.or(self.parent.ended_ms)?,
            refusal: None,
        })
    }
}

/// Asks Twilio for everything it knows of a call.
async fn read(client: &Client, parent: &CallSid) -> Result<Read, RestError> {
    let children =
        CallFilter { parent: Some(parent.clone()), limit: Some(OF_ONE_CALL), ..CallFilter::default() };
    let of_call = RecordingFilter {
        call: Some(parent.clone()),
        limit: Some(OF_ONE_CALL),
        ..RecordingFilter::default()
    };
    Ok(Read {
        parent: client.call(parent).await?,
        children: client.calls(&children).await?,
        recordings: client.recordings(&of_call).await?,
    })
}

#[cfg(test)]
mod tests;
