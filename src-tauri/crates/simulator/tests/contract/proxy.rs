//! A proxy between client and simulator that keeps what passes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use url::Url;

use super::specification::Sent;

/// A request and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) sent: Sent,
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// Ends with its last handle.
pub(crate) struct Proxy {
    pub(crate) url: Url,
    shared: Arc<Shared>,
    serving: tokio::task::JoinHandle<()>,
}

struct Shared {
    to: String,
    http: reqwest::Client,
    seen: Mutex<Vec<Exchange>>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Proxy {
    /// Passes everything on to `to`, such as `http://127.0.0.1:4010`.
    pub(crate) async fn start(to: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let shared = Arc::new(Shared { to, http: http.build().unwrap(), seen: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, serving }
    }

    pub(crate) fn seen(&self) -> Vec<Exchange> {
        self.shared.seen.lock().unwrap().clone()
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let target = head.uri.path_and_query().unwrap().as_str();
    let content_type = head.headers.get("content-type").map(|value| value.to_str().unwrap());
    let sent = Sent::read(head.method.as_str(), target, content_type, &body);
    // All headers, `Host` among them: links in the answer lead here again.
    let passed = shared.http.request(head.method.clone(), format!("{}{target}", shared.to));
    let answer = passed.headers(head.headers.clone()).body(body).send().await.unwrap();
    let status = answer.status();
    let mut response = Response::builder().status(status);
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let kind = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let body = answer.bytes().await.unwrap().to_vec();
    let exchange = Exchange {
        sent,
        status: status.as_u16(),
        content_type: kind.unwrap_or_default(),
        body: body.clone(),
    };
    shared.seen.lock().unwrap().push(exchange);
    response.body(Body::from(body)).unwrap()
}
