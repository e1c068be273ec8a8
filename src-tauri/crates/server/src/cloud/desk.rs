//! The agents' side of the server: who has signed in, what they asked for, what callers get.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use dialer_domain::call::{CallEvent, CallId};
use dialer_domain::call_flow::{self, Agents, Happened, Instruction, Permission, Purpose, Situation};
use dialer_domain::call_log::CallLogEntry;
use dialer_domain::destination::Destination;
use dialer_domain::dial_policy::{Outlook, Verdict};
use dialer_domain::identity::ClientIdentity;
use dialer_domain::incoming::SoundName;
use dialer_domain::phone_number::{self, E164};
use dialer_domain::ports::{CallStore, Clock};
use dialer_domain::sid::CallSid;
use dialer_engine::desk::{Desk, Wish};
use dialer_engine::local_time::{Moment, moment};
use dialer_gateway::{Calls, RefusedWebhook};
use dialer_twilio::webhook::VoiceRequest;
use tokio::sync::mpsc;

use super::config::Config;
use super::ledger::Entry;

/// Events on their way to the log; what is beyond waits, and Twilio with it.
const BACKLOG: usize = 4_096;
/// Agents remembered; the ones who signed in longest ago go first.
const MOST_AGENTS: usize = 1_000;
/// How long a call under way is believed to be when nothing is heard of its end, in milliseconds: longer
/// than any may last.
const LONGEST_CALL_MS: i64 = 5 * 3_600_000;

pub(crate) struct CloudDesk {
    pub(super) config: Config,
    pub(super) store: Arc<dyn CallStore>,
    pub(super) clock: Arc<dyn Clock>,
    home_region: String,
    ledger: mpsc::Sender<Entry>,
    state: Mutex<State>,
}

struct State {
    desk: Desk,
    /// Who signed in, and until when their token is good, in Unix milliseconds.
    agents: BTreeMap<ClientIdentity, i64>,
    /// Outgoing calls under way: whose, and since when.
    live: BTreeMap<CallSid, (String, i64)>,
}

