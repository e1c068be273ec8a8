//! Looks at the public address: is this very process behind it?

use std::error::Error as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use dialer_domain::error::UserError;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use url::Url;

use super::TunnelOptions;
use super::address::is_this_computer;
use super::machine::Outcome;
use super::machine::failing::no_way_out;
use super::provider::{Finding, ngrok, trouble};
use crate::proof::{PROOF_PATH, Proof};
use crate::public_base::join;

/// What is read of an answer, in bytes: a proof has 43, and a code may stand in an error page.
const ANSWER_LENGTH: usize = 16 * 1024;

/// Fetches proofs through the public address, and past it.
#[derive(Clone)]
pub(crate) struct Looker {
    proof: Proof,
    local: Url,
    /// For addresses of the internet; a proxy of the system's is used.
    far: reqwest::Client,
    /// For addresses of this computer.
    near: reqwest::Client,
    /// Names that lead to this computer because the options say so.
    named_here: Vec<String>,
    /// Whether the system knows a way to the internet.
    pub(super) way_out: fn() -> bool,
    timeout: Duration,
}

impl Looker {
    pub(crate) fn new(options: &TunnelOptions) -> Result<Self, UserError> {
        let timeout = options.periods.probe_timeout;
        let client = || {
            let client = reqwest::Client::builder()
                .timeout(timeout)
                // An address that leads elsewhere does not lead here, and Twilio does not follow a POST.
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                // A kept connection may outlive what it should prove.
                .pool_max_idle_per_host(0)
                .user_agent(concat!("kennex-dialer/", env!("CARGO_PKG_VERSION")))
                .tls_certs_merge(options.trust.iter().cloned());
            options.addresses.iter().fold(client, |client, (name, address)| client.resolve(name, *address))
        };
        let local = format!("http://127.0.0.1:{}", options.local_port);
        Ok(Self {
            proof: options.proof.clone(),
            local: local.parse().map_err(|_| trouble("The webhook server has no port."))?,
            far: client().build().map_err(|error| client_failed(&error))?,
            near: client().no_proxy().build().map_err(|error| client_failed(&error))?,
            named_here: options
                .addresses
                .iter()
                .filter(|(_, address)| address.ip().is_loopback())
                .map(|(name, _)| name.clone())
                .collect(),
            way_out: has_way_out,
            timeout,
        })
    }

    /// Looks at `url`; first past it, because no tunnel helps a server that does not answer, and what
    /// does not get through costs the provider's quota all the same.
    pub(crate) async fn look(&self, url: &Url) -> Outcome {
        if self.fetch(&self.near, &self.local).await.is_err() {
            return Outcome::NoServer(trouble(
                "This program's own webhook server does not answer. Restart the program.",
            ));
        }
        match self.fetch(if self.is_here(url) { &self.near } else { &self.far }, url).await {
            Ok(()) => Outcome::Proven,
            Err(Miss::Unreachable(reason)) if !self.way_out(Some(url)) => {
                Outcome::Offline(no_way_out(reason))
            }
            Err(Miss::Unreachable(reason) | Miss::Wrong(reason)) => Outcome::Missed(reason),
            Err(Miss::Permanent(reason)) => Outcome::Permanent(reason),
        }
    }

    /// Whether the system knows a way to `url`, or to whatever address a program is going to tell.
    pub(crate) fn way_out(&self, url: Option<&Url>) -> bool {
        url.map_or_else(|| !self.named_here.is_empty(), |url| self.is_here(url)) || (self.way_out)()
    }

    fn is_here(&self, url: &Url) -> bool {
        url.host().is_some_and(|host| {
            is_this_computer(&host) || self.named_here.iter().any(|name| *name == host.to_string())
        })
    }

    async fn fetch(&self, client: &reqwest::Client, base: &Url) -> Result<(), Miss> {
        let nonce = self.proof.nonce();
        let request = client
            .get(join(base, &format!("{PROOF_PATH}{nonce}")))
            .header("accept", "text/plain")
            // Keeps ngrok's page for people away; others ignore it.
            .header("ngrok-skip-browser-warning", "1");
        let host = base.host_str().unwrap_or_default();
        let unreachable = |error: reqwest::Error| Miss::Unreachable(self.unreachable(&error, host));
        let mut response = request.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = bounded_body(&mut response, ANSWER_LENGTH).await.map_err(unreachable)?;
        let text = content_type(&headers) == Some("text/plain");
        if status == 200 && text && self.proof.matches(&nonce, &body) {
            return Ok(());
        }
        Err(wrong(status, &headers, &body, host))
    }

