//! Links that ask for a call: `tel:`, `callto:`, `sip:`, `sips:` and the program's own `kennex-dialer:`.
//!
//! Anybody can put a link on a page and have it followed by a script. So a link is only ever a question to the
//! agent, who has to say yes; and it names somebody, no more: what it adds to steer the call is left out.
//!
//! | link | read as |
//! | --- | --- |
//! | `tel:+1-202-555-0123;ext=7` (RFC 3966) | a number, without its extension |
//! | `callto://+12025550123` | a number |
//! | `sip:desk@example.com;transport=tls?subject=x` (RFC 3261 §19.1) | an address with its transport |
//! | `kennex-dialer:client:agent_2`, `kennex-dialer://+12025550123/` | whatever the agent can call, but the queue |

use crate::destination::{Destination, QUEUE_ADDRESS};
use crate::phone_number;

/// The longest link that is looked at, in bytes: far more than any address has.
pub const MAX_LENGTH: usize = 1_024;

/// The schemes, as a desktop is told of them.
pub const SCHEMES: [&str; 5] = ["tel", "callto", "sip", "sips", "kennex-dialer"];

/// Why a link asks for no call that could be placed, as a sentence for the agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidLink(pub String);

impl InvalidLink {
    fn because(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// Reads whom `link` asks to be called, as somebody in `home_region` (ISO 3166, such as `US`) means it.
pub fn read(link: &str, home_region: &str) -> Result<Destination, InvalidLink> {
    let link = link.trim();
    if link.len() > MAX_LENGTH {
        return Err(InvalidLink::because("The link is too long to be that of a call."));
    }
    let (scheme, rest) = link.split_once(':').unwrap_or(("", link));
    let scheme = SCHEMES.into_iter().find(|known| scheme.eq_ignore_ascii_case(known)).ok_or_else(|| {
        InvalidLink::because(
            "This is no link to a call. Such links begin with tel:, callto:, sip: or kennex-dialer:.",
        )
    })?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    match scheme {
        "sip" | "sips" => sip(scheme, rest, home_region),
        "kennex-dialer" => ours(&decode(rest)?, home_region),
        _ => number(&decode(rest)?, home_region),
    }
}

/// What follows `kennex-dialer:`. Browsers put a slash behind what they take for a host.
fn ours(text: &str, home_region: &str) -> Result<Destination, InvalidLink> {
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.eq_ignore_ascii_case(QUEUE_ADDRESS) {
        return Err(InvalidLink::because(
            "A link cannot take a caller out of the queue. Use the Take next button.",
        ));
    }
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    match scheme.to_ascii_lowercase().as_str() {
        known @ ("sip" | "sips") => sip(known, rest, home_region),
        "client" => Destination::parse(text, home_region).map_err(InvalidLink),
        "tel" | "callto" => number(rest, home_region),
        _ => number(text, home_region),
    }
}

/// What follows `tel:`: digits and marks between them, then parameters.
fn number(text: &str, home_region: &str) -> Result<Destination, InvalidLink> {
    let (local, parameters) = text.split_once(';').unwrap_or((text, ""));
    if local.trim().is_empty() {
        return Err(InvalidLink::because("The link names nobody to call."));
    }
    let context = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("phone-context").then_some(value)
    });
    if context.is_some_and(|context| !context.starts_with('+')) {
        return Err(InvalidLink::because(
            "The number in the link is known within one organization only. Ask for the whole number.",
        ));
    }
    if let Some(digits) = phone_number::emergency_number(local, home_region) {
        return Ok(Destination::Emergency(digits));
    }
    let local_to = context.map(|context| format!(";phone-context={context}")).unwrap_or_default();
    phone_number::parse(&format!("tel:{local}{local_to}"), home_region)
        .map(Destination::Number)
        .map_err(|error| InvalidLink(error.0))
}

/// What follows `sip:`. Of the parameters remains how the address is reached; the others, and headers, would let
/// a page say what the called party is told.
fn sip(scheme: &str, rest: &str, home_region: &str) -> Result<Destination, InvalidLink> {
    // The part before the @ may hold both marks itself.
    let host_at = rest.find('@').map_or(0, |at| at + 1);
    let end = rest[host_at..].find([';', '?']).map_or(rest.len(), |end| host_at + end);
    let (bare, tail) = rest.split_at(end);
    let parameters = tail.split('?').next().unwrap_or_default();
    let transport = parameters.split(';').find(|parameter| {
        ["transport=udp", "transport=tcp", "transport=tls"]
            .iter()
            .any(|known| parameter.eq_ignore_ascii_case(known))
    });
    let transport = transport.map(|transport| format!(";{transport}")).unwrap_or_default();
    Destination::parse(&format!("{scheme}:{bare}{transport}"), home_region).map_err(InvalidLink)
}

