//! The Webhooks configuration API: shared keys, settings, rules, operations, test deliveries.
//!
//! Paths and names are those of twilio-python 9.13 (`twilio/rest/webhooks/v1`) and Twilio's page of
//! September 2026: a rule change is answered 202 with an operation and spreads for about half a
//! minute (simulated here), lists are turned by tokens, errors are problem documents, an
//! `Idempotency-Key` is a UUID of version 7, of each kind there are at most 50, a rule for an address
//! that has one is 59103. Guessed: that one which is still being made counts too, the forms of ids, `PENDING` and `COMPLETED`, 409 for that code, for
//! more than 50 and for deleting what is in use, and the codes of other refusals. `AuthProfiles` and
//! `EdgeZones` are missing.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use dialer_twilio::signature::{HmacAlgorithm, WebhookKey};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::ask::{Answer, Ask, created, gone, ok};
use super::date::iso;
use super::refusal::Refusal;
use crate::account::{
    Match, SharedKey, WebhookMethod, WebhookOperation, WebhookRule, WebhookSetting, is_web, random_hex_secret,
};
use crate::webhook::test_delivery;

/// How long a change of rules spreads, simulated.
const SPREADING: Duration = Duration::from_secs(30);
const MOST_OF_A_KIND: usize = 50;
const USUAL_PAGE: usize = 50;

/// `webhooks.twilio.com/v1/Webhooks…`. Refusals are problem documents here.
pub(crate) async fn serve(ask: &Ask, segments: &[&str]) -> Answer {
    match route(ask, segments).await {
        Err(refusal) => Ok(problem(&refusal)),
        answer => answer,
    }
}

async fn route(ask: &Ask, segments: &[&str]) -> Answer {
    ask.caller.is_unrestricted()?;
    if !ask.network.resources().settings.webhook_configuration {
        return Err(ask.not_found());
    }
    let ["v1", "Webhooks", kind, rest @ ..] = segments else { return Err(ask.not_found()) };
    let body = ask.json()?;
    if let Some(key) = ask.idempotency_key()
        && Uuid::parse_str(key).ok().is_none_or(|key| key.get_version_num() != 7)
    {
        return Err(Refusal::bad(20_001, "Idempotency-Key is not a UUID of version 7"));
    }
    match (*kind, rest, ask.method.as_str()) {
        ("SharedKeys", [], "GET") => {
            let keys = ask.network.resources().webhooks.keys.iter().rev().map(show_key).collect();
            page(ask, "sharedKeys", keys)
        }
        ("SharedKeys", [], "POST") => create_key(ask, &body),
        ("SharedKeys", [id], _) => one_key(ask, id, &body),
        ("Settings", [], "GET") => {
            let settings = ask.network.resources().webhooks.settings.iter().rev().map(show_setting).collect();
            page(ask, "settings", settings)
        }
        ("Settings", [], "POST") => create_setting(ask, &body),
        ("Settings", [id], _) => one_setting(ask, id, &body),
        ("Rules", [], "GET") => {
            let rules = ask.network.resources().webhooks.rules.iter().rev().map(show_rule).collect();
            page(ask, "rules", rules)
        }
        ("Rules", [], "POST") => {
            let rule = read_rule(ask, &body, None)?;
            change_rule(ask, rule.id.clone(), Some(rule))
        }
        ("Rules", [id], _) => one_rule(ask, id, &body),
        ("Operations", [], "GET") => {
            let resources = ask.network.resources();
            let operations =
                resources.webhooks.operations.iter().rev().map(|known| show_operation(ask, known)).collect();
            drop(resources);
            page(ask, "operations", operations)
        }
        ("Operations", [id], "GET") => {
            let resources = ask.network.resources();
            let known = resources.webhooks.operations.iter().find(|known| known.id == *id);
            ok(show_operation(ask, known.ok_or_else(|| ask.not_found())?))
        }
        ("Tests", [], "POST") => test(ask, &body).await,
        ("SharedKeys" | "Settings" | "Rules" | "Operations" | "Tests", [] | [_], _) => {
            Err(Refusal::method_not_allowed())
        }
        _ => Err(ask.not_found()),
    }
}

