//! Access tokens against `vectors/token_vectors.json`, and every way to be refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dialer_domain::sid::{AccountSid, ApiKeySid, TwimlAppSid};
use dialer_twilio::access_token::{
    AccessToken, AccessTokenError, Claims, SigningKey, TokenRefusal, VerifiedToken, verify,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    library: String,
    now: i64,
    account_sid: String,
    key_sid: String,
    secret: String,
    options: Value,
    grant: Value,
    header: Value,
    payload: Value,
    jwt: String,
}

impl Vector {
    fn key(&self) -> SigningKey {
        SigningKey {
            account_sid: AccountSid::parse(&self.account_sid).unwrap(),
            secret: SecretString::from(self.secret.clone()),
        }
    }

    fn granted(&self, node: &str, python: &str) -> Option<&Value> {
        self.grant.get(node).or_else(|| self.grant.get(python))
    }

    /// The vector's options in our own builder.
    fn token(&self) -> Result<AccessToken, AccessTokenError> {
        let identity = match self.options.get("identity") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let account = AccountSid::parse(&self.account_sid).unwrap();
        let mut token = AccessToken::new(account, ApiKeySid::parse(&self.key_sid).unwrap(), &identity)?
            .ttl_s(u32::try_from(self.options["ttl"].as_u64().unwrap()).unwrap())
            .incoming(self.granted("incomingAllow", "incoming_allow") == Some(&json!(true)));
        if let Some(sid) = self.granted("outgoingApplicationSid", "outgoing_application_sid") {
            token = token.outgoing(TwimlAppSid::parse(sid.as_str().unwrap()).unwrap());
        }
        if let Some(params) = self.granted("outgoingApplicationParams", "outgoing_application_params") {
            for (name, value) in params.as_object().unwrap() {
                token = token.outgoing_param(name, value.as_str().unwrap());
            }
        }
        if let Some(credential) = self.grant.get("push_credential_sid") {
            token = token.push(credential.as_str().unwrap(), self.grant["endpoint_id"].as_str().unwrap());
        }
        if let Some(region) = self.options.get("region") {
            token = token.region(region.as_str().unwrap());
        }
        Ok(token)
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str::<File>(include_str!("vectors/token_vectors.json")).unwrap().vectors
}

fn decoded(jwt: &str, part: usize) -> Value {
    let part = jwt.split('.').nth(part).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Whether HS256 of the first two parts is the third, by a library that has no part in signing.
fn is_signed_with(jwt: &str, secret: &str) -> bool {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.chain_update(message).verify_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).is_ok()
}

#[test]
fn the_builder_says_what_the_libraries_say() {
    let mut refused = Vec::new();
    for vector in vectors() {
        let name = format!("{} ({})", vector.id, vector.library);
        let token = match vector.token() {
            Ok(token) => token,
            Err(AccessTokenError::Identity(_)) => {
                refused.push(vector.id);
                continue;
            }
            Err(other) => panic!("{name}: {other}"),
        };
        let issued = token.sign(vector.now * 1_000, &vector.key().secret).unwrap();
        let jwt = issued.jwt.expose_secret();
        assert!(is_signed_with(jwt, &vector.secret), "{name}");
        assert_eq!(decoded(jwt, 0), vector.header, "{name}");
        // The libraries disagree about `iat` and `nbf`; ours are always there.
        let mut expected = vector.payload;
        expected["iat"] = json!(vector.now);
        expected["nbf"] = json!(vector.now - 30);
        assert_eq!(decoded(jwt, 1), expected, "{name}");
    }
    // The libraries sign what the Voice SDK would not accept; this program does not.
    assert_eq!(refused, ["unicode-identity", "no-identity"]);
}

#[test]
fn the_claims_can_say_everything_the_libraries_say() {
    for vector in vectors() {
        let claims: Claims = serde_json::from_value(vector.payload.clone()).unwrap();
        let region = vector.options.get("region").and_then(Value::as_str);
        let jwt = claims.sign(region, &vector.key().secret).unwrap();
        assert_eq!(decoded(jwt.expose_secret(), 0), vector.header, "{}", vector.id);
        assert_eq!(decoded(jwt.expose_secret(), 1), vector.payload, "{}", vector.id);
        assert!(is_signed_with(jwt.expose_secret(), &vector.secret), "{}", vector.id);
    }
}

#[test]
fn tokens_of_the_libraries_are_accepted() {
    for vector in vectors() {
        let answer =
            verify(&vector.jwt, vector.now, |sid| (sid.as_str() == vector.key_sid).then(|| vector.key()));
        match vector.id.as_str() {
            "unicode-identity" => assert_eq!(answer, Err(TokenRefusal::Identity)),
            "no-identity" => assert_eq!(answer, Err(TokenRefusal::Grants)),
            id => {
                let verified = answer.unwrap_or_else(|refusal| panic!("{id}: {refusal}"));
                assert_eq!(verified.incoming, id != "incoming-false", "{id}");
                assert_eq!(verified.outgoing_application.is_some(), id != "incoming-only", "{id}");
                assert_eq!(verified.region.as_deref(), (id == "region").then_some("ie1"), "{id}");
                assert_eq!(verified.outgoing_params.len(), if id == "params" { 2 } else { 0 }, "{id}");
            }
        }
    }
}

const NOW: i64 = 1_767_225_600;
const SECRET: &str = "fakeSecretForThisTest";

fn good() -> Claims {
    AccessToken::new(AccountSid::from_bytes([1; 16]), ApiKeySid::from_bytes([2; 16]), "agent_1")
        .unwrap()
        .outgoing(TwimlAppSid::from_bytes([3; 16]))
        .incoming(true)
        .claims(NOW)
        .unwrap()
}

fn check(jwt: &str, now_s: i64) -> Result<VerifiedToken, TokenRefusal> {
    verify(jwt, now_s, |sid| {
        (sid == &ApiKeySid::from_bytes([2; 16])).then(|| SigningKey {
            account_sid: AccountSid::from_bytes([1; 16]),
            secret: SecretString::from(SECRET),
        })
    })
}

fn check_claims(change: impl FnOnce(&mut Claims)) -> Result<VerifiedToken, TokenRefusal> {
    let mut claims = good();
    change(&mut claims);
    check(claims.sign(None, &SecretString::from(SECRET)).unwrap().expose_secret(), NOW)
}

/// A JWT with any header and payload, properly signed by HS256.
fn check_raw(header: Value, payload: &Value) -> Result<VerifiedToken, TokenRefusal> {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(payload));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(&message);
    check(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())), NOW)
}

