//! Has Twilio sign its requests with a key of this computer's own, a shared key of the Webhooks configuration
//! API, and believes nothing else once Twilio does.
//!
//! ```text
//!   on:   make a key ─▶ vault ─▶ record ─▶ good beside the Auth Token ─▶ setting ─▶ tried ─▶ rule ─▶ spread ─▶ alone
//!   off:  good beside the Auth Token ─▶ rule deleted ─▶ spread ─▶ the Auth Token alone ─▶ setting, key, vault
//! ```
//!
//! Replacing a key is `on` once more: the old one stays good until the rule leads to the new one, the Auth Token
//! is good at no time. Each step compares what is there with what is wanted, and what the next start must know is
//! in the record before it is done, so it can be ended anywhere and begun again. What is made bears this
//! installation's name; what bears it and is not in use is deleted.
//!
//! A rule is for one public address. Where that changes, the rule for the new one comes first and the address is
//! told afterwards: otherwise Twilio would sign with the Auth Token there, and be refused.

use std::sync::Arc;
use std::time::Duration;

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::SecretName;
use dialer_domain::setup::Signing;
use dialer_gateway::STATUS_PATH;
use dialer_gateway::tunnel::TunnelState;
use dialer_twilio::rest::{Client, RestError, WebhookMatch, WebhookOperation, WebhookRule, WebhookSetting};
use dialer_twilio::signature::{HmacAlgorithm, WebhookKey};
use tokio::sync::{MutexGuard, mpsc, watch};
use url::Url;

use super::jobs::OpenLine;
use super::{Job, PATIENCE, Request, Said, Shared};
use crate::routing::{Keys, SharedKeys};

/// What a shared key signs with; the Auth Token knows only SHA-1.
const ALGORITHM: HmacAlgorithm = HmacAlgorithm::Sha256;
/// How often Twilio is asked whether a change has spread, which takes 30 to 60 seconds.
const LOOK: Duration = Duration::from_secs(1);
/// A change that takes longer is not going to spread.
const LONGEST_SPREAD: Duration = Duration::from_secs(10 * 60);
/// What Twilio says to a rule for addresses that have one, or are getting one.
const RULE_EXISTS: u32 = 59103;
/// Rules that still are not what they were found to be after so many looks are changed by somebody else.
const LOOKS: usize = 3;

/// The shared keys of the record with what they sign with. One that is lost from the vault is no longer good.
pub(crate) async fn at_hand(shared: &Arc<Shared>) -> Result<SharedKeys, UserError> {
    let Some(signing) = shared.saved().record.and_then(|record| record.signing) else {
        return Ok(SharedKeys::default());
    };
    let mut keys = Vec::new();
    for id in signing.keys() {
        if let Some(secret) = shared.secret_if_any(id, SecretName::SharedKey).await? {
            keys.push(WebhookKey::SharedKey { id: id.clone(), algorithm: ALGORITHM, secret });
        }
    }
    Ok(SharedKeys { keys, demanded: signing.demanded })
}

/// Why something was not done.
pub(crate) enum NotDone {
    /// Twilio did not do it.
    Rest(RestError),
    /// Twilio could not do it yet.
    NotYet(UserError),
    /// For the agent to act on.
    Told(UserError),
}

impl From<RestError> for NotDone {
    fn from(error: RestError) -> Self {
        Self::Rest(error)
    }
}

impl From<UserError> for NotDone {
    fn from(error: UserError) -> Self {
        Self::Told(error)
    }
}

impl NotDone {
    /// For the agent, and whether it passes by itself.
    pub(crate) fn told(self) -> (UserError, bool) {
        match self {
            Self::Rest(error) => (error.user_error(), error.passing()),
            Self::NotYet(error) => (error, true),
            Self::Told(error) => (error, false),
        }
    }
}

