//! The one owner of what the account page shows, and of the phone that works with the account.
//!
//! | module | holds |
//! | --- | --- |
//! | `asked` | what the agent asks for |
//! | `going_on` | jobs: their start, what they say, their end |
//! | `signing` | what Twilio's requests are signed with |
//! | `line` | the way of Twilio's requests to this computer |
//! | `view` | all of it as the page gets it |

mod asked;
mod going_on;
mod line;
mod signing;
mod view;

use std::sync::Arc;

use dialer_domain::entry::Field;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::setup::{Choices, Record, Undo};
use dialer_gateway::tunnel::{InstalledProgram, installed};
use dialer_storage::vault::user_error;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use url::Url;

use super::entered::EnteredFields;
use super::keeper::Keeper;
use super::look::Looked;
use super::public_line::PublicLine;
use super::{Said, Shared};
use crate::api::{
    AccountPhase, AccountStatus, CallerIdCheck, HostEvent, ImportReport, Repair, StepView, VaultView,
};
use crate::core::blocking;
use crate::routing::Seen;
use crate::session::Session;
use crate::state::Line;

type Reply<T> = oneshot::Sender<Result<T, UserError>>;

/// What the task can be asked or told.
pub(crate) enum Request {
    Status(oneshot::Sender<AccountStatus>),
    Enter {
        field: Field,
        text: SecretString,
    },
    Import {
        text: SecretString,
        reply: Reply<ImportReport>,
    },
    ForgetEntered(Reply<()>),
    Check(Reply<()>),
    SetUp {
        choices: Box<Choices>,
        reply: Reply<()>,
    },
    LeaveChoosing(Reply<()>),
    TryAgain(Reply<()>),
    VerifyCallerId {
        number: String,
        reply: Reply<()>,
    },
    Repair {
        repair: Repair,
        reply: Reply<()>,
    },
    Disconnect {
        undo: Undo,
        reply: Reply<()>,
    },
    ForgetAccount(Reply<()>),
    /// The computer went on or off the network, as far as the page knows.
    Network(bool),
    /// The Auth Token in the vault is another one now.
    AuthTokenReplaced(SecretString),
    /// The vault was opened, closed or changed: look again.
    VaultChanged,
    /// How the vault was found.
    VaultLooked(Option<UserError>),
    /// The public address is this one.
    ServeAs(Url),
    TunnelChanged,
    /// A request reached the webhook server.
    Seen(Seen),
    /// Whether the agent is in a call.
    InCall(bool),
    /// Tunnel programs on this computer.
    Programs(Vec<InstalledProgram>),
    /// The balance, for reading.
    Balance(Option<String>),
    /// Whether Twilio lets this account have its webhooks signed with a key of its own.
    SigningOffered(bool),
    /// A change of what Twilio signs with began or ended.
    SigningMoved,
    /// Twilio signs as the record wants.
    SigningSettled,
    /// What Twilio's requests are to be signed with.
    Sign {
        wish: SigningWish,
        reply: Reply<()>,
    },
    /// No call is in the way of another phone any more.
    Switch(Next),
    Said {
        job: u64,
        said: Said,
    },
    Close(oneshot::Sender<()>),
}

/// The phone that comes next.
#[derive(Debug, Clone)]
pub(crate) enum Next {
    /// The account of the record.
    Connected,
    /// Practice; with a sentence if not all of the account could be put back.
    Disconnected(Option<UserError>),
}

/// What Twilio's requests are to be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SigningWish {
    /// A key of this computer's own.
    SharedKey,
    /// Another one than there is.
    AnotherSharedKey,
    /// The account's Auth Token.
    AuthToken,
}

/// What a job is for.
#[derive(Debug, Clone)]
enum Purpose {
    Sign,
    Open,
    Look,
    SetUp(Box<Choices>),
    Verify,
    Disconnect(Undo),
    Forget,
}

