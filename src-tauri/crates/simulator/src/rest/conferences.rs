//! Conferences: listing, ending, announcing.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};

use super::ask::{Answer, Ask, ok};
use super::calls::{is_within, method, web};
use super::page::page_2010;
use super::refusal::Refusal;
use crate::call::{Announcement, Room};
use crate::webhook::{API_VERSION, rfc2822};

/// `Conferences.json`.
pub(crate) fn list(ask: &Ask) -> Answer {
    if ask.method != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    let mut shown = Vec::new();
    for room in ask.network.conferences.all().iter().rev() {
        let (status, updated_ms) = {
            let state = room.state();
            (state.status, state.updated_ms)
        };
        let is = |name: &str, value: &str| ask.filter(name).is_none_or(|wanted| wanted == value);
        if is("FriendlyName", &room.name)
            && is("Status", status.as_wire())
            && is_within(ask, "DateCreated", Some(room.created_ms))?
            && is_within(ask, "DateUpdated", Some(updated_ms))?
        {
            shown.push(show(ask, room));
        }
    }
    page_2010(ask, "conferences", shown)
}

/// `Conferences/{CF}.json`.
pub(crate) fn one(ask: &Ask, sid: &str) -> Answer {
    let room = find(ask, sid)?;
    match ask.method {
        Method::GET => ok(show(ask, &room)),
        Method::POST => {
            match ask.field("Status").filter(|status| !status.is_empty()) {
                None => {}
                Some("completed") => {
                    room.complete(&ask.network);
                }
                Some(_) => return Err(Refusal::bad(20_001, "Status is not completed")),
            }
            if let Some(announcement) = announcement(ask, false)? {
                room.announce(&announcement);
            }
            ok(show(ask, &room))
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// The conference with this SID, over or not.
pub(super) fn find(ask: &Ask, sid: &str) -> Result<Arc<Room>, Refusal> {
    ask.network.conferences.by_sid(sid).ok_or_else(|| ask.not_found())
}

/// What is to be announced, to all or to one alone.
pub(super) fn announcement(ask: &Ask, alone: bool) -> Result<Option<Announcement>, Refusal> {
    let Some(url) = web(ask, "AnnounceUrl", 21_205)? else { return Ok(None) };
    Ok(Some(Announcement { url, method: method(ask, "AnnounceMethod")?, alone }))
}

fn show(ask: &Ask, room: &Room) -> Value {
    let account = &ask.network.account.account_sid;
    let path = format!("/{API_VERSION}/Accounts/{account}/Conferences/{}", room.sid);
    let state = room.state();
    let ended = state.ended.as_ref();
    json!({
        "sid": room.sid,
        "account_sid": account,
        "api_version": API_VERSION,
        "friendly_name": room.name,
        "status": state.status.as_wire(),
        "region": "us1",
        "date_created": rfc2822(room.created_ms),
        "date_updated": rfc2822(state.updated_ms),
        "reason_conference_ended": ended.map(|ended| ended.reason),
        "call_sid_ending_conference": ended.and_then(|ended| ended.by.as_ref()).map(|(sid, _)| sid),
        "uri": format!("{path}.json"),
        "subresource_uris": {
            "participants": format!("{path}/Participants.json"),
            "recordings": format!("{path}/Recordings.json"),
        },
    })
}
