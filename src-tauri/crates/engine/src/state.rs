//! What the Controller knows, and what follows from it. Pure: every input is an argument.

use std::collections::BTreeMap;

use dialer_domain::call::{CallDirection, CallId, SdkCallEvent};
use dialer_domain::call_flow::{Agents, Permission, Rules, Situation};
use dialer_domain::dial_policy::Outlook;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::identity::ClientIdentity;
use dialer_domain::phone_number::{self, E164};
use dialer_domain::sid::{AccountSid, ApiKeySid, CallSid, TwimlAppSid};
use dialer_domain::token::{Renewal, TokenSpan, renewal};

use crate::api::{
    AgentView, CallReport, CallerIdOption, DeviceReport, DeviceState, Light, LightState, Lights, Notice,
    PageId, PracticeView, Repair, SdkError, SignallingView,
};
use crate::desk::Desk;
use crate::local_time::Moment;

/// The account the phone works with; its secrets stay in the vault under the account SID.
#[derive(Debug, Clone)]
pub struct Account {
    /// Shown in the header.
    pub agent_name: String,
    /// Whom access tokens name.
    pub identity: ClientIdentity,
    /// The account.
    pub account_sid: AccountSid,
    /// The API key that signs access tokens.
    pub api_key_sid: ApiKeySid,
    /// The app whose voice URL our outgoing calls ask.
    pub twiml_app_sid: TwimlAppSid,
    /// Shown to called parties.
    pub caller_id: Option<E164>,
    /// Every number that may be shown: owned and verified ones.
    pub caller_ids: Vec<E164>,
    /// Those of them that the account owns, as far as that is known.
    pub owned_numbers: Vec<E164>,
    /// Whether calls to any number ring here.
    pub rings: bool,
    /// ISO 3166 code of the region in which numbers without a country code are read.
    pub home_region: String,
    /// Where the SDK connects.
    pub signalling: SignallingView,
    /// Practice numbers, in practice mode.
    pub practice: Option<PracticeView>,
}

impl Account {
    /// The header.
    pub fn agent_view(&self) -> AgentView {
        AgentView {
            name: self.agent_name.clone(),
            identity: self.identity.to_string(),
            caller_id: self.caller_id.clone(),
            caller_id_formatted: self.caller_id.as_ref().map(phone_number::format),
            caller_ids: self
                .caller_ids
                .iter()
                .map(|number| CallerIdOption {
                    number: number.clone(),
                    formatted: phone_number::format(number),
                })
                .collect(),
        }
    }
}

/// Whether Twilio's requests reach this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// They do.
    Open,
    /// They will in a moment.
    Opening,
    /// They did, and will again without the agent's doing.
    Restoring(UserError, Option<Repair>),
    /// They do not until something is done.
    Closed(UserError, Option<Repair>),
}

/// What a look at the account found wrong with it, for each direction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Why no call can be placed.
    pub calls_out: Option<(UserError, Repair)>,
    /// Why no call comes in.
    pub calls_in: Option<(UserError, Repair)>,
}

impl Trouble {
    /// One cause that stops calls of either direction.
    pub fn both(error: UserError, repair: Repair) -> Self {
        let trouble = Some((error, repair));
        Self { calls_out: trouble.clone(), calls_in: trouble }
    }
}

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
    device: DeviceReport,
    was_registered: bool,
    line: Line,
    trouble: Trouble,
    token: Option<TokenSpan>,
    renewal_asked_at_ms: Option<i64>,
    calls: BTreeMap<CallId, LiveCall>,
    notices: Vec<Notice>,
    page: Option<PageId>,
}

/// How long an unanswered request for a renewal is given before it is repeated, in milliseconds.
const RENEWAL_RETRY_MS: i64 = 15_000;

