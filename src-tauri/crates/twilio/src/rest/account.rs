//! The account itself, its balance and its keys.

use dialer_domain::account::{AccountFacts, AccountKind, AccountStanding, ApiKey};
use dialer_domain::sid::{AccountSid, ApiKeySid};
use secrecy::SecretString;
use serde::Deserialize;

use super::client::Client;
use super::error::RestError;
use super::request::Request;

/// What is left to spend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Balance {
    /// A decimal number as Twilio writes it, such as `14.2500`; below zero for what is owed.
    #[serde(rename = "balance")]
    pub amount: String,
    /// ISO 4217, such as `USD`.
    pub currency: String,
}

/// A key that was just made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its SID.
    pub sid: ApiKeySid,
    /// Its secret, which Twilio shows this once.
    pub secret: SecretString,
}

#[derive(Deserialize)]
struct AccountBody {
    sid: AccountSid,
    friendly_name: Option<String>,
    r#type: Kind,
    status: Standing,
}

#[derive(Deserialize)]
enum Kind {
    Trial,
    Full,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Active,
    Suspended,
    Closed,
}

#[derive(Deserialize)]
struct KeyBody {
    sid: ApiKeySid,
    friendly_name: Option<String>,
}

#[derive(Deserialize)]
struct NewKeyBody {
    sid: ApiKeySid,
    secret: SecretText,
}

/// A text that is a secret from the moment it is read.
#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

impl Client {
    /// What the account is. Auth Token only: an API key gets 20003 even where all is well.
    pub async fn account(&self) -> Result<AccountFacts, RestError> {
        let last = format!("{}.json", self.account_sid());
        let path = vec!["2010-04-01".to_owned(), "Accounts".to_owned(), last];
        let body: AccountBody = self.read(&Request::get(path).owner_only("the account")).await?;
        if body.sid != *self.account_sid() {
            return Err(RestError::Malformed { detail: "it is about another account".into() });
        }
        Ok(AccountFacts {
            sid: body.sid,
            friendly_name: body.friendly_name.unwrap_or_default(),
            kind: match body.r#type {
                Kind::Trial => AccountKind::Trial,
                Kind::Full => AccountKind::Full,
            },
            standing: match body.status {
                Standing::Active => AccountStanding::Active,
                Standing::Suspended => AccountStanding::Suspended,
                Standing::Closed => AccountStanding::Closed,
            },
        })
    }

    /// Asks for next to nothing, to see whether the credentials are good: any key may read numbers.
    pub async fn probe(&self) -> Result<(), RestError> {
        let request = Request::get(self.path(&["IncomingPhoneNumbers"])).query("PageSize", Some("1"));
        self.read::<serde::de::IgnoredAny>(&request).await.map(drop)
    }

    /// What is left to spend.
    pub async fn balance(&self) -> Result<Balance, RestError> {
        self.read(&Request::get(self.path(&["Balance"]))).await
    }

    /// All API keys of the account. Auth Token only.
    pub async fn keys(&self) -> Result<Vec<ApiKey>, RestError> {
        let request = Request::get(self.path(&["Keys"])).owner_only("the account's keys");
        let keys: Vec<KeyBody> = self.list(request, "keys", None).await?;
        let key =
            |body: KeyBody| ApiKey { sid: body.sid, friendly_name: body.friendly_name.unwrap_or_default() };
        Ok(keys.into_iter().map(key).collect())
    }

    /// Makes a Standard API key. Auth Token only. `friendly_name` has at most 64 characters (70001
    /// beyond). After [`RestError::Unreachable`] the key may exist, with a secret nobody knows.
    pub async fn create_key(&self, friendly_name: &str) -> Result<NewKey, RestError> {
        let request = Request::post(self.path(&["Keys"]))
            .owner_only("a new key")
            .form("FriendlyName", Some(friendly_name));
        let body: NewKeyBody = self.read(&request).await?;
        Ok(NewKey { sid: body.sid, secret: body.secret.0 })
    }

    /// Deletes a key; requests and access tokens of it are refused from then on. Auth Token only.
    pub async fn delete_key(&self, sid: &ApiKeySid) -> Result<(), RestError> {
        self.done(&Request::delete(self.path(&["Keys", sid.as_str()])).owner_only("the account's keys")).await
    }
}
