//! Numbers that were verified to be the agent's without being owned.

use dialer_domain::account::VerifiedCallerId;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::{CallSid, PhoneNumberSid};
use serde::Deserialize;

use super::client::Client;
use super::error::RestError;
use super::request::Request;

/// A number to be verified by a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdCheck {
    /// Which.
    pub number: E164,
    /// Its name at Twilio; the number when empty.
    pub friendly_name: String,
    /// Seconds until Twilio calls, up to 60.
    pub delay_s: u32,
    /// Told `VerificationStatus` (`success` or `failed`) when the call is over.
    pub status_callback: Option<String>,
}

/// A verification under way: Twilio calls the number, and who answers keys in the code.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Validation {
    /// Six digits to show.
    #[serde(rename = "validation_code")]
    pub code: String,
    /// The call.
    pub call_sid: CallSid,
}

impl std::fmt::Debug for Validation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Validation").field("call_sid", &self.call_sid).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct CallerIdBody {
    sid: PhoneNumberSid,
    phone_number: Option<String>,
    friendly_name: Option<String>,
}

impl Client {
    /// All verified numbers of the account. One that is not in E.164 is left out.
    pub async fn caller_ids(&self) -> Result<Vec<VerifiedCallerId>, RestError> {
        let request = Request::get(self.path(&["OutgoingCallerIds"]));
        let ids: Vec<CallerIdBody> = self.list(request, "outgoing_caller_ids", None).await?;
        let read = |body: CallerIdBody| {
            let number = E164::parse_strict(body.phone_number.as_deref()?).ok()?;
            let friendly_name = body.friendly_name.unwrap_or_default();
            Some(VerifiedCallerId { sid: body.sid, number, friendly_name })
        };
        Ok(ids.into_iter().filter_map(read).collect())
    }

    /// Has Twilio call a number and ask for the code in the answer.
    pub async fn validate_caller_id(&self, check: &CallerIdCheck) -> Result<Validation, RestError> {
        let name = Some(&check.friendly_name).filter(|name| !name.is_empty());
        let request = Request::post(self.path(&["OutgoingCallerIds"]))
            .form("PhoneNumber", Some(check.number.as_str()))
            .form("FriendlyName", name)
            .number("CallDelay", Some(check.delay_s))
            .form("StatusCallback", check.status_callback.as_ref());
        self.read(&request).await
    }

    /// Forgets a verified number.
    pub async fn delete_caller_id(&self, sid: &PhoneNumberSid) -> Result<(), RestError> {
        self.done(&Request::delete(self.path(&["OutgoingCallerIds", sid.as_str()]))).await
    }
}
