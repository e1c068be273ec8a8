//! One task owns the state; everything else sends it a [`Request`].

use std::sync::Arc;

use dialer_domain::call::{CallEvent, CallId, SdkCallEvent};
use dialer_domain::call_flow::{self, Happened, Instruction, Permission, Rules, Taken};
use dialer_domain::call_log::CallLogEntry;
use dialer_domain::dial_policy::{Spent, Verdict};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::money::Money;
use dialer_domain::phone_number::E164;
use dialer_domain::ports::Clock;
use dialer_domain::token::TokenSpan;
use dialer_media::api::{DeviceKind, VoiceEvent};
use dialer_twilio::webhook::VoiceRequest;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::api::{
    ActionRequest, AgentView, CallReport, DeviceReport, HostEvent, Lights, Notice, PageId, QueueView,
};
use crate::desk::Wish;
use crate::ledger;
use crate::local_time::{Moment, moment};
use crate::state::{Account, Line, LiveCall, State, Trouble, token_refusal};

/// How often the token's age is looked at. Short, because a computer that slept must notice soon.
const TOKEN_LOOK: std::time::Duration = std::time::Duration::from_secs(5);

/// What the Controller can be asked or told.
#[derive(Debug)]
pub enum Request {
    /// A page wants to know how things stand.
    Attach {
        /// Which.
        page: PageId,
        /// Where the answer goes.
        reply: oneshot::Sender<Standing>,
    },
    /// The account, for whoever mints a token or reads a number.
    Account(oneshot::Sender<Account>),
    /// A token was issued.
    TokenIssued(TokenSpan),
    /// The SDK's Device changed.
    Device(DeviceReport),
    /// Something happened to a call.
    Call(CallReport),
    /// The agent wants to place a call.
    Place {
        /// Which.
        wish: Wish,
        /// What a minute of calls to these numbers costs, in millionths of the account's currency.
        prices: Vec<(E164, Money)>,
        /// Where the verdict goes.
        reply: oneshot::Sender<Verdict>,
    },
    /// What a minute of calls to these numbers costs.
    Prices(Vec<(E164, Money)>),
    /// Numbers called today, or that callers are passed on to, whose price is not known.
    Unpriced(oneshot::Sender<Vec<E164>>),
    /// What today's calls came to.
    Spent(oneshot::Sender<Spent>),
    /// The rules of calls are others now.
    Rules(Box<Rules>),
    /// The rules of calls, for whoever needs them.
    AskRules(oneshot::Sender<Rules>),
    /// Whether the agent wants to be disturbed.
    DoNotDisturb(bool),
    /// The numbers that may be shown to called parties.
    CallerIds {
        /// Those of the account.
        owned: Vec<E164>,
        /// Others, verified.
        verified: Vec<E164>,
    },
    /// A row of the log is new or changed.
    Logged(Box<CallLogEntry>),
    /// A row of the log is gone.
    Unlogged(CallId),
    /// Which rule would take a caller in place of the phone.
    TakenBy {
        /// The caller.
        from: E164,
        /// Where the answer goes; nothing where the phone rings.
        reply: oneshot::Sender<Option<Taken>>,
    },
    /// Twilio asks what a call that begins should do.
    Begin {
        /// What it says about the call.
        request: VoiceRequest,
        /// Where the answer goes.
        reply: oneshot::Sender<Instruction>,
    },
    /// Twilio asks how a call goes on.
    GoOn {
        /// What it says about the call.
        request: VoiceRequest,
        /// What came of the last instruction.
        happened: Happened,
        /// Where the answer goes.
        reply: oneshot::Sender<Instruction>,
    },
    /// A webhook says what happened to a call.
    Happened(CallEvent),
    /// The way of Twilio's requests to this computer changed.
    Line(Line),
    /// The account was looked at.
    Trouble(Trouble),
    /// Put up a notice.
    Raise(Notice),
    /// Take a notice down: its cause is gone.
    Clear(String),
    /// Take a notice down at the agent's wish.
    Dismiss(String),
    /// The native voice engine speaks.
    Voice(VoiceEvent),
    /// Run an action in the window.
    Act(ActionRequest),
    /// Look whether the token must be renewed.
    LookAtToken,
    /// The program ends: write off the live calls and close the log's queue.
    Close(oneshot::Sender<()>),
}

