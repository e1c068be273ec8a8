//! The Twilio account: entering it, looking at it, connecting, keeping and disconnecting it.
//!
//! ```text
//!  None ──▶ Checking ──▶ Choosing ──▶ SettingUp ──▶ Connected ⇄ Locked
//!   ▲          │            │            │             │
//!   └──────────┴────────────┴────────────┴─────────────┴──▶ Disconnecting ──▶ None
//! ```
//!
//! | module | holds |
//! | --- | --- |
//! | `task` | the one owner of what the account page shows |
//! | `entered` | what the agent typed, checked for form |
//! | `look` | reading the account at Twilio |
//! | `inventory` | what was read, as words for the agent; pure |
//! | `steps` | doing the steps of `dialer_domain::setup`, one after the other |
//! | `jobs` | set-up, disconnecting, verifying a caller id |
//! | `public_line` | webhook server and tunnel of the account |
//! | `signing` | has Twilio sign its requests with a key of this computer's own, and demands it |
//! | `keeper` | keeps the address at Twilio current and looks after the account |
//!
//! Whatever takes time is a job beside the task; there is one at a time, and asking for another ends it
//! (but for the job that opens the line, which has a place of its own). That is safe anywhere: what a job
//! does at Twilio can be repeated, and what it did is in the record.

mod entered;
mod inventory;
mod jobs;
mod keeper;
mod look;
mod public_line;
mod signing;
mod steps;
mod task;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dialer_domain::account::VerifiedCallerId;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::{Clock, SecretName, Vault, VaultError};
use dialer_domain::setup::{BoundNumber, Choices, Record};
use dialer_domain::sid::{AccountSid, ApiKeySid};
use dialer_gateway::tunnel::Launcher;
use dialer_storage::settings::{Saved, Settings};
use dialer_storage::sounds::Sounds;
use dialer_storage::vault::{ChosenVault, load_required, user_error};
use dialer_twilio::rest::{Client, Credentials, RestError};
use secrecy::SecretString;
use tokio::sync::{Notify, mpsc};

use crate::api::{CallerIdCheck, StepView};
use crate::core::blocking;
use crate::greeting::Greeting;
use crate::preview::Playing;
use crate::routing::{Keys, Seen};
use crate::twilio_at::TwilioAt;

pub(crate) use inventory::words as destination_words;
pub(crate) use task::{AccountTask, Request, SigningWish};

use entered::Secrets;
use look::Looked;
use public_line::PublicLine;
use signing::Signer;

/// How long a passing failure is waited for before the next attempt, at first and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// What every part of this module needs.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) vault: Arc<ChosenVault>,
    pub(crate) twilio: TwilioAt,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) launcher: Arc<dyn Launcher>,
    /// The agent's recordings that callers hear.
    pub(crate) sounds: Sounds,
    /// The preview of the rules, one at a time.
    pub(crate) preview: Playing,
    /// The greeting that is being recorded, one at a time.
    pub(crate) greeting: Greeting,
    /// One change at a time of what webhooks are signed with.
    pub(crate) signing: tokio::sync::Mutex<()>,
    /// For files that outlive the account.
    pub(crate) data_folder: PathBuf,
    /// For files of the tunnel programs.
    pub(crate) tunnel_folder: PathBuf,
    /// Where the webhook server listens, if that was given.
    pub(crate) webhook_listen: Option<std::net::SocketAddr>,
}

impl Shared {
    /// What is on the disk.
    pub(crate) fn saved(&self) -> Saved {
        self.settings.get()
    }

    /// The record of the account, which set-up and everything after it has.
    pub(crate) fn record(&self) -> Result<Record, UserError> {
        self.saved().record.ok_or_else(|| {
            UserError::new(ErrorCode::Internal, "No account is connected. Enter Account SID and Auth Token.")
        })
    }

    /// The choices of the record.
    pub(crate) fn choices(&self) -> Result<Choices, UserError> {
        self.record()?.choices.ok_or_else(|| {
            UserError::new(ErrorCode::InvalidEntry, "Choose numbers and a public address first.")
        })
    }

