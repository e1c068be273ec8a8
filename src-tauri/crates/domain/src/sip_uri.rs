//! SIP addresses, as `<Sip>` dials them.

use serde::{Deserialize, Serialize};

/// A SIP URI: `sip:` or `sips:`, a user, `@`, a host, and whatever parameters follow. Shorter than 255
/// characters (Twilio, TwiML `<Sip>`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct SipUri(String);

/// A text that cannot be dialled as a SIP address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("A SIP address is sip:name@host, such as sip:desk@example.com, and at most 254 characters long.")]
pub struct InvalidSipUri;

impl SipUri {
    /// The longest address, in characters.
    pub const MAX_LENGTH: usize = 254;

    /// Checks the form; the scheme may be in capitals. Whether the host can be reached is for Twilio to say
    /// (13254).
    pub fn parse(text: &str) -> Result<Self, InvalidSipUri> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidSipUri)?;
        let scheme = ["sip", "sips"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known));
        // A @ in the name itself is written %40 (RFC 3261 §25.1).
        let (user, rest) = rest.split_once('@').ok_or(InvalidSipUri)?;
        let end = rest.find([';', '?']).unwrap_or(rest.len());
        let (host, tail) = rest.split_at(end);
        let visible = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'\\'))
        };
        let valid = !user.is_empty()
            && visible(user)
            && is_host_and_port(host)
            && visible(tail)
            && text.len() <= Self::MAX_LENGTH;
        match scheme {
            Some(scheme) if valid => Ok(Self(format!("{scheme}:{user}@{host}{tail}"))),
            Some(_) | None => Err(InvalidSipUri),
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name before the `@`, without password and parameters, escapes resolved.
    pub fn user(&self) -> String {
        let (_, rest) = self.0.split_once(':').unwrap_or_default();
        let (user, _) = rest.split_once('@').unwrap_or_default();
        let name = user.split([':', ';']).next().unwrap_or_default();
        let mut bytes = Vec::with_capacity(name.len());
        let mut rest = name.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
            match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%') {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &after[2..];
                }
                None => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port.
fn is_host_and_port(text: &str) -> bool {
    let (named, port) = match text.strip_prefix('[') {
        Some(inner) => {
            let Some((address, port)) = inner.split_once(']') else { return false };
            (address.parse::<std::net::Ipv6Addr>().is_ok(), port)
        }
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (host.split('.').all(is_label), port)
        }
    };
    let numbered = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| {
            digits.bytes().all(|digit| digit.is_ascii_digit())
                && digits.parse::<u16>().is_ok_and(|port| port != 0)
        });
    named && numbered
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && !text.starts_with('-') && !text.ends_with('-') && text.bytes().all(inner)
}

impl std::fmt::Display for SipUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SipUri {
    type Error = InvalidSipUri;
    fn try_from(text: String) -> Result<Self, InvalidSipUri> {
        Self::parse(&text)
    }
}

impl From<SipUri> for String {
    fn from(uri: SipUri) -> String {
        uri.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn an_address_has_a_name_and_a_host() {
        for text in [
            "sip:desk@example.com",
            "sips:desk@example.com:5061",
            "sip:desk:secret@10.0.0.1",
            "sip:+12025550123;phone-context=+1@example.com;transport=tls?X-Tag=a@b",
            "sip:desk@[2001:db8::1]:5060;lr",
            "sip:desk%40home@sip_1.example",
        ] {
            assert_eq!(SipUri::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(SipUri::parse("SIPS:Desk@Example.com").unwrap().as_str(), "sips:Desk@Example.com");
    }

    #[test]
    fn the_name_is_what_stands_before_the_host() {
        for (text, name) in [
            ("sip:desk@example.com", "desk"),
            ("sips:desk:secret@example.com", "desk"),
            ("sip:+12025550123;phone-context=+1@example.com", "+12025550123"),
            ("sip:%2b1900%32345678@example.com", "+19002345678"),
            ("sip:100%@example.com", "100%"),
            ("sip:%zz@example.com;user=phone", "%zz"),
        ] {
            assert_eq!(SipUri::parse(text).unwrap().user(), name);
        }
    }

    #[test]
    fn what_is_no_address() {
        let long = format!("sip:{}@example.com", "a".repeat(SipUri::MAX_LENGTH));
        for text in [
            "",
            "sip:",
            "sip:desk",
            "sip:@example.com",
            "sip:desk@",
            "sip:desk@;transport=tls",
            "sip:desk@-example.com",
            "sip:desk@example..com",
            "sip:desk@home@example.com",
            "sip:desk@example.com:0",
            "sip:desk@example.com:65536",
            "sip:desk@example.com:+5060",
            "sip:desk@example.com:",
            "sip:desk@[::1",
            "sip:desk@[2001\u{0}",
            "sip:desk@[example.com]",
            "sip:desk@[::1]x",
            "sip:de sk@example.com",
            "sip:desk@example.com;x=\"y\"",
            "sip:<desk>@example.com",
            "sip:desk@exämple.com",
            "tel:desk@example.com",
            "desk@example.com",
            &long,
        ] {
            assert_eq!(SipUri::parse(text), Err(InvalidSipUri), "{text}");
        }
    }
}
