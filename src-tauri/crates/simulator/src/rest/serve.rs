//! From an HTTP request to its resource and back, through the faults that are on.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION, PROXY_AUTHENTICATE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use dialer_domain::account::AccountStanding;
use futures_util::stream;

use super::ask::{Answer, Ask};
use super::auth::authenticate;
use super::refusal::Refusal;
use super::{
    accounts, applications, caller_ids, calls, conferences, countries, debugger, keys, numbers, participants,
    queues, recordings, transcriptions, usage, webhooks,
};
use crate::event::Happening;
use crate::faults::{RestFailure, RestFault};
use crate::listener::Connection;
use crate::network::Network;

/// Twilio's hosts, without `.twilio.com`.
const PRODUCTS: [&str; 9] =
    ["api", "voice", "monitor", "pricing", "lookups", "iam", "accounts", "insights", "webhooks"];
/// Largest form: `Twiml` may have 4000 characters, a bulk update of countries more.
const LARGEST_FORM: usize = 256 * 1024;
/// What a network's sign-in page may look like.
const SIGN_IN_PAGE: &str = "<!DOCTYPE html><html><head><title>Welcome to the guest network</title></head>\
    <body><h1>Please sign in</h1><form><button>Connect</button></form></body></html>";
/// Where such a network sends its guests; a name that never exists (RFC 6761).
const SIGN_IN_ADDRESS: &str = "http://sign-in.invalid/";
/// How long the first half of a truncated answer gets to leave before the connection breaks.
const HALF_WAY: Duration = Duration::from_millis(50);

/// What a request is, before anyone looked at it.
struct Raw {
    method: Method,
    product: String,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

/// The request's entry in the log, written when it is over: also when its client is gone, which ends
/// the handler in the middle.
struct Entry<'a> {
    network: &'a Network,
    method: &'a str,
    path: &'a str,
    status: Option<u16>,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let (method, path) = (self.method.to_owned(), self.path.to_owned());
        self.network.record(Happening::RestRequest { method, path, status: self.status });
    }
}

/// Serves one request of any product.
pub(crate) async fn serve(
    State(network): State<Arc<Network>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    Path((product, path)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_FORM).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let query = parts.uri.query().unwrap_or_default();
    let raw = Raw {
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        method: parts.method,
        product,
        path: format!("/{path}"),
        headers: parts.headers,
        body,
    };
    let method = raw.method.to_string();
    let full_path = format!("/{}{}", raw.product, raw.path);
    let mut entry = Entry { network: &network, method: &method, path: &full_path, status: None };
    let response = match network.take_rest_fault(&method, &full_path) {
        None => Some(answer(&network, raw).await),
        Some(fault) => fail(&network, fault.then, raw, &method, &full_path).await,
    };
    entry.status = response.as_ref().map(|response| response.status().as_u16());
    drop(entry);
    match response {
        Some(response) => response,
        None => connection.cut().await,
    }
}

/// What a fault makes of a request; `None` breaks the connection.
async fn fail(
    network: &Arc<Network>,
    failure: RestFailure,
    raw: Raw,
    method: &str,
    path: &str,
) -> Option<Response> {
    let held =
        |processed| Happening::RestHeld { method: method.to_owned(), path: path.to_owned(), processed };
    let response = match failure {
        RestFailure::TooManyRequests { retry_after_s } => {
            let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, 20_429, "Too Many Requests");
            let mut response = refusal.into_response();
            if let Some(after) = retry_after_s {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after));
            }
            response
        }
        RestFailure::InternalError { processed } => {
            if processed {
                drop(answer(network, raw).await);
            }
            let text = "An internal server error has occurred";
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, 20_500, text).into_response()
        }
        RestFailure::Unavailable => {
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, 20_503, "Service unavailable").into_response()
        }
        RestFailure::Delay { ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            answer(network, raw).await
        }
        RestFailure::HoldBefore => {
            network.record(held(false));
            wait(network, method, path, |fault| fault.then.holds_before()).await?;
            answer(network, raw).await
        }
        RestFailure::HoldAfter => {
            let response = answer(network, raw).await;
            network.record(held(true));
            wait(network, method, path, |fault| fault.then.holds_after()).await?;
            response
        }
        RestFailure::Close => return None,
        RestFailure::SignInPage => html(StatusCode::OK),
        RestFailure::Redirect => {
            let mut response = html(StatusCode::FOUND);
            response.headers_mut().insert(LOCATION, HeaderValue::from_static(SIGN_IN_ADDRESS));
            response
        }
        RestFailure::ProxySignIn => {
            let mut response = html(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
            let realm = HeaderValue::from_static("Basic realm=\"proxy\"");
            response.headers_mut().insert(PROXY_AUTHENTICATE, realm);
            response
        }
        RestFailure::Truncate => truncated(answer(network, raw).await).await,
    };
    Some(response)
}

/// Waits until nothing holds the request; `None` if the simulator stops first.
async fn wait(network: &Network, method: &str, path: &str, holds: impl Fn(&RestFault) -> bool) -> Option<()> {
    tokio::select! {
        () = network.released(method, path, holds) => Some(()),
        () = network.stopping() => None,
    }
}

fn html(status: StatusCode) -> Response {
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], SIGN_IN_PAGE).into_response()
}

/// The same answer, whose second half never comes.
async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let half = body.slice(..body.len() / 2);
    let halves = stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) => Some((Ok(half), None)),
            None => {
                tokio::time::sleep(HALF_WAY).await;
                Some((Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)), None))
            }
        }
    });
    Response::from_parts(parts, Body::from_stream(halves))
}

async fn answer(network: &Arc<Network>, raw: Raw) -> Response {
    let mut response = look_up(network, raw).await.unwrap_or_else(Refusal::into_response);
    let id = format!("RQ{}", uuid::Uuid::new_v4().simple());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("twilio-request-id", id);
    }
    response
}

