//! Where the secrets of an account are, and what happens when they are gone.

use std::sync::Arc;

use dialer_domain::error::ErrorCode;
use dialer_domain::ports::VaultKind;
use dialer_engine::api::{AccountCommands as _, AccountPhase, Commands as _, Repair};
use dialer_simulator::{Simulator, SimulatorOptions};
use dialer_storage::folders::Folders;
use dialer_storage::vault::ChosenVault;
use secrecy::ExposeSecret as _;

use crate::computer::{Computer, connected, owner};

#[tokio::test]
async fn no_secret_is_in_what_the_page_is_told() {
    let mut computer = Computer::with_a_twilio().await;
    let account = computer.account();
    computer.enter().await;
    let entered = computer.phone().account_status().await.unwrap();
    let status = computer.connect().await;
    for told in [serde_json::to_string(&entered).unwrap(), serde_json::to_string(&status).unwrap()] {
        assert!(!told.contains(account.auth_token.expose_secret()), "{told}");
    }
    let settings = std::fs::read_to_string(Folders::at(computer.folder.path()).unwrap().settings()).unwrap();
    assert!(!settings.contains(account.auth_token.expose_secret()));
    assert!(!settings.to_lowercase().contains("secret"), "{settings}");
}

#[tokio::test]
async fn an_encrypted_file_locks_the_account_until_its_passphrase_and_can_be_given_up() {
    let passphrase = || String::from("four plain words here");
    let twilio = Simulator::start(SimulatorOptions::default()).await.unwrap();
    let mut computer = Computer::keeping_secrets_in(None, twilio).await;
    computer.choose_the_file().await;
    let short = computer.phone().use_encrypted_file("short".into()).await.unwrap_err();
    assert_eq!(short.code, ErrorCode::InvalidEntry);
    computer.phone().use_encrypted_file(passphrase()).await.unwrap();
    computer.until(|status| status.vault.kind == VaultKind::File && status.vault.ready).await;
    computer.connect().await;

    computer.restart().await;
    computer.until(|status| status.phase == AccountPhase::Locked).await;
    computer.light_in(|_, repair| repair == Some(Repair::UnlockVault)).await;
    assert!(computer.phone().unlock_vault(Some("five wrong words in here".into())).await.is_err());
    computer.phone().unlock_vault(Some(passphrase())).await.unwrap();
    computer.until(connected).await;
    assert!(computer.phone().core().issue_access_token().await.is_ok());

    computer.restart().await;
    computer.until(|status| status.phase == AccountPhase::Locked).await;
    computer.phone().forget_credentials().await.unwrap();
    computer.until(|status| status.vault.kind == VaultKind::Keychain).await;
    computer.choose_the_file().await;
    computer.phone().use_encrypted_file(passphrase()).await.unwrap();
    let token = computer.account().auth_token.expose_secret().to_owned();
    computer.phone().replace_auth_token(token).await.unwrap();
    computer.until(connected).await;
    computer.phone().repair(Repair::RunSetUp).await.unwrap();
    computer.until(|status| status.phase == AccountPhase::SettingUp).await;
    computer.until(connected).await;
    assert!(computer.phone().core().issue_access_token().await.is_ok());
    let owner = owner(&computer.simulator);
    let ours = |name: &str| name.starts_with("Kennex Dialer on");
    assert_eq!(owner.keys().await.unwrap().iter().filter(|key| ours(&key.friendly_name)).count(), 1);
    let apps = owner.applications().await.unwrap();
    assert_eq!(apps.iter().filter(|app| ours(&app.settings.friendly_name)).count(), 1);
}

#[tokio::test]
async fn a_token_that_is_gone_from_the_keychain_is_entered_again() {
    let mut computer = Computer::with_a_twilio().await;
    computer.connect().await;
    computer.memory = Some(Arc::new(ChosenVault::memory()));
    computer.restart().await;
    computer.until(|status| status.phase == AccountPhase::Locked).await;
    computer.light_in(|_, repair| repair == Some(Repair::EnterAuthToken)).await;
    let token = computer.account().auth_token.expose_secret().to_owned();
    computer.phone().replace_auth_token(token).await.unwrap();
    computer.until(connected).await;
    assert!(computer.phone().core().issue_access_token().await.is_err(), "the key's secret is gone, too");
    computer.phone().repair(Repair::RunSetUp).await.unwrap();
    computer.until(|status| status.phase == AccountPhase::SettingUp).await;
    computer.until(connected).await;
    assert!(computer.phone().core().issue_access_token().await.is_ok());
}
