//! Sending requests and reading their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dialer_domain::ports::{Clock, SystemClock};
use dialer_domain::sid::AccountSid;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use super::base_urls::BaseUrls;
use super::credentials::{CredentialKind, Credentials};
use super::error::{RestError, UnreachableCause, without_numbers};
use super::request::{Expected, Request};
use super::retry::{Outcome, next_try};
use super::{times, transport};

/// Far above the largest page there is, a thousand numbers of some 2 kB each.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
/// How long a recording may take to arrive: at its longest, on a line that could carry a call.
const SOUND_TIMEOUT: Duration = Duration::from_secs(300);
/// No `Date` has been seen.
const NO_OFFSET: i64 = i64::MIN;

/// Waits between two tries. Injected so that tests need not.
#[async_trait]
pub trait Pause: Send + Sync + 'static {
    /// Returns after `duration`.
    async fn pause(&self, duration: Duration);
}

/// Waits by tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimerPause;

#[async_trait]
impl Pause for TimerPause {
    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// How a [`Client`] behaves.
#[derive(Clone)]
pub struct ClientOptions {
    /// This computer's clock, which Twilio's is compared with.
    pub clock: Arc<dyn Clock>,
    /// For the waits between tries.
    pub pause: Arc<dyn Pause>,
    /// How long one connection may take to come to be.
    pub connect_timeout: Duration,
    /// How long one try may take in all, without the waits between tries.
    pub timeout: Duration,
    /// How many requests may be under way at a time.
    pub concurrent: usize,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            pause: Arc::new(TimerPause),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
            concurrent: 4,
        }
    }
}

impl std::fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("concurrent", &self.concurrent)
            .finish_non_exhaustive()
    }
}

/// Twilio's REST API for one account. Clones share connections, the limit of requests at a time and
/// what is known of Twilio's clock.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    base: BaseUrls,
    credentials: Credentials,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
    slots: Semaphore,
    /// Twilio's clock minus this one, in milliseconds.
    offset_ms: AtomicI64,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.shared.base)
            .field("credentials", &self.shared.credentials)
            .finish_non_exhaustive()
    }
}

