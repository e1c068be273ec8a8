//! Telephone numbers of the account. Buying one is beyond practice.

use axum::http::{Method, StatusCode};
use dialer_domain::sid::TwimlAppSid;
use serde_json::Value;

use super::ask::{Answer, Ask, ok};
use super::page::page_2010;
use super::refusal::Refusal;
use crate::account::Number;

/// `IncomingPhoneNumbers.json`.
pub(crate) fn list(ask: &Ask) -> Answer {
    match ask.method {
        Method::GET => {
            let own = &ask.network.account.account_sid;
            let (number, name) = (ask.filter("PhoneNumber"), ask.filter("FriendlyName"));
            let wanted = |owned: &&Number| {
                // Twilio finds parts of a number too.
                number.is_none_or(|part| owned.number.as_str().contains(part.trim_matches('*')))
                    && name.is_none_or(|name| owned.friendly_name() == name)
            };
            let numbers: Vec<Value> = {
                let resources = ask.network.resources();
                resources.numbers.iter().rev().filter(wanted).map(|owned| owned.shown(own)).collect()
            };
            page_2010(ask, "incoming_phone_numbers", numbers)
        }
        Method::POST => {
            if ask.field("PhoneNumber").is_none() && ask.field("AreaCode").is_none() {
                return Err(Refusal::bad(21_401, "PhoneNumber or AreaCode is required"));
            }
            let text = "PhoneNumber is not available for purchase: the practice account cannot buy numbers";
            Err(Refusal::new(StatusCode::BAD_REQUEST, 21_422, text))
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `IncomingPhoneNumbers/{PN}.json`.
pub(crate) fn one(ask: &Ask, sid: &str) -> Answer {
    let own = &ask.network.account.account_sid;
    let now_ms = ask.network.now_ms();
    let mut resources = ask.network.resources();
    let index = resources.numbers.iter().position(|owned| owned.sid.as_str() == sid);
    let index = index.ok_or_else(|| ask.not_found())?;
    match ask.method {
        Method::GET => {}
        Method::POST => {
            if let Some(app) = ask.field("VoiceApplicationSid").filter(|app| !app.is_empty()) {
                let app = TwimlAppSid::parse(app).ok();
                let known = app.as_ref().and_then(|app| resources.application(app));
                // Someone else's app is refused like one that does not exist.
                known
                    .filter(|app| app.owner == *own)
                    .ok_or_else(|| Refusal::bad(21_420, "ApplicationSid is not accessible"))?;
            }
            let owned = resources.numbers.get_mut(index).ok_or_else(|| ask.not_found())?;
            owned.take(&ask.form, now_ms)?;
        }
        _ => return Err(Refusal::method_not_allowed()),
    }
    ok(resources.numbers.get(index).map_or(Value::Null, |owned| owned.shown(own)))
}
