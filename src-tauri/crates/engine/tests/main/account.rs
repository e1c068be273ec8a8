//! Connecting, keeping and disconnecting an account, at the simulator's REST surface.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dialer_domain::account::{AccountKind, AccountStanding, ApiKey, NumberRouting};
use dialer_domain::call::{CallDirection, CallId, SdkCallEvent};
use dialer_domain::entry::Field;
use dialer_domain::error::ErrorCode;
use dialer_domain::phone_number::E164;
use dialer_domain::ports::{SecretName, SystemClock, Vault as _, VaultKind};
use dialer_domain::setup::{Choices, TunnelChoice, Undo};
use dialer_engine::api::{
    AccountCommands as _, AccountPhase, AccountStatus, CallReport, CallerIdCheckState, Commands as _,
    HostEvent, LightState, PageId, Repair, StepState, TunnelLight,
};
use dialer_engine::phone::{Phone, PhoneOptions};
use dialer_engine::sound::Sound;
use dialer_engine::twilio_at::TwilioAt;
use dialer_gateway::tunnel::TokioLauncher;
use dialer_simulator::{
    AccountSettings, Faults, IncomingCall, NumberSettings, PracticeAccount, RestFailure, RestFault,
    Simulator, SimulatorOptions,
};
use dialer_storage::folders::Folders;
use dialer_storage::settings::{Settings, SettingsError};
use dialer_storage::vault::ChosenVault;
use dialer_twilio::rest;
use secrecy::ExposeSecret as _;
use tokio::sync::broadcast;

/// How long anything may take here; nothing waits for a time, all wait for an event.
const LIMIT: Duration = Duration::from_secs(60);

/// A tunnel for a Twilio that is on this computer: the address of the webhook server itself.
fn direct() -> TunnelChoice {
    TunnelChoice::Command {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), "echo http://127.0.0.1:{port}; exec sleep 1000000".into()],
        url_pattern: Some("http://[^ ]+".into()),
        url: None,
    }
}

/// An agent's computer and a Twilio. The computer can be switched off and on.
pub(crate) struct Computer {
    simulator: Simulator,
    folder: tempfile::TempDir,
    /// Secrets in memory outlive a restart here, as a keychain does; absent for what the settings name.
    memory: Option<Arc<ChosenVault>>,
    /// Absent while the computer is off.
    on: Option<Phone>,
    events: broadcast::Receiver<HostEvent>,
}

impl Computer {
    async fn new(simulator: Simulator) -> Self {
        Self::keeping_secrets_in(Some(Arc::new(ChosenVault::memory())), simulator).await
    }

