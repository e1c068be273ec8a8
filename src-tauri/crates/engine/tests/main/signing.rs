//! A key of the computer's own in place of the Auth Token: switched on, replaced, switched off, interrupted, and
//! attacked with what was good before.

use std::time::Duration;

use dialer_domain::phone_number::E164;
use dialer_domain::ports::{SecretName, Vault as _};
use dialer_domain::setup::Undo;
use dialer_engine::api::{
    AccountCommands as _, AccountPhase, AccountStatus, LightState, Repair, SigningState,
};
use dialer_simulator::{
    AccountSettings, Faults, IncomingCall, Pace, RestFailure, RestFault, Simulator, SimulatorOptions,
};
use dialer_twilio::rest::{self, WebhookMatch};
use dialer_twilio::signature::{
    HmacAlgorithm, SETTINGS_HEADER, SIGNATURE_HEADER, SignedBody, WebhookKey, settings, sign,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::computer::{Computer, LIMIT, connected, owner};

const CALLER: &str = "+12025550100";

/// A connected computer whose Twilio spreads changes in a third of a second.
async fn desk() -> Computer {
    desk_at(100.0).await
}

/// A connected computer whose Twilio spreads changes in `30 / pace` seconds.
async fn desk_at(pace: f64) -> Computer {
    let pace = Pace::times(pace).unwrap();
    let simulator = Simulator::start(SimulatorOptions { pace, ..SimulatorOptions::default() }).await.unwrap();
    let mut computer = Computer::new(simulator).await;
    computer.connect().await;
    computer
}

fn signs(wanted: SigningState) -> impl Fn(&AccountStatus) -> bool {
    move |status| {
        let at_rest = |state, under_way: bool| state == wanted && !under_way;
        status.signing.as_ref().is_some_and(|signing| at_rest(signing.state, signing.under_way))
    }
}

async fn with_a_key_of_its_own() -> Computer {
    let mut computer = desk().await;
    computer.phone().use_shared_key(true).await.unwrap();
    computer.until(signs(SigningState::SharedKey)).await;
    computer
}

fn token(computer: &Computer) -> WebhookKey {
    WebhookKey::AuthToken(computer.account().auth_token)
}

/// The key in use, as Twilio has it.
fn own_key(computer: &Computer) -> WebhookKey {
    let id = computer.record().signing.unwrap().key.unwrap();
    let secret = computer.memory.as_ref().unwrap().load(&id, SecretName::SharedKey).unwrap().unwrap();
    WebhookKey::SharedKey { id, algorithm: HmacAlgorithm::Sha256, secret }
}

/// What the webhook server answers to a call that `key` signed and that names `named` as its key.
async fn asked_by(computer: &Computer, key: &WebhookKey, named: Option<&str>) -> u16 {
    let status = computer.phone().account_status().await.unwrap();
    let base = status.tunnel.unwrap().url.unwrap();
    let url = format!("{}/api/calls/twiml", base.trim_end_matches('/'));
    let account = computer.account();
    let call = format!("CA{}", uuid::Uuid::new_v4().simple());
    let pairs: Vec<(String, String)> = [
        ("AccountSid", account.account_sid.as_str()),
        ("CallSid", &call),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("From", CALLER),
        ("To", account.numbers[0].as_str()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let signature = sign(key, &url, SignedBody::Form(&pairs));
    let request = reqwest::Client::new().post(&url).form(&pairs).header(SIGNATURE_HEADER, signature);
    let request = named.into_iter().fold(request, |request, named| request.header(SETTINGS_HEADER, named));
    request.send().await.unwrap().status().as_u16()
}

async fn signed_by(computer: &Computer, key: &WebhookKey) -> u16 {
    asked_by(computer, key, settings(key).as_deref()).await
}

/// Asks again until it is so: for what only another than the program knows.
async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let asked = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, asked).await.is_ok(), "{what}");
}

/// Has one request of a kind wait.
fn held(method: &str, path: &str, then: RestFailure) -> Faults {
    let (method, path_contains) = (Some(method.into()), Some(path.into()));
    Faults { rest: vec![RestFault { method, path_contains, times: Some(1), then }], ..Faults::default() }
}

