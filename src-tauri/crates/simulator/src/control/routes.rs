//! The routes of the control API.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use dialer_domain::phone_number::E164;
use dialer_domain::sid::{CallSid, TwimlAppSid};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::keep_pages_out;
use crate::account::{ApiKey, Application, Number, NumberSettings, OwnedNumber, TwimlApp};
use crate::call::CallRecord;
use crate::event::SimEvent;
use crate::far_end::{FarEnd, FarEndScript, Heard, far_ends};
use crate::faults::Faults;
use crate::network::Network;
use crate::operations::{IncomingCall, OperationError};

/// Longest wait for events in one request.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

type Net = State<Arc<Network>>;

pub(crate) fn router(network: Arc<Network>) -> Router<Arc<Network>> {
    Router::new()
        .route("/account", get(account).put(change_account))
        .route("/far-ends", get(far_end_table))
        .route("/far-ends/{number}", put(script_far_end))
        .route("/applications", get(applications).post(create_application))
        .route("/applications/{sid}", put(update_application))
        .route("/foreign-applications", post(create_foreign_application))
        .route("/numbers/{number}", put(change_number).post(add_number).delete(remove_number))
        .route("/state", get(state))
        .route("/registrations", get(registrations))
        .route("/incoming", post(place_incoming))
        .route("/calls", get(calls))
        .route("/calls/{sid}/heard", get(heard))
        .route("/calls/{sid}/hangup", post(hang_up))
        .route("/calls/{sid}/digits", post(press))
        .route("/events", get(events))
        .route("/faults", get(faults).put(set_faults))
        .route("/signalling/cut", post(cut_signalling))
        .layer(from_fn(keep_pages_out))
        .with_state(network)
}

/// An answer other than success: a status and a sentence.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<OperationError> for Refusal {
    fn from(error: OperationError) -> Self {
        let status = match &error {
            OperationError::UnknownNumber(_)
            | OperationError::UnknownApplication(_)
            | OperationError::UnknownCall(_) => StatusCode::NOT_FOUND,
            OperationError::NotRouted | OperationError::NotTalking | OperationError::NumberTaken(_) => {
                StatusCode::CONFLICT
            }
            OperationError::NotDigits => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, error.to_string())
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

/// A JSON body whose refusal is JSON too.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Refusal))]
struct Body<T>(T);

/// Everything of the account but its secrets.
async fn account(State(network): Net) -> Json<Value> {
    let account = &network.account;
    let numbers: Vec<OwnedNumber> = network.resources().numbers.iter().map(Number::owned).collect();
    Json(json!({
        "account_sid": account.account_sid,
        "api_key_sid": account.api_key_sid,
        "numbers": numbers,
        "settings": network.settings(),
    }))
}

async fn far_end_table() -> Json<Vec<FarEnd>> {
    Json(far_ends())
}

async fn script_far_end(
    State(network): Net,
    Path(number): Path<String>,
    Body(script): Body<FarEndScript>,
) -> Result<StatusCode, Refusal> {
    network.set_script(self::number(&number)?.as_str().to_owned(), script);
    Ok(StatusCode::NO_CONTENT)
}

async fn applications(State(network): Net) -> Json<Value> {
    let resources = network.resources();
    let mut listed: Vec<Value> = Vec::new();
    for app in &resources.applications {
        listed.push(json!({ "sid": app.sid, "account_sid": app.owner, "application": app.routing() }));
    }
    Json(Value::Array(listed))
}

async fn create_application(State(network): Net, Body(app): Body<TwimlApp>) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({ "sid": network.create_application(app) })))
}

async fn update_application(
    State(network): Net,
    Path(sid): Path<String>,
    Body(app): Body<TwimlApp>,
) -> Result<StatusCode, Refusal> {
    let sid = TwimlAppSid::parse(&sid).map_err(|error| Refusal(StatusCode::NOT_FOUND, error.to_string()))?;
    network.update_application(&sid, app)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Binding {
    application_sid: Option<TwimlAppSid>,
}

/// What a number is told to be.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumberChange {
    Binding(Binding),
    Settings(Box<NumberSettings>),
}

