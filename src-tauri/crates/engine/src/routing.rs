//! What stands behind the webhook server: the Controller's decisions, and the keys of signatures.

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use dialer_domain::call::CallEvent;
use dialer_domain::call_flow::{Happened, Instruction};
use dialer_domain::error::UserError;
use dialer_domain::incoming::SoundName;
use dialer_domain::sid::AccountSid;
use dialer_gateway::{AuthTokens, Calls, RefusedWebhook};
use dialer_twilio::signature::WebhookKey;
use dialer_twilio::webhook::VoiceRequest;
use secrecy::SecretString;

use crate::api::Notice;
use crate::core::Core;

/// Id of the notice that stands while Twilio's requests are refused.
pub(crate) const WEBHOOK_REFUSED: &str = "webhook-refused";

/// What the gateway saw of a request, for whoever looks after the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Twilio's own: the way here works.
    Signed,
    /// About our account, but refused.
    Refused,
}

/// Hands the gateway's questions to the Controller. During set-up there is none yet: whoever calls
/// in those seconds is told so.
pub(crate) struct Routing {
    core: RwLock<Option<Core>>,
    seen: Box<dyn Fn(Seen) + Send + Sync>,
}

impl Routing {
    /// Questions go to `core`.
    pub(crate) fn to(core: Core) -> Self {
        Self { core: RwLock::new(Some(core)), seen: Box::new(|_| {}) }
    }

    /// There is nobody yet to ask; `seen` is told of every request.
    pub(crate) fn to_nobody(seen: impl Fn(Seen) + Send + Sync + 'static) -> Self {
        Self { core: RwLock::new(None), seen: Box::new(seen) }
    }

    /// From now on questions go to `core`.
    pub(crate) fn lead_to(&self, core: Core) {
        *self.core.write().unwrap_or_else(PoisonError::into_inner) = Some(core);
    }

    fn core(&self) -> Option<Core> {
        self.core.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait::async_trait]
impl Calls for Routing {
    async fn begin(&self, request: VoiceRequest) -> Instruction {
        (self.seen)(Seen::Signed);
        let Some(core) = self.core() else {
            return Instruction::Refuse {
                spoken: "This phone is being set up. Please try again in a minute.".into(),
                reason: "The account was still being connected.".into(),
            };
        };
        core.begin(request).await.unwrap_or_else(closing)
    }

    async fn go_on(&self, request: VoiceRequest, happened: Happened) -> Instruction {
        (self.seen)(Seen::Signed);
        let Some(core) = self.core() else { return Instruction::HangUp };
        core.go_on(request, happened).await.unwrap_or_else(closing)
    }

    async fn happened(&self, event: CallEvent) {
        (self.seen)(Seen::Signed);
        if let Some(core) = self.core() {
            core.happened(event);
        }
    }

    async fn sound(&self, name: &SoundName) -> Option<Bytes> {
        self.core()?.sound(name).await
    }

    fn webhook_refused(&self, refused: RefusedWebhook) {
        let Some(error) = refused.user_error() else { return };
        (self.seen)(Seen::Refused);
        if let Some(core) = self.core() {
            core.raise(Notice { id: WEBHOOK_REFUSED.into(), error, dismissible: true });
        }
    }

    fn webhook_accepted(&self) {
        if let Some(core) = self.core() {
            core.clear(WEBHOOK_REFUSED);
        }
    }
}

fn closing(error: UserError) -> Instruction {
    Instruction::Refuse {
        spoken: "This phone is closing. Please try again later.".into(),
        reason: error.message,
    }
}

/// The keys that requests about one account may be signed with.
pub(crate) struct Keys {
    account: AccountSid,
    held: RwLock<Held>,
}

struct Held {
    auth_token: Option<SecretString>,
    shared: SharedKeys,
    /// What follows from the two.
    good: Arc<[WebhookKey]>,
}

/// Shared keys of the account, and whether they are all that is believed.
#[derive(Default)]
pub(crate) struct SharedKeys {
    /// The one that signs first.
    pub(crate) keys: Vec<WebhookKey>,
    /// Whether the Auth Token signs nothing. With no key at hand then nobody is believed: that is safer than
    /// to fall back on what was given up.
    pub(crate) demanded: bool,
}

impl Keys {
    /// Keys of `account`: its Auth Token alone, and none as long as that cannot be had.
    pub(crate) fn new(account: AccountSid, auth_token: Option<SecretString>) -> Self {
        let mut held = Held { auth_token, shared: SharedKeys::default(), good: Arc::default() };
        held.settle();
        Self { account, held: RwLock::new(held) }
    }

    /// The account's Auth Token is this one from now on. Where a shared key is demanded it still signs nothing.
    pub(crate) fn replace(&self, auth_token: SecretString) {
        self.change(|held| held.auth_token = Some(auth_token));
    }

    /// These shared keys are good from now on.
    pub(crate) fn share(&self, shared: SharedKeys) {
        self.change(|held| held.shared = shared);
    }

    fn change(&self, change: impl FnOnce(&mut Held)) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut held);
        held.settle();
    }
}

impl Held {
    fn settle(&mut self) {
        let token = self.auth_token.iter().filter(|_| !self.shared.demanded);
        self.good =
            self.shared.keys.iter().cloned().chain(token.cloned().map(WebhookKey::AuthToken)).collect();
    }
}

#[async_trait::async_trait]
impl AuthTokens for Keys {
    async fn keys(&self, account: Option<&AccountSid>) -> Option<Arc<[WebhookKey]>> {
        account
            .is_none_or(|account| *account == self.account)
            .then(|| Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner).good))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use dialer_twilio::signature::HmacAlgorithm;

    use super::*;

    fn shared(id: &str) -> WebhookKey {
        WebhookKey::SharedKey { id: id.into(), algorithm: HmacAlgorithm::Sha256, secret: "s".into() }
    }

    async fn good(keys: &Keys) -> Vec<String> {
        let named = |key: &WebhookKey| match key {
            WebhookKey::AuthToken(_) => "token".to_owned(),
            WebhookKey::SharedKey { id, .. } => id.clone(),
        };
        keys.keys(None).await.unwrap().iter().map(named).collect()
    }

    #[tokio::test]
    async fn once_demanded_a_shared_key_is_all_that_is_good() {
        let keys = Keys::new(AccountSid::from_bytes([1; 16]), Some("token".into()));
        assert_eq!(good(&keys).await, ["token"]);
        keys.share(SharedKeys { keys: vec![shared("new")], demanded: false });
        assert_eq!(good(&keys).await, ["new", "token"]);
        keys.share(SharedKeys { keys: vec![shared("new")], demanded: true });
        assert_eq!(good(&keys).await, ["new"]);
        keys.replace("a new token".into());
        assert_eq!(good(&keys).await, ["new"], "entering a token is no way around it");
        keys.share(SharedKeys { keys: Vec::new(), demanded: true });
        assert_eq!(good(&keys).await, [""; 0], "nor is losing the key");
        keys.share(SharedKeys::default());
        assert_eq!(good(&keys).await, ["token"]);
    }
}
