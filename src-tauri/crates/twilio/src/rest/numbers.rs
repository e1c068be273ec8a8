//! Numbers the account owns, and where they lead.

use dialer_domain::account::{NumberRouting, OwnedNumber};
use dialer_domain::phone_number::E164;
use dialer_domain::sid::{PhoneNumberSid, TwimlAppSid};
use serde::Deserialize;

use super::client::Client;
use super::error::RestError;
use super::request::Request;

#[derive(Deserialize)]
struct NumberBody {
    sid: PhoneNumberSid,
    phone_number: Option<String>,
    friendly_name: Option<String>,
    capabilities: Option<Capabilities>,
    #[serde(flatten)]
    routing: NumberRouting,
}

#[derive(Deserialize)]
struct Capabilities {
    #[serde(default)]
    voice: bool,
}

impl NumberBody {
    fn number(self) -> Result<OwnedNumber, RestError> {
        let number = self.phone_number.as_deref().and_then(|text| E164::parse_strict(text).ok());
        Ok(OwnedNumber {
            sid: self.sid,
            number: number.ok_or(RestError::Malformed { detail: "a number is not in E.164".into() })?,
            friendly_name: self.friendly_name.unwrap_or_default(),
            voice: self.capabilities.is_some_and(|can| can.voice),
            routing: self.routing,
        })
    }
}

impl Client {
    /// All numbers the account owns. One that is not in E.164, a short code say, is left out.
    pub async fn numbers(&self) -> Result<Vec<OwnedNumber>, RestError> {
        let request = Request::get(self.path(&["IncomingPhoneNumbers"]));
        let numbers: Vec<NumberBody> = self.list(request, "incoming_phone_numbers", None).await?;
        Ok(numbers.into_iter().filter_map(|body| body.number().ok()).collect())
    }

    /// One number.
    pub async fn number(&self, sid: &PhoneNumberSid) -> Result<OwnedNumber, RestError> {
        self.read::<NumberBody>(&Request::get(self.number_path(sid))).await?.number()
    }

    /// Points a number's calls at a TwiML App. Twilio then ignores its voice URLs, which stay as they
    /// are, and takes it off its SIP trunk.
    pub async fn bind_number(
        &self,
        sid: &PhoneNumberSid,
        app: &TwimlAppSid,
    ) -> Result<OwnedNumber, RestError> {
        let request =
            Request::post(self.number_path(sid)).repeatable().form("VoiceApplicationSid", Some(app.as_str()));
        self.read::<NumberBody>(&request).await?.number()
    }

    /// Makes a number say again what it said before: reads it, writes what differs, and answers with
    /// what Twilio then says. Nothing is written where nothing differs.
    pub async fn restore_number(
        &self,
        sid: &PhoneNumberSid,
        before: &NumberRouting,
    ) -> Result<OwnedNumber, RestError> {
        let found = self.number(sid).await?;
        let changes = changes(&found.routing, before);
        if changes.is_empty() {
            return Ok(found);
        }
        let request = Request::post(self.number_path(sid)).repeatable();
        let request =
            changes.into_iter().fold(request, |request, (name, value)| request.form(name, Some(value)));
        self.read::<NumberBody>(&request).await?.number()
    }

    fn number_path(&self, sid: &PhoneNumberSid) -> Vec<String> {
        self.path(&["IncomingPhoneNumbers", sid.as_str()])
    }
}

