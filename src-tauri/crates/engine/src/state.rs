//! What the Controller knows, and what follows from it. Pure: every input is an argument.

use std::collections::{BTreeMap, BTreeSet};

use dialer_domain::call::{CallDirection, CallEvent, CallId, SdkCallEvent};
use dialer_domain::call_flow::{self, Agents, Instruction, Permission, Rules, Situation, Taken, VoiceQuery};
use dialer_domain::dial_policy::Outlook;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::CallSid;
use dialer_domain::token::TokenSpan;

use crate::api::{CallReport, DeviceReport, Lights, Notice, PageId};
use crate::desk::Desk;
use crate::local_time::Moment;

mod account;
mod notices;
mod placed;
mod reach;
mod renewals;

pub use account::Account;
pub use reach::{Line, Trouble, token_refusal};

use notices::Notices;
use placed::Placed;
use reach::Reach;
use renewals::Renewals;

/// What a call is doing, as the SDK last said.
///
/// ```text
///  Dialing ──▶ Ringing ──▶ Connected ⇄ Reconnecting
///     │           │            │            │
///  Incoming ──────┴────────────┴────────────┴──▶ (removed: the call log keeps it)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPhase {
    /// `connect()` was called.
    Dialing,
    /// The far end rings.
    Ringing,
    /// An incoming call rings here.
    Incoming,
    /// The two parties can speak.
    Connected,
    /// Signalling or media was lost.
    Reconnecting,
}

/// A call that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveCall {
    /// Our name of it.
    pub id: CallId,
    /// Who started it.
    pub direction: CallDirection,
    /// What it is doing.
    pub phase: CallPhase,
    /// The agent leg, once known.
    pub call_sid: Option<CallSid>,
    /// The other party.
    pub peer: String,
}

/// Everything the Controller task owns.
#[derive(Debug)]
pub struct State {
    account: Account,
    /// What decisions about calls need to know besides.
    pub(crate) desk: Desk,
    reach: Reach,
    renewals: Renewals,
    calls: BTreeMap<CallId, LiveCall>,
    placed: Placed,
    notices: Notices,
    page: Option<PageId>,
}