    /// Changes what is on the disk, durably, before it returns.
    pub(crate) async fn save<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Saved) -> T + Send + 'static,
    ) -> Result<T, UserError> {
        let shared = Arc::clone(self);
        blocking(move || shared.settings.change(change).map_err(|error| error.user_error())).await
    }

    /// Changes the record, durably.
    pub(crate) async fn save_record(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Record) + Send + 'static,
    ) -> Result<(), UserError> {
        self.save(|saved| {
            if let Some(record) = &mut saved.record {
                change(record);
            }
        })
        .await
    }

    /// A secret of `owner`, an account or a key, or the sentence for its being unavailable or gone.
    pub(crate) async fn secret(
        self: &Arc<Self>,
        owner: &str,
        name: SecretName,
    ) -> Result<SecretString, UserError> {
        let (shared, owner) = (Arc::clone(self), owner.to_owned());
        blocking(move || {
            load_required(&*shared.vault, &owner, name).map_err(|error| {
                let told = user_error(&error);
                // No unlocking brings it back: it is entered again.
                let changed = matches!(error, VaultError::Changed(_));
                if changed { UserError { code: ErrorCode::CredentialsRefused, ..told } } else { told }
            })
        })
        .await
    }

    /// A secret that need not be there.
    pub(crate) async fn secret_if_any(
        self: &Arc<Self>,
        owner: &str,
        name: SecretName,
    ) -> Result<Option<SecretString>, UserError> {
        let (shared, owner) = (Arc::clone(self), owner.to_owned());
        blocking(move || shared.vault.load(&owner, name).map_err(|error| user_error(&error))).await
    }

    /// Keeps a secret.
    pub(crate) async fn keep_secret(
        self: &Arc<Self>,
        owner: &str,
        name: SecretName,
        secret: SecretString,
    ) -> Result<(), UserError> {
        let (shared, owner) = (Arc::clone(self), owner.to_owned());
        blocking(move || shared.vault.store(&owner, name, &secret).map_err(|error| user_error(&error))).await
    }

    /// Forgets a secret.
    pub(crate) async fn forget_secret(
        self: &Arc<Self>,
        owner: &str,
        name: SecretName,
    ) -> Result<(), UserError> {
        let (shared, owner) = (Arc::clone(self), owner.to_owned());
        blocking(move || shared.vault.delete(&owner, name).map_err(|error| user_error(&error))).await
    }

    /// Writes what numbers said before to a file of its own, and answers with its name.
    fn keep_numbers(&self, numbers: &[BoundNumber]) -> Result<PathBuf, UserError> {
        let file = self.data_folder.join(format!("numbers-before-{}.json", self.clock.now_ms()));
        let kept = serde_json::to_vec_pretty(numbers)
            .map_err(std::io::Error::from)
            .and_then(|text| std::fs::write(&file, text));
        kept.map(|()| file.clone()).map_err(|error| {
            UserError::new(
                ErrorCode::Internal,
                format!("What the numbers said before could not be written to {}. Check that there is room on the disk.", file.display()),
            )
            .with_detail(error.to_string())
        })
    }

    /// A client that signs in with the Auth Token: it may do everything.
    pub(crate) fn client_with_token(
        &self,
        account: &AccountSid,
        token: SecretString,
    ) -> Result<Client, UserError> {
        self.client(Credentials::AuthToken { account: account.clone(), token })
    }

    /// A client that signs in with an API key: it may not read the account or its keys.
    pub(crate) fn client_with_key(
        &self,
        account: &AccountSid,
        key: &ApiKeySid,
        secret: SecretString,
    ) -> Result<Client, UserError> {
        self.client(Credentials::ApiKey { account: account.clone(), key: key.clone(), secret })
    }

    /// The record's account, signed in with the Auth Token from the vault.
    pub(crate) async fn owner(self: &Arc<Self>, account: &AccountSid) -> Result<Client, UserError> {
        let token = self.secret(account.as_str(), SecretName::AuthToken).await?;
        self.client_with_token(account, token)
    }

    /// A client for the record's account that signs in with its API key if that still works, for that is what the
    /// Webhooks configuration API is documented for, and otherwise with the Auth Token.
    pub(crate) async fn client_for_webhooks(self: &Arc<Self>) -> Result<Client, UserError> {
        let record = self.record()?;
        let account = &record.account.sid;
        if let Some(key) = &record.key
            && let Some(secret) = self.secret_if_any(key.as_str(), SecretName::ApiKeySecret).await?
        {
            let client = self.client_with_key(account, key, secret)?;
            // Whoever is not reached now is asked again with what is wanted.
            if !matches!(client.probe().await, Err(RestError::Refused { .. })) {
                return Ok(client);
            }
        }
        self.owner(account).await
    }

    fn client(&self, credentials: Credentials) -> Result<Client, UserError> {
        self.twilio.client(credentials, &self.clock)
    }
}

