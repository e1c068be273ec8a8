//! TwiML Apps.

use dialer_domain::account::{AppSettings, TwimlApp};
use dialer_domain::sid::TwimlAppSid;
use serde::Deserialize;

use super::client::Client;
use super::error::RestError;
use super::request::Request;

#[derive(Deserialize)]
struct AppBody {
    sid: TwimlAppSid,
    friendly_name: Option<String>,
    voice_url: Option<String>,
    voice_method: Option<String>,
    voice_fallback_url: Option<String>,
    voice_fallback_method: Option<String>,
    status_callback: Option<String>,
    status_callback_method: Option<String>,
}

impl From<AppBody> for TwimlApp {
    fn from(body: AppBody) -> Self {
        Self {
            sid: body.sid,
            settings: AppSettings {
                friendly_name: body.friendly_name.unwrap_or_default(),
                voice_url: body.voice_url,
                voice_method: body.voice_method,
                voice_fallback_url: body.voice_fallback_url,
                voice_fallback_method: body.voice_fallback_method,
                status_callback: body.status_callback,
                status_callback_method: body.status_callback_method,
            },
        }
    }
}

/// What is absent is not mentioned, so Twilio leaves it as it is.
fn with_settings(request: Request, settings: &AppSettings) -> Request {
    request
        .form("FriendlyName", Some(&settings.friendly_name))
        .form("VoiceUrl", settings.voice_url.as_ref())
        .form("VoiceMethod", settings.voice_method.as_ref())
        .form("VoiceFallbackUrl", settings.voice_fallback_url.as_ref())
        .form("VoiceFallbackMethod", settings.voice_fallback_method.as_ref())
        .form("StatusCallback", settings.status_callback.as_ref())
        .form("StatusCallbackMethod", settings.status_callback_method.as_ref())
}

impl Client {
    /// All TwiML Apps of the account.
    pub async fn applications(&self) -> Result<Vec<TwimlApp>, RestError> {
        let request = Request::get(self.path(&["Applications"]));
        let apps: Vec<AppBody> = self.list(request, "applications", None).await?;
        Ok(apps.into_iter().map(TwimlApp::from).collect())
    }

    /// One TwiML App.
    pub async fn application(&self, sid: &TwimlAppSid) -> Result<TwimlApp, RestError> {
        let request = Request::get(self.path(&["Applications", sid.as_str()]));
        self.read::<AppBody>(&request).await.map(TwimlApp::from)
    }

    /// Makes a TwiML App. The name has at most 64 characters and need not be unique: after
    /// [`RestError::Unreachable`] look for one of this name before making another.
    pub async fn create_application(&self, settings: &AppSettings) -> Result<TwimlApp, RestError> {
        let request = with_settings(Request::post(self.path(&["Applications"])), settings);
        self.read::<AppBody>(&request).await.map(TwimlApp::from)
    }

    /// Makes an app say `settings`; what is absent in them stays as it is.
    pub async fn update_application(
        &self,
        sid: &TwimlAppSid,
        settings: &AppSettings,
    ) -> Result<TwimlApp, RestError> {
        let request = Request::post(self.path(&["Applications", sid.as_str()])).repeatable();
        self.read::<AppBody>(&with_settings(request, settings)).await.map(TwimlApp::from)
    }

    /// Deletes an app. Twilio takes it off the numbers that point at it: their own addresses, which lay
    /// beneath it, answer calls from then on.
    pub async fn delete_application(&self, sid: &TwimlAppSid) -> Result<(), RestError> {
        self.done(&Request::delete(self.path(&["Applications", sid.as_str()]))).await
    }
}
