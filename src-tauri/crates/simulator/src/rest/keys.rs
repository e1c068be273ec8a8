//! API keys, in the API of 2010 and in that of IAM.
//!
//! The API of 2010 makes Standard keys whatever it is asked for; restricted ones come from IAM
//! (`KeyType=restricted` and `Policy`). The secret is shown once, when the key is made.

use axum::http::Method;
use dialer_domain::sid::ApiKeySid;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::ask::{Answer, Ask, created, gone, ok};
use super::page::{page_2010, page_meta};
use super::refusal::Refusal;
use crate::account::{ApiKey, KeyClass, random_hex_secret};

/// `Keys.json`.
pub(crate) fn list(ask: &Ask) -> Answer {
    ask.caller.may_own()?;
    match ask.method {
        Method::GET => {
            let keys = ask.network.resources().keys.iter().rev().map(ApiKey::shown).collect();
            page_2010(ask, "keys", keys)
        }
        Method::POST => {
            let key = make(ask, KeyClass::Standard, Value::Null)?;
            created(with_secret(&key))
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `Keys/{SK}.json`.
pub(crate) fn one(ask: &Ask, sid: &str) -> Answer {
    ask.caller.may_own()?;
    match ask.method {
        Method::GET => ok(find(ask, sid)?.shown()),
        Method::POST => ok(rename(ask, sid)?.shown()),
        Method::DELETE => delete(ask, sid),
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `iam.twilio.com/v1/Keys…`.
pub(crate) fn iam(ask: &Ask, segments: &[&str]) -> Answer {
    let with_policy = |key: &ApiKey, mut shown: Value| {
        shown["policy"] = key.policy.clone();
        shown
    };
    match (segments, ask.method.as_str()) {
        (["v1", "Keys"], "GET") => {
            ask.caller.may_own()?;
            own_account(ask, ask.filter("AccountSid"))?;
            let shown = |key: &ApiKey| {
                let mut shown = key.shown();
                shown["flags"] = match key.class {
                    KeyClass::Restricted => json!(["restricted"]),
                    KeyClass::Main | KeyClass::Standard => json!([]),
                };
                shown
            };
            let keys = ask.network.resources().keys.iter().rev().map(shown).collect();
            page_meta(ask, "keys", keys)
        }
        (["v1", "Keys"], "POST") => {
            ask.caller.may_own()?;
            own_account(ask, Some(ask.required("AccountSid")?))?;
            let key = match ask.field("KeyType") {
                Some("restricted") => {
                    let policy = serde_json::from_str(ask.required("Policy")?)
                        .map_err(|_| Refusal::bad(20_001, "Policy is not JSON"))?;
                    make(ask, KeyClass::Restricted, policy)?
                }
                None | Some("") => make(ask, KeyClass::Standard, Value::Null)?,
                Some(_) => return Err(Refusal::bad(20_001, "KeyType is not one of restricted")),
            };
            created(with_policy(&key, with_secret(&key)))
        }
        (["v1", "Keys", sid], "GET") => {
            ask.caller.may_own()?;
            let key = find(ask, sid)?;
            ok(with_policy(&key, key.shown()))
        }
        (["v1", "Keys", sid], "POST") => {
            ask.caller.may_own()?;
            let key = rename(ask, sid)?;
            ok(with_policy(&key, key.shown()))
        }
        (["v1", "Keys", sid], "DELETE") => {
            ask.caller.may_own()?;
            delete(ask, sid)
        }
        (["v1", "Keys"] | ["v1", "Keys", _], _) => Err(Refusal::method_not_allowed()),
        _ => Err(ask.not_found()),
    }
}

fn own_account(ask: &Ask, given: Option<&str>) -> Result<(), Refusal> {
    let given = given.ok_or_else(|| Refusal::bad(20_001, "Missing required parameter AccountSid"))?;
    let own = given == ask.network.account.account_sid.as_str();
    if own { Ok(()) } else { Err(Refusal::unauthorized()) }
}

fn make(ask: &Ask, class: KeyClass, policy: Value) -> Result<ApiKey, Refusal> {
    let friendly_name = ask.friendly_name()?.unwrap_or_default();
    Ok(ask.network.create_key(class, friendly_name, policy))
}

fn with_secret(key: &ApiKey) -> Value {
    let mut shown = key.shown();
    shown["secret"] = json!(key.secret.expose_secret());
    shown
}

fn find(ask: &Ask, sid: &str) -> Result<ApiKey, Refusal> {
    let sid = ApiKeySid::parse(sid).map_err(|_| ask.not_found())?;
    ask.network.resources().key(&sid).cloned().ok_or_else(|| ask.not_found())
}

fn rename(ask: &Ask, sid: &str) -> Result<ApiKey, Refusal> {
    let name = ask.friendly_name()?;
    let now_ms = ask.network.now_ms();
    let mut resources = ask.network.resources();
    let key = resources.keys.iter_mut().find(|key| key.sid.as_str() == sid).ok_or_else(|| ask.not_found())?;
    if let Some(name) = name {
        key.friendly_name = name;
        key.updated_ms = now_ms;
    }
    Ok(key.clone())
}

/// From here on neither requests nor access tokens of the key are good.
fn delete(ask: &Ask, sid: &str) -> Answer {
    let mut resources = ask.network.resources();
    let index =
        resources.keys.iter().position(|key| key.sid.as_str() == sid).ok_or_else(|| ask.not_found())?;
    resources.keys.remove(index);
    gone()
}

impl crate::network::Network {
    /// A new key.
    pub(crate) fn create_key(&self, class: KeyClass, friendly_name: String, policy: Value) -> ApiKey {
        let now_ms = self.now_ms();
        let key = ApiKey {
            sid: self.sids.api_key(),
            friendly_name,
            secret: random_hex_secret(),
            class,
            policy,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        self.resources().keys.push(key.clone());
        key
    }
}
