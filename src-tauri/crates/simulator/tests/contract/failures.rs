//! What can be wrong with an account or in between, as the client tells it.

use std::sync::Arc;
use std::time::Duration;

use dialer_domain::account::{AccountKind, AccountStanding};
use dialer_domain::error::ErrorCode;
use dialer_domain::ports::Clock;
use dialer_simulator::{AccountSettings, Faults, RestFailure, RestFault, Simulator, SimulatorOptions};
use dialer_twilio::rest::{
    BaseUrls, Client, ClientOptions, Credentials, Instructions, NewCall, RestError, UnreachableCause,
};
use url::Url;

use super::desk::{Desk, client};
use crate::bench::OUR_NUMBER;

#[tokio::test]
async fn accounts_that_cannot_call_say_why() {
    let desk = Desk::start().await;
    let simulator = &desk.bench.simulator;
    let standing = |standing| AccountSettings { standing, ..AccountSettings::default() };
    simulator.set_account(standing(AccountStanding::Suspended));
    assert_eq!(desk.owner.account().await.unwrap().standing, AccountStanding::Suspended);
    let error = desk.owner.numbers().await.unwrap_err();
    assert_eq!((error.user_error().code, error.passing()), (ErrorCode::AccountNotActive, false));
    simulator.set_account(standing(AccountStanding::Closed));
    assert_eq!(desk.key.probe().await.unwrap_err().user_error().code, ErrorCode::AccountNotActive);

    simulator.set_account(AccountSettings { kind: AccountKind::Trial, ..AccountSettings::default() });
    assert_eq!(desk.owner.account().await.unwrap().kind, AccountKind::Trial);
    let call = NewCall {
        to: "+12025550110".into(),
        from: OUR_NUMBER.into(),
        instructions: Instructions::Twiml("<Response/>".into()),
        timeout_s: None,
        time_limit_s: None,
        status_callback: None,
        status_callback_events: Vec::new(),
        machine_detection: None,
    };
    let error = desk.key.create_call(&call).await.unwrap_err();
    assert!(error.user_error().message.contains("trial"), "{error}");
    desk.stop().await;
}

#[tokio::test]
async fn credentials_that_do_not_fit_are_told_apart() {
    let desk = Desk::start().await;
    let account = desk.owner.account_sid().clone();
    let owner = |account, token| client(&desk.proxy.url, Credentials::AuthToken { account, token });
    let wrong = owner(account, "0123456789abcdef0123456789abcdef".into()).account().await.unwrap_err();
    assert_eq!((wrong.code(), wrong.user_error().code), (Some(20003), ErrorCode::CredentialsRefused));
    let (account, token) = desk.bench.simulator.test_credentials();
    let test = owner(account, token).account().await.unwrap_err();
    assert_eq!((test.code(), test.user_error().code), (Some(20008), ErrorCode::CredentialsRefused));
    assert!(test.user_error().message.contains("test credentials"));
    desk.stop().await;
}

/// A simulator, and its owner's client without a proxy between.
async fn directly() -> (Simulator, Client) {
    let simulator = Simulator::start(SimulatorOptions::default()).await.unwrap();
    let client = of(&simulator, ClientOptions::default().timeout);
    (simulator, client)
}

fn of(simulator: &Simulator, timeout: Duration) -> Client {
    let url = Url::parse(&simulator.base_url()).unwrap();
    let account = simulator.account();
    let credentials = Credentials::AuthToken { account: account.account_sid, token: account.auth_token };
    let options = ClientOptions { timeout, ..ClientOptions::default() };
    Client::new(BaseUrls::simulator(&url).unwrap(), credentials, options).unwrap()
}

fn fault(simulator: &Simulator, times: u32, then: RestFailure) {
    let rule = RestFault { method: None, path_contains: None, times: Some(times), then };
    simulator.set_faults(Faults { rest: vec![rule], ..Faults::default() });
}

