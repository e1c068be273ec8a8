//! A REST request that has been read and whose sender is known.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::auth::Caller;
use super::refusal::Refusal;
use crate::network::Network;

/// What a request is answered.
pub(crate) type Answer = Result<Response, Refusal>;

/// A request, its path without the product's prefix.
pub(crate) struct Ask {
    pub(crate) network: Arc<Network>,
    pub(crate) caller: Caller,
    pub(crate) method: Method,
    /// Decoded, with a slash in front.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) form: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    /// As it came.
    pub(crate) body: Bytes,
    /// `http://127.0.0.1:4010/monitor`: what absolute links begin with.
    pub(crate) base: String,
}

impl Ask {
    /// A value of the form.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        find(&self.form, name)
    }

    /// A value of the form that must be there, or 20001.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        let given = self.field(name).filter(|value| !value.is_empty());
        given.ok_or_else(|| {
            Refusal::bad(20_001, format!("Missing required parameter {name} in the post body"))
        })
    }

    /// A filter of the query; an empty one is none.
    pub(crate) fn filter(&self, name: &str) -> Option<&str> {
        find(&self.query, name).filter(|value| !value.is_empty())
    }

    /// The body as JSON, or 20001; null for none.
    pub(crate) fn json(&self) -> Result<Value, Refusal> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|_| Refusal::bad(20_001, "The body is not JSON"))
    }

    pub(crate) fn idempotency_key(&self) -> Option<&str> {
        self.headers.get("idempotency-key").and_then(|key| key.to_str().ok())
    }

    pub(crate) fn not_found(&self) -> Refusal {
        Refusal::not_found(&self.path)
    }

    /// The name in `FriendlyName`, if it is given and not too long (70001).
    pub(crate) fn friendly_name(&self) -> Result<Option<String>, Refusal> {
        match self.field("FriendlyName") {
            Some(name) if name.chars().count() > 64 => {
                Err(Refusal::bad(70_001, "FriendlyName is longer than 64 characters"))
            }
            name => Ok(name.map(str::to_owned)),
        }
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// 200 with a body.
#[expect(clippy::unnecessary_wraps, reason = "it ends handlers that return an Answer")]
pub(crate) fn ok(body: Value) -> Answer {
    Ok(Json(body).into_response())
}

/// 201 with a body.
#[expect(clippy::unnecessary_wraps, reason = "it ends handlers that return an Answer")]
pub(crate) fn created(body: Value) -> Answer {
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// 204.
#[expect(clippy::unnecessary_wraps, reason = "it ends handlers that return an Answer")]
pub(crate) fn gone() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}