/// One whole answer, of whatever status.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// Prepares a client; nothing is sent. A proxy is taken from the environment (`HTTPS_PROXY`,
    /// `NO_PROXY`), except for requests that stay on this computer. Fails where the system has no
    /// certificate authorities that could be trusted.
    pub fn new(base: BaseUrls, credentials: Credentials, options: ClientOptions) -> Result<Self, RestError> {
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .user_agent(concat!("kennex-dialer/", env!("CARGO_PKG_VERSION")));
        if base.are_loopback() {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| RestError::Unreachable {
            cause: UnreachableCause::Tls,
            detail: transport::chain_text(&error),
        })?;
        let shared = Shared {
            http,
            base,
            credentials,
            clock: options.clock,
            pause: options.pause,
            slots: Semaphore::new(options.concurrent.max(1)),
            offset_ms: AtomicI64::new(NO_OFFSET),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The account whose resources are asked for.
    pub fn account_sid(&self) -> &AccountSid {
        self.shared.credentials.account()
    }

    /// Whether the Auth Token or a key signs requests.
    pub fn credential_kind(&self) -> CredentialKind {
        self.shared.credentials.kind()
    }

    /// Twilio's clock minus this computer's, in milliseconds, by the last answer of Twilio's; good to
    /// about a second. `None` before the first.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        Some(self.shared.offset_ms.load(Ordering::Relaxed)).filter(|offset| *offset != NO_OFFSET)
    }

    pub(crate) fn base(&self) -> &BaseUrls {
        &self.shared.base
    }

    /// The path of one of the account's own resources, `.json` at the end.
    pub(crate) fn path(&self, segments: &[&str]) -> Vec<String> {
        let account = ["2010-04-01", "Accounts", self.account_sid().as_str()];
        let mut path: Vec<String> = account.iter().chain(segments).map(|text| (*text).to_owned()).collect();
        if let Some(last) = path.last_mut() {
            last.push_str(".json");
        }
        path
    }

    /// Sends `request` and reads the answer.
    pub(crate) async fn read<T: DeserializeOwned>(&self, request: &Request) -> Result<T, RestError> {
        read_body(&self.send(request, None).await?)
    }

    /// Sends `request`, whose answer says nothing more than that it was done.
    pub(crate) async fn done(&self, request: &Request) -> Result<(), RestError> {
        self.send(request, None).await.map(drop)
    }

    /// Sends `request`, to `page` if given, as often as [`next_try`] says, and answers with the body of
    /// a success.
    pub(crate) async fn send(&self, request: &Request, page: Option<&Url>) -> Result<Vec<u8>, RestError> {
        let kind = self.credential_kind();
        if let (Some(what), CredentialKind::ApiKey) = (request.owner_only, kind) {
            return Err(RestError::WrongKeyClass { what });
        }
        let url = match page {
            Some(page) => page.clone(),
            None => self.address(request)?,
        };
        let name = request.json.as_ref().map(|_| self.new_name());
        let mut tries = 0;
        let mut may_be_done = false;
        loop {
            tries += 1;
            let (error, outcome) = match self.try_once(request, name.as_deref(), url.clone()).await {
                Ok(answer) => {
                    let now_ms = self.shared.clock.now_ms();
                    let retry_after = retry_after(&answer.headers, now_ms);
                    let code = if answer.status < 400 { None } else { error_body(&answer.body).0 };
                    let outcome = Outcome::Status { status: answer.status, code, retry_after };
                    match judge(answer, request.answer, kind, retry_after) {
                        Ok(body) => return Ok(body),
                        Err(error) => (error, outcome),
                    }
                }
                Err(failed) => failed,
            };
            // What an earlier try deleted is not there for the next.
            if may_be_done && request.method == Method::DELETE && error.is_not_found() {
                return Ok(Vec::new());
            }
            may_be_done |= outcome.may_be_done();
            let Some(delay) = next_try(tries, request.repeatable, outcome, rand::random()) else {
                return Err(error);
            };
            tracing::debug!(product = ?request.product, tries, ?outcome, ?delay, "sending again");
            self.shared.pause.pause(delay).await;
        }
    }

    fn address(&self, request: &Request) -> Result<Url, RestError> {
        let segments = request.segments.iter().map(String::as_str);
        let mut url = self
            .base()
            .resource(request.product, segments)
            .ok_or_else(|| RestError::Malformed { detail: "its address cannot be written".into() })?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }

    /// A UUID of version 7, the only ones that Twilio takes for an `Idempotency-Key`.
    fn new_name(&self) -> String {
        let now_ms = u64::try_from(self.shared.clock.now_ms()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(now_ms, &rand::random()).into_uuid().to_string()
    }

    async fn try_once(
        &self,
        request: &Request,
        name: Option<&str>,
        url: Url,
    ) -> Result<Answer, (RestError, Outcome)> {
        // The semaphore is never closed; without a slot there would still be an answer.
        let _slot = self.shared.slots.acquire().await;
        let (user, password) = self.shared.credentials.basic();
        let mut building = self
            .shared
            .http
            .request(request.method.clone(), url)
            .basic_auth(user, Some(password.expose_secret()));
        if let Some(name) = name {
            building = building.header("idempotency-key", name);
        }
        match &request.json {
            Some(body) => building = building.json(body),
            None if request.method == Method::POST => building = building.form(&request.form),
            None => {}
        }
        let longest = match request.answer {
            Expected::Json => LARGEST_ANSWER,
            Expected::Sound(longest) => {
                building = building.timeout(SOUND_TIMEOUT);
                longest
            }
        };
        let sent_ms = self.shared.clock.now_ms();
        let mut response = building.send().await.map_err(transport::classify)?;
        let received_ms = self.shared.clock.now_ms();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport::classify)? {
            if body.len() + chunk.len() > longest {
                let detail = format!("it is longer than {longest} bytes");
                return Err((RestError::Malformed { detail }, Outcome::Final));
            }
            body.extend_from_slice(&chunk);
        }
        let status = response.status().as_u16();
        tracing::debug!(product = ?request.product, method = %request.method, status, "answered");
        let answer = Answer { status, headers: response.headers().clone(), body };
        if answer.is_twilios() {
            self.note_clock(&answer.headers, sent_ms, received_ms);
        }
        Ok(answer)
    }

    /// `Date` has whole seconds and was written somewhere between sending and receiving.
    fn note_clock(&self, headers: &HeaderMap, sent_ms: i64, received_ms: i64) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(times::unix_ms);
        if let Some(date_ms) = date {
            let here_ms = sent_ms + (received_ms - sent_ms) / 2;
            self.shared.offset_ms.store(date_ms + 500 - here_ms, Ordering::Relaxed);
        }
    }
}