/// Somebody calls: the simulator signs as it was told to, and Twilio's own request is answered.
async fn a_call_comes_in(computer: &Computer) {
    let own = computer.account().numbers[0].clone();
    let mut events = computer.simulator.subscribe();
    let call = IncomingCall::from_number(E164::parse_strict(CALLER).unwrap()).to(own);
    let sid = computer.simulator.place_incoming(&call).unwrap();
    let answered = async {
        loop {
            if let dialer_simulator::Happening::Webhook { call_sid, status, .. } =
                events.recv().await.unwrap().what
                && call_sid == sid
            {
                return status;
            }
        }
    };
    let answered = tokio::time::timeout(LIMIT, answered).await.unwrap();
    assert_eq!(answered, Some(200));
    computer.simulator.hang_up(&sid).unwrap();
}

/// Waits until Twilio was told the address that requests come to.
async fn published(computer: &mut Computer) {
    let status = computer.until(connected).await;
    let url = status.tunnel.unwrap().url;
    eventually("the address is told", || async { computer.record().published == url }).await;
}

/// How many keys, settings and rules there are at Twilio.
async fn left_at(twilio: &rest::Client) -> (usize, usize, usize) {
    (
        twilio.shared_keys().await.unwrap().len(),
        twilio.webhook_settings().await.unwrap().len(),
        twilio.webhook_rules().await.unwrap().len(),
    )
}

#[tokio::test]
async fn once_its_own_key_signs_nothing_else_is_believed() {
    let mut computer = with_a_key_of_its_own().await;
    a_call_comes_in(&computer).await;
    let own = own_key(&computer);
    assert_eq!(signed_by(&computer, &own).await, 200);
    let named = settings(&own).unwrap();
    let WebhookKey::SharedKey { id, secret, .. } = &own else { panic!("{own:?}") };
    let weaker =
        WebhookKey::SharedKey { id: id.clone(), algorithm: HmacAlgorithm::Sha1, secret: secret.clone() };
    let other = WebhookKey::SharedKey {
        id: "sharedkey_other".into(),
        algorithm: HmacAlgorithm::Sha256,
        secret: SecretString::from("guessed"),
    };
    let as_token = WebhookKey::AuthToken(secret.clone());
    for (what, key, named) in [
        ("the Auth Token, as it was good before", token(&computer), None),
        ("the Auth Token under the key's name", token(&computer), Some(named.as_str())),
        ("the key without its name", own.clone(), None),
        ("its secret as if it were a token", as_token, None),
        ("the weaker algorithm, said openly", weaker.clone(), settings(&weaker).as_deref()),
        ("the weaker algorithm under the key's name", weaker.clone(), Some(named.as_str())),
        ("another key", other.clone(), settings(&other).as_deref()),
    ] {
        assert_eq!(asked_by(&computer, &key, named).await, 403, "{what}");
    }
    // The token can still be entered, for signing in to Twilio; webhooks do not follow it.
    let entered = computer.account().auth_token.expose_secret().to_owned();
    computer.phone().replace_auth_token(entered).await.unwrap();
    computer.phone().account_status().await.unwrap();
    assert_eq!(signed_by(&computer, &token(&computer)).await, 403, "entering a token opens no way around");

    // The webhook server has another address afterwards.
    computer.restart().await;
    computer.until(|status| connected(status) && signs(SigningState::SharedKey)(status)).await;
    assert_eq!(signed_by(&computer, &token(&computer)).await, 403, "from the first request on");
    published(&mut computer).await;
    a_call_comes_in(&computer).await;
    assert_eq!(left_at(&owner(&computer.simulator)).await, (1, 1, 1));
}

#[tokio::test]
async fn a_key_is_replaced_without_the_auth_token_being_good_meanwhile() {
    let mut computer = with_a_key_of_its_own().await;
    let (first, token) = (own_key(&computer), token(&computer));
    let hold = RestFault {
        method: Some("PATCH".into()),
        path_contains: Some("/Webhooks/Rules/".into()),
        times: None,
        then: RestFailure::HoldBefore,
    };
    computer.simulator.set_faults(Faults { rest: vec![hold], ..Faults::default() });
    computer.phone().replace_shared_key().await.unwrap();
    computer.until(|status| status.signing.as_ref().unwrap().state == SigningState::Replacing).await;
    // Half-way: two keys, and the rule still leads to the old one.
    let keys = owner(&computer.simulator);
    eventually("there are two", || async { keys.webhook_settings().await.unwrap().len() == 2 }).await;
    let second = own_key(&computer);
    assert_ne!(settings(&first), settings(&second));
    for (key, expected) in [(&first, 200), (&second, 200), (&token, 403)] {
        assert_eq!(signed_by(&computer, key).await, expected);
    }
    computer.simulator.set_faults(Faults::default());
    computer.until(signs(SigningState::SharedKey)).await;
    a_call_comes_in(&computer).await;
    for (key, expected) in [(&first, 403), (&second, 200), (&token, 403)] {
        assert_eq!(signed_by(&computer, key).await, expected);
    }
    assert_eq!(left_at(&keys).await, (1, 1, 1));
    let WebhookKey::SharedKey { id, .. } = &first else { panic!("{first:?}") };
    let vault = computer.memory.as_ref().unwrap();
    assert!(vault.load(id, SecretName::SharedKey).unwrap().is_none(), "the old one is forgotten");
}

