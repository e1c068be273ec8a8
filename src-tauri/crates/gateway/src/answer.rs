//! From a request to its answer.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use crate::callback;
use crate::connection::Peer;
use crate::counts::Outcome;
use crate::route::{Kind, Route};
use crate::server::Shared;
use crate::sound;
use crate::steering;
use crate::verification::verify;

/// What a request gets, and how that counts; without a response of its own, what goes with the outcome.
pub(crate) type Answer = Result<(Outcome, Response), Outcome>;

/// Answers every request that is HTTP.
pub(crate) async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let route = Route::read(parts.uri.path());
    let kind = route.as_ref().map_or(Kind::Other, Route::kind);
    let answer = match route {
        None => Err(Outcome::NotFound),
        Some(_) if !is_allowed(kind, &parts.method) => Err(Outcome::MethodNotAllowed),
        Some(route) => {
            let deadline = Instant::now() + shared.request_timeout;
            serve(&shared, &route, &parts, body, deadline).await
        }
    };
    let (outcome, response) = answer.unwrap_or_else(|outcome| (outcome, plain(outcome, kind)));
    shared.counters.request(kind, outcome);
    response
}

fn is_allowed(kind: Kind, method: &Method) -> bool {
    kind.allow().split(", ").any(|allowed| allowed == method.as_str())
}

async fn serve(shared: &Shared, route: &Route, parts: &Parts, body: Body, deadline: Instant) -> Answer {
    match route {
        Route::Sound(name) => by(deadline, sound::answer(shared, name, parts)).await,
        Route::Proof(nonce) => Ok((Outcome::Accepted, proof(shared, nonce))),
        Route::Question(question) => {
            let signed = by(deadline, verify(shared, parts, body)).await?;
            let _permit = admit(shared, parts)?;
            // Keeps to the deadline by itself: whoever is on the line gets a sentence then.
            Ok(steering::answer(shared, question, signed, deadline).await)
        }
        Route::Report(report) => {
            by(deadline, async {
                let signed = verify(shared, parts, body).await?;
                let _permit = admit(shared, parts)?;
                Ok(callback::answer(shared, *report, signed).await)
            })
            .await
        }
    }
}

/// Gives `work` until `deadline`: most of all a body may come too slowly.
async fn by<T>(deadline: Instant, work: impl Future<Output = Result<T, Outcome>>) -> Result<T, Outcome> {
    tokio::time::timeout_at(deadline, work).await.unwrap_or(Err(Outcome::TimedOut))
}

/// Lets in what is Twilio's, within limits: strangers cannot use them up, because they do not come this far.
fn admit<'a>(shared: &'a Shared, parts: &Parts) -> Result<SemaphorePermit<'a>, Outcome> {
    if !shared.signed.take(shared.clock.now_ms()) {
        warn(shared, "more webhooks in a second than calls can cause; some were turned away");
        return Err(Outcome::Limited);
    }
    let Ok(permit) = shared.in_flight.try_acquire() else {
        warn(shared, "too many webhooks at once; some were turned away");
        return Err(Outcome::Shed);
    };
    match parts.extensions.get::<Arc<Peer>>() {
        Some(peer) if !peer.trust() => Err(Outcome::Shed),
        Some(_) | None => Ok(permit),
    }
}

/// Says what there is too much of, at most once a second: too much would be said too often.
fn warn(shared: &Shared, message: &str) {
    if shared.warnings.take(shared.clock.now_ms()) {
        tracing::warn!("{message}");
    }
}

fn proof(shared: &Shared, nonce: &str) -> Response {
    let headers = [no_store(), (header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))];
    (headers, shared.proof.answer(nonce)).into_response()
}

/// The response that goes with an outcome: a status and nothing else.
fn plain(outcome: Outcome, kind: Kind) -> Response {
    let status = match outcome {
        Outcome::Accepted => StatusCode::NO_CONTENT,
        Outcome::Refused(_) => StatusCode::FORBIDDEN,
        Outcome::Flooding | Outcome::Limited => StatusCode::TOO_MANY_REQUESTS,
        Outcome::Shed => StatusCode::SERVICE_UNAVAILABLE,
        Outcome::TimedOut => StatusCode::REQUEST_TIMEOUT,
        Outcome::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Outcome::Malformed => StatusCode::BAD_REQUEST,
        Outcome::NotFound => StatusCode::NOT_FOUND,
        Outcome::MethodNotAllowed => {
            let allow = HeaderValue::from_static(kind.allow());
            return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, allow)]).into_response();
        }
    };
    status.into_response()
}

/// A document as Twilio takes it.
pub(crate) fn twiml(document: Bytes) -> Response {
    let content_type = HeaderValue::from_static(dialer_twilio::twiml::CONTENT_TYPE);
    ([no_store(), (header::CONTENT_TYPE, content_type)], document).into_response()
}

/// Keeps proxies on the way from answering in our place.
fn no_store() -> (HeaderName, HeaderValue) {
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
