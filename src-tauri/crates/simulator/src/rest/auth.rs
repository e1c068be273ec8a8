//! Who asks, and what they may: HTTP Basic with the account's SID and Auth Token, or with an API key.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dialer_domain::account::AccountStanding;
use dialer_domain::sid::AccountSid;
use secrecy::{ExposeSecret as _, SecretString};

use super::refusal::Refusal;
use crate::account::{KeyClass, Resources};

/// With what a request was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// An Auth Token of the account, primary or secondary.
    AuthToken,
    /// One of its API keys.
    Key(KeyClass),
}

impl Caller {
    /// Whether accounts, keys and Auth Tokens are open to it; 20003 if not.
    pub(crate) fn may_own(self) -> Result<(), Refusal> {
        match self {
            Self::AuthToken | Self::Key(KeyClass::Main) => Ok(()),
            Self::Key(KeyClass::Standard) => Err(Refusal::unauthorized()),
            Self::Key(KeyClass::Restricted) => Err(not_authorized()),
        }
    }

    /// Whether what no restricted key may do is open to it; 70051 if not.
    pub(crate) fn is_unrestricted(self) -> Result<(), Refusal> {
        match self {
            Self::Key(KeyClass::Restricted) => Err(not_authorized()),
            Self::AuthToken | Self::Key(KeyClass::Main | KeyClass::Standard) => Ok(()),
        }
    }
}

fn not_authorized() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, 70_051, "Authorization Failed")
}

/// Who sent a request, by its headers. Test credentials are known, and good for nothing here (20008).
pub(crate) fn authenticate(
    headers: &HeaderMap,
    account: &AccountSid,
    resources: &Resources,
) -> Result<Caller, Refusal> {
    let (name, password) = basic(headers).ok_or_else(Refusal::unauthorized)?;
    let is = |secret: &SecretString| same(secret.expose_secret(), &password);
    if name == resources.test_account.as_str() && is(&resources.test_auth_token) {
        let text = "Resource not accessible with Test Account Credentials";
        return Err(Refusal::new(StatusCode::FORBIDDEN, 20_008, text));
    }
    let caller = if name == account.as_str() {
        let good = is(&resources.auth_token) || resources.secondary_auth_token.as_ref().is_some_and(is);
        good.then_some(Caller::AuthToken)
    } else {
        let key = resources.keys.iter().find(|key| key.sid.as_str() == name && is(&key.secret));
        key.map(|key| Caller::Key(key.class))
    };
    let caller = caller.ok_or_else(Refusal::unauthorized)?;
    match resources.settings.standing {
        AccountStanding::Closed => Err(Refusal::new(StatusCode::UNAUTHORIZED, 20_005, "Account not active")),
        AccountStanding::Active | AccountStanding::Suspended => Ok(caller),
    }
}

/// Name and password of the `Authorization` header.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// Compares without telling by its duration where two secrets differ.
fn same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |seen, (one, other)| seen | (one ^ other));
    one.len() == other.len() && differences == 0
}
