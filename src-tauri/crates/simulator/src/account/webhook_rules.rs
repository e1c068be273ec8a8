//! How the account wants its webhooks signed and sent: shared keys, settings, and the rules that say
//! which addresses a setting is for (Twilio's Webhooks configuration API, public beta).
//!
//! A rule for exactly one address goes before one for addresses that begin so, the longer before the
//! shorter, and the default rule comes last. A rule may share its requests out among settings by
//! percentages, which make a hundred together.

use dialer_twilio::signature::{HmacAlgorithm, WebhookKey};
use secrecy::SecretString;
use serde_json::Value;
use std::time::Duration;
use url::Url;

use crate::webhook::{Patience, RetryOn};

/// A key of the account's own to sign webhooks with. Times are Unix milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct SharedKey {
    pub(crate) id: String,
    pub(crate) friendly_name: String,
    pub(crate) secret: SecretString,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
}

/// How a webhook is signed and sent. Times are Unix milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct WebhookSetting {
    pub(crate) id: String,
    pub(crate) friendly_name: Value,
    pub(crate) description: Value,
    /// Kept and shown; requests carry no credentials of their own here.
    pub(crate) auth: Value,
    /// The shared key's id and the algorithm; the Auth Token when absent.
    pub(crate) signature: Option<(String, HmacAlgorithm)>,
    pub(crate) connection: Value,
    pub(crate) edge_zones: Value,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
}

/// Which addresses a rule is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match {
    Exact(String),
    Prefix(String),
    Default,
}

/// For which addresses which settings are. Times are Unix milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct WebhookRule {
    pub(crate) id: String,
    pub(crate) friendly_name: Value,
    pub(crate) description: Value,
    pub(crate) matches: Match,
    /// Settings by id, each with its share of a hundred.
    pub(crate) settings: Vec<(String, u32)>,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
}

/// A change of rules, which Twilio makes some time after it was asked for. Times are Unix
/// milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct WebhookOperation {
    pub(crate) id: String,
    pub(crate) resource_id: String,
    /// Which addresses the rule is for afterwards; absent when it goes.
    pub(crate) matches: Option<Match>,
    pub(crate) created_ms: i64,
    pub(crate) completed_ms: Option<i64>,
}

/// All of it, each list in the order in which things were made.
#[derive(Debug, Default)]
pub(crate) struct WebhookRules {
    pub(crate) keys: Vec<SharedKey>,
    pub(crate) settings: Vec<WebhookSetting>,
    pub(crate) rules: Vec<WebhookRule>,
    pub(crate) operations: Vec<WebhookOperation>,
}

impl WebhookRules {
    /// What a request to `url` is signed with, if not the Auth Token, and how patiently it is sent;
    /// `draw`, 0 to 99, chooses among a rule's settings.
    pub(crate) fn of(&self, url: &Url, draw: u32) -> (Option<WebhookKey>, Patience) {
        let chosen = self.rule_for(url).and_then(|rule| {
            let mut left = draw;
            rule.settings.iter().find_map(|(id, share)| match left.checked_sub(*share) {
                Some(rest) => {
                    left = rest;
                    None
                }
                None => Some(id),
            })
        });
        match chosen.and_then(|id| self.setting(id)) {
            Some(setting) => self.by(setting),
            None => (None, Patience::default()),
        }
    }

    /// What a setting says.
    pub(crate) fn by(&self, setting: &WebhookSetting) -> (Option<WebhookKey>, Patience) {
        let key = setting.signature.as_ref().and_then(|(id, algorithm)| {
            let key = self.keys.iter().find(|key| key.id == *id)?;
            Some(WebhookKey::SharedKey { id: id.clone(), algorithm: *algorithm, secret: key.secret.clone() })
        });
        (key, patience(&setting.connection))
    }

    pub(crate) fn setting(&self, id: &str) -> Option<&WebhookSetting> {
        self.settings.iter().find(|setting| setting.id == id)
    }