#[tokio::test]
async fn switching_off_leaves_nothing_and_loses_no_call() {
    let mut computer = with_a_key_of_its_own().await;
    let own = own_key(&computer);
    computer.phone().use_shared_key(false).await.unwrap();
    a_call_comes_in(&computer).await;
    computer.until(signs(SigningState::AuthToken)).await;
    a_call_comes_in(&computer).await;
    assert_eq!(signed_by(&computer, &own).await, 403);
    assert_eq!(signed_by(&computer, &token(&computer)).await, 200);
    assert_eq!(left_at(&owner(&computer.simulator)).await, (0, 0, 0));
    assert_eq!(computer.record().signing, None);
    let WebhookKey::SharedKey { id, .. } = &own else { panic!("{own:?}") };
    assert!(computer.memory.as_ref().unwrap().load(id, SecretName::SharedKey).unwrap().is_none());
}

/// What each request of the way there and back is lost at: before it is done, and after.
fn interruptions() -> Vec<RestFault> {
    [
        ("POST", "/Webhooks/SharedKeys"),
        ("POST", "/Webhooks/Settings"),
        ("POST", "/Webhooks/Tests"),
        ("POST", "/Webhooks/Rules"),
        ("GET", "/Webhooks/Operations"),
    ]
    .into_iter()
    .flat_map(|(method, path)| {
        [RestFailure::HoldBefore, RestFailure::HoldAfter].map(|then| RestFault {
            method: Some(method.into()),
            path_contains: Some(path.into()),
            times: Some(1),
            then,
        })
    })
    .collect()
}

/// Waits until the fault has caught its request.
async fn until_caught(computer: &Computer) {
    let caught = || async { computer.simulator.faults().rest[0].times == Some(0) };
    eventually("something is caught", caught).await;
}

#[tokio::test]
async fn a_program_that_ends_anywhere_on_the_way_goes_on_and_arrives() {
    let mut ways = tokio::task::JoinSet::new();
    for fault in interruptions() {
        ways.spawn(async move {
            let mut computer = desk().await;
            computer.simulator.set_faults(Faults { rest: vec![fault.clone()], ..Faults::default() });
            computer.phone().use_shared_key(true).await.unwrap();
            until_caught(&computer).await;
            computer.restart().await;
            computer.simulator.set_faults(Faults::default());
            computer.phone().try_again().await.unwrap();
            published(&mut computer).await;
            computer.until(|status| connected(status) && signs(SigningState::SharedKey)(status)).await;
            a_call_comes_in(&computer).await;
            assert_eq!(signed_by(&computer, &token(&computer)).await, 403, "{fault:?}");
            assert_eq!(left_at(&owner(&computer.simulator)).await, (1, 1, 1), "{fault:?}");
        });
    }
    ways.join_all().await;
}

#[tokio::test]
async fn a_program_that_ends_on_the_way_back_goes_on_going_back() {
    let mut ways = tokio::task::JoinSet::new();
    for path in ["/Webhooks/Rules/", "/Webhooks/Settings/", "/Webhooks/SharedKeys/"] {
        for then in [RestFailure::HoldBefore, RestFailure::HoldAfter] {
            ways.spawn(async move {
                let mut computer = with_a_key_of_its_own().await;
                let fault = RestFault {
                    method: Some("DELETE".into()),
                    path_contains: Some(path.into()),
                    times: Some(1),
                    then,
                };
                computer.simulator.set_faults(Faults { rest: vec![fault.clone()], ..Faults::default() });
                computer.phone().use_shared_key(false).await.unwrap();
                until_caught(&computer).await;
                computer.restart().await;
                computer.simulator.set_faults(Faults::default());
                published(&mut computer).await;
                computer.until(|status| connected(status) && signs(SigningState::AuthToken)(status)).await;
                a_call_comes_in(&computer).await;
                assert_eq!(left_at(&owner(&computer.simulator)).await, (0, 0, 0), "{fault:?}");
            });
        }
    }
    ways.join_all().await;
}

