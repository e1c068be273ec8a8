//! The client identity an access token names, and by which Twilio rings this phone.

use serde::{Deserialize, Serialize};

/// Letters, digits and underscore, 1 to 121 characters: what the JavaScript SDK accepts
/// (Twilio, "Access Tokens", Voice SDK identity rules).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct ClientIdentity(String);

/// A text that cannot be a client identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a client identity has 1 to 121 letters, digits and underscores")]
pub struct InvalidIdentity;

impl ClientIdentity {
    /// The longest identity in characters.
    pub const MAX_LENGTH: usize = 121;

    /// Checks the characters and the length.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentity> {
        let valid = (1..=Self::MAX_LENGTH).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidIdentity) }
    }

    /// The bare identity, without the `client:` prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address form used in `From` and `To`: `client:agent_1`.
    pub fn address(&self) -> String {
        format!("client:{}", self.0)
    }
}

impl std::fmt::Display for ClientIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ClientIdentity {
    type Error = InvalidIdentity;
    fn try_from(text: String) -> Result<Self, InvalidIdentity> {
        Self::parse(&text)
    }
}

impl From<ClientIdentity> for String {
    fn from(identity: ClientIdentity) -> String {
        identity.0
    }
}
