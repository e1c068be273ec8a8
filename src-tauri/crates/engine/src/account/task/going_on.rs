//! Jobs: their start, what they say, their end.

use std::sync::Arc;

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::setup::{Choices, Undo};
use dialer_domain::sid::AccountSid;
use tokio::sync::Notify;

use super::{AccountTask, Next, Purpose, Request, Running, view};
use crate::account::entered::{EnteredFields, Entry, Secrets};
use crate::account::look::look;
use crate::account::public_line::PublicLine;
use crate::account::{Job, Said, inventory, jobs};
use crate::api::{AccountPhase, CallerIdCheckState, Repair};
use crate::state::Line;

impl AccountTask {
    pub(super) fn start_look(&mut self, account: &AccountSid, secrets: Secrets) {
        let pending = self.shared.saved().pending.filter(|pending| pending.account == *account);
        let entry = pending
            .as_ref()
            .map_or_else(|| Entry { account: account.clone(), api_key: None, twiml_app: None }, Entry::from);
        self.phase = AccountPhase::Checking;
        self.look_for_programs();
        self.start(Purpose::Look, |job| look(job, entry, secrets));
    }

    pub(super) fn start_set_up(&mut self, account: AccountSid, choices: Choices, secrets: Secrets) {
        self.phase = AccountPhase::SettingUp;
        self.steps = Vec::new();
        self.choices = Some(choices.clone());
        self.keeper = None;
        self.opening = None;
        // A line that fits stays: a temporary address would be another one afterwards.
        let fits = self.line.as_ref().is_some_and(|line| *line.choice() == choices.tunnel);
        let old = if fits { None } else { self.take_line_away() };
        if old.is_some() && self.session.is_live() {
            self.session.core().line_changed(Line::Opening);
        }
        let line = self.line.as_ref().map(|line| (line.watch(), line.keys()));
        self.signing = None;
        self.start(Purpose::SetUp(Box::new(choices.clone())), |job| async move {
            if let Some(old) = old {
                old.close().await;
            }
            jobs::set_up(job, account, choices, secrets, line).await;
        });
    }

    pub(super) fn start_disconnect(&mut self, account: AccountSid, undo: Undo) {
        self.phase = AccountPhase::Disconnecting;
        self.steps = Vec::new();
        // It would report every step as trouble.
        self.keeper = None;
        self.signing = None;
        let keys = self.line.as_ref().map(PublicLine::keys);
        self.start(Purpose::Disconnect(undo), |job| jobs::disconnect(job, account, undo, keys));
    }