#[tokio::test]
async fn an_account_that_is_not_offered_it_is_told_so() {
    let mut computer = desk().await;
    let settings = computer.simulator.account_settings();
    computer.simulator.set_account(AccountSettings { webhook_configuration: false, ..settings });
    computer.phone().try_again().await.unwrap();
    let told = |status: &AccountStatus| status.signing.as_ref().unwrap().offered == Some(false);
    computer.until(told).await;
    let refused = computer.phone().use_shared_key(true).await.unwrap_err();
    assert!(refused.message.contains("does not offer"), "{}", refused.message);
    assert_eq!(computer.record().signing, None);
}

#[tokio::test]
async fn what_twilio_refuses_is_taken_back_and_told() {
    let mut computer = desk().await;
    let twilio = owner(&computer.simulator);
    let key = twilio.create_shared_key("somebody else's").await.unwrap();
    let setting =
        twilio.create_webhook_setting("somebody else's", &key.id, HmacAlgorithm::Sha256).await.unwrap();
    let status = computer.phone().account_status().await.unwrap();
    let address = format!("{}/", status.tunnel.unwrap().url.unwrap().trim_end_matches('/'));
    let matches = WebhookMatch::Prefix(address);
    twilio.create_webhook_rule("somebody else's", &matches, &setting.id).await.unwrap();
    eventually("it is there", || async { !twilio.webhook_rules().await.unwrap().is_empty() }).await;
    computer.phone().use_shared_key(true).await.unwrap();
    let status = computer
        .until(|status| {
            signs(SigningState::AuthToken)(status) && status.signing.as_ref().unwrap().error.is_some()
        })
        .await;
    let error = status.signing.unwrap().error.unwrap();
    assert!(error.message.contains("Another rule"), "{}", error.message);
    assert_eq!(left_at(&twilio).await, (1, 1, 1), "what is somebody else's is left alone");
}

#[tokio::test]
async fn a_rule_that_somebody_deletes_is_noticed_and_put_back() {
    let mut computer = with_a_key_of_its_own().await;
    somebody_deletes_the_rule(&computer).await;
    computer.phone().try_again().await.unwrap();
    computer
        .light_in(|state, repair| state == LightState::NotReachable && repair == Some(Repair::RunSetUp))
        .await;
    computer.phone().repair(Repair::RunSetUp).await.unwrap();
    computer.until(|status| status.phase == AccountPhase::SettingUp).await;
    computer.until(|status| connected(status) && signs(SigningState::SharedKey)(status)).await;
    computer.light_in(|_, repair| repair.is_none()).await;
    a_call_comes_in(&computer).await;
    assert_eq!(signed_by(&computer, &token(&computer)).await, 403);
}

async fn somebody_deletes_the_rule(computer: &Computer) {
    let twilio = owner(&computer.simulator);
    let rule = twilio.webhook_rules().await.unwrap().remove(0);
    twilio.delete_webhook_rule(&rule.id).await.unwrap();
    eventually("it is gone", || async { twilio.webhook_rules().await.unwrap().is_empty() }).await;
}

#[tokio::test]
async fn going_back_ends_the_trouble_of_a_rule_that_is_gone() {
    let mut computer = with_a_key_of_its_own().await;
    somebody_deletes_the_rule(&computer).await;
    computer.phone().try_again().await.unwrap();
    computer.light_in(|state, _| state == LightState::NotReachable).await;
    computer.phone().use_shared_key(false).await.unwrap();
    computer.until(signs(SigningState::AuthToken)).await;
    computer.light_in(|state, repair| state != LightState::NotReachable && repair.is_none()).await;
    a_call_comes_in(&computer).await;
}

/// A computer that has another address after it was switched off and on, and whose keeper is caught by what
/// `prepare` does, in the midst of telling Twilio. The keeper waits five seconds before; where the machine took
/// longer to come here, the computer is switched off and on once more.
async fn caught_at_another_address(prepare: impl AsyncFn(&Computer)) -> Computer {
    let mut computer = with_a_key_of_its_own().await;
    for _ in 0..10 {
        computer.restart().await;
        let status =
            computer.until(|status| connected(status) && signs(SigningState::SharedKey)(status)).await;
        let url = status.tunnel.unwrap().url;
        prepare(&computer).await;
        let is_caught = || computer.simulator.faults().rest[0].times == Some(0);
        let is_told = || computer.record().published == url;
        eventually("it is caught, or too late", || async { is_caught() || is_told() }).await;
        if is_caught() && !is_told() {
            return computer;
        }
        computer.simulator.set_faults(Faults::default());
        published(&mut computer).await;
    }
    panic!("the keeper was never caught before it had told the address");
}

