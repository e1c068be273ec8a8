//! Keeps a connected account working: the address at Twilio is the one the tunnel has, and what
//! somebody else changes there is noticed.

use std::sync::Arc;
use std::time::Duration;

use dialer_domain::account::AppSettings;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::phone_number::{self, E164};
use dialer_domain::ports::SecretName;
use dialer_domain::setup::Record;
use dialer_gateway::tunnel::TunnelState;
use dialer_twilio::rest::{Client, RestError};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use url::Url;

use super::look::must_be_active;
use super::signing::{self, Signer};
use super::{PATIENCE, Request, Shared, inventory, public_line};
use crate::api::{LightState, Notice, Repair};
use crate::core::Core;
use crate::routing::Keys;
use crate::state::{Line, Trouble};

/// How often the account is looked after while all is well.
const CHECK_UP: Duration = Duration::from_secs(30 * 60);
/// A public address that flutters is not written at each turn.
const SETTLED: Duration = Duration::from_secs(5);
/// The Auth Token in the vault is not the account's any more.
const TOKEN_REFUSED: &str =
    "The Auth Token was changed at Twilio, so its requests can no longer be checked. Enter the new one.";
/// The key is gone.
const KEY_REFUSED: &str =
    "Twilio refuses this computer's API key: it was deleted. Set up again to make a new one.";
/// The rule that has requests signed with the computer's own key is gone.
const SIGNING_GONE: &str = "At Twilio somebody took away what has its requests signed with this computer's own key, so they are refused. Set up again to put it back, or go back to the Auth Token on the Account page.";
/// Numbers that were taken away, but not all.
const NUMBERS_TAKEN: &str = "numbers-taken";

/// The running task. Dropping it ends it.
pub(crate) struct Keeper {
    running: JoinHandle<()>,
    look: Arc<Notify>,
}

impl Keeper {
    /// Begins to keep `record`'s account for `core`, whose requests come through the tunnel of `watch`.
    pub(crate) fn start(
        shared: Arc<Shared>,
        core: Core,
        watch: watch::Receiver<TunnelState>,
        keys: Arc<Keys>,
        task: mpsc::UnboundedSender<Request>,
    ) -> Self {
        let look = Arc::new(Notify::new());
        let signer = Signer::new(&shared, Some(keys), task.clone());
        let keeping = Keeping { shared, core, signer, task };
        Self { running: tokio::spawn(keeping.run(watch, Arc::clone(&look))), look }
    }

    /// Looks after the account now.
    pub(crate) fn look(&self) {
        self.look.notify_one();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.running.abort();
    }
}

struct Keeping {
    shared: Arc<Shared>,
    core: Core,
    signer: Signer,
    task: mpsc::UnboundedSender<Request>,
}

/// What became of an address.
enum Published {
    /// It is at Twilio.
    Yes,
    /// Twilio, or the vault, said no: nothing changes that but the agent.
    Refused(UserError),
}

