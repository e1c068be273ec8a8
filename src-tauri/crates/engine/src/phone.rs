//! The phone: practice or a real account, and the way from the one to the other.

use std::net::SocketAddr;
use std::sync::Arc;

use dialer_domain::entry::{self, Cleaned, Field};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::phone_number;
use dialer_domain::ports::{Clock, SecretName};
use dialer_domain::setup::{self, Choices, Found, Step, Undo, destination};
use dialer_gateway::tunnel::Launcher;
use dialer_simulator::Simulator;
use dialer_storage::folders::Folders;
use dialer_storage::settings::Settings;
use dialer_storage::sounds::Sounds;
use dialer_storage::vault::{ChosenVault, user_error};
use secrecy::SecretString;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::account::{AccountTask, Request, Shared, SigningWish, destination_words};
use crate::api::{
    AccountCommands, AccountStatus, DisconnectView, HostEvent, ImportReport, Notice, Repair, RestoredView,
};
use crate::core::{self, Core, blocking};
use crate::greeting::Greeting;
use crate::preview::Playing;
use crate::session::{Ground, Session};
use crate::sound::Sound;
use crate::twilio_at::TwilioAt;

/// What a [`Phone`] is made of.
pub struct PhoneOptions {
    /// Where its files are.
    pub folders: Folders,
    /// What was chosen and done before.
    pub settings: Settings,
    /// What the agent must know about them: those found were damaged, say, and have been set aside.
    pub settings_notice: Option<UserError>,
    /// Where its secrets are.
    pub vault: Arc<ChosenVault>,
    /// Starts tunnel programs.
    pub launcher: Arc<dyn Launcher>,
    /// Who carries the sound.
    pub sound: Sound,
    /// Which Twilio a real account is at.
    pub twilio: TwilioAt,
    /// Where the practice Twilio listens; port 0 lets the system choose.
    pub simulator_listen: SocketAddr,
    /// Where the webhook server of a real account listens; by default as its tunnel needs it.
    pub webhook_listen: Option<SocketAddr>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The phone; cheap to clone.
#[derive(Clone)]
pub struct Phone {
    core: watch::Receiver<Core>,
    simulator: watch::Receiver<Option<Simulator>>,
    events: broadcast::Sender<HostEvent>,
    shared: Arc<Shared>,
    account: mpsc::UnboundedSender<Request>,
}

impl Phone {
    /// Starts with the connected account, or with practice until there is one. What was begun before
    /// the program ended goes on by itself.
    pub async fn start(options: PhoneOptions) -> anyhow::Result<Self> {
        let events = core::events();
        let settings = options.settings.clone();
        let shared = Arc::new(Shared {
            settings: options.settings,
            vault: Arc::clone(&options.vault),
            twilio: options.twilio.clone(),
            clock: Arc::clone(&options.clock),
            launcher: options.launcher,
            sounds: Sounds::new(&options.folders),
            preview: Playing::default(),
            greeting: Greeting::new(options.sound.devices()),
            signing: tokio::sync::Mutex::default(),
            data_folder: options.folders.data().to_owned(),
            tunnel_folder: options.folders.tunnel(),
            webhook_listen: options.webhook_listen,
        });
        let ground = Ground {
            folders: options.folders,
            vault: options.vault,
            sound: options.sound,
            clock: options.clock,
            twilio: options.twilio,
            simulator_listen: options.simulator_listen,
            settings,
            events: events.clone(),
            notices: options
                .settings_notice
                .map(|error| Notice { id: "settings-set-aside".into(), error, dismissible: true })
                .into_iter()
                .collect(),
        };
        let session = Session::start(ground, shared.saved().record.as_ref()).await?;
        let (core, simulator) = (session.watch(), session.watch_simulator());
        let (account, inbox) = mpsc::unbounded_channel();
        let task = AccountTask::new(Arc::clone(&shared), session, events.clone(), account.clone());
        tokio::spawn(task.run(inbox));
        Ok(Self { core, simulator, events, shared, account })
    }

    /// The Controller in use.
    pub fn core(&self) -> Core {
        self.core.borrow().clone()
    }

    /// The Controller in use, as it changes.
    pub fn watch(&self) -> watch::Receiver<Core> {
        self.core.clone()
    }

    /// The practice Twilio, while the phone practises.
    pub fn simulator(&self) -> Option<Simulator> {
        self.simulator.borrow().clone()
    }

    /// Everything the UI is told from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<HostEvent> {
        self.events.subscribe()
    }

    /// Ends everything: the tunnel, the webhook server, the phone, last its log.
    pub async fn shutdown(&self) {
        let (done, ended) = oneshot::channel();
        if self.account.send(Request::Close(done)).is_ok() {
            let _ = ended.await;
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The address entered for the time this computer does not answer.
    pub(crate) fn fallback_url(&self) -> Option<String> {
        self.shared.saved().record?.choices?.fallback_url
    }

    /// Whether anybody listens. Nobody is no error: a page that comes asks how things stand.
    pub(crate) fn tell_all(&self, event: HostEvent) -> bool {
        self.events.send(event).is_ok()
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, UserError>>) -> Request,
    ) -> Result<T, UserError> {
        let (reply, answer) = oneshot::channel();
        let _ = self.account.send(request(reply));
        answer.await.map_err(|_| closing())?
    }

    fn tell(&self, request: Request) {
        // Fails only while the program ends.
        let _ = self.account.send(request);
    }

    async fn with_vault(
        &self,
        work: impl FnOnce(&ChosenVault) -> Result<(), UserError> + Send + 'static,
    ) -> Result<(), UserError> {
        let shared = Arc::clone(&self.shared);
        let done = blocking(move || work(&shared.vault)).await;
        self.tell(Request::VaultChanged);
        done
    }
}

fn closing() -> UserError {
    UserError::new(ErrorCode::Internal, "The program is closing.")
}

#[async_trait::async_trait]
impl AccountCommands for Phone {
    async fn account_status(&self) -> Result<AccountStatus, UserError> {
        let (reply, answer) = oneshot::channel();
        self.tell(Request::Status(reply));
        answer.await.map_err(|_| closing())
    }

