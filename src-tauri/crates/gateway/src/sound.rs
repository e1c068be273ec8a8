//! What callers hear, as files: Twilio fetches them like any file in the web, unsigned.
//!
//! A name that cannot be guessed is the only key. What is behind it never changes, so whoever has
//! fetched it may keep it.

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dialer_domain::incoming::SoundName;
use tokio::sync::OnceCell;

use crate::answer::Answer;
use crate::counts::Outcome;
use crate::server::Shared;
use crate::tune;

/// For a day: names change with what they name.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=86400, immutable");

/// The tune of those who wait, under a name that this process made for itself.
pub(crate) struct Tune {
    name: SoundName,
    file: OnceCell<Bytes>,
}

impl Tune {
    pub(crate) fn new() -> Self {
        Self { name: SoundName::from_bytes(rand::random()), file: OnceCell::new() }
    }

    pub(crate) fn name(&self) -> &SoundName {
        &self.name
    }

    async fn file(&self) -> Option<Bytes> {
        let made = self.file.get_or_try_init(|| tokio::task::spawn_blocking(tune::wav)).await;
        made.inspect_err(|error| tracing::error!(%error, "the tune could not be made")).ok().cloned()
    }
}

/// Answers GET and HEAD.
pub(crate) async fn answer(shared: &Shared, name: &SoundName, parts: &Parts) -> Answer {
    let file = if *name == shared.tune.name {
        shared.tune.file().await
    } else {
        // Whoever tries names has to wait for the others who do.
        let Ok(_permit) = shared.looking_up.acquire().await else { return Err(Outcome::Shed) };
        tokio::time::timeout(shared.answer_within, shared.calls.sound(name))
            .await
            .map_err(|_| Outcome::TimedOut)?
    };
    let file = file.ok_or(Outcome::NotFound)?;
    let tag = format!("\"{}\"", name.as_str());
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if is_known(&parts.headers, &tag) {
        return Ok((Outcome::Accepted, (StatusCode::NOT_MODIFIED, headers).into_response()));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(file.len()));
    let body = if parts.method == Method::HEAD { Body::empty() } else { Body::from(file) };
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    Ok((Outcome::Accepted, response))
}

/// Whether the other side has it already (RFC 9110 §13.1.2).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
