//! SIP addresses, as `<Sip>` dials them.

use serde::{Deserialize, Serialize};

/// A SIP URI: `sip:` or `sips:`, a user, `@`, a host, and whatever parameters follow. Shorter than 255
/// characters (Twilio, TwiML `<Sip>`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct SipUri(String);

/// A text that cannot be dialled as a SIP address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("A SIP address is sip:name@host, such as sip:desk@example.com, and at most 254 characters long.")]
pub struct InvalidSipUri;

impl SipUri {
    /// The longest address, in characters.
    pub const MAX_LENGTH: usize = 254;

    /// Checks the form. Whether the host can be reached is for Twilio to say (13254).
    pub fn parse(text: &str) -> Result<Self, InvalidSipUri> {
        let rest = text.strip_prefix("sips:").or_else(|| text.strip_prefix("sip:"));
        let (user, host) = rest.and_then(|rest| rest.split_once('@')).ok_or(InvalidSipUri)?;
        let valid = !user.is_empty()
            && host.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.len() <= Self::MAX_LENGTH
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'\\'));
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidSipUri) }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SipUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SipUri {
    type Error = InvalidSipUri;
    fn try_from(text: String) -> Result<Self, InvalidSipUri> {
        Self::parse(&text)
    }
}

impl From<SipUri> for String {
    fn from(uri: SipUri) -> String {
        uri.0
    }
}
