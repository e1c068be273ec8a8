//! Checking an access token, as Twilio's side of the signalling does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dialer_domain::identity::ClientIdentity;
use dialer_domain::sid::{AccountSid, ApiKeySid, TwimlAppSid};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{CONTENT_TYPE, Claims, MAX_TTL_S, NOT_BEFORE_SLACK_S};

/// An API key as the verifier knows it.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The account the key belongs to.
    pub account_sid: AccountSid,
    /// Its secret.
    pub secret: SecretString,
}

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// The account calls are billed to.
    pub account_sid: AccountSid,
    /// The key that signed.
    pub key_sid: ApiKeySid,
    /// Whom the token names.
    pub identity: ClientIdentity,
    /// Whether the identity may be rung.
    pub incoming: bool,
    /// The TwiML App that routes outgoing calls; `None` forbids them.
    pub outgoing_application: Option<TwimlAppSid>,
    /// Parameters to pass to the app's voice URL, sorted by name.
    pub outgoing_params: Vec<(String, String)>,
    /// `twr` of the header.
    pub region: Option<String>,
    /// The token's own name.
    pub jti: String,
    /// When it ends, in Unix seconds.
    pub expires_at_s: i64,
}

/// Why a token is refused. The sentences are for a developer reading a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Not three base64url parts of JSON, or a claim is absent or of the wrong type.
    #[error("the text is no JWT with the claims of an access token")]
    Malformed,
    /// `alg` is not HS256.
    #[error("the header names an algorithm other than HS256")]
    Algorithm,
    /// `typ` or `cty` is wrong.
    #[error("the header is not that of a Twilio access token (cty twilio-fpa;v=1)")]
    ContentType,
    /// `iss` is no API key, or `sub` no account, or not the key's account.
    #[error("the issuer or the subject is wrong")]
    IssuerOrSubject,
    /// No such API key.
    #[error("the API key in the issuer does not exist")]
    UnknownKey,
    /// The signature does not match.
    #[error("the signature does not match the API key's secret")]
    Signature,
    /// `exp` has passed, or lies before the token's own beginning.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies ahead.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The lifetime is above 24 hours.
    #[error("the token's lifetime is above 24 hours")]
    LifetimeTooLong,
    /// The identity or the voice grant is absent or malformed.
    #[error("the grants are not those of a voice token")]
    Grants,
    /// The identity has characters or a length the SDK does not accept.
    #[error("the identity is not 1 to 121 letters, digits and underscores")]
    Identity,
}

impl TokenRefusal {
    /// Twilio's error code for the refusal, from its error dictionary: 20101 to 20107, 20157, and
    /// 31105 for a bad client name.
    pub fn code(&self) -> u32 {
        match self {
            Self::Malformed => 20_101,
            Self::Algorithm | Self::ContentType => 20_102,
            Self::IssuerOrSubject | Self::UnknownKey => 20_103,
            Self::Expired => 20_104,
            Self::NotYetValid => 20_105,
            Self::Grants => 20_106,
            Self::Signature => 20_107,
            Self::LifetimeTooLong => 20_157,
            Self::Identity => 31_105,
        }
    }

