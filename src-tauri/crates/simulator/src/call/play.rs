//! What `<Play>` gives to hear.

use std::time::Duration;

use dialer_domain::sid::CallSid;
use url::{Host, Url};

use crate::audio::{Pattern, decode_wav};
use crate::event::AlertLevel;
use crate::network::Network;
use crate::webhook::fetch_sound;

/// How long fetching a recording may take.
const FETCH_LIMIT: Duration = Duration::from_secs(15);

/// The sound behind `url`: a WAV file from this computer, otherwise a tune in its place.
///
/// Nothing is fetched from elsewhere: a practice call must not reach out into the network because a
/// document says so. A file that cannot be played is also worth a warning (12200).
pub(crate) async fn play_url(network: &Network, call_sid: &CallSid, url: Option<Url>) -> Pattern {
    let Some(url) = url.filter(is_loopback) else { return Pattern::tune() };
    match tokio::time::timeout(FETCH_LIMIT, fetch(network, url)).await {
        Ok(Ok(sound)) => sound,
        Ok(Err(problem)) => {
            network.alert(call_sid, AlertLevel::Warning, 12_200, &format!("<Play>: {problem}"));
            Pattern::tune()
        }
        Err(_) => {
            network.alert(call_sid, AlertLevel::Warning, 12_200, "<Play>: the file did not come in time");
            Pattern::tune()
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    local && url.scheme() == "http"
}

async fn fetch(network: &Network, url: Url) -> Result<Pattern, String> {
    let file = fetch_sound(network, &url).await?;
    decode_wav(&file).map(Pattern::recording).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn only_this_computer_is_asked() {
        for (url, local) in [
            ("http://127.0.0.1:8080/a.wav", true),
            ("http://localhost/a.wav", true),
            ("http://[::1]:1/a.wav", true),
            ("https://127.0.0.1/a.wav", false),
            ("http://192.168.0.1/a.wav", false),
            ("http://localhost.example/a.wav", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), local, "{url}");
        }
    }
}