fn problem(refusal: &Refusal) -> Response {
    let body = json!({
        "type": format!("https://www.twilio.com/docs/errors/{}", refusal.code),
        "title": refusal.status.canonical_reason(),
        "status": refusal.status.as_u16(),
        "detail": refusal.text,
        "code": refusal.code,
    });
    let mut response = (refusal.status, Json(body)).into_response();
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// One page; the token of the next is how many items come before it.
fn page(ask: &Ask, key: &str, items: Vec<Value>) -> Answer {
    let size = ask.filter("pageSize").and_then(|size| size.parse().ok()).unwrap_or(USUAL_PAGE).clamp(1, 100);
    let start: usize = ask.filter("pageToken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let next = (start + size < items.len()).then(|| (start + size).to_string());
    let previous = (start > 0).then(|| start.saturating_sub(size).to_string());
    let shown: Vec<Value> = items.into_iter().skip(start).take(size).collect();
    let meta = json!({ "key": key, "pageSize": size, "nextToken": next, "previousToken": previous });
    ok(json!({ key: shown, "meta": meta }))
}

fn conflict(code: u32, text: &str) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, code, text)
}

fn room(count: usize) -> Result<(), Refusal> {
    if count < MOST_OF_A_KIND { Ok(()) } else { Err(conflict(20_001, "There are 50 of these already")) }
}

fn new_id(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::new_v4().simple())
}

fn show_key(key: &SharedKey) -> Value {
    json!({
        "id": key.id,
        "friendlyName": key.friendly_name,
        "createdAt": iso(key.created_ms),
        "updatedAt": iso(key.updated_ms),
    })
}

fn create_key(ask: &Ask, body: &Value) -> Answer {
    let now_ms = ask.network.now_ms();
    let mut resources = ask.network.resources();
    room(resources.webhooks.keys.len())?;
    let key = SharedKey {
        id: new_id("sharedkey"),
        friendly_name: body["friendlyName"].as_str().unwrap_or_default().to_owned(),
        secret: random_hex_secret(),
        created_ms: now_ms,
        updated_ms: now_ms,
    };
    let mut shown = show_key(&key);
    shown["secret"] = json!(key.secret.expose_secret());
    resources.webhooks.keys.push(key);
    created(shown)
}

