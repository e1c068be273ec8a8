//! How Twilio signs its webhooks: the Webhooks configuration API (public beta, September 2026).
//!
//! A shared key signs in place of the Auth Token, for the addresses that a rule says: a key is named in a setting,
//! a setting in a rule. A rule takes up to a minute to spread; the operation that is answered tells when it has.
//! Names are those of twilio-python 9.13 (`twilio/rest/webhooks/v1`); twilio-oai does not have this product yet.
//! Whether an account has it is to be asked first ([`Client::has_webhook_configuration`]).

use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::base_urls::Product;
use super::client::{Client, read_body};
use super::error::RestError;
use super::request::Request;
use super::times;
use crate::signature::HmacAlgorithm;

/// Twilio has at most so many of a kind, and a page holds as many.
const PAGE: &str = "50";

/// A shared key, whose secret was told when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SharedKey {
    /// Twilio's name of it.
    pub id: String,
    /// The account's name for it.
    #[serde(default)]
    pub friendly_name: Option<String>,
    /// Unix milliseconds.
    #[serde(default, rename = "createdAt", deserialize_with = "times::optional")]
    pub created_ms: Option<i64>,
}

/// A shared key that was just made.
#[derive(Debug, Clone)]
pub struct NewSharedKey {
    /// Twilio's name of it, which signed requests carry.
    pub id: String,
    /// Told this once.
    pub secret: SecretString,
}

/// How a webhook is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSetting {
    /// Twilio's name of it.
    pub id: String,
    /// The account's name for it.
    pub friendly_name: Option<String>,
    /// The shared key that signs, and by which algorithm; the Auth Token when absent.
    pub signed_by: Option<(String, HmacAlgorithm)>,
}

/// Which addresses a rule is for. The longest exact one goes first, then the longest beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookMatch {
    /// This one; it does not end in a slash.
    Exact(String),
    /// Those that begin so; it ends in a slash.
    Prefix(String),
    /// All others.
    Default,
}

/// For which addresses which setting is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRule {
    /// Twilio's name of it.
    pub id: String,
    /// The account's name for it.
    pub friendly_name: Option<String>,
    /// Which addresses.
    pub matches: WebhookMatch,
    /// The settings that share the requests.
    pub settings: Vec<String>,
}

/// A change that spreads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookOperation {
    /// Twilio's name of it.
    pub id: String,
    /// What is changed: the rule.
    #[serde(default)]
    pub resource_id: Option<String>,
    /// Twilio's word for how far it is.
    #[serde(default)]
    pub status: Option<String>,
    /// Unix milliseconds of its end; absent while it spreads.
    #[serde(default, rename = "completedAt", deserialize_with = "times::optional")]
    pub completed_ms: Option<i64>,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<Value>,
}

impl WebhookOperation {
    /// Whether it still spreads.
    pub fn is_pending(&self) -> bool {
        self.completed_ms.is_none() && self.error.is_none()
    }
}

/// What came of a request that Twilio sent to try an address out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestDelivery {
    /// HTTP status of the answer; absent when there was none.
    pub status: Option<u16>,
    /// Milliseconds it took.
    pub took_ms: Option<u64>,
    /// Why there was no answer, in Twilio's words.
    pub error: Option<String>,
}

