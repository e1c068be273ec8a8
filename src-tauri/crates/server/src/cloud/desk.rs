//! The agents' side of the server: who has signed in, what they asked for, what callers get.

mod situation;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use dialer_domain::call::{CallDirection, CallEvent, CallId};
use dialer_domain::call_flow::{self, Connect, Happened, Instruction, Permission, Purpose, VoiceQuery};
use dialer_domain::call_log::CallLogEntry;
use dialer_domain::destination::Destination;
use dialer_domain::dial_policy::Verdict;
use dialer_domain::identity::ClientIdentity;
use dialer_domain::incoming::SoundName;
use dialer_domain::money::Money;
use dialer_domain::phone_number::{self, E164};
use dialer_domain::ports::{CallStore, Clock, SecretName, Vault as _};
use dialer_domain::sid::CallSid;
use dialer_engine::account_api::AccountApi;
use dialer_engine::desk::{Desk, Wish};
use dialer_engine::local_time::Moment;
use dialer_engine::repair;
use dialer_gateway::{Calls, RefusedWebhook};
use dialer_storage::sign_ins::GoodUntil;
use dialer_storage::vault::MemoryVault;
use dialer_twilio::webhook::VoiceRequest;
use tokio::sync::{mpsc, watch};

use super::advice;
use super::config::Config;
use super::ledger::Entry;
use super::live::Live;
use super::roster::Roster;
use super::tally::{Refused, Tally};

/// Events on their way to the log; what is beyond is lost, and asked for at Twilio later.
const BACKLOG: usize = 4_096;
/// Calls remembered of which something was lost.
const MOST_LOST: usize = 1_000;
/// Calls remembered that are over: as many as end while the price of one is awaited.
const MOST_OVER: usize = 256;
/// Prices of today's calls that one call asks for besides its own, should they be lacking: the rest is asked for
/// once a minute, with more patience than somebody on the line has.
const PRICES_BESIDES: usize = 8;

pub(crate) struct CloudDesk {
    pub(super) config: Config,
    pub(super) store: Arc<dyn CallStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) api: Arc<AccountApi>,
    pub(super) tally: Tally,
    home_region: String,
    /// Whether callers may be passed on, and whether the day's minutes or money are limited: what need not be
    /// known is not looked up.
    forwards: bool,
    is_limited: bool,
    ledger: mpsc::Sender<Entry>,
    sign_ins: watch::Sender<()>,
    state: Mutex<State>,
}

struct State {
    desk: Desk,
    roster: Roster,
    live: Live,
    /// Calls of which something did not get into the log, and whether Twilio may have been asked since.
    lost: BTreeMap<CallSid, bool>,
    /// Calls whose end was told lately, the oldest first.
    over: VecDeque<CallSid>,
    /// The wall clock of this minute.
    wall: Option<Moment>,
}

/// Where what a desk gives out goes.
pub(super) struct Outlets {
    /// What happened, for the log.
    pub(super) entries: mpsc::Receiver<Entry>,
    /// Told when who has signed in has changed.
    pub(super) sign_ins: watch::Receiver<()>,
}