impl State {
    /// A phone that has just started.
    pub fn new(account: Account, line: Line, rules: Rules) -> Self {
        Self {
            account,
            desk: Desk::with(rules),
            line,
            trouble: Trouble::default(),
            device: DeviceReport { state: DeviceState::Unregistered, error: None },
            was_registered: false,
            token: None,
            renewal_asked_at_ms: None,
            calls: BTreeMap::new(),
            notices: Vec::new(),
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

    /// The standing notices, oldest first. Two causes with one sentence are one notice: a computer
    /// without a sound system lacks microphone and loudspeaker alike.
    pub fn notices(&self) -> Vec<Notice> {
        let mut shown: Vec<Notice> = Vec::new();
        for notice in &self.notices {
            if shown.iter().all(|other| other.error.message != notice.error.message) {
                shown.push(notice.clone());
            }
        }
        shown
    }

    /// What decisions about calls need to know at `now`. `asking` is the call the question is about: it is
    /// itself one of the live calls and does not make the line busy.
    pub(crate) fn situation(&self, asking: Option<CallId>, now: &Moment) -> Situation {
        let outlook = self.outlook(asking, now);
        Situation {
            agents: Agents::One {
                identity: self.account.identity.clone(),
                reachable: self.device.state == DeviceState::Registered,
            },
            busy: outlook.calls_under_way > 0,
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
        let others = self.calls.keys().filter(|id| Some(**id) != asking).count();
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
        if report.state == DeviceState::Registered {
            self.was_registered = true;
        }
        self.device = report;
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
        self.device = DeviceReport { state: DeviceState::Unregistered, error: None };
        self.was_registered = false;
        Some(self.end_calls())
    }

    /// Every live call, which is live no more.
    pub fn end_calls(&mut self) -> Vec<LiveCall> {
        std::mem::take(&mut self.calls).into_values().collect()
    }

    /// The way of Twilio's requests to this computer changed.
    pub fn line_changed(&mut self, line: Line) {
        self.line = line;
    }

    /// The account was looked at.
    pub fn trouble_changed(&mut self, trouble: Trouble) {
        self.trouble = trouble;
    }

    /// A token was issued.
    pub fn token_issued(&mut self, token: TokenSpan) {
        self.token = Some(token);
    }

    /// Whether the SDK should be given a new token now. Asks again when nothing came of the last time.
    pub fn renewal_due(&mut self, now_ms: i64) -> bool {
        let Some(token) = self.token else { return false };
        let in_call = !self.calls.is_empty();
        if renewal(now_ms, token, in_call) != Renewal::Now || self.asked_lately(now_ms) {
            return false;
        }
        self.renewal_asked_at_ms = Some(now_ms);
        true
    }

    /// Whether a refused token should be replaced now. A good key cures it at once; a bad one would be
    /// refused as fast as tokens can be minted.
    pub fn renewal_after_refusal(&mut self, now_ms: i64) -> bool {
        if self.asked_lately(now_ms) {
            return false;
        }
        self.renewal_asked_at_ms = Some(now_ms);
        true
    }

    fn asked_lately(&self, now_ms: i64) -> bool {
        self.renewal_asked_at_ms.is_some_and(|at| (0..RENEWAL_RETRY_MS).contains(&(now_ms - at)))
    }

    /// Puts up a notice, replacing one of the same id. Answers whether anything changed.
    pub fn raise(&mut self, notice: Notice) -> bool {
        if self.notices.contains(&notice) {
            return false;
        }
        match self.notices.iter_mut().find(|n| n.id == notice.id) {
            Some(old) => *old = notice,
            None => self.notices.push(notice),
        }
        true
    }

    /// Takes a notice down because its cause is gone. Answers whether it was there.
    pub fn clear(&mut self, id: &str) -> bool {
        let before = self.notices.len();
        self.notices.retain(|n| n.id != id);
        before != self.notices.len()
    }

    /// Takes a notice down at the agent's wish, with every other of the same sentence. Answers whether
    /// it was there and dismissible.
    pub fn dismiss(&mut self, id: &str) -> bool {
        let Some(message) = self.notices.iter().find(|n| n.id == id).map(|n| n.error.message.clone()) else {
            return false;
        };
        let before = self.notices.len();
        self.notices.retain(|n| n.error.message != message || !n.dismissible);
        before != self.notices.len()
    }

    /// The two lights. They fail separately: without a caller id nobody can be called, but the phone
    /// rings. Both need the line: Twilio asks this computer what to do with a call of either direction.
    pub fn lights(&self) -> Lights {
        let common = || line_light(&self.line).unwrap_or_else(|| self.device_light());
        let of = |trouble: &Option<(UserError, Repair)>, missing: Option<&str>| match (trouble, missing) {
            (Some((error, repair)), _) => not_reachable(&error.message, Some(*repair)),
            (None, Some(reason)) => not_reachable(reason, Some(Repair::ChooseNumbers)),
            (None, None) => common(),
        };
        let no_caller_id = self
            .account
            .caller_id
            .is_none()
            .then_some("No outgoing number has been chosen. Choose the number that called parties see.");
        let no_number =
            (!self.account.rings).then_some("No number rings on this computer. Choose one of your numbers.");
        Lights {
            calls_out: of(&self.trouble.calls_out, no_caller_id),
            calls_in: of(&self.trouble.calls_in, no_number),
        }
    }

    fn device_light(&self) -> Light {
        // In practice there is no set-up to run again.
        let repair = self.account.practice.is_none().then_some(Repair::RunSetUp);
        match (self.device.state, self.device.error.as_ref()) {
            (DeviceState::Registered, _) => light(LightState::Ready),
            (_, Some(error)) => match token_refusal(error) {
                Some(refusal) => not_reachable(&refusal.message, repair),
                // The page's own sentence, such as a keychain that did not give the key out.
                None if error.code == 0 => not_reachable(&error.message, repair),
                None => connecting(self.was_registered),
            },
            (DeviceState::Reconnecting, None) => connecting(self.was_registered),
            (DeviceState::Unregistered | DeviceState::Registering | DeviceState::Destroyed, None) => {
                if self.was_registered { connecting(true) } else { light(LightState::Starting) }
            }
        }
    }
}

fn light(state: LightState) -> Light {
    Light { state, reason: None, repair: None }
}

fn line_light(line: &Line) -> Option<Light> {
    match line {
        Line::Open => None,
        Line::Opening => Some(light(LightState::Starting)),
        Line::Restoring(error, repair) => Some(Light {
            state: LightState::Reconnecting,
            reason: Some(error.message.clone()),
            repair: *repair,
        }),
        Line::Closed(error, repair) => Some(not_reachable(&error.message, *repair)),
    }
}

fn not_reachable(reason: &str, repair: Option<Repair>) -> Light {
    Light { state: LightState::NotReachable, reason: Some(reason.to_owned()), repair }
}

fn connecting(was_registered: bool) -> Light {
    let reason = if was_registered {
        "The connection to the phone service was lost. It is being restored by itself."
    } else {
        "The phone service cannot be reached. Check the network connection; it is tried again by itself."
    };
    Light { state: LightState::Reconnecting, reason: Some(reason.into()), repair: None }
}

/// The sentence for an SDK error that no amount of waiting cures: Twilio refused the token.
///
/// Codes: Twilio, "Error and Warning Dictionary"; the 312xx are the Voice SDK's own.
pub fn token_refusal(error: &SdkError) -> Option<UserError> {
    let message = match error.code {
        20104 | 31205 => {
            "Twilio says the session has expired. Check that this computer's clock is right; a new session is being requested."
        }
        20105 => {
            "Twilio says the session is not valid yet. This computer's clock is wrong: set it, then restart the program."
        }
        20157 | 31207 => {
            "Twilio refused the session because it was asked to last too long. Please report this."
        }
        // The SDK turns Twilio's 31204 into 20101 for every defect of a token, a wrong clock included.
        20101 | 31204 => {
            "Twilio refused the session. Check that this computer's clock is right. If it is, the saved key was deleted or belongs to another account: connect the account again."
        }
        20102 | 20103 | 20106 | 20107 | 20151 | 31201..=31203 => {
            "Twilio refused the saved key. The key may have been deleted, or it belongs to another account: connect the account again."
        }
        _ => return None,
    };
    Some(
        UserError::new(ErrorCode::TokenRejected, message)
            .with_detail(format!("{} {}", error.code, error.message)),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed expectation is the test's failure")]
mod tests {
    use super::*;

    fn account() -> Account {
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

    fn device(state: DeviceState, code: Option<u32>) -> DeviceReport {
        DeviceReport { state, error: code.map(|code| SdkError { code, message: String::new() }) }
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
    fn lights_follow_the_device() {
        let mut state = state();
        assert_eq!(state.lights().calls_in.state, LightState::Starting);
        state.device_reported(device(DeviceState::Registered, None));
        assert_eq!(state.lights().calls_in.state, LightState::Ready);
        assert_eq!(state.lights().calls_out.state, LightState::Ready);
        state.device_reported(device(DeviceState::Reconnecting, None));
        assert_eq!(state.lights().calls_in.state, LightState::Reconnecting);
        for code in [20101, 20105, 31204] {
            state.device_reported(device(DeviceState::Unregistered, Some(code)));
            let light = state.lights().calls_in;
            assert_eq!(light.state, LightState::NotReachable);
            assert!(light.reason.unwrap().contains("clock"), "{code}");
        }
    }

    #[test]
    fn a_first_sign_in_that_fails_says_so() {
        let mut state = state();
        state.device_reported(device(DeviceState::Registering, Some(31003)));
        let light = state.lights().calls_in;
        assert_eq!(light.state, LightState::Reconnecting);
        assert!(light.reason.unwrap().contains("network"));
        let error = Some(SdkError { code: 0, message: "The keychain is locked.".into() });
        state.device_reported(DeviceReport { state: DeviceState::Unregistered, error });
        assert_eq!(state.lights().calls_in.reason.as_deref(), Some("The keychain is locked."));
    }

    #[test]
    fn a_refused_token_is_replaced_but_not_at_full_speed() {
        let mut state = state();
        assert!(state.renewal_after_refusal(1_000));
        assert!(!state.renewal_after_refusal(2_000));
        assert!(state.renewal_after_refusal(17_000));
    }

    #[test]
    fn the_lights_fail_separately() {
        let mut state = State::new(Account { caller_id: None, ..account() }, Line::Open, Rules::default());
        state.device_reported(device(DeviceState::Registered, None));
        assert_eq!(state.lights().calls_in.state, LightState::Ready);
        assert_eq!(state.lights().calls_out.state, LightState::NotReachable);
    }

    #[test]
    fn a_renewal_is_asked_once_and_repeated_when_nothing_came() {
        let mut state = state();
        state.token_issued(TokenSpan { issued_at_ms: 0, expires_at_ms: 3_600_000 });
        assert!(!state.renewal_due(1_000_000));
        assert!(state.renewal_due(3_000_000));
        assert!(!state.renewal_due(3_005_000));
        assert!(state.renewal_due(3_016_000));
        state.token_issued(TokenSpan { issued_at_ms: 3_016_000, expires_at_ms: 6_616_000 });
        assert!(!state.renewal_due(3_032_000));
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
    fn notices_replace_and_dismiss() {
        let notice = |message: &str, dismissible| Notice {
            id: "microphone".into(),
            error: UserError::new(ErrorCode::MicrophoneMissing, message),
            dismissible,
        };
        let mut state = state();
        assert!(state.raise(notice("a", false)));
        assert!(!state.raise(notice("a", false)));
        assert!(state.raise(notice("b", false)));
        assert_eq!(state.notices().len(), 1);
        assert!(!state.dismiss("microphone"));
        assert!(state.raise(notice("b", true)));
        assert!(state.dismiss("microphone"));
        assert!(!state.clear("microphone"));
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
    fn one_sentence_is_one_notice() {
        let notice = |id: &str| Notice {
            id: id.into(),
            error: UserError::new(ErrorCode::MicrophoneMissing, "no sound system"),
            dismissible: true,
        };
        let mut state = state();
        state.raise(notice("microphone"));
        state.raise(notice("speaker"));
        assert_eq!(state.notices().len(), 1);
        state.clear("microphone");
        assert_eq!(state.notices().len(), 1, "the loudspeaker is still missing");
        state.raise(notice("microphone"));
        assert!(state.dismiss("speaker"));
        assert!(state.notices().is_empty());
    }
}
