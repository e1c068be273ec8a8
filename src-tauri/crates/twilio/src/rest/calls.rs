//! Calls: each leg is a resource.

use dialer_domain::call::{CallEvent, CallStatus};
use dialer_domain::sid::{CallSid, TwimlAppSid};
use serde::Deserialize;

use super::client::Client;
use super::error::RestError;
use super::request::Request;
use super::times;
use crate::webhook::status_callback::role;

/// Which calls to list; all that is set must apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Called party.
    pub to: Option<String>,
    /// Calling party.
    pub from: Option<String>,
    /// The leg that dialled them.
    pub parent: Option<CallSid>,
    /// Such as `in-progress`.
    pub status: Option<String>,
    /// Unix milliseconds; those that began then or later.
    pub started_from_ms: Option<i64>,
    /// Unix milliseconds; those that began then or before.
    pub started_until_ms: Option<i64>,
    /// How many, newest first; all when absent.
    pub limit: Option<usize>,
}

/// One leg. Texts are Twilio's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CallResource {
    /// Its SID.
    pub sid: CallSid,
    /// The leg that dialled it.
    #[serde(default)]
    pub parent_call_sid: Option<CallSid>,
    /// Called party: E.164, `client:…` or `sip:…`.
    #[serde(default)]
    pub to: Option<String>,
    /// Calling party.
    #[serde(default)]
    pub from: Option<String>,
    /// `queued`, `ringing`, `in-progress`, `completed`, `busy`, `failed`, `no-answer` or `canceled`.
    pub status: String,
    /// `inbound`, `outbound-api`, `outbound-dial` and others.
    #[serde(default)]
    pub direction: Option<String>,
    /// Unix milliseconds of the answer.
    #[serde(default, rename = "start_time", deserialize_with = "times::optional")]
    pub started_ms: Option<i64>,
    /// Unix milliseconds of the end.
    #[serde(default, rename = "end_time", deserialize_with = "times::optional")]
    pub ended_ms: Option<i64>,
    /// Seconds, as a decimal number.
    #[serde(default)]
    pub duration: Option<String>,
    /// What it cost, below zero; absent until Twilio knows.
    #[serde(default)]
    pub price: Option<String>,
    /// ISO 4217.
    #[serde(default)]
    pub price_unit: Option<String>,
    /// `human`, `machine_start` and others, where detection was on.
    #[serde(default)]
    pub answered_by: Option<String>,
    /// Milliseconds it waited at Twilio, as a decimal number.
    #[serde(default)]
    pub queue_time: Option<String>,
}

impl CallResource {
    /// The leg as its status callback would have told it, without the counter that only callbacks have; `None`
    /// for a status that is not known.
    pub fn event(&self) -> Option<CallEvent> {
        let status = CallStatus::from_wire(&self.status)?;
        let at_ms = if status.is_final() { self.ended_ms.or(self.started_ms) } else { self.started_ms };
        Some(CallEvent::LegStatus {
            call_sid: self.sid.clone(),
            parent_call_sid: self.parent_call_sid.clone(),
            role: role(
                self.parent_call_sid.is_some(),
                self.from.as_deref().unwrap_or_default(),
                self.to.as_deref().unwrap_or_default(),
            ),
            status,
            sequence: None,
            at_ms: at_ms?,
            duration_s: self
                .duration
                .as_deref()
                .filter(|_| status == CallStatus::Completed)
                .and_then(|duration| duration.parse().ok()),
            error_code: None,
        })
    }
}

/// What a new call shall do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instructions {
    /// Ask this address by `POST`.
    Url(String),
    /// Play this document.
    Twiml(String),
    /// Do as this app says.
    App(TwimlAppSid),
}

/// A call to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// E.164, `client:…` or `sip:…`.
    pub to: String,
    /// An owned or verified number, or `client:…` for a client.
    pub from: String,
    /// What it does once answered.
    pub instructions: Instructions,
    /// Seconds it may ring, up to 600; Twilio's 60 when absent.
    pub timeout_s: Option<u32>,
    /// Seconds it may last.
    pub time_limit_s: Option<u32>,
    /// Told of the events below; an app brings its own, and this one is not told.
    pub status_callback: Option<String>,
    /// `initiated`, `ringing`, `answered`, `completed`; Twilio tells only the last when empty.
    pub status_callback_events: Vec<String>,
    /// `Enable` or `DetectMessageEnd`.
    pub machine_detection: Option<String>,
}

/// A change to a call under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallUpdate {
    /// Ask this address by `POST` how to go on.
    Redirect {
        /// Answers with TwiML.
        url: String,
    },
    /// Go on with this document.
    Play {
        /// TwiML, up to 4000 characters.
        document: String,
    },
    /// End it, answered or not.
    Complete,
    /// End it unless it has been answered.
    Cancel,
}

impl Client {
    /// Calls of the account, newest first.
    pub async fn calls(&self, filter: &CallFilter) -> Result<Vec<CallResource>, RestError> {
        let request = Request::get(self.path(&["Calls"]))
            .query("To", filter.to.as_ref())
            .query("From", filter.from.as_ref())
            .query("ParentCallSid", filter.parent.as_ref().map(CallSid::as_str))
            .query("Status", filter.status.as_ref())
            .query("StartTime>", filter.started_from_ms.and_then(times::iso))
            .query("StartTime<", filter.started_until_ms.and_then(times::iso));
        self.list(request, "calls", filter.limit).await
    }

    /// One leg.
    pub async fn call(&self, sid: &CallSid) -> Result<CallResource, RestError> {
        self.read(&Request::get(self.path(&["Calls", sid.as_str()]))).await
    }

    /// Places a call. It costs money and is never sent twice: after [`RestError::Unreachable`] look
    /// among [`Client::calls`] before placing another.
    pub async fn create_call(&self, call: &NewCall) -> Result<CallResource, RestError> {
        let request =
            Request::post(self.path(&["Calls"])).form("To", Some(&call.to)).form("From", Some(&call.from));
        let request = match &call.instructions {
            Instructions::Url(url) => request.form("Url", Some(url)).form("Method", Some("POST")),
            Instructions::Twiml(document) => request.form("Twiml", Some(document)),
            Instructions::App(app) => request.form("ApplicationSid", Some(app.as_str())),
        };
        let request = request
            .number("Timeout", call.timeout_s)
            .number("TimeLimit", call.time_limit_s)
            .form("StatusCallback", call.status_callback.as_ref())
            .each("StatusCallbackEvent", &call.status_callback_events)
            .form("MachineDetection", call.machine_detection.as_ref());
        self.read(&request).await
    }

    /// Ends or redirects a leg. A leg that is over answers 21220.
    pub async fn update_call(&self, sid: &CallSid, update: &CallUpdate) -> Result<CallResource, RestError> {
        let request = Request::post(self.path(&["Calls", sid.as_str()]));
        let request = match update {
            // A document asked for or begun twice would be played from its start again.
            CallUpdate::Redirect { url } => request.form("Url", Some(url)).form("Method", Some("POST")),
            CallUpdate::Play { document } => request.form("Twiml", Some(document)),
            CallUpdate::Complete => request.repeatable().form("Status", Some("completed")),
            CallUpdate::Cancel => request.repeatable().form("Status", Some("canceled")),
        };
        self.read(&request).await
    }
}