    fn rule_for(&self, url: &Url) -> Option<&WebhookRule> {
        let mut bare = url.clone();
        bare.set_fragment(None);
        let rank = |rule: &WebhookRule| match &rule.matches {
            Match::Exact(value) if value == bare.as_str() => Some((2, value.len())),
            Match::Prefix(prefix) if bare.as_str().starts_with(prefix) => Some((1, prefix.len())),
            Match::Default => Some((0, 0)),
            Match::Exact(_) | Match::Prefix(_) => None,
        };
        let ranked = self.rules.iter().filter_map(|rule| Some((rank(rule)?, rule)));
        ranked.max_by_key(|(rank, _)| *rank).map(|(_, rule)| rule)
    }
}

/// The connection settings of the API as what they mean; what is absent stays Twilio's default.
fn patience(connection: &Value) -> Patience {
    let mut patience = Patience::default();
    let ms = |name: &str| connection[name].as_u64().map(Duration::from_millis);
    patience.connect = ms("connectTimeoutMs").unwrap_or(patience.connect);
    patience.read = ms("readTimeoutMs").unwrap_or(patience.read);
    patience.total = ms("totalTimeoutMs").unwrap_or(patience.total);
    let policy = &connection["retryPolicy"];
    if let Some(count) = policy["retryCount"].as_u64() {
        patience.retries = u32::try_from(count).unwrap_or(0);
    }
    if let Some(on) = policy["retryOn"].as_array() {
        let reasons = on.iter().filter_map(Value::as_str).flat_map(|word| match word {
            "HTTP_4XX" => &[RetryOn::ClientError][..],
            "HTTP_5XX" => &[RetryOn::ServerError],
            "CONNECTION_TIMEOUT" => &[RetryOn::Connect],
            "READ_TIMEOUT" => &[RetryOn::Read],
            "ALL" => &RetryOn::ALL,
            _ => &[],
        });
        patience.retry_on = reasons.copied().collect();
    }
    patience
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use serde_json::json;

    fn rules(matches: Vec<Match>) -> WebhookRules {
        let mut all = WebhookRules::default();
        for (index, matches) in matches.into_iter().enumerate() {
            let id = format!("s{index}");
            all.settings.push(WebhookSetting {
                id: id.clone(),
                friendly_name: Value::Null,
                description: Value::Null,
                auth: Value::Null,
                signature: None,
                connection: json!({ "retryPolicy": { "retryCount": index } }),
                edge_zones: Value::Null,
                created_ms: 0,
                updated_ms: 0,
            });
            all.rules.push(WebhookRule {
                id: format!("r{index}"),
                friendly_name: Value::Null,
                description: Value::Null,
                matches,
                settings: vec![(id, 100)],
                created_ms: 0,
                updated_ms: 0,
            });
        }
        all
    }

    #[test]
    fn the_exact_address_goes_before_the_longest_beginning_and_the_default() {
        let all = rules(vec![
            Match::Default,
            Match::Prefix("https://a.example/".into()),
            Match::Prefix("https://a.example/api/".into()),
            Match::Exact("https://a.example/api/x".into()),
        ]);
        for (url, retries) in [
            ("https://b.example/", 0),
            ("https://a.example/x", 1),
            ("https://a.example/api/y", 2),
            ("https://a.example/api/x#rc=1", 3),
        ] {
            assert_eq!(all.of(&Url::parse(url).unwrap(), 0).1.retries, retries, "{url}");
        }
    }

    #[test]
    fn a_share_of_the_requests_goes_by_the_setting() {
        let mut all = rules(vec![Match::Default, Match::Exact("https://b.example/".into())]);
        all.settings[0].connection = json!({ "retryPolicy": { "retryCount": 5, "retryOn": ["ALL"] } });
        all.rules[0].settings = vec![("s0".into(), 40), ("s1".into(), 60)];
        let url = Url::parse("https://a.example/").unwrap();
        let by_setting = (0..100).filter(|draw| all.of(&url, *draw).1.retries == 5).count();
        assert_eq!(by_setting, 40);
    }
}
