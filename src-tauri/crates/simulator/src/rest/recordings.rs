//! Recordings: of the account, of a call, of a conference; their sound; starting and stopping them.
//!
//! Sound is asked for with credentials, as at an account with "HTTP authentication for media access"
//! on. It is there as WAV, with and without `.wav`; there is no MP3 (404), because nothing here makes
//! one. How Twilio answers for a recording that is not ready is not documented: here 404 too. Deleted
//! recordings are gone at once, so `IncludeSoftDeleted` shows no more than without it.

use std::sync::Arc;

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use dialer_domain::call::CallStatus;
use dialer_domain::sid::{CallSid, ConferenceSid};
use serde_json::{Value, json};

use super::ask::{Answer, Ask, created, gone, ok};
use super::calls::{find as find_call, is_within, method, web};
use super::conferences::find as find_room;
use super::page::page_2010;
use super::refusal::Refusal;
use crate::call::{Leg, RecordingCallbacks, record_call};
use crate::network::Network;
use crate::recording::{NewRecording, PauseBehavior, Recording, RecordingSource, RecordingStatus};
use crate::twiml::{RecordingEvent, Track};
use crate::webhook::{API_VERSION, rfc2822};

/// `Recordings.json`.
pub(crate) fn list(ask: &Ask) -> Answer {
    let of_room = |recording: &Recording| {
        ask.filter("ConferenceSid").is_none_or(|room| room_of(recording) == Some(room))
    };
    let of_call =
        |recording: &Recording| ask.filter("CallSid").is_none_or(|call| call_of(recording) == Some(call));
    page(ask, |recording| of_room(recording) && of_call(recording), show)
}

