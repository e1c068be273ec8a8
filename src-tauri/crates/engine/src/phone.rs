//! The phone: practice or a real account, and the way from the one to the other.

use dialer_domain::error::UserError;
use dialer_domain::setup::{Choices, Undo};

use crate::api::{AccountCommands, AccountStatus, CredentialField, DisconnectView, ImportReport, Repair};
use crate::core::Core;

/// The phone.
#[derive(Clone)]
pub struct Phone {
    core: Core,
}

impl Phone {
    /// The core in use.
    pub fn core(&self) -> Core {
        self.core.clone()
    }
}

#[async_trait::async_trait]
impl AccountCommands for Phone {
    async fn account_status(&self) -> Result<AccountStatus, UserError> { unreachable!() }
    async fn enter_credential(&self, _field: CredentialField, _text: String) -> Result<(), UserError> { unreachable!() }
    async fn import_env(&self, _text: String) -> Result<ImportReport, UserError> { unreachable!() }
    async fn forget_credentials(&self) -> Result<(), UserError> { unreachable!() }
    async fn check_account(&self) -> Result<(), UserError> { unreachable!() }
    async fn set_up(&self, _choices: Choices) -> Result<(), UserError> { unreachable!() }
    async fn try_again(&self) -> Result<(), UserError> { unreachable!() }
    async fn verify_caller_id(&self, _number: String) -> Result<(), UserError> { unreachable!() }
    async fn repair(&self, _repair: Repair) -> Result<(), UserError> { unreachable!() }
    async fn replace_auth_token(&self, _text: String) -> Result<(), UserError> { unreachable!() }
    async fn use_encrypted_file(&self, _passphrase: String) -> Result<(), UserError> { unreachable!() }
    async fn unlock_vault(&self, _passphrase: Option<String>) -> Result<(), UserError> { unreachable!() }
    async fn preview_disconnect(&self) -> Result<DisconnectView, UserError> { unreachable!() }
    async fn disconnect(&self, _undo: Undo) -> Result<(), UserError> { unreachable!() }
}
