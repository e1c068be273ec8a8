//! What Twilio noticed while it played calls: webhook history, notifications, alerts.

use dialer_domain::sid::{AlertSid, CallSid};
use serde::Deserialize;
use serde_json::Value;

use super::base_urls::Product;
use super::client::Client;
use super::error::RestError;
use super::request::Request;
use super::times;

/// A webhook Twilio sent about a call, and what it got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallEvent {
    /// Where it asked.
    pub url: Option<String>,
    /// `GET` or `POST`.
    pub method: Option<String>,
    /// HTTP status of the answer.
    pub response_code: Option<u16>,
    /// What was answered.
    pub response_body: Option<String>,
    /// Milliseconds until the answer.
    pub duration_ms: Option<u64>,
    /// Unix milliseconds.
    pub at_ms: Option<i64>,
}

/// An error or a warning about a call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Notification {
    /// `NO…`.
    pub sid: AlertSid,
    /// The leg.
    #[serde(default)]
    pub call_sid: Option<String>,
    /// Twilio's error code, as text.
    #[serde(default)]
    pub error_code: Option<String>,
    /// `0` for an error, `1` for a warning.
    #[serde(default)]
    pub log: Option<String>,
    /// Unix milliseconds.
    #[serde(default, rename = "message_date", deserialize_with = "times::optional")]
    pub at_ms: Option<i64>,
    /// Twilio's words, often a form.
    #[serde(default)]
    pub message_text: Option<String>,
    /// What Twilio had asked.
    #[serde(default)]
    pub request_url: Option<String>,
    /// A page that explains the code.
    #[serde(default)]
    pub more_info: Option<String>,
}

/// An error or a warning as Monitor has it. The last three are told of a single one only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Alert {
    /// `NO…`.
    pub sid: AlertSid,
    /// What it is about: the SID of a leg, mostly.
    #[serde(default)]
    pub resource_sid: Option<String>,
    /// Twilio's error code, as text.
    #[serde(default)]
    pub error_code: Option<String>,
    /// `error`, `warning`, `notice` or `debug`.
    #[serde(default)]
    pub log_level: Option<String>,
    /// Unix milliseconds.
    #[serde(default, rename = "date_generated", deserialize_with = "times::optional")]
    pub at_ms: Option<i64>,
    /// Twilio's words, often a form.
    #[serde(default)]
    pub alert_text: Option<String>,
    /// What Twilio had asked.
    #[serde(default)]
    pub request_url: Option<String>,
    /// `GET` or `POST`.
    #[serde(default)]
    pub request_method: Option<String>,
    /// A page that explains the code.
    #[serde(default)]
    pub more_info: Option<String>,
    /// The form Twilio had sent.
    #[serde(default)]
    pub request_variables: Option<String>,
    /// What it was answered.
    #[serde(default)]
    pub response_body: Option<String>,
    /// And with which headers.
    #[serde(default)]
    pub response_headers: Option<String>,
}

/// Twilio's specification leaves both halves open; this is what its example shows.
#[derive(Deserialize)]
struct CallEventBody {
    #[serde(default)]
    request: Value,
    #[serde(default)]
    response: Value,
}

impl From<CallEventBody> for CallEvent {
    fn from(body: CallEventBody) -> Self {
        let (request, response) = (body.request, body.response);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            url: text(&request["url"]),
            method: text(&request["method"]),
            response_code: response["response_code"].as_u64().and_then(|code| u16::try_from(code).ok()),
            response_body: text(&response["response_body"]),
            duration_ms: response["request_duration"].as_u64(),
            at_ms: response["date_created"].as_str().and_then(times::unix_ms),
        }
    }
}

impl Client {
    /// The webhooks of a call, with what they were answered.
    pub async fn call_events(&self, sid: &CallSid) -> Result<Vec<CallEvent>, RestError> {
        let request = Request::get(self.path(&["Calls", sid.as_str(), "Events"]));
        let events: Vec<CallEventBody> = self.list(request, "events", None).await?;
        Ok(events.into_iter().map(CallEvent::from).collect())
    }

    /// Errors and warnings of a call.
    pub async fn call_notifications(&self, sid: &CallSid) -> Result<Vec<Notification>, RestError> {
        let request = Request::get(self.path(&["Calls", sid.as_str(), "Notifications"]));
        self.list(request, "notifications", None).await
    }

    /// The last `limit` errors and warnings of the account.
    pub async fn notifications(&self, limit: usize) -> Result<Vec<Notification>, RestError> {
        self.list(Request::get(self.path(&["Notifications"])), "notifications", Some(limit)).await
    }

    /// Alerts since `since_ms` (Unix milliseconds), newest first. They appear some seconds after what
    /// they are about, and are kept for 30 days.
    pub async fn alerts(&self, since_ms: i64) -> Result<Vec<Alert>, RestError> {
        let request = Request::get(vec!["v1".into(), "Alerts".into()])
            .on(Product::Monitor)
            .query("StartDate", times::iso(since_ms));
        self.list(request, "alerts", None).await
    }

    /// Alerts since `since_ms` (Unix milliseconds) about one leg, newest first.
    pub async fn call_alerts(&self, call: &CallSid, since_ms: i64) -> Result<Vec<Alert>, RestError> {
        let mut alerts = self.alerts(since_ms).await?;
        alerts.retain(|alert| alert.resource_sid.as_deref() == Some(call.as_str()));
        Ok(alerts)
    }

    /// One alert, with what was asked and answered.
    pub async fn alert(&self, sid: &AlertSid) -> Result<Alert, RestError> {
        let path = vec!["v1".into(), "Alerts".into(), sid.to_string()];
        self.read(&Request::get(path).on(Product::Monitor)).await
    }
}