#[tokio::test]
async fn a_key_that_was_given_up_is_not_made_again_for_a_new_address() {
    let mut computer = caught_at_another_address(async |computer| {
        computer.simulator.set_faults(held("GET", "/Applications/", RestFailure::HoldBefore));
    })
    .await;
    computer.phone().use_shared_key(false).await.unwrap();
    computer.until(signs(SigningState::AuthToken)).await;
    assert_eq!(computer.record().signing, None);
    computer.simulator.set_faults(Faults::default());
    published(&mut computer).await;
    assert_eq!(left_at(&owner(&computer.simulator)).await, (0, 0, 0));
    assert_eq!(computer.record().signing, None);
    a_call_comes_in(&computer).await;
}

#[tokio::test]
async fn a_key_that_is_replaced_while_the_address_changes_stays_good() {
    let mut computer = caught_at_another_address(async |computer| {
        computer.simulator.set_faults(held("POST", "/Webhooks/Tests", RestFailure::HoldBefore));
        somebody_deletes_the_rule(computer).await;
    })
    .await;
    let first = own_key(&computer);
    let under_way = |status: &AccountStatus| status.signing.as_ref().unwrap().under_way;
    computer.until(under_way).await;
    computer.phone().replace_shared_key().await.unwrap();
    // The keeper ends what it does with the old key, and no new one is made yet.
    computer.simulator.set_faults(held("POST", "/Webhooks/SharedKeys", RestFailure::HoldBefore));
    until_caught(&computer).await;
    let signing = computer.record().signing.unwrap();
    let WebhookKey::SharedKey { id, .. } = &first else { panic!("{first:?}") };
    assert_eq!((signing.demanded, &signing.key, signing.replaced.as_ref()), (true, &None, Some(id)));
    assert_eq!(signed_by(&computer, &first).await, 200);
    computer.simulator.set_faults(Faults::default());
    computer.until(signs(SigningState::SharedKey)).await;
    assert_ne!(settings(&own_key(&computer)), settings(&first));
    published(&mut computer).await;
    a_call_comes_in(&computer).await;
    assert_eq!(left_at(&owner(&computer.simulator)).await, (1, 1, 1));
}

#[tokio::test]
async fn no_call_is_lost_while_a_change_spreads() {
    let mut computer = desk_at(5.0).await;
    let twilio = owner(&computer.simulator);
    computer.simulator.set_faults(held("GET", "/Webhooks/Operations", RestFailure::HoldBefore));
    computer.phone().use_shared_key(true).await.unwrap();
    until_caught(&computer).await;
    assert!(twilio.webhook_rules().await.unwrap().is_empty(), "the Auth Token signs");
    a_call_comes_in(&computer).await;
    eventually("it has spread", || async { !twilio.webhook_rules().await.unwrap().is_empty() }).await;
    // The key signs, and the program has not heard of it.
    assert!(!computer.record().signing.unwrap().demanded);
    a_call_comes_in(&computer).await;
    computer.simulator.set_faults(Faults::default());
    computer.until(signs(SigningState::SharedKey)).await;
    a_call_comes_in(&computer).await;
    assert_eq!(signed_by(&computer, &token(&computer)).await, 403);
}

#[tokio::test]
async fn a_rule_whose_making_was_not_answered_is_waited_for() {
    let mut computer = desk_at(5.0).await;
    computer.simulator.set_faults(held("POST", "/Webhooks/Rules", RestFailure::HoldAfter));
    computer.phone().use_shared_key(true).await.unwrap();
    until_caught(&computer).await;
    assert!(computer.record().signing.unwrap().changing, "known before it is answered");
    // As one that is lost: who asked is gone, and another begins.
    computer.phone().use_shared_key(true).await.unwrap();
    computer.simulator.set_faults(Faults::default());
    let settled = |status: &AccountStatus| {
        signs(SigningState::SharedKey)(status) || status.signing.as_ref().unwrap().error.is_some()
    };
    let status = computer.until(settled).await;
    assert_eq!(status.signing.unwrap().error, None);
    a_call_comes_in(&computer).await;
    assert_eq!(left_at(&owner(&computer.simulator)).await, (1, 1, 1));
}