impl Keeping {
    async fn run(self, mut watch: watch::Receiver<TunnelState>, look: Arc<Notify>) {
        let mut due = tokio::time::interval(CHECK_UP);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut published: Option<(Url, Published)> = None;
        let mut phone = self.core.watch();
        let mut in_call = false;
        let mut reachable = true;
        loop {
            let state = watch.borrow_and_update().clone();
            match (&state, &published) {
                (TunnelState::Up { url, .. }, Some((known, outcome))) if url == known => {
                    self.core.line_changed(match outcome {
                        Published::Yes => Line::Open,
                        Published::Refused(error) => Line::Closed(error.clone(), Some(cure(error))),
                    });
                }
                (TunnelState::Up { url, .. }, _) => {
                    let outcome = tokio::select! {
                        outcome = self.publish(url, &look) => outcome,
                        changed = watch.changed() => if changed.is_err() { return } else { continue },
                    };
                    published = Some((url.clone(), outcome));
                    continue;
                }
                _ => self.core.line_changed(line(&state)),
            }
            tokio::select! {
                changed = watch.changed() => if changed.is_err() { return },
                changed = phone.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let (now, reached) = {
                        let view = phone.borrow_and_update();
                        (!view.calls.is_empty(), view.lights.calls_out.state != LightState::NotReachable)
                    };
                    if now != in_call {
                        in_call = now;
                        let _ = self.task.send(Request::InCall(in_call));
                    }
                    // Whoever refused the phone may have a reason that only the account tells.
                    if reachable && !reached {
                        self.check_up().await;
                    }
                    reachable = reached;
                }
                _ = due.tick() => {
                    forget_refusal(&mut published);
                    self.check_up().await;
                }
                () = look.notified() => {
                    forget_refusal(&mut published);
                    self.check_up().await;
                }
            }
        }
    }

    /// Tells the gateway its address, and Twilio if it has another. Tries until it succeeds or is refused.
    async fn publish(&self, url: &Url, look: &Notify) -> Published {
        let _ = self.task.send(Request::ServeAs(url.clone()));
        let known = self.shared.saved().record.and_then(|record| record.published);
        if known.as_deref() == Some(url.as_str()) {
            return Published::Yes;
        }
        self.core.line_changed(Line::Opening);
        tokio::time::sleep(SETTLED).await;
        let (mut wait, longest) = PATIENCE;
        loop {
            match self.write(url).await {
                Ok(()) => return Published::Yes,
                Err((error, true)) => {
                    self.core.line_changed(Line::Restoring(error, None));
                    tokio::select! {
                        () = tokio::time::sleep(wait) => wait = (wait * 2).min(longest),
                        () = look.notified() => wait = PATIENCE.0,
                    }
                }
                Err((error, false)) => return Published::Refused(error),
            }
        }
    }

    /// Writes the address to this computer's app, unless it is there. An error says whether it passes.
    async fn write(&self, url: &Url) -> Result<(), (UserError, bool)> {
        let lasting = |error: UserError| (error, false);
        let told = |error: RestError| (error.user_error(), error.passing());
        let record = self.shared.record().map_err(lasting)?;
        let Some(app) = record.app.clone() else { return Ok(()) };
        let client = self.client(&record).await.map_err(lasting)?;
        let found = client.application(&app).await.map_err(told)?;
        // Requests to the new address must be signed as they are believed before there are any.
        if record.signing.is_some_and(|signing| signing.wanted) {
            let client = self.shared.client_for_webhooks().await.map_err(lasting)?;
            self.signer.demand(&client, url).await.map_err(signing::NotDone::told)?;
            let _ = self.task.send(Request::SigningSettled);
        }
        let (voice, status) = public_line::urls(url);
        let settings =
            AppSettings { voice_url: Some(voice), status_callback: Some(status), ..found.settings.clone() };
        if settings != found.settings {
            client.update_application(&app, &settings).await.map_err(told)?;
            tracing::info!(%url, "the public address changed; Twilio was told");
        }
        let url = url.to_string();
        self.shared.save_record(move |record| record.published = Some(url)).await.map_err(lasting)
    }

    /// Looks whether the account still is as set-up left it, and tells what is not.
    async fn check_up(&self) {
        let Ok(record) = self.shared.record() else { return };
        match self.examine(&record).await {
            Ok(Examined { trouble, taken, owned, verified }) => {
                self.core.caller_ids_changed(owned, verified);
                self.core.trouble_changed(trouble);
                match taken {
                    Some(error) => {
                        self.core.raise(Notice { id: NUMBERS_TAKEN.into(), error, dismissible: true });
                    }
                    None => self.core.clear(NUMBERS_TAKEN),
                }
            }
            // Locked secrets are told where they are asked for; the line and the SDK notice a missing
            // network by themselves.
            Err(None) => {}
            Err(Some((error, repair))) => {
                self.core.trouble_changed(Trouble::both(error, repair));
            }
        }
    }

    /// Asks with both credentials: either can be gone without the other.
    async fn examine(&self, record: &Record) -> Result<Examined, Option<(UserError, Repair)>> {
        let account = &record.account.sid;
        let owner = self.shared.owner(account).await.map_err(|_| None)?;
        let facts =
            owner.account().await.map_err(|error| lasting(&error, TOKEN_REFUSED, Repair::EnterAuthToken))?;
        must_be_active(facts.standing).map_err(|error| Some((error, Repair::RunSetUp)))?;
        let balance = owner.balance().await.ok();
        let _ = self.task.send(Request::Balance(balance.as_ref().map(inventory::balance)));
        let client = self.client(record).await.map_err(|_| None)?;
        let refused = |error: RestError| lasting(&error, KEY_REFUSED, Repair::RunSetUp);
        let mut found = examine(&client, record).await.map_err(refused)?;
        match client.has_webhook_configuration().await {
            Ok(offered) => {
                let _ = self.task.send(Request::SigningOffered(offered));
            }
            Err(error) => tracing::info!(%error, "whether webhooks can be signed otherwise is not known"),
        }
        if record.signing.is_some() && self.signer.is_taken_away(&client).await.map_err(refused)? {
            let gone = UserError::new(ErrorCode::TwilioFailed, SIGNING_GONE);
            found.trouble = Trouble::both(gone, Repair::RunSetUp);
        }
        Ok(found)
    }

    async fn client(&self, record: &Record) -> Result<Client, UserError> {
        let account = &record.account.sid;
        match &record.key {
            Some(key) => {
                let secret = self.shared.secret(key.as_str(), SecretName::ApiKeySecret).await?;
                self.shared.client_with_key(account, key, secret)
            }
            None => self.shared.owner(account).await,
        }
    }
}

