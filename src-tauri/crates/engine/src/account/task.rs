//! The one owner of what the account page shows, and of the phone that works with the account.

use std::sync::Arc;

use dialer_domain::entry::Field;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::phone_number::{self, E164};
use dialer_domain::ports::SecretName;
use dialer_domain::setup::{Choices, Record, Undo};
use dialer_domain::sid::AccountSid;
use dialer_gateway::tunnel::{InstalledProgram, TunnelState, installed};
use dialer_storage::vault::user_error;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use url::Url;

use super::entered::{EnteredFields, Entry, Secrets};
use super::keeper::Keeper;
use super::look::{Looked, look};
use super::public_line::PublicLine;
use super::{Job, Said, Shared, blocking, inventory, jobs};
use crate::api::{
    AccountPhase, AccountStatus, CallerIdCheck, ConnectedView, HostEvent, ImportReport, ProgramView, Repair,
    StepView, TunnelLight, TunnelView, VaultView,
};
use crate::routing::{Seen, WEBHOOK_REFUSED};
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
    /// The Auth Token in the vault is another one now.
    AuthTokenReplaced(SecretString),
    /// The vault was opened, closed or changed: look again.
    VaultChanged,
    /// How the vault was found.
    VaultLooked(Option<UserError>),
    Disconnect {
        undo: Undo,
        reply: Reply<()>,
    },
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
    Said {
        job: u64,
        said: Said,
    },
    Close(oneshot::Sender<()>),
}

