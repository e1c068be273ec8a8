//! What the agent asks for.

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::phone_number::{self, E164};
use dialer_domain::ports::{SecretName, VaultKind};
use dialer_domain::setup::{Choices, Record, Undo};
use dialer_domain::sid::AccountSid;
use dialer_storage::vault::user_error;

use super::{AccountTask, Purpose};
use crate::account::entered::EnteredFields;
use crate::account::{inventory, jobs};
use crate::api::{AccountPhase, Repair};
use crate::core::blocking;

impl AccountTask {
    pub(super) async fn check(&mut self) -> Result<(), UserError> {
        let saved = self.shared.saved();
        let pending = self.entered.complete()?;
        if let Some(record) = &saved.record
            && record.account.sid != pending.account
            && is_begun(record)
        {
            let name = &record.account.friendly_name;
            let message = if record.complete {
                format!("The account “{name}” is connected. Disconnect it first.")
            } else {
                format!(
                    "The account “{name}” is half set up. Enter its Account SID to go on, or forget what you entered."
                )
            };
            return Err(UserError::new(ErrorCode::InvalidEntry, message));
        }
        let secrets = self.entered.secrets(&pending);
        let account = pending.account.clone();
        self.shared.save(move |saved| saved.pending = Some(pending)).await?;
        self.start_look(&account, secrets);
        Ok(())
    }

    pub(super) async fn set_up(&mut self, choices: Choices) -> Result<(), UserError> {
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
        let secrets = self.entered.tunnel_token(&account);
        if !secrets.is_empty() {
            // The tunnel in use has the old token.
            self.close_line().await;
        }
        let kept = choices.clone();
        self.shared
            .save_record(move |record| {
                record.wanted = Some(kept);
                record.undoing = None;
            })
            .await?;
        self.start_set_up(account, choices, secrets);
        Ok(())
    }

    /// Goes back to the account as it is in use: what was begun and not finished is undone by making
    /// everything again what it was.
    pub(super) async fn leave_choosing(&mut self) -> Result<(), UserError> {
        let Some(record) = self.shared.saved().record.filter(|record| record.complete) else { return Ok(()) };
        match self.phase {
            AccountPhase::Choosing | AccountPhase::Checking => {
                self.job = None;
                self.waiting = None;
                self.error = None;
                self.last = None;
                self.entered = EnteredFields::default();
                self.choices = record.choices;
                self.phase = AccountPhase::Connected;
                if self.line.is_none() {
                    self.open_line();
                }
            }
            AccountPhase::SettingUp | AccountPhase::Disconnecting => {
                let choices = self.shared.choices()?;
                self.shared
                    .save_record(|record| {
                        record.wanted.clone_from(&record.choices);
                        record.undoing = None;
                    })
                    .await?;
                self.start_set_up(record.account.sid, choices, Vec::new());
            }
            AccountPhase::None | AccountPhase::Locked | AccountPhase::Connected => {}
        }
        Ok(())
    }

    pub(super) async fn forget_entered(&mut self) -> Result<(), UserError> {
        let saved = self.shared.saved();
        match &saved.record {
            Some(record) if record.complete => {
                return if self.phase == AccountPhase::Locked {
                    self.give_up_secrets().await
                } else {
                    self.leave_choosing().await
                };
            }
            // Nothing half-done remains at Twilio either.
            Some(record) if is_begun(record) => return self.disconnect(Undo::EVERYTHING).await,
            _ => {}
        }
        self.job = None;
        self.error = None;
        self.waiting = None;
        if let Some(pending) = &saved.pending {
            let account = pending.account.as_str();
            self.shared.forget_secret(account, SecretName::AuthToken).await?;
            self.shared.forget_secret(account, SecretName::TunnelToken).await?;
            if let Some(key) = &pending.api_key {
                self.shared.forget_secret(key.as_str(), SecretName::ApiKeySecret).await?;
            }
        }
        self.shared
            .save(|saved| {
                saved.pending = None;
                saved.record = None;
            })
            .await?;
        self.forget_everything_shown();
        self.close_line().await;
        self.phase = AccountPhase::None;
        Ok(())
    }

    pub(super) fn forget_everything_shown(&mut self) {
        self.last = None;
        self.entered = EnteredFields::default();
        self.looked = None;
        self.choices = None;
        self.steps = Vec::new();
        self.caller_id_check = None;
        self.balance = None;
        self.signing = None;
        self.signing_error = None;
        self.signing_offered = None;
    }

