//! Participants of a conference: listing, calling, changing, taking out.
//!
//! A participant is named by the SID of its leg or by its label. Where the documentation is silent: a
//! room that is named like a SID must be there, by any other name it is made; a label that is taken is
//! 16025 here too, a full room 16020. Taking somebody out lets the leg's document go on, which ends a leg
//! that REST has called. `Record` and what belongs to it are taken and do nothing: the participant's
//! call can be recorded by itself.

use std::sync::Arc;

use axum::http::Method;
use dialer_domain::sid::CallSid;
use serde_json::{Value, json};

use super::ask::{Answer, Ask, created, gone, ok};
use super::calls::{callbacks, called, check_caller, method, timeout, web};
use super::conferences::{announcement, find};
use super::page::page_2010;
use super::recordings;
use super::refusal::Refusal;
use crate::account::{TwimlApp, WebhookMethod, is_sid};
use crate::call::{
    ConferenceCallbacks, Entry, Leg, LegState, Music, NewCall, NotAdded, NotChanged, Participant,
    PartyChange, Room, RoomRecording, RoomStatus, Start, call_out, enter_conference,
};
use crate::network::Network;
use crate::twiml::{Beep, ConferenceEvent};
use crate::webhook::{API_VERSION, StatusCallbacks, rfc2822};

/// Longest label, in characters.
const LONGEST_LABEL: usize = 128;
const MOST_PARTICIPANTS: usize = 250;

