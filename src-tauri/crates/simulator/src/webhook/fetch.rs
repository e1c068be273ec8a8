//! One request to a webhook, with Twilio's limits and error codes.
//!
//! Sources: Twilio's pages on voice webhooks and errors 11200, 11205, 11210, 11215, 11220, 11237,
//! 11750, 11770 and 12300. Behind a redirect Twilio signs the address it goes to; whether it adds
//! the parameters again after 301 to 303 is not documented: here the request becomes a GET
//! without them, as the POST's body is lost. Requests go out directly, never through a proxy of
//! the environment, because what they are for runs on this computer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dialer_domain::sid::CallSid;
use dialer_twilio::signature::{SIGNATURE_HEADER, SignedBody, WebhookKey, sign};
use dialer_twilio::webhook::Form;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use url::Url;

use crate::account::WebhookMethod;
use crate::alert::{Exchange, ExchangeAnswer};
use crate::event::{AlertLevel, Happening, WebhookPurpose};
use crate::network::Network;
use crate::twiml::{self, Document, Verb};

/// Redirects Twilio follows.
const MOST_REDIRECTS: usize = 10;
/// Largest document.
const LARGEST_BODY: usize = 64 * 1024;

/// What to ask.
pub(crate) struct Request {
    pub(crate) purpose: WebhookPurpose,
    pub(crate) url: Url,
    pub(crate) method: WebhookMethod,
    pub(crate) form: Form,
    pub(crate) call_sid: CallSid,
}

/// Why there is no document: Twilio's code and a text for the debugger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: u32,
    pub(crate) text: String,
}

impl Failure {
    fn new(code: u32, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// What a webhook answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// A document, and the address that relative references in it start from.
    Document(Document, Url),
    /// Sound to play before hanging up: the body as it came, and where from.
    Audio(Vec<u8>, Url),
}

/// The requests of one call: they share cookies.
pub(crate) struct Conversation {
    cookies: Mutex<Vec<(String, String, String)>>,
}

struct Answer {
    status: reqwest::StatusCode,
    content_type: Option<String>,
    location: Option<String>,
    body: Vec<u8>,
}

impl Conversation {
    pub(crate) fn new() -> Self {
        Self { cookies: Mutex::new(Vec::new()) }
    }

    /// Asks for a document, and records the request and whatever went wrong.
    pub(crate) async fn ask(&self, network: &Network, request: Request) -> Result<Content, Failure> {
        let call_sid = request.call_sid.clone();
        let result = self.document(network, request).await;
        match &result {
            Ok(Content::Document(document, _)) => {
                for warning in &document.warnings {
                    network.alert(&call_sid, AlertLevel::Warning, warning.code, &warning.text);
                }
            }
            Ok(Content::Audio(..)) => {}
            Err(failure) => network.alert(&call_sid, AlertLevel::Error, failure.code, &failure.text),
        }
        result
    }

    async fn document(&self, network: &Network, request: Request) -> Result<Content, Failure> {
        let (answer, url) = self.request(network, request).await?;
        if !answer.status.is_success() {
            return Err(Failure::new(
                11_200,
                format!("Got HTTP {} response to {url}", answer.status.as_u16()),
            ));
        }
        if answer.body.len() > LARGEST_BODY {
            return Err(Failure::new(11_750, "The document is larger than 64 kB"));
        }
        if answer.body.is_empty() {
            return Err(Failure::new(11_770, "The document is empty"));
        }
        interpret(answer, url)
    }

    /// Tells without expecting a document. Answers with the HTTP status, if there was one.
    pub(crate) async fn tell(&self, network: &Network, request: Request) -> Result<u16, Failure> {
        self.request(network, request).await.map(|(answer, _)| answer.status.as_u16())
    }

    async fn request(&self, network: &Network, request: Request) -> Result<(Answer, Url), Failure> {
        let faults = network.faults();
        let asked_ms = network.now_ms();
        let answered = if faults.drop_voice_webhooks && request.purpose != WebhookPurpose::StatusCallback {
            Err(Failure::new(11_205, "HTTP connection failure (injected fault)"))
        } else {
            tokio::time::sleep(Duration::from_millis(faults.delay_webhooks_ms)).await;
            let limit = network.webhook_time_limit;
            match tokio::time::timeout(limit, self.follow(network, &request)).await {
                Ok(result) => result,
                Err(_) => Err(Failure::new(11_205, format!("No answer within {} s", limit.as_secs_f32()))),
            }
        };
        network.alerts.keep_exchange(Exchange {
            call_sid: request.call_sid.clone(),
            at_ms: asked_ms,
            method: request.method.as_wire(),
            url: request.url.to_string(),
            parameters: request.form.pairs().to_vec(),
            answer: answered.as_ref().ok().map(|(answer, _)| {
                let took_ms = network.now_ms().saturating_sub(asked_ms);
                let kind = answer.content_type.clone();
                ExchangeAnswer::new(answer.status.as_u16(), kind, took_ms, &answer.body)
            }),
        });
        network.record(Happening::Webhook {
            purpose: request.purpose,
            call_sid: request.call_sid.clone(),
            url: request.url.to_string(),
            status: answered.as_ref().ok().map(|(answer, _)| answer.status.as_u16()),
            call_status: (request.purpose == WebhookPurpose::StatusCallback)
                .then(|| request.form.get("CallStatus").unwrap_or_default().to_owned()),
        });
        answered
    }