    /// The passphrase is lost, and with it the secrets. What was done at Twilio stays in the record:
    /// with the Auth Token entered anew, the account goes on and makes itself a new key.
    async fn give_up_secrets(&mut self) -> Result<(), UserError> {
        if self.shared.vault.kind() != VaultKind::File {
            return Err(UserError::new(
                ErrorCode::InvalidEntry,
                "The secrets are in the keychain, which has a password of its own. Unlock it, or enter the Auth Token again.",
            ));
        }
        let shared = std::sync::Arc::clone(&self.shared);
        blocking(move || shared.vault.give_up_file().map_err(|error| user_error(&error))).await?;
        self.error = None;
        self.look_at_vault();
        self.open_line();
        Ok(())
    }

    pub(super) fn try_again(&mut self) -> Result<(), UserError> {
        self.error = None;
        if let Some(line) = &self.line {
            line.tunnel().retry();
        }
        if let Some(job) = &self.job {
            job.nudge.notify_one();
            return Ok(());
        }
        match self.last.clone() {
            Some(Purpose::Open) => self.open_line(),
            Some(Purpose::Look) => {
                let account = self.account()?;
                let secrets =
                    self.entered.complete().map(|pending| self.entered.secrets(&pending)).unwrap_or_default();
                self.start_look(&account, secrets);
            }
            Some(Purpose::SetUp(choices)) => {
                let account = self.account()?;
                self.start_set_up(account, *choices, Vec::new());
            }
            Some(Purpose::Disconnect(undo)) => {
                let account = self.account()?;
                self.start_disconnect(account, undo);
            }
            Some(Purpose::Forget) => self.forget_account()?,
            Some(Purpose::Verify | Purpose::Sign) | None => {
                if let Some(keeper) = &self.keeper {
                    keeper.look();
                }
            }
        }
        Ok(())
    }

    pub(super) fn verify_caller_id(&mut self, number: &str) -> Result<(), UserError> {
        let account = self.account()?;
        let region = self.choices.as_ref().and_then(|choices| choices.caller_id.as_ref());
        let region = region.and_then(phone_number::region).unwrap_or_default();
        let number: E164 = phone_number::parse(number, &region)
            .map_err(|error| UserError::new(ErrorCode::InvalidEntry, error.0))?;
        if self.job.as_ref().is_some_and(|job| !matches!(job.purpose, Purpose::Verify)) {
            return Err(UserError::new(ErrorCode::Busy, "Wait until what is being done is finished."));
        }
        self.start(Purpose::Verify, |job| jobs::verify_caller_id(job, account, number));
        Ok(())
    }

    pub(super) fn repair(&mut self, repair: Repair) -> Result<(), UserError> {
        self.error = None;
        match repair {
            Repair::RestartTunnel => match &self.line {
                Some(line) => line.tunnel().retry(),
                None => self.open_line(),
            },
            Repair::RunSetUp => {
                self.must_not_be_in_a_call()?;
                let record = self.shared.record()?;
                let choices = match record.wanted {
                    Some(wanted) => wanted,
                    None => self.shared.choices()?,
                };
                self.start_set_up(record.account.sid, choices, Vec::new());
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

    pub(super) async fn disconnect(&mut self, undo: Undo) -> Result<(), UserError> {
        self.must_not_be_in_a_call()?;
        let account = self.account()?;
        self.shared.save_record(move |record| record.undoing = Some(undo)).await?;
        self.start_disconnect(account, undo);
        Ok(())
    }

    /// Nothing can be put back, or the agent will not wait: what the numbers said goes to a file.
    pub(super) fn forget_account(&mut self) -> Result<(), UserError> {
        self.must_not_be_in_a_call()?;
        if !matches!(self.phase, AccountPhase::Disconnecting | AccountPhase::Locked) {
            return Err(UserError::new(ErrorCode::InvalidEntry, "Disconnect the account first."));
        }
        let account = self.account()?;
        self.start(Purpose::Forget, |job| jobs::forget_account(job, account));
        Ok(())
    }

    pub(super) fn must_not_be_in_a_call(&self) -> Result<(), UserError> {
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
}

/// Whether something of the account may have been changed at Twilio.
fn is_begun(record: &Record) -> bool {
    record.complete
        || record.wanted.is_some()
        || record.undoing.is_some()
        || record.app.is_some()
        || record.key_is_ours
        || !record.numbers.is_empty()
}