/// Makes Twilio what the record wants. What was begun and is refused is taken back, but not once a shared key is
/// demanded: going back from that is for the agent alone. `line` tells the address requests come to.
pub(crate) async fn run(job: Job, (mut line, keys): OpenLine) {
    let signer = job.signer(Some(keys));
    let mut wait = PATIENCE.0;
    let mut refused = None;
    loop {
        match signer.settle(&mut line).await {
            Ok(()) => return job.say(refused.map_or(Said::Signing, Said::Failed)),
            Err(error) => {
                let (error, passes) = error.told();
                if passes {
                    wait = job.wait_out(error.message, wait).await;
                    continue;
                }
                let begun = |signing: Signing| signing.wanted && !signing.demanded;
                if !signer.signing().is_some_and(begun) {
                    return job.say(Said::Failed(error));
                }
                if let Err(unsaved) = signer.change(|signing| signing.wanted = false).await {
                    return job.say(Said::Failed(unsaved));
                }
                refused = Some(error);
            }
        }
    }
}

/// Changes what Twilio signs with, and what is believed.
pub(crate) struct Signer {
    shared: Arc<Shared>,
    /// Those of the line, while there is one.
    keys: Option<Arc<Keys>>,
    /// Told when a change begins and ends.
    task: mpsc::UnboundedSender<Request>,
}

/// While this is held nobody else changes what Twilio signs with.
struct Alone<'a> {
    held: Option<MutexGuard<'a, ()>>,
    task: &'a mpsc::UnboundedSender<Request>,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        // The page reads whether it is held when it hears of it.
        self.held = None;
        let _ = self.task.send(Request::SigningMoved);
    }
}

/// What there is at Twilio.
struct Found {
    keys: Vec<String>,
    /// Those of this installation.
    settings: Vec<WebhookSetting>,
    rules: Vec<WebhookRule>,
}

impl Found {
    /// Whether a rule is this installation's: all it leads to is.
    fn is_ours(&self, rule: &WebhookRule) -> bool {
        let is_ours = |id: &String| self.settings.iter().any(|setting| setting.id == *id);
        !rule.settings.is_empty() && rule.settings.iter().all(is_ours)
    }

    fn ours(&self) -> impl Iterator<Item = &WebhookRule> {
        self.rules.iter().filter(|rule| self.is_ours(rule))
    }
}