impl CloudDesk {
    /// `signed_in` had signed in before the server was restarted.
    pub(super) fn new(
        config: Config,
        store: Arc<dyn CallStore>,
        clock: Arc<dyn Clock>,
        signed_in: GoodUntil,
    ) -> anyhow::Result<(Self, Outlets)> {
        let (ledger, entries) = mpsc::channel(BACKLOG);
        let roster = Roster::of(signed_in, clock.now_ms());
        let (sign_ins, kept) = watch::channel(());
        let vault = MemoryVault::default();
        vault.store(config.api_key.as_str(), SecretName::ApiKeySecret, &config.api_secret)?;
        let api = AccountApi::new(
            config.twilio.clone(),
            config.account_sid.clone(),
            config.api_key.clone(),
            Arc::new(vault),
            Arc::clone(&clock),
        );
        let rules = &config.rules;
        let desk = Self {
            home_region: phone_number::region(&config.phone_number).unwrap_or_default(),
            forwards: !rules.incoming.forwards().is_empty(),
            is_limited: rules.outgoing.minutes_per_day.is_some() || rules.outgoing.money_per_day.is_some(),
            state: Mutex::new(State {
                desk: Desk::with(rules.clone()),
                roster,
                live: Live::default(),
                lost: BTreeMap::new(),
                over: VecDeque::new(),
                wall: None,
            }),
            config,
            store,
            clock,
            api: Arc::new(api),
            tally: Tally::default(),
            ledger,
            sign_ins,
        };
        Ok((desk, Outlets { entries, sign_ins: kept }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An agent's token is good until `expires_at_ms`: until then the agent is rung.
    pub(super) fn signed_in(&self, identity: ClientIdentity, expires_at_ms: i64) {
        self.state().roster.signed_in(identity, expires_at_ms);
        self.sign_ins.send_replace(());
    }

    /// Who has signed in, to be kept.
    pub(super) fn good_until(&self) -> GoodUntil {
        self.state().roster.good_until()
    }

    /// Judges a call that `agent` wants to place, and notes it if it may be.
    pub(super) async fn place(
        &self,
        agent: &ClientIdentity,
        call: CallId,
        to: &str,
        caller_id: Option<E164>,
    ) -> Result<Verdict, String> {
        let to = Destination::parse(to, &self.home_region)?;
        let prices = self.prices_for(&to).await;
        let mut state = self.state();
        state.desk.prices.extend(prices);
        let now = self.now(&mut state);
        let outlook = self.outlook(&state, &agent.address(), Some(&to), &now);
        let wish = Wish { by: agent.clone(), call, to, caller_id, confirmed: false };
        Ok(state.desk.place(wish, outlook, now.now_ms))
    }

    /// A row of the log is new or changed.
    pub(super) fn logged(&self, entry: &CallLogEntry) {
        self.state().desk.logged(entry);
    }

    /// A row that an earlier run of the server wrote: a call that has no end there may go on. Whose it is the log
    /// does not say, so Twilio is asked at once.
    pub(super) fn resume(&self, entry: &CallLogEntry, now_ms: i64) {
        if entry.direction == CallDirection::Outgoing
            && entry.ended_at_ms.is_none()
            && let Some(sid) = repair::parent(entry)
        {
            self.state().live.resumed(&sid, entry.started_at_ms, now_ms);
        }
    }

    /// A row of the log proved to be another's, and is gone.
    pub(super) fn unlogged(&self, call: CallId) {
        self.state().desk.unlogged(call);
    }

    /// Agents who are rung, and callers who wait.
    pub(super) fn counts(&self) -> (usize, u32) {
        let now_ms = self.clock.now_ms();
        let mut state = self.state();
        state.desk.look_at_queue(now_ms);
        (state.roster.count(now_ms), state.desk.waiting())
    }

    /// Takes note of something that happened to a call.
    pub(super) fn note(&self, event: CallEvent) {
        let now_ms = self.clock.now_ms();
        {
            let mut state = self.state();
            state.desk.happened(&event, now_ms);
            if let CallEvent::LegStatus { call_sid, parent_call_sid: None, status, .. } = &event
                && status.is_final()
            {
                if state.over.len() >= MOST_OVER {
                    state.over.pop_front();
                }
                state.over.push_back(call_sid.clone());
            }
            if let Some(whose) = state.live.happened(&event, now_ms) {
                state.roster.had_their_turn(identity(&whose));
            }
        }
        self.log(None, event);
    }

    /// Calls that Twilio should be asked about: those of which something was lost, once the log has caught up,
    /// and the agents' own of which nothing was heard for long. One of each in turn, because only the first of
    /// them are asked about each time, and conversations are silent.
    pub(super) fn in_doubt(&self, now_ms: i64) -> Vec<CallSid> {
        let mut guard = self.state();
        let state = &mut *guard;
        state.live.forget_old(now_ms);
        let mut silent = state.live.silent(now_ms).into_iter();
        let caught_up = self.ledger.capacity() > BACKLOG / 2;
        let mut lost = state.lost.iter_mut().filter(|_| caught_up).map(|(call, is_asked)| {
            *is_asked = true;
            call.clone()
        });
        let (mut doubts, mut known) = (Vec::new(), BTreeSet::new());
        loop {
            let pair = [silent.next(), lost.next()];
            if pair.iter().all(Option::is_none) {
                return doubts;
            }
            doubts.extend(pair.into_iter().flatten().filter(|call| known.insert(call.clone())));
        }
    }

    /// Twilio has answered about a call in doubt, with who placed it (such as `client:albert`); `None` where it does
    /// not know the call, which then is not under way. What was lost again meanwhile is asked about again.
    pub(super) fn answered(&self, call: &CallSid, from: Option<&str>, now_ms: i64) {
        let mut state = self.state();
        if state.lost.get(call).is_some_and(|is_asked| *is_asked) {
            state.lost.remove(call);
        }
        match from {
            Some(from) => state.live.is_of(call, from, now_ms),
            None => {
                state.live.ended(call);
            }
        }
    }

    /// Forgets what was of another day, and answers whose prices should be known.
    pub(super) fn look_at_day(&self) -> Vec<E164> {
        let mut state = self.state();
        let now = self.now(&mut state);
        state.desk.look_at_day(&now);
        if self.config.rules.outgoing.money_per_day.is_some() { state.desk.priced(&now) } else { Vec::new() }
    }

    /// What a minute of calls to these numbers costs.
    pub(super) fn learn(&self, prices: Vec<(E164, Money)>) {
        self.state().desk.prices.extend(prices);
    }

    /// Asks what a call to `to` costs, and what is not known yet of today's, where the day's money is limited.
    async fn prices_for(&self, to: &Destination) -> Vec<(E164, Money)> {
        let Destination::Number(number) = to else { return Vec::new() };
        if self.config.rules.outgoing.money_per_day.is_none() {
            return Vec::new();
        }
        let mut numbers = {
            let mut state = self.state();
            let now = self.now(&mut state);
            state.desk.unpriced(&now)
        };
        numbers.retain(|other| other != number);
        numbers.truncate(PRICES_BESIDES);
        numbers.push(number.clone());
        self.api.prices(numbers).await
    }

    /// Passes an event on to the log. Nobody on the line waits for a log that is behind: what it has no room for
    /// is counted, and Twilio is asked about that call later.
    fn log(&self, call: Option<CallId>, event: CallEvent) {
        // Otherwise the server ends, and the log is closed already.
        if let Err(mpsc::error::TrySendError::Full((_, event))) = self.ledger.try_send((call, event)) {
            self.tally.lost_event();
            let mut state = self.state();
            if let Some(call) = asking_leg(&event)
                && (state.lost.len() < MOST_LOST || state.lost.contains_key(call))
            {
                state.lost.insert(call.clone(), false);
            }
        }
    }

    fn begin_now(
        &self,
        request: &VoiceRequest,
        query: &VoiceQuery,
        to: Option<&Destination>,
        prices: Vec<(E164, Money)>,
    ) -> (Instruction, Option<CallEvent>, Option<CallId>) {
        let mut guard = self.state();
        let state = &mut *guard;
        state.desk.prices.extend(prices);
        let now = self.now(state);
        let situation = if is_placed(query) {
            self.agents_situation(state, &query.from, to, &now)
        } else {
            self.callers_situation(state, &now)
        };
        // Not every request in the short form is of a call that is placed: only one that shows our number.
        let short_form = call_flow::is_short_form(query, &situation);
        let situation =
            if query.short_form && !short_form { self.callers_situation(state, &now) } else { situation };
        let mut situation = state.desk.with_intent(query, situation, now.now_ms);
        let noted = situation.permission == Permission::Given;
        let asks = query.from.starts_with("client:") || short_form;
        if asks && !noted {
            let required = self.config.require_intent;
            situation.permission = if required { Permission::Missing } else { Permission::NotAsked };
        }
        let instruction = call_flow::begin(query, &state.desk.rules, &situation);
        let instruction = self.or_refused(state, instruction, situation.permission, now.now_ms);
        // Whoever hung up while the price was awaited is not connected, and nobody will tell their end again.
        if !request.call_sid.as_ref().is_some_and(|sid| state.over.contains(sid)) {
            if let Instruction::Connect(connect) = &instruction {
                note_turns(state, request, query, connect, now.now_ms);
            }
            state.desk.instructed(request.call_sid.as_ref(), &query.from, &instruction, now.now_ms);
        }
        let event = request.routed(&instruction, now.now_ms);
        (instruction, event, query.call_id.filter(|_| noted))
    }

    /// Refuses what a full server cannot connect, and tells of each refusal.
    fn or_refused(
        &self,
        state: &State,
        instruction: Instruction,
        permission: Permission,
        now_ms: i64,
    ) -> Instruction {
        let (why, spoken, reason) = if let Instruction::Refuse { spoken, reason } = instruction {
            if permission == Permission::Missing {
                (Refused::NotAskedFor, spoken, advice::NOT_ASKED_FOR.to_owned())
            } else {
                (Refused::ByRules, spoken, advice::for_server(&reason).into_owned())
            }
        } else if is_counted(&instruction) && self.is_full(state, now_ms) {
            let reason = format!(
                "As many calls are under way as this server may have at once: {}. End one, or raise MOST_CALLS.",
                self.config.most_calls
            );
            (Refused::TooMany, "Too many calls are under way.".to_owned(), reason)
        } else {
            return instruction;
        };
        self.tally.refused(why);
        tracing::warn!(why = why.as_str(), "a call was refused; the call log says more");
        Instruction::Refuse { spoken, reason }
    }
}

/// Whether the call is one that somebody places from here: an agent, or in the seed's short form.
fn is_placed(query: &VoiceQuery) -> bool {
    query.from.starts_with("client:") || query.short_form
}

/// Whether the call is one of those that are limited for the whole server.
fn is_counted(instruction: &Instruction) -> bool {
    let Instruction::Connect(connect) = instruction else { return false };
    let is_emergency = connect.to.iter().any(|to| matches!(to, Destination::Emergency(_)));
    connect.purpose == Purpose::Outgoing && !is_emergency
}

/// `client:albert` is albert.
fn identity(address: &str) -> &str {
    address.strip_prefix("client:").unwrap_or(address)
}

/// Who is connected is not the first in line any more.
fn note_turns(state: &mut State, request: &VoiceRequest, query: &VoiceQuery, connect: &Connect, now_ms: i64) {
    match connect.purpose {
        Purpose::Outgoing | Purpose::TakeNext => {
            if let Some(sid) = &request.call_sid {
                state.live.began(sid, &query.from, now_ms);
            }
            state.roster.had_their_turn(identity(&query.from));
        }
        Purpose::Ring => {
            for to in &connect.to {
                if let Destination::Client(identity) = to {
                    state.roster.had_their_turn(identity.as_str());
                }
            }
        }
        Purpose::Forward => {}
    }
}

/// The leg by which Twilio is asked about the whole call.
fn asking_leg(event: &CallEvent) -> Option<&CallSid> {
    match event {
        CallEvent::LegStatus { call_sid, parent_call_sid, .. } => {
            Some(parent_call_sid.as_ref().unwrap_or(call_sid))
        }
        CallEvent::Routed { call_sid, .. }
        | CallEvent::Dialled { call_sid, .. }
        | CallEvent::Waiting { call_sid, .. }
        | CallEvent::LeftQueue { call_sid, .. }
        | CallEvent::Dequeued { call_sid, .. }
        | CallEvent::Recording { call_sid, .. }
        | CallEvent::Transcribed { call_sid, .. }
        | CallEvent::Conference { call_sid, .. } => Some(call_sid),
        CallEvent::Sdk { call_sid, parent_call_sid, .. } => parent_call_sid.as_ref().or(call_sid.as_ref()),
    }
}

#[async_trait]
impl Calls for CloudDesk {
    async fn begin(&self, request: VoiceRequest) -> Instruction {
        let query = request.query();
        let to = is_placed(&query)
            .then(|| Destination::parse(&call_flow::with_plus(&query.to), &self.home_region).ok())
            .flatten();
        let prices = match &to {
            Some(to) => self.prices_for(to).await,
            None => Vec::new(),
        };
        let (instruction, event, call) = self.begin_now(&request, &query, to.as_ref(), prices);
        if let Some(event) = event {
            self.log(call, event);
        }
        instruction
    }

    async fn go_on(&self, request: VoiceRequest, happened: Happened) -> Instruction {
        let query = request.query();
        let mut guard = self.state();
        let state = &mut *guard;
        let now = self.now(state);
        let situation = match &happened {
            // What follows is the same in every situation.
            Happened::Dialled { purpose: Purpose::Outgoing | Purpose::TakeNext, .. }
            | Happened::Waiting { .. }
            | Happened::MessageTaken => situation::any_situation(&now),
            Happened::Dialled { purpose: Purpose::Ring | Purpose::Forward, .. }
            | Happened::Pressed { .. }
            | Happened::LeftQueue { .. } => self.callers_situation(state, &now),
        };
        let instruction = call_flow::go_on(&query, &happened, &state.desk.rules, &situation);
        if let Instruction::Connect(connect) = &instruction {
            note_turns(state, &request, &query, connect, now.now_ms);
        }
        state.desk.instructed(request.call_sid.as_ref(), &query.from, &instruction, now.now_ms);
        instruction
    }

    async fn happened(&self, event: CallEvent) {
        self.note(event);
    }

    /// Recordings of an agent's own are the desktop's.
    async fn sound(&self, _name: &SoundName) -> Option<Bytes> {
        None
    }

    fn webhook_refused(&self, refused: RefusedWebhook) {
        if let Some(advice) = advice::about_refused_webhooks(refused.reason) {
            tracing::error!(reason = ?refused.reason, count = refused.count, "{advice}");
        }
    }

    fn webhook_accepted(&self) {
        tracing::info!("webhooks are good again");
    }
}
