//! TwiML Apps: as this crate's users make them, and as the account keeps them.

use dialer_domain::sid::{AccountSid, TwimlAppSid};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::field::{Field, FieldError, Fields, Kind};
use crate::webhook::{API_VERSION, rfc2822};

/// How a webhook is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WebhookMethod {
    /// Parameters in the query.
    Get,
    /// Parameters in a form body. Twilio's default.
    #[default]
    Post,
}

/// A TwiML App: where calls are asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwimlApp {
    /// For people.
    pub friendly_name: String,
    /// Asked what a call should do. Without it a call of the SDK fails with 31404.
    pub voice_url: Option<Url>,
    /// How `voice_url` is requested.
    pub voice_method: WebhookMethod,
    /// Asked when `voice_url` failed, with `ErrorCode` and `ErrorUrl` added.
    pub voice_fallback_url: Option<Url>,
    /// How `voice_fallback_url` is requested.
    pub voice_fallback_method: WebhookMethod,
    /// Told when the parent leg has ended.
    pub status_callback: Option<Url>,
    /// How `status_callback` is requested.
    pub status_callback_method: WebhookMethod,
}

impl WebhookMethod {
    /// As Twilio writes it.
    pub(crate) fn as_wire(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    pub(crate) fn from_wire(text: Option<&str>) -> Self {
        if text.is_some_and(|text| text.eq_ignore_ascii_case("GET")) { Self::Get } else { Self::Post }
    }
}

/// Longest `FriendlyName` (twilio-oai: "up to 64 characters").
const LONGEST_NAME: usize = 64;

/// What can be set on an app (twilio-oai, `CreateApplicationRequest`).
const FIELDS: &[Field] = &[
    Field("FriendlyName", "friendly_name", Kind::Text(LONGEST_NAME)),
    Field("VoiceUrl", "voice_url", Kind::Url),
    Field("VoiceMethod", "voice_method", Kind::Method),
    Field("VoiceFallbackUrl", "voice_fallback_url", Kind::Url),
    Field("VoiceFallbackMethod", "voice_fallback_method", Kind::Method),
    Field("StatusCallback", "status_callback", Kind::Url),
    Field("StatusCallbackMethod", "status_callback_method", Kind::Method),
    Field("VoiceCallerIdLookup", "voice_caller_id_lookup", Kind::Flag),
    Field("SmsUrl", "sms_url", Kind::Url),
    Field("SmsMethod", "sms_method", Kind::Method),
    Field("SmsFallbackUrl", "sms_fallback_url", Kind::Url),
    Field("SmsFallbackMethod", "sms_fallback_method", Kind::Method),
    Field("SmsStatusCallback", "sms_status_callback", Kind::Url),
    Field("MessageStatusCallback", "message_status_callback", Kind::Url),
    Field("PublicApplicationConnectEnabled", "public_application_connect_enabled", Kind::Flag),
];

/// A TwiML App as the account keeps it. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Application {
    pub(crate) sid: TwimlAppSid,
    /// Another account than the practice account's for an app that is someone else's.
    pub(crate) owner: AccountSid,
    fields: Fields,
    created_ms: i64,
    updated_ms: i64,
}

impl Application {
    /// An app that says nothing yet.
    pub(crate) fn new(sid: TwimlAppSid, owner: AccountSid, now_ms: i64) -> Self {
        Self { sid, owner, fields: Fields::blank(FIELDS), created_ms: now_ms, updated_ms: now_ms }
    }

    /// Makes it say `app`, and nothing else.
    pub(crate) fn say(&mut self, app: &TwimlApp, now_ms: i64) {
        let url = |url: &Option<Url>| url.as_ref().map_or(Value::Null, |url| Value::from(url.as_str()));
        self.fields.set("friendly_name", app.friendly_name.as_str());
        self.fields.set("voice_url", url(&app.voice_url));
        self.fields.set("voice_method", app.voice_method.as_wire());
        self.fields.set("voice_fallback_url", url(&app.voice_fallback_url));
        self.fields.set("voice_fallback_method", app.voice_fallback_method.as_wire());
        self.fields.set("status_callback", url(&app.status_callback));
        self.fields.set("status_callback_method", app.status_callback_method.as_wire());
        self.updated_ms = now_ms;
    }

    /// Takes what a form gives.
    pub(crate) fn take(&mut self, form: &[(String, String)], now_ms: i64) -> Result<(), FieldError> {
        self.fields.take(FIELDS, form)?;
        self.updated_ms = now_ms;
        Ok(())
    }

    pub(crate) fn friendly_name(&self) -> &str {
        self.fields.text("friendly_name").unwrap_or_default()
    }

    /// What a call through this app goes by.
    pub(crate) fn routing(&self) -> TwimlApp {
        voice_routing(&self.fields)
    }

    /// The resource as Twilio shows it.
    pub(crate) fn shown(&self) -> Value {
        let mut shown = serde_json::Map::new();
        self.fields.show(&mut shown);
        let path = format!("/{API_VERSION}/Accounts/{}/Applications/{}.json", self.owner, self.sid);
        for (name, value) in [
            ("sid", json!(self.sid)),
            ("account_sid", json!(self.owner)),
            ("api_version", json!(API_VERSION)),
            ("date_created", json!(rfc2822(self.created_ms))),
            ("date_updated", json!(rfc2822(self.updated_ms))),
            ("uri", json!(path)),
        ] {
            shown.insert(name.to_owned(), value);
        }
        Value::Object(shown)
    }
}

/// The voice fields that apps and numbers have in common. Addresses that are none count as absent.
pub(super) fn voice_routing(fields: &Fields) -> TwimlApp {
    let method = |name| WebhookMethod::from_wire(fields.text(name));
    TwimlApp {
        friendly_name: fields.text("friendly_name").unwrap_or_default().to_owned(),
        voice_url: fields.url("voice_url"),
        voice_method: method("voice_method"),
        voice_fallback_url: fields.url("voice_fallback_url"),
        voice_fallback_method: method("voice_fallback_method"),
        status_callback: fields.url("status_callback"),
        status_callback_method: method("status_callback_method"),
    }
}
