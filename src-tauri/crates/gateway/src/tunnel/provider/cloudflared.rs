//! `cloudflared`, Cloudflare's tunnel program: with a tunnel of the agent's own ([`Named`]) or with a
//! temporary address ([`Quick`]).
//!
//! Source of the facts: github.com/cloudflare/cloudflared (`metrics/metrics.go`, `metrics/readiness.go`,
//! `cmd/cloudflared/tunnel/quick_tunnel.go`, `connection/observer.go`). Its words go to standard error.
//! `--metrics 127.0.0.1:0` takes a free port and says which.

mod named;
mod quick;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use dialer_domain::error::UserError;

use super::{Answer, Finding, trouble, write_file};

pub(super) use named::Named;
pub(super) use quick::Quick;

const PROGRAM: &str = "cloudflared";
/// Says whether connections to Cloudflare stand: 200 or 503.
const READY: &str = "/ready";

/// An empty configuration in `folder`, to be given to the program. Without it the agent's own would be
/// mixed in, which may be about other tunnels.
fn configuration(folder: &Path) -> Result<PathBuf, UserError> {
    let path = folder.join("cloudflared.yml");
    write_file(&path, "{}\n")?;
    Ok(path)
}

/// What a line means that both kinds of tunnel write.
fn read(line: &str) -> Option<Finding> {
    if let Some((_, rest)) = line.split_once("Starting metrics server on ") {
        let address: SocketAddr = rest.split("/metrics").next()?.trim().parse().ok()?;
        return address.ip().is_loopback().then_some(Finding::Interface(address));
    }
    if line.contains("Registered tunnel connection") {
        return Some(Finding::Connected);
    }
    let reason = if line.contains("failed to dial to edge")
        || line.contains("Failed to dial a quic connection")
    {
        "cloudflared does not reach Cloudflare. A firewall may be closing port 7844; ask who runs the network."
    } else if line.contains("no such host") || line.contains("server misbehaving") {
        "cloudflared cannot look up Cloudflare's names. Check the connection to the internet."
    } else {
        return None;
    };
    Some(Finding::Trouble(trouble(reason)))
}

/// Whether connections to Cloudflare stand, by the answer to [`READY`].
fn ready(answer: Option<&Answer>) -> Option<bool> {
    match answer?.status {
        200 => Some(true),
        503 => Some(false),
        _ => None,
    }
}

fn ended(code: Option<i32>) -> UserError {
    let how = code.map_or_else(String::new, |code| format!(" (code {code})"));
    trouble(format!("cloudflared ended{how}. Its last words are in the diagnostics."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn the_lines_of_a_start_are_understood() {
        let line = "2026-11-23T10:00:00Z INF Starting metrics server on 127.0.0.1:40123/metrics";
        assert_eq!(read(line), Some(Finding::Interface("127.0.0.1:40123".parse().unwrap())));
        let line = "2026-11-23T10:00:01Z INF Registered tunnel connection connIndex=0 event=0 ip=192.0.2.1 location=fra08 protocol=quic";
        assert_eq!(read(line), Some(Finding::Connected));
        let line = "2026-11-23T10:00:01Z INF Starting metrics server on 0.0.0.0:40123/metrics";
        assert_eq!(read(line), None, "another computer could answer there");
        assert_eq!(read("2026-11-23T10:00:01Z INF Version 2026.8.2"), None);
    }

    #[test]
    fn readiness_is_the_status() {
        let answer = |status| Answer { status, body: String::new() };
        assert_eq!(ready(Some(&answer(200))), Some(true));
        assert_eq!(ready(Some(&answer(503))), Some(false));
        assert_eq!(ready(Some(&answer(404))), None);
        assert_eq!(ready(None), None);
    }
}