    /// What kept an answer from coming.
    fn unreachable(&self, error: &reqwest::Error, host: &str) -> UserError {
        let mut chain = String::new();
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push_str(if chain.is_empty() { "" } else { ": " });
            chain.push_str(&cause.to_string());
            source = cause.source();
        }
        let sentence = if error.is_timeout() {
            format!("{host} did not answer within {} seconds.", self.timeout.as_secs_f32())
        } else if chain.contains("certificate") {
            format!(
                "{host} does not show a certificate that is believed. Check the address, or the proxy of this \
                 network."
            )
        } else if chain.contains("dns error") {
            format!("The name {host} is not known, or not yet. Check it if this goes on.")
        } else if error.is_connect() {
            format!("{host} could not be connected to.")
        } else {
            format!("{host} broke off its answer.")
        };
        trouble(sentence).with_detail(chain)
    }
}

/// Why a look failed.
#[derive(Debug, PartialEq, Eq)]
enum Miss {
    /// Nothing answered.
    Unreachable(UserError),
    /// Something else answered.
    Wrong(UserError),
    /// The provider answered that this will not change.
    Permanent(UserError),
}

/// What an answer means that is no proof of ours.
fn wrong(status: u16, headers: &HeaderMap, body: &str, host: &str) -> Miss {
    let detail = format!("status {status}, {}", content_type(headers).unwrap_or("no content type"));
    let code = headers.get("ngrok-error-code").and_then(|value| value.to_str().ok()).unwrap_or(body);
    if let Some(code) = ngrok::error_code(code) {
        return match ngrok::meaning(code) {
            Finding::Permanent(reason) => Miss::Permanent(reason),
            Finding::Trouble(reason) | Finding::Held(reason) => Miss::Wrong(reason),
            Finding::Address(_) | Finding::Connected | Finding::Interface(_) => {
                Miss::Wrong(trouble(format!("ngrok reports error {code}.")))
            }
        };
    }
    let sentence = match status {
        300..=399 => format!(
            "{host} leads somewhere else. If this network asks for a login in the browser, log in; otherwise \
             check the address."
        ),
        401 | 403 | 407 => {
            format!("{host} asks for a login. Twilio cannot log in: let its requests through without one.")
        }
        // 530 is Cloudflare's for a tunnel that nobody serves.
        502..=504 | 530 => {
            format!("{host} answers, but nothing comes through to this computer (status {status}).")
        }
        _ => format!("Something other than this program answers at {host} (status {status})."),
    };
    Miss::Wrong(trouble(sentence).with_detail(detail))
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next().map(str::trim)
}

/// Reads a body up to `length` bytes; what is beyond is left.
pub(crate) async fn bounded_body(
    response: &mut reqwest::Response,
    length: usize,
) -> Result<String, reqwest::Error> {
    let mut body = Vec::new();
    while body.len() < length {
        let Some(chunk) = response.chunk().await? else { break };
        body.extend_from_slice(&chunk);
    }
    body.truncate(length);
    Ok(String::from_utf8_lossy(&body).into_owned())
}

pub(crate) fn client_failed(error: &reqwest::Error) -> UserError {
    trouble(
        "No secure connections can be made from this computer. Check that its certificates are installed.",
    )
    .with_detail(format!("{error}: {:?}", error.source()))
}

/// Whether the system knows a way to the internet. Nothing is sent: connecting a datagram socket only
/// asks the routing table. The addresses are for documentation (RFC 5737, RFC 3849).
fn has_way_out() -> bool {
    let ways: [(SocketAddr, SocketAddr); 2] = [
        ((Ipv4Addr::UNSPECIFIED, 0).into(), (Ipv4Addr::new(192, 0, 2, 1), 9).into()),
        ((Ipv6Addr::UNSPECIFIED, 0).into(), (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into()),
    ];
    ways.iter().any(|(from, to)| UdpSocket::bind(from).and_then(|socket| socket.connect(to)).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn answered(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Miss {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), reqwest::header::HeaderValue::from_static(value)));
        wrong(status, &headers.collect(), body, "phone.example.com")
    }

    #[test]
    fn an_error_page_tells_what_is_wrong() {
        let html = [("content-type", "text/html; charset=utf-8")];
        for (status, says) in [
            (302, "leads somewhere else"),
            (401, "asks for a login"),
            (502, "nothing comes through"),
            (200, "Something other"),
        ] {
            let Miss::Wrong(reason) = answered(status, &html, "<html>") else { panic!("{status}") };
            assert!(reason.message.contains(says), "{}", reason.message);
            assert!(reason.detail.unwrap().contains("text/html"));
        }
    }

    #[test]
    fn codes_of_ngrok_are_read_from_the_header_and_the_page() {
        assert!(matches!(answered(403, &[("ngrok-error-code", "ERR_NGROK_727")], ""), Miss::Permanent(_)));
        assert!(matches!(answered(404, &[], "<p>ERR_NGROK_3200</p>"), Miss::Wrong(_)));
    }
}