fn one_key(ask: &Ask, id: &str, body: &Value) -> Answer {
    let now_ms = ask.network.now_ms();
    let mut resources = ask.network.resources();
    let webhooks = &mut resources.webhooks;
    let used =
        webhooks.settings.iter().any(|setting| setting.signature.as_ref().is_some_and(|(key, _)| key == id));
    let index = webhooks.keys.iter().position(|key| key.id == id).ok_or_else(|| ask.not_found())?;
    let Some(key) = webhooks.keys.get_mut(index) else { return Err(ask.not_found()) };
    match ask.method.as_str() {
        "GET" => ok(show_key(key)),
        "PATCH" => {
            if let Some(name) = body["friendlyName"].as_str() {
                key.friendly_name = name.to_owned();
                key.updated_ms = now_ms;
            }
            ok(show_key(key))
        }
        "DELETE" if used => Err(conflict(20_001, "The shared key is used by a setting")),
        "DELETE" => {
            webhooks.keys.remove(index);
            gone()
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn show_setting(setting: &WebhookSetting) -> Value {
    let signature = match &setting.signature {
        Some((key, algorithm)) => {
            json!({ "type": "SHARED_KEY", "sharedKeyId": key, "algorithm": algorithm.as_wire() })
        }
        None => Value::Null,
    };
    json!({
        "id": setting.id,
        "friendlyName": setting.friendly_name,
        "description": setting.description,
        "auth": setting.auth,
        "signature": signature,
        "connection": setting.connection,
        "edgeZones": setting.edge_zones,
        "createdAt": iso(setting.created_ms),
        "updatedAt": iso(setting.updated_ms),
    })
}

fn create_setting(ask: &Ask, body: &Value) -> Answer {
    let now_ms = ask.network.now_ms();
    let mut resources = ask.network.resources();
    room(resources.webhooks.settings.len())?;
    let signature = match body["signature"]["sharedKeyId"].as_str() {
        None => None,
        Some(key) => {
            if !resources.webhooks.keys.iter().any(|known| known.id == key) {
                return Err(Refusal::bad(20_001, "signature.sharedKeyId names no shared key"));
            }
            let algorithm = match body["signature"]["algorithm"].as_str() {
                Some("HMAC_SHA256") => HmacAlgorithm::Sha256,
                Some("HMAC_SHA1") => HmacAlgorithm::Sha1,
                _ => {
                    return Err(Refusal::bad(
                        20_001,
                        "signature.algorithm is neither HMAC_SHA1 nor HMAC_SHA256",
                    ));
                }
            };
            Some((key.to_owned(), algorithm))
        }
    };
    let setting = WebhookSetting {
        id: new_id("setting"),
        friendly_name: body["friendlyName"].clone(),
        description: body["description"].clone(),
        auth: body["auth"].clone(),
        signature,
        connection: body["connection"].clone(),
        edge_zones: body["edgeZones"].clone(),
        created_ms: now_ms,
        updated_ms: now_ms,
    };
    let shown = show_setting(&setting);
    resources.webhooks.settings.push(setting);
    created(shown)
}

/// Names can be changed, what a setting does cannot.
fn one_setting(ask: &Ask, id: &str, body: &Value) -> Answer {
    let now_ms = ask.network.now_ms();
    let mut resources = ask.network.resources();
    let webhooks = &mut resources.webhooks;
    let used = webhooks.rules.iter().any(|rule| rule.settings.iter().any(|(setting, _)| setting == id));
    let index = webhooks.settings.iter().position(|known| known.id == id).ok_or_else(|| ask.not_found())?;
    let Some(setting) = webhooks.settings.get_mut(index) else { return Err(ask.not_found()) };
    match ask.method.as_str() {
        "GET" => ok(show_setting(setting)),
        "PATCH" => {
            for (name, field) in
                [("friendlyName", &mut setting.friendly_name), ("description", &mut setting.description)]
            {
                if let Some(given) = body.get(name) {
                    *field = given.clone();
                    setting.updated_ms = now_ms;
                }
            }
            ok(show_setting(setting))
        }
        "DELETE" if used => Err(conflict(20_001, "The setting is used by a rule")),
        "DELETE" => {
            webhooks.settings.remove(index);
            gone()
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn show_rule(rule: &WebhookRule) -> Value {
    let settings: Vec<Value> =
        rule.settings.iter().map(|(id, share)| json!({ "settingId": id, "percentage": share })).collect();
    let mut shown = json!({
        "id": rule.id,
        "friendlyName": rule.friendly_name,
        "description": rule.description,
        "settings": settings,
        "createdAt": iso(rule.created_ms),
        "updatedAt": iso(rule.updated_ms),
    });
    match &rule.matches {
        Match::Exact(value) => (shown["matchType"], shown["value"]) = (json!("EXACT_MATCH"), json!(value)),
        Match::Prefix(prefix) => {
            (shown["matchType"], shown["prefix"]) = (json!("PREFIX_MATCH"), json!(prefix))
        }
        Match::Default => shown["matchType"] = json!("DEFAULT"),
    }
    shown
}

/// A rule as a request wants it; what it does not say stays as it is in `known`.
fn read_rule(ask: &Ask, body: &Value, known: Option<&WebhookRule>) -> Result<WebhookRule, Refusal> {
    let bad = |text: &str| Refusal::bad(20_001, text);
    let resources = ask.network.resources();
    let webhooks = &resources.webhooks;
    let text = |name: &str| body[name].as_str();
    let matches = match (text("matchType"), known) {
        (None, Some(known)) => known.matches.clone(),
        (Some("DEFAULT"), _) => Match::Default,
        (Some("EXACT_MATCH"), _) => {
            let value = text("value").filter(|value| is_web(value) && !value.ends_with('/'));
            Match::Exact(
                value.ok_or_else(|| bad("value is not an address without a slash at its end"))?.into(),
            )
        }
        (Some("PREFIX_MATCH"), _) => {
            let prefix = text("prefix").filter(|prefix| is_web(prefix) && prefix.ends_with('/'));
            Match::Prefix(
                prefix.ok_or_else(|| bad("prefix is not an address with a slash at its end"))?.into(),
            )
        }
        _ => return Err(bad("matchType is not one of EXACT_MATCH, PREFIX_MATCH, DEFAULT")),
    };
    let id = known.map_or_else(|| new_id("rule"), |known| known.id.clone());
    let on_its_way = webhooks.operations.iter().any(|operation| {
        operation.completed_ms.is_none()
            && operation.matches.as_ref() == Some(&matches)
            && operation.resource_id != id
    });
    if on_its_way || webhooks.rules.iter().any(|rule| rule.matches == matches && rule.id != id) {
        return Err(conflict(59_103, "A rule for this match exists already"));
    }
    let settings = match (body["settings"].as_array(), known) {
        (None, Some(known)) => known.settings.clone(),
        (None, None) => return Err(bad("settings is missing")),
        (Some(list), _) => {
            let mut settings = Vec::new();
            for reference in list {
                let setting = reference["settingId"].as_str().and_then(|id| webhooks.setting(id));
                let setting = setting.ok_or_else(|| bad("settingId names no setting"))?;
                let share = reference["percentage"].as_u64().and_then(|share| u32::try_from(share).ok());
                settings.push((setting.id.clone(), share.unwrap_or(100)));
            }
            if settings.iter().map(|(_, share)| u64::from(*share)).sum::<u64>() != 100 {
                return Err(bad("The percentages do not make 100"));
            }
            settings
        }
    };
    if known.is_none() {
        room(webhooks.rules.len())?;
    }
    let now_ms = ask.network.now_ms();
    let named = |name: &str, known: Option<&Value>| body.get(name).or(known).cloned().unwrap_or(Value::Null);
    Ok(WebhookRule {
        id,
        friendly_name: named("friendlyName", known.map(|known| &known.friendly_name)),
        description: named("description", known.map(|known| &known.description)),
        matches,
        settings,
        created_ms: known.map_or(now_ms, |known| known.created_ms),
        updated_ms: now_ms,
    })
}

fn one_rule(ask: &Ask, id: &str, body: &Value) -> Answer {
    let known = ask.network.resources().webhooks.rules.iter().find(|rule| rule.id == id).cloned();
    let known = known.ok_or_else(|| ask.not_found())?;
    match ask.method.as_str() {
        "GET" => ok(show_rule(&known)),
        "PATCH" => {
            let rule = read_rule(ask, body, Some(&known))?;
            change_rule(ask, known.id, Some(rule))
        }
        "DELETE" => change_rule(ask, known.id, None),
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// 202: the rule takes this form, or goes, when the change has spread.
fn change_rule(ask: &Ask, id: String, rule: Option<WebhookRule>) -> Answer {
    let operation = WebhookOperation {
        id: new_id("operation"),
        resource_id: id,
        matches: rule.as_ref().map(|rule| rule.matches.clone()),
        created_ms: ask.network.now_ms(),
        completed_ms: None,
    };
    let shown = show_operation(ask, &operation);
    ask.network.resources().webhooks.operations.push(operation.clone());
    let network = std::sync::Arc::clone(&ask.network);
    ask.network.spawn(async move {
        network.pace.sleep(SPREADING).await;
        let now_ms = network.now_ms();
        let mut resources = network.resources();
        let webhooks = &mut resources.webhooks;
        let place = webhooks.rules.iter().position(|known| known.id == operation.resource_id);
        match (place.and_then(|index| webhooks.rules.get_mut(index)), rule) {
            (Some(known), Some(rule)) => *known = rule,
            (None, Some(rule)) => webhooks.rules.push(rule),
            (_, None) => webhooks.rules.retain(|known| known.id != operation.resource_id),
        }
        if let Some(known) = webhooks.operations.iter_mut().find(|known| known.id == operation.id) {
            known.completed_ms = Some(now_ms);
        }
    });
    let body = json!({ "operation": shown });
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

fn show_operation(ask: &Ask, operation: &WebhookOperation) -> Value {
    json!({
        "id": operation.id,
        "resourceId": operation.resource_id,
        "status": if operation.completed_ms.is_some() { "COMPLETED" } else { "PENDING" },
        "statusUrl": format!("{}/v1/Webhooks/Operations/{}", ask.base, operation.id),
        "error": null,
        "createdAt": iso(operation.created_ms),
        "completedAt": operation.completed_ms.map(iso),
    })
}

/// Sends a request such as the setting makes them, and tells how it went.
async fn test(ask: &Ask, body: &Value) -> Answer {
    let bad = |text: &str| Refusal::bad(20_001, text);
    let text =
        body["url"].as_str().filter(|text| is_web(text)).ok_or_else(|| bad("url is not an address"))?;
    let url = Url::parse(text).map_err(|_| bad("url is not an address"))?;
    let method = WebhookMethod::from_wire(body["method"].as_str());
    let (key, patience) = {
        let resources = ask.network.resources();
        let (key, patience) = match body["settingId"].as_str() {
            Some(id) => {
                let setting =
                    resources.webhooks.setting(id).ok_or_else(|| bad("settingId names no setting"))?;
                resources.webhooks.by(setting)
            }
            None => resources.webhooks.of(&url, 0),
        };
        (key.unwrap_or_else(|| WebhookKey::AuthToken(resources.auth_token.clone())), patience)
    };
    let asked_ms = ask.network.now_ms();
    let delivered = if ask.network.faults().drop_voice_webhooks {
        Err("Nobody answered".to_owned())
    } else {
        test_delivery(&ask.network, url, method, key, patience).await
    };
    let result = match delivered {
        Ok((status, content_type)) => {
            let headers: BTreeMap<_, _> =
                content_type.map(|kind| ("content-type", vec![kind])).into_iter().collect();
            json!({ "response": { "statusCode": status, "headers": headers } })
        }
        Err(text) => json!({ "error": text }),
    };
    let mut result = result;
    result["timing"] = json!({ "totalMs": ask.network.now_ms().saturating_sub(asked_ms) });
    created(json!({ "url": text, "result": result, "createdAt": iso(asked_ms) }))
}
