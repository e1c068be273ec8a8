//! What callers hear, as files: Twilio fetches them like any file in the web, unsigned.
//!
//! A name that cannot be guessed is the only key. What is behind it never changes, so whoever has
//! fetched it may keep it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dialer_domain::incoming::SoundName;
use tokio::sync::OnceCell;

use crate::answer::Answer;
use crate::connection::Peer;
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

/// How long a WAV file lasts, in milliseconds; `None` where its head does not say. The layout is that of
/// Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0".
pub(crate) fn length_ms(wav: &[u8]) -> Option<u64> {
    let mut chunks = wav.strip_prefix(b"RIFF")?.get(8..)?;
    let mut bytes_per_second = 0;
    loop {
        let (id, chunk) = (chunks.get(..4)?, chunks.get(8..)?);
        let length = usize::try_from(number(chunks, 4, 4)?).ok()?;
        match id {
            // Samples a second, and bytes of a sample of all channels.
            b"fmt " => bytes_per_second = number(chunk, 4, 4)? * number(chunk, 12, 2)?,
            b"data" => return (length.min(chunk.len()) as u64 * 1_000).checked_div(bytes_per_second),
            _ => {}
        }
        // Chunks begin at even places.
        chunks = chunk.get(length.checked_add(length % 2)?..)?;
    }
}

/// The little-endian number in `width` bytes from `at` on.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + width)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
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
    // Nobody but Twilio was told the name.
    if parts.extensions.get::<Arc<Peer>>().is_some_and(|peer| !peer.trust()) {
        return Err(Outcome::Shed);
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn the_length_of_a_file_is_what_its_head_says() {
        let tune = tune::wav();
        assert_eq!(length_ms(&tune), Some(16_000));
        assert_eq!(length_ms(&tune[..44 + 8_000]), Some(500), "a file cut short");
        let (head, data) = tune.split_at(36);
        let noted = [head, b"LIST\x03\0\0\0abc\0", data].concat();
        assert_eq!(length_ms(&noted), Some(16_000), "with a chunk in between");
        let mut stereo = tune.to_vec();
        stereo[32] = 4;
        assert_eq!(length_ms(&stereo), Some(8_000));
    }

    #[test]
    fn what_has_no_such_head_has_no_length() {
        let tune = tune::wav();
        for cut in 0..44 {
            assert_eq!(length_ms(&tune[..cut]), None, "{cut}");
        }
        let mut still = tune.to_vec();
        still[24..28].fill(0);
        assert_eq!(length_ms(&still), None, "no samples a second");
        let mut endless = tune.to_vec();
        endless[16..20].fill(0xff);
        assert_eq!(length_ms(&endless), None, "a chunk longer than the file");
        assert_eq!(length_ms(b"ID3"), None);
    }
}
