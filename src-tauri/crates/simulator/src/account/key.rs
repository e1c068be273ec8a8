//! API keys: what each class may do is in `rest/auth.rs`.

use dialer_domain::sid::ApiKeySid;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::webhook::rfc2822;

/// What an API key may do (twilio.com/docs/iam/api-keys).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyClass {
    /// All that the Auth Token may.
    Main,
    /// All but accounts, keys and Auth Tokens.
    Standard,
    /// What its policy allows; it signs no access tokens.
    Restricted,
}

/// A key. Times are Unix milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct ApiKey {
    pub(crate) sid: ApiKeySid,
    pub(crate) friendly_name: String,
    pub(crate) secret: SecretString,
    pub(crate) class: KeyClass,
    /// Of a restricted key, as it was given.
    pub(crate) policy: Value,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
}

impl ApiKey {
    /// The key as Twilio lists it, without its secret.
    pub(crate) fn shown(&self) -> Value {
        json!({
            "sid": self.sid,
            "friendly_name": self.friendly_name,
            "date_created": rfc2822(self.created_ms),
            "date_updated": rfc2822(self.updated_ms),
        })
    }
}
