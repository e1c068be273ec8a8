//! Everything the account has, as it stands now.

use dialer_domain::account::{AccountKind, AccountStanding};
use dialer_domain::phone_number::E164;
use dialer_domain::sid::{AccountSid, ApiKeySid, TwimlAppSid};
use secrecy::SecretString;

use super::{
    AccountSettings, ApiKey, Application, CallerId, Countries, KeyClass, Number, PracticeAccount, SidSource,
    TwimlApp, WebhookRules, random_hex_secret,
};

/// Everything the account has. Lists are in the order in which things were made.
#[derive(Debug)]
pub(crate) struct Resources {
    pub(crate) settings: AccountSettings,
    /// Unix milliseconds.
    pub(crate) opened_ms: i64,
    /// The primary Auth Token: webhooks are signed with it.
    pub(crate) auth_token: SecretString,
    /// Good for REST too, until it is promoted or deleted.
    pub(crate) secondary_auth_token: Option<SecretString>,
    /// The test credentials that come with every account.
    pub(crate) test_account: AccountSid,
    pub(crate) test_auth_token: SecretString,
    pub(crate) keys: Vec<ApiKey>,
    pub(crate) applications: Vec<Application>,
    pub(crate) numbers: Vec<Number>,
    pub(crate) caller_ids: Vec<CallerId>,
    pub(crate) countries: Countries,
    /// `DialingPermissionsInheritance`.
    pub(crate) inherits_permissions: bool,
    /// How webhooks are signed and sent.
    pub(crate) webhooks: WebhookRules,
}

impl Resources {
    /// What a new account has: its credentials, and no numbers and apps yet.
    pub(crate) fn open(account: &PracticeAccount, sids: &SidSource, now_ms: i64) -> Self {
        Self {
            settings: AccountSettings::default(),
            opened_ms: now_ms,
            auth_token: account.auth_token.clone(),
            secondary_auth_token: None,
            test_account: sids.account(),
            test_auth_token: random_hex_secret(),
            keys: vec![ApiKey {
                sid: account.api_key_sid.clone(),
                friendly_name: "Practice".into(),
                secret: account.api_key_secret.clone(),
                class: KeyClass::Standard,
                policy: serde_json::Value::Null,
                created_ms: now_ms,
                updated_ms: now_ms,
            }],
            applications: Vec::new(),
            numbers: Vec::new(),
            caller_ids: Vec::new(),
            countries: Countries::default(),
            inherits_permissions: false,
            webhooks: WebhookRules::default(),
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.settings.standing == AccountStanding::Active
    }

    pub(crate) fn is_trial(&self) -> bool {
        self.settings.kind == AccountKind::Trial
    }

    pub(crate) fn owns(&self, number: &str) -> bool {
        self.numbers.iter().any(|owned| owned.number.as_str() == number)
    }

    pub(crate) fn has_verified(&self, number: &str) -> bool {
        self.caller_ids.iter().any(|verified| verified.number.as_str() == number)
    }

    pub(crate) fn key(&self, sid: &ApiKeySid) -> Option<&ApiKey> {
        self.keys.iter().find(|key| key.sid == *sid)
    }

    pub(crate) fn application(&self, sid: &TwimlAppSid) -> Option<&Application> {
        self.applications.iter().find(|app| app.sid == *sid)
    }

    pub(crate) fn application_mut(&mut self, sid: &TwimlAppSid) -> Option<&mut Application> {
        self.applications.iter_mut().find(|app| app.sid == *sid)
    }

    pub(crate) fn number_mut(&mut self, number: &E164) -> Option<&mut Number> {
        self.numbers.iter_mut().find(|owned| owned.number == *number)
    }

    /// What answers for `number`, or for the first number that anything answers for: its app, else its
    /// own addresses; nothing of this account does for a number on a trunk.
    pub(crate) fn route(&self, number: Option<&E164>) -> Option<(E164, TwimlApp)> {
        let wanted = |owned: &&Number| number.is_none_or(|wanted| owned.number == *wanted);
        self.numbers.iter().filter(wanted).find_map(|owned| {
            if owned.is_on_trunk() || !owned.voice {
                return None;
            }
            let routing = match owned.application_sid() {
                Some(sid) => self.application(&sid)?.routing(),
                None => owned.own_routing(),
            };
            routing.voice_url.is_some().then(|| (owned.number.clone(), routing))
        })
    }

    /// The number a trial account shows to everyone it calls: Twilio assigns it (trial rules of 2026);
    /// here it is the first of the account.
    pub(crate) fn trial_caller_id(&self) -> Option<&E164> {
        self.numbers.first().map(|owned| &owned.number)
    }
}
