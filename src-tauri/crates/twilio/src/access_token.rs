//! The access token: a JWT, signed with an API key's secret, that lets the Voice SDK sign in.
//!
//! Shape and limits follow Twilio's "Access Tokens" page and the output of its helper libraries
//! (twilio-node 6.2.0, twilio-python 9.13.0), whose tokens `tests/vectors/token_vectors.json` holds.

mod claims;
mod verify;

use dialer_domain::identity::{ClientIdentity, InvalidIdentity};
use dialer_domain::sid::{AccountSid, ApiKeySid, TwimlAppSid};
use dialer_domain::token::TokenSpan;
use secrecy::{ExposeSecret, SecretString};

pub use claims::{Claims, Grants, IncomingGrant, OutgoingGrant, VoiceGrant};
pub use verify::{SigningKey, TokenRefusal, VerifiedToken, verify};

/// The longest lifetime Twilio accepts, in seconds: 24 hours.
pub const MAX_TTL_S: u32 = 86_400;

/// How far `nbf` lies before the time of issue, in seconds, so that a computer whose clock is a
/// little ahead of Twilio's is not told "not yet valid" (20105).
pub const NOT_BEFORE_SLACK_S: i64 = 30;

/// `cty` of the header; tells Twilio which form of claims follows.
pub const CONTENT_TYPE: &str = "twilio-fpa;v=1";

/// Why a token cannot be issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// The identity is not one the Voice SDK accepts.
    #[error(transparent)]
    Identity(#[from] InvalidIdentity),
    /// The lifetime is zero or above [`MAX_TTL_S`]; Twilio would answer 20157.
    #[error("an access token lives between 1 and 86400 seconds, not {0}")]
    Ttl(u32),
    /// The API key's secret is empty.
    #[error("the API key's secret is empty; enter it again")]
    EmptySecret,
    /// The library that signs refused.
    #[error("the access token could not be signed: {0}")]
    Signing(String),
}

/// A signed token with the span in which it is good.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The JWT. Whoever holds it can place calls on the account.
    pub jwt: SecretString,
    /// From its issue to its end, in Unix milliseconds.
    pub span: TokenSpan,
}

/// What a token should say. Build it, then [`sign`](Self::sign) it.
///
/// By default it lives an hour, allows neither direction of call, and names no region.
#[derive(Debug, Clone)]
pub struct AccessToken {
    account_sid: AccountSid,
    key_sid: ApiKeySid,
    identity: ClientIdentity,
    voice: VoiceGrant,
    region: Option<String>,
    ttl_s: u32,
    jti_suffix: Option<String>,
}

impl AccessToken {
    /// A token of `account_sid` for `identity`, to be signed with the secret of `key_sid`.
    pub fn new(
        account_sid: AccountSid,
        key_sid: ApiKeySid,
        identity: &str,
    ) -> Result<Self, AccessTokenError> {
        Ok(Self {
            account_sid,
            key_sid,
            identity: ClientIdentity::parse(identity)?,
            voice: VoiceGrant::default(),
            region: None,
            ttl_s: 3_600,
            jti_suffix: None,
        })
    }

    /// Allows outgoing calls, which Twilio routes by the voice URL of `application`.
    #[must_use]
    pub fn outgoing(mut self, application: TwimlAppSid) -> Self {
        let params = self.voice.outgoing.map(|grant| grant.params).unwrap_or_default();
        self.voice.outgoing = Some(OutgoingGrant { application_sid: application.into(), params });
        self
    }