impl Answer {
    /// JSON, or nothing, and no redirect: what captive portals and proxies do not send.
    fn is_twilios(&self) -> bool {
        let is_json = self.content_type().is_some_and(|kind| kind.contains("json"))
            || self.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let is_elsewhere = (300..400).contains(&self.status) || self.status == 407 || self.status == 511;
        !is_elsewhere && (is_json || self.body.is_empty())
    }

    /// Sound; or the refusal of it, which where no JSON was asked for may be XML.
    fn is_sound(&self) -> bool {
        let kind = self.content_type().unwrap_or_default();
        match self.status {
            200..300 => kind.starts_with("audio/") || kind == "application/octet-stream",
            status => matches!(status, 401 | 403 | 404 | 410) && kind.contains("xml") || self.is_twilios(),
        }
    }

    fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE)?.to_str().ok()
    }
}

/// The body of a success, or what went wrong.
fn judge(
    answer: Answer,
    expected: Expected,
    by: CredentialKind,
    retry_after: Option<Duration>,
) -> Result<Vec<u8>, RestError> {
    let status = answer.status;
    if status == 429 {
        return Err(RestError::TooManyRequests { retry_after });
    }
    // Twilio's outer servers say in HTML that an inner one failed.
    let is_twilios = match expected {
        Expected::Json => answer.is_twilios(),
        Expected::Sound(_) => answer.is_sound(),
    };
    if !is_twilios && !(500..=504).contains(&status) {
        let kind = answer.content_type().unwrap_or("no content type");
        return Err(RestError::NotTwilio { status, content_type: kind.chars().take(60).collect() });
    }
    if (200..300).contains(&status) {
        return Ok(answer.body);
    }
    let (code, message) = error_body(&answer.body);
    Err(if status >= 500 {
        RestError::Server { status, code, message }
    } else {
        RestError::Refused { status, code, message, by }
    })
}

/// Code and words of an error: `{code, message}` of the API of 2010 and of most products, or
/// `{code, title, detail}` of problem+json.
fn error_body(body: &[u8]) -> (Option<u32>, String) {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = match &body["code"] {
        Value::Number(code) => code.as_u64().and_then(|code| u32::try_from(code).ok()),
        Value::String(code) => code.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let words = ["message", "detail", "title"].iter().find_map(|name| body[name].as_str());
    let words: String = words.unwrap_or("no reason given").chars().take(300).collect();
    (code, without_numbers(&words))
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let wait_ms = times::unix_ms(text)?.saturating_sub(now_ms);
    Some(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)))
}

/// Reads an answer. What is wrong with it is told by its place alone: it may hold secrets.
pub(crate) fn read_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, RestError> {
    serde_json::from_slice(body).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Eof => "it ends early",
            serde_json::error::Category::Syntax => "it is no JSON",
            serde_json::error::Category::Data | serde_json::error::Category::Io => {
                "a field is not as expected"
            }
        };
        RestError::Malformed { detail: format!("{kind} (line {}, column {})", error.line(), error.column()) }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn the_wait_asked_for_is_in_seconds_or_until_a_date() {
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, 1_790_683_200_000)
        };
        assert_eq!(wait("12"), Some(Duration::from_secs(12)));
        assert_eq!(wait("Tue, 29 Sep 2026 12:00:05 GMT"), Some(Duration::from_secs(5)));
        assert_eq!(wait("Tue, 29 Sep 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), 0), None);
    }
}