    async fn follow(&self, network: &Network, request: &Request) -> Result<(Answer, Url), Failure> {
        let mut url = request.url.clone();
        url.set_fragment(None);
        let mut method = request.method;
        let mut form = request.form.clone();
        let idempotency = uuid::Uuid::new_v4().to_string();
        for _ in 0..=MOST_REDIRECTS {
            // Twilio tries a failed connection once more.
            let answer = match self.send(network, &url, method, &form, &idempotency).await {
                Err(error) if error.is_connect() => {
                    self.send(network, &url, method, &form, &idempotency).await
                }
                other => other,
            }
            .map_err(|error| connection_failure(&error))?;
            if !answer.status.is_redirection() {
                return Ok((answer, url));
            }
            let Some(next) = answer.location.as_deref().and_then(|location| url.join(location).ok()) else {
                return Ok((answer, url));
            };
            if !matches!(answer.status.as_u16(), 307 | 308) {
                method = WebhookMethod::Get;
                form = Form::new();
            }
            url = next;
        }
        Err(Failure::new(11_215, "Too many HTTP redirects"))
    }

    async fn send(
        &self,
        network: &Network,
        url: &Url,
        method: WebhookMethod,
        form: &Form,
        idempotency: &str,
    ) -> Result<Answer, reqwest::Error> {
        let key = WebhookKey::AuthToken(network.resources().auth_token.clone());
        let builder = match method {
            WebhookMethod::Post => {
                let signature = sign(&key, url.as_str(), SignedBody::Form(form.pairs()));
                network
                    .http
                    .post(url.clone())
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
                    .header(SIGNATURE_HEADER, signature)
                    .body(form.encode())
            }
            WebhookMethod::Get => {
                let mut url = url.clone();
                if !form.pairs().is_empty() {
                    url.query_pairs_mut().extend_pairs(form.pairs());
                }
                let signature = sign(&key, url.as_str(), SignedBody::Form(&[]));
                network.http.get(url).header(SIGNATURE_HEADER, signature)
            }
        };
        let mut builder = builder.header("I-Twilio-Idempotency-Token", idempotency);
        if let Some(cookies) = self.cookies_for(url) {
            builder = builder.header(COOKIE, cookies);
        }
        let mut response = builder.send().await?;
        let header =
            |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (content_type, location) = (header(CONTENT_TYPE), header(LOCATION));
        let status = response.status();
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.keep_cookie(url, cookie.to_str().unwrap_or_default());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_BODY {
                break;
            }
        }
        Ok(Answer { status, content_type, location, body })
    }

    fn cookies_for(&self, url: &Url) -> Option<String> {
        let host = url.host_str()?;
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let mine: Vec<String> = cookies
            .iter()
            .filter(|(of, ..)| of == host)
            .map(|(_, name, value)| format!("{name}={value}"))
            .collect();
        (!mine.is_empty()).then(|| mine.join("; "))
    }

    /// Keeps name and value for the host; paths and expiry matter little within one call.
    fn keep_cookie(&self, url: &Url, cookie: &str) {
        let Some((name, value)) = cookie.split(';').next().and_then(|pair| pair.trim().split_once('='))
        else {
            return;
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.retain(|(of, other, _)| (of, other.as_str()) != (&host, name));
        cookies.push((host, name.to_owned(), value.to_owned()));
    }
}

/// Applies Twilio's rules of content types.
fn interpret(answer: Answer, url: Url) -> Result<Content, Failure> {
    let content_type = answer.content_type.unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind.starts_with("audio/") {
        return Ok(Content::Audio(answer.body, url));
    }
    let text = String::from_utf8_lossy(&answer.body);
    let document = twiml::read(&text);
    let document = match kind.as_str() {
        "text/xml" | "application/xml" | "text/html" => {
            document.map_err(|error| Failure::new(error.code(), error.to_string()))?
        }
        "text/plain" => document.unwrap_or_else(|_| Document {
            verbs: vec![Verb::Say { text: text.into_owned(), loops: 1 }],
            warnings: Vec::new(),
        }),
        other => return Err(Failure::new(12_300, format!("Invalid Content-Type “{other}”"))),
    };
    Ok(Content::Document(document, url))
}

/// Names what kept a request from being answered.
fn connection_failure(error: &reqwest::Error) -> Failure {
    let mut chain = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        chain.push_str(": ");
        chain.push_str(&inner.to_string());
        cause = inner.source();
    }
    let lower = chain.to_ascii_lowercase();
    let code = if error.is_builder() {
        11_100
    } else if lower.contains("dns error") {
        11_210
    } else if lower.contains("certificate") {
        11_237
    } else if lower.contains("tls") {
        11_220
    } else {
        11_205
    };
    Failure::new(code, chain)
}