    /// Begins a job. The one before it ends: dropping it aborts it.
    pub(super) fn start<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        purpose: Purpose,
        work: impl FnOnce(Job) -> F,
    ) {
        if matches!(purpose, Purpose::Sign) {
            self.signing_error = None;
            self.signing_waits = None;
            self.signing = Some(self.running(purpose, work));
            return;
        }
        if let Some(Running { purpose: Purpose::Verify, .. }) = self.job {
            self.caller_id_check = None;
        }
        self.waiting = None;
        self.error = None;
        self.last = Some(purpose.clone());
        let running = self.running(purpose, work);
        if matches!(running.purpose, Purpose::Open) {
            self.opening = Some(running);
        } else {
            self.job = Some(running);
        }
    }

    fn running<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        purpose: Purpose,
        work: impl FnOnce(Job) -> F,
    ) -> Running {
        self.next_job += 1;
        let nudge = Arc::new(Notify::new());
        let job = Job {
            id: self.next_job,
            shared: Arc::clone(&self.shared),
            task: self.requests.clone(),
            nudge: Arc::clone(&nudge),
        };
        Running { id: self.next_job, purpose, nudge, handle: tokio::spawn(work(job)) }
    }

    /// What a job said, unless it was ended in that moment.
    pub(super) async fn heard(&mut self, job: u64, said: Said) {
        let is = |running: &Option<Running>| running.as_ref().is_some_and(|running| running.id == job);
        if is(&self.signing) {
            self.said_of_signing(said);
        } else if is(&self.job) || is(&self.opening) {
            self.said(job, said).await;
        } else if let Said::LineOpened(line) = said {
            line.close().await;
        }
    }

    async fn said(&mut self, job: u64, said: Said) {
        match said {
            Said::Waiting(what) => self.waiting = what,
            Said::Steps(steps) => self.steps = steps,
            Said::SecretsKept => self.entered.drop_secrets(),
            Said::SecretsForgotten => self.entered.forget_kept(),
            Said::Looked(looked) => {
                self.job = None;
                self.waiting = None;
                let saved = self.shared.saved();
                let chosen =
                    saved.record.as_ref().and_then(|record| record.wanted.clone().or(record.choices.clone()));
                self.choices = Some(chosen.unwrap_or_else(|| {
                    inventory::suggest(
                        &looked,
                        saved.pending.as_ref(),
                        &saved.installation,
                        &self.programs,
                        self.entered.has_tunnel_token(),
                    )
                }));
                self.looked = Some(*looked);
                self.phase = AccountPhase::Choosing;
            }
            Said::LineOpened(line) => self.take_line(line),
            Said::LineReady => {
                self.opening = None;
                self.last = None;
                self.error = None;
                if matches!(self.phase, AccountPhase::Locked | AccountPhase::Connected) {
                    self.phase = AccountPhase::Connected;
                }
                self.keep();
                self.session.core().renew_token();
            }
            Said::SetUp => {
                self.job = None;
                self.after_calls(Next::Connected).await;
            }
            Said::Disconnected(remark) => {
                self.job = None;
                self.after_calls(Next::Disconnected(remark)).await;
            }
            Said::CallerIdCheck(check) => {
                let over = matches!(check.state, CallerIdCheckState::Verified | CallerIdCheckState::Failed);
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
            // Told of the job beside this one.
            Said::Signing => {}
            Said::Failed(error) => self.failed(job, error),
        }
    }

    /// A job failed. What it found stays on the page, and the phase says where to go on.
    fn failed(&mut self, job: u64, error: UserError) {
        let slot = if self.job.as_ref().is_some_and(|running| running.id == job) {
            &mut self.job
        } else {
            &mut self.opening
        };
        let Some(purpose) = slot.take().map(|running| running.purpose.clone()) else { return };
        self.waiting = None;
        if error.code == ErrorCode::KeychainUnavailable {
            self.vault = view::vault(&self.shared, Some(error.clone()));
        }
        let repair = if error.code == ErrorCode::KeychainUnavailable {
            Repair::UnlockVault
        } else if error.code == ErrorCode::CredentialsRefused {
            Repair::EnterAuthToken
        } else if matches!(purpose, Purpose::Open) {
            Repair::RestartTunnel
        } else {
            Repair::RunSetUp
        };
        let record = self.shared.saved().record.filter(|record| record.complete);
        match purpose {
            Purpose::Open => {
                if self.phase == AccountPhase::Connected && !matches!(repair, Repair::RestartTunnel) {
                    self.phase = AccountPhase::Locked;
                }
                self.line_is_closed(error.clone(), Some(repair));
            }
            Purpose::Look => {
                self.phase = if record.is_some() { AccountPhase::Connected } else { AccountPhase::None };
            }
            Purpose::SetUp(_) => {
                let in_use = record.and_then(|record| record.choices).map(|choices| choices.tunnel);
                if self.line.as_ref().map(|line| line.choice()) == in_use.as_ref() && self.line.is_some() {
                    // What was in use still is.
                    self.keep();
                } else {
                    self.line_is_closed(error.clone(), Some(repair));
                }
            }
            Purpose::Disconnect(_) | Purpose::Verify | Purpose::Forget | Purpose::Sign => {}
        }
        self.error = Some(error);
    }

    /// Another phone ends the calls of this one, so it waits for them.
    async fn after_calls(&mut self, next: Next) {
        let mut view = self.session.core().watch();
        if view.borrow().calls.is_empty() {
            return self.switch(next).await;
        }
        self.waiting = Some("Waits until your call is over.".into());
        let requests = self.requests.clone();
        tokio::spawn(async move {
            // An error means that the phone has ended, and its calls with it.
            let _ = view.wait_for(|view| view.calls.is_empty()).await;
            let _ = requests.send(Request::Switch(next));
        });
    }

    pub(super) async fn switch(&mut self, next: Next) {
        self.waiting = None;
        match next {
            Next::Connected => {
                let switched = match self.shared.record() {
                    Ok(record) => {
                        self.choices = record.choices.clone();
                        self.session.use_account(&self.shared, &record).await
                    }
                    Err(error) => Err(error),
                };
                match switched {
                    Ok(()) => {
                        self.last = None;
                        self.entered = EnteredFields::default();
                        self.phase = AccountPhase::Connected;
                        self.keep();
                    }
                    // Trying again finds nothing to do at Twilio and comes here once more.
                    Err(error) => self.error = Some(error),
                }
            }
            Next::Disconnected(remark) => {
                self.close_line().await;
                self.forget_everything_shown();
                self.phase = AccountPhase::None;
                self.error = match self.session.use_practice().await {
                    Ok(()) => remark,
                    Err(error) => Some(error),
                };
            }
        }
    }
}