impl Signer {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        keys: Option<Arc<Keys>>,
        task: mpsc::UnboundedSender<Request>,
    ) -> Self {
        Self { shared: Arc::clone(shared), keys, task }
    }

    async fn alone(&self) -> Alone<'_> {
        let held = Some(self.shared.signing.lock().await);
        let _ = self.task.send(Request::SigningMoved);
        Alone { held, task: &self.task }
    }

    /// Makes Twilio what the record wants.
    async fn settle(&self, line: &mut watch::Receiver<TunnelState>) -> Result<(), NotDone> {
        let Some(signing) = self.signing() else { return Ok(()) };
        if !signing.wanted {
            return self.withdraw(&self.shared.client_for_webhooks().await?).await;
        }
        // The address of the record may be one of the last start, which leads nowhere any more.
        let up = line.wait_for(|state| matches!(state, TunnelState::Up { .. })).await;
        let Ok(TunnelState::Up { url, .. }) = up.map(|state| state.clone()) else { return Ok(()) };
        self.demand(&self.shared.client_for_webhooks().await?, &url).await
    }

    /// Has requests to `address` signed with this computer's key, and believes nothing else afterwards. Nothing is
    /// done once that is not wanted any more: whoever takes it back waits until this has ended.
    pub(crate) async fn demand(&self, client: &Client, address: &Url) -> Result<(), NotDone> {
        let _alone = self.alone().await;
        // It may have been given up, and taken back, while another change was waited for.
        if !self.is_wanted() {
            return Ok(());
        }
        let told = address.to_string();
        self.change(move |signing| signing.address = Some(told)).await?;
        self.until_spread(client).await?;
        let prefix = prefix(address);
        let mut looks = 0;
        let (found, key, setting) = loop {
            let mut found = self.find(client).await?;
            let in_place =
                found.rules.iter().find(|rule| rule.matches == WebhookMatch::Prefix(prefix.clone()));
            if in_place.is_some_and(|rule| !found.is_ours(rule)) {
                return Err(failed(
                    "Another rule at Twilio says already how requests to this computer's address are signed. Delete it in Twilio's Console, then try again.",
                )
                .into());
            }
            let in_place = in_place.cloned();
            let key = self.key(client, &found).await?;
            self.believe().await?;
            let setting = self.setting(client, &mut found, &key).await?;
            if in_place.as_ref().is_some_and(|rule| rule.settings == std::slice::from_ref(&setting)) {
                break (found, key, setting);
            }
            try_out(client, address, &setting).await?;
            // Once this is asked, a lost answer leaves open what signs.
            self.change(|signing| signing.changing = true).await?;
            let begun = match &in_place {
                Some(rule) => client.update_webhook_rule(&rule.id, &setting).await,
                None => {
                    let matches = WebhookMatch::Prefix(prefix.clone());
                    client.create_webhook_rule(&self.name(), &matches, &setting).await
                }
            };
            looks += 1;
            match begun {
                Ok(operation) => {
                    self.change(move |signing| signing.spreading = Some(operation.id)).await?;
                    self.until_spread(client).await?;
                    break (found, key, setting);
                }
                Err(error) if error.code() == Some(RULE_EXISTS) && looks < LOOKS => {
                    self.until_spread(client).await?;
                }
                Err(error) => return Err(error.into()),
            }
        };
        self.change(|signing| signing.demanded |= signing.wanted).await?;
        if !self.is_wanted() {
            return Ok(());
        }
        self.believe().await?;
        tracing::info!("webhooks are signed with a key of this computer's own, and with nothing else");
        let elsewhere: Vec<String> = found
            .ours()
            .filter(|rule| rule.matches != WebhookMatch::Prefix(prefix.clone()))
            .map(|rule| rule.id.clone())
            .collect();
        self.delete_rules(client, &elsewhere).await?;
        self.delete_all_but(client, &found, Some((&key, &setting))).await?;
        self.forget_replaced(key).await?;
        Ok(self.believe().await?)
    }

    /// Forgets the key that `key` took the place of, unless `key` is to be replaced itself by now.
    async fn forget_replaced(&self, key: String) -> Result<(), UserError> {
        let in_use = |signing: &Signing| signing.key.as_deref() == Some(key.as_str());
        let Some(replaced) = self.signing().filter(in_use).and_then(|signing| signing.replaced) else {
            return Ok(());
        };
        // Twilio may not have it any more, and then it was not deleted there and here.
        self.shared.forget_secret(&replaced, SecretName::SharedKey).await?;
        self.change(move |signing| {
            if signing.key.as_deref() == Some(key.as_str()) {
                signing.replaced = None;
            }
        })
        .await
    }

    /// The setting that has `key` sign, made if it is missing.
    async fn setting(&self, client: &Client, found: &mut Found, key: &str) -> Result<String, RestError> {
        let signed_by = Some((key.to_owned(), ALGORITHM));
        if let Some(setting) = found.settings.iter().find(|setting| setting.signed_by == signed_by) {
            return Ok(setting.id.clone());
        }
        let made = client.create_webhook_setting(&self.name(), key, ALGORITHM).await?;
        found.settings.push(made.clone());
        Ok(made.id)
    }

    /// Has Twilio sign with the Auth Token again, and forgets the key.
    pub(crate) async fn withdraw(&self, client: &Client) -> Result<(), NotDone> {
        let _alone = self.alone().await;
        self.change(|signing| {
            signing.wanted = false;
            signing.demanded = false;
        })
        .await?;
        self.believe().await?;
        if let Some(client) = &self.let_in(client).await? {
            self.until_spread(client).await?;
            let found = self.find(client).await?;
            let rules: Vec<String> = found.ours().map(|rule| rule.id.clone()).collect();
            self.delete_rules(client, &rules).await?;
            if let Some(keys) = &self.keys {
                keys.share(SharedKeys::default());
            }
            self.delete_all_but(client, &found, None).await?;
        }
        self.forget().await?;
        tracing::info!("webhooks are signed with the Auth Token");
        Ok(self.believe().await?)
    }

    /// A client that may see how webhooks are signed: `client`, or the account's owner where that is refused. `None`
    /// where Twilio has nothing of the kind for its owner either: then there is no rule that would be followed.
    async fn let_in(&self, client: &Client) -> Result<Option<Client>, NotDone> {
        if client.has_webhook_configuration().await? {
            return Ok(Some(client.clone()));
        }
        let owner = self.shared.owner(&self.shared.record()?.account.sid).await?;
        match owner.shared_keys().await {
            Err(RestError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Some(owner)),
        }
    }

    /// Forgets the keys here, whatever there is at Twilio.
    pub(crate) async fn forget(&self) -> Result<(), UserError> {
        let Some(signing) = self.signing() else { return Ok(()) };
        for id in signing.keys() {
            self.shared.forget_secret(id, SecretName::SharedKey).await?;
        }
        self.shared.save_record(|record| record.signing = None).await
    }

    /// Whether somebody took away at Twilio what has requests signed with the key.
    pub(crate) async fn is_taken_away(&self, client: &Client) -> Result<bool, RestError> {
        let Some(signing) = self.signing().filter(Signing::is_settled) else { return Ok(false) };
        let Some(address) = signing.address.as_deref().and_then(|url| Url::parse(url).ok()) else {
            return Ok(false);
        };
        let matches = WebhookMatch::Prefix(prefix(&address));
        let found = self.find(client).await?;
        let signed = |rule: &&WebhookRule| {
            found.settings.iter().any(|setting| {
                rule.settings == [setting.id.as_str()]
                    && setting.signed_by.as_ref().is_some_and(|(key, _)| signing.key.as_ref() == Some(key))
            })
        };
        let rule = found.rules.iter().find(|rule| rule.matches == matches);
        // What is being changed just now is not taken away.
        Ok(rule.is_none_or(|rule| !signed(&rule)) && self.signing().as_ref() == Some(&signing))
    }

    async fn find(&self, client: &Client) -> Result<Found, RestError> {
        let name = self.name();
        let ours = |given: &Option<String>| given.as_deref() == Some(name.as_str());
        let keys = client.shared_keys().await?;
        let mut settings = client.webhook_settings().await?;
        settings.retain(|setting| ours(&setting.friendly_name));
        Ok(Found {
            keys: keys.into_iter().filter(|key| ours(&key.friendly_name)).map(|key| key.id).collect(),
            settings,
            rules: client.webhook_rules().await?,
        })
    }

    /// The key of the record, or a new one where that is lost, here or at Twilio.
    async fn key(&self, client: &Client, found: &Found) -> Result<String, NotDone> {
        let known = self.signing().and_then(|signing| signing.key);
        if let Some(id) = known.filter(|id| found.keys.contains(id))
            && self.shared.secret_if_any(&id, SecretName::SharedKey).await?.is_some()
        {
            return Ok(id);
        }
        let made = client.create_shared_key(&self.name()).await?;
        // What it signs with comes first: a record of a key without that would be believed.
        self.shared.keep_secret(&made.id, SecretName::SharedKey, made.secret).await?;
        let id = made.id.clone();
        self.change(move |signing| {
            // Where one is being replaced already, the one that cannot be used any more was to follow it.
            signing.replace();
            signing.key = Some(id);
        })
        .await?;
        Ok(made.id)
    }

    /// Waits until the change that Twilio is making has reached all that send its requests.
    async fn until_spread(&self, client: &Client) -> Result<(), NotDone> {
        let Some(signing) = self.signing().filter(Signing::is_changing) else { return Ok(()) };
        let spread = async {
            match &signing.spreading {
                Some(id) => has_spread(client, id).await,
                None => nothing_spreads(client).await,
            }
        };
        let spread = tokio::time::timeout(LONGEST_SPREAD, spread).await.unwrap_or_else(|_| {
            Err(failed("Twilio takes too long to change how it signs its requests. Try again later.").into())
        });
        if !matches!(&spread, Err(NotDone::Rest(error)) if error.passing()) {
            self.change(|signing| {
                signing.spreading = None;
                signing.changing = false;
            })
            .await?;
        }
        spread
    }

    async fn delete_rules(&self, client: &Client, rules: &[String]) -> Result<(), NotDone> {
        for rule in rules {
            self.change(|signing| signing.changing = true).await?;
            let operation = match client.delete_webhook_rule(rule).await {
                Err(RestError::Refused { status: 404, .. }) => None,
                deleted => deleted?,
            };
            // Where the answer was lost, or somebody else was faster, all that spreads is waited for.
            if let Some(operation) = operation {
                self.change(move |signing| signing.spreading = Some(operation.id)).await?;
            }
            self.until_spread(client).await?;
        }
        Ok(())
    }

    /// Deletes settings and keys of this installation, but for those in use.
    async fn delete_all_but(
        &self,
        client: &Client,
        found: &Found,
        used: Option<(&String, &String)>,
    ) -> Result<(), NotDone> {
        for setting in &found.settings {
            if used.is_none_or(|(_, used)| setting.id != *used) {
                gone_is_done(client.delete_webhook_setting(&setting.id).await)?;
            }
        }
        for key in &found.keys {
            if used.is_none_or(|(used, _)| key != used) {
                gone_is_done(client.delete_shared_key(key).await)?;
                self.shared.forget_secret(key, SecretName::SharedKey).await?;
            }
        }
        Ok(())
    }

    /// The webhook server believes what the record says from now on.
    async fn believe(&self) -> Result<(), UserError> {
        if let Some(keys) = &self.keys {
            keys.share(at_hand(&self.shared).await?);
        }
        Ok(())
    }

    fn is_wanted(&self) -> bool {
        self.signing().is_some_and(|signing| signing.wanted)
    }

    fn signing(&self) -> Option<Signing> {
        self.shared.saved().record.and_then(|record| record.signing)
    }

    fn name(&self) -> String {
        self.shared.saved().installation.resource_name()
    }

    async fn change(&self, change: impl FnOnce(&mut Signing) + Send + 'static) -> Result<(), UserError> {
        self.shared
            .save_record(|record| {
                if let Some(signing) = &mut record.signing {
                    change(signing);
                }
            })
            .await
    }
}

