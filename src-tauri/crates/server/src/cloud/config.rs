//! What the environment says, under the names of the usual set-up guides.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use dialer_domain::call_flow::{self, Rules};
use dialer_domain::entry::{self, Cleaned, Field};
use dialer_domain::incoming::Known;
use dialer_domain::phone_number::{self, E164};
use dialer_domain::sid::{AccountSid, ApiKeySid, TwimlAppSid};
use dialer_engine::twilio_at::TwilioAt;
use dialer_gateway::AuthTokens;
use dialer_twilio::signature::{HmacAlgorithm, WebhookKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize as _;
use serde_json::Value;
use url::Url;

/// The fewest characters of `AGENT_API_TOKEN`: 128 bits in base64.
const AGENT_TOKEN_LENGTH: usize = 22;
/// More webhooks than the busiest number of calls a small office has brings.
const WEBHOOKS_PER_SECOND: u32 = 200;
/// A token lasts an hour; the rest is for restarts and for leave to call.
const TOKENS_PER_MINUTE: u32 = 10;
/// More calls at once than a small office places and passes on.
const MOST_CALLS: u32 = 100;

/// Everything the server is told from outside.
#[derive(Debug)]
pub struct Config {
    /// `TWILIO_ACCOUNT_SID`.
    pub account_sid: AccountSid,
    /// `TWILIO_AUTH_TOKEN`; absent where webhooks are signed with a shared key.
    pub auth_token: Option<SecretString>,
    /// `TWILIO_AUTH_TOKEN_SECONDARY`, while tokens are being changed.
    pub secondary_auth_token: Option<SecretString>,
    /// `TWILIO_WEBHOOK_KEY_ID`, `…_SECRET` and `…_ALGORITHM`: a key of Twilio's Webhooks configuration
    /// API. With it nothing else is believed.
    pub shared_key: Option<WebhookKey>,
    /// `TWILIO_API_KEY`.
    pub api_key: ApiKeySid,
    /// `TWILIO_API_SECRET`.
    pub api_secret: SecretString,
    /// `TWILIO_PHONE_NUMBER`.
    pub phone_number: E164,
    /// `TWILIO_TWIML_APP_SID`.
    pub twiml_app_sid: TwimlAppSid,
    /// `BACKEND_URL`: the address Twilio calls.
    pub backend_url: Url,
    /// `AGENT_API_TOKEN`.
    pub agent_token: SecretString,
    /// `DATABASE_URL`: an SQLite file.
    pub database: PathBuf,
    /// `REQUIRE_INTENT=1`: calls of agents are connected only if they were asked for.
    pub require_intent: bool,
    /// `RULES_FILE`: what calls may do, as JSON.
    pub rules: Rules,
    /// `WEBHOOKS_PER_SECOND`: how many of Twilio's requests are worked on in a second.
    pub webhooks_per_second: u32,
    /// `TOKENS_PER_MINUTE`: how often one agent may ask in a minute.
    pub tokens_per_minute: u32,
    /// `MOST_CALLS`: how many calls all agents together may have placed, callers passed on included; the rules'
    /// own number holds for each agent.
    pub most_calls: u32,
    /// `TWILIO_SIMULATOR`: a simulator at a loopback address, in place of twilio.com.
    pub twilio: TwilioAt,
}

/// What is missing or wrong, one sentence each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's configuration cannot be used:\n  {}", .0.join("\n  "))]
pub struct ConfigError(pub Vec<String>);

/// Reads `variable` from the environment: itself, or the file that `variable_FILE` names.
fn read(
    variable: &str,
    environment: &impl Fn(&str) -> Option<String>,
    problems: &mut Vec<String>,
) -> Option<String> {
    let value = environment(variable).filter(|value| !value.trim().is_empty());
    let file = environment(&format!("{variable}_FILE")).filter(|file| !file.is_empty());
    if value.is_some() && file.is_some() {
        problems.push(format!("{variable} and {variable}_FILE are both set. Leave one out."));
        return value;
    }
    if let Some(value) = value {
        let quoted = ['"', '\''].iter().any(|quote| value.starts_with(*quote) || value.ends_with(*quote));
        if quoted {
            problems
                .push(format!("{variable} has quotes around its value, which would count. Leave them out."));
        }
        return Some(value);
    }
    let file = file?;
    match std::fs::read_to_string(&file) {
        Ok(value) => Some(value.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => {
            problems.push(format!("{variable}_FILE names {file}, which cannot be read: {error}."));
            None
        }
    }
}

impl Config {
    /// Reads the environment of this process.
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// Reads an environment; every problem is told at once.
    pub fn read(environment: &impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let field = |name: &str, field: Field, problems: &mut Vec<String>| {
            let Some(text) = read(name, environment, problems) else {
                problems.push(format!("{name} is missing."));
                return None;
            };
            entry::check(field, &text).map_err(|problem| problems.push(format!("{name}: {problem}"))).ok()
        };
        let account_sid = field("TWILIO_ACCOUNT_SID", Field::AccountSid, &mut problems);
        let api_key = field("TWILIO_API_KEY", Field::ApiKey, &mut problems);
        let api_secret = field("TWILIO_API_SECRET", Field::ApiSecret, &mut problems);
        let phone_number = field("TWILIO_PHONE_NUMBER", Field::PhoneNumber, &mut problems);
        let app = field("TWILIO_TWIML_APP_SID", Field::TwimlAppSid, &mut problems);
        let backend_url = backend_url(environment, &mut problems);
        let shared_key = shared_key(environment, &mut problems);
        let auth_token = read("TWILIO_AUTH_TOKEN", environment, &mut problems);
        if auth_token.is_none() && shared_key.is_none() {
            problems.push(
                "TWILIO_AUTH_TOKEN is missing; webhooks are signed with it. In its place \
                 TWILIO_WEBHOOK_KEY_ID and TWILIO_WEBHOOK_KEY_SECRET can stand."
                    .into(),
            );
        }
        let auth_token =
            auth_token.and_then(|text| secret(Field::AuthToken, "TWILIO_AUTH_TOKEN", &text, &mut problems));
        let secondary_auth_token = read("TWILIO_AUTH_TOKEN_SECONDARY", environment, &mut problems)
            .and_then(|text| secret(Field::AuthToken, "TWILIO_AUTH_TOKEN_SECONDARY", &text, &mut problems));
        let agent_token = agent_token(environment, &mut problems);
        let database = database(environment("DATABASE_URL"), &mut problems);
        let require_intent = switch("REQUIRE_INTENT", environment, &mut problems);
        let own_numbers = match &phone_number {
            Some(Cleaned::PhoneNumber(number)) => vec![number.clone()],
            _ => Vec::new(),
        };
        let home_region = own_numbers.first().and_then(phone_number::region).unwrap_or_default();
        // Read only where rules may name one: they are some hundred files.
        let zones = match environment("RULES_FILE") {
            Some(_) => dialer_engine::local_time::zones().into_iter().collect(),
            None => Default::default(),
        };
        let known = Known { own_numbers, home_region, zones, ..Known::default() };
        let rules = rules(environment("RULES_FILE"), &known, &mut problems);
        let webhooks_per_second =
            rate("WEBHOOKS_PER_SECOND", WEBHOOKS_PER_SECOND, environment, &mut problems);
        let tokens_per_minute = rate("TOKENS_PER_MINUTE", TOKENS_PER_MINUTE, environment, &mut problems);
        let most_calls = rate("MOST_CALLS", MOST_CALLS, environment, &mut problems);
        let twilio = twilio(environment("TWILIO_SIMULATOR"), &mut problems);
        match (account_sid, api_key, api_secret, phone_number, app, backend_url, agent_token, database, rules)
        {
            (
                Some(Cleaned::AccountSid(account_sid)),
                Some(Cleaned::ApiKey(api_key)),
                Some(Cleaned::Secret(api_secret)),
                Some(Cleaned::PhoneNumber(phone_number)),
                Some(Cleaned::TwimlAppSid(twiml_app_sid)),
                Some(backend_url),
                Some(agent_token),
                Some(database),
                Some(rules),
            ) if problems.is_empty() => Ok(Self {
                account_sid,
                auth_token,
                secondary_auth_token,
                shared_key,
                api_key,
                api_secret,
                phone_number,
                twiml_app_sid,
                backend_url,
                agent_token,
                database,
                require_intent,
                rules,
                webhooks_per_second,
                tokens_per_minute,
                most_calls,
                twilio,
            }),
            _ => Err(ConfigError(problems)),
        }
    }
}

fn secret(field: Field, name: &str, text: &str, problems: &mut Vec<String>) -> Option<SecretString> {
    match entry::check(field, text) {
        Ok(Cleaned::Secret(secret)) => Some(secret),
        Ok(_) => None,
        Err(problem) => {
            problems.push(format!("{name}: {problem}"));
            None
        }
    }
}

/// An `http` address is for a Twilio on this computer: a simulator in a test.
fn backend_url(environment: &impl Fn(&str) -> Option<String>, problems: &mut Vec<String>) -> Option<Url> {
    let Some(text) = read("BACKEND_URL", environment, problems) else {
        problems.push(
            "BACKEND_URL is missing: the address Twilio calls, such as https://phone.example.com.".into(),
        );
        return None;
    };
    let here = Url::parse(&text).ok().filter(|url| {
        url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
    });
    if here.is_some() {
        return here;
    }
    match entry::check(Field::BackendUrl, &text) {
        Ok(Cleaned::BackendUrl(url)) => Url::parse(&url).ok(),
        Ok(_) => None,
        Err(problem) => {
            problems.push(format!("BACKEND_URL: {problem}"));
            None
        }
    }
}

fn shared_key(
    environment: &impl Fn(&str) -> Option<String>,
    problems: &mut Vec<String>,
) -> Option<WebhookKey> {
    let id = environment("TWILIO_WEBHOOK_KEY_ID").filter(|id| !id.trim().is_empty());
    let secret = read("TWILIO_WEBHOOK_KEY_SECRET", environment, problems);
    let algorithm = match environment("TWILIO_WEBHOOK_KEY_ALGORITHM").as_deref() {
        None | Some("" | "HMAC_SHA256") => HmacAlgorithm::Sha256,
        Some("HMAC_SHA1") => HmacAlgorithm::Sha1,
        Some(_) => {
            problems.push("TWILIO_WEBHOOK_KEY_ALGORITHM is HMAC_SHA256 or HMAC_SHA1.".into());
            return None;
        }
    };
    match (id, secret) {
        (Some(id), Some(secret)) => Some(WebhookKey::SharedKey { id, algorithm, secret: secret.into() }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            problems.push("TWILIO_WEBHOOK_KEY_ID and TWILIO_WEBHOOK_KEY_SECRET belong together.".into());
            None
        }
    }
}

fn agent_token(
    environment: &impl Fn(&str) -> Option<String>,
    problems: &mut Vec<String>,
) -> Option<SecretString> {
    let Some(token) = read("AGENT_API_TOKEN", environment, problems) else {
        problems.push(
            "AGENT_API_TOKEN is missing: what agents show to get an access token. Make one with \
             `openssl rand -base64 32`."
                .into(),
        );
        return None;
    };
    if token.len() < AGENT_TOKEN_LENGTH || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        problems.push(format!(
            "AGENT_API_TOKEN needs at least {AGENT_TOKEN_LENGTH} letters, digits or signs without spaces: whoever \
             guesses it can place calls."
        ));
        return None;
    }
    Some(token.into())
}

fn database(url: Option<String>, problems: &mut Vec<String>) -> Option<PathBuf> {
    let url = url.filter(|url| !url.trim().is_empty()).unwrap_or_else(|| "calls.sqlite".into());
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(&url);
    let path = path.split('?').next().unwrap_or_default();
    if path.contains("://") || path.is_empty() || path == ":memory:" {
        problems.push(
            "DATABASE_URL names an SQLite file, such as sqlite:///var/lib/dialer-server/calls.sqlite.".into(),
        );
        return None;
    }
    let path = PathBuf::from(path);
    if let Err(problem) = can_be_a_log(&path) {
        problems.push(format!("DATABASE_URL: {problem}"));
        return None;
    }
    Some(path)
}

/// A folder, or a file that never was a call log, must not be taken for a damaged one and set aside.
fn can_be_a_log(path: &Path) -> Result<(), String> {
    const SQLITE: &[u8] = b"SQLite format 3\0";
    let shown = path.display();
    let Ok(data) = path.metadata() else {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        return match parent {
            Some(parent) if !parent.is_dir() => {
                Err(format!("there is no folder {}. Make it, or correct the path.", parent.display()))
            }
            _ => Ok(()),
        };
    };
    if !data.is_file() {
        return Err(format!("{shown} is a folder. Name a file in it, such as {shown}/calls.sqlite."));
    }
    let mut head = [0; 16];
    let mut file = std::fs::File::open(path).map_err(|error| format!("{shown} cannot be read: {error}."))?;
    if data.len() > 0 && (file.read_exact(&mut head).is_err() || head != *SQLITE) {
        return Err(format!("{shown} is another file, not a call log. Name one that is not there yet."));
    }
    Ok(())
}

fn switch(name: &str, environment: &impl Fn(&str) -> Option<String>, problems: &mut Vec<String>) -> bool {
    match environment(name).as_deref().map(str::trim) {
        None | Some("" | "0" | "false") => false,
        Some("1" | "true") => true,
        Some(_) => {
            problems.push(format!("{name} is 1 or 0."));
            false
        }
    }
}

fn rate(
    name: &str,
    default: u32,
    environment: &impl Fn(&str) -> Option<String>,
    problems: &mut Vec<String>,
) -> u32 {
    let Some(text) = environment(name).filter(|text| !text.trim().is_empty()) else { return default };
    text.trim().parse().ok().filter(|rate| *rate > 0).unwrap_or_else(|| {
        problems.push(format!("{name} is a whole number from 1 on."));
        default
    })
}

fn twilio(simulator: Option<String>, problems: &mut Vec<String>) -> TwilioAt {
    let Some(text) = simulator.filter(|text| !text.trim().is_empty()) else { return TwilioAt::Twilio };
    let at = Url::parse(text.trim()).ok().and_then(|url| TwilioAt::simulator(url).ok());
    at.unwrap_or_else(|| {
        problems.push("TWILIO_SIMULATOR is a loopback address such as http://127.0.0.1:4000.".into());
        TwilioAt::Twilio
    })
}

fn rules(file: Option<String>, known: &Known, problems: &mut Vec<String>) -> Option<Rules> {
    let Some(file) = file.filter(|file| !file.trim().is_empty()) else { return Some(Rules::default()) };
    let read = || -> Result<(Value, Rules), String> {
        let bytes = std::fs::read(&file).map_err(|error| error.to_string())?;
        let given: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        if !given.is_object() {
            return Err("it must be a JSON object with outgoing and incoming".into());
        }
        let rules = Rules::deserialize(&given).map_err(|error| error.to_string())?;
        Ok((given, rules))
    };
    match read() {
        Ok((given, rules)) => {
            let mut found: Vec<String> = call_flow::problems(&rules, known)
                .into_iter()
                .map(|problem| format!("RULES_FILE, {}: {}", problem.path, problem.message))
                .collect();
            let understood = serde_json::to_value(&rules).unwrap_or_default();
            unknown_names(&given, &understood, "", &mut found);
            for region in rules.outgoing.countries.iter().flatten() {
                if !phone_number::regions().any(|(known, _)| known == region) {
                    found.push(format!(
                        "RULES_FILE, outgoing.countries: {region} is no country's ISO 3166 code, such as GB."
                    ));
                }
            }
            let sound = found.is_empty();
            problems.extend(found);
            sound.then_some(rules)
        }
        Err(error) => {
            problems.push(format!("RULES_FILE names {file}, which cannot be used: {error}."));
            None
        }
    }
}

/// A name that nobody reads is a rule that does not hold.
fn unknown_names(given: &Value, understood: &Value, path: &str, problems: &mut Vec<String>) {
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => {
            for (name, value) in given {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match understood.get(name) {
                    Some(known) => unknown_names(value, known, &path, problems),
                    None => problems.push(format!("RULES_FILE, {path}: there is no such rule.")),
                }
            }
        }
        (Value::Array(given), Value::Array(understood)) => {
            for (index, (value, known)) in given.iter().zip(understood).enumerate() {
                unknown_names(value, known, &format!("{path}.{index}"), problems);
            }
        }
        _ => {}
    }
}

/// The keys webhooks are signed with.
pub(super) struct SigningKeys {
    account: AccountSid,
    keys: Arc<[WebhookKey]>,
}

impl SigningKeys {
    /// With a shared key nothing else is believed: a request that names none would be a way around it.
    pub(super) fn of(config: &Config) -> Self {
        let again = |secret: &SecretString| SecretString::from(secret.expose_secret().to_owned());
        let keys = match &config.shared_key {
            Some(key) => Arc::from([key.clone()]),
            None => config
                .auth_token
                .iter()
                .chain(&config.secondary_auth_token)
                .map(|token| WebhookKey::AuthToken(again(token)))
                .collect(),
        };
        Self { account: config.account_sid.clone(), keys }
    }
}

#[async_trait]
impl AuthTokens for SigningKeys {
    async fn keys(&self, account: Option<&AccountSid>) -> Option<Arc<[WebhookKey]>> {
        account.is_none_or(|account| *account == self.account).then(|| Arc::clone(&self.keys))
    }
}

#[cfg(test)]
mod tests;