/// What the job under way is for.
#[derive(Debug, Clone)]
enum Purpose {
    Open,
    Look,
    SetUp(Box<Choices>),
    Verify,
    Disconnect(Undo),
}

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
    vault: VaultView,
    programs: Vec<InstalledProgram>,
    balance: Option<String>,
    line: Option<PublicLine>,
    line_watch: Option<JoinHandle<()>>,
    keeper: Option<Keeper>,
    job: Option<Running>,
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
        let vault = vault_view(&shared, None);
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
            vault,
            programs: Vec::new(),
            balance: None,
            line: None,
            line_watch: None,
            keeper: None,
            job: None,
            last: None,
            next_job: 0,
            told: None,
        }
    }

    /// Goes on where the last run stopped, then serves requests until the program ends.
    pub(crate) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Request>) {
        self.programs = blocking(|| Ok(installed())).await.unwrap_or_default();
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
            Some(record) if record.complete => {
                self.choices = record.choices.clone();
                self.phase = AccountPhase::Connected;
                self.open_line(&record);
            }
            Some(Record { choices: Some(choices), account, .. }) => {
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
                let _ = reply.send(self.forget_entered().await);
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
                let _ = reply.send(self.leave_choosing());
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
            Request::AuthTokenReplaced(token) => {
                self.error = None;
                if let Some(line) = &self.line {
                    line.use_auth_token(token);
                }
                self.session.core().clear(WEBHOOK_REFUSED);
                if let Some(keeper) = &self.keeper {
                    keeper.look();
                }
                // The keychain had lost it.
                if self.phase == AccountPhase::Locked
                    && let Ok(record) = self.shared.record()
                {
                    self.open_line(&record);
                }
            }
            Request::VaultChanged => self.look_at_vault(),
            Request::VaultLooked(error) => self.vault_looked(error),
            Request::Disconnect { undo, reply } => {
                let answer = self.disconnect(undo);
                self.answered(answer, reply);
            }
            Request::ServeAs(url) => {
                if let Some(line) = &self.line {
                    line.serve_as(url);
                }
            }
            Request::TunnelChanged => {}
            Request::Seen(Seen::Signed) => {
                if let Some(line) = &self.line {
                    line.tunnel().webhook_seen();
                }
            }
            // Twilio itself is asked whether the token is still good: what a stranger sends proves nothing.
            Request::Seen(Seen::Refused) => {
                if let Some(keeper) = &self.keeper {
                    keeper.look();
                }
            }
            Request::InCall(in_call) => {
                if let Some(line) = &self.line {
                    line.tunnel().in_call(in_call);
                }
            }
            Request::Programs(programs) => self.programs = programs,
            Request::Balance(balance) => self.balance = balance,
            Request::Said { job, said } => {
                if self.job.as_ref().is_some_and(|running| running.id == job) {
                    self.said(said).await;
                } else if let Said::LineOpened(line) = said {
                    // Of a job that was ended in that moment.
                    line.close().await;
                }
            }
            Request::Close(_) => {}
        }
    }

    /// A failed request is told where it was asked, and stands on the page.
    fn answered(&mut self, answer: Result<(), UserError>, reply: Reply<()>) {
        if let Err(error) = &answer {
            self.error = Some(error.clone());
        }
        let _ = reply.send(answer);
    }

    // ---- what the agent asks

    async fn forget_entered(&mut self) -> Result<(), UserError> {
        self.job = None;
        self.error = None;
        self.waiting = None;
        let record = self.shared.saved().record;
        if let Some(record) = record.filter(|record| !record.complete) {
            // Nothing half-done remains at Twilio either.
            if record.app.is_some() || record.key_is_ours || !record.numbers.is_empty() {
                return self.disconnect(Undo { delete_app: true, delete_key: true });
            }
        }
        if self.phase == AccountPhase::Locked {
            return self.give_up_secrets().await;
        }
        if self.phase == AccountPhase::Connected {
            return Ok(());
        }
        let pending = self.shared.saved().pending.map(|pending| pending.account);
        for name in [SecretName::AuthToken, SecretName::ApiKeySecret, SecretName::TunnelToken] {
            if let Some(account) = &pending {
                self.shared.forget_secret(account, name).await?;
            }
        }
        self.shared
            .save(|saved| {
                saved.pending = None;
                saved.record = None;
            })
            .await?;
        self.entered = EnteredFields::default();
        self.looked = None;
        self.choices = None;
        self.steps = Vec::new();
        self.close_line().await;
        self.phase = AccountPhase::None;
        Ok(())
    }

    /// The passphrase is lost, or the keychain for ever closed. What was done at Twilio stays in the
    /// record: set-up finds it again once the account is entered anew.
    async fn give_up_secrets(&mut self) -> Result<(), UserError> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.vault.give_up_file().map_err(|error| user_error(&error))).await?;
        self.shared
            .save(|saved| {
                saved.pending = None;
                if let Some(record) = &mut saved.record {
                    record.complete = false;
                    record.choices = None;
                }
            })
            .await?;
        self.entered = EnteredFields::default();
        self.close_line().await;
        self.phase = AccountPhase::None;
        self.look_at_vault();
        self.session.use_practice().await
    }

    async fn check(&mut self) -> Result<(), UserError> {
        let saved = self.shared.saved();
        let pending = self.entered.complete()?;
        if let Some(record) = &saved.record
            && record.account.sid != pending.account
            && (record.complete || record.app.is_some() || record.key_is_ours || !record.numbers.is_empty())
        {
            return Err(UserError::new(
                ErrorCode::Busy,
                format!("The account “{}” is connected. Disconnect it first.", record.account.friendly_name),
            ));
        }
        let secrets = self.entered.secrets();
        let account = pending.account.clone();
        self.shared.save(move |saved| saved.pending = Some(pending)).await?;
        self.start_look(&account, secrets);
        Ok(())
    }

    async fn set_up(&mut self, choices: Choices) -> Result<(), UserError> {
        self.must_not_be_in_a_call()?;
        let looked = self.looked.as_ref().ok_or_else(|| {
            UserError::new(
                ErrorCode::InvalidEntry,
                "The account was not looked at yet. Enter it and connect.",
            )
        })?;
        inventory::check_choices(&choices, looked)?;
        dialer_gateway::tunnel::validate(&choices.tunnel)?;
        let account = looked.facts.sid.clone();
        let secrets = self.entered.secrets();
        if !secrets.is_empty() {
            // The tunnel in use has the old token.
            self.close_line().await;
        }
        let kept = choices.clone();
        self.shared.save_record(move |record| record.choices = Some(kept)).await?;
        self.start_set_up(account, choices, secrets);
        Ok(())
    }

    fn leave_choosing(&mut self) -> Result<(), UserError> {
        let connected = self.shared.saved().record.is_some_and(|record| record.complete);
        if connected && matches!(self.phase, AccountPhase::Choosing | AccountPhase::Checking) {
            self.job = None;
            self.waiting = None;
            self.error = None;
            self.choices = self.shared.saved().record.and_then(|record| record.choices);
            self.phase = AccountPhase::Connected;
        }
        Ok(())
    }

    fn try_again(&mut self) -> Result<(), UserError> {
        self.error = None;
        if let Some(line) = &self.line {
            line.tunnel().retry();
        }
        if let Some(job) = &self.job {
            job.nudge.notify_one();
            return Ok(());
        }
        match self.last.clone() {
            Some(Purpose::Look) => {
                let account = self.account()?;
                self.start_look(&account, self.entered.secrets());
            }
            Some(Purpose::SetUp(choices)) => {
                let account = self.account()?;
                self.start_set_up(account, *choices, Vec::new());
            }
            Some(Purpose::Disconnect(undo)) => self.disconnect(undo)?,
            Some(Purpose::Open) => {
                let record = self.shared.record()?;
                self.open_line(&record);
            }
            Some(Purpose::Verify) | None => {
                if let Some(keeper) = &self.keeper {
                    keeper.look();
                }
            }
        }
        Ok(())
    }

    fn verify_caller_id(&mut self, number: &str) -> Result<(), UserError> {
        let account = self.account()?;
        let region = self.choices.as_ref().and_then(|choices| choices.caller_id.as_ref());
        let region = region.and_then(phone_number::region).unwrap_or_default();
        let number: E164 = phone_number::parse(number, &region)
            .map_err(|error| UserError::new(ErrorCode::InvalidEntry, error.0))?;
        if self.job.is_some() {
            return Err(UserError::new(ErrorCode::Busy, "Wait until what is being done is finished."));
        }
        self.start(Purpose::Verify, |job| jobs::verify_caller_id(job, account, number));
        Ok(())
    }

    fn repair(&mut self, repair: Repair) -> Result<(), UserError> {
        self.error = None;
        match repair {
            Repair::RestartTunnel => {
                if let Some(line) = &self.line {
                    line.tunnel().retry();
                } else {
                    let record = self.shared.record()?;
                    self.open_line(&record);
                }
            }
            Repair::RunSetUp => {
                self.must_not_be_in_a_call()?;
                let (account, choices) = (self.account()?, self.shared.choices()?);
                self.start_set_up(account, choices, Vec::new());
            }
            Repair::ChooseNumbers | Repair::ChangeTunnel => {
                let account = self.account()?;
                self.start_look(&account, Vec::new());
            }
            Repair::UnlockVault => self.look_at_vault(),
            // The page shows where to enter it.
            Repair::EnterAuthToken => {}
        }
        Ok(())
    }

    fn disconnect(&mut self, undo: Undo) -> Result<(), UserError> {
        self.must_not_be_in_a_call()?;
        let account = self.account()?;
        self.phase = AccountPhase::Disconnecting;
        self.steps = Vec::new();
        self.start(Purpose::Disconnect(undo), |job| jobs::disconnect(job, account, undo));
        Ok(())
    }

    fn must_not_be_in_a_call(&self) -> Result<(), UserError> {
        if self.session.core().watch().borrow().calls.is_empty() {
            return Ok(());
        }
        Err(UserError::new(ErrorCode::Busy, "You are in a call. Hang up first: this would end it."))
    }

    fn account(&self) -> Result<AccountSid, UserError> {
        let saved = self.shared.saved();
        saved
            .record
            .map(|record| record.account.sid)
            .or(saved.pending.map(|pending| pending.account))
            .ok_or_else(|| UserError::new(ErrorCode::InvalidEntry, "Enter Account SID and Auth Token first."))
    }

    // ---- jobs

    fn start_look(&mut self, account: &AccountSid, secrets: Secrets) {
        let pending = self.shared.saved().pending.filter(|pending| pending.account == *account);
        let entry = pending
            .as_ref()
            .map_or_else(|| Entry { account: account.clone(), api_key: None, twiml_app: None }, Entry::from);
        self.phase = AccountPhase::Checking;
        self.look_for_programs();
        self.start(Purpose::Look, |job| look(job, entry, secrets));
    }

    /// One may have been installed meanwhile.
    fn look_for_programs(&self) {
        let requests = self.requests.clone();
        tokio::spawn(async move {
            let programs = blocking(|| Ok(installed())).await.unwrap_or_default();
            let _ = requests.send(Request::Programs(programs));
        });
    }

    fn start_set_up(&mut self, account: AccountSid, choices: Choices, secrets: Secrets) {
        self.phase = AccountPhase::SettingUp;
        self.steps = Vec::new();
        self.choices = Some(choices.clone());
        // A line that fits stays: a temporary address would be another one afterwards.
        let line = if self.line.as_ref().is_some_and(|line| *line.choice() == choices.tunnel) {
            self.stop_watching_line();
            self.line.take()
        } else {
            None
        };
        let old = self.line.take();
        self.stop_watching_line();
        self.keeper = None;
        self.start(Purpose::SetUp(Box::new(choices.clone())), |job| async move {
            if let Some(old) = old {
                old.close().await;
            }
            jobs::set_up(job, account, choices, secrets, line).await;
        });
    }

    fn start<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        purpose: Purpose,
        work: impl FnOnce(Job) -> F,
    ) {
        self.next_job += 1;
        self.waiting = None;
        self.error = None;
        let nudge = Arc::new(Notify::new());
        let job = Job {
            id: self.next_job,
            shared: Arc::clone(&self.shared),
            task: self.requests.clone(),
            nudge: Arc::clone(&nudge),
        };
        self.last = Some(purpose.clone());
        // The job before it ends here: dropping it aborts it.
        self.job = Some(Running { id: self.next_job, purpose, nudge, handle: tokio::spawn(work(job)) });
    }

    async fn said(&mut self, said: Said) {
        match said {
            Said::Waiting(what) => self.waiting = what,
            Said::Steps(steps) => self.steps = steps,
            Said::Looked(looked) => {
                self.job = None;
                self.waiting = None;
                let saved = self.shared.saved();
                let chosen = saved.record.as_ref().and_then(|record| record.choices.clone());
                self.choices = Some(chosen.unwrap_or_else(|| {
                    inventory::suggest(
                        &looked,
                        saved.pending.as_ref(),
                        &saved.installation,
                        &self.programs,
                        false,
                    )
                }));
                self.looked = Some(*looked);
                self.phase = AccountPhase::Choosing;
            }
            Said::LineOpened(line) => self.take_line(line),
            Said::SetUp => self.connected().await,
            Said::Disconnected(remark) => self.disconnected(remark).await,
            Said::CallerIdCheck(check) => {
                let over = check.code.is_none() && check.state != crate::api::CallerIdCheckState::Asking;
                self.caller_id_check = Some(check);
                if over {
                    self.job = None;
                }
            }
            Said::CallerIds(verified) => {
                if let Some(looked) = &mut self.looked {
                    looked.verified = verified;
                }
            }
            Said::Failed(error) => self.failed(error),
            Said::SecretsKept => self.entered.drop_secrets(),
            Said::LineReady => {
                self.job = None;
                self.last = None;
                self.phase = AccountPhase::Connected;
                self.keep();
                self.session.core().renew_token();
            }
        }
    }

    /// A job failed. What it found stays on the page, and the phase says where to go on.
    fn failed(&mut self, error: UserError) {
        let purpose = self.job.take().map(|job| job.purpose.clone());
        self.waiting = None;
        let connected = self.shared.saved().record.is_some_and(|record| record.complete);
        if error.code == ErrorCode::KeychainUnavailable {
            self.vault = vault_view(&self.shared, Some(error.clone()));
        }
        self.phase = match purpose {
            Some(Purpose::Open) => {
                let (phase, repair) = if error.code == ErrorCode::KeychainUnavailable {
                    (AccountPhase::Locked, Repair::UnlockVault)
                } else if error.code == ErrorCode::CredentialsRefused {
                    (AccountPhase::Locked, Repair::EnterAuthToken)
                } else {
                    (AccountPhase::Connected, Repair::RestartTunnel)
                };
                self.session.core().line_changed(Line::Closed(error.clone(), Some(repair)));
                phase
            }
            Some(Purpose::Look) if connected => AccountPhase::Connected,
            Some(Purpose::Look) => AccountPhase::None,
            Some(Purpose::SetUp(_)) => AccountPhase::SettingUp,
            Some(Purpose::Disconnect(_)) => AccountPhase::Disconnecting,
            Some(Purpose::Verify) | None => self.phase,
        };
        self.error = Some(error);
    }

    async fn connected(&mut self) {
        self.job = None;
        self.last = None;
        self.waiting = None;
        self.entered = EnteredFields::default();
        let Ok(record) = self.shared.record() else { return };
        self.choices = record.choices.clone();
        match self.session.use_account(&self.shared, &record).await {
            Ok(()) => {
                self.phase = AccountPhase::Connected;
                self.keep();
            }
            Err(error) => self.error = Some(error),
        }
    }

    async fn disconnected(&mut self, remark: Option<UserError>) {
        self.job = None;
        self.last = None;
        self.waiting = None;
        self.keeper = None;
        self.close_line().await;
        self.entered = EnteredFields::default();
        self.looked = None;
        self.choices = None;
        self.steps = Vec::new();
        self.caller_id_check = None;
        self.phase = AccountPhase::None;
        self.error = match self.session.use_practice().await {
            Ok(()) => remark,
            Err(error) => Some(error),
        };
    }

    // ---- the line

    /// Opens the line of a connected account, without which no call comes or goes.
    fn open_line(&mut self, record: &Record) {
        let account = record.account.sid.clone();
        let Some(choices) = record.choices.clone() else { return };
        self.start(Purpose::Open, |job| jobs::open_line(job, account, choices.tunnel));
    }

    fn take_line(&mut self, line: PublicLine) {
        let mut watch = line.watch();
        let requests = self.requests.clone();
        self.stop_watching_line();
        self.line_watch = Some(tokio::spawn(async move {
            while watch.changed().await.is_ok() {
                if requests.send(Request::TunnelChanged).is_err() {
                    return;
                }
            }
        }));
        self.line = Some(line);
    }

    /// The line leads to the phone in use, and its address is kept at Twilio.
    fn keep(&mut self) {
        let Some(line) = &self.line else { return };
        line.lead_to(self.session.core());
        self.keeper = Some(Keeper::start(
            Arc::clone(&self.shared),
            self.session.core(),
            line.watch(),
            self.requests.clone(),
        ));
    }

    fn stop_watching_line(&mut self) {
        if let Some(watching) = self.line_watch.take() {
            watching.abort();
        }
    }

    async fn close_line(&mut self) {
        self.stop_watching_line();
        self.keeper = None;
        if let Some(line) = self.line.take() {
            line.close().await;
        }
    }

    // ---- the vault

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
        self.vault = vault_view(&self.shared, error);
        if !self.vault.ready {
            return;
        }
        if self.error.as_ref().is_some_and(|error| error.code == ErrorCode::KeychainUnavailable) {
            self.error = None;
        }
        if self.phase == AccountPhase::Locked
            && self.job.is_none()
            && let Ok(record) = self.shared.record()
        {
            self.open_line(&record);
        }
    }

    // ---- the page

    fn status(&self) -> AccountStatus {
        let saved = self.shared.saved();
        AccountStatus {
            phase: self.phase,
            waiting: self.waiting.clone(),
            error: self.error.clone(),
            credentials: self.entered.view(),
            inventory: self.looked.as_ref().map(|looked| inventory::inventory(looked, &saved.installation)),
            choices: self.choices.clone(),
            steps: self.steps.clone(),
            caller_id_check: self.caller_id_check.clone(),
            connected: saved.record.filter(|record| record.complete).map(|record| ConnectedView {
                name: record.account.friendly_name.clone(),
                account_sid: record.account.sid.to_string(),
                kind: record.account.kind,
                balance: self.balance.clone(),
                rings: record.numbers.iter().map(|bound| phone_number::format(&bound.number)).collect(),
                caller_id: record
                    .choices
                    .and_then(|choices| choices.caller_id)
                    .map(|number| phone_number::format(&number)),
                resource_name: saved.installation.resource_name(),
            }),
            tunnel: self.line.as_ref().map(tunnel_view),
            vault: self.vault.clone(),
            programs: ["cloudflared", "ngrok", "ssh"]
                .into_iter()
                .map(|name| ProgramView {
                    name: name.into(),
                    path: self
                        .programs
                        .iter()
                        .find(|program| program.name == name)
                        .map(|program| program.path.display().to_string()),
                })
                .collect(),
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

    async fn close(mut self) {
        self.job = None;
        self.close_line().await;
        self.session.close().await;
    }
}

fn tunnel_view(line: &PublicLine) -> TunnelView {
    let state = line.watch().borrow().clone();
    let (light, url, error, retry_at_ms) = match state {
        TunnelState::Off => (TunnelLight::Off, None, None, None),
        TunnelState::Starting => (TunnelLight::Starting, None, None, None),
        TunnelState::Verifying { url } => (TunnelLight::Starting, Some(url), None, None),
        TunnelState::Up { url, .. } => (TunnelLight::Up, Some(url), None, None),
        TunnelState::Degraded { url, reason } => (TunnelLight::Restoring, Some(url), Some(reason), None),
        TunnelState::Backoff { until_ms, reason, .. } => {
            (TunnelLight::Restoring, None, Some(reason), Some(until_ms))
        }
        TunnelState::Open { reason } => (TunnelLight::Stopped, None, Some(reason), None),
    };
    TunnelView {
        choice: line.choice().clone(),
        light,
        url: url.map(|url| url.to_string()),
        error,
        retry_at_ms,
        log: line.tunnel().log(),
    }
}

fn vault_view(shared: &Shared, error: Option<UserError>) -> VaultView {
    VaultView {
        kind: shared.vault.kind(),
        ready: error.is_none(),
        error,
        file_possible: shared.vault.file_possible(),
    }
}
