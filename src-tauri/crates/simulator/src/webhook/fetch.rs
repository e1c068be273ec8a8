//! One request to a webhook, with Twilio's limits and error codes.
//!
//! Sources: Twilio's pages on voice webhooks and errors 11200, 11205, 11210, 11215, 11220, 11235 to
//! 11237, 11750, 11770 and 12300. Behind a redirect Twilio signs the address it goes to; whether it adds
//! the parameters again after 301 to 303 is not documented: here the request becomes a GET
//! without them, as the POST's body is lost. Name and password in an address are shown once the
//! server has asked for them (Basic only; Twilio's page on securing webhooks), and are part of what
//! is signed. Requests go out directly, never through a proxy of the environment, because what
//! they are for runs on this computer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dialer_domain::sid::CallSid;
use dialer_twilio::signature::{SETTINGS_HEADER, SIGNATURE_HEADER, SignedBody, WebhookKey, settings, sign};
use dialer_twilio::webhook::Form;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use url::Url;

use super::answer::{Answer, Content, Failure, connection_failure, interpret, largest, read};
use super::cache::Kept;
use super::overrides::{Patience, RetryOn};
use crate::account::WebhookMethod;
use crate::alert::{Exchange, ExchangeAnswer};
use crate::event::{AlertLevel, Happening, WebhookPurpose};
use crate::network::Network;

/// Redirects Twilio follows.
const MOST_REDIRECTS: usize = 10;
/// What to ask.
pub(crate) struct Request {
    pub(crate) purpose: WebhookPurpose,
    pub(crate) url: Url,
    pub(crate) method: WebhookMethod,
    pub(crate) form: Form,
    pub(crate) call_sid: CallSid,
}

/// The requests of one call: they share cookies.
pub(crate) struct Conversation {
    cookies: Mutex<Vec<(String, String, String)>>,
}