    /// Adds a parameter that Twilio passes to the voice URL with each outgoing call and that the
    /// SDK cannot change. Without [`outgoing`](Self::outgoing) there is nothing to add it to.
    #[must_use]
    pub fn outgoing_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Some(grant) = &mut self.voice.outgoing {
            grant.params.insert(name.into(), value.into());
        }
        self
    }

    /// Allows the identity to be rung, or not.
    #[must_use]
    pub fn incoming(mut self, allow: bool) -> Self {
        // Absent and false mean the same; Twilio's libraries write it only when true.
        self.voice.incoming = allow.then_some(IncomingGrant { allow: true });
        self
    }

    /// Names the push credential (`CR…`) of a mobile application and the label of this device.
    #[must_use]
    pub fn push(mut self, credential_sid: impl Into<String>, endpoint_id: impl Into<String>) -> Self {
        self.voice.push_credential_sid = Some(credential_sid.into());
        self.voice.endpoint_id = Some(endpoint_id.into());
        self
    }

    /// Names the Twilio Region, such as `ie1`, for an account outside the default one. The API key
    /// must have been made in that Region.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the lifetime in seconds, 1 to [`MAX_TTL_S`].
    #[must_use]
    pub fn ttl_s(mut self, ttl_s: u32) -> Self {
        self.ttl_s = ttl_s;
        self
    }

    /// Adds a random text to the token's `jti`, so that two tokens of one second differ.
    #[must_use]
    pub fn jti_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.jti_suffix = Some(suffix.into());
        self
    }

    /// The claims of a token issued at `now_s`, in Unix seconds.
    pub fn claims(&self, now_s: i64) -> Result<Claims, AccessTokenError> {
        if !(1..=MAX_TTL_S).contains(&self.ttl_s) {
            return Err(AccessTokenError::Ttl(self.ttl_s));
        }
        let jti = match &self.jti_suffix {
            Some(suffix) => format!("{}-{now_s}-{suffix}", self.key_sid),
            None => format!("{}-{now_s}", self.key_sid),
        };
        Ok(Claims {
            jti,
            grants: Grants {
                identity: Some(self.identity.as_str().to_owned()),
                voice: Some(self.voice.clone()),
            },
            iat: Some(now_s),
            nbf: Some(now_s - NOT_BEFORE_SLACK_S),
            exp: now_s + i64::from(self.ttl_s),
            iss: self.key_sid.as_str().to_owned(),
            sub: self.account_sid.as_str().to_owned(),
        })
    }

    /// Issues the token at `now_ms`, in Unix milliseconds, signed with the API key's secret.
    pub fn sign(&self, now_ms: i64, secret: &SecretString) -> Result<IssuedToken, AccessTokenError> {
        let claims = self.claims(now_ms.div_euclid(1_000))?;
        let jwt = claims.sign(self.region.as_deref(), secret)?;
        Ok(IssuedToken { jwt, span: TokenSpan { issued_at_ms: now_ms, expires_at_ms: claims.exp * 1_000 } })
    }
}

impl Claims {
    /// Signs the claims as they are, without looking at them: [`AccessToken`] is the way to a
    /// token that Twilio accepts, this is the way to one that it should refuse.
    pub fn sign(
        &self,
        region: Option<&str>,
        secret: &SecretString,
    ) -> Result<SecretString, AccessTokenError> {
        if secret.expose_secret().is_empty() {
            return Err(AccessTokenError::EmptySecret);
        }
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        header.cty = Some(CONTENT_TYPE.to_owned());
        if let Some(region) = region {
            header.extras.insert("twr", region);
        }
        let key = jsonwebtoken::EncodingKey::from_secret(secret.expose_secret().as_bytes());
        jsonwebtoken::encode(&header, self, &key)
            .map(SecretString::from)
            .map_err(|error| AccessTokenError::Signing(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn token() -> AccessToken {
        AccessToken::new(AccountSid::from_bytes([1; 16]), ApiKeySid::from_bytes([2; 16]), "agent_1").unwrap()
    }

    #[test]
    fn lifetimes_beyond_a_day_are_refused() {
        assert_eq!(token().ttl_s(86_401).claims(0), Err(AccessTokenError::Ttl(86_401)));
        assert_eq!(token().ttl_s(0).claims(0), Err(AccessTokenError::Ttl(0)));
        assert_eq!(token().ttl_s(86_400).claims(0).unwrap().exp, 86_400);
    }

    #[test]
    fn identities_the_sdk_refuses_are_refused_here() {
        let long = "a".repeat(122);
        for bad in ["", "zoë", "a b", "a@b.example", "a-b", long.as_str()] {
            let made = AccessToken::new(AccountSid::from_bytes([1; 16]), ApiKeySid::from_bytes([2; 16]), bad);
            assert!(matches!(made, Err(AccessTokenError::Identity(_))), "{bad}");
        }
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let signed = token().sign(0, &SecretString::from(""));
        assert!(matches!(signed, Err(AccessTokenError::EmptySecret)));
    }

    #[test]
    fn the_span_is_what_the_claims_say() {
        let issued = token().ttl_s(600).sign(1_767_225_600_999, &SecretString::from("s")).unwrap();
        assert_eq!(
            issued.span,
            TokenSpan { issued_at_ms: 1_767_225_600_999, expires_at_ms: 1_767_226_200_000 }
        );
    }

    #[test]
    fn neither_token_nor_secret_shows_in_debug_output() {
        let issued = token().sign(0, &SecretString::from("hidden")).unwrap();
        assert!(!format!("{issued:?}").contains("eyJ"));
    }

    #[test]
    fn two_tokens_of_one_second_differ_by_their_suffix() {
        let name = |suffix: &str| token().jti_suffix(suffix).claims(7).unwrap().jti;
        assert_ne!(name("a"), name("b"));
        assert!(name("a").ends_with("-7-a"));
    }
}
