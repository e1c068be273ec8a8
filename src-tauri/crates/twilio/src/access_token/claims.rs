//! The claims of an access token, exactly as they lie in the JWT.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The payload of the JWT. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// A name unique to this token.
    pub jti: String,
    /// What the token allows.
    pub grants: Grants,
    /// When it was issued; twilio-python leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// From when it is good; absent means from its issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// When it ends.
    pub exp: i64,
    /// The API key, `SK…`.
    pub iss: String,
    /// The account, `AC…`.
    pub sub: String,
}

/// `grants`: who may do what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// The client identity; Twilio refuses a voice token without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What may be done in voice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<VoiceGrant>,
}

/// `grants.voice`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiceGrant {
    /// Whether the identity may be rung.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming: Option<IncomingGrant>,
    /// Whether and how calls may be placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgoing: Option<OutgoingGrant>,
    /// `CR…`, for push to mobile applications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_credential_sid: Option<String>,
    /// Tells several devices of one identity apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_id: Option<String>,
}

/// `grants.voice.incoming`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingGrant {
    /// Whether the identity may be rung.
    pub allow: bool,
}

/// `grants.voice.outgoing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingGrant {
    /// The TwiML App, `AP…`.
    pub application_sid: String,
    /// Parameters passed to the app's voice URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
}
