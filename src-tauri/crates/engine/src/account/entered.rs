//! What the agent typed, checked for form. Secrets stay here until they are in the vault.

use std::collections::BTreeMap;

use dialer_domain::entry::{self, Cleaned, Field};
use dialer_domain::env_file::{self, EnvFile};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::SecretName;
use dialer_domain::setup::Pending;
use dialer_domain::sid::{AccountSid, ApiKeySid, TwimlAppSid};
use secrecy::{ExposeSecret as _, SecretString};

use crate::api::{CredentialView, ImportReport};

/// One field: what it was read as, or what was typed and what is wrong with it.
#[derive(Debug, Clone)]
enum Entered {
    Good(Cleaned),
    Bad {
        text: SecretString,
        problem: String,
    },
    /// A secret that is in the vault now.
    Kept,
}

/// Everything that was typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct EnteredFields {
    fields: BTreeMap<Field, Entered>,
}

/// Secrets on their way into the vault: the SID of the account or key they belong to, and what they are.
pub(crate) type Secrets = Vec<(String, SecretName, SecretString)>;

/// What a look at the account needs of it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) account: AccountSid,
    pub(crate) api_key: Option<ApiKeySid>,
    pub(crate) twiml_app: Option<TwimlAppSid>,
}

impl EnteredFields {
    /// What was typed in an earlier run; the secrets are in the vault.
    pub(crate) fn from_pending(pending: &Pending) -> Self {
        let texts = [
            (Field::AccountSid, Some(pending.account.to_string())),
            (Field::ApiKey, pending.api_key.as_ref().map(ToString::to_string)),
            (Field::PhoneNumber, pending.phone_number.as_ref().map(ToString::to_string)),
            (Field::TwimlAppSid, pending.twiml_app.as_ref().map(ToString::to_string)),
            (Field::BackendUrl, pending.backend_url.clone()),
        ];
        let mut entered = Self::default();
        for (field, text) in texts {
            entered.enter(field, text.as_deref().unwrap_or_default());
        }
        entered.fields.insert(Field::AuthToken, Entered::Kept);
        if pending.api_key.is_some() {
            entered.fields.insert(Field::ApiSecret, Entered::Kept);
        }
        entered
    }

    /// Takes in a field; an empty text clears it.
    pub(crate) fn enter(&mut self, field: Field, text: &str) {
        if text.trim().is_empty() {
            self.fields.remove(&field);
            return;
        }
        let entered = match entry::check(field, text) {
            Ok(cleaned) => Entered::Good(cleaned),
            Err(problem) => Entered::Bad { text: text.into(), problem },
        };
        self.insert(field, entered);
    }

    fn insert(&mut self, field: Field, entered: Entered) {
        let owner = |entered: Option<&Entered>| match entered {
            Some(Entered::Good(Cleaned::AccountSid(sid))) => Some(sid.clone()),
            _ => None,
        };
        // What the vault has is another account's.
        if field == Field::AccountSid && owner(self.fields.get(&field)) != owner(Some(&entered)) {
            self.forget_kept();
        }
        self.fields.insert(field, entered);
    }

    /// Takes in what a `.env` file says.
    pub(crate) fn import(&mut self, text: &str) -> ImportReport {
        let EnvFile { filled, not_needed, problems } = env_file::read(text);
        let report = ImportReport {
            filled: filled.keys().copied().collect(),
            not_needed: not_needed.iter().map(ToString::to_string).collect(),
            problems,
        };
        for (field, cleaned) in filled {
            self.insert(field, Entered::Good(cleaned));
        }
        report
    }

    /// For the page: a secret only as entered or not. What looks wrong in a field for something public
    /// is shown all the same, unless it may be a secret in the wrong field.
    pub(crate) fn view(&self) -> Vec<CredentialView> {
        Field::ALL
            .into_iter()
            .map(|field| {
                let (value, problem) = match self.fields.get(&field) {
                    Some(Entered::Good(cleaned)) => (cleaned.shown(), None),
                    Some(Entered::Bad { text, problem }) => {
                        let text = text.expose_secret();
                        let shown = matches!(field, Field::PhoneNumber | Field::BackendUrl)
                            && !entry::may_be_secret(text);
                        let shown = shown.then(|| text.to_owned());
                        (shown, Some(problem.clone()))
                    }
                    Some(Entered::Kept) | None => (None, None),
                };
                CredentialView { field, value, entered: self.fields.contains_key(&field), problem }
            })
            .collect()
    }

