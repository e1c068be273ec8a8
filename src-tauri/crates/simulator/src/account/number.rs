//! Telephone numbers of the account.
//!
//! With an app on a number its own addresses are ignored; setting an app takes it off its trunk, and
//! the other way round (twilio-oai, `IncomingPhoneNumber`, `voice_application_sid` and `trunk_sid`). An
//! app that is deleted is taken off the numbers it was on (Twilio's page "REST API: Applications").
//! Not documented, and chosen here: when a request sets both, the trunk wins; no app is shown as the
//! empty text and no trunk as null, as in twilio-oai's example.

use dialer_domain::account::NumberRouting;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::{AccountSid, PhoneNumberSid, TwimlAppSid};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::application::{TwimlApp, voice_routing};
use super::field::{Field, FieldError, Fields, Kind};
use crate::webhook::{API_VERSION, rfc2822};

/// A telephone number of the account and the app that answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnedNumber {
    /// Its SID.
    pub sid: PhoneNumberSid,
    /// The number.
    pub number: E164,
    /// `VoiceApplicationSid`: which app is asked about calls to it.
    pub application_sid: Option<TwimlAppSid>,
}

/// How a number is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberSettings {
    /// Its name; its national form if absent.
    pub friendly_name: Option<String>,
    /// Whether it can carry calls.
    pub voice: bool,
    /// Where calls to it go. What is absent is as on a number that was never set up.
    pub routing: NumberRouting,
}

impl Default for NumberSettings {
    fn default() -> Self {
        Self { friendly_name: None, voice: true, routing: NumberRouting::default() }
    }
}

/// What can be set on a number (twilio-oai, `UpdateIncomingPhoneNumberRequest`).
const FIELDS: &[Field] = &[
    Field("FriendlyName", "friendly_name", Kind::Text(64)),
    Field("VoiceUrl", "voice_url", Kind::Url),
    Field("VoiceMethod", "voice_method", Kind::Method),
    Field("VoiceFallbackUrl", "voice_fallback_url", Kind::Url),
    Field("VoiceFallbackMethod", "voice_fallback_method", Kind::Method),
    Field("StatusCallback", "status_callback", Kind::Url),
    Field("StatusCallbackMethod", "status_callback_method", Kind::Method),
    Field("VoiceApplicationSid", "voice_application_sid", Kind::Sid("AP")),
    Field("VoiceCallerIdLookup", "voice_caller_id_lookup", Kind::Flag),
    Field("VoiceReceiveMode", "voice_receive_mode", Kind::Choice(&["voice", "fax"])),
    Field("TrunkSid", "trunk_sid", Kind::Sid("TK")),
    Field("SmsUrl", "sms_url", Kind::Url),
    Field("SmsMethod", "sms_method", Kind::Method),
    Field("SmsFallbackUrl", "sms_fallback_url", Kind::Url),
    Field("SmsFallbackMethod", "sms_fallback_method", Kind::Method),
    Field("SmsApplicationSid", "sms_application_sid", Kind::Sid("AP")),
    Field("EmergencyStatus", "emergency_status", Kind::Choice(&["Inactive", "Active"])),
    Field("EmergencyAddressSid", "emergency_address_sid", Kind::Sid("AD")),
    Field("IdentitySid", "identity_sid", Kind::Sid("RI")),
    Field("AddressSid", "address_sid", Kind::Sid("AD")),
    Field("BundleSid", "bundle_sid", Kind::Sid("BU")),
];

/// Addresses that are empty on a number that was never set up.
const EMPTY: [&str; 5] =
    ["voice_url", "voice_fallback_url", "status_callback", "sms_url", "sms_fallback_url"];

/// A number as the account keeps it. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub(crate) sid: PhoneNumberSid,
    pub(crate) number: E164,
    /// Whether it can carry calls.
    pub(crate) voice: bool,
    fields: Fields,
    created_ms: i64,
    updated_ms: i64,
}