#[derive(Deserialize)]
struct KeyBody {
    id: String,
    secret: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SettingBody {
    id: String,
    #[serde(default)]
    friendly_name: Option<String>,
    #[serde(default)]
    signature: Option<SignatureBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignatureBody {
    #[serde(default)]
    shared_key_id: Option<String>,
    #[serde(default)]
    algorithm: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleBody {
    id: String,
    #[serde(default)]
    friendly_name: Option<String>,
    match_type: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    prefix: Option<String>,
    #[serde(default)]
    settings: Vec<SettingReference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SettingReference {
    setting_id: String,
}

/// What a change of rules is answered with.
#[derive(Deserialize)]
struct OperationBody {
    operation: WebhookOperation,
}

#[derive(Deserialize)]
struct Page {
    meta: Option<Meta>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    #[serde(default)]
    next_token: Option<String>,
}

impl From<SettingBody> for WebhookSetting {
    fn from(body: SettingBody) -> Self {
        let signed_by = body.signature.and_then(|signature| {
            let algorithm = HmacAlgorithm::from_wire(&signature.algorithm?)?;
            Some((signature.shared_key_id?, algorithm))
        });
        Self { id: body.id, friendly_name: body.friendly_name, signed_by }
    }
}

/// What a rule is for decides which requests are signed how: one that cannot be read is not guessed at.
impl TryFrom<RuleBody> for WebhookRule {
    type Error = RestError;
    fn try_from(body: RuleBody) -> Result<Self, RestError> {
        let matches = match (body.match_type.as_str(), body.value, body.prefix) {
            ("EXACT_MATCH", Some(value), _) => WebhookMatch::Exact(value),
            ("PREFIX_MATCH", _, Some(prefix)) => WebhookMatch::Prefix(prefix),
            ("DEFAULT", _, _) => WebhookMatch::Default,
            _ => {
                let detail = "a rule is for addresses of a kind that is not known".into();
                return Err(RestError::Malformed { detail });
            }
        };
        let settings = body.settings.into_iter().map(|setting| setting.setting_id).collect();
        Ok(Self { id: body.id, friendly_name: body.friendly_name, matches, settings })
    }
}

impl Client {
    /// Whether the account can have its webhooks signed with a key of their own, and these credentials may
    /// arrange it.
    pub async fn has_webhook_configuration(&self) -> Result<bool, RestError> {
        let request = get(&["SharedKeys"]).query("pageSize", Some("1"));
        match self.send(&request, None).await {
            Ok(_) => Ok(true),
            Err(RestError::Refused { status: 403 | 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The account's shared keys.
    pub async fn shared_keys(&self) -> Result<Vec<SharedKey>, RestError> {
        self.webhook_list("SharedKeys", "sharedKeys").await
    }

    /// Makes a shared key. Its secret is told this once.
    pub async fn create_shared_key(&self, friendly_name: &str) -> Result<NewSharedKey, RestError> {
        let request = post(&["SharedKeys"], json!({ "friendlyName": friendly_name }));
        let KeyBody { id, secret } = self.read(&request).await?;
        Ok(NewSharedKey { id, secret: secret.into() })
    }

    /// Deletes a shared key that no setting names.
    pub async fn delete_shared_key(&self, id: &str) -> Result<(), RestError> {
        self.done(&delete(&["SharedKeys", id])).await
    }

    /// The account's settings.
    pub async fn webhook_settings(&self) -> Result<Vec<WebhookSetting>, RestError> {
        let settings: Vec<SettingBody> = self.webhook_list("Settings", "settings").await?;
        Ok(settings.into_iter().map(WebhookSetting::from).collect())
    }

    /// Makes a setting that has a shared key sign.
    pub async fn create_webhook_setting(
        &self,
        friendly_name: &str,
        shared_key: &str,
        algorithm: HmacAlgorithm,
    ) -> Result<WebhookSetting, RestError> {
        let signature =
            json!({ "type": "SHARED_KEY", "sharedKeyId": shared_key, "algorithm": algorithm.as_wire() });
        let request = post(&["Settings"], json!({ "friendlyName": friendly_name, "signature": signature }));
        self.read::<SettingBody>(&request).await.map(WebhookSetting::from)
    }

    /// Deletes a setting that no rule names.
    pub async fn delete_webhook_setting(&self, id: &str) -> Result<(), RestError> {
        self.done(&delete(&["Settings", id])).await
    }

    /// The account's rules.
    pub async fn webhook_rules(&self) -> Result<Vec<WebhookRule>, RestError> {
        let rules: Vec<RuleBody> = self.webhook_list("Rules", "rules").await?;
        rules.into_iter().map(WebhookRule::try_from).collect()
    }

    /// Makes a rule that gives all requests to the addresses that match to one setting. One that there is for
    /// the same addresses already, or is being made, is 59103.
    pub async fn create_webhook_rule(
        &self,
        friendly_name: &str,
        matches: &WebhookMatch,
        setting: &str,
    ) -> Result<WebhookOperation, RestError> {
        let mut body = json!({
            "friendlyName": friendly_name,
            "settings": [{ "settingId": setting, "percentage": 100 }],
        });
        match matches {
            WebhookMatch::Exact(value) => {
                body["matchType"] = json!("EXACT_MATCH");
                body["value"] = json!(value);
            }
            WebhookMatch::Prefix(prefix) => {
                body["matchType"] = json!("PREFIX_MATCH");
                body["prefix"] = json!(prefix);
            }
            WebhookMatch::Default => body["matchType"] = json!("DEFAULT"),
        }
        self.read::<OperationBody>(&post(&["Rules"], body)).await.map(|body| body.operation)
    }

    /// Gives all requests to the addresses of a rule to another setting.
    pub async fn update_webhook_rule(&self, id: &str, setting: &str) -> Result<WebhookOperation, RestError> {
        let body = json!({ "settings": [{ "settingId": setting, "percentage": 100 }] });
        let request = Request::patch(path(&["Rules", id])).on(Product::Webhooks).json(body);
        self.read::<OperationBody>(&request).await.map(|body| body.operation)
    }

    /// Deletes a rule. `None` where a try whose answer was lost had done so.
    pub async fn delete_webhook_rule(&self, id: &str) -> Result<Option<WebhookOperation>, RestError> {
        let body = self.send(&delete(&["Rules", id]), None).await?;
        if body.is_empty() {
            return Ok(None);
        }
        read_body::<OperationBody>(&body).map(|body| Some(body.operation))
    }

    /// How far a change has spread.
    pub async fn webhook_operation(&self, id: &str) -> Result<WebhookOperation, RestError> {
        self.read(&get(&["Operations", id])).await
    }

    /// The account's changes, those that spread and those that Twilio still knows of.
    pub async fn webhook_operations(&self) -> Result<Vec<WebhookOperation>, RestError> {
        self.webhook_list("Operations", "operations").await
    }

    /// Has Twilio send a `POST` to `url`, as `setting` says or the rules do, and tells what came of it. What is
    /// sent is no webhook about a call.
    pub async fn test_webhook(&self, url: &str, setting: Option<&str>) -> Result<TestDelivery, RestError> {
        let mut body = json!({ "url": url, "method": "POST" });
        if let Some(setting) = setting {
            body["settingId"] = json!(setting);
        }
        let answer: Value = self.read(&post(&["Tests"], body)).await?;
        let result = &answer["result"];
        let status = result["response"]["statusCode"].as_u64();
        Ok(TestDelivery {
            status: status.and_then(|status| u16::try_from(status).ok()),
            took_ms: result["timing"]["totalMs"].as_u64(),
            error: result["error"].as_str().map(str::to_owned),
        })
    }

    /// All of a kind. Lists of this product go on by a token, not by an address.
    async fn webhook_list<T: DeserializeOwned>(&self, kind: &str, key: &str) -> Result<Vec<T>, RestError> {
        let malformed = |detail: String| RestError::Malformed { detail };
        let mut items: Vec<T> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = get(&[kind]).query("pageSize", Some(PAGE)).query("pageToken", token.clone());
            let mut page: Page = read_body(&self.send(&request, None).await?)?;
            let found = page.rest.remove(key).ok_or_else(|| malformed(format!("it has no {key}")))?;
            let found: Vec<T> = serde_json::from_value(found)
                .map_err(|_| malformed(format!("an item of {key} is not as expected")))?;
            let more = page.meta.and_then(|meta| meta.next_token).filter(|next| !next.is_empty());
            if more.is_some() && (found.is_empty() || more == token) {
                return Err(malformed("a page leads back to itself".into()));
            }
            items.extend(found);
            if more.is_none() {
                return Ok(items);
            }
            token = more;
        }
    }
}

fn path(segments: &[&str]) -> Vec<String> {
    ["v1", "Webhooks"].iter().chain(segments).map(|text| (*text).to_owned()).collect()
}

fn get(segments: &[&str]) -> Request {
    Request::get(path(segments)).on(Product::Webhooks)
}

fn post(segments: &[&str], body: Value) -> Request {
    Request::post(path(segments)).on(Product::Webhooks).json(body)
}

fn delete(segments: &[&str]) -> Request {
    Request::delete(path(segments)).on(Product::Webhooks)
}
