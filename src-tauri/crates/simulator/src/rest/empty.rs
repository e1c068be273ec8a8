//! Resources of which there are none yet, because nothing here makes them: recordings, conferences and
//! queues. Their lists are empty, and every SID is unknown.

use axum::http::Method;

use super::ask::{Answer, Ask};
use super::calls::find;
use super::page::page_2010;
use super::refusal::Refusal;

/// An empty list under `key`, which nothing can be added to.
fn none(ask: &Ask, key: &str) -> Answer {
    if ask.method == Method::GET {
        page_2010(ask, key, Vec::new())
    } else {
        Err(Refusal::method_not_allowed())
    }
}

/// The resource's path, if it is one of these.
pub(crate) fn empty(ask: &Ask, below: &[&str]) -> Answer {
    match below {
        ["Recordings"] => none(ask, "recordings"),
        ["Conferences"] => none(ask, "conferences"),
        ["Queues"] => none(ask, "queues"),
        ["Calls", call, "Recordings"] => {
            find(ask, call)?;
            if ask.method == Method::POST {
                return Err(Refusal::bad(21_220, "Requested resource is not eligible for recording"));
            }
            none(ask, "recordings")
        }
        _ => Err(ask.not_found()),
    }
}
