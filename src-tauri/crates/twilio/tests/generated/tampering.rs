//! Requests that somebody changed, or signed with what they do not have.

use rand::RngExt as _;
use rand::rngs::StdRng;

use super::signed_request::{Body, Request};
use super::text;

/// What happened to a request after it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Change {
    Signature,
    Secret,
    Algorithm,
    Scheme,
    User,
    Host,
    Path,
    Query,
    Body,
}

const CHANGES: [Change; 9] = [
    Change::Signature,
    Change::Secret,
    Change::Algorithm,
    Change::Scheme,
    Change::User,
    Change::Host,
    Change::Path,
    Change::Query,
    Change::Body,
];

/// Changes one thing of a request and its signature, such that a signature of the first no longer covers it.
pub(crate) fn tamper(random: &mut StdRng, request: &Request, signature: &str) -> (Change, Request, String) {
    let signed = request.readings();
    loop {
        let change = CHANGES[random.random_range(0..CHANGES.len())];
        let mut request = request.clone();
        let mut signature = signature.to_owned();
        match change {
            Change::Signature => edit(random, &mut signature),
            Change::Secret => edit(random, &mut request.secret),
            Change::Algorithm => request.shared = other_algorithm(&request),
            Change::Scheme => {
                request.url.scheme = if request.url.scheme == "https" { "http" } else { "https" }
            }
            Change::User => {
                request.url.user = if request.url.user.is_empty() { "u:p@".into() } else { String::new() };
            }
            Change::Host => edit(random, &mut request.url.host),
            Change::Path => change_path(random, &mut request.url.path),
            Change::Query => change_query(random, &mut request.url.query),
            Change::Body => change_body(random, &mut request.body),
        }
        let keyed = matches!(change, Change::Signature | Change::Secret | Change::Algorithm);
        // Names and values are joined without a mark, so some changes of a form leave what is signed.
        let uncovered = signed.iter().all(|text| !request.readings().contains(text)) || !request.hash_fits();
        if keyed || uncovered {
            return (change, request, signature);
        }
    }
}

fn other_algorithm(request: &Request) -> Option<dialer_twilio::signature::HmacAlgorithm> {
    use dialer_twilio::signature::HmacAlgorithm::{Sha1, Sha256};
    match request.shared {
        Some(Sha256) => Some(Sha1),
        Some(Sha1) | None => Some(Sha256),
    }
}

/// Puts in, takes out or replaces a letter or a digit, so that every text stays of its kind.
fn edit(random: &mut StdRng, text: &mut String) {
    let before = text.clone();
    while *text == before {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let new = text::of(random, "abcdefghijklmnopqrstuvwxyz0123456789", 1..2);
        let at = if places.is_empty() { 0 } else { places[random.random_range(0..places.len())] };
        let length = text[at..].chars().next().map_or(0, char::len_utf8);
        match random.random_range(0..3) {
            0 => text.insert_str(at, &new),
            1 if places.len() > 1 => text.replace_range(at..at + length, ""),
            _ => text.replace_range(at..at + length, &new),
        }
    }
}

fn change_path(random: &mut StdRng, path: &mut String) {
    match random.random_range(0..3) {
        0 => path.push('/'),
        1 => path.push_str("/x"),
        _ if path.is_empty() => path.push('/'),
        _ => {
            let mut rest = path.split_off(1);
            edit(random, &mut rest);
            path.push_str(&rest);
        }
    }
}

fn change_query(random: &mut StdRng, query: &mut Option<String>) {
    *query = match query.take() {
        None => Some("x".into()),
        Some(mut query) => match random.random_range(0..3) {
            0 => None,
            1 => Some(format!("{query}&x=1")),
            _ => {
                edit(random, &mut query);
                Some(query)
            }
        },
    };
}

fn change_body(random: &mut StdRng, body: &mut Body) {
    match body {
        Body::None => *body = Body::Form(vec![("Digits".into(), "1".into())]),
        Body::Json(text) => edit(random, text),
        Body::Form(pairs) if pairs.is_empty() => pairs.push(("Digits".into(), "1".into())),
        Body::Form(pairs) => {
            let at = random.random_range(0..pairs.len());
            match random.random_range(0..6) {
                0 => drop(pairs.remove(at)),
                1 => pairs.push((pairs[at].0.clone(), "again".into())),
                2 => pairs.push((text::of(random, "abcXYZ", 1..9), text::any(random))),
                3 => edit(random, &mut pairs[at].0),
                4 => pairs[at].1.clear(),
                _ => edit(random, &mut pairs[at].1),
            }
        }
    }
}