/// `Conferences/{CF or name}/Participants.json`.
pub(crate) fn list(ask: &Ask, room: &str) -> Answer {
    match ask.method {
        Method::GET => {
            let room = find(ask, room)?;
            let is = |name: &str, value: bool| {
                ask.filter(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(&value.to_string()))
            };
            let state = room.state();
            let wanted = |party: &&Participant| {
                is("Muted", party.muted)
                    && is("Hold", party.hold.is_some())
                    && is("Coaching", party.coaches.is_some())
            };
            let shown =
                state.parties.iter().rev().filter(wanted).map(|party| show(ask, &room, party)).collect();
            drop(state);
            page_2010(ask, "participants", shown)
        }
        Method::POST => create(ask, room),
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `Conferences/{CF}/Participants/{CA or label}.json`.
pub(crate) fn one(ask: &Ask, room: &str, who: &str) -> Answer {
    let room = find(ask, room)?;
    let sid = {
        let mut state = room.state();
        let party = state.party_mut(who).ok_or_else(|| ask.not_found())?;
        if ask.method == Method::GET {
            return ok(show(ask, &room, party));
        }
        party.leg.sid.clone()
    };
    match ask.method {
        Method::POST => {
            room.change(&ask.network, sid.as_str(), read_change(ask)?).map_err(|why| match why {
                NotChanged::NoSuchParticipant => ask.not_found(),
                NotChanged::NobodyToCoach => {
                    Refusal::bad(13_240, "The call to coach is not in the conference")
                }
            })?;
            let mut state = room.state();
            let party = state.party_mut(sid.as_str()).ok_or_else(|| ask.not_found())?;
            ok(show(ask, &room, party))
        }
        Method::DELETE => {
            room.take_out(&ask.network, &sid);
            gone()
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn read_change(ask: &Ask) -> Result<PartyChange, Refusal> {
    let coaching = flag(ask, "Coaching")?;
    let coached = ask.field("CallSidToCoach").filter(|sid| !sid.is_empty());
    let coaches = match (coaching, coached) {
        (Some(false), _) => Some(None),
        (None | Some(true), Some(sid)) => {
            let sid =
                CallSid::parse(sid).map_err(|_| Refusal::bad(13_240, "CallSidToCoach is no CallSid"))?;
            Some(Some(sid))
        }
        (Some(true), None) => return Err(Refusal::bad(20_001, "Missing required parameter CallSidToCoach")),
        (None, None) => None,
    };
    let hold_url = web(ask, "HoldUrl", 21_205)?;
    // `HoldMethod` is GET unless it says otherwise, unlike all other methods.
    let hold_method = match ask.field("HoldMethod").filter(|given| !given.is_empty()) {
        Some(_) => method(ask, "HoldMethod")?,
        None => WebhookMethod::Get,
    };
    let music = hold_url.map_or(Music::Usual, |url| Music::From(url, hold_method));
    Ok(PartyChange {
        muted: flag(ask, "Muted")?,
        hold: flag(ask, "Hold")?.map(|hold| hold.then_some(music)),
        end_on_exit: flag(ask, "EndConferenceOnExit")?,
        beep_on_exit: flag(ask, "BeepOnExit")?,
        coaches,
        wait: if ask.field("WaitUrl").is_some() { Some(waiting(ask)?) } else { None },
        announcement: announcement(ask, true)?,
    })
}

fn flag(ask: &Ask, name: &str) -> Result<Option<bool>, Refusal> {
    match ask.field(name).unwrap_or_default().to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(Refusal::bad(20_001, format!("{name} is neither true nor false"))),
    }
}

fn waiting(ask: &Ask) -> Result<Music, Refusal> {
    if ask.field("WaitUrl") == Some("") {
        return Ok(Music::Silence);
    }
    Ok(match web(ask, "WaitUrl", 21_205)? {
        Some(url) => Music::From(url, method(ask, "WaitMethod")?),
        None => Music::Usual,
    })
}

/// Calls somebody into a conference.
fn create(ask: &Ask, room: &str) -> Answer {
    let network = &ask.network;
    let room = if is_sid(room, "CF") {
        let room = find(ask, room)?;
        let over = room.status() == RoomStatus::Completed;
        if over { Err(ask.not_found()) } else { Ok(room) }?
    } else {
        network.conferences.open(network, room)
    };
    let called = called(ask.required("To")?)?;
    let from = ask.field("CallerId").filter(|id| !id.is_empty());
    let from = match from {
        Some(id) => id,
        None => ask.required("From")?,
    };
    check_caller(network, &called, from)?;
    let record = match ask.field("ConferenceRecord").unwrap_or_default() {
        "" | "false" | "do-not-record" => None,
        "true" | "record-from-start" => Some(RoomRecording {
            trim: ask.field("ConferenceTrim") != Some("do-not-trim"),
            callbacks: recordings::callbacks(ask, "ConferenceRecordingStatusCallback")?,
        }),
        _ => return Err(Refusal::bad(20_001, "ConferenceRecord is not one of true, false")),
    };
    let entry = Entry { record, ..entry(ask)? };
    room.may_expect(&entry).map_err(|why| match why {
        NotAdded::LabelTaken => {
            Refusal::bad(16_025, "The participant label is in use by another participant")
        }
        NotAdded::NobodyToCoach => Refusal::bad(13_240, "The call to coach is not in the conference"),
        NotAdded::Full => {
            Refusal::bad(16_020, "The conference has reached its largest number of participants")
        }
        NotAdded::Over => ask.not_found(),
    })?;
    let early_media = flag(ask, "EarlyMedia")?.unwrap_or(true);
    let (callbacks, timeout) = (callbacks(ask)?, timeout(ask)?);
    let start = Start::Document(Box::new(enter_conference(&room.name, &entry)));
    let call =
        NewCall { from: from.to_owned(), to: called, timeout, app: TwimlApp::default(), start: Some(start) };
    let leg = call_out(network, call, |sid| {
        let (url, method, events) = callbacks?;
        Some(StatusCallbacks::start(network, sid.clone(), url, method, events))
    });
    room.expect(network, &leg, &entry, early_media);
    network.spawn(accompany(Arc::clone(network), Arc::clone(&room), Arc::clone(&leg)));
    let shown = {
        let mut state = room.state();
        state.party_mut(leg.sid.as_str()).map(|party| show(ask, &room, party))
    };
    // One who was refused at once is not in the list any more.
    created(shown.unwrap_or_else(|| failed(ask, &room, &leg, &entry)))
}

/// Lets those inside hear how the call goes, and gives the place up if nobody answers.
async fn accompany(network: Arc<Network>, room: Arc<Room>, leg: Arc<Leg>) {
    let mut states = leg.watch();
    let rang = states.wait_for(|state| *state != LegState::Initiated).await;
    if rang.is_ok_and(|state| *state == LegState::Ringing) {
        room.hear_ringing(&network, true);
    }
    let answered = leg.decided().await;
    room.hear_ringing(&network, false);
    if !answered {
        room.never_came(&network, &leg);
    }
}

/// How the one who is called will enter.
fn entry(ask: &Ask) -> Result<Entry, Refusal> {
    let label = ask.field("Label").filter(|label| !label.is_empty());
    if label.is_some_and(|label| {
        label.chars().count() > LONGEST_LABEL
            || label.contains('/')
            || label.contains("%2F")
            || is_sid(label, "CA")
    }) {
        let text = "Participant label invalid: max 128 chars, not a CallSid, no '/'";
        return Err(Refusal::bad(16_024, text));
    }
    let most = ask.field("MaxParticipants").filter(|most| !most.is_empty());
    let max_participants = match most.map(str::parse) {
        None => MOST_PARTICIPANTS,
        Some(Ok(most @ 2..=MOST_PARTICIPANTS)) => most,
        Some(_) => return Err(Refusal::bad(20_001, "MaxParticipants is not between 2 and 250")),
    };
    let coaching = flag(ask, "Coaching")?.unwrap_or(true);
    let coach = ask.field("CallSidToCoach").filter(|sid| !sid.is_empty() && coaching);
    Ok(Entry {
        label: label.map(str::to_owned),
        muted: flag(ask, "Muted")?.unwrap_or(false),
        beep: match ask.field("Beep").unwrap_or_default() {
            "" | "true" => Beep::Both,
            "false" => Beep::Never,
            "onEnter" => Beep::OnEnter,
            "onExit" => Beep::OnExit,
            _ => return Err(Refusal::bad(20_001, "Beep is not one of true, false, onEnter, onExit")),
        },
        start_on_enter: flag(ask, "StartConferenceOnEnter")?.unwrap_or(true),
        end_on_exit: flag(ask, "EndConferenceOnExit")?.unwrap_or(false),
        coach: coach.map(str::to_owned),
        wait: waiting(ask)?,
        max_participants,
        callbacks: conference_callbacks(ask)?,
        record: None,
    })
}

fn conference_callbacks(ask: &Ask) -> Result<Option<ConferenceCallbacks>, Refusal> {
    let Some(url) = web(ask, "ConferenceStatusCallback", 21_456)? else { return Ok(None) };
    let named = ask.form.iter().filter(|(name, _)| name == "ConferenceStatusCallbackEvent");
    let mut events = Vec::new();
    for word in named.flat_map(|(_, value)| value.split([' ', ','])).filter(|word| !word.is_empty()) {
        let event = ConferenceEvent::from_wire(word);
        let unknown = || Refusal::bad(20_001, format!("{word} is no ConferenceStatusCallbackEvent"));
        events.push(event.ok_or_else(unknown)?);
    }
    if events.is_empty() {
        events.extend([ConferenceEvent::Start, ConferenceEvent::End]);
    }
    Ok(Some(ConferenceCallbacks { url, method: method(ask, "ConferenceStatusCallbackMethod")?, events }))
}

fn status(leg: &Leg, joined: bool) -> &'static str {
    match leg.state() {
        _ if joined => "connected",
        LegState::Initiated => "connecting",
        LegState::Ringing => "ringing",
        LegState::Answered => "connected",
        LegState::Ended(_) => "failed",
    }
}

fn show(ask: &Ask, room: &Room, party: &Participant) -> Value {
    let account = &ask.network.account.account_sid;
    json!({
        "account_sid": account,
        "call_sid": party.leg.sid,
        "conference_sid": room.sid,
        "label": party.label,
        "status": status(&party.leg, party.joined),
        "muted": party.muted,
        "hold": party.hold.is_some(),
        "coaching": party.coaches.is_some(),
        "call_sid_to_coach": party.coaches,
        "start_conference_on_enter": party.start_on_enter,
        "end_conference_on_exit": party.end_on_exit,
        "queue_time": null,
        "date_created": rfc2822(party.created_ms),
        "date_updated": rfc2822(party.updated_ms),
        "uri": uri(ask, room, &party.leg),
    })
}

/// One who was called and is gone already.
fn failed(ask: &Ask, room: &Room, leg: &Leg, entry: &Entry) -> Value {
    let now = rfc2822(ask.network.now_ms());
    json!({
        "account_sid": ask.network.account.account_sid,
        "call_sid": leg.sid,
        "conference_sid": room.sid,
        "label": entry.label,
        "status": status(leg, false),
        "muted": entry.muted,
        "hold": false,
        "coaching": entry.coach.is_some(),
        "call_sid_to_coach": entry.coach,
        "start_conference_on_enter": entry.start_on_enter,
        "end_conference_on_exit": entry.end_on_exit,
        "queue_time": null,
        "date_created": now,
        "date_updated": now,
        "uri": uri(ask, room, leg),
    })
}

fn uri(ask: &Ask, room: &Room, leg: &Leg) -> String {
    let account = &ask.network.account.account_sid;
    format!("/{API_VERSION}/Accounts/{account}/Conferences/{}/Participants/{}.json", room.sid, leg.sid)
}
