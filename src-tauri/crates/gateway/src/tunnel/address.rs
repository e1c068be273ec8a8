//! Which texts are public addresses.

use std::net::IpAddr;

use dialer_domain::error::UserError;
use url::{Host, Url};

use super::provider::invalid;

/// Reads an address that the agent entered. It must be one that Twilio can reach: `https`, and no address
/// of a local network. Plain `http` is for addresses of this computer, where the simulator calls.
pub(crate) fn public_address(text: &str) -> Result<Url, UserError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(invalid("The public address is missing. Enter it, such as https://phone.example.com."));
    }
    let malformed = || {
        invalid("The public address is not understood. Enter it whole, such as https://phone.example.com.")
    };
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(malformed());
    }
    let url = Url::parse(text).map_err(|_| malformed())?;
    let host = url.host().ok_or_else(malformed)?;
    match url.scheme() {
        "https" => {}
        "http" if is_this_computer(&host) => {}
        "http" => {
            return Err(invalid(
                "The public address must begin with https://, because calls and their signatures must not \
                 travel in the open.",
            ));
        }
        _ => return Err(malformed()),
    }
    if !is_this_computer(&host) && is_local(&host) {
        return Err(invalid(
            "The public address is one of a local network, which Twilio cannot reach. Enter the name under \
             which the internet knows it.",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("The public address must not contain a user or a password. Leave them out."));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("The public address must end before ? and #. Leave out what follows."));
    }
    Ok(url)
}

/// Reads an address that a provider's program told: `https`, a host below one of `hosts` or one of them
/// itself, and nothing else.
pub(crate) fn provided_address(text: &str, hosts: &[&str]) -> Option<Url> {
    let url = public_address(text).ok()?;
    let host = url.host_str()?.to_owned();
    let believed = hosts.iter().any(|end| {
        host == *end || host.strip_suffix(end).is_some_and(|name| name.len() > 1 && name.ends_with('.'))
    });
    let bare = url.scheme() == "https" && url.port().is_none() && url.path() == "/";
    (believed && bare).then_some(url)
}

/// Whether `host` is this computer by whatever name.
pub(crate) fn is_this_computer<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.as_ref().trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether `host` is known in a local network only.
fn is_local(host: &Host<&str>) -> bool {
    let address = match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            // RFC 6762, RFC 8375, and names that no public zone can hold.
            return !name.contains('.')
                || [".local", ".lan", ".internal", ".home.arpa"].iter().any(|end| name.ends_with(end));
        }
        Host::Ipv4(address) => IpAddr::V4(*address),
        Host::Ipv6(address) => IpAddr::V6(*address),
    };
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local() || address.is_unspecified(),
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_unicast_link_local() || address.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn what_twilio_can_reach_is_taken() {
        for good in [
            "https://phone.example.com",
            " https://phone.example.com/prefix/ ",
            "https://phone.example.com:8443",
            "http://127.0.0.1:8000",
            "http://[::1]:8000",
            "http://localhost:8000",
        ] {
            assert!(public_address(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_own_sentence() {
        for (bad, says) in [
            ("", "missing"),
            ("phone.example.com", "not understood"),
            ("ftp://phone.example.com", "not understood"),
            ("https://", "not understood"),
            ("https://phone.example.com/a b", "not understood"),
            ("https://phone.exam\u{0}ple.com", "not understood"),
            ("http://phone.example.com", "must begin with https://"),
            ("https://192.168.1.4", "local network"),
            ("https://10.0.0.1:8443", "local network"),
            ("https://printer.local", "local network"),
            ("https://[fe80::1]", "local network"),
            ("https://intranet", "local network"),
            ("https://user:word@phone.example.com", "user or a password"),
            ("https://phone.example.com/?a=b", "before ? and #"),
            ("https://phone.example.com/#a", "before ? and #"),
        ] {
            let error = public_address(bad).unwrap_err();
            assert!(error.message.contains(says), "{bad}: {}", error.message);
        }
    }

    #[test]
    fn a_provider_is_believed_within_its_own_names_only() {
        let hosts = &["provider.example"];
        assert!(provided_address("https://a-1.provider.example", hosts).is_some());
        for bad in [
            "http://a.provider.example",
            "https://a.provider.example:8443",
            "https://a.provider.example/x",
            "https://aprovider.example",
            "https://a.provider.example.evil.example",
            "https://.provider.example",
        ] {
            assert_eq!(provided_address(bad, hosts), None, "{bad}");
        }
    }
}