#[tokio::test]
async fn what_passes_is_waited_out() {
    let (simulator, client) = directly().await;
    for then in [
        RestFailure::TooManyRequests { retry_after_s: None },
        RestFailure::Unavailable,
        RestFailure::InternalError { processed: false },
        RestFailure::Delay { ms: 1 },
    ] {
        fault(&simulator, 2, then.clone());
        client.keys().await.unwrap_or_else(|error| panic!("{then:?}: {error}"));
    }
    for then in [RestFailure::Close, RestFailure::Truncate] {
        fault(&simulator, 1, then.clone());
        client.keys().await.unwrap_or_else(|error| panic!("{then:?}: {error}"));
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_key_is_made_once_whatever_happens_to_the_answer() {
    let (simulator, client) = directly().await;
    let named = |name: &'static str| {
        let client = client.clone();
        async move {
            let keys = client.keys().await.unwrap();
            keys.iter().filter(|key| key.friendly_name == name).count()
        }
    };
    fault(&simulator, 1, RestFailure::InternalError { processed: true });
    assert!(matches!(client.create_key("failed").await, Err(RestError::Server { status: 500, .. })));
    assert_eq!(named("failed").await, 1);
    fault(&simulator, 1, RestFailure::Truncate);
    let error = client.create_key("cut").await.unwrap_err();
    assert!(matches!(error, RestError::Unreachable { cause: UnreachableCause::Interrupted, .. }), "{error}");
    assert_eq!(named("cut").await, 1);
    fault(&simulator, 2, RestFailure::Unavailable);
    let made = client.create_key("busy").await.unwrap();
    assert_eq!(named("busy").await, 1);
    fault(&simulator, 1, RestFailure::InternalError { processed: true });
    client.delete_key(&made.sid).await.unwrap();
    assert_eq!(named("busy").await, 0, "deleted by the try whose answer was lost");
    simulator.shutdown().await;
}

#[tokio::test]
async fn an_answer_that_never_comes_is_a_timeout() {
    let (simulator, patient) = directly().await;
    let hurried = of(&simulator, Duration::from_secs(1));
    fault(&simulator, 1, RestFailure::HoldAfter);
    let error = hurried.create_key("held").await.unwrap_err();
    assert!(matches!(error, RestError::Unreachable { cause: UnreachableCause::Timeout, .. }), "{error}");
    simulator.set_faults(Faults::default());
    let keys = patient.keys().await.unwrap();
    assert_eq!(keys.iter().filter(|key| key.friendly_name == "held").count(), 1, "done, and not known");
    simulator.shutdown().await;
}

#[tokio::test]
async fn strangers_in_between_are_not_taken_for_twilio() {
    let (simulator, client) = directly().await;
    for then in [RestFailure::SignInPage, RestFailure::Redirect, RestFailure::ProxySignIn] {
        fault(&simulator, 1, then.clone());
        let error = client.account().await.unwrap_err();
        assert!(matches!(error, RestError::NotTwilio { .. }), "{then:?}: {error}");
        assert_eq!(error.user_error().code, ErrorCode::Offline);
    }
    client.account().await.unwrap();
    simulator.shutdown().await;
}

struct Standing;

impl Clock for Standing {
    fn now_ms(&self) -> i64 {
        1_790_683_200_000
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_noticed() {
    let clock = Arc::new(Standing);
    let simulator =
        Simulator::start(SimulatorOptions { clock: clock.clone(), ..SimulatorOptions::default() })
            .await
            .unwrap();
    simulator.set_faults(Faults { date_offset_ms: 420_000, ..Faults::default() });
    let account = simulator.account();
    let credentials = Credentials::AuthToken { account: account.account_sid, token: account.auth_token };
    let base = BaseUrls::simulator(&Url::parse(&simulator.base_url()).unwrap()).unwrap();
    let client = Client::new(base, credentials, ClientOptions { clock, ..ClientOptions::default() }).unwrap();
    client.probe().await.unwrap();
    assert_eq!(client.clock_offset_ms(), Some(420_500));
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_long_list_comes_over_several_pages() {
    let (simulator, client) = directly().await;
    let before = client.keys().await.unwrap().len();
    for count in 0..1_500 {
        simulator.create_key(dialer_simulator::KeyClass::Standard, &format!("key {count}"));
    }
    let keys = client.keys().await.unwrap();
    let different: std::collections::HashSet<_> = keys.iter().map(|key| &key.sid).collect();
    assert_eq!((keys.len(), different.len()), (before + 1_500, before + 1_500));
    simulator.shutdown().await;
}
