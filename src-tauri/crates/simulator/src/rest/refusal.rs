//! Answers that say no, in the format of Twilio's REST errors.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::account::FieldError;

/// Why a request is refused: HTTP status, Twilio's code, a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: u32,
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: u32, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into() }
    }

    /// 400 with the code of a bad parameter.
    pub(crate) fn bad(code: u32, text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, text)
    }

    /// 20404.
    pub(crate) fn not_found(path: &str) -> Self {
        let text = format!("The requested resource {path} was not found");
        Self::new(StatusCode::NOT_FOUND, 20_404, text)
    }

    /// 20004.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, 20_004, "Method not allowed")
    }

    /// 20003: the credentials are wrong, or of a class that may not.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 20_003, "Authenticate")
    }
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self::bad(error.code, error.text)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "code": self.code,
            "message": self.text,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status.as_u16(),
        });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let realm = axum::http::HeaderValue::from_static("Basic realm=\"Twilio API\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, realm);
        }
        response
    }
}