    async fn enter_credential(&self, field: Field, text: String) -> Result<(), UserError> {
        self.tell(Request::Enter { field, text: text.into() });
        Ok(())
    }

    async fn import_env(&self, text: String) -> Result<ImportReport, UserError> {
        self.ask(|reply| Request::Import { text: text.into(), reply }).await
    }

    async fn forget_credentials(&self) -> Result<(), UserError> {
        self.ask(Request::ForgetEntered).await
    }

    async fn check_account(&self) -> Result<(), UserError> {
        self.ask(Request::Check).await
    }

    async fn set_up(&self, choices: Choices) -> Result<(), UserError> {
        self.ask(|reply| Request::SetUp { choices: Box::new(choices), reply }).await
    }

    async fn leave_choosing(&self) -> Result<(), UserError> {
        self.ask(Request::LeaveChoosing).await
    }

    async fn try_again(&self) -> Result<(), UserError> {
        self.ask(Request::TryAgain).await
    }

    async fn report_network(&self, online: bool) -> Result<(), UserError> {
        self.tell(Request::Network(online));
        Ok(())
    }

    async fn forget_account(&self) -> Result<(), UserError> {
        self.ask(Request::ForgetAccount).await
    }

    async fn verify_caller_id(&self, number: String) -> Result<(), UserError> {
        self.ask(|reply| Request::VerifyCallerId { number, reply }).await
    }

    async fn repair(&self, repair: Repair) -> Result<(), UserError> {
        self.ask(|reply| Request::Repair { repair, reply }).await
    }

    async fn replace_auth_token(&self, text: String) -> Result<(), UserError> {
        let wrong = |message: String| UserError::new(ErrorCode::InvalidEntry, message);
        let text = SecretString::from(text);
        let token = match entry::check(Field::AuthToken, secrecy::ExposeSecret::expose_secret(&text)) {
            Ok(Cleaned::Secret(token)) => token,
            Ok(_) => return Err(wrong("This is no Auth Token.".into())),
            Err(problem) => return Err(wrong(problem)),
        };
        let account = self.shared.record()?.account.sid;
        match self.shared.client_with_token(&account, token.clone())?.account().await {
            Ok(_) => {}
            // Without a network its form is all that can be checked; Twilio's requests will tell.
            Err(error) if error.passing() => {}
            Err(error) => return Err(error.user_error()),
        }
        self.shared.keep_secret(account.as_str(), SecretName::AuthToken, token.clone()).await?;
        self.tell(Request::AuthTokenReplaced(token));
        Ok(())
    }

    async fn use_shared_key(&self, on: bool) -> Result<(), UserError> {
        let wish = if on { SigningWish::SharedKey } else { SigningWish::AuthToken };
        self.ask(|reply| Request::Sign { wish, reply }).await
    }

    async fn replace_shared_key(&self) -> Result<(), UserError> {
        self.ask(|reply| Request::Sign { wish: SigningWish::AnotherSharedKey, reply }).await
    }

    async fn use_encrypted_file(&self, passphrase: String) -> Result<(), UserError> {
        let passphrase = SecretString::from(passphrase);
        self.with_vault(move |vault| vault.use_file(&passphrase).map_err(|error| user_error(&error))).await
    }

    async fn unlock_vault(&self, passphrase: Option<String>) -> Result<(), UserError> {
        let passphrase = passphrase.map(SecretString::from);
        self.with_vault(move |vault| match &passphrase {
            Some(passphrase) => vault.unlock(passphrase).map_err(|error| user_error(&error)),
            None => vault.probe().map_err(|error| user_error(&error)),
        })
        .await
    }

    async fn preview_disconnect(&self) -> Result<DisconnectView, UserError> {
        let record = self.shared.record()?;
        let client = self.shared.owner(&record.account.sid).await?;
        let told = |error: dialer_twilio::rest::RestError| error.user_error();
        let found = Found {
            keys: client.keys().await.map_err(told)?,
            apps: client.applications().await.map_err(told)?,
            numbers: client.numbers().await.map_err(told)?,
        };
        let installation = self.shared.saved().installation;
        let steps = setup::disconnect(&installation, &found, &record, Undo::EVERYTHING);
        let mut view = DisconnectView { numbers: Vec::new(), app: false, key: false };
        for step in &steps {
            match step {
                Step::RestoreNumber { number, to, .. } => view.numbers.push(RestoredView {
                    number: phone_number::format(number),
                    goes_to: Some(destination_words(&destination(to, &found.apps, &installation))),
                }),
                Step::ForgetNumber { number, .. } => {
                    view.numbers.push(RestoredView { number: phone_number::format(number), goes_to: None });
                }
                Step::DeleteApp { .. } => view.app = true,
                Step::DeleteKey { .. } | Step::DeleteLostKey { .. } => view.key = true,
                Step::CreateKey { .. }
                | Step::AdoptApp { .. }
                | Step::CreateApp { .. }
                | Step::UpdateApp { .. }
                | Step::BindNumber { .. } => {}
            }
        }
        Ok(view)
    }

    async fn disconnect(&self, undo: Undo) -> Result<(), UserError> {
        self.ask(|reply| Request::Disconnect { undo, reply }).await
    }
}
