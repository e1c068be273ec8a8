//! From two values to a connected account.

use dialer_domain::account::{AccountKind, AccountStanding, NumberRouting};
use dialer_domain::call::SdkCallEvent;
use dialer_domain::entry::Field;
use dialer_domain::error::ErrorCode;
use dialer_domain::setup::Undo;
use dialer_engine::api::{
    AccountCommands as _, AccountPhase, AccountStatus, CallerIdCheckState, Commands as _, PageId, StepState,
};
use dialer_simulator::{AccountSettings, Faults, NumberSettings, RestFailure, RestFault};
use secrecy::ExposeSecret as _;

use crate::computer::{Computer, connected, owner, report};

#[tokio::test]
async fn two_values_and_one_choice_connect_an_account_and_disconnecting_leaves_no_trace() {
    let mut computer = Computer::with_a_twilio().await;
    let own = computer.account().numbers[0].clone();
    let before = NumberSettings {
        friendly_name: Some("Reception".into()),
        voice: true,
        routing: NumberRouting {
            voice_url: Some("https://reception.example.com/voice?lang=en".into()),
            voice_method: Some("GET".into()),
            voice_fallback_url: Some(String::new()),
            voice_fallback_method: Some("POST".into()),
            status_callback: Some("https://reception.example.com/done".into()),
            status_callback_method: Some("POST".into()),
            ..computer.routing(&own)
        },
    };
    computer.simulator.set_up_number(&own, &before).unwrap();
    let as_found = computer.routing(&own);

    let status = computer.choosing().await;
    let inventory = status.inventory.clone().unwrap();
    let shown = inventory.numbers.iter().find(|view| view.number == own).unwrap();
    assert_eq!(shown.goes_to, "reception.example.com");
    assert!(shown.warning.as_ref().unwrap().contains("no longer get its calls"));
    let mut choices = Computer::choices(&status);
    assert!(!choices.ring.contains(&shown.sid), "what is in use is not taken unasked");
    choices.ring.push(shown.sid.clone());
    choices.caller_id = Some(own.clone());
    computer.phone().set_up(choices).await.unwrap();
    let status = computer.until(connected).await;
    assert!(status.steps.iter().all(|step| step.state == StepState::Done), "{:#?}", status.steps);
    assert!(status.credentials.iter().all(|field| !field.entered), "nothing entered is kept in memory");

    let snapshot = computer.phone().core().snapshot(PageId(uuid::Uuid::new_v4())).await.unwrap();
    assert_eq!(snapshot.practice, None);
    assert_eq!(snapshot.agent.caller_id, Some(own.clone()));
    let token = computer.phone().core().issue_access_token().await.unwrap();
    assert!(token.identity.starts_with("agent_"));
    let bound = computer.routing(&own);
    assert!(bound.voice_application_sid.as_deref().unwrap().starts_with("AP"));

    let preview = computer.phone().preview_disconnect().await.unwrap();
    assert!(preview.app && preview.key);
    assert!(preview.numbers.iter().any(|n| n.goes_to.as_deref() == Some("reception.example.com")));
    computer.phone().disconnect(Undo { delete_app: true, delete_key: true }).await.unwrap();
    let status = computer.until(|status| status.phase == AccountPhase::None).await;
    assert_eq!(status.error, None);
    assert_eq!(computer.routing(&own), as_found);
    let snapshot = computer.phone().core().snapshot(PageId(uuid::Uuid::new_v4())).await.unwrap();
    assert!(snapshot.practice.is_some(), "the phone practises again");
    computer.restart().await;
    assert_eq!(computer.phone().account_status().await.unwrap().phase, AccountPhase::None);
}

#[tokio::test]
async fn what_is_entered_offline_goes_on_when_the_network_is_there() {
    let mut computer = Computer::with_a_twilio().await;
    let close = RestFault { method: None, path_contains: None, times: None, then: RestFailure::Close };
    computer.simulator.set_faults(Faults { rest: vec![close], ..Faults::default() });
    computer.enter().await;
    computer.phone().check_account().await.unwrap();
    let status = computer.until(|status| status.waiting.is_some()).await;
    assert_eq!(status.phase, AccountPhase::Checking);
    // The program may even end meanwhile: what was entered is stored.
    computer.restart().await;
    computer.until(|status| status.waiting.is_some()).await;
    computer.simulator.set_faults(Faults::default());
    computer.phone().try_again().await.unwrap();
    let status = computer.until(|status| status.phase == AccountPhase::Choosing).await;
    assert_eq!(status.waiting, None);
}