#[test]
fn a_good_token_says_who_may_do_what() {
    let verified = check_claims(|_| ()).unwrap();
    assert_eq!(verified.account_sid, AccountSid::from_bytes([1; 16]));
    assert_eq!(verified.key_sid, ApiKeySid::from_bytes([2; 16]));
    assert_eq!(verified.identity.as_str(), "agent_1");
    assert_eq!(verified.outgoing_application, Some(TwimlAppSid::from_bytes([3; 16])));
    assert!(verified.incoming);
    assert_eq!(verified.expires_at_s, NOW + 3_600);
}

#[test]
fn every_claim_is_looked_at() {
    type Change = fn(&mut Claims);
    let cases: [(Change, TokenRefusal); 14] = [
        (|c| c.iss = "SK1".into(), TokenRefusal::IssuerOrSubject),
        (|c| c.iss = ApiKeySid::from_bytes([9; 16]).to_string(), TokenRefusal::UnknownKey),
        (|c| c.sub = "someone".into(), TokenRefusal::IssuerOrSubject),
        (|c| c.sub = AccountSid::from_bytes([9; 16]).to_string(), TokenRefusal::IssuerOrSubject),
        (|c| c.exp = NOW, TokenRefusal::Expired),
        (|c| c.iat = Some(c.exp), TokenRefusal::Expired),
        (|c| c.nbf = Some(NOW + 1), TokenRefusal::NotYetValid),
        (|c| c.iat = Some(NOW + 31), TokenRefusal::NotYetValid),
        (|c| c.exp = NOW + 86_401, TokenRefusal::LifetimeTooLong),
        (|c| c.exp = i64::MAX, TokenRefusal::LifetimeTooLong),
        (|c| c.grants.identity = None, TokenRefusal::Grants),
        (|c| c.grants.identity = Some("a b".into()), TokenRefusal::Identity),
        (|c| c.grants.voice = None, TokenRefusal::Grants),
        (
            |c| c.grants.voice.as_mut().unwrap().outgoing.as_mut().unwrap().application_sid = "AP1".into(),
            TokenRefusal::Grants,
        ),
    ];
    for (number, (change, refusal)) in cases.into_iter().enumerate() {
        assert_eq!(check_claims(change), Err(refusal), "case {number}");
    }
    assert!(check_claims(|c| c.exp = NOW + 86_400).is_ok());
    assert!(check_claims(|c| (c.iat, c.nbf) = (None, None)).is_ok());
    assert!(check_claims(|c| c.iat = Some(NOW + 30)).is_ok());
}