    async fn keeping_secrets_in(memory: Option<Arc<ChosenVault>>, simulator: Simulator) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let phone = start(folder.path(), memory.as_ref(), &simulator).await;
        let events = phone.subscribe();
        Self { simulator, folder, memory, on: Some(phone), events }
    }

    pub(crate) async fn with_a_twilio() -> Self {
        Self::new(Simulator::start(SimulatorOptions::default()).await.unwrap()).await
    }

    fn phone(&self) -> &Phone {
        self.on.as_ref().unwrap()
    }

    /// What must not be seen anywhere: the Auth Token and the secret of the key that was made.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let account = self.account();
        let vault = self.memory.as_ref().unwrap();
        let file = Folders::at(self.folder.path()).unwrap().settings();
        let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let key = saved["record"]["key"].as_str().unwrap();
        let made = vault.load(key, SecretName::ApiKeySecret).unwrap().unwrap();
        [account.auth_token, made].iter().map(|secret| secret.expose_secret().to_owned()).collect()
    }

    pub(crate) async fn disconnect(&mut self) {
        self.phone().disconnect(Undo { delete_app: true, delete_key: true }).await.unwrap();
        self.until(|status| status.phase == AccountPhase::None).await;
    }

    fn account(&self) -> PracticeAccount {
        self.simulator.account()
    }

    /// As on a computer whose keychain does not answer; this one may have one that does.
    async fn choose_the_file(&mut self) {
        self.on.take().unwrap().shutdown().await;
        open_settings(&Folders::at(self.folder.path()).unwrap())
            .await
            .change(|saved| saved.vault = VaultKind::File)
            .unwrap();
        let phone = start(self.folder.path(), self.memory.as_ref(), &self.simulator).await;
        self.events = phone.subscribe();
        self.on = Some(phone);
    }

    /// Switched off in order and on again.
    async fn restart(&mut self) {
        self.on.take().unwrap().shutdown().await;
        let phone = start(self.folder.path(), self.memory.as_ref(), &self.simulator).await;
        self.events = phone.subscribe();
        self.on = Some(phone);
    }

    async fn enter(&self) {
        let account = self.account();
        self.phone().enter_credential(Field::AccountSid, account.account_sid.to_string()).await.unwrap();
        let token = account.auth_token.expose_secret().to_owned();
        self.phone().enter_credential(Field::AuthToken, token).await.unwrap();
    }

    async fn choosing(&mut self) -> AccountStatus {
        self.enter().await;
        self.phone().check_account().await.unwrap();
        self.until(|status| status.phase == AccountPhase::Choosing).await
    }

    fn choices(status: &AccountStatus) -> Choices {
        Choices { tunnel: direct(), ..status.choices.clone().unwrap() }
    }

    pub(crate) async fn connect(&mut self) -> AccountStatus {
        let status = self.choosing().await;
        self.phone().set_up(Self::choices(&status)).await.unwrap();
        self.until(connected).await
    }

    /// Waits until the account stands as `wanted`.
    async fn until(&mut self, wanted: impl Fn(&AccountStatus) -> bool) -> AccountStatus {
        let mut last = self.phone().account_status().await.unwrap();
        let waiting = async {
            while !wanted(&last) {
                match self.events.recv().await {
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(error) => panic!("{error}"),
                }
                last = self.phone().account_status().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(LIMIT, waiting).await;
        assert!(waited.is_ok(), "stuck at {last:#?}");
        last
    }

    async fn failure(&mut self) -> ErrorCode {
        self.until(|status| status.error.is_some()).await.error.unwrap().code
    }

    async fn light_in(&self, wanted: impl Fn(LightState, Option<Repair>) -> bool) {
        let core = self.phone().core();
        let mut view = core.watch();
        let seen = view.wait_for(|view| wanted(view.lights.calls_in.state, view.lights.calls_in.repair));
        let seen = tokio::time::timeout(LIMIT, seen).await.is_ok();
        assert!(seen, "{:?}", core.watch().borrow().lights);
    }

    fn routing(&self, number: &E164) -> NumberRouting {
        self.simulator.number_settings(number).unwrap().routing
    }
}

fn connected(status: &AccountStatus) -> bool {
    status.phase == AccountPhase::Connected
        && status.tunnel.as_ref().is_some_and(|tunnel| tunnel.light == TunnelLight::Up)
}

async fn open_settings(folders: &Folders) -> Settings {
    // In one process what was ended last may hold the file for a moment more.
    loop {
        match Settings::open(folders) {
            Ok((settings, set_aside)) => {
                assert_eq!(set_aside, None);
                return settings;
            }
            Err(SettingsError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn start(folder: &Path, memory: Option<&Arc<ChosenVault>>, simulator: &Simulator) -> Phone {
    let folders = Folders::at(folder).unwrap();
    let settings = open_settings(&folders).await;
    let vault = memory.cloned().unwrap_or_else(|| Arc::new(ChosenVault::of(&folders, &settings)));
    Phone::start(PhoneOptions {
        folders,
        settings,
        settings_notice: None,
        vault,
        launcher: Arc::new(TokioLauncher),
        sound: Sound::OfPage,
        twilio: TwilioAt::simulator(simulator.base_url().parse().unwrap()).unwrap(),
        simulator_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        webhook_listen: None,
        clock: Arc::new(SystemClock),
    })
    .await
    .unwrap()
}

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

fn owner(simulator: &Simulator) -> rest::Client {
    let account = simulator.account();
    rest::Client::new(
        rest::BaseUrls::simulator(&simulator.base_url().parse().unwrap()).unwrap(),
        rest::Credentials::AuthToken { account: account.account_sid, token: account.auth_token },
        rest::ClientOptions::default(),
    )
    .unwrap()
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
    let report = |what| CallReport {
        call: CallId(uuid::Uuid::from_u128(1)),
        direction: CallDirection::Outgoing,
        call_sid: None,
        parent_call_sid: None,
        peer: "+12025550101".into(),
        our_number: None,
        what,
    };
    core.report_call(report(SdkCallEvent::Accepted)).await.unwrap();
    core.watch().wait_for(|view| !view.calls.is_empty()).await.unwrap();
    computer.simulator.set_faults(Faults::default());
    let waiting = |status: &AccountStatus| status.waiting.as_ref().is_some_and(|what| what.contains("call"));
    computer.until(waiting).await;
    core.report_call(report(SdkCallEvent::Ended)).await.unwrap();
    computer.until(connected).await;
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