/// What a job tells the task.
pub(crate) enum Said {
    /// What is waited for, or that it came.
    Waiting(Option<String>),
    /// How far the steps are.
    Steps(Vec<StepView>),
    /// The account was read.
    Looked(Box<Looked>),
    /// What was typed is in the vault.
    SecretsKept,
    /// What was typed is not in the vault any more: it was refused.
    SecretsForgotten,
    /// Webhook server and tunnel run.
    LineOpened(PublicLine),
    /// The line of a connected account is open, and everything it needs could be read.
    LineReady,
    /// Everything at Twilio is as wanted.
    SetUp,
    /// Everything at Twilio is as it was; a sentence if not quite.
    Disconnected(Option<UserError>),
    /// A caller id is being verified.
    CallerIdCheck(CallerIdCheck),
    /// The verified caller ids, now that there is one more.
    CallerIds(Vec<VerifiedCallerId>),
    /// What Twilio signs with is as wanted.
    Signing,
    /// The job has failed.
    Failed(UserError),
}

/// What a job works with.
#[derive(Clone)]
pub(crate) struct Job {
    id: u64,
    shared: Arc<Shared>,
    task: mpsc::UnboundedSender<Request>,
    /// Ends a wait early.
    nudge: Arc<Notify>,
}

impl Job {
    fn say(&self, said: Said) {
        // The task outlives its jobs, so this fails only while the program ends.
        let _ = self.task.send(Request::Said { job: self.id, said });
    }

    /// Whoever changes what Twilio signs with; `keys` are those of the line, while there is one.
    fn signer(&self, keys: Option<Arc<Keys>>) -> Signer {
        Signer::new(&self.shared, keys, self.task.clone())
    }

    /// The webhook server answers for this address from now on.
    fn serve_as(&self, base: url::Url) {
        let _ = self.task.send(Request::ServeAs(base));
    }

    /// Tells the task of every request that reaches the webhook server.
    fn watcher(&self) -> impl Fn(Seen) + Send + Sync + 'static {
        let task = self.task.clone();
        move |seen| {
            let _ = task.send(Request::Seen(seen));
        }
    }

    /// Puts what was typed into the vault.
    async fn keep_secrets(&self, secrets: Secrets) -> Result<(), UserError> {
        for (owner, name, secret) in secrets {
            self.shared.keep_secret(&owner, name, secret).await?;
        }
        self.say(Said::SecretsKept);
        Ok(())
    }

    /// Asks until it is answered: what passes by itself, such as a missing network, is waited for and told.
    async fn patiently<T, F: Future<Output = Result<T, RestError>> + Send>(
        &self,
        mut ask: impl FnMut() -> F + Send,
    ) -> Result<T, RestError> {
        let mut wait = PATIENCE.0;
        loop {
            match ask().await {
                Err(error) if error.passing() => wait = self.wait(&error, wait).await,
                answer => return answer,
            }
        }
    }

    /// Waits until it is worth asking again, and tells what for; answers how long to wait the next time.
    async fn wait(&self, error: &RestError, wait: Duration) -> Duration {
        self.wait_out(error.user_error().message, wait).await
    }

    /// As [`Self::wait`], for what `what` tells.
    async fn wait_out(&self, what: String, wait: Duration) -> Duration {
        self.say(Said::Waiting(Some(what)));
        let next = tokio::select! {
            () = tokio::time::sleep(wait) => (wait * 2).min(PATIENCE.1),
            () = self.nudge.notified() => PATIENCE.0,
        };
        self.say(Said::Waiting(None));
        next
    }
}