/// The form that turns `found` into `wanted`. What was absent or empty is set by an empty value; a
/// method has none, so an absent one is left. Of trunk and app only the one that is wanted is named,
/// because naming one deletes the other.
fn changes(found: &NumberRouting, wanted: &NumberRouting) -> Vec<(&'static str, String)> {
    let mut form = Vec::new();
    let mut text = |name, found: &Option<String>, wanted: &Option<String>| {
        if found != wanted {
            form.push((name, wanted.clone().unwrap_or_default()));
        }
    };
    text("VoiceUrl", &found.voice_url, &wanted.voice_url);
    text("VoiceFallbackUrl", &found.voice_fallback_url, &wanted.voice_fallback_url);
    text("StatusCallback", &found.status_callback, &wanted.status_callback);
    let set = |sid: &Option<String>| sid.as_ref().is_some_and(|sid| !sid.is_empty());
    if set(&wanted.trunk_sid) {
        text("TrunkSid", &found.trunk_sid, &wanted.trunk_sid);
    } else if set(&wanted.voice_application_sid) {
        text("VoiceApplicationSid", &found.voice_application_sid, &wanted.voice_application_sid);
    } else {
        text("VoiceApplicationSid", &found.voice_application_sid, &wanted.voice_application_sid);
        text("TrunkSid", &found.trunk_sid, &wanted.trunk_sid);
    }
    let mut word = |name, found: &Option<String>, wanted: &Option<String>| {
        if let Some(value) = wanted.as_ref().filter(|_| found != wanted) {
            form.push((name, value.clone()));
        }
    };
    word("VoiceMethod", &found.voice_method, &wanted.voice_method);
    word("VoiceFallbackMethod", &found.voice_fallback_method, &wanted.voice_fallback_method);
    word("StatusCallbackMethod", &found.status_callback_method, &wanted.status_callback_method);
    word("VoiceReceiveMode", &found.voice_receive_mode, &wanted.voice_receive_mode);
    let lookup = wanted
        .voice_caller_id_lookup
        .filter(|_| found.voice_caller_id_lookup != wanted.voice_caller_id_lookup);
    form.extend(lookup.map(|lookup| ("VoiceCallerIdLookup", lookup.to_string())));
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "AP00000000000000000000000000000001";
    const THEIRS: &str = "AP00000000000000000000000000000002";
    const TRUNK: &str = "TK00000000000000000000000000000001";

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn what_is_as_it_was_is_not_named() {
        let before = NumberRouting {
            voice_url: text("https://old.example.com"),
            status_callback: text(""),
            voice_application_sid: text(THEIRS),
            ..NumberRouting::default()
        };
        assert_eq!(changes(&before, &before), []);
        let bound = NumberRouting { voice_application_sid: text(OURS), ..before.clone() };
        assert_eq!(changes(&bound, &before), [("VoiceApplicationSid", THEIRS.to_owned())]);
    }

    #[test]
    fn what_was_empty_is_made_empty() {
        for nothing in [None, text("")] {
            let before = NumberRouting {
                voice_application_sid: nothing.clone(),
                voice_url: nothing.clone(),
                ..NumberRouting::default()
            };
            let found = NumberRouting {
                voice_application_sid: text(OURS),
                voice_url: text("https://new.example.com"),
                voice_method: text("GET"),
                ..NumberRouting::default()
            };
            let expected = [("VoiceUrl", String::new()), ("VoiceApplicationSid", String::new())];
            assert_eq!(changes(&found, &before), expected);
        }
    }

    #[test]
    fn of_trunk_and_app_the_one_that_is_wanted_is_named() {
        let trunk = NumberRouting { trunk_sid: text(TRUNK), ..NumberRouting::default() };
        let ours = NumberRouting { voice_application_sid: text(OURS), ..NumberRouting::default() };
        let neither = NumberRouting { voice_application_sid: text(""), ..NumberRouting::default() };
        assert_eq!(changes(&ours, &trunk), [("TrunkSid", TRUNK.to_owned())]);
        assert_eq!(changes(&trunk, &ours), [("VoiceApplicationSid", OURS.to_owned())]);
        let freed = changes(&trunk, &neither);
        assert!(freed.contains(&("TrunkSid", String::new())), "{freed:?}");
    }

    #[test]
    fn methods_and_switches_are_set_and_never_emptied() {
        let found = NumberRouting {
            voice_method: text("POST"),
            voice_fallback_method: text("POST"),
            status_callback_method: text("POST"),
            voice_receive_mode: text("voice"),
            voice_caller_id_lookup: Some(false),
            ..NumberRouting::default()
        };
        assert_eq!(changes(&found, &NumberRouting::default()), []);
        let wanted = NumberRouting {
            voice_method: text("GET"),
            voice_receive_mode: text("fax"),
            voice_caller_id_lookup: Some(true),
            ..NumberRouting::default()
        };
        let expected = [("VoiceMethod", "GET"), ("VoiceReceiveMode", "fax"), ("VoiceCallerIdLookup", "true")];
        assert_eq!(changes(&found, &wanted), expected.map(|(name, value)| (name, value.to_owned())));
    }
}
