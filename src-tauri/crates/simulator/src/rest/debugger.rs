//! What went wrong: events of a call, notifications, alerts.
//!
//! All three tell of what this simulator really did. An event's `response_body`, and that of an
//! alert, is the beginning of what the webhook answered. Twilio's own come some seconds late and are
//! gone after a month; these come at once, and the last thousand are kept.

use axum::http::Method;
use serde_json::{Value, json};

use super::ask::{Answer, Ask, ok};
use super::calls::{find, is_within};
use super::date::{iso, span};
use super::page::{page_2010, page_meta};
use super::refusal::Refusal;
use crate::alert::{Alert, Exchange};
use crate::event::AlertLevel;
use crate::webhook::{API_VERSION, rfc2822};

/// `Calls/{CA}/Events.json`.
pub(crate) fn call_events(ask: &Ask, call: &str) -> Answer {
    only_get(ask)?;
    let leg = find(ask, call)?;
    let events = ask.network.alerts.exchanges(&leg.sid).iter().map(show_exchange).collect();
    page_2010(ask, "events", events)
}

fn show_exchange(exchange: &Exchange) -> Value {
    let parameters: serde_json::Map<String, Value> =
        exchange.parameters.iter().map(|(name, value)| (snake(name), json!(value))).collect();
    let response = exchange.answer.as_ref().map(|answer| {
        json!({
            "response_code": answer.status,
            "request_duration": answer.took_ms,
            "content_type": answer.content_type,
            "response_body": answer.body,
            "date_created": rfc2822(exchange.at_ms),
        })
    });
    json!({
        "request": { "method": exchange.method, "url": exchange.url, "parameters": parameters },
        "response": response,
    })
}

/// `CallSid` as `call_sid`, the way the resource writes parameters.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// `Notifications.json` of the account, or of one call.
pub(crate) fn notifications(ask: &Ask, call: Option<&str>) -> Answer {
    only_get(ask)?;
    let call = call.map(|sid| find(ask, sid)).transpose()?;
    let mut shown = Vec::new();
    for alert in ask.network.alerts.all().iter().rev() {
        let of_call = call.as_ref().is_none_or(|leg| leg.sid == alert.call_sid);
        let of_level = ask.filter("Log").is_none_or(|log| log == log_number(alert.level));
        if of_call && of_level && is_within(ask, "MessageDate", Some(alert.at_ms))? {
            shown.push(show_notification(ask, alert, call.is_some()));
        }
    }
    page_2010(ask, "notifications", shown)
}

/// `Notifications/{NO}.json` of the account, or of one call.
pub(crate) fn notification(ask: &Ask, call: Option<&str>, sid: &str) -> Answer {
    only_get(ask)?;
    let call = call.map(|sid| find(ask, sid)).transpose()?;
    let alert = alert_of(ask, sid)?;
    if call.as_ref().is_some_and(|leg| leg.sid != alert.call_sid) {
        return Err(ask.not_found());
    }
    let mut shown = show_notification(ask, &alert, call.is_some());
    shown["request_variables"] = json!(variables(&alert));
    shown["response_body"] = json!(body(&alert));
    shown["response_headers"] = json!(headers(&alert));
    ok(shown)
}

fn show_notification(ask: &Ask, alert: &Alert, below_call: bool) -> Value {
    let account = &ask.network.account.account_sid;
    let folder = if below_call { format!("/Calls/{}", alert.call_sid) } else { String::new() };
    json!({
        "sid": alert.sid,
        "account_sid": account,
        "call_sid": alert.call_sid,
        "api_version": API_VERSION,
        "error_code": alert.code.to_string(),
        "log": log_number(alert.level),
        "message_date": rfc2822(alert.at_ms),
        "message_text": text(alert),
        "more_info": format!("https://www.twilio.com/docs/errors/{}", alert.code),
        "request_method": alert.exchange.as_ref().map(|exchange| exchange.method),
        "request_url": alert.exchange.as_ref().map(|exchange| exchange.url.clone()),
        "date_created": rfc2822(alert.at_ms),
        "date_updated": rfc2822(alert.at_ms),
        "uri": format!("/{API_VERSION}/Accounts/{account}{folder}/Notifications/{}.json", alert.sid),
    })
}

