//! Lists that come in pages.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::client::{Client, read_body};
use super::error::RestError;
use super::request::Request;

/// What Twilio gives at most.
const LARGEST_PAGE: usize = 1000;
/// A list of more pages is not one a telephone reads.
const MOST_PAGES: usize = 100;

/// Where the next page is: `next_page_uri` in the API of 2010, relative to the host, and
/// `meta.next_page_url` in the products', absolute.
#[derive(Deserialize)]
struct Page {
    next_page_uri: Option<String>,
    meta: Option<Meta>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct Meta {
    next_page_url: Option<String>,
}

impl Client {
    /// The first `limit` items of the list named `key`, in Twilio's order, or all.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        request: Request,
        key: &'static str,
        limit: Option<usize>,
    ) -> Result<Vec<T>, RestError> {
        let size = limit.unwrap_or(LARGEST_PAGE).clamp(1, LARGEST_PAGE);
        let request = request.query("PageSize", Some(size.to_string()));
        let mut items = Vec::new();
        let mut seen = HashSet::new();
        let mut next: Option<Url> = None;
        loop {
            let page: Page = read_body(&self.send(&request, next.as_ref()).await?)?;
            items.extend(read_items(page.rest, key)?);
            if limit.is_some_and(|limit| items.len() >= limit) {
                items.truncate(limit.unwrap_or_default());
                return Ok(items);
            }
            let link = page.next_page_uri.or(page.meta.and_then(|meta| meta.next_page_url));
            let Some(link) = link.filter(|link| !link.is_empty()) else {
                return Ok(items);
            };
            let url = self
                .base()
                .next_page(request.product, &link)
                .ok_or_else(|| malformed("the next page is on another host"))?;
            if !seen.insert(url.clone()) {
                return Err(malformed("a page leads back to one before it"));
            }
            if seen.len() >= MOST_PAGES {
                return Err(malformed("the list has no end"));
            }
            next = Some(url);
        }
    }
}

fn read_items<T: DeserializeOwned>(
    mut page: serde_json::Map<String, Value>,
    key: &'static str,
) -> Result<Vec<T>, RestError> {
    let items =
        page.remove(key).ok_or_else(|| RestError::Malformed { detail: format!("it has no {key}") })?;
    // The error of a value would repeat what is in it.
    serde_json::from_value(items)
        .map_err(|_| RestError::Malformed { detail: format!("an item of {key} is not as expected") })
}

fn malformed(detail: &str) -> RestError {
    RestError::Malformed { detail: detail.to_owned() }
}
