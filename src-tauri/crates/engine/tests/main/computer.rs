//! An agent's computer with the program on it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dialer_domain::account::NumberRouting;
use dialer_domain::call::{CallDirection, CallId, SdkCallEvent};
use dialer_domain::entry::Field;
use dialer_domain::error::ErrorCode;
use dialer_domain::phone_number::E164;
use dialer_domain::ports::{SecretName, SystemClock, Vault as _, VaultKind};
use dialer_domain::setup::{Choices, Record, TunnelChoice, Undo};
use dialer_engine::api::{
    AccountCommands as _, AccountPhase, AccountStatus, CallReport, HostEvent, LightState, Repair, TunnelLight,
};
use dialer_engine::phone::{Phone, PhoneOptions};
use dialer_engine::sound::Sound;
use dialer_engine::twilio_at::TwilioAt;
use dialer_gateway::tunnel::TokioLauncher;
use dialer_simulator::{PracticeAccount, Simulator, SimulatorOptions};
use dialer_storage::folders::Folders;
use dialer_storage::settings::{Settings, SettingsError};
use dialer_storage::vault::ChosenVault;
use dialer_twilio::rest;
use secrecy::ExposeSecret as _;
use tokio::sync::broadcast;

/// How long anything may take here, on a busy machine; nothing waits for a time, all wait for an event.
pub(crate) const LIMIT: Duration = Duration::from_secs(150);

/// A tunnel for a Twilio that is on this computer: the address of the webhook server itself.
pub(crate) fn direct() -> TunnelChoice {
    TunnelChoice::Command {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), "echo http://127.0.0.1:{port}; exec sleep 1000000".into()],
        url_pattern: Some("http://[^ ]+".into()),
        url: None,
    }
}

/// An agent's computer and a Twilio. The computer can be switched off and on.
pub(crate) struct Computer {
    pub(crate) simulator: Simulator,
    pub(crate) folder: tempfile::TempDir,
    /// Secrets in memory outlive a restart here, as a keychain does; absent for what the settings name.
    pub(crate) memory: Option<Arc<ChosenVault>>,
    /// Absent while the computer is off.
    on: Option<Phone>,
    events: broadcast::Receiver<HostEvent>,
}

impl Computer {
    pub(crate) async fn new(simulator: Simulator) -> Self {
        Self::keeping_secrets_in(Some(Arc::new(ChosenVault::memory())), simulator).await
    }

    pub(crate) async fn keeping_secrets_in(memory: Option<Arc<ChosenVault>>, simulator: Simulator) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let phone = start(folder.path(), memory.as_ref(), at(&simulator)).await;
        let events = phone.subscribe();
        Self { simulator, folder, memory, on: Some(phone), events }
    }

    pub(crate) async fn with_a_twilio() -> Self {
        Self::new(Simulator::start(SimulatorOptions::default()).await.unwrap()).await
    }

    pub(crate) fn phone(&self) -> &Phone {
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

    /// What the computer has on its disk about the account.
    pub(crate) fn record(&self) -> Record {
        let file = Folders::at(self.folder.path()).unwrap().settings();
        let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        serde_json::from_value(saved["record"].clone()).unwrap()
    }

    pub(crate) fn account(&self) -> PracticeAccount {
        self.simulator.account()
    }

    /// As on a computer whose keychain does not answer; this one may have one that does.
    pub(crate) async fn choose_the_file(&mut self) {
        self.on.take().unwrap().shutdown().await;
        open_settings(&Folders::at(self.folder.path()).unwrap())
            .await
            .change(|saved| saved.vault = VaultKind::File)
            .unwrap();
        let phone = start(self.folder.path(), self.memory.as_ref(), at(&self.simulator)).await;
        self.events = phone.subscribe();
        self.on = Some(phone);
    }

    /// Switched off in order and on again.
    pub(crate) async fn restart(&mut self) {
        self.on.take().unwrap().shutdown().await;
        let phone = start(self.folder.path(), self.memory.as_ref(), at(&self.simulator)).await;
        self.events = phone.subscribe();
        self.on = Some(phone);
    }

    pub(crate) async fn enter(&self) {
        let account = self.account();
        self.phone().enter_credential(Field::AccountSid, account.account_sid.to_string()).await.unwrap();
        let token = account.auth_token.expose_secret().to_owned();
        self.phone().enter_credential(Field::AuthToken, token).await.unwrap();
    }

    pub(crate) async fn choosing(&mut self) -> AccountStatus {
        self.enter().await;
        self.phone().check_account().await.unwrap();
        self.until(|status| status.phase == AccountPhase::Choosing).await
    }

    pub(crate) fn choices(status: &AccountStatus) -> Choices {
        Choices { tunnel: direct(), ..status.choices.clone().unwrap() }
    }

    pub(crate) async fn connect(&mut self) -> AccountStatus {
        let status = self.choosing().await;
        self.phone().set_up(Self::choices(&status)).await.unwrap();
        self.until(connected).await
    }

    /// Waits until the account stands as `wanted`.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&AccountStatus) -> bool) -> AccountStatus {
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

    pub(crate) async fn failure(&mut self) -> ErrorCode {
        self.until(|status| status.error.is_some()).await.error.unwrap().code
    }

    pub(crate) async fn light_in(&self, wanted: impl Fn(LightState, Option<Repair>) -> bool) {
        let core = self.phone().core();
        let mut view = core.watch();
        let seen = view.wait_for(|view| wanted(view.lights.calls_in.state, view.lights.calls_in.repair));
        let seen = tokio::time::timeout(LIMIT, seen).await.is_ok();
        assert!(seen, "{:?}", core.watch().borrow().lights);
    }

    pub(crate) fn routing(&self, number: &E164) -> NumberRouting {
        self.simulator.number_settings(number).unwrap().routing
    }
}

pub(crate) fn connected(status: &AccountStatus) -> bool {
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

/// A phone with its files in `folder`, its secrets in memory where one is given, and accounts at `twilio`.
pub(crate) async fn start(folder: &Path, memory: Option<&Arc<ChosenVault>>, twilio: TwilioAt) -> Phone {
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
        twilio,
        simulator_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        webhook_listen: None,
        clock: Arc::new(SystemClock),
    })
    .await
    .unwrap()
}

fn at(simulator: &Simulator) -> TwilioAt {
    TwilioAt::simulator(simulator.base_url().parse().unwrap()).unwrap()
}

/// The account's owner, past the program.
pub(crate) fn owner(simulator: &Simulator) -> rest::Client {
    let account = simulator.account();
    rest::Client::new(
        rest::BaseUrls::simulator(&simulator.base_url().parse().unwrap()).unwrap(),
        rest::Credentials::AuthToken { account: account.account_sid, token: account.auth_token },
        rest::ClientOptions::default(),
    )
    .unwrap()
}

/// What a page reports of one call that it places.
pub(crate) fn report(what: SdkCallEvent) -> CallReport {
    CallReport {
        call: CallId(uuid::Uuid::from_u128(1)),
        direction: CallDirection::Outgoing,
        call_sid: None,
        parent_call_sid: None,
        peer: "+12025550101".into(),
        our_number: None,
        what,
    }
}
