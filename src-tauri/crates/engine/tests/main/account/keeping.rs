//! What becomes of a connected account, and how it is put right.

use dialer_domain::account::ApiKey;
use dialer_domain::error::ErrorCode;
use dialer_domain::phone_number::E164;
use dialer_domain::setup::{Choices, TunnelChoice};
use dialer_engine::api::{AccountCommands as _, AccountPhase, Commands as _, LightState, PageId, Repair};
use dialer_simulator::{Faults, IncomingCall, RestFailure, RestFault};
use secrecy::ExposeSecret as _;

use crate::computer::{Computer, connected, direct, owner};

#[tokio::test]
async fn a_connected_phone_starts_connected_and_without_a_network() {
    let mut computer = Computer::with_a_twilio().await;
    computer.connect().await;
    let close = RestFault { method: None, path_contains: None, times: None, then: RestFailure::Close };
    computer.simulator.set_faults(Faults { rest: vec![close], ..Faults::default() });
    computer.restart().await;
    let snapshot = computer.phone().core().snapshot(PageId(uuid::Uuid::new_v4())).await.unwrap();
    assert_eq!(snapshot.practice, None);
    assert!(computer.phone().core().issue_access_token().await.is_ok(), "tokens are minted here");
    let status = computer.until(connected).await;
    assert_eq!(status.connected.unwrap().account_sid, computer.account().account_sid.as_str());
    // The webhook server has another port now, which Twilio cannot be told yet.
    computer.light_in(|state, _| state == LightState::Reconnecting).await;
    computer.simulator.set_faults(Faults::default());
}

#[tokio::test]
async fn numbers_taken_away_are_noticed_and_repaired() {
    let mut computer = Computer::with_a_twilio().await;
    computer.connect().await;
    let own = computer.account().numbers[0].clone();
    for number in &computer.account().numbers {
        computer.simulator.bind_number(number, None).unwrap();
    }
    computer.phone().try_again().await.unwrap();
    computer
        .light_in(|state, repair| state == LightState::NotReachable && repair == Some(Repair::RunSetUp))
        .await;
    computer.phone().repair(Repair::RunSetUp).await.unwrap();
    computer.until(|status| connected(status) && status.error.is_none()).await;
    assert!(computer.routing(&own).voice_application_sid.is_some());
}

#[tokio::test]
async fn a_deleted_key_is_noticed_and_replaced() {
    let mut computer = Computer::with_a_twilio().await;
    computer.connect().await;
    let owner = owner(&computer.simulator);
    let ours = |keys: Vec<ApiKey>| {
        let mut ours = keys.into_iter().filter(|key| key.friendly_name.starts_with("Kennex Dialer on"));
        let one = ours.next().unwrap();
        assert_eq!(ours.next(), None);
        one.sid
    };
    let first = ours(owner.keys().await.unwrap());
    owner.delete_key(&first).await.unwrap();
    computer.phone().try_again().await.unwrap();
    computer.light_in(|_, repair| repair == Some(Repair::RunSetUp)).await;
    computer.phone().repair(Repair::RunSetUp).await.unwrap();
    computer.until(|status| status.phase == AccountPhase::SettingUp).await;
    computer.until(connected).await;
    assert_ne!(ours(owner.keys().await.unwrap()), first);
    assert!(computer.phone().core().issue_access_token().await.is_ok());
}

#[tokio::test]
async fn a_changed_auth_token_is_noticed_by_refused_webhooks_and_can_be_entered() {
    let mut computer = Computer::with_a_twilio().await;
    computer.connect().await;
    let http = reqwest::Client::new();
    let change = |path: &'static str| {
        let account = computer.account();
        http.post(format!("{}/accounts/v1/AuthTokens/{path}", computer.simulator.base_url()))
            .basic_auth(account.account_sid, Some(account.auth_token.expose_secret()))
            .send()
    };
    assert!(change("Secondary").await.unwrap().status().is_success());
    assert!(change("Promote").await.unwrap().status().is_success());
    let own = computer.account().numbers[0].clone();
    let call = IncomingCall::from_number(E164::parse_strict("+12025550100").unwrap()).to(own);
    // One refused request may be anybody's; several, with no good one between them, are Twilio's.
    for _ in 0..3 {
        computer.simulator.place_incoming(&call).unwrap();
    }
    computer.light_in(|_, repair| repair == Some(Repair::EnterAuthToken)).await;

    let wrong = computer.phone().replace_auth_token("0123456789abcdef0123456789abcdef".into()).await;
    assert_eq!(wrong.unwrap_err().code, ErrorCode::CredentialsRefused);
    let token = computer.account().auth_token.expose_secret().to_owned();
    computer.phone().replace_auth_token(token).await.unwrap();
    computer.light_in(|_, repair| repair.is_none()).await;
    computer.restart().await;
    computer.until(connected).await;
}

#[tokio::test]
async fn an_address_that_twilio_refuses_is_not_called_ready() {
    let mut computer = Computer::with_a_twilio().await;
    computer.connect().await;
    let owner = owner(&computer.simulator);
    for key in owner.keys().await.unwrap() {
        if key.friendly_name.starts_with("Kennex Dialer on") {
            owner.delete_key(&key.sid).await.unwrap();
        }
    }
    // The webhook server has another port afterwards, which Twilio must be told with the key that is gone.
    computer.restart().await;
    computer.until(connected).await;
    computer
        .light_in(|state, repair| state == LightState::NotReachable && repair == Some(Repair::RunSetUp))
        .await;
    computer.phone().repair(Repair::RunSetUp).await.unwrap();
    computer.until(|status| status.phase == AccountPhase::SettingUp).await;
    computer.until(connected).await;
    computer.light_in(|_, repair| repair.is_none()).await;
}

#[tokio::test]
async fn a_tunnel_that_does_not_come_up_leaves_the_one_before_to_go_back_to() {
    let mut computer = Computer::with_a_twilio().await;
    computer.connect().await;
    computer.phone().repair(Repair::ChangeTunnel).await.unwrap();
    let status = computer.until(|status| status.phase == AccountPhase::Choosing).await;
    let broken = TunnelChoice::Command {
        program: "/nowhere/tunnel".into(),
        arguments: Vec::new(),
        url_pattern: Some("http".into()),
        url: None,
    };
    let choices = Choices { tunnel: broken, ..status.choices.unwrap() };
    computer.phone().set_up(choices).await.unwrap();
    computer.until(|status| status.error.is_some()).await;
    computer.light_in(|state, _| state == LightState::NotReachable).await;
    computer.phone().leave_choosing().await.unwrap();
    let status = computer.until(connected).await;
    assert_eq!(status.tunnel.unwrap().choice, direct());
    computer.light_in(|_, repair| repair.is_none()).await;
}