    /// Secrets that were typed, are well-formed, and are not in the vault yet.
    pub(crate) fn secrets(&self, pending: &Pending) -> Secrets {
        let account = pending.account.to_string();
        let key = pending.api_key.as_ref().map(ToString::to_string);
        let places = [
            (Field::AuthToken, Some(account.clone()), SecretName::AuthToken),
            (Field::ApiSecret, key, SecretName::ApiKeySecret),
            (Field::TunnelToken, Some(account), SecretName::TunnelToken),
        ];
        places
            .into_iter()
            .filter_map(|(field, owner, name)| match (self.good(field), owner) {
                (Some(Cleaned::Secret(secret)), Some(owner)) => Some((owner, name, secret.clone())),
                _ => None,
            })
            .collect()
    }

    /// The tunnel's token, if it was typed just now.
    pub(crate) fn tunnel_token(&self, account: &AccountSid) -> Secrets {
        match self.good(Field::TunnelToken) {
            Some(Cleaned::Secret(token)) => {
                vec![(account.to_string(), SecretName::TunnelToken, token.clone())]
            }
            _ => Vec::new(),
        }
    }

    /// Whether there is a token for a tunnel program.
    pub(crate) fn has_tunnel_token(&self) -> bool {
        self.good(Field::TunnelToken).is_some() || self.kept(Field::TunnelToken)
    }

    /// The secrets are in the vault now; here they are only remembered as entered.
    pub(crate) fn drop_secrets(&mut self) {
        for entered in self.fields.values_mut() {
            if matches!(entered, Entered::Good(Cleaned::Secret(_))) {
                *entered = Entered::Kept;
            }
        }
    }

    /// What was in the vault was refused, and is gone from there.
    pub(crate) fn forget_kept(&mut self) {
        self.fields.retain(|_, entered| !matches!(entered, Entered::Kept));
    }

    /// What is needed to look at the account.
    pub(crate) fn complete(&self) -> Result<Pending, UserError> {
        let wrong = |message: &str| UserError::new(ErrorCode::InvalidEntry, message);
        for entered in self.fields.values() {
            if let Entered::Bad { problem, .. } = entered {
                return Err(wrong(problem));
            }
        }
        let Some(Cleaned::AccountSid(account)) = self.good(Field::AccountSid) else {
            return Err(wrong("Enter the Account SID. It begins with AC."));
        };
        if self.good(Field::AuthToken).is_none() && !self.kept(Field::AuthToken) {
            return Err(wrong("Enter the Auth Token. It stands below the Account SID in Twilio's Console."));
        }
        let api_key = match self.good(Field::ApiKey) {
            Some(Cleaned::ApiKey(key)) => Some(key.clone()),
            _ => None,
        };
        if api_key.is_none() && self.good(Field::ApiSecret).is_some() {
            return Err(wrong("Enter the API key that belongs to the API secret, or clear the secret."));
        }
        Ok(Pending {
            account: account.clone(),
            api_key,
            phone_number: match self.good(Field::PhoneNumber) {
                Some(Cleaned::PhoneNumber(number)) => Some(number.clone()),
                _ => None,
            },
            twiml_app: match self.good(Field::TwimlAppSid) {
                Some(Cleaned::TwimlAppSid(sid)) => Some(sid.clone()),
                _ => None,
            },
            backend_url: match self.good(Field::BackendUrl) {
                Some(Cleaned::BackendUrl(url)) => Some(url.clone()),
                _ => None,
            },
        })
    }

    fn kept(&self, field: Field) -> bool {
        matches!(self.fields.get(&field), Some(Entered::Kept))
    }

    fn good(&self, field: Field) -> Option<&Cleaned> {
        match self.fields.get(&field) {
            Some(Entered::Good(cleaned)) => Some(cleaned),
            _ => None,
        }
    }
}

impl From<&Pending> for Entry {
    fn from(pending: &Pending) -> Self {
        Self {
            account: pending.account.clone(),
            api_key: pending.api_key.clone(),
            twiml_app: pending.twiml_app.clone(),
        }
    }
}
