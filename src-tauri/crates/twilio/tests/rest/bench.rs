//! A server that records what it is asked and answers as a test says.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use dialer_domain::ports::Clock;
use dialer_domain::sid::AccountSid;
use dialer_twilio::rest::{BaseUrls, Client, ClientOptions, Credentials, Pause};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, server::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
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
    pub(crate) idempotency_key: Option<String>,
    pub(crate) body: Bytes,
}

pub(crate) type Response = hyper::Response<Full<Bytes>>;
type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;
type Answer = Arc<dyn Fn(usize, &Recorded) -> Answering + Send + Sync>;
type Seen = Arc<Mutex<Vec<Recorded>>>;

/// Ends with its last handle.
pub(crate) struct Recorder {
    pub(crate) url: Url,
    seen: Seen,
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::serve(listener, move |number, recorded| {
            let answer = answer(number, recorded);
            Box::pin(async move { answer })
        })
    }

    /// The same, on any socket, with answers that may take their time.
    pub(crate) fn serve(
        listener: TcpListener,
        answer: impl Fn(usize, &Recorded) -> Answering + Send + Sync + 'static,
    ) -> Self {
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let seen = Seen::default();
        let (kept, answer): (_, Answer) = (Arc::clone(&seen), Arc::new(answer));
        let serving = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                let service =
                    service_fn(move |request| record(request, Arc::clone(&seen), Arc::clone(&answer)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
            }
        });
        Self { url, seen, serving }
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

async fn record(request: Request<Incoming>, seen: Seen, answer: Answer) -> Result<Response, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    // A proxy is asked for a host, which has none.
    let path_and_query = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let content_type = header("content-type");
    let sent = Sent::read(head.method.as_str(), &path_and_query, content_type.as_deref(), &body);
    let recorded = Recorded {
        sent,
        path_and_query,
        authorization: header("authorization"),
        idempotency_key: header("idempotency-key"),
        body,
    };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(recorded.clone());
        seen.len() - 1
    };
    Ok(answer(number, &recorded).await)
}

/// An answer in JSON.
pub(crate) fn json(status: u16, body: &str) -> Response {
    answer(status, "application/json", body)
}

/// An answer of any kind.
pub(crate) fn answer(status: u16, content_type: &str, body: &str) -> Response {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    hyper::Response::builder().status(status).header("content-type", content_type).body(body).unwrap()
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
