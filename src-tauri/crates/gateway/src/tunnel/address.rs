//! Which texts are public addresses.

use std::net::IpAddr;

use dialer_domain::entry::{Field, check};
use dialer_domain::error::UserError;
use url::{Host, Url};

use super::provider::invalid;

/// Reads an address that the agent entered: whatever is taken where an account is connected, and what
/// [`told_address`] takes besides.
pub(crate) fn public_address(text: &str) -> Result<Url, UserError> {
    let text = text.trim();
    let entered = check(Field::BackendUrl, text);
    // Of an address that was cleaned, nothing but the clean form is used.
    let cleaned = entered.as_ref().ok().and_then(|cleaned| cleaned.shown()?.parse().ok());
    cleaned.or_else(|| told_address(text)).ok_or_else(|| {
        invalid(entered.err().unwrap_or_else(|| {
            "The public address is not understood. Enter it whole, such as https://phone.example.com.".into()
        }))
    })
}

/// Reads an address that a program told. It must be one that Twilio can reach: `https`, and no address
/// of a local network. Plain `http` is for addresses of this computer, where the simulator calls.
pub(crate) fn told_address(text: &str) -> Option<Url> {
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let host = url.host()?;
    let here = is_this_computer(&host);
    let reachable = match url.scheme() {
        "https" => here || !is_local(&host),
        "http" => here,
        _ => false,
    };
    let more = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    (reachable && !more).then_some(url)
}

/// Reads an address that a provider's program told: `https`, a host below one of `hosts` or one of them
/// itself, and nothing else.
pub(crate) fn provided_address(text: &str, hosts: &[&str]) -> Option<Url> {
    let url = told_address(text)?;
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
        for (good, read) in [
            ("https://phone.example.com", "https://phone.example.com/"),
            (" https://phone.example.com/prefix/ ", "https://phone.example.com/prefix"),
            ("https://phone.example.com:8443", "https://phone.example.com:8443/"),
            // As it is taken where an account is connected.
            ("phone.example.com", "https://phone.example.com/"),
            ("\u{201c}https://phone.example.com\u{201d}", "https://phone.example.com/"),
            ("https://phone.example.com/api/calls/twiml", "https://phone.example.com/"),
            ("https://phone.example.com/prefix/api/calls/status", "https://phone.example.com/prefix"),
            // Where the simulator calls.
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000/"),
            ("http://[::1]:8000", "http://[::1]:8000/"),
            (" http://localhost:8000", "http://localhost:8000/"),
        ] {
            assert_eq!(public_address(good).unwrap().as_str(), read, "{good}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_own_sentence() {
        for (bad, says) in [
            ("", "Nothing was entered"),
            ("ftp://phone.example.com", "must begin with https://"),
            ("https://", "no web address"),
            ("https://phone.example.com/a b", "spaces"),
            ("http://phone.example.com", "must begin with https"),
            ("https://192.168.1.4", "its own network"),
            ("https://10.0.0.1:8443", "its own network"),
            ("https://printer.local", "its own network"),
            ("https://[fe80::1]", "its own network"),
            ("https://intranet", "no dot"),
            ("https://user:word@phone.example.com", "user name or a password"),
            ("https://phone.example.com/?a=b", "“?” or “#”"),
            ("https://phone.example.com/#a", "“?” or “#”"),
        ] {
            let error = public_address(bad).unwrap_err();
            assert!(error.message.contains(says), "{bad}: {}", error.message);
            assert_eq!(told_address(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_a_program_tells_is_taken_literally() {
        assert!(told_address("https://your-name-here.example.com").is_some(), "names are made of any words");
        for bad in
            ["phone.example.com", "https://phone.exam\u{0}ple.com", "\u{201c}https://phone.example.com"]
        {
            assert_eq!(told_address(bad), None, "{bad}");
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