/// `Recordings/{RE}.json`.
pub(crate) fn one(ask: &Ask, sid: &str) -> Answer {
    let recording = ask.network.recordings.get(sid).ok_or_else(|| ask.not_found())?;
    match ask.method {
        Method::GET => ok(show(ask, &recording)),
        Method::DELETE => delete(ask, &recording),
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `Conferences/{CF}/Recordings.json`.
pub(crate) fn of_room(ask: &Ask, room: &str) -> Answer {
    find_room(ask, room)?;
    page(ask, |recording| room_of(recording) == Some(room), show_of_room)
}

/// `Conferences/{CF}/Recordings/{RE}.json`; `Twilio.CURRENT` is not known there.
pub(crate) fn one_of_room(ask: &Ask, room: &str, sid: &str) -> Answer {
    let recording = ask.network.recordings.get(sid).filter(|recording| room_of(recording) == Some(room));
    let recording = recording.ok_or_else(|| ask.not_found())?;
    match ask.method {
        Method::GET => ok(show_of_room(ask, &recording)),
        Method::POST => change(ask, &recording, show_of_room),
        Method::DELETE => delete(ask, &recording),
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// Those recordings that are wanted, the newest first.
fn page(ask: &Ask, wanted: impl Fn(&Recording) -> bool, show: fn(&Ask, &Recording) -> Value) -> Answer {
    if ask.method != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    let mut shown = Vec::new();
    for recording in ask.network.recordings.list().iter().rev().filter(|recording| wanted(recording)) {
        if is_within(ask, "DateCreated", Some(recording.of.now_ms))? {
            shown.push(show(ask, recording));
        }
    }
    page_2010(ask, "recordings", shown)
}

/// `Recordings/{RE}`, `Recordings/{RE}.wav`, `Recordings/{RE}.mp3`.
pub(crate) fn sound(ask: &Ask, file: &str) -> Answer {
    if ask.method != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    let channels = match ask.filter("RequestedChannels") {
        None => None,
        Some("1") => Some(1),
        Some("2") => Some(2),
        Some(_) => return Err(Refusal::bad(20_001, "RequestedChannels is neither 1 nor 2")),
    };
    let wav = ask.network.recordings.wav(file.strip_suffix(".wav").unwrap_or(file), channels);
    let wav = wav.ok_or_else(|| ask.not_found())?;
    Ok(([(CONTENT_TYPE, "audio/x-wav")], wav).into_response())
}

/// `Calls/{CA}/Recordings.json`.
pub(crate) fn of_call(ask: &Ask, call: &str) -> Answer {
    let leg = find_call(ask, call)?;
    match ask.method {
        Method::GET => page(ask, |recording| call_of(recording) == Some(call), show_of_call),
        Method::POST => start(ask, &leg),
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `Calls/{CA}/Recordings/{RE}.json`; `Twilio.CURRENT` names the one that runs.
pub(crate) fn one_of_call(ask: &Ask, call: &str, sid: &str) -> Answer {
    let leg = find_call(ask, call)?;
    let recording = match sid {
        "Twilio.CURRENT" => ask.network.recordings.current(&leg.sid),
        sid => ask.network.recordings.get(sid).filter(|recording| call_of(recording) == Some(call)),
    };
    let recording = recording.ok_or_else(|| ask.not_found())?;
    match ask.method {
        Method::GET => ok(show_of_call(ask, &recording)),
        Method::POST => change(ask, &recording, show_of_call),
        Method::DELETE => delete(ask, &recording),
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn delete(ask: &Ask, recording: &Recording) -> Answer {
    ask.network.recordings.delete(recording.sid.as_str());
    gone()
}

fn call_of(recording: &Recording) -> Option<&str> {
    recording.of.call_sid.as_ref().map(CallSid::as_str)
}

fn room_of(recording: &Recording) -> Option<&str> {
    recording.of.conference_sid.as_ref().map(ConferenceSid::as_str)
}

/// Begins to record a call that is up.
fn start(ask: &Ask, leg: &Arc<Leg>) -> Answer {
    if leg.status() != CallStatus::InProgress {
        return Err(Refusal::bad(21_220, "Requested resource is not eligible for recording"));
    }
    let choice = |name: &str, choices: &[&str]| match ask.field(name).filter(|given| !given.is_empty()) {
        None => Ok(0),
        Some(given) => choices
            .iter()
            .position(|choice| *choice == given)
            .ok_or_else(|| Refusal::bad(20_001, format!("{name} is not one of {}", choices.join(", ")))),
    };
    let new = NewRecording {
        call_sid: Some(leg.sid.clone()),
        conference_sid: None,
        source: RecordingSource::StartCallRecordingApi,
        dual: choice("RecordingChannels", &["mono", "dual"])? == 1,
        track: match choice("RecordingTrack", &["both", "inbound", "outbound"])? {
            0 => Track::Both,
            1 => Track::Inbound,
            _ => Track::Outbound,
        },
        trim: choice("Trim", &["do-not-trim", "trim-silence"])? == 1,
        name: None,
        now_ms: ask.network.now_ms(),
    };
    let callbacks = callbacks(ask, "RecordingStatusCallback")?;
    created(show_of_call(ask, &record_call(&ask.network, leg, new, callbacks)))
}

/// Where and when a request wants to be told of a recording, by parameters that begin with `prefix`.
pub(super) fn callbacks(ask: &Ask, prefix: &str) -> Result<Option<RecordingCallbacks>, Refusal> {
    let Some(url) = web(ask, prefix, 21_456)? else { return Ok(None) };
    let wanted = format!("{prefix}Event");
    let named = ask.form.iter().filter(|(name, value)| *name == wanted && !value.is_empty());
    let mut events = Vec::new();
    // Spaces separate them too, by the specification's words.
    for word in named.flat_map(|(_, value)| value.split([' ', ','])).filter(|word| !word.is_empty()) {
        let event = RecordingEvent::from_wire(word);
        events.push(event.ok_or_else(|| Refusal::bad(20_001, format!("{word} is no {wanted}")))?);
    }
    if events.is_empty() {
        events.push(RecordingEvent::Completed);
    }
    Ok(Some(RecordingCallbacks { url, method: method(ask, &format!("{prefix}Method"))?, events }))
}

/// Pauses a recording, lets it go on, or stops it.
fn change(ask: &Ask, recording: &Recording, show: fn(&Ask, &Recording) -> Value) -> Answer {
    let over = || Refusal::bad(21_220, "The recording is not in progress");
    let next = match ask.required("Status")? {
        "paused" => RecordingStatus::Paused(match ask.field("PauseBehavior") {
            None | Some("" | "silence") => PauseBehavior::Silence,
            Some("skip") => PauseBehavior::Skip,
            Some(_) => return Err(Refusal::bad(20_001, "PauseBehavior is neither skip nor silence")),
        }),
        "in-progress" => RecordingStatus::InProgress,
        "stopped" => {
            if !recording.status().is_live() {
                return Err(over());
            }
            recording.stop();
            let mut shown = show(ask, recording);
            shown["status"] = json!("stopped");
            return ok(shown);
        }
        _ => return Err(Refusal::bad(20_001, "Status is not one of paused, in-progress, stopped")),
    };
    if recording.set_live(next) { ok(show(ask, recording)) } else { Err(over()) }
}

fn path(network: &Network, recording: &Recording) -> String {
    format!("/{API_VERSION}/Accounts/{}/Recordings/{}", network.account.account_sid, recording.sid)
}

/// The resource as lists of the account have it.
fn show(ask: &Ask, recording: &Recording) -> Value {
    let network = &ask.network;
    let path = path(network, recording);
    let mut shown = common(network, recording);
    shown["uri"] = json!(format!("{path}.json"));
    shown["media_url"] = json!(format!("{}{path}", ask.base));
    shown["subresource_uris"] = json!({
        "add_on_results": format!("{path}/AddOnResults.json"),
        "transcriptions": format!("{path}/Transcriptions.json"),
    });
    shown
}

/// The resource as a call has it.
fn show_of_call(ask: &Ask, recording: &Recording) -> Value {
    let network = &ask.network;
    let mut shown = common(network, recording);
    let call = call_of(recording).unwrap_or_default();
    shown["uri"] = json!(format!(
        "/{API_VERSION}/Accounts/{}/Calls/{call}/Recordings/{}.json",
        network.account.account_sid, recording.sid
    ));
    shown["track"] = json!(match recording.of.track {
        Track::Both => "both",
        Track::Inbound => "inbound",
        Track::Outbound => "outbound",
    });
    shown
}

/// The resource as a conference has it.
fn show_of_room(ask: &Ask, recording: &Recording) -> Value {
    let network = &ask.network;
    let mut shown = common(network, recording);
    let room = room_of(recording).unwrap_or_default();
    shown["uri"] = json!(format!(
        "/{API_VERSION}/Accounts/{}/Conferences/{room}/Recordings/{}.json",
        network.account.account_sid, recording.sid
    ));
    shown
}

fn common(network: &Network, recording: &Recording) -> Value {
    let status = recording.status();
    let known = matches!(status, RecordingStatus::Completed);
    let error = if let RecordingStatus::Absent(code) = status { Some(code) } else { None };
    let begun = rfc2822(recording.of.now_ms);
    json!({
        "sid": recording.sid,
        "account_sid": network.account.account_sid,
        "api_version": API_VERSION,
        "call_sid": recording.of.call_sid,
        "conference_sid": recording.of.conference_sid,
        "date_created": begun,
        "date_updated": begun,
        "start_time": begun,
        "duration": if known { recording.duration_s().to_string() } else { "-1".to_owned() },
        "status": status.as_wire(),
        "channels": recording.channels(),
        "source": recording.of.source.as_wire(),
        "error_code": error,
        "price": null,
        "price_unit": "USD",
        "encryption_details": null,
    })
}