#[tokio::test]
async fn each_bad_account_has_its_own_failure_and_nothing_is_left_of_it() {
    let mut computer = Computer::with_a_twilio().await;
    let missing = computer.phone().check_account().await.unwrap_err();
    assert_eq!(missing.code, ErrorCode::InvalidEntry);

    computer.enter().await;
    computer
        .phone()
        .enter_credential(Field::AuthToken, "0123456789abcdef0123456789abcdef".into())
        .await
        .unwrap();
    computer.phone().check_account().await.unwrap();
    assert_eq!(computer.failure().await, ErrorCode::CredentialsRefused);

    let (test_sid, test_token) = computer.simulator.test_credentials();
    computer.phone().enter_credential(Field::AccountSid, test_sid.to_string()).await.unwrap();
    computer.phone().enter_credential(Field::AuthToken, test_token.expose_secret().to_owned()).await.unwrap();
    computer.phone().check_account().await.unwrap();
    let error = computer.until(|status| status.error.is_some()).await.error.unwrap();
    assert!(error.message.contains("test credentials"), "{}", error.message);

    let settings = computer.simulator.account_settings();
    computer.enter().await;
    computer
        .simulator
        .set_account(AccountSettings { standing: AccountStanding::Suspended, ..settings.clone() });
    computer.phone().check_account().await.unwrap();
    assert_eq!(computer.failure().await, ErrorCode::AccountNotActive);

    computer.simulator.set_account(settings);
    computer.simulator.set_faults(Faults { date_offset_ms: 7 * 60_000, ..Faults::default() });
    computer.enter().await;
    computer.phone().check_account().await.unwrap();
    let error = computer.until(|status| status.error.is_some()).await.error.unwrap();
    assert!(error.message.contains("7 minutes slow"), "{}", error.message);

    computer.simulator.set_faults(Faults::default());
    let sign_in = RestFault { method: None, path_contains: None, times: None, then: RestFailure::SignInPage };
    computer.simulator.set_faults(Faults { rest: vec![sign_in], ..Faults::default() });
    computer.phone().check_account().await.unwrap();
    let status = computer.until(|status| status.waiting.is_some() || status.error.is_some()).await;
    let sentence = status.waiting.or(status.error.map(|error| error.message)).unwrap();
    assert!(sentence.contains("sign"), "{sentence}");
    computer.simulator.set_faults(Faults::default());

    computer.phone().forget_credentials().await.unwrap();
    computer.restart().await;
    let status = computer.phone().account_status().await.unwrap();
    assert_eq!(status.phase, AccountPhase::None);
    assert!(status.credentials.iter().all(|field| !field.entered));
}

#[tokio::test]
async fn a_trial_says_what_it_cannot_do() {
    let mut computer = Computer::with_a_twilio().await;
    let settings = computer.simulator.account_settings();
    computer.simulator.set_account(AccountSettings { kind: AccountKind::Trial, ..settings });
    let inventory = computer.choosing().await.inventory.unwrap();
    assert_eq!(inventory.kind, AccountKind::Trial);
    assert!(inventory.trial_limits.iter().any(|limit| limit.contains("ten minutes")));
}

#[tokio::test]
async fn two_computers_on_one_account_leave_each_other_alone() {
    let mut first = Computer::with_a_twilio().await;
    first.connect().await;
    let own = first.account().numbers[0].clone();
    let at_first = first.routing(&own);
    let mut second = Computer::new(first.simulator.clone()).await;
    let status = second.choosing().await;
    let view = status.inventory.as_ref().unwrap().numbers.iter().find(|view| view.number == own).unwrap();
    assert!(view.goes_to.starts_with("Kennex Dialer on "), "{}", view.goes_to);
    let choices = Computer::choices(&status);
    assert!(!choices.ring.contains(&view.sid));
    second.phone().set_up(choices).await.unwrap();
    second.until(connected).await;
    assert_eq!(first.routing(&own), at_first);
    second.phone().disconnect(Undo { delete_app: true, delete_key: true }).await.unwrap();
    second.until(|status| status.phase == AccountPhase::None).await;
    assert_eq!(first.routing(&own), at_first);
    assert!(first.phone().core().issue_access_token().await.is_ok());
}

#[tokio::test]
async fn a_caller_id_is_verified_by_a_call() {
    let mut computer = Computer::with_a_twilio().await;
    computer.choosing().await;
    computer.phone().verify_caller_id("+12025550100".into()).await.unwrap();
    let status = computer
        .until(|status| {
            status.caller_id_check.as_ref().is_some_and(|check| check.state == CallerIdCheckState::Calling)
        })
        .await;
    assert_eq!(status.caller_id_check.unwrap().code.unwrap().len(), 6);
    let status = computer
        .until(|status| {
            status.caller_id_check.as_ref().is_some_and(|check| check.state == CallerIdCheckState::Verified)
        })
        .await;
    assert!(status.inventory.unwrap().verified.iter().any(|one| one.number.as_str() == "+12025550100"));
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_nothing_twice() {
    for path in ["/Keys.json", "/Applications.json"] {
        let mut computer = Computer::with_a_twilio().await;
        let status = computer.choosing().await;
        let lost = RestFault {
            method: Some("POST".into()),
            path_contains: Some(path.into()),
            times: Some(1),
            then: RestFailure::InternalError { processed: true },
        };
        computer.simulator.set_faults(Faults { rest: vec![lost], ..Faults::default() });
        computer.phone().set_up(Computer::choices(&status)).await.unwrap();
        computer.until(connected).await;
        let owner = owner(&computer.simulator);
        let ours = |name: &str| name.starts_with("Kennex Dialer on");
        let keys = owner.keys().await.unwrap();
        assert_eq!(keys.iter().filter(|key| ours(&key.friendly_name)).count(), 1, "{path}");
        let apps = owner.applications().await.unwrap();
        assert_eq!(apps.iter().filter(|app| ours(&app.settings.friendly_name)).count(), 1, "{path}");
    }
}

#[tokio::test]
async fn another_account_waits_for_the_end_of_a_call() {
    let mut computer = Computer::with_a_twilio().await;
    let status = computer.choosing().await;
    let hold = RestFault {
        method: Some("POST".into()),
        path_contains: Some("/Keys.json".into()),
        times: None,
        then: RestFailure::HoldBefore,
    };
    computer.simulator.set_faults(Faults { rest: vec![hold], ..Faults::default() });
    computer.phone().set_up(Computer::choices(&status)).await.unwrap();
    let core = computer.phone().core();
    core.report_call(report(SdkCallEvent::Accepted)).await.unwrap();
    core.watch().wait_for(|view| !view.calls.is_empty()).await.unwrap();
    computer.simulator.set_faults(Faults::default());
    let waiting = |status: &AccountStatus| status.waiting.as_ref().is_some_and(|what| what.contains("call"));
    computer.until(waiting).await;
    core.report_call(report(SdkCallEvent::Ended)).await.unwrap();
    computer.until(connected).await;
}
