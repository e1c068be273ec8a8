//! Keeps web pages away from the control API.
//!
//! It listens on a loopback address, but any page open in a browser on this computer can send
//! requests there. Three things give a page away: the `Origin` or `Sec-Fetch-Site` header its browser
//! adds, a `Host` that is a name of its own pointing here (DNS rebinding), and, for requests browsers
//! send without asking first, a content type other than JSON. Tools set none of the first two.

use axum::Json;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Passes a request on if it cannot come from a web page.
pub(crate) async fn keep_pages_out(request: Request, next: Next) -> Response {
    match check(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err((status, reason)) => (status, Json(json!({ "error": reason }))).into_response(),
    }
}

fn check(method: &Method, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if headers.contains_key(ORIGIN) || text("sec-fetch-site").is_some_and(|site| site != "none") {
        return Err((StatusCode::FORBIDDEN, "Web pages may not use the control API."));
    }
    if !text(HOST.as_str()).is_some_and(is_loopback_host) {
        return Err((StatusCode::FORBIDDEN, "Address the control API as 127.0.0.1 or localhost."));
    }
    let json = text(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.trim().starts_with("application/json"));
    if !matches!(*method, Method::GET | Method::HEAD) && !json {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json."));
    }
    Ok(())
}

fn is_loopback_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name == "localhost"
        || name
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    fn status(method: Method, pairs: &[(&'static str, &'static str)]) -> u16 {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        check(&method, &headers).map_or_else(|(status, _)| status.as_u16(), |()| 200)
    }

    #[test]
    fn tools_pass_and_pages_do_not() {
        let host = ("host", "127.0.0.1:4000");
        let json = ("content-type", "application/json");
        assert_eq!(status(Method::GET, &[host]), 200);
        assert_eq!(status(Method::GET, &[("host", "localhost")]), 200);
        assert_eq!(status(Method::GET, &[("host", "[::1]:4000")]), 200);
        assert_eq!(status(Method::POST, &[host, json]), 200);
        assert_eq!(status(Method::GET, &[]), 403);
        assert_eq!(status(Method::GET, &[("host", "rebound.example:4000")]), 403);
        assert_eq!(status(Method::GET, &[("host", "127.0.0.1.example")]), 403);
        assert_eq!(status(Method::GET, &[host, ("sec-fetch-site", "cross-site")]), 403);
        assert_eq!(status(Method::POST, &[host, json, ("origin", "http://127.0.0.1:4000")]), 403);
        assert_eq!(status(Method::POST, &[host, json, ("origin", "null")]), 403);
        assert_eq!(status(Method::POST, &[host, ("content-type", "text/plain")]), 415);
        assert_eq!(status(Method::POST, &[host]), 415);
    }
}
