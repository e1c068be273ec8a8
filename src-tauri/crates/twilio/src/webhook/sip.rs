//! The addresses of calls that come from a SIP domain of the account.

/// An address without what is no part of somebody's name: of `<sip:desk@example.com;transport=tls?x-a=1>`
/// remains `sip:desk@example.com`. Other addresses stay as they are.
pub(super) fn bare(address: &str) -> &str {
    let inner =
        address.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(address, |(uri, _)| uri);
    let is_sip = |text: &str| {
        ["sip:", "sips:"]
            .iter()
            .any(|scheme| text.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)))
    };
    if !is_sip(inner) {
        return address;
    }
    // The part before the @ may hold both marks itself (RFC 3261 §25.1).
    let host_at = inner.find('@').map_or(0, |at| at + 1);
    let end = inner[host_at..].find([';', '?']).map_or(inner.len(), |end| host_at + end);
    &inner[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_somebody_remains() {
        for (address, expected) in [
            ("sip:desk@example.com", "sip:desk@example.com"),
            ("sip:desk@example.com;transport=tls?x-a=1", "sip:desk@example.com"),
            ("sip:desk@example.com:5061;user=phone", "sip:desk@example.com:5061"),
            ("SIPS:desk@example.com?x=1", "SIPS:desk@example.com"),
            ("\"Desk\" <sip:desk@example.com;lr>;tag=1", "sip:desk@example.com"),
            (
                "sip:+12025550123;phone-context=a?b@[2001:db8::1];x",
                "sip:+12025550123;phone-context=a?b@[2001:db8::1]",
            ),
            ("sip:desk@example.com;tag=a@b", "sip:desk@example.com"),
            ("sip:example.com;x=1", "sip:example.com"),
            ("+12025550123", "+12025550123"),
            ("client:agent_1", "client:agent_1"),
            ("<client:agent_1>;x", "<client:agent_1>;x"),
            ("ü", "ü"),
            ("", ""),
        ] {
            assert_eq!(bare(address), expected, "{address}");
        }
    }
}
