//! The public address of this computer.

use url::{Host, Url};

/// What this program serves itself below the address; the seed's guide has people paste one of them.
const OWN_PATHS: [&str; 4] = ["/api/calls/twiml", "/api/calls/status", "/api/calls/token", "/api/calls"];

/// `https://host[:port][/path]` without a slash at the end. The error is a sentence.
pub(super) fn read(text: &str) -> Result<String, String> {
    if text.contains(char::is_whitespace) {
        return Err("There are spaces inside: copy the address again, in one piece.".into());
    }
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&with_scheme).map_err(|_| {
        "This is no web address. Enter it as it would be opened in a browser, such as https://phone.example.com."
            .to_owned()
    })?;
    let host = url.host().ok_or("This web address has no host name.")?;
    if is_local(&host) {
        return Err("This address leads only to this computer or its own network, so Twilio cannot reach it. Enter a \
                    public address, or leave the field empty and choose a tunnel."
            .into());
    }
    match url.scheme() {
        "https" => {}
        "http" => {
            return Err(
                "The address must begin with https: over http anybody on the way could read and change what \
                        Twilio says. Put a proxy with a certificate in front, or choose a tunnel."
                    .into(),
            );
        }
        _ => return Err("The address must begin with https://.".into()),
    }
    if !matches!(host, Host::Ipv6(_)) && !host.to_string().contains('.') {
        return Err(
            "This host name has no dot, so only your own network knows it. Enter the full public name, such \
                    as https://phone.example.com."
                .into(),
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("The address may not have a user name or a password in it. Take them out.".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("The address may not have a part behind “?” or “#”. Take it off.".into());
    }
    let whole = url.as_str().trim_end_matches('/');
    let base = OWN_PATHS.iter().find_map(|path| whole.strip_suffix(path)).unwrap_or(whole);
    Ok(base.trim_end_matches('/').to_owned())
}

fn is_local(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost"
                || [".localhost", ".local", ".lan", ".internal", ".home.arpa", ".invalid"]
                    .iter()
                    .any(|ending| name.ends_with(ending))
        }
        Host::Ipv4(address) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast()
        }
        Host::Ipv6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}