/// A refused address is worth another attempt when something may have changed.
fn forget_refusal(published: &mut Option<(Url, Published)>) {
    if matches!(published, Some((_, Published::Refused(_)))) {
        *published = None;
    }
}

/// What helps when the address could not be written.
fn cure(error: &UserError) -> Repair {
    if error.code == ErrorCode::KeychainUnavailable { Repair::UnlockVault } else { Repair::RunSetUp }
}

/// How the tunnel's state reads as a light.
fn line(state: &TunnelState) -> Line {
    match state {
        TunnelState::Up { .. } => Line::Open,
        TunnelState::Off | TunnelState::Starting | TunnelState::Verifying { .. } => Line::Opening,
        TunnelState::Degraded { reason, .. } | TunnelState::Backoff { reason, .. } => {
            Line::Restoring(reason.clone(), Some(Repair::RestartTunnel))
        }
        TunnelState::Open { reason, .. } => Line::Closed(reason.clone(), Some(Repair::RestartTunnel)),
    }
}

/// What to tell of an error that does not pass by itself.
fn lasting(error: &RestError, refused: &str, repair: Repair) -> Option<(UserError, Repair)> {
    if error.passing() {
        return None;
    }
    let told = error.user_error();
    if told.code == ErrorCode::CredentialsRefused {
        let told = UserError::new(ErrorCode::CredentialsRefused, refused).with_detail(error.to_string());
        return Some((told, repair));
    }
    Some((told, Repair::RunSetUp))
}

struct Examined {
    trouble: Trouble,
    taken: Option<UserError>,
    /// Numbers of the account.
    owned: Vec<E164>,
    /// Numbers that may be shown without being owned.
    verified: Vec<E164>,
}

/// Reads app, numbers and caller ids and compares them with the record.
async fn examine(client: &Client, record: &Record) -> Result<Examined, RestError> {
    let numbers = client.numbers().await?;
    let verified = client.caller_ids().await?;
    let app = match &record.app {
        Some(sid) => match client.application(sid).await {
            Ok(app) => Some(app),
            Err(RestError::Refused { status: 404, .. }) => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    let mut found = Examined {
        trouble: Trouble::default(),
        taken: None,
        owned: numbers.iter().map(|owned| owned.number.clone()).collect(),
        verified: verified.iter().map(|one| one.number.clone()).collect(),
    };
    let Some(app) = app else {
        let gone = UserError::new(
            ErrorCode::TwilioFailed,
            "This computer's TwiML App was deleted at Twilio. Set up again to make a new one.",
        );
        found.trouble = Trouble::both(gone, Repair::RunSetUp);
        return Ok(found);
    };
    if let Some(published) = record.published.as_deref().and_then(|url| Url::parse(url).ok()) {
        let (voice, status) = public_line::urls(&published);
        if app.settings.voice_url != Some(voice) || app.settings.status_callback != Some(status) {
            let moved = UserError::new(
                ErrorCode::TwilioFailed,
                "At Twilio somebody gave this computer's TwiML App another address. Set up again to put the right one back.",
            );
            found.trouble = Trouble::both(moved, Repair::RunSetUp);
            return Ok(found);
        }
    }
    if let Some(caller_id) = record.choices.as_ref().and_then(|choices| choices.caller_id.as_ref())
        && numbers.iter().all(|owned| owned.number != *caller_id)
        && verified.iter().all(|one| one.number != *caller_id)
    {
        let gone = UserError::new(
            ErrorCode::TwilioFailed,
            format!(
                "{} is no longer yours at Twilio. Choose another outgoing number.",
                phone_number::format(caller_id)
            ),
        );
        found.trouble.calls_out = Some((gone, Repair::ChooseNumbers));
    }
    let leads_here = |sid| {
        numbers.iter().any(|owned| {
            owned.sid == sid && owned.routing.voice_application_sid.as_deref() == Some(app.sid.as_str())
        })
    };
    let lost: Vec<String> = record
        .numbers
        .iter()
        .filter(|bound| !leads_here(bound.sid.clone()))
        .map(|bound| phone_number::format(&bound.number))
        .collect();
    if lost.is_empty() {
        return Ok(found);
    }
    let error = UserError::new(
        ErrorCode::TwilioFailed,
        format!(
            "{} no longer rings here: it was changed at Twilio. Set up again to let it ring here.",
            lost.join(", ")
        ),
    );
    if lost.len() == record.numbers.len() {
        found.trouble.calls_in = Some((error, Repair::RunSetUp));
    } else {
        found.taken = Some(error);
    }
    Ok(found)
}