#[test]
fn the_header_is_looked_at() {
    let payload = serde_json::to_value(good()).unwrap();
    let header = |alg: &str, cty: &str| json!({"alg": alg, "typ": "JWT", "cty": cty});
    assert!(check_raw(header("HS256", "twilio-fpa;v=1"), &payload).is_ok());
    assert_eq!(check_raw(header("none", "twilio-fpa;v=1"), &payload), Err(TokenRefusal::Algorithm));
    assert_eq!(check_raw(header("HS512", "twilio-fpa;v=1"), &payload), Err(TokenRefusal::Algorithm));
    assert_eq!(check_raw(header("HS256", "twilio-fpa;v=2"), &payload), Err(TokenRefusal::ContentType));
    assert_eq!(check_raw(json!({"alg": "HS256", "typ": "JWT"}), &payload), Err(TokenRefusal::ContentType));
    assert_eq!(
        check_raw(json!({"typ": "JWT", "cty": "twilio-fpa;v=1"}), &payload),
        Err(TokenRefusal::Malformed)
    );
}

#[test]
fn a_token_that_is_none_is_malformed() {
    let mut lacking = serde_json::to_value(good()).unwrap();
    lacking.as_object_mut().unwrap().remove("exp");
    assert_eq!(
        check_raw(json!({"alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1"}), &lacking),
        Err(TokenRefusal::Malformed)
    );
    for text in ["", "not-a-jwt", "a.b", "..", "e30.e30.e30", "💥.💥.💥"] {
        assert_eq!(check(text, NOW), Err(TokenRefusal::Malformed), "{text}");
    }
}

#[test]
fn a_token_that_was_touched_is_refused() {
    let jwt = good().sign(None, &SecretString::from(SECRET)).unwrap();
    let (message, signature) = jwt.expose_secret().rsplit_once('.').unwrap();
    assert_eq!(check(&format!("{message}."), NOW), Err(TokenRefusal::Signature));
    assert_eq!(
        check(&format!("{message}.{}", signature.replace(|c: char| c.is_ascii_lowercase(), "A")), NOW),
        Err(TokenRefusal::Signature)
    );
    let other = good().sign(None, &SecretString::from("another")).unwrap();
    assert_eq!(check(other.expose_secret(), NOW), Err(TokenRefusal::Signature));
}

#[test]
fn each_refusal_has_twilios_code() {
    assert_eq!(TokenRefusal::Malformed.code(), 20_101);
    assert_eq!(TokenRefusal::ContentType.code(), 20_102);
    assert_eq!(TokenRefusal::UnknownKey.code(), 20_103);
    assert_eq!(TokenRefusal::Expired.code(), 20_104);
    assert_eq!(TokenRefusal::NotYetValid.code(), 20_105);
    assert_eq!(TokenRefusal::Grants.code(), 20_106);
    assert_eq!(TokenRefusal::Signature.code(), 20_107);
    assert_eq!(TokenRefusal::LifetimeTooLong.code(), 20_157);
    assert_eq!(TokenRefusal::Expired.signalling_code(), 31_205);
    assert_eq!(TokenRefusal::LifetimeTooLong.signalling_code(), 31_207);
}