/// A job under way. Dropping it ends it.
struct Running {
    id: u64,
    purpose: Purpose,
    nudge: Arc<Notify>,
    handle: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

pub(crate) struct AccountTask {
    shared: Arc<Shared>,
    session: Session,
    events: broadcast::Sender<HostEvent>,
    requests: mpsc::UnboundedSender<Request>,
    phase: AccountPhase,
    waiting: Option<String>,
    error: Option<UserError>,
    entered: EnteredFields,
    looked: Option<Looked>,
    choices: Option<Choices>,
    steps: Vec<StepView>,
    caller_id_check: Option<CallerIdCheck>,
    balance: Option<String>,
    vault: VaultView,
    programs: Vec<InstalledProgram>,
    line: Option<PublicLine>,
    line_watch: Option<JoinHandle<()>>,
    keeper: Option<Keeper>,
    /// What the agent asked for.
    job: Option<Running>,
    /// The line of a connected account, which opens whatever else is asked.
    opening: Option<Running>,
    /// What changes what Twilio signs with: it goes on beside the rest, and after a restart.
    signing: Option<Running>,
    signing_error: Option<UserError>,
    /// What that waits for.
    signing_waits: Option<String>,
    /// Unknown until the account was asked.
    signing_offered: Option<bool>,
    /// What is done when it is to be tried again.
    last: Option<Purpose>,
    next_job: u64,
    told: Option<AccountStatus>,
}

impl AccountTask {
    pub(crate) fn new(
        shared: Arc<Shared>,
        session: Session,
        events: broadcast::Sender<HostEvent>,
        requests: mpsc::UnboundedSender<Request>,
    ) -> Self {
        let vault = view::vault(&shared, None);
        Self {
            shared,
            session,
            events,
            requests,
            phase: AccountPhase::None,
            waiting: None,
            error: None,
            entered: EnteredFields::default(),
            looked: None,
            choices: None,
            steps: Vec::new(),
            caller_id_check: None,
            balance: None,
            vault,
            programs: Vec::new(),
            line: None,
            line_watch: None,
            keeper: None,
            job: None,
            opening: None,
            signing: None,
            signing_error: None,
            signing_waits: None,
            signing_offered: None,
            last: None,
            next_job: 0,
            told: None,
        }
    }

    /// Goes on where the last run stopped, then serves requests until the program ends.
    pub(crate) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Request>) {
        self.look_for_programs();
        self.look_at_vault();
        self.resume();
        self.publish();
        while let Some(request) = inbox.recv().await {
            if let Request::Close(done) = request {
                self.close().await;
                let _ = done.send(());
                return;
            }
            self.serve(request).await;
            self.publish();
        }
    }

    /// What was begun before the program ended goes on by itself.
    fn resume(&mut self) {
        let saved = self.shared.saved();
        if let Some(pending) = &saved.pending {
            self.entered = EnteredFields::from_pending(pending);
        }
        match saved.record {
            Some(Record { undoing: Some(undo), account, .. }) => self.start_disconnect(account.sid, undo),
            Some(Record { wanted: Some(choices), account, .. }) => {
                self.start_set_up(account.sid, choices, Vec::new());
            }
            Some(record) if record.complete && self.session.is_live() => {
                self.choices = record.choices.clone();
                self.phase = AccountPhase::Connected;
                self.open_line();
            }
            // Key or app are missing in the record: set-up makes them anew.
            Some(Record { complete: true, choices: Some(choices), account, .. }) => {
                self.start_set_up(account.sid, choices, Vec::new());
            }
            record => {
                let account = record.map(|record| record.account.sid);
                if let Some(account) =
                    saved.pending.as_ref().map(|pending| pending.account.clone()).or(account)
                {
                    self.start_look(&account, Vec::new());
                }
            }
        }
    }

    async fn serve(&mut self, request: Request) {
        match request {
            Request::Status(reply) => {
                let _ = reply.send(self.status());
            }
            Request::Enter { field, text } => {
                self.error = None;
                self.entered.enter(field, text.expose_secret());
            }
            Request::Import { text, reply } => {
                self.error = None;
                let _ = reply.send(Ok(self.entered.import(text.expose_secret())));
            }
            Request::ForgetEntered(reply) => {
                let answer = self.forget_entered().await;
                self.answered(answer, reply);
            }
            Request::Check(reply) => {
                let answer = self.check().await;
                self.answered(answer, reply);
            }
            Request::SetUp { choices, reply } => {
                let answer = self.set_up(*choices).await;
                self.answered(answer, reply);
            }
            Request::LeaveChoosing(reply) => {
                let answer = self.leave_choosing().await;
                self.answered(answer, reply);
            }
            Request::TryAgain(reply) => {
                let answer = self.try_again();
                self.answered(answer, reply);
            }
            Request::VerifyCallerId { number, reply } => {
                let answer = self.verify_caller_id(&number);
                let _ = reply.send(answer);
            }
            Request::Repair { repair, reply } => {
                let answer = self.repair(repair);
                self.answered(answer, reply);
            }
            Request::Disconnect { undo, reply } => {
                let answer = self.disconnect(undo).await;
                self.answered(answer, reply);
            }
            Request::ForgetAccount(reply) => {
                let answer = self.forget_account();
                self.answered(answer, reply);
            }
            Request::Network(online) => self.network(online),
            Request::AuthTokenReplaced(token) => self.auth_token_replaced(token),
            Request::VaultChanged => self.look_at_vault(),
            Request::VaultLooked(error) => self.vault_looked(error),
            Request::ServeAs(url) => {
                if let Some(line) = &self.line {
                    line.serve_as(url);
                }
            }
            Request::TunnelChanged | Request::SigningMoved => {}
            Request::Seen(seen) => self.seen(seen),
            Request::InCall(in_call) => {
                if let Some(line) = &self.line {
                    line.tunnel().in_call(in_call);
                }
            }
            Request::Programs(programs) => self.programs = programs,
            Request::Balance(balance) => self.balance = balance,
            Request::SigningOffered(offered) => self.signing_offered = Some(offered),
            // What is still under way says itself how it ends.
            Request::SigningSettled if self.signing.is_none() => self.signing_error = None,
            Request::SigningSettled => {}
            Request::Sign { wish, reply } => {
                // What is wrong with it is told in its own section of the page.
                let _ = reply.send(self.sign(wish).await);
            }
            Request::Switch(next) => self.switch(next).await,
            Request::Said { job, said } => self.heard(job, said).await,
            Request::Close(_) => {}
        }
    }