#[tokio::test]
async fn an_address_that_is_not_known_everywhere_yet_is_tried_again() {
    let mut computer = desk().await;
    computer.simulator.set_faults(Faults { drop_voice_webhooks: true, ..Faults::default() });
    computer.phone().use_shared_key(true).await.unwrap();
    let waits = |status: &AccountStatus| {
        let signing = status.signing.as_ref().unwrap();
        assert_eq!(signing.error, None);
        signing.waiting.as_deref().is_some_and(|what| what.contains("could not be reached yet"))
    };
    computer.until(waits).await;
    computer.simulator.set_faults(Faults::default());
    computer.until(signs(SigningState::SharedKey)).await;
}

#[tokio::test]
async fn set_up_that_fails_for_the_key_alone_ends_when_that_is_given_up() {
    let mut computer = with_a_key_of_its_own().await;
    let twilio = owner(&computer.simulator);
    let matches = twilio.webhook_rules().await.unwrap().remove(0).matches;
    somebody_deletes_the_rule(&computer).await;
    let key = twilio.create_shared_key("somebody else's").await.unwrap();
    let setting =
        twilio.create_webhook_setting("somebody else's", &key.id, HmacAlgorithm::Sha256).await.unwrap();
    twilio.create_webhook_rule("somebody else's", &matches, &setting.id).await.unwrap();
    eventually("it is there", || async { !twilio.webhook_rules().await.unwrap().is_empty() }).await;
    computer.phone().repair(Repair::RunSetUp).await.unwrap();
    let status = computer.until(|status| status.error.is_some()).await;
    assert_eq!(status.phase, AccountPhase::SettingUp);
    let refused = computer.phone().use_shared_key(true).await.unwrap_err();
    assert!(refused.message.contains("not in use yet"), "{}", refused.message);
    computer.phone().use_shared_key(false).await.unwrap();
    computer.until(|status| connected(status) && signs(SigningState::AuthToken)(status)).await;
    assert_eq!(signed_by(&computer, &token(&computer)).await, 200);
    assert_eq!(left_at(&twilio).await, (1, 1, 1), "what is somebody else's is left alone");
}

#[tokio::test]
async fn a_key_lost_from_the_vault_is_replaced_and_not_by_the_auth_token() {
    let mut computer = with_a_key_of_its_own().await;
    let own = own_key(&computer);
    let WebhookKey::SharedKey { id, .. } = &own else { panic!("{own:?}") };
    computer.memory.as_ref().unwrap().delete(id, SecretName::SharedKey).unwrap();
    computer.restart().await;
    computer.until(connected).await;
    assert_eq!(signed_by(&computer, &token(&computer)).await, 403);
    published(&mut computer).await;
    computer.until(signs(SigningState::SharedKey)).await;
    assert_ne!(settings(&own_key(&computer)), settings(&own));
    a_call_comes_in(&computer).await;
    assert_eq!(left_at(&owner(&computer.simulator)).await, (1, 1, 1));
}

#[tokio::test]
async fn disconnecting_gives_the_key_back_too() {
    let mut computer = with_a_key_of_its_own().await;
    let own = own_key(&computer);
    computer.phone().disconnect(Undo { delete_app: true, delete_key: true }).await.unwrap();
    let status = computer.until(|status| status.phase == AccountPhase::None).await;
    assert_eq!(status.error, None);
    assert_eq!(status.signing, None);
    assert_eq!(left_at(&owner(&computer.simulator)).await, (0, 0, 0));
    let WebhookKey::SharedKey { id, .. } = &own else { panic!("{own:?}") };
    assert!(computer.memory.as_ref().unwrap().load(id, SecretName::SharedKey).unwrap().is_none());
}

#[tokio::test]
async fn nothing_to_sign_with_is_in_what_the_page_and_the_disk_are_told() {
    let mut computer = with_a_key_of_its_own().await;
    let WebhookKey::SharedKey { secret, .. } = own_key(&computer) else { panic!("no key of its own") };
    let status = computer.until(connected).await;
    for told in [serde_json::to_string(&status).unwrap(), serde_json::to_string(&computer.record()).unwrap()]
    {
        assert!(!told.contains(secret.expose_secret()));
    }
}
