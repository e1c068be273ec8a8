//! A server that records what it is asked and answers as a test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use dialer_domain::ports::Clock;
use dialer_domain::sid::AccountSid;
use dialer_twilio::rest::{BaseUrls, Client, ClientOptions, Credentials, Pause};
use url::Url;

use crate::specification::Sent;

/// The account of Twilio's examples.
pub(crate) const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// What its requests are signed in with.
pub(crate) const TOKEN: &str = "not-a-token-but-a-secret";

/// A request, as it is to be held against the specification and as it was on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) sent: Sent,
    pub(crate) path_and_query: String,
    pub(crate) authorization: Option<String>,
}

type Answer = Arc<dyn Fn(usize, &Recorded) -> Response + Send + Sync>;

/// Ends with its last handle.
pub(crate) struct Recorder {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Recorded>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Recorder {
    /// Answers the n-th request, from 0, with `answer`.
    pub(crate) async fn start(answer: impl Fn(usize, &Recorded) -> Response + Send + Sync + 'static) -> Self {
        Self::listen("127.0.0.1:0", answer).await.unwrap()
    }

    pub(crate) async fn listen(
        address: &str,
        answer: impl Fn(usize, &Recorded) -> Response + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let url = Url::parse(&format!("http://{}", listener.local_addr()?)).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer: Answer = Arc::new(answer);
        let router = Router::new().fallback(record).with_state((Arc::clone(&seen), answer));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Ok(Self { url, seen, serving })
    }

    pub(crate) fn seen(&self) -> Vec<Recorded> {
        self.seen.lock().unwrap().clone()
    }

    /// How often it was asked.
    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// A client of it that need not wait, and what it would have waited.
    pub(crate) fn client(&self) -> (Client, Arc<Pauses>) {
        client(&self.url, ClientOptions::default())
    }
}

type Seen = Arc<Mutex<Vec<Recorded>>>;

async fn record(State((seen, answer)): State<(Seen, Answer)>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    // A proxy is asked for a host, which has none.
    let path_and_query = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let content_type = header("content-type");
    let sent = Sent::read(head.method.as_str(), &path_and_query, content_type.as_deref(), &body);
    let recorded = Recorded { sent, path_and_query, authorization: header("authorization") };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(recorded.clone());
        seen.len() - 1
    };
    answer(number, &recorded)
}

/// An answer in JSON.
pub(crate) fn json(status: u16, body: &str) -> Response {
    answer(status, "application/json", body)
}

/// An answer of any kind.
pub(crate) fn answer(status: u16, content_type: &str, body: &str) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(Body::from(body.to_owned()))
        .unwrap()
        .into_response()
}

/// Twilio's answer to a request it refuses.
pub(crate) fn refusal(status: u16, code: u32) -> Response {
    json(status, &format!(r#"{{"code":{code},"message":"words","more_info":"x","status":{status}}}"#))
}

/// Waits that were asked for and not waited.
#[derive(Default)]
pub(crate) struct Pauses(Mutex<Vec<Duration>>);

impl Pauses {
    pub(crate) fn asked(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl Pause for Pauses {
    async fn pause(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}

/// A clock that stands.
pub(crate) struct Standing(pub(crate) i64);

impl Clock for Standing {
    fn now_ms(&self) -> i64 {
        self.0
    }
}

pub(crate) fn owner() -> Credentials {
    Credentials::AuthToken { account: AccountSid::parse(ACCOUNT).unwrap(), token: TOKEN.into() }
}

pub(crate) fn client(url: &Url, options: ClientOptions) -> (Client, Arc<Pauses>) {
    let pauses = Arc::new(Pauses::default());
    let options = ClientOptions { pause: pauses.clone(), ..options };
    (Client::new(BaseUrls::simulator(url).unwrap(), owner(), options).unwrap(), pauses)
}