/// How things stand, for a page that asks.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Whether the page is another than the one that asked last.
    pub new_page: bool,
    /// The account.
    pub account: Account,
    /// The lights.
    pub lights: Lights,
    /// The notices.
    pub notices: Vec<Notice>,
    /// Whether the agent does not want to be disturbed.
    pub do_not_disturb: bool,
    /// Who waits in the queue.
    pub queue: QueueView,
}

/// The part of the state that others may watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The page that asked last; another one means that it is gone.
    pub page: Option<PageId>,
    /// The header.
    pub agent: AgentView,
    /// The lights.
    pub lights: Lights,
    /// The calls that are not over.
    pub calls: Vec<LiveCall>,
    /// Whether a call that is none of them any more is not over at Twilio, as far as is known.
    pub call_is_ending: bool,
    /// Whether the agent does not want to be disturbed.
    pub do_not_disturb: bool,
    /// Who waits in the queue.
    pub queue: QueueView,
}

pub(crate) struct Controller {
    state: State,
    clock: Arc<dyn Clock>,
    /// `None` once the program ends.
    ledger: Option<mpsc::UnboundedSender<ledger::Entry>>,
    events: broadcast::Sender<HostEvent>,
    view: watch::Sender<View>,
}

impl Controller {
    pub(crate) fn new(
        account: Account,
        line: Line,
        rules: Rules,
        clock: Arc<dyn Clock>,
        ledger: mpsc::UnboundedSender<ledger::Entry>,
        events: broadcast::Sender<HostEvent>,
    ) -> (Self, watch::Receiver<View>) {
        let state = State::new(account, line, rules);
        let (view, seen) = watch::channel(view_of(&state, clock.now_ms()));
        (Self { state, clock, ledger: Some(ledger), events, view }, seen)
    }