impl CloudDesk {
    pub(super) fn new(
        config: Config,
        store: Arc<dyn CallStore>,
        clock: Arc<dyn Clock>,
    ) -> (Self, mpsc::Receiver<Entry>) {
        let (ledger, entries) = mpsc::channel(BACKLOG);
        let state =
            State { desk: Desk::with(config.rules.clone()), agents: BTreeMap::new(), live: BTreeMap::new() };
        let home_region = phone_number::region(&config.phone_number).unwrap_or_default();
        (Self { config, store, clock, home_region, ledger, state: Mutex::new(state) }, entries)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An agent's token is good until `expires_at_ms`: until then the agent is rung.
    pub(super) fn signed_in(&self, identity: ClientIdentity, expires_at_ms: i64) {
        let mut state = self.state();
        state.agents.insert(identity, expires_at_ms);
        if state.agents.len() > MOST_AGENTS {
            let first = state.agents.iter().min_by_key(|(_, until)| **until).map(|(id, _)| id.clone());
            if let Some(first) = first {
                state.agents.remove(&first);
            }
        }
    }

    /// Judges a call that `agent` wants to place, and notes it if it may be.
    pub(super) fn place(
        &self,
        agent: &ClientIdentity,
        call: CallId,
        to: &str,
        caller_id: Option<E164>,
    ) -> Result<Verdict, String> {
        let to = Destination::parse(to, &self.home_region)?;
        let now = self.now();
        let mut state = self.state();
        let outlook = self.outlook(&state, &agent.address(), &now);
        Ok(state.desk.place(Wish { call, to, caller_id, confirmed: false }, outlook, now.now_ms))
    }

    /// A row of the log is new or changed.
    pub(super) fn logged(&self, entry: &CallLogEntry) {
        self.state().desk.logged(entry);
    }

    /// A row of the log proved to be another's, and is gone.
    pub(super) fn unlogged(&self, call: CallId) {
        self.state().desk.unlogged(call);
    }

    /// Agents who are rung, and callers who wait.
    pub(super) fn counts(&self) -> (usize, u32) {
        let now_ms = self.clock.now_ms();
        let state = self.state();
        (state.agents.values().filter(|until| **until > now_ms).count(), state.desk.waiting())
    }

    fn now(&self) -> Moment {
        let hours = self.config.rules.incoming.hours.as_ref();
        moment(self.clock.now_ms(), hours.and_then(|hours| hours.zone.as_deref()))
    }

    fn outlook(&self, state: &State, from: &str, now: &Moment) -> Outlook {
        let under_way = state
            .live
            .values()
            .filter(|(whose, since_ms)| whose == from && now.now_ms - since_ms < LONGEST_CALL_MS)
            .count();
        Outlook {
            home_region: self.home_region.clone(),
            caller_id: Some(self.config.phone_number.clone()),
            usable_caller_ids: vec![self.config.phone_number.clone()],
            owned_numbers: vec![self.config.phone_number.clone()],
            calls_under_way: u32::try_from(under_way).unwrap_or(u32::MAX),
            forwards_under_way: state.desk.forwards_under_way(now.now_ms),
            spent: state.desk.spent(now),
            prices: state.desk.prices.clone(),
            confirmed: false,
        }
    }

    fn situation(&self, state: &State, from: &str, now: &Moment) -> Situation {
        let mut signed_in: Vec<(&ClientIdentity, &i64)> =
            state.agents.iter().filter(|(_, until)| **until > now.now_ms).collect();
        // The latest first: at most ten are rung.
        signed_in.sort_by_key(|(_, until)| std::cmp::Reverse(**until));
        Situation {
            agents: Agents::Any { signed_in: signed_in.into_iter().map(|(id, _)| id.clone()).collect() },
            // Twilio rings a device that is in a call, too; the device says whether it is busy.
            busy: false,
            do_not_disturb: false,
            local: now.local,
            app: Some(self.config.twiml_app_sid.clone()),
            waiting: state.desk.waiting(),
            permission: Permission::Missing,
            outlook: self.outlook(state, from, now),
        }
    }

    async fn log(&self, call: Option<CallId>, event: CallEvent) {
        // Fails only when the server ends and the log is closed already.
        let _ = self.ledger.send((call, event)).await;
    }

    fn begin_now(&self, request: &VoiceRequest) -> (Instruction, Option<CallEvent>, Option<CallId>) {
        let (query, now) = (request.query(), self.now());
        let mut state = self.state();
        let situation = self.situation(&state, &query.from, &now);
        let mut situation = state.desk.with_intent(&query, situation, now.now_ms);
        let noted = situation.permission == Permission::Given;
        if !self.config.require_intent && !noted {
            situation.permission = Permission::NotAsked;
        }
        let instruction = call_flow::begin(&query, &state.desk.rules, &situation);
        if situation.permission == Permission::Missing {
            tracing::warn!("a call that no agent asked for was refused");
        }
        let outgoing =
            matches!(&instruction, Instruction::Connect(connect) if connect.purpose == Purpose::Outgoing);
        if let Some(sid) = request.call_sid.as_ref().filter(|_| outgoing) {
            state.live.retain(|_, (_, since_ms)| now.now_ms - *since_ms < LONGEST_CALL_MS);
            state.live.insert(sid.clone(), (query.from.clone(), now.now_ms));
        }
        state.desk.instructed(request.call_sid.as_ref(), &query.from, &instruction, now.now_ms);
        let event = request.routed(&instruction, now.now_ms);
        (instruction, event, query.call_id.filter(|_| noted))
    }
}

#[async_trait]
impl Calls for CloudDesk {
    async fn begin(&self, request: VoiceRequest) -> Instruction {
        let (instruction, event, call) = self.begin_now(&request);
        if let Some(event) = event {
            self.log(call, event).await;
        }
        instruction
    }

    async fn go_on(&self, request: VoiceRequest, happened: Happened) -> Instruction {
        let (query, now) = (request.query(), self.now());
        let mut state = self.state();
        let situation = self.situation(&state, &query.from, &now);
        let instruction = call_flow::go_on(&query, &happened, &state.desk.rules, &situation);
        state.desk.look_at_queue(now.now_ms);
        state.desk.instructed(request.call_sid.as_ref(), &query.from, &instruction, now.now_ms);
        instruction
    }

    async fn happened(&self, event: CallEvent) {
        {
            let mut state = self.state();
            state.desk.happened(&event, self.clock.now_ms());
            match &event {
                CallEvent::Dialled { call_sid, .. } => {
                    state.live.remove(call_sid);
                }
                CallEvent::LegStatus { call_sid, status, .. } if status.is_final() => {
                    state.live.remove(call_sid);
                }
                CallEvent::LegStatus { .. }
                | CallEvent::Routed { .. }
                | CallEvent::Waiting { .. }
                | CallEvent::LeftQueue { .. }
                | CallEvent::Recording { .. }
                | CallEvent::Transcribed { .. }
                | CallEvent::Conference { .. }
                | CallEvent::Sdk { .. } => {}
            }
        }
        self.log(None, event).await;
    }

    /// Recordings of an agent's own are the desktop's.
    async fn sound(&self, _name: &SoundName) -> Option<Bytes> {
        None
    }

    fn webhook_refused(&self, refused: RefusedWebhook) {
        if let Some(error) = refused.user_error() {
            tracing::error!(reason = ?refused.reason, count = refused.count, "{error}");
        }
    }

    fn webhook_accepted(&self) {
        tracing::info!("webhooks are good again");
    }
}
