//! Any text can be followed as a link.

use dialer_domain::destination::Destination;
use dialer_domain::link::{MAX_LENGTH, read};

/// Reads a link as somebody means it in a region.
pub fn try_out(bytes: &[u8]) {
    let [home, link] = super::pieces(bytes);
    match read(link, home) {
        Ok(destination) => {
            let address = destination.address();
            assert!(link.trim().len() <= MAX_LENGTH && !address.chars().any(char::is_control));
            assert_ne!(destination, Destination::NextInQueue);
            if let Destination::Sip(uri) = &destination {
                let (_, host) = uri.as_str().split_once('@').unwrap_or_default();
                let added = host.split(['?', ';']).nth(1).unwrap_or("transport=");
                assert!(added.to_ascii_lowercase().starts_with("transport="), "{uri}");
            }
            assert_eq!(Destination::parse(&address, home), Ok(destination));
        }
        Err(refusal) => assert!(refusal.0.ends_with('.'), "{refusal} is a sentence"),
    }
}
