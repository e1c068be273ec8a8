//! Accounts that are forgotten without putting everything back.

use std::sync::Arc;

use dialer_domain::account::AccountStanding;
use dialer_domain::setup::Undo;
use dialer_engine::api::{AccountCommands as _, AccountPhase};
use dialer_simulator::AccountSettings;
use dialer_storage::vault::ChosenVault;

use crate::computer::Computer;

#[tokio::test]
async fn an_account_whose_token_is_gone_for_good_can_be_forgotten() {
    let mut computer = Computer::with_a_twilio().await;
    computer.connect().await;
    computer.memory = Some(Arc::new(ChosenVault::memory()));
    computer.restart().await;
    computer.until(|status| status.phase == AccountPhase::Locked).await;
    computer.phone().forget_account().await.unwrap();
    let status = computer.until(|status| status.phase == AccountPhase::None).await;
    assert!(status.error.unwrap().message.contains("numbers-before-"));
    computer.restart().await;
    assert_eq!(computer.phone().account_status().await.unwrap().phase, AccountPhase::None);
}

#[tokio::test]
async fn an_account_that_refuses_is_forgotten_only_when_asked_and_what_it_said_is_kept() {
    let mut computer = Computer::with_a_twilio().await;
    computer.connect().await;
    let settings = computer.simulator.account_settings();
    computer
        .simulator
        .set_account(AccountSettings { standing: AccountStanding::Suspended, ..settings.clone() });
    computer.phone().disconnect(Undo { delete_app: true, delete_key: true }).await.unwrap();
    let status = computer.until(|status| status.error.is_some()).await;
    assert_eq!(status.phase, AccountPhase::Disconnecting);
    // After a restart it goes on, and fails again for the same reason.
    computer.restart().await;
    computer.until(|status| status.error.is_some()).await;
    computer.phone().forget_account().await.unwrap();
    let status = computer.until(|status| status.phase == AccountPhase::None).await;
    let remark = status.error.unwrap().message;
    let kept = std::fs::read_dir(computer.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .find(|name| name.starts_with("numbers-before-"))
        .unwrap();
    assert!(remark.contains(&kept), "{remark}");
}
