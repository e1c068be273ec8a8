//! Queues, and who waits in them.
//!
//! That a queue with somebody in it cannot be deleted (20001 here) and that a name may be used once
//! (22003) come from Twilio's page on the Queue resource and its error list.

use axum::http::Method;
use serde_json::{Value, json};

use super::ask::{Answer, Ask, created, gone, ok};
use super::calls::{method, web};
use super::page::page_2010;
use super::refusal::Refusal;
use crate::call::Start;
use crate::queue::{MemberFacts, QueueFacts, Which, dequeue};
use crate::webhook::{API_VERSION, rfc2822};

/// Members of a queue that REST makes, unless it says how many, and the most it may say.
const USUAL_SIZE: usize = 1_000;
const LARGEST_SIZE: usize = 5_000;

/// `Queues.json`.
pub(crate) fn list(ask: &Ask) -> Answer {
    match ask.method {
        Method::GET => {
            let shown = ask.network.queues.list().iter().rev().map(|queue| show(ask, queue)).collect();
            page_2010(ask, "queues", shown)
        }
        Method::POST => {
            ask.required("FriendlyName")?;
            let name = ask.friendly_name()?.unwrap_or_default();
            if ask.network.queues.named(&name).is_some() {
                return Err(Refusal::bad(22_003, "A queue of this name exists already"));
            }
            let size = size(ask)?.unwrap_or(USUAL_SIZE);
            created(show(ask, &ask.network.queues.create(&name, Some(size), ask.network.now_ms())))
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `Queues/{QU}.json`.
pub(crate) fn one(ask: &Ask, sid: &str) -> Answer {
    let queues = &ask.network.queues;
    match ask.method {
        Method::GET => ok(show(ask, &find(ask, sid)?)),
        Method::POST => {
            let (name, size) = (ask.friendly_name()?, size(ask)?);
            let changed = queues.update(sid, name.as_deref(), size, ask.network.now_ms());
            ok(show(ask, &changed.ok_or_else(|| ask.not_found())?))
        }
        Method::DELETE => match queues.delete(sid) {
            Some(true) => gone(),
            Some(false) => Err(Refusal::bad(20_001, "Somebody waits in the queue")),
            None => Err(ask.not_found()),
        },
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `Queues/{QU}/Members.json`, the longest waiting first.
pub(crate) fn members(ask: &Ask, queue: &str) -> Answer {
    let facts = find(ask, queue)?;
    if ask.method != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    let shown = facts.members.iter().map(|member| show_member(ask, queue, member)).collect();
    page_2010(ask, "queue_members", shown)
}

/// `Queues/{QU}/Members/{CA}.json`; `Front` names the one who has waited longest.
pub(crate) fn member(ask: &Ask, queue: &str, who: &str) -> Answer {
    let which = if who == "Front" { Which::Front } else { Which::Call(who) };
    match ask.method {
        Method::GET => {
            let member = ask.network.queues.member(queue, which).ok_or_else(|| ask.not_found())?;
            ok(show_member(ask, queue, &member))
        }
        Method::POST => {
            ask.network.queues.member(queue, which).ok_or_else(|| ask.not_found())?;
            let url = web(ask, "Url", 21_205)?;
            let url = url.ok_or_else(|| Refusal::bad(21_205, "Url parameter is required"))?;
            let start = Start::Ask { url, method: method(ask, "Method")?, fallback: None };
            let member = dequeue(&ask.network, queue, which, start).ok_or_else(|| ask.not_found())?;
            ok(show_member(ask, queue, &member))
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn find(ask: &Ask, sid: &str) -> Result<QueueFacts, Refusal> {
    ask.network.queues.get(sid).ok_or_else(|| ask.not_found())
}

fn size(ask: &Ask) -> Result<Option<usize>, Refusal> {
    let Some(text) = ask.field("MaxSize").filter(|text| !text.is_empty()) else { return Ok(None) };
    let size = text.parse().ok().filter(|size| (1..=LARGEST_SIZE).contains(size));
    size.map(Some).ok_or_else(|| Refusal::bad(20_001, "MaxSize is not between 1 and 5000"))
}

fn show(ask: &Ask, queue: &QueueFacts) -> Value {
    let account = &ask.network.account.account_sid;
    let path = format!("/{API_VERSION}/Accounts/{account}/Queues/{}", queue.sid);
    json!({
        "sid": queue.sid,
        "account_sid": account,
        "friendly_name": queue.friendly_name,
        "current_size": queue.members.len(),
        "max_size": queue.max_size,
        "average_wait_time": queue.average_wait().as_secs(),
        "date_created": rfc2822(queue.created_ms),
        "date_updated": rfc2822(queue.updated_ms),
        "uri": format!("{path}.json"),
    })
}

fn show_member(ask: &Ask, queue: &str, member: &MemberFacts) -> Value {
    let account = &ask.network.account.account_sid;
    json!({
        "call_sid": member.call_sid,
        "queue_sid": queue,
        "date_enqueued": rfc2822(member.enqueued_ms),
        "position": member.position,
        "wait_time": member.waited.as_secs(),
        "uri": format!(
            "/{API_VERSION}/Accounts/{account}/Queues/{queue}/Members/{}.json",
            member.call_sid
        ),
    })
}