    /// A failed request is told where it was asked, and stands on the page; that something else is
    /// under way stands there already.
    fn answered(&mut self, answer: Result<(), UserError>, reply: Reply<()>) {
        if let Err(error) = &answer
            && error.code != ErrorCode::Busy
        {
            self.error = Some(error.clone());
        }
        let _ = reply.send(answer);
    }

    fn look_for_programs(&self) {
        let requests = self.requests.clone();
        tokio::spawn(async move {
            let programs = blocking(|| Ok(installed())).await.unwrap_or_default();
            let _ = requests.send(Request::Programs(programs));
        });
    }

    /// Asks whether secrets can be kept and read; the answer is a request.
    fn look_at_vault(&self) {
        let (shared, requests) = (Arc::clone(&self.shared), self.requests.clone());
        tokio::spawn(async move {
            let probed = blocking(move || shared.vault.probe().map_err(|error| user_error(&error))).await;
            let _ = requests.send(Request::VaultLooked(probed.err()));
        });
    }

    /// Secrets may be readable now: whatever waited for them goes on.
    fn vault_looked(&mut self, error: Option<UserError>) {
        self.vault = view::vault(&self.shared, error);
        if !self.vault.ready {
            return;
        }
        if let Some(keeper) = &self.keeper {
            keeper.look();
        }
        if self.error.as_ref().is_some_and(|error| error.code == ErrorCode::KeychainUnavailable) {
            self.error = None;
            if self.job.is_none()
                && self.opening.is_none()
                && let Err(error) = self.try_again()
            {
                self.error = Some(error);
            }
        }
    }

    fn network(&mut self, online: bool) {
        if let Some(line) = &self.line {
            line.tunnel().network_offline(!online);
            if online {
                line.tunnel().network_changed();
            }
        }
        if online {
            for job in [&self.job, &self.signing].into_iter().flatten() {
                job.nudge.notify_one();
            }
        }
    }

    fn auth_token_replaced(&mut self, token: SecretString) {
        self.error = None;
        self.session.core().clear(crate::routing::WEBHOOK_REFUSED);
        if let Some(line) = &self.line {
            line.use_auth_token(token);
        }
        if let Some(keeper) = &self.keeper {
            keeper.look();
        }
        // The keychain had lost it.
        if self.phase == AccountPhase::Locked {
            self.open_line();
        } else if self.job.is_none()
            && self.last.is_some()
            && let Err(error) = self.try_again()
        {
            self.error = Some(error);
        }
    }

    fn seen(&self, seen: Seen) {
        match seen {
            Seen::Signed => {
                if let Some(line) = &self.line {
                    line.tunnel().webhook_seen();
                }
            }
            // Twilio itself is asked whether the token is still good: what a stranger sends proves nothing.
            Seen::Refused => {
                if let Some(keeper) = &self.keeper {
                    keeper.look();
                }
            }
        }
    }

    /// Tells the page what changed, and nothing if nothing did.
    fn publish(&mut self) {
        let status = self.status();
        if self.told.as_ref() != Some(&status) {
            self.told = Some(status.clone());
            // Nobody listening is no error: a page that comes asks.
            let _ = self.events.send(HostEvent::AccountChanged(Box::new(status)));
        }
    }

    /// Without a line no call comes or goes; `repair` is what helps.
    fn line_is_closed(&self, error: UserError, repair: Option<Repair>) {
        if self.session.is_live() {
            self.session.core().line_changed(Line::Closed(error, repair));
        }
    }

    async fn close(mut self) {
        self.job = None;
        self.opening = None;
        self.signing = None;
        self.close_line().await;
        self.session.close().await;
    }
}
