//! Pages of lists, in both of Twilio's styles.
//!
//! A page after the first is reached by its link only, whose `PageToken` names the item it goes on
//! from: asking for one by number gets 21481, as at Twilio.

use serde_json::{Map, Value, json};

use super::ask::{Answer, Ask, ok};
use super::refusal::Refusal;

const USUAL_SIZE: usize = 50;
const LARGEST_SIZE: usize = 1_000;

/// Which items of a list are asked for.
struct Window {
    size: usize,
    page: usize,
    start: usize,
}

/// A page of `items` in the style of the API of 2010: links are relative to the host.
pub(crate) fn page_2010(ask: &Ask, key: &str, items: Vec<Value>) -> Answer {
    let (window, next, previous) = window(ask, &items)?;
    let link = |page, token: Option<String>| format!("{}?{}", ask.path, query(ask, window.size, page, token));
    let shown: Vec<Value> = items.into_iter().skip(window.start).take(window.size).collect();
    let end = window.page * window.size + shown.len().saturating_sub(1);
    let mut body = Map::new();
    body.insert(key.to_owned(), Value::Array(shown));
    for (name, value) in [
        ("page", json!(window.page)),
        ("page_size", json!(window.size)),
        ("start", json!(window.page * window.size)),
        ("end", json!(end)),
        ("uri", json!(link(window.page, None))),
        ("first_page_uri", json!(link(0, None))),
        ("next_page_uri", json!(next.map(|token| link(window.page + 1, Some(token))))),
        ("previous_page_uri", json!(previous.map(|token| link(window.page.saturating_sub(1), Some(token))))),
    ] {
        body.insert(name.to_owned(), value);
    }
    ok(Value::Object(body))
}

/// A page of `items` in the style of the product APIs: `meta` with absolute links.
pub(crate) fn page_meta(ask: &Ask, key: &str, items: Vec<Value>) -> Answer {
    let (window, next, previous) = window(ask, &items)?;
    let link = |page, token: Option<String>| {
        format!("{}{}?{}", ask.base, ask.path, query(ask, window.size, page, token))
    };
    let shown: Vec<Value> = items.into_iter().skip(window.start).take(window.size).collect();
    ok(json!({
        key: shown,
        "meta": {
            "page": window.page,
            "page_size": window.size,
            "first_page_url": link(0, None),
            "previous_page_url": previous.map(|token| link(window.page.saturating_sub(1), Some(token))),
            "url": link(window.page, None),
            "next_page_url": next.map(|token| link(window.page + 1, Some(token))),
            "key": key,
        }
    }))
}

/// The window, and the tokens of the next and the previous page where there are such.
fn window(ask: &Ask, items: &[Value]) -> Result<(Window, Option<String>, Option<String>), Refusal> {
    let size = match ask.filter("PageSize").map(str::parse) {
        None => USUAL_SIZE,
        Some(Ok(size @ 1..=LARGEST_SIZE)) => size,
        Some(_) => {
            return Err(Refusal::bad(20_007, format!("PageSize must be between 1 and {LARGEST_SIZE}")));
        }
    };
    let page: usize = ask.filter("Page").and_then(|page| page.parse().ok()).unwrap_or(0);
    let start = match ask.filter("PageToken") {
        Some(token) => begin(token, items, size, page),
        None if page == 0 => 0,
        None => return Err(Refusal::bad(21_481, "Page numbers are not supported; follow next_page_uri")),
    };
    let next =
        items.get(start + size).and_then(|_| items.get(start + size - 1)).map(|last| token("PA", last));
    let previous = (start > 0).then(|| items.get(start)).flatten().map(|first| token("PB", first));
    Ok((Window { size, page, start }, next, previous))
}

/// Where the page of a token begins: after the item it names (`PA…`), or a page before it (`PB…`).
/// When that item is gone, where it would have been.
fn begin(token: &str, items: &[Value], size: usize, page: usize) -> usize {
    let place = |name: &str| items.iter().position(|item| name_of(item) == name);
    let (after, name) = match (token.strip_prefix("PA"), token.strip_prefix("PB")) {
        (Some(name), _) => (true, name),
        (None, Some(name)) => (false, name),
        (None, None) => return page * size,
    };
    match place(name) {
        Some(index) if after => index + 1,
        Some(index) => index.saturating_sub(size),
        None => page * size,
    }
}

fn token(kind: &str, item: &Value) -> String {
    format!("{kind}{}", name_of(item))
}

/// What tells an item apart from others of its list.
fn name_of(item: &Value) -> &str {
    let names = ["sid", "iso_code", "iso_country", "call_sid", "prefix", "category"];
    names.iter().find_map(|name| item[*name].as_str()).unwrap_or_default()
}

/// The query of a link: the request's own filters, then the page.
fn query(ask: &Ask, size: usize, page: usize, token: Option<String>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let filters =
        ask.query.iter().filter(|(name, _)| !matches!(name.as_str(), "PageSize" | "Page" | "PageToken"));
    query.extend_pairs(filters);
    query.append_pair("PageSize", &size.to_string()).append_pair("Page", &page.to_string());
    if let Some(token) = token {
        query.append_pair("PageToken", &token);
    }
    query.finish()
}