/// Undoes percent-encoding (RFC 3986 §2.1). What cannot be seen is refused: it could hide what is called.
fn decode(text: &str) -> Result<String, InvalidLink> {
    let unreadable = || InvalidLink::because("The link cannot be read. Enter the number by hand.");
    let mut bytes = Vec::with_capacity(text.len());
    let mut pieces = text.split('%');
    bytes.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2).ok_or_else(unreadable)?;
        if !code.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(unreadable());
        }
        bytes.push(u8::from_str_radix(code, 16).map_err(|_| unreadable())?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    if text.chars().any(char::is_control) { Err(unreadable()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn whom_a_link_names() {
        for (link, address) in [
            ("tel:+1-202-555-0123", "+12025550123"),
            ("TEL:%2B1%20202%20555%200123", "+12025550123"),
            ("tel://+12025550123", "+12025550123"),
            ("tel:(202)555-0123", "+12025550123"),
            ("tel:555-0123;phone-context=+1-202", "+12025550123"),
            ("tel:+12025550123;ext=7;isub=1", "+12025550123"),
            ("tel:+442079460000", "+442079460000"),
            ("tel:911", "911"),
            ("tel:9-1-1", "911"),
            ("tel:911;phone-context=+1", "911"),
            ("callto:+12025550123", "+12025550123"),
            ("callto://+12025550123", "+12025550123"),
            ("sip:desk@example.com", "sip:desk@example.com"),
            ("SIP:desk@example.com?X-Role=boss&Replaces=1", "sip:desk@example.com"),
            (
                "sip:desk@example.com;method=BYE;transport=TLS;maddr=10.0.0.1?x=1",
                "sip:desk@example.com;transport=TLS",
            ),
            ("sip:desk@example.com;transport=sctp", "sip:desk@example.com"),
            ("sip:desk@example.com;x=a@b?X-Role=a@b", "sip:desk@example.com"),
            (
                "sip:+12025550123;phone-context=a?b@example.com;x",
                "sip:+12025550123;phone-context=a?b@example.com",
            ),
            ("sips:desk@example.com:5061", "sips:desk@example.com:5061"),
            ("kennex-dialer:+12025550123", "+12025550123"),
            ("kennex-dialer://+12025550123/", "+12025550123"),
            ("kennex-dialer:client:agent_2", "client:agent_2"),
            ("kennex-dialer:client%3Aagent_2", "client:agent_2"),
            ("kennex-dialer:sip:desk@example.com?x=1", "sip:desk@example.com"),
            ("kennex-dialer:tel:+12025550123", "+12025550123"),
            ("kennex-dialer:TEL:+12025550123", "+12025550123"),
            ("kennex-dialer:Sip:desk@example.com", "sip:desk@example.com"),
            ("kennex-dialer:CLIENT:agent_2", "client:agent_2"),
            ("  tel:+12025550123\n", "+12025550123"),
        ] {
            assert_eq!(read(link, "US").unwrap().address(), address, "{link}");
        }
    }

    #[test]
    fn a_link_that_names_nobody_says_why() {
        let long = format!("tel:+1202555{}", "0".repeat(MAX_LENGTH));
        for (link, why) in [
            ("", "no link to a call"),
            ("https://example.com", "no link to a call"),
            ("+12025550123", "no link to a call"),
            ("tel:", "nobody"),
            ("tel:;phone-context=+1", "nobody"),
            ("kennex-dialer://", "nobody"),
            ("tel:7042;phone-context=example.com", "one organization"),
            ("tel:*21*%2B12025550123%23", "* or #"),
            ("tel:%", "cannot be read"),
            ("tel:%zz", "cannot be read"),
            ("tel:%+1", "cannot be read"),
            ("tel:%FF", "cannot be read"),
            ("tel:+1202%00555", "cannot be read"),
            ("tel:+1202\u{7}555", "cannot be read"),
            ("callto:some.name", "telephone number"),
            ("sip:desk", "SIP address"),
            ("sip:desk@<b>", "SIP address"),
            ("kennex-dialer:queue:", "queue"),
            ("kennex-dialer:QUEUE:", "queue"),
            ("kennex-dialer:client:a b", "client address"),
            (&long, "too long"),
        ] {
            let error = read(link, "US").unwrap_err().to_string();
            assert!(error.contains(why), "{link}: {error}");
        }
    }
}