async fn look_up(network: &Arc<Network>, raw: Raw) -> Answer {
    if !PRODUCTS.contains(&raw.product.as_str()) {
        return Err(Refusal::not_found(&format!("/{}{}", raw.product, raw.path)));
    }
    let account = &network.account.account_sid;
    let (caller, standing) = {
        let resources = network.resources();
        (authenticate(&raw.headers, account, &resources)?, resources.settings.standing)
    };
    let host = raw.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let ask = Ask {
        base: format!("http://{host}/{}", raw.product),
        network: Arc::clone(network),
        caller,
        method: raw.method,
        path: raw.path,
        query: raw.query,
        form: form_urlencoded::parse(&raw.body).into_owned().collect(),
        headers: raw.headers,
        body: raw.body,
    };
    let path = ask.path.clone();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    if standing == AccountStanding::Suspended && !is_account(&raw.product, &segments) {
        let calls = matches!(segments.last(), Some(&("Calls.json" | "OutgoingCallerIds.json")));
        let code = if calls && ask.method == Method::POST { 10_001 } else { 20_005 };
        return Err(Refusal::new(StatusCode::FORBIDDEN, code, "Account is not active"));
    }
    match raw.product.as_str() {
        "api" => of_2010(&ask, &segments),
        "accounts" => accounts::auth_tokens(&ask, &segments),
        "iam" => keys::iam(&ask, &segments),
        "lookups" => countries::lookup(&ask, &segments),
        "monitor" => debugger::monitor(&ask, &segments),
        "pricing" => countries::pricing(&ask, &segments),
        "voice" => countries::voice(&ask, &segments),
        "webhooks" => webhooks::serve(&ask, &segments).await,
        _ => Err(ask.not_found()),
    }
}

fn is_account(product: &str, segments: &[&str]) -> bool {
    product == "api" && matches!(segments, ["2010-04-01", "Accounts", _])
}

/// The API of 2010: everything below one account.
fn of_2010(ask: &Ask, segments: &[&str]) -> Answer {
    let own = ask.network.account.account_sid.as_str();
    match segments {
        ["2010-04-01", "Accounts", account] => {
            ask.caller.may_own()?;
            let account = account.strip_suffix(".json").filter(|account| *account == own);
            account.ok_or_else(|| ask.not_found())?;
            accounts::account(ask)
        }
        ["2010-04-01", "Accounts", account, _, ..] if *account != own => Err(Refusal::unauthorized()),
        ["2010-04-01", "Accounts", _, "Recordings", file] if !file.ends_with(".json") => {
            recordings::sound(ask, file)
        }
        ["2010-04-01", "Accounts", _, below @ ..] => {
            let (last, folders) = below.split_last().ok_or_else(|| ask.not_found())?;
            let last = last.strip_suffix(".json").ok_or_else(|| ask.not_found())?;
            let below: Vec<&str> = folders.iter().copied().chain([last]).collect();
            below_account(ask, &below)
        }
        _ => Err(ask.not_found()),
    }
}

fn below_account(ask: &Ask, below: &[&str]) -> Answer {
    match below {
        ["Balance"] => accounts::balance(ask),
        ["Keys"] => keys::list(ask),
        ["Keys", sid] => keys::one(ask, sid),
        ["Applications"] => applications::list(ask),
        ["Applications", sid] => applications::one(ask, sid),
        ["IncomingPhoneNumbers"] => numbers::list(ask),
        ["IncomingPhoneNumbers", sid] => numbers::one(ask, sid),
        ["OutgoingCallerIds"] => caller_ids::list(ask),
        ["OutgoingCallerIds", sid] => caller_ids::one(ask, sid),
        ["Calls"] => calls::list(ask),
        ["Calls", sid] => calls::one(ask, sid),
        ["Calls", call, "Events"] => debugger::call_events(ask, call),
        ["Calls", call, "Notifications"] => debugger::notifications(ask, Some(call)),
        ["Calls", call, "Notifications", sid] => debugger::notification(ask, Some(call), sid),
        ["Notifications"] => debugger::notifications(ask, None),
        ["Notifications", sid] => debugger::notification(ask, None, sid),
        ["Usage", "Records"] => usage::records(ask, None),
        ["Usage", "Records", period] => usage::records(ask, Some(period)),
        ["Recordings"] => recordings::list(ask),
        ["Recordings", sid] => recordings::one(ask, sid),
        ["Recordings", recording, "Transcriptions"] => transcriptions::list(ask, Some(recording)),
        ["Recordings", recording, "Transcriptions", sid] => transcriptions::one(ask, sid, Some(recording)),
        ["Transcriptions"] => transcriptions::list(ask, None),
        ["Transcriptions", sid] => transcriptions::one(ask, sid, None),
        ["Calls", call, "Recordings"] => recordings::of_call(ask, call),
        ["Calls", call, "Recordings", sid] => recordings::one_of_call(ask, call, sid),
        ["Conferences"] => conferences::list(ask),
        ["Conferences", sid] => conferences::one(ask, sid),
        ["Conferences", room, "Participants"] => participants::list(ask, room),
        ["Conferences", room, "Participants", who] => participants::one(ask, room, who),
        ["Conferences", room, "Recordings"] => recordings::of_room(ask, room),
        ["Conferences", room, "Recordings", sid] => recordings::one_of_room(ask, room, sid),
        ["Queues"] => queues::list(ask),
        ["Queues", sid] => queues::one(ask, sid),
        ["Queues", queue, "Members"] => queues::members(ask, queue),
        ["Queues", queue, "Members", who] => queues::member(ask, queue, who),
        _ => Err(ask.not_found()),
    }
}