impl Number {
    pub(crate) fn new(sid: PhoneNumberSid, number: E164, settings: &NumberSettings, now_ms: i64) -> Self {
        let mut new = Self {
            sid,
            number,
            voice: true,
            fields: Fields::blank(FIELDS),
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        new.set_up(settings, now_ms);
        new
    }

    /// Sets it up anew.
    pub(crate) fn set_up(&mut self, settings: &NumberSettings, now_ms: i64) {
        let routing = &settings.routing;
        self.voice = settings.voice;
        self.fields = Fields::blank(FIELDS);
        for name in EMPTY {
            self.fields.set(name, "");
        }
        let name = settings.friendly_name.clone().unwrap_or_else(|| national(self.number.as_str()));
        self.fields.set("friendly_name", name);
        for (name, text) in [
            ("voice_url", &routing.voice_url),
            ("voice_method", &routing.voice_method),
            ("voice_fallback_url", &routing.voice_fallback_url),
            ("voice_fallback_method", &routing.voice_fallback_method),
            ("status_callback", &routing.status_callback),
            ("status_callback_method", &routing.status_callback_method),
            ("voice_receive_mode", &routing.voice_receive_mode),
        ] {
            if let Some(text) = text {
                self.fields.set(name, text.as_str());
            }
        }
        for (name, sid) in
            [("voice_application_sid", &routing.voice_application_sid), ("trunk_sid", &routing.trunk_sid)]
        {
            let sid = sid.as_deref().filter(|sid| !sid.is_empty());
            self.fields.set(name, sid.map_or(Value::Null, Value::from));
        }
        if let Some(lookup) = routing.voice_caller_id_lookup {
            self.fields.set("voice_caller_id_lookup", lookup);
        }
        self.updated_ms = now_ms;
    }

    /// Takes what a form gives, by the rule of trunk and app.
    pub(crate) fn take(&mut self, form: &[(String, String)], now_ms: i64) -> Result<(), FieldError> {
        self.fields.take(FIELDS, form)?;
        let sets = |wanted: &str| form.iter().any(|(name, value)| name == wanted && !value.is_empty());
        if sets("TrunkSid") {
            self.fields.set("voice_application_sid", Value::Null);
        } else if sets("VoiceApplicationSid") {
            self.fields.set("trunk_sid", Value::Null);
        }
        self.updated_ms = now_ms;
        Ok(())
    }

    /// Sets or clears the app; an app takes the number off its trunk.
    pub(crate) fn bind(&mut self, application: Option<&TwimlAppSid>, now_ms: i64) {
        self.fields.set("voice_application_sid", application.map_or(Value::Null, |sid| json!(sid)));
        if application.is_some() {
            self.fields.set("trunk_sid", Value::Null);
        }
        self.updated_ms = now_ms;
    }

    /// Takes off an app that is deleted, for calls and for messages.
    pub(crate) fn leave(&mut self, application: &TwimlAppSid, now_ms: i64) {
        for name in ["voice_application_sid", "sms_application_sid"] {
            if self.fields.text(name) == Some(application.as_str()) {
                self.fields.set(name, Value::Null);
                self.updated_ms = now_ms;
            }
        }
    }

    pub(crate) fn friendly_name(&self) -> &str {
        self.fields.text("friendly_name").unwrap_or_default()
    }

    pub(crate) fn application_sid(&self) -> Option<TwimlAppSid> {
        self.fields.text("voice_application_sid").and_then(|sid| TwimlAppSid::parse(sid).ok())
    }

    pub(crate) fn is_on_trunk(&self) -> bool {
        self.fields.text("trunk_sid").is_some()
    }

    /// What calls go by when neither a trunk nor an app is set.
    pub(crate) fn own_routing(&self) -> TwimlApp {
        voice_routing(&self.fields)
    }

    pub(crate) fn owned(&self) -> OwnedNumber {
        OwnedNumber {
            sid: self.sid.clone(),
            number: self.number.clone(),
            application_sid: self.application_sid(),
        }
    }

    /// How it is set up now.
    pub(crate) fn settings(&self) -> NumberSettings {
        let text = |name| self.fields.exact(name);
        NumberSettings {
            friendly_name: text("friendly_name"),
            voice: self.voice,
            routing: NumberRouting {
                voice_url: text("voice_url"),
                voice_method: text("voice_method"),
                voice_fallback_url: text("voice_fallback_url"),
                voice_fallback_method: text("voice_fallback_method"),
                status_callback: text("status_callback"),
                status_callback_method: text("status_callback_method"),
                voice_application_sid: text("voice_application_sid"),
                trunk_sid: text("trunk_sid"),
                voice_caller_id_lookup: self.fields.flag("voice_caller_id_lookup"),
                voice_receive_mode: text("voice_receive_mode"),
            },
        }
    }

    /// The resource as Twilio shows it.
    pub(crate) fn shown(&self, account: &AccountSid) -> Value {
        let mut shown = serde_json::Map::new();
        self.fields.show(&mut shown);
        for name in ["voice_application_sid", "sms_application_sid"] {
            if let Some(none) = shown.get_mut(name).filter(|value| value.is_null()) {
                *none = json!("");
            }
        }
        let path = format!("/{API_VERSION}/Accounts/{account}/IncomingPhoneNumbers/{}.json", self.sid);
        for (name, value) in [
            ("sid", json!(self.sid)),
            ("account_sid", json!(account)),
            ("phone_number", json!(self.number)),
            ("address_requirements", json!("none")),
            ("api_version", json!(API_VERSION)),
            ("beta", json!(false)),
            ("capabilities", json!({ "voice": self.voice, "sms": true, "mms": self.voice, "fax": false })),
            ("date_created", json!(rfc2822(self.created_ms))),
            ("date_updated", json!(rfc2822(self.updated_ms))),
            ("emergency_address_status", json!("unregistered")),
            ("origin", json!("twilio")),
            ("status", json!("in-use")),
            ("type", json!("local")),
            ("uri", json!(path)),
        ] {
            shown.insert(name.to_owned(), value);
        }
        Value::Object(shown)
    }
}

/// `(202) 555-0190` for a number of the North American plan, the number itself otherwise.
pub(crate) fn national(number: &str) -> String {
    match number.strip_prefix("+1").filter(|rest| rest.len() == 10 && rest.is_ascii()) {
        Some(rest) => format!("({}) {}-{}", &rest[..3], &rest[3..6], &rest[6..]),
        None => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn number(settings: &NumberSettings) -> Number {
        let sid = PhoneNumberSid::from_bytes([1; 16]);
        Number::new(sid, E164::parse_strict("+12025550190").unwrap(), settings, 0)
    }

    fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_app_takes_a_number_off_its_trunk_and_a_trunk_its_app() {
        let trunk = "TK00000000000000000000000000000001";
        let app = "AP00000000000000000000000000000001";
        let mut number = number(&NumberSettings {
            routing: NumberRouting { trunk_sid: Some(trunk.into()), ..NumberRouting::default() },
            ..NumberSettings::default()
        });
        let account = AccountSid::from_bytes([2; 16]);
        let before = number.shown(&account);
        number.take(&form(&[("VoiceApplicationSid", app)]), 0).unwrap();
        let bound = number.shown(&account);
        assert_eq!((&bound["trunk_sid"], &bound["voice_application_sid"]), (&Value::Null, &json!(app)));
        number.take(&form(&[("VoiceApplicationSid", ""), ("TrunkSid", trunk)]), 0).unwrap();
        assert_eq!(number.shown(&account), before, "what was there is there again, to the byte");
    }

    #[test]
    fn national_forms_are_those_of_the_north_american_plan() {
        assert_eq!(national("+12025550190"), "(202) 555-0190");
        assert_eq!(national("+442079460000"), "+442079460000");
        assert_eq!(national("client:albert"), "client:albert");
    }
}
