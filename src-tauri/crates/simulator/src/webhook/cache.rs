//! What `GET` gave before: documents and sound that are asked again with `If-None-Match` and
//! `If-Modified-Since`.
//!
//! Twilio keeps what it gets by `GET` and asks whether it is still good (its page on how it requests
//! documents, "HTTP headers and caching"); what it gets by `POST` it never keeps. How long it keeps
//! things is not documented: here the last hundred stay, and each is asked about every time.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};

/// How many answers are kept.
const KEPT: usize = 100;

/// An answer that may be good a second time.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    etag: Option<String>,
    last_modified: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Kept {
    /// The headers that ask whether it is still good.
    pub(crate) fn conditions(&self) -> Vec<(reqwest::header::HeaderName, String)> {
        let etag = self.etag.clone().map(|etag| (IF_NONE_MATCH, etag));
        let date = self.last_modified.clone().map(|date| (IF_MODIFIED_SINCE, date));
        etag.into_iter().chain(date).collect()
    }
}

/// The answers kept, by the address that was asked.
#[derive(Default)]
pub(crate) struct Cache(Mutex<VecDeque<(String, Kept)>>);

impl Cache {
    pub(crate) fn get(&self, url: &str) -> Option<Kept> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(of, _)| of == url).map(|(_, kept)| kept.clone())
    }

    /// Keeps an answer whose headers allow it, in place of an older one.
    pub(crate) fn keep(&self, url: &str, headers: &HeaderMap, content_type: Option<&str>, body: &[u8]) {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (etag, last_modified) = (header(ETAG), header(LAST_MODIFIED));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, _)| of != url);
        let refused = header(reqwest::header::CACHE_CONTROL).is_some_and(|rule| rule.contains("no-store"));
        if refused || (etag.is_none() && last_modified.is_none()) {
            return;
        }
        let content_type = content_type.map(str::to_owned);
        kept.push_back((url.to_owned(), Kept { etag, last_modified, content_type, body: body.to_vec() }));
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }
}