impl State {
    /// A phone that has just started.
    pub fn new(account: Account, line: Line, rules: Rules) -> Self {
        Self {
            account,
            desk: Desk::with(rules),
            reach: Reach::new(line),
            renewals: Renewals::default(),
            calls: BTreeMap::new(),
            placed: Placed::default(),
            notices: Notices::default(),
            page: None,
        }
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The calls that are not over, oldest `CallId` first.
    pub fn calls(&self) -> impl Iterator<Item = &LiveCall> {
        self.calls.values()
    }

    /// The standing notices, oldest first.
    pub fn notices(&self) -> Vec<Notice> {
        self.notices.shown()
    }

    /// What decisions about calls need to know at `now`. `asking` is the call the question is about: it is
    /// itself one of the live calls and does not make the line busy.
    pub(crate) fn situation(&self, asking: Option<CallId>, now: &Moment) -> Situation {
        let outlook = self.outlook(asking, now);
        Situation {
            agents: Agents::One {
                identity: self.account.identity.clone(),
                reachable: self.reach.is_registered(),
            },
            busy: self.calls.keys().any(|id| Some(*id) != asking),
            do_not_disturb: self.desk.do_not_disturb,
            local: now.local,
            app: Some(self.account.twiml_app_sid.clone()),
            waiting: self.desk.waiting(),
            // Until an intent is found.
            permission: Permission::Missing,
            outlook,
        }
    }

    /// What outgoing calls depend on at `now`.
    pub(crate) fn outlook(&self, asking: Option<CallId>, now: &Moment) -> Outlook {
        // The page forgets calls when it is reloaded; Twilio and this program do not.
        let calls: BTreeSet<CallId> =
            self.calls.keys().copied().chain(self.placed.open(now.now_ms)).collect();
        let others = calls.into_iter().filter(|id| Some(*id) != asking).count();
        Outlook {
            home_region: self.account.home_region.clone(),
            caller_id: self.account.caller_id.clone(),
            usable_caller_ids: self.account.caller_ids.clone(),
            owned_numbers: self.account.owned_numbers.clone(),
            calls_under_way: u32::try_from(others).unwrap_or(u32::MAX),
            forwards_under_way: self.desk.forwards_under_way(now.now_ms),
            spent: self.desk.spent(now),
            prices: self.desk.prices.clone(),
            confirmed: false,
        }
    }

    /// Which rule takes a call from `from` at `now`; `None` where the phone rings.
    pub(crate) fn taken_by(&self, from: &E164, now: &Moment) -> Option<Taken> {
        let query = VoiceQuery {
            from: from.to_string(),
            to: self.account.caller_id.as_ref().map(E164::to_string).unwrap_or_default(),
            call_id: None,
            short_form: false,
            placed_by_account: false,
            forwarded_from: None,
            app: None,
        };
        call_flow::taken_by(&query, &self.desk.rules, &self.situation(None, now))
    }

    /// The numbers that may be shown to called parties changed.
    pub fn caller_ids_changed(&mut self, owned: Vec<E164>, verified: Vec<E164>) {
        let mut usable: Vec<E164> = owned.iter().chain(&verified).cloned().collect();
        usable.sort();
        usable.dedup();
        self.account.owned_numbers = owned;
        self.account.caller_ids = usable;
    }

    /// Takes in what the SDK's Device says.
    pub fn device_reported(&mut self, report: DeviceReport) {
        self.reach.device_reported(report);
    }

    /// Takes in what happened to a call.
    pub fn call_reported(&mut self, report: &CallReport) {
        let phase = match &report.what {
            SdkCallEvent::Dialing => CallPhase::Dialing,
            SdkCallEvent::Ringing => CallPhase::Ringing,
            SdkCallEvent::Incoming => CallPhase::Incoming,
            SdkCallEvent::Accepted | SdkCallEvent::Reconnected => CallPhase::Connected,
            SdkCallEvent::Reconnecting => CallPhase::Reconnecting,
            SdkCallEvent::HungUp
            | SdkCallEvent::Declined
            | SdkCallEvent::CanceledByCaller
            | SdkCallEvent::Ended
            | SdkCallEvent::Failed { .. } => {
                self.calls.remove(&report.call);
                return;
            }
        };
        let call = self.calls.entry(report.call).or_insert_with(|| LiveCall {
            id: report.call,
            direction: report.direction,
            phase,
            call_sid: None,
            peer: report.peer.clone(),
        });
        call.phase = phase;
        if report.call_sid.is_some() {
            call.call_sid.clone_from(&report.call_sid);
        }
    }

    /// A page asks how things stand. If it is another than the last, what the last page held is gone
    /// with it: answers with the calls that ended so; `None` for a page that merely asks again.
    pub fn page_asked(&mut self, page: PageId) -> Option<Vec<LiveCall>> {
        if self.page.replace(page) == Some(page) {
            return None;
        }
        self.reach.device_gone();
        Some(self.end_calls())
    }

    /// The page that asked last how things stand.
    pub fn page(&self) -> Option<PageId> {
        self.page
    }

    /// Every live call, which is live no more.
    pub fn end_calls(&mut self) -> Vec<LiveCall> {
        std::mem::take(&mut self.calls).into_values().collect()
    }

    /// Takes in what a call of the agent's that asked was told to do.
    pub(crate) fn instructed(
        &mut self,
        query: &VoiceQuery,
        leg: Option<&CallSid>,
        instruction: &Instruction,
        now_ms: i64,
    ) {
        self.desk.instructed(leg, &query.from, instruction, now_ms);
        if let (Some(call), Some(leg), Instruction::Connect(connect)) = (query.call_id, leg, instruction) {
            self.placed.connected(call, leg, connect, now_ms);
        }
    }

    /// Takes in what a webhook says at `now_ms`.
    pub(crate) fn happened(&mut self, event: &CallEvent, now_ms: i64) {
        self.desk.happened(event, now_ms);
        self.placed.happened(event);
    }

    /// Whether a call that the page is done with is not over at Twilio, as far as is known.
    pub(crate) fn call_is_ending(&self, now_ms: i64) -> bool {
        self.placed.open(now_ms).any(|call| !self.calls.contains_key(&call))
    }

    /// The way of Twilio's requests to this computer changed.
    pub fn line_changed(&mut self, line: Line) {
        self.reach.line = line;
    }

    /// The account was looked at.
    pub fn trouble_changed(&mut self, trouble: Trouble) {
        self.reach.trouble = trouble;
    }

    /// A token was issued.
    pub fn token_issued(&mut self, token: TokenSpan) {
        self.renewals.issued(token);
    }

    /// Whether the SDK should be given a new token now. Asks again when nothing came of the last time.
    pub fn renewal_due(&mut self, now_ms: i64) -> bool {
        self.renewals.due(!self.calls.is_empty(), now_ms)
    }

    /// Whether a refused token should be replaced now.
    pub fn renewal_after_refusal(&mut self, now_ms: i64) -> bool {
        self.renewals.after_refusal(now_ms)
    }

    /// Puts up a notice, replacing one of the same id. Answers whether anything changed.
    pub fn raise(&mut self, notice: Notice) -> bool {
        self.notices.raise(notice)
    }

    /// Takes a notice down because its cause is gone. Answers whether it was there.
    pub fn clear(&mut self, id: &str) -> bool {
        self.notices.clear(id)
    }

    /// Takes a notice down at the agent's wish, with every other of the same sentence. Answers whether
    /// it was there and dismissible.
    pub fn dismiss(&mut self, id: &str) -> bool {
        self.notices.dismiss(id)
    }

    /// The two lights.
    pub fn lights(&self) -> Lights {
        self.reach.lights(&self.account)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use dialer_domain::call::CallStatus;
    use dialer_domain::call_flow::{Connect, Purpose};
    use dialer_domain::destination::Destination;
    use dialer_domain::dial_policy::Verdict;
    use dialer_domain::identity::ClientIdentity;
    use dialer_domain::incoming::Answer;
    use dialer_domain::sid::{AccountSid, ApiKeySid, TwimlAppSid};

    use super::*;
    use crate::api::SignallingView;
    use crate::desk::Wish;

    pub(super) fn account() -> Account {
        Account {
            agent_name: "Practice".into(),
            identity: ClientIdentity::parse("agent_1").unwrap(),
            account_sid: AccountSid::from_bytes([1; 16]),
            api_key_sid: ApiKeySid::from_bytes([2; 16]),
            twiml_app_sid: TwimlAppSid::from_bytes([3; 16]),
            caller_id: Some(E164::parse_strict("+12025550100").unwrap()),
            caller_ids: vec![E164::parse_strict("+12025550100").unwrap()],
            owned_numbers: vec![E164::parse_strict("+12025550100").unwrap()],
            rings: true,
            home_region: "US".into(),
            signalling: SignallingView::Practice { host: "127.0.0.1:1".into() },
            practice: None,
        }
    }

    fn state() -> State {
        State::new(account(), Line::Open, Rules::default())
    }

    fn is_busy(state: &State) -> bool {
        state.situation(None, &crate::local_time::moment(0, None)).busy
    }

    fn call(n: u8, what: SdkCallEvent) -> CallReport {
        CallReport {
            call: CallId(uuid::Uuid::from_bytes([n; 16])),
            direction: CallDirection::Outgoing,
            call_sid: None,
            parent_call_sid: None,
            peer: "+12025550101".into(),
            our_number: None,
            what,
        }
    }

    #[test]
    fn a_call_defers_the_renewal() {
        let mut state = state();
        state.token_issued(TokenSpan { issued_at_ms: 0, expires_at_ms: 3_600_000 });
        state.call_reported(&call(1, SdkCallEvent::Accepted));
        assert!(!state.renewal_due(3_000_000));
        state.call_reported(&call(1, SdkCallEvent::Ended));
        assert!(state.renewal_due(3_000_000));
    }

    #[test]
    fn a_call_lives_until_any_end() {
        for end in [
            SdkCallEvent::HungUp,
            SdkCallEvent::CanceledByCaller,
            SdkCallEvent::Failed { code: 31005, message: String::new() },
        ] {
            let mut state = state();
            state.call_reported(&call(1, SdkCallEvent::Dialing));
            assert!(is_busy(&state));
            state.call_reported(&call(1, end));
            assert!(!is_busy(&state));
        }
    }

    #[test]
    fn a_page_that_asks_again_keeps_its_call_and_another_ends_it() {
        let page = |n: u8| PageId(uuid::Uuid::from_bytes([n; 16]));
        let mut state = state();
        assert_eq!(state.page_asked(page(1)), Some(Vec::new()));
        state.call_reported(&call(1, SdkCallEvent::Accepted));
        assert_eq!(state.page_asked(page(1)), None);
        assert!(is_busy(&state));
        assert_eq!(state.page_asked(page(2)).map(|ended| ended.len()), Some(1));
        assert!(!is_busy(&state));
    }

    #[test]
    fn the_rule_that_takes_a_caller_is_told() {
        let now = crate::local_time::moment(1_000, None);
        let from = E164::parse_strict("+12025550107").unwrap();
        let mut state = state();
        let path = |state: &State| state.taken_by(&from, &now).map(|taken| taken.path);
        assert_eq!(path(&state).as_deref(), Some("incoming.offline"), "no page has signed in");
        state.device_reported(DeviceReport { state: crate::api::DeviceState::Registered, error: None });
        assert_eq!(path(&state), None, "the phone rings");
        state.call_reported(&call(1, SdkCallEvent::Accepted));
        assert_eq!(path(&state).as_deref(), Some("incoming.busy"));
        state.desk.do_not_disturb = true;
        assert_eq!(path(&state).as_deref(), Some("incoming.do_not_disturb"));
        state.desk.rules.incoming.open = Answer::Menu;
        let taken = state.taken_by(&from, &now);
        assert_eq!(taken, Some(Taken { path: "incoming.open".into(), answer: Answer::Menu }));
    }

    #[test]
    fn a_reload_of_the_page_leaves_no_room_for_more_calls() {
        let mut state = state();
        state.desk.rules.outgoing.most_calls = 1;
        let page = |n: u8| PageId(uuid::Uuid::from_bytes([n; 16]));
        let now = crate::local_time::moment(1_000, None);
        let place = |state: &mut State, n: u8| {
            let call = CallId(uuid::Uuid::from_bytes([n; 16]));
            let to = Destination::parse("+12025550123", "US").unwrap();
            let by = ClientIdentity::parse("agent_1").unwrap();
            let wish = Wish { by, call, to, caller_id: None, confirmed: false };
            let outlook = state.outlook(Some(call), &now);
            state.desk.place(wish, outlook, now.now_ms)
        };
        state.page_asked(page(1));
        assert!(matches!(place(&mut state, 1), Verdict::Allowed { .. }));
        state.call_reported(&call(1, SdkCallEvent::Accepted));
        let query = VoiceQuery {
            from: "client:agent_1".into(),
            to: "+12025550123".into(),
            call_id: Some(CallId(uuid::Uuid::from_bytes([1; 16]))),
            short_form: false,
            placed_by_account: false,
            forwarded_from: None,
            app: None,
        };
        let connect = Connect {
            to: vec![Destination::parse("+12025550123", "US").unwrap()],
            caller_id: None,
            ring_s: 25,
            time_limit_s: 600,
            purpose: Purpose::Outgoing,
        };
        let leg = CallSid::from_bytes([1; 16]);
        state.instructed(&query, Some(&leg), &Instruction::Connect(connect), now.now_ms);
        assert_eq!(state.outlook(None, &now).calls_under_way, 1, "one call, known from both sides");
        assert!(!state.call_is_ending(now.now_ms));

        state.page_asked(page(2));
        assert!(matches!(place(&mut state, 2), Verdict::Refused(_)), "Twilio has not said that it is over");
        assert!(state.call_is_ending(now.now_ms));
        assert!(!is_busy(&state), "callers ring: no call is on the new page");

        let over = CallEvent::LegStatus {
            call_sid: leg,
            parent_call_sid: None,
            status: CallStatus::Completed,
            role: None,
            sequence: None,
            at_ms: 2_000,
            duration_s: Some(1),
            error_code: None,
        };
        state.happened(&over, 2_000);
        assert!(!state.call_is_ending(now.now_ms));
        assert!(matches!(place(&mut state, 2), Verdict::Allowed { .. }));
    }
}
