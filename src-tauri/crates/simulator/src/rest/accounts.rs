//! The account, its balance, and its Auth Tokens.

use axum::http::Method;
use dialer_domain::account::{AccountKind, AccountStanding};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::ask::{Answer, Ask, created, gone, ok};
use super::date::iso;
use super::refusal::Refusal;
use crate::account::random_hex_secret;
use crate::webhook::{API_VERSION, rfc2822};

/// `/2010-04-01/Accounts/{AC}.json`. The answer contains the Auth Token, as Twilio's does.
pub(crate) fn account(ask: &Ask) -> Answer {
    if ask.method != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    let sid = &ask.network.account.account_sid;
    let resources = ask.network.resources();
    let settings = &resources.settings;
    let below = |name: &str| format!("/{API_VERSION}/Accounts/{sid}/{name}.json");
    ok(json!({
        "sid": sid,
        "owner_account_sid": sid,
        "friendly_name": settings.friendly_name,
        "type": match settings.kind {
            AccountKind::Trial => "Trial",
            AccountKind::Full => "Full",
        },
        "status": match settings.standing {
            AccountStanding::Active => "active",
            AccountStanding::Suspended => "suspended",
            AccountStanding::Closed => "closed",
        },
        "auth_token": resources.auth_token.expose_secret(),
        "date_created": rfc2822(resources.opened_ms),
        "date_updated": rfc2822(resources.opened_ms),
        "uri": format!("/{API_VERSION}/Accounts/{sid}.json"),
        "subresource_uris": {
            "applications": below("Applications"),
            "balance": below("Balance"),
            "calls": below("Calls"),
            "conferences": below("Conferences"),
            "incoming_phone_numbers": below("IncomingPhoneNumbers"),
            "keys": below("Keys"),
            "notifications": below("Notifications"),
            "outgoing_caller_ids": below("OutgoingCallerIds"),
            "queues": below("Queues"),
            "recordings": below("Recordings"),
            "usage": below("Usage"),
        },
    }))
}

/// `Balance.json`.
pub(crate) fn balance(ask: &Ask) -> Answer {
    if ask.method != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    let resources = ask.network.resources();
    ok(json!({
        "account_sid": ask.network.account.account_sid,
        "balance": resources.settings.balance,
        "currency": resources.settings.currency,
    }))
}

/// `accounts.twilio.com/v1/AuthTokens/…`: the second Auth Token and its promotion, after which the
/// first is good no more.
pub(crate) fn auth_tokens(ask: &Ask, segments: &[&str]) -> Answer {
    let now = iso(ask.network.now_ms());
    let url = format!("{}{}", ask.base, ask.path);
    let account_sid = &ask.network.account.account_sid;
    match (segments, ask.method.as_str()) {
        (["v1", "AuthTokens", "Secondary"], "POST") => {
            ask.caller.may_own()?;
            let token = random_hex_secret();
            let shown = json!({
                "account_sid": account_sid,
                "secondary_auth_token": token.expose_secret(),
                "date_created": now,
                "date_updated": now,
                "url": url,
            });
            ask.network.resources().secondary_auth_token = Some(token);
            created(shown)
        }
        (["v1", "AuthTokens", "Secondary"], "DELETE") => {
            ask.caller.may_own()?;
            let removed = ask.network.resources().secondary_auth_token.take();
            removed.map_or_else(|| Err(ask.not_found()), |_| gone())
        }
        (["v1", "AuthTokens", "Promote"], "POST") => {
            ask.caller.may_own()?;
            let mut resources = ask.network.resources();
            let token = resources.secondary_auth_token.take().ok_or_else(|| ask.not_found())?;
            let shown = json!({
                "account_sid": account_sid,
                "auth_token": token.expose_secret(),
                "date_created": now,
                "date_updated": now,
                "url": url,
            });
            resources.auth_token = token;
            ok(shown)
        }
        (["v1", "AuthTokens", "Secondary" | "Promote"], _) => Err(Refusal::method_not_allowed()),
        _ => Err(ask.not_found()),
    }
}