/// Waits until a change has spread, or fails with it.
async fn has_spread(client: &Client, id: &str) -> Result<(), NotDone> {
    loop {
        match client.webhook_operation(id).await {
            Ok(operation) if operation.error.is_some() => {
                let detail = operation.error.map(|error| error.to_string()).unwrap_or_default();
                return Err(NotDone::Told(
                    failed("Twilio could not change how it signs its requests. Try again later.")
                        .with_detail(detail),
                ));
            }
            Ok(operation) if operation.completed_ms.is_some() => return Ok(()),
            // One that is forgotten at Twilio is over.
            Err(RestError::Refused { status: 404, .. }) => return Ok(()),
            Ok(_) => tokio::time::sleep(LOOK).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until no change of the account spreads any more: which one is this computer's is not known where Twilio's
/// answer was lost.
async fn nothing_spreads(client: &Client) -> Result<(), NotDone> {
    while client.webhook_operations().await?.iter().any(WebhookOperation::is_pending) {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Has Twilio send a request that is signed as the setting says, before all requests are.
async fn try_out(client: &Client, address: &Url, setting: &str) -> Result<(), NotDone> {
    let url = format!("{}{STATUS_PATH}", address.as_str().trim_end_matches('/'));
    let delivery = client.test_webhook(&url, Some(setting)).await?;
    match delivery.status {
        Some(200..300) => Ok(()),
        Some(status) => Err(failed(
            "Twilio tried the new key, and its request was not recognised here. Requests go on being signed as before; try again when calls come in.",
        )
        .with_detail(format!("the trial was answered {status}"))
        .into()),
        // A fresh temporary address is not known everywhere at once.
        None => Err(NotDone::NotYet(
            failed("Twilio tried the new key, but this computer's address could not be reached yet. It is tried again.")
                .with_detail(delivery.error.unwrap_or_default()),
        )),
    }
}

/// Everything below an address, as Twilio wants it: with a slash at its end.
fn prefix(address: &Url) -> String {
    format!("{}/", address.as_str().trim_end_matches('/'))
}

fn gone_is_done(answer: Result<(), RestError>) -> Result<(), RestError> {
    match answer {
        Err(RestError::Refused { status: 404, .. }) => Ok(()),
        answer => answer,
    }
}

fn failed(message: &str) -> UserError {
    UserError::new(ErrorCode::TwilioFailed, message)
}