    /// The code a signalling `error` message carries for the refusal. The SDK turns some of them
    /// into the codes above (31204 → 20101, 31205 → 20104; voice-sdk 2.18.5, `device.ts`).
    pub fn signalling_code(&self) -> u32 {
        match self {
            Self::Malformed | Self::Algorithm | Self::ContentType | Self::NotYetValid => 31_204,
            Self::IssuerOrSubject | Self::UnknownKey => 31_203,
            Self::Signature => 31_202,
            Self::Expired => 31_205,
            Self::LifetimeTooLong => 31_207,
            Self::Grants => 31_201,
            Self::Identity => 31_105,
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    cty: Option<String>,
    twr: Option<String>,
}

/// Checks `token` at `now_s` (Unix seconds). `key_of` finds the API key the token names.
///
/// The order is the one in which nothing is believed before it is proven: form, header, key,
/// signature, times, lifetime, grants. Clocks get no leeway at the token's end and at `nbf`; `iat`
/// may lie up to half a minute ahead, because tokens of this program carry an `nbf` that much
/// earlier exactly for computers whose clock is ahead.
pub fn verify(
    token: &str,
    now_s: i64,
    key_of: impl FnOnce(&ApiKeySid) -> Option<SigningKey>,
) -> Result<VerifiedToken, TokenRefusal> {
    let (message, signature) = token.rsplit_once('.').ok_or(TokenRefusal::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(TokenRefusal::Malformed)?;
    let header: Header = decode(header)?;
    if header.alg != "HS256" {
        return Err(TokenRefusal::Algorithm);
    }
    if header.cty.as_deref() != Some(CONTENT_TYPE) || header.typ.as_deref() != Some("JWT") {
        return Err(TokenRefusal::ContentType);
    }
    let claims: Claims = decode(payload)?;
    let key_sid = ApiKeySid::parse(&claims.iss).map_err(|_| TokenRefusal::IssuerOrSubject)?;
    let account_sid = AccountSid::parse(&claims.sub).map_err(|_| TokenRefusal::IssuerOrSubject)?;
    let key = key_of(&key_sid).ok_or(TokenRefusal::UnknownKey)?;
    check_signature(message, signature, &key.secret)?;
    if key.account_sid != account_sid {
        return Err(TokenRefusal::IssuerOrSubject);
    }
    check_times(&claims, now_s)?;
    grants(claims, account_sid, key_sid, header.twr)
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenRefusal> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRefusal::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenRefusal::Malformed)
}

fn check_signature(message: &str, signature: &str, secret: &SecretString) -> Result<(), TokenRefusal> {
    let key = jsonwebtoken::DecodingKey::from_secret(secret.expose_secret().as_bytes());
    let matches =
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256)
            .map_err(|_| TokenRefusal::Signature)?;
    if matches { Ok(()) } else { Err(TokenRefusal::Signature) }
}

fn check_times(claims: &Claims, now_s: i64) -> Result<(), TokenRefusal> {
    let begins = claims.iat.or(claims.nbf).unwrap_or(now_s);
    if claims.exp <= now_s || claims.exp <= begins {
        return Err(TokenRefusal::Expired);
    }
    let ahead = |time: Option<i64>, slack: i64| time.is_some_and(|time| time > now_s.saturating_add(slack));
    if ahead(claims.nbf, 0) || ahead(claims.iat, NOT_BEFORE_SLACK_S) {
        return Err(TokenRefusal::NotYetValid);
    }
    if claims.exp.saturating_sub(begins) > i64::from(MAX_TTL_S) {
        return Err(TokenRefusal::LifetimeTooLong);
    }
    Ok(())
}

fn grants(
    claims: Claims,
    account_sid: AccountSid,
    key_sid: ApiKeySid,
    region: Option<String>,
) -> Result<VerifiedToken, TokenRefusal> {
    let identity = claims.grants.identity.ok_or(TokenRefusal::Grants)?;
    let identity = ClientIdentity::parse(&identity).map_err(|_| TokenRefusal::Identity)?;
    let voice = claims.grants.voice.ok_or(TokenRefusal::Grants)?;
    let (outgoing_application, outgoing_params) = match voice.outgoing {
        Some(grant) => {
            let sid = TwimlAppSid::parse(&grant.application_sid).map_err(|_| TokenRefusal::Grants)?;
            (Some(sid), grant.params.into_iter().collect())
        }
        None => (None, Vec::new()),
    };
    Ok(VerifiedToken {
        account_sid,
        key_sid,
        identity,
        incoming: voice.incoming.is_some_and(|grant| grant.allow),
        outgoing_application,
        outgoing_params,
        region,
        jti: claims.jti,
        expires_at_s: claims.exp,
    })
}
