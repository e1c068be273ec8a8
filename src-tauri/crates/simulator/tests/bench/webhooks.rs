//! The account's webhook server: answers as told, keeps what it got, checks every signature.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use dialer_simulator::Simulator;
use dialer_twilio::signature::{SignatureHeaders, SignedBody, WebhookKey, validate};
use dialer_twilio::webhook::Form;
use tokio::sync::Notify;
use url::Url;

use super::PATIENCE;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) form: Form,
    pub(crate) cookie: Option<String>,
    pub(crate) idempotency: Option<String>,
    pub(crate) signature: Option<String>,
    /// Which key and algorithm the signature is by, unless it is by the Auth Token.
    pub(crate) settings: Option<String>,
    pub(crate) authorization: Option<String>,
    /// `If-None-Match`.
    pub(crate) known_as: Option<String>,
    pub(crate) signed: bool,
}

impl Received {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.form.get(name).unwrap_or_default()
    }

    /// The value of a parameter, told apart whether it is empty or absent.
    pub(crate) fn exact(&self, name: &str) -> Option<&str> {
        self.form.pairs().iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What to answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) delay: Duration,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, body: body.into(), delay: Duration::ZERO }
    }

    /// Verbs inside `<Response>`.
    pub(crate) fn twiml(verbs: &str) -> Self {
        Self::new(200, "text/xml; charset=utf-8", format!("<Response>{verbs}</Response>"))
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

#[derive(Clone)]
pub(crate) struct Webhooks {
    base: Url,
    shared: Arc<Shared>,
}

struct Shared {
    base: String,
    key: Mutex<WebhookKey>,
    answers: Mutex<HashMap<String, Vec<Answer>>>,
    received: Mutex<Vec<Received>>,
    news: Notify,
}

impl Webhooks {
    pub(crate) async fn start(simulator: &Simulator) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            base: base.clone(),
            key: Mutex::new(WebhookKey::AuthToken(simulator.account().auth_token)),
            answers: Mutex::default(),
            received: Mutex::default(),
            news: Notify::new(),
        });
        let router = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base: Url::parse(&base).unwrap(), shared }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        self.base.join(path).unwrap()
    }

    /// From now on `path` is answered so; paths without an answer get 204.
    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.answer_each(path, vec![answer]);
    }

    /// From now on `path` is answered by one after the other, and then by the last.
    pub(crate) fn answer_each(&self, path: &str, answers: Vec<Answer>) {
        self.shared.answers.lock().unwrap().insert(path.to_owned(), answers);
    }

    /// From now on requests are to be signed with this key.
    pub(crate) fn expect_key(&self, key: WebhookKey) {
        *self.shared.key.lock().unwrap() = key;
    }

    /// Requests to `path` so far.
    pub(crate) fn got(&self, path: &str) -> Vec<Received> {
        self.shared.received.lock().unwrap().iter().filter(|request| request.path == path).cloned().collect()
    }

    /// Waits for a request to `path` that `wanted` accepts.
    pub(crate) async fn wait_for(&self, path: &str, wanted: impl Fn(&Received) -> bool) -> Received {
        let waiting = async {
            loop {
                let news = self.shared.news.notified();
                if let Some(got) = self.got(path).into_iter().find(&wanted) {
                    return got;
                }
                news.await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(got) => got,
            Err(_) => panic!("the awaited request to {path} did not come, but {:#?}", self.got(path)),
        }
    }

    /// All requests so far.
    pub(crate) fn all(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits for `count` requests to `path`.
    pub(crate) async fn wait(&self, path: &str, count: usize) -> Vec<Received> {
        let waiting = async {
            loop {
                let news = self.shared.news.notified();
                let got = self.got(path);
                if got.len() >= count {
                    return got;
                }
                news.await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(got) => got,
            Err(_) => panic!("{count} requests to {path} were awaited, got {:#?}", self.got(path)),
        }
    }

    pub(crate) fn all_signed(&self) -> bool {
        self.shared.received.lock().unwrap().iter().all(|request| request.signed)
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let target = uri.path_and_query().unwrap().as_str();
    let (form, signed_form) = if method == Method::POST {
        (Form::parse(&body), Form::parse(&body))
    } else {
        (Form::parse(uri.query().unwrap_or_default().as_bytes()), Form::new())
    };
    let signature = text("x-twilio-signature");
    let settings = text("x-twilio-webhooks-signature-settings");
    let given = SignatureHeaders { signature: signature.as_deref(), settings: settings.as_deref() };
    let url = format!("{}{target}", shared.base);
    let key = shared.key.lock().unwrap().clone();
    let signed = validate(&key, given, &url, SignedBody::Form(signed_form.pairs())).is_ok();
    let known_as = text("if-none-match");
    shared.received.lock().unwrap().push(Received {
        method: method.to_string(),
        path: uri.path().to_owned(),
        form,
        cookie: text("cookie"),
        idempotency: text("i-twilio-idempotency-token"),
        signature,
        settings,
        authorization: text("authorization"),
        known_as: known_as.clone(),
        signed,
    });
    shared.news.notify_waiters();
    let answer = {
        let mut answers = shared.answers.lock().unwrap();
        let waiting = answers.get_mut(uri.path());
        waiting.map(|answers| if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    };
    let Some(answer) = answer else { return StatusCode::NO_CONTENT.into_response() };
    tokio::time::sleep(answer.delay).await;
    let is_known = |(name, value): &(&str, String)| *name == "etag" && Some(value) == known_as.as_ref();
    if answer.headers.iter().any(is_known) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body.into()).unwrap()
}
