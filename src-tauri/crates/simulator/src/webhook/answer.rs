//! What came back from a webhook, and what Twilio makes of it.

use reqwest::header::{CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use url::Url;

use super::cache::Kept;
use crate::account::WebhookMethod;
use crate::network::Network;
use crate::twiml::{self, Document, Verb};

/// Largest document.
const LARGEST_BODY: usize = 64 * 1024;
/// Largest sound, in bytes: five minutes at 48 kHz stereo are 58 MB, at 8 kHz 5 MB.
const LARGEST_SOUND: usize = 16 * 1024 * 1024;

/// Why there is no document: Twilio's code and a text for the debugger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: u32,
    pub(crate) text: String,
}

impl Failure {
    pub(super) fn new(code: u32, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// What a webhook answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// A document, and the address that relative references in it start from.
    Document(Document, Url),
    /// Sound to play before hanging up: the body as it came, and where from.
    Audio(Vec<u8>, Url),
}

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: reqwest::StatusCode,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(super) location: Option<String>,
    /// Whether the server wants name and password.
    pub(super) wants_basic: bool,
}

/// The answer, or the kept one if the server says that it is still good.
pub(super) async fn read(
    network: &Network,
    mut response: reqwest::Response,
    url: &str,
    method: WebhookMethod,
    kept: Option<Kept>,
) -> Result<Answer, reqwest::Error> {
    let headers = response.headers().clone();
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = response.status();
    if let Some(kept) = kept.filter(|_| status == reqwest::StatusCode::NOT_MODIFIED) {
        return Ok(Answer {
            status: reqwest::StatusCode::OK,
            content_type: kept.content_type,
            body: kept.body,
            location: None,
            wants_basic: false,
        });
    }
    let content_type = header(CONTENT_TYPE);
    let largest = largest(content_type.as_deref());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > largest {
            break;
        }
    }
    if method == WebhookMethod::Get && status == reqwest::StatusCode::OK && body.len() <= largest {
        network.cache.keep(url, &headers, content_type.as_deref(), &body);
    }
    let wants_basic = header(WWW_AUTHENTICATE).is_some_and(|challenge| {
        challenge.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
    });
    Ok(Answer { status, content_type, body, location: header(LOCATION), wants_basic })
}

/// How large an answer of this kind may be.
pub(super) fn largest(content_type: Option<&str>) -> usize {
    let is_text = content_type.is_none_or(|kind| kind.starts_with("text/") || kind.contains("xml"));
    if is_text { LARGEST_BODY } else { LARGEST_SOUND }
}

/// Applies Twilio's rules of content types.
pub(super) fn interpret(answer: Answer, url: Url) -> Result<Content, Failure> {
    let content_type = answer.content_type.unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind.starts_with("audio/") {
        return Ok(Content::Audio(answer.body, url));
    }
    let text = String::from_utf8_lossy(&answer.body);
    let document = twiml::read(&text);
    let document = match kind.as_str() {
        "text/xml" | "application/xml" | "text/html" => {
            document.map_err(|error| Failure::new(error.code(), error.to_string()))?
        }
        "text/plain" => document.unwrap_or_else(|_| Document {
            verbs: vec![Verb::Say { text: text.into_owned(), loops: 1 }],
            warnings: Vec::new(),
        }),
        other => return Err(Failure::new(12_300, format!("Invalid Content-Type “{other}”"))),
    };
    Ok(Content::Document(document, url))
}

/// Names what kept a request from being answered.
pub(super) fn connection_failure(error: &reqwest::Error) -> Failure {
    let mut chain = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        chain.push_str(": ");
        chain.push_str(&inner.to_string());
        cause = inner.source();
    }
    let lower = chain.to_ascii_lowercase();
    let code = if error.is_builder() {
        11_100
    } else if lower.contains("dns error") {
        11_210
    } else if lower.contains("certificate not valid for name") {
        11_235
    } else if lower.contains("certificate expired") {
        11_236
    } else if lower.contains("certificate") {
        11_237
    } else if lower.contains("tls") {
        11_220
    } else {
        11_205
    };
    Failure::new(code, chain)
}