async fn change_number(
    State(network): Net,
    Path(number): Path<String>,
    Body(change): Body<NumberChange>,
) -> Result<StatusCode, Refusal> {
    let number = self::number(&number)?;
    match change {
        NumberChange::Binding(binding) => network.bind_number(&number, binding.application_sid)?,
        NumberChange::Settings(settings) => network.set_up_number(&number, &settings)?,
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn add_number(
    State(network): Net,
    Path(number): Path<String>,
    Body(settings): Body<NumberSettings>,
) -> Result<StatusCode, Refusal> {
    network.add_number(&self::number(&number)?, &settings)?;
    Ok(StatusCode::CREATED)
}

async fn remove_number(State(network): Net, Path(number): Path<String>) -> Result<StatusCode, Refusal> {
    network.remove_number(&self::number(&number)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn create_foreign_application(
    State(network): Net,
    Body(app): Body<TwimlApp>,
) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({ "sid": network.create_foreign_application(app) })))
}

/// Changes what is given; the rest stays.
async fn change_account(
    State(network): Net,
    Body(given): Body<serde_json::Map<String, Value>>,
) -> Result<StatusCode, Refusal> {
    let unusable = |error: serde_json::Error| Refusal(StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
    let mut settings = serde_json::to_value(network.settings()).map_err(unusable)?;
    if let Value::Object(settings) = &mut settings {
        settings.extend(given);
    }
    network.set_settings(serde_json::from_value(settings).map_err(unusable)?);
    Ok(StatusCode::NO_CONTENT)
}

/// All apps, numbers, caller ids and keys as REST would show them, in the order in which they were
/// made, but without the time of their last change: two states are equal to the byte when everything
/// in them is set alike.
async fn state(State(network): Net) -> Json<Value> {
    let own = &network.account.account_sid;
    let resources = network.resources();
    let undated = |mut shown: Value| {
        if let Value::Object(fields) = &mut shown {
            fields.remove("date_updated");
        }
        shown
    };
    Json(json!({
        "applications": resources.applications.iter().map(Application::shown).map(undated).collect::<Vec<_>>(),
        "numbers": resources.numbers.iter().map(|owned| undated(owned.shown(own))).collect::<Vec<_>>(),
        "caller_ids": resources.caller_ids.iter().map(|verified| undated(verified.shown(own))).collect::<Vec<_>>(),
        "keys": resources.keys.iter().map(ApiKey::shown).map(undated).collect::<Vec<_>>(),
    }))
}

async fn registrations(State(network): Net) -> Json<Vec<String>> {
    Json(network.registry.registered())
}

async fn place_incoming(State(network): Net, Body(call): Body<IncomingCall>) -> Result<Response, Refusal> {
    let call_sid = network.place_incoming(&call)?;
    Ok((StatusCode::CREATED, Json(json!({ "call_sid": call_sid }))).into_response())
}

async fn calls(State(network): Net) -> Json<Vec<CallRecord>> {
    Json(network.calls())
}

async fn heard(State(network): Net, Path(sid): Path<String>) -> Result<Json<Heard>, Refusal> {
    let heard = call_sid(&sid).ok().and_then(|sid| network.heard(&sid));
    heard
        .map(Json)
        .ok_or_else(|| Refusal(StatusCode::NOT_FOUND, "No far end has answered in such a call.".into()))
}

async fn hang_up(State(network): Net, Path(sid): Path<String>) -> Result<StatusCode, Refusal> {
    network.hang_up(&call_sid(&sid)?)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Digits {
    digits: String,
}

async fn press(
    State(network): Net,
    Path(sid): Path<String>,
    Body(Digits { digits }): Body<Digits>,
) -> Result<StatusCode, Refusal> {
    network.press(&call_sid(&sid)?, &digits)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
    #[serde(default)]
    wait_ms: u64,
}

/// Events above a number; waits for one if there is none yet.
async fn events(State(network): Net, Query(Since { since, wait_ms }): Query<Since>) -> Json<Vec<SimEvent>> {
    let mut live = network.log.subscribe();
    let known = network.log.since(since);
    if !known.is_empty() || wait_ms == 0 {
        return Json(known);
    }
    let next = async {
        // An event whose number was already known to the asker does not end the wait.
        while let Ok(event) = live.recv().await {
            if event.number > since {
                break;
            }
        }
    };
    tokio::select! {
        () = next => {}
        () = tokio::time::sleep(Duration::from_millis(wait_ms).min(LONGEST_WAIT)) => {}
        () = network.stopping() => {}
    }
    Json(network.log.since(since))
}

async fn faults(State(network): Net) -> Json<Faults> {
    Json(network.faults())
}

async fn set_faults(State(network): Net, Body(faults): Body<Faults>) -> StatusCode {
    network.set_faults(faults);
    StatusCode::NO_CONTENT
}

async fn cut_signalling(State(network): Net) -> StatusCode {
    network.registry.cut_all();
    StatusCode::NO_CONTENT
}

fn number(text: &str) -> Result<E164, Refusal> {
    E164::parse_strict(text).map_err(|error| Refusal(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

fn call_sid(text: &str) -> Result<CallSid, Refusal> {
    CallSid::parse(text).map_err(|error| Refusal(StatusCode::NOT_FOUND, error.to_string()))
}
