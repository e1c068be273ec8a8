//! Verified caller ids.

use dialer_domain::phone_number::E164;
use dialer_domain::sid::{AccountSid, PhoneNumberSid};
use serde_json::{Value, json};

use crate::webhook::{API_VERSION, rfc2822};

/// A number that may be shown without being owned. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallerId {
    pub(crate) sid: PhoneNumberSid,
    pub(crate) number: E164,
    pub(crate) friendly_name: String,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
}

impl CallerId {
    /// The resource as Twilio shows it.
    pub(crate) fn shown(&self, account: &AccountSid) -> Value {
        json!({
            "sid": self.sid,
            "account_sid": account,
            "friendly_name": self.friendly_name,
            "phone_number": self.number,
            "date_created": rfc2822(self.created_ms),
            "date_updated": rfc2822(self.updated_ms),
            "uri": format!("/{API_VERSION}/Accounts/{account}/OutgoingCallerIds/{}.json", self.sid),
        })
    }
}
