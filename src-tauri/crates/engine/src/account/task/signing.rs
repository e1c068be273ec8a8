//! What Twilio's requests are signed with: a job beside the others, which nothing of the phone waits for.

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::setup::Signing;

use super::{AccountTask, Purpose, SigningWish};
use crate::account::{Said, signing};
use crate::api::{AccountPhase, Repair, SigningState, SigningView};

impl AccountTask {
    pub(super) async fn sign(&mut self, wish: SigningWish) -> Result<(), UserError> {
        let refuse = |text: &str| Err(UserError::new(ErrorCode::InvalidEntry, text));
        // Set-up can fail for want of the key alone, and ends only once that is given up.
        let setting_up = self.phase == AccountPhase::SettingUp && wish == SigningWish::AuthToken;
        if setting_up {
            self.must_not_be_in_a_call()?;
        } else if self.phase != AccountPhase::Connected || self.line.is_none() {
            return refuse("The account is not in use yet. Wait until the lights are green, then try again.");
        }
        let known = self.shared.record()?.signing;
        match (wish, known) {
            (SigningWish::SharedKey, _) if self.signing_offered == Some(false) => return refuse(NOT_OFFERED),
            (SigningWish::AnotherSharedKey, known)
                if !known.as_ref().is_some_and(|known| known.wanted && known.demanded) =>
            {
                return refuse("There is no key in use to be replaced. Switch it on first.");
            }
            (SigningWish::AuthToken, None) => return Ok(()),
            _ => {}
        }
        // The job before it ends here, so that it changes nothing after this. The keeper's change goes on: only
        // what was asked for is written beside what it writes.
        self.signing = None;
        self.shared
            .save_record(move |record| match (wish, &mut record.signing) {
                // Where switching off was begun, what signs at Twilio is looked at again.
                (SigningWish::SharedKey, signing) => signing.get_or_insert_default().wanted = true,
                (SigningWish::AnotherSharedKey, Some(signing)) => signing.replace(),
                (SigningWish::AuthToken, Some(signing)) => signing.wanted = false,
                (SigningWish::AnotherSharedKey | SigningWish::AuthToken, None) => {}
            })
            .await?;
        if setting_up {
            return self.repair(Repair::RunSetUp);
        }
        self.go_on_signing();
        Ok(())
    }

    /// Looks whether Twilio signs as the record wants, and has it do so: what was begun before the program ended
    /// goes on, and what was changed at Twilio meanwhile is put back.
    pub(super) fn go_on_signing(&mut self) {
        let Some(line) = self.line.as_ref().filter(|_| self.session.is_live()) else { return };
        if self.shared.saved().record.is_none_or(|record| record.signing.is_none()) {
            return;
        }
        let line = (line.watch(), line.keys());
        self.start(Purpose::Sign, |job| signing::run(job, line));
    }

    pub(super) fn said_of_signing(&mut self, said: Said) {
        match said {
            Said::Waiting(what) => self.signing_waits = what,
            Said::Failed(error) => {
                self.signing = None;
                self.signing_error = Some(error);
            }
            Said::Signing => {
                self.signing = None;
                // What was in trouble for want of the key need not be any more.
                if let Some(keeper) = &self.keeper {
                    keeper.look();
                }
            }
            // These are not about signing.
            Said::Steps(_)
            | Said::Looked(_)
            | Said::SecretsKept
            | Said::SecretsForgotten
            | Said::LineOpened(_)
            | Said::LineReady
            | Said::SetUp
            | Said::Disconnected(_)
            | Said::CallerIdCheck(_)
            | Said::CallerIds(_) => {}
        }
    }

    /// As the page gets it.
    pub(super) fn signing_view(&self, signing: Option<&Signing>) -> SigningView {
        let state = match signing {
            None => SigningState::AuthToken,
            Some(signing) if !signing.wanted => SigningState::SwitchingOff,
            Some(signing) if !signing.demanded => SigningState::SwitchingOn,
            Some(signing) if signing.key.is_none() || signing.replaced.is_some() => SigningState::Replacing,
            Some(_) => SigningState::SharedKey,
        };
        SigningView {
            state,
            // The keeper changes it too, where the address does.
            under_way: self.signing.is_some() || self.shared.signing.try_lock().is_err(),
            offered: self.signing_offered,
            waiting: self.signing_waits.clone(),
            error: self.signing_error.clone(),
        }
    }
}

const NOT_OFFERED: &str = "Twilio does not offer this account to have its requests signed with a key of its own. The Auth Token goes on signing them.";