    /// Serves requests until every sender is gone.
    pub(crate) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        let mut look = tokio::time::interval(TOKEN_LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let request = tokio::select! {
                request = requests.recv() => match request {
                    Some(request) => request,
                    None => return,
                },
                _ = look.tick() => Request::LookAtToken,
            };
            self.serve(request);
            self.publish();
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Attach { page, reply } => self.attach(page, reply),
            Request::Account(reply) => {
                let _ = reply.send(self.state.account().clone());
            }
            Request::TokenIssued(token) => self.state.token_issued(token),
            Request::Device(report) => self.device_reported(report),
            Request::Call(report) => self.call_reported(report),
            Request::TakenBy { from, reply } => {
                let _ = reply.send(self.state.taken_by(&from, &self.now()));
            }
            Request::Begin { request, reply } => self.begin(&request, reply),
            Request::GoOn { request, happened, reply } => {
                let _ = reply.send(self.go_on(&request, &happened));
            }
            Request::Happened(event) => {
                self.state.happened(&event, self.clock.now_ms());
                self.log(None, event);
            }
            Request::Place { wish, prices, reply } => {
                self.state.desk.prices.extend(prices);
                let now = self.now();
                let outlook = self.state.outlook(Some(wish.call), &now);
                let _ = reply.send(self.state.desk.place(wish, outlook, now.now_ms));
            }
            Request::Prices(prices) => self.state.desk.prices.extend(prices),
            Request::Unpriced(reply) => {
                let _ = reply.send(self.state.desk.unpriced(&self.now()));
            }
            Request::Spent(reply) => {
                let _ = reply.send(self.state.desk.spent(&self.now()));
            }
            Request::Rules(rules) => self.state.desk.rules = *rules,
            Request::AskRules(reply) => {
                let _ = reply.send(self.state.desk.rules.clone());
            }
            Request::DoNotDisturb(on) => self.state.desk.do_not_disturb = on,
            Request::CallerIds { owned, verified } => self.state.caller_ids_changed(owned, verified),
            Request::Logged(entry) => self.state.desk.logged(&entry),
            Request::Unlogged(call) => self.state.desk.unlogged(call),
            Request::Line(line) => self.state.line_changed(line),
            Request::Trouble(trouble) => self.state.trouble_changed(trouble),
            Request::Raise(notice) => {
                let changed = self.state.raise(notice);
                self.notices_changed(changed);
            }
            Request::Clear(id) => {
                let changed = self.state.clear(&id);
                self.notices_changed(changed);
            }
            Request::Dismiss(id) => {
                let changed = self.state.dismiss(&id);
                self.notices_changed(changed);
            }
            Request::Voice(event) => self.voice(event),
            Request::Act(action) => self.emit(HostEvent::ActionRequested(action)),
            Request::Close(reply) => self.close(reply),
            Request::LookAtToken => {
                self.state.desk.look_at_queue(self.clock.now_ms());
                self.state.desk.look_at_day(&self.now());
                if self.state.renewal_due(self.clock.now_ms()) {
                    self.emit(HostEvent::TokenRenewalDue);
                }
            }
        }
    }

    /// A new page means the old one is gone, and with it the SDK that carried its calls.
    fn attach(&mut self, page: PageId, reply: oneshot::Sender<Standing>) {
        let ended = self.state.page_asked(page);
        let new_page = ended.is_some();
        self.write_off(ended.unwrap_or_default());
        let _ = reply.send(Standing {
            new_page,
            account: self.state.account().clone(),
            lights: self.state.lights(),
            notices: self.state.notices(),
            do_not_disturb: self.state.desk.do_not_disturb,
            queue: self.state.desk.queue(),
        });
    }

    /// Nothing can be lost any more after this: what is in the queue is written before the program ends.
    fn close(&mut self, reply: oneshot::Sender<()>) {
        let ended = self.state.end_calls();
        self.write_off(ended);
        self.ledger = None;
        let _ = reply.send(());
    }

    fn write_off(&self, calls: Vec<LiveCall>) {
        for call in calls {
            self.record_sdk(&CallReport {
                call: call.id,
                direction: call.direction,
                call_sid: call.call_sid,
                parent_call_sid: None,
                peer: call.peer,
                our_number: None,
                what: SdkCallEvent::Ended,
            });
        }
    }

    fn log(&self, call: Option<CallId>, event: CallEvent) {
        if let Some(ledger) = &self.ledger {
            let _ = ledger.send(ledger::Entry { call, event });
        }
    }

    fn device_reported(&mut self, report: DeviceReport) {
        if let Some(error) = &report.error {
            tracing::warn!(code = error.code, message = %error.message, "the Voice SDK's device reports an error");
            // A refused token is cured by a new one as long as the key is good.
            if token_refusal(error).is_some() && self.state.renewal_after_refusal(self.clock.now_ms()) {
                self.emit(HostEvent::TokenRenewalDue);
            }
        }
        self.state.device_reported(report);
    }

    fn call_reported(&mut self, report: CallReport) {
        self.record_sdk(&report);
        self.state.call_reported(&report);
    }

    fn record_sdk(&self, report: &CallReport) {
        let event = CallEvent::Sdk {
            direction: report.direction,
            call_sid: report.call_sid.clone(),
            parent_call_sid: report.parent_call_sid.clone(),
            peer: report.peer.clone(),
            our_number: report.our_number.clone(),
            what: report.what.clone(),
            at_ms: self.clock.now_ms(),
        };
        self.log(Some(report.call), event);
    }

    fn now(&self) -> Moment {
        let hours = self.state.desk.rules.incoming.hours.as_ref();
        moment(self.clock.now_ms(), hours.and_then(|hours| hours.zone.as_deref()))
    }

    fn begin(&mut self, request: &VoiceRequest, reply: oneshot::Sender<Instruction>) {
        let (query, now) = (request.query(), self.now());
        let situation = self.state.situation(query.call_id, &now);
        let situation = self.state.desk.with_intent(&query, situation, now.now_ms);
        let instruction = call_flow::begin(&query, &self.state.desk.rules, &situation);
        if let Some(event) = request.routed(&instruction, now.now_ms) {
            self.log(known_call(query.call_id, &self.state), event);
        }
        let refused = matches!(instruction, Instruction::Refuse { .. });
        if refused && situation.permission == Permission::Missing {
            tracing::warn!("a call that the agent did not place was refused");
            let changed = self.state.raise(not_placed());
            self.notices_changed(changed);
        }
        self.state.instructed(&query, request.call_sid.as_ref(), &instruction, now.now_ms);
        let _ = reply.send(instruction);
    }

    fn go_on(&mut self, request: &VoiceRequest, happened: &Happened) -> Instruction {
        let (query, now) = (request.query(), self.now());
        let situation = self.state.situation(query.call_id, &now);
        let instruction = call_flow::go_on(&query, happened, &self.state.desk.rules, &situation);
        self.state.instructed(&query, request.call_sid.as_ref(), &instruction, now.now_ms);
        instruction
    }

    fn voice(&mut self, event: VoiceEvent) {
        if let VoiceEvent::DeviceNotice { device, trouble, message, .. } = &event {
            let (id, code) = match device {
                DeviceKind::Microphone => ("microphone", ErrorCode::MicrophoneMissing),
                DeviceKind::Speaker => ("speaker", ErrorCode::SpeakerMissing),
            };
            let changed = if *trouble {
                self.state.raise(Notice {
                    id: id.into(),
                    error: UserError::new(code, message.clone()),
                    dismissible: true,
                })
            } else {
                self.state.clear(id)
            };
            self.notices_changed(changed);
        }
        self.emit(HostEvent::Voice(event));
    }

    fn notices_changed(&self, changed: bool) {
        if changed {
            self.emit(HostEvent::NoticesChanged(self.state.notices()));
        }
    }

    /// Nobody listening is no error: the page asks for a snapshot when it comes.
    fn emit(&self, event: HostEvent) {
        let _ = self.events.send(event);
    }

    /// Tells watchers and the UI what changed, and nothing if nothing did.
    fn publish(&self) {
        let fresh = view_of(&self.state, self.clock.now_ms());
        let old = self.view.borrow().clone();
        if fresh == old {
            return;
        }
        if fresh.lights != old.lights {
            self.emit(HostEvent::LightsChanged(fresh.lights.clone()));
        }
        if fresh.do_not_disturb != old.do_not_disturb {
            self.emit(HostEvent::DoNotDisturbChanged(fresh.do_not_disturb));
        }
        if fresh.queue != old.queue {
            self.emit(HostEvent::QueueChanged(fresh.queue.clone()));
        }
        if fresh.agent != old.agent {
            self.emit(HostEvent::AgentChanged(fresh.agent.clone()));
        }
        self.view.send_replace(fresh);
    }
}

/// What the agent is told when somebody else used their sign-in.
fn not_placed() -> Notice {
    let message = "A call was refused that you did not place: somebody may have this phone's sign-in. If this happens \
                   again, disconnect the account and connect it anew, which makes a new key.";
    Notice {
        id: "call-not-placed".into(),
        error: UserError::new(ErrorCode::CallRefused, message),
        dismissible: true,
    }
}

/// A `CallId` in a webhook was chosen by the webview; it is believed only if we know the call.
fn known_call(claimed: Option<CallId>, state: &State) -> Option<CallId> {
    claimed.filter(|id| state.calls().any(|call| call.id == *id))
}

fn view_of(state: &State, now_ms: i64) -> View {
    View {
        page: state.page(),
        agent: state.account().agent_view(),
        lights: state.lights(),
        calls: state.calls().cloned().collect(),
        call_is_ending: state.call_is_ending(now_ms),
        do_not_disturb: state.desk.do_not_disturb,
        queue: state.desk.queue(),
    }
}
