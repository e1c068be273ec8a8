//! Calls: listing, placing, ending, redirecting.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use dialer_domain::call::CallStatus;
use dialer_domain::identity::ClientIdentity;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::{CallSid, TwimlAppSid};
use serde_json::{Value, json};
use url::Url;

use super::ask::{Answer, Ask, created, ok};
use super::date::span;
use super::page::page_2010;
use super::refusal::Refusal;
use crate::account::{Application, TwimlApp, WebhookMethod, is_web, national};
use crate::call::{self, Called, Leg, LegDirection, NewCall, Start};
use crate::network::Network;
use crate::twiml::{self, CallbackEvent};
use crate::webhook::{API_VERSION, StatusCallbacks, rfc2822};

/// How long a call rings unless it is told.
const USUAL_TIMEOUT_S: u64 = 60;
/// Longest `Twiml`, in characters.
const LONGEST_TWIML: usize = 4_000;

/// `Calls.json`.
pub(crate) fn list(ask: &Ask) -> Answer {
    match ask.method {
        Method::GET => {
            let legs = ask.network.legs();
            let mut shown = Vec::new();
            for leg in legs.iter().rev() {
                if is_wanted(ask, leg)? {
                    shown.push(show(&ask.network, leg));
                }
            }
            page_2010(ask, "calls", shown)
        }
        Method::POST => place(ask),
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `Calls/{CA}.json`.
pub(crate) fn one(ask: &Ask, sid: &str) -> Answer {
    let leg = find(ask, sid)?;
    match ask.method {
        Method::GET => ok(show(&ask.network, &leg)),
        Method::POST => {
            let end = change(ask, &leg)?;
            let mut shown = show(&ask.network, &leg);
            // The leg's task ends it a moment later.
            if let Some(status) = end.filter(|_| !leg.status().is_final()) {
                shown["status"] = json!(status.as_wire());
            }
            ok(shown)
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// The leg with this SID, or 20404.
pub(crate) fn find(ask: &Ask, sid: &str) -> Result<Arc<Leg>, Refusal> {
    let sid = CallSid::parse(sid).map_err(|_| ask.not_found())?;
    ask.network.leg(&sid).ok_or_else(|| ask.not_found())
}

fn is_wanted(ask: &Ask, leg: &Leg) -> Result<bool, Refusal> {
    let (started_ms, _, ended_ms) = leg.moments();
    let is = |name: &str, value: &str| ask.filter(name).is_none_or(|wanted| wanted == value);
    Ok(is("To", &leg.to)
        && is("From", &leg.from)
        && is("ParentCallSid", leg.parent.as_ref().map_or("", CallSid::as_str))
        && is("Status", wire(leg.status()))
        && is_within(ask, "StartTime", Some(started_ms))?
        && is_within(ask, "EndTime", ended_ms)?)
}

/// Whether a moment fits the filters `name`, `name<` and `name>` (up to, and from, that day on).
pub(crate) fn is_within(ask: &Ask, name: &str, at_ms: Option<i64>) -> Result<bool, Refusal> {
    for operator in ["", "<", ">"] {
        let name = format!("{name}{operator}");
        let Some(text) = ask.filter(&name) else { continue };
        let (from, to) = span(&name, text)?;
        let fits = at_ms.is_some_and(|at_ms| match operator {
            "<" => at_ms < to,
            ">" => at_ms >= from,
            _ => (from..to).contains(&at_ms),
        });
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `status` as the resource has it, which knows no `initiated`.
fn wire(status: CallStatus) -> &'static str {
    match status {
        CallStatus::Initiated => CallStatus::Queued.as_wire(),
        CallStatus::Queued
        | CallStatus::Ringing
        | CallStatus::InProgress
        | CallStatus::Completed
        | CallStatus::Busy
        | CallStatus::NoAnswer
        | CallStatus::Canceled
        | CallStatus::Failed => status.as_wire(),
    }
}

/// The resource. Prices come later than calls at Twilio, and never here.
fn show(network: &Network, leg: &Leg) -> Value {
    let (started_ms, _, ended_ms) = leg.moments();
    let account = &network.account.account_sid;
    let path = format!("/{API_VERSION}/Accounts/{account}/Calls/{}", leg.sid);
    let own = match leg.direction {
        LegDirection::Inbound => &leg.to,
        LegDirection::OutboundDial | LegDirection::OutboundApi => &leg.from,
    };
    let number_sid = {
        let resources = network.resources();
        resources.numbers.iter().find(|owned| owned.number.as_str() == own).map(|owned| owned.sid.clone())
    };
    let duration = ended_ms.map(|_| format!("{:.0}", leg.talked(network).as_secs_f64().round()));
    json!({
        "sid": leg.sid,
        "parent_call_sid": leg.parent,
        "account_sid": account,
        "date_created": rfc2822(started_ms),
        "date_updated": rfc2822(ended_ms.unwrap_or(started_ms)),
        "to": leg.to,
        "to_formatted": national(&leg.to),
        "from": leg.from,
        "from_formatted": national(&leg.from),
        "phone_number_sid": number_sid,
        "status": wire(leg.status()),
        "start_time": rfc2822(started_ms),
        "end_time": ended_ms.map(rfc2822),
        "duration": duration,
        "price": null,
        "price_unit": "USD",
        "direction": leg.direction.as_wire(),
        "answered_by": null,
        "api_version": API_VERSION,
        "forwarded_from": null,
        "group_sid": null,
        "caller_name": null,
        "queue_time": "0",
        "trunk_sid": null,
        "uri": format!("{path}.json"),
        "subresource_uris": {
            "events": format!("{path}/Events.json"),
            "notifications": format!("{path}/Notifications.json"),
            "recordings": format!("{path}/Recordings.json"),
        },
    })
}

/// Ends or redirects a call; the status it is about to end with, if it does.
fn change(ask: &Ask, leg: &Arc<Leg>) -> Result<Option<CallStatus>, Refusal> {
    let wrong_state = || Refusal::bad(21_220, "Call is not in-progress. Cannot redirect.");
    let start = start(ask, "Url")?;
    let status = ask.field("Status").filter(|status| !status.is_empty());
    if leg.status().is_final() {
        // Ending what is over is no error at Twilio.
        return if start.is_some() { Err(wrong_state()) } else { Ok(None) };
    }
    match (status, start) {
        (Some("completed" | "canceled"), _) => Ok(Some(call::end(leg).status())),
        (Some(_), _) => Err(Refusal::bad(20_001, "Status is not one of canceled, completed")),
        (None, Some(start)) => {
            if call::redirect(&ask.network, leg, start) {
                Ok(None)
            } else {
                Err(wrong_state())
            }
        }
        (None, None) => Ok(None),
    }
}

/// The document or the address a request gives for a call.
fn start(ask: &Ask, url_name: &str) -> Result<Option<Start>, Refusal> {
    if let Some(text) = ask.field("Twiml").filter(|text| !text.is_empty()) {
        if text.chars().count() > LONGEST_TWIML {
            return Err(Refusal::bad(20_001, format!("Twiml is longer than {LONGEST_TWIML} characters")));
        }
        let document = twiml::read(text).map_err(|error| Refusal::bad(error.code(), error.to_string()))?;
        return Ok(Some(Start::Document(Box::new(document))));
    }
    let Some(url) = web(ask, url_name, 21_205)? else { return Ok(None) };
    let fallback = web(ask, "FallbackUrl", 21_205)?;
    Ok(Some(Start::Ask {
        url,
        method: method(ask, "Method")?,
        fallback: match fallback {
            Some(url) => Some((url, method(ask, "FallbackMethod")?)),
            None => None,
        },
    }))
}

pub(super) fn web(ask: &Ask, name: &str, code: u32) -> Result<Option<Url>, Refusal> {
    let Some(text) = ask.field(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let url = Url::parse(text).ok().filter(|_| is_web(text));
    url.map(Some).ok_or_else(|| Refusal::bad(code, format!("{name} is not a valid URL: {text}")))
}

pub(super) fn method(ask: &Ask, name: &str) -> Result<WebhookMethod, Refusal> {
    match ask.field(name).unwrap_or_default().to_ascii_uppercase().as_str() {
        "" | "POST" => Ok(WebhookMethod::Post),
        "GET" => Ok(WebhookMethod::Get),
        _ => Err(Refusal::bad(21_209, format!("{name} is neither GET nor POST"))),
    }
}

/// Places a call.
fn place(ask: &Ask) -> Answer {
    let network = &ask.network;
    let to = ask.field("To").filter(|to| !to.is_empty());
    let to = to.ok_or_else(|| Refusal::bad(21_201, "No 'To' number is specified"))?;
    let from = ask.field("From").filter(|from| !from.is_empty());
    let from = from.ok_or_else(|| Refusal::bad(21_213, "No 'From' number is specified"))?;
    let called = called(to)?;
    check_caller(network, &called, from)?;
    let (app, start) = instructions(ask)?;
    let (callbacks, timeout) = (callbacks(ask)?, timeout(ask)?);
    let call = NewCall { from: from.to_owned(), to: called, timeout, app, start };
    let leg = call::call_out(network, call, |sid| {
        let (url, method, events) = callbacks?;
        Some(StatusCallbacks::start(network, sid.clone(), url, method, events))
    });
    created(show(network, &leg))
}

/// How long the call may ring.
pub(super) fn timeout(ask: &Ask) -> Result<Duration, Refusal> {
    match ask.field("Timeout").filter(|text| !text.is_empty()).map(str::parse) {
        None => Ok(Duration::from_secs(USUAL_TIMEOUT_S)),
        Some(Ok(seconds @ 1..=600)) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err(Refusal::bad(21_208, "Timeout is not between 1 and 600")),
    }
}

pub(super) fn called(to: &str) -> Result<Called, Refusal> {
    let invalid =
        || Refusal::bad(21_211, format!("The phone number you are attempting to call, {to}, is not valid"));
    match to.strip_prefix("client:") {
        Some(client) => {
            let (identity, parameters) = client.split_once('?').unwrap_or((client, ""));
            let identity = ClientIdentity::parse(identity).map_err(|_| invalid())?;
            let parameters = form_urlencoded::parse(parameters.as_bytes()).into_owned().collect();
            Ok(Called::Client(identity.to_string(), parameters))
        }
        None => Ok(Called::Number(E164::parse_strict(to).map_err(|_| invalid())?.as_str().to_owned())),
    }
}

/// Whether the account may show `from` to whom it calls, and call there at all.
pub(super) fn check_caller(network: &Network, called: &Called, from: &str) -> Result<(), Refusal> {
    let Called::Number(to) = called else { return Ok(()) };
    let from = E164::parse_strict(from)
        .map_err(|_| Refusal::bad(21_212, format!("The source phone number, {from}, is not valid")))?;
    let known = {
        let resources = network.resources();
        resources.owns(from.as_str()) || resources.has_verified(from.as_str())
    };
    if !known {
        let text = format!("The source phone number provided, {from}, is not yet verified for your account");
        return Err(Refusal::bad(21_210, text));
    }
    let allowed = network.allow_call(to, from.as_str());
    allowed.map_err(|forbidden| Refusal::bad(forbidden.rest_code(), forbidden.text()))
}

/// What the call goes by: an app, or else a document or an address.
fn instructions(ask: &Ask) -> Result<(TwimlApp, Option<Start>), Refusal> {
    if let Some(sid) = ask.field("ApplicationSid").filter(|sid| !sid.is_empty()) {
        let invalid = || Refusal::bad(21_218, "Invalid ApplicationSid");
        let sid = TwimlAppSid::parse(sid).map_err(|_| invalid())?;
        let resources = ask.network.resources();
        let own = |app: &&Application| app.owner == ask.network.account.account_sid;
        let app = resources.application(&sid).filter(own).map(Application::routing);
        return Ok((app.ok_or_else(invalid)?, None));
    }
    match start(ask, "Url")? {
        Some(Start::Ask { url, method, fallback }) => {
            let (fallback, fallback_method) =
                fallback.map_or((None, WebhookMethod::Post), |(url, method)| (Some(url), method));
            let app = TwimlApp {
                voice_url: Some(url),
                voice_method: method,
                voice_fallback_url: fallback,
                voice_fallback_method: fallback_method,
                ..TwimlApp::default()
            };
            Ok((app, None))
        }
        Some(document) => Ok((TwimlApp::default(), Some(document))),
        None => Err(Refusal::bad(21_205, "Url parameter is required")),
    }
}

/// Where and when to report the call; an app's own callback takes the place of these.
pub(super) fn callbacks(ask: &Ask) -> Result<Option<(Url, WebhookMethod, Vec<CallbackEvent>)>, Refusal> {
    if ask.field("ApplicationSid").is_some_and(|sid| !sid.is_empty()) {
        return Ok(None);
    }
    let Some(url) = web(ask, "StatusCallback", 21_456)? else { return Ok(None) };
    let named = ask.form.iter().filter(|(name, value)| name == "StatusCallbackEvent" && !value.is_empty());
    let mut events = Vec::new();
    for (_, name) in named {
        events.push(match name.as_str() {
            "initiated" => CallbackEvent::Initiated,
            "ringing" => CallbackEvent::Ringing,
            "answered" => CallbackEvent::Answered,
            "completed" => CallbackEvent::Completed,
            _ => return Err(Refusal::bad(20_001, format!("{name} is no StatusCallbackEvent"))),
        });
    }
    if events.is_empty() {
        events.push(CallbackEvent::Completed);
    }
    Ok(Some((url, method(ask, "StatusCallbackMethod")?, events)))
}