/// How a request is signed and how patiently it is sent.
struct Manner {
    key: WebhookKey,
    patience: Patience,
    idempotency: String,
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
        let fate = network.fate(&request, true);
        let _under_way = fate.wait(network, &request).await;
        // The fallback is somewhere else: that is what it is for.
        let asleep = network.faults().drop_voice_webhooks && request.purpose != WebhookPurpose::Fallback;
        let lost = fate.lost || asleep;
        let times = if fate.twice { 2 } else { 1 };
        let (answer, url) = self.request(network, request, lost, times).await?;
        if !answer.status.is_success() {
            return Err(Failure::new(
                11_200,
                format!("Got HTTP {} response to {}", answer.status.as_u16(), without_password(&url)),
            ));
        }
        if answer.body.len() > largest(answer.content_type.as_deref()) {
            return Err(Failure::new(11_750, "The document is larger than 64 kB"));
        }
        if answer.body.is_empty() {
            return Err(Failure::new(11_770, "The document is empty"));
        }
        interpret(answer, url)
    }

    /// Tells without expecting a document, so many times, each a repetition of the first. Answers with
    /// the last answer's HTTP status, and what is wrong with its content: it should be empty or a document
    /// (Twilio's pages on status callbacks). Callbacks go by [`Network::notify`].
    pub(super) async fn tell(
        &self,
        network: &Network,
        request: Request,
        times: u32,
    ) -> Result<(u16, Option<Failure>), Failure> {
        let (answer, url) = self.request(network, request, false, times).await?;
        let status = answer.status.as_u16();
        let kind = answer.content_type.clone().unwrap_or_default();
        let problem = match answer.body.is_empty() {
            true => None,
            false if kind.contains("xml") || kind.starts_with("text/html") => interpret(answer, url).err(),
            false => Some(Failure::new(12_300, format!("Invalid Content-Type “{kind}”"))),
        };
        Ok((status, problem))
    }

    async fn request(
        &self,
        network: &Network,
        request: Request,
        lost: bool,
        times: u32,
    ) -> Result<(Answer, Url), Failure> {
        let (key, patience) = network.webhook_manner(&request.url);
        let manner = Manner { key, patience, idempotency: uuid::Uuid::new_v4().to_string() };
        let mut answered = Err(Failure::new(11_205, "HTTP connection failure (injected fault)"));
        for _ in 0..times {
            let asked_ms = network.now_ms();
            if !lost {
                answered = self.within_time(network, &request, &manner).await;
            }
            keep_record(network, &request, asked_ms, answered.as_ref().ok().map(|(answer, _)| answer));
        }
        answered
    }

    async fn within_time(
        &self,
        network: &Network,
        request: &Request,
        manner: &Manner,
    ) -> Result<(Answer, Url), Failure> {
        tokio::time::sleep(Duration::from_millis(network.faults().delay_webhooks_ms)).await;
        let limit = manner.patience.total.min(network.webhook_time_limit);
        match tokio::time::timeout(
            limit,
            self.follow(network, request.url.clone(), request.method, request.form.clone(), manner),
        )
        .await
        {
            Ok(result) => result,
            Err(_) => Err(Failure::new(11_205, format!("No answer within {} s", limit.as_secs_f32()))),
        }
    }

    async fn follow(
        &self,
        network: &Network,
        mut url: Url,
        mut method: WebhookMethod,
        mut form: Form,
        manner: &Manner,
    ) -> Result<(Answer, Url), Failure> {
        url.set_fragment(None);
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.try_again(network, &url, method, &form, manner).await?;
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

    /// Sends a request, and again for as long as its address allows that.
    async fn try_again(
        &self,
        network: &Network,
        url: &Url,
        method: WebhookMethod,
        form: &Form,
        manner: &Manner,
    ) -> Result<Answer, Failure> {
        let mut left = manner.patience.retries;
        loop {
            let result = self.authenticated(network, url, method, form, manner).await;
            let reason = match &result {
                Ok(answer) if answer.status.is_client_error() => Some(RetryOn::ClientError),
                Ok(answer) if answer.status.is_server_error() => Some(RetryOn::ServerError),
                Ok(_) => None,
                Err(error) if error.is_connect() => Some(RetryOn::Connect),
                Err(error) if error.is_timeout() => Some(RetryOn::Read),
                Err(_) => None,
            };
            let again = reason.is_some_and(|reason| manner.patience.retry_on.contains(&reason));
            if !again || left == 0 {
                return result.map_err(|error| connection_failure(&error));
            }
            left -= 1;
        }
    }

    /// Sends a request without name and password first, and with them when they are asked for.
    async fn authenticated(
        &self,
        network: &Network,
        url: &Url,
        method: WebhookMethod,
        form: &Form,
        manner: &Manner,
    ) -> Result<Answer, reqwest::Error> {
        let answer = self.send(network, url, method, form, manner, false).await?;
        let asked = answer.status == reqwest::StatusCode::UNAUTHORIZED && answer.wants_basic;
        if asked && !url.username().is_empty() {
            return self.send(network, url, method, form, manner, true).await;
        }
        Ok(answer)
    }

    async fn send(
        &self,
        network: &Network,
        url: &Url,
        method: WebhookMethod,
        form: &Form,
        manner: &Manner,
        with_password: bool,
    ) -> Result<Answer, reqwest::Error> {
        let http = network.http_with(&manner.patience)?;
        let mut signed = url.clone();
        let mut kept: Option<Kept> = None;
        let (builder, signature) = match method {
            WebhookMethod::Post => {
                let signature = sign(&manner.key, signed.as_str(), SignedBody::Form(form.pairs()));
                let kind = "application/x-www-form-urlencoded; charset=UTF-8";
                let builder = http.post(without_password(&signed)).header(CONTENT_TYPE, kind);
                (builder.body(form.encode()), signature)
            }
            WebhookMethod::Get => {
                if !form.pairs().is_empty() {
                    signed.query_pairs_mut().extend_pairs(form.pairs());
                }
                let signature = sign(&manner.key, signed.as_str(), SignedBody::Form(&[]));
                kept = network.cache.get(signed.as_str());
                let mut builder = http.get(without_password(&signed));
                for (name, value) in kept.iter().flat_map(Kept::conditions) {
                    builder = builder.header(name, value);
                }
                (builder, signature)
            }
        };
        let mut builder = builder
            .header(SIGNATURE_HEADER, signature)
            .header("I-Twilio-Idempotency-Token", &manner.idempotency);
        if let Some(settings) = settings(&manner.key) {
            builder = builder.header(SETTINGS_HEADER, settings);
        }
        if with_password {
            builder = builder.basic_auth(decoded(url.username()), url.password().map(decoded));
        }
        if let Some(cookies) = self.cookies_for(url) {
            builder = builder.header(COOKIE, cookies);
        }
        let response = builder.send().await?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.keep_cookie(url, cookie.to_str().unwrap_or_default());
        }
        read(network, response, signed.as_str(), method, kept).await
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

/// A test delivery, which belongs to no call: the answer's status and content type, or why there was
/// none.
pub(crate) async fn test_delivery(
    network: &Network,
    url: Url,
    method: WebhookMethod,
    key: WebhookKey,
    patience: Patience,
) -> Result<(u16, Option<String>), String> {
    let manner =
        Manner { key, patience: patience.overridden(&url), idempotency: uuid::Uuid::new_v4().to_string() };
    let (conversation, form) = (Conversation::new(), Form::new());
    let sent = conversation.follow(network, url, method, form, &manner);
    match tokio::time::timeout(manner.patience.total, sent).await {
        Ok(Ok((answer, _))) => Ok((answer.status.as_u16(), answer.content_type)),
        Ok(Err(failure)) => Err(failure.text),
        Err(_) => Err("There was no answer in time".into()),
    }
}

fn keep_record(network: &Network, request: &Request, asked_ms: i64, answer: Option<&Answer>) {
    network.alerts.keep_exchange(Exchange {
        call_sid: request.call_sid.clone(),
        at_ms: asked_ms,
        method: request.method.as_wire(),
        url: without_password(&request.url).to_string(),
        parameters: request.form.pairs().to_vec(),
        answer: answer.map(|answer| {
            let took_ms = network.now_ms().saturating_sub(asked_ms);
            let kind = answer.content_type.clone();
            ExchangeAnswer::new(answer.status.as_u16(), kind, took_ms, &answer.body)
        }),
    });
    network.record(Happening::Webhook {
        purpose: request.purpose,
        call_sid: request.call_sid.clone(),
        url: without_password(&request.url).to_string(),
        status: answer.map(|answer| answer.status.as_u16()),
        call_status: (request.purpose == WebhookPurpose::StatusCallback)
            .then(|| request.form.get("CallStatus").unwrap_or_default().to_owned()),
    });
}

/// A GET that is no webhook: sound that a document names. It is neither signed nor recorded.
pub(crate) async fn fetch_sound(network: &Network, url: &Url) -> Result<Vec<u8>, String> {
    let kept = network.cache.get(url.as_str());
    let mut builder = network.http.get(url.clone());
    for (name, value) in kept.iter().flat_map(Kept::conditions) {
        builder = builder.header(name, value);
    }
    let response = builder.send().await.map_err(|error| error.to_string())?;
    let answer = read(network, response, url.as_str(), WebhookMethod::Get, kept);
    let answer = answer.await.map_err(|error| error.to_string())?;
    if !answer.status.is_success() {
        return Err(format!("HTTP {}", answer.status.as_u16()));
    }
    if answer.body.len() > largest(answer.content_type.as_deref()) {
        return Err("the file is too large".into());
    }
    Ok(answer.body)
}

/// The address as it may be shown and sent: name and password travel in a header of their own.
pub(super) fn without_password(url: &Url) -> Url {
    let mut bare = url.clone();
    // Both fail only for addresses without a host, which are no webhooks.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare
}

/// Percent-decoded; a form decoder would take `+` for a space.
fn decoded(text: &str) -> String {
    form_urlencoded::parse(text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D").as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}
