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
    key: WebhookKey,
    answers: Mutex<HashMap<String, Answer>>,
    received: Mutex<Vec<Received>>,
    news: Notify,
}

impl Webhooks {
    pub(crate) async fn start(simulator: &Simulator) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            base: base.clone(),
            key: WebhookKey::AuthToken(simulator.account().auth_token),
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
        self.shared.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// Requests to `path` so far.
    pub(crate) fn got(&self, path: &str) -> Vec<Received> {
        self.shared.received.lock().unwrap().iter().filter(|request| request.path == path).cloned().collect()
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
    let given = SignatureHeaders { signature: signature.as_deref(), settings: None };
    let url = format!("{}{target}", shared.base);
    let signed = validate(&shared.key, given, &url, SignedBody::Form(signed_form.pairs())).is_ok();
    shared.received.lock().unwrap().push(Received {
        method: method.to_string(),
        path: uri.path().to_owned(),
        form,
        cookie: text("cookie"),
        idempotency: text("i-twilio-idempotency-token"),
        signed,
    });
    shared.news.notify_waiters();
    let answer = shared.answers.lock().unwrap().get(uri.path()).cloned();
    let Some(answer) = answer else { return StatusCode::NO_CONTENT.into_response() };
    tokio::time::sleep(answer.delay).await;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(answer.body.into()).unwrap()
}