/// `monitor.twilio.com/v1/Alerts…`.
pub(crate) fn monitor(ask: &Ask, segments: &[&str]) -> Answer {
    match segments {
        ["v1", "Alerts"] => {
            only_get(ask)?;
            let date = |name: &str| ask.filter(name).map(|text| span(name, text)).transpose();
            let (from, to) = (date("StartDate")?, date("EndDate")?);
            let level = ask.filter("LogLevel");
            let wanted = |alert: &&Alert| {
                level.is_none_or(|level| level == log_level(alert.level))
                    && from.is_none_or(|(from, _)| alert.at_ms >= from)
                    && to.is_none_or(|(_, to)| alert.at_ms < to)
            };
            let alerts = ask.network.alerts.all();
            let shown = alerts.iter().rev().filter(wanted).map(|alert| show_alert(ask, alert)).collect();
            page_meta(ask, "alerts", shown)
        }
        ["v1", "Alerts", sid] => {
            only_get(ask)?;
            let alert = alert_of(ask, sid)?;
            let mut shown = show_alert(ask, &alert);
            shown["request_variables"] = json!(variables(&alert));
            shown["request_headers"] = Value::Null;
            shown["response_body"] = json!(body(&alert));
            shown["response_headers"] = json!(headers(&alert));
            ok(shown)
        }
        _ => Err(ask.not_found()),
    }
}

fn show_alert(ask: &Ask, alert: &Alert) -> Value {
    json!({
        "sid": alert.sid,
        "account_sid": ask.network.account.account_sid,
        "alert_text": text(alert),
        "api_version": API_VERSION,
        "date_created": iso(alert.at_ms),
        "date_generated": iso(alert.at_ms),
        "date_updated": iso(alert.at_ms),
        "error_code": alert.code.to_string(),
        "log_level": log_level(alert.level),
        "more_info": format!("https://www.twilio.com/docs/errors/{}", alert.code),
        "request_method": alert.exchange.as_ref().map(|exchange| exchange.method),
        "request_url": alert.exchange.as_ref().map(|exchange| exchange.url.clone()),
        "resource_sid": alert.call_sid,
        "service_sid": null,
        "url": format!("{}/v1/Alerts/{}", ask.base, alert.sid),
    })
}

fn only_get(ask: &Ask) -> Result<(), Refusal> {
    if ask.method == Method::GET { Ok(()) } else { Err(Refusal::method_not_allowed()) }
}

fn alert_of(ask: &Ask, sid: &str) -> Result<Alert, Refusal> {
    ask.network.alerts.all().into_iter().find(|alert| alert.sid == sid).ok_or_else(|| ask.not_found())
}

/// The level as notifications write it.
fn log_number(level: AlertLevel) -> &'static str {
    match level {
        AlertLevel::Error => "0",
        AlertLevel::Warning => "1",
    }
}

/// The level as alerts write it.
fn log_level(level: AlertLevel) -> &'static str {
    match level {
        AlertLevel::Error => "error",
        AlertLevel::Warning => "warning",
    }
}

/// The text in Twilio's form: urlencoded pairs.
fn text(alert: &Alert) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.append_pair("Msg", &alert.text).append_pair("ErrorCode", &alert.code.to_string());
    text.append_pair(
        "LogLevel",
        match alert.level {
            AlertLevel::Error => "ERROR",
            AlertLevel::Warning => "WARN",
        },
    );
    if let Some(exchange) = &alert.exchange {
        text.append_pair("url", &exchange.url);
    }
    text.finish()
}

fn variables(alert: &Alert) -> String {
    let parameters = alert.exchange.iter().flat_map(|exchange| &exchange.parameters);
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

fn body(alert: &Alert) -> &str {
    let answer = alert.exchange.as_ref().and_then(|exchange| exchange.answer.as_ref());
    answer.map_or("", |answer| &answer.body)
}

fn headers(alert: &Alert) -> String {
    let answer = alert.exchange.as_ref().and_then(|exchange| exchange.answer.as_ref());
    let kind = answer.and_then(|answer| answer.content_type.as_deref());
    let pairs = kind.map(|kind| ("Content-Type", kind));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
