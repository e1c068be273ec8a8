//! One conference: who is in it, when it starts and ends, and who hears whom.
//!
//! It starts when two are in it of whom one may start it, and stays started (Twilio's page on
//! `<Conference>`, `startConferenceOnEnter`); before that each hears its own waiting music. It ends
//! when the last has left, when one leaves that was to end it, or by REST; its name is free then.
//! Where the documentation is silent: `conference-start` is told before the `participant-join` that
//! caused it, sequence numbers begin at 1, and one who is alone in a started conference hears nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dialer_domain::sid::{CallSid, ConferenceSid};
use dialer_media::codec::Frame;
use tokio::sync::{mpsc, watch};

use super::party::{Announcement, Entry, Hears, Left, NotAdded, Party, RoomRecording, Told};
use super::report::{Event, Reports};
use super::seat::Place;
use crate::audio::{Pattern, Player, RoomId, Seat, Tap};
use crate::call::recorder::follow;
use crate::call::{End, Leg, LegCommand, LegState};
use crate::network::Network;
use crate::recording::{NewRecording, Recording, RecordingSource};
use crate::twiml::{Beep, Track};

/// Where a conference stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoomStatus {
    /// Nobody hears anybody yet.
    Init,
    InProgress,
    Completed,
}

impl RoomStatus {
    pub(crate) fn as_wire(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
        }
    }
}

/// Why a conference ended (`reason_conference_ended`), and whose leaving ended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) reason: &'static str,
    pub(crate) by: Option<(CallSid, Option<String>)>,
}

pub(crate) struct Room {
    pub(crate) sid: ConferenceSid,
    pub(crate) name: String,
    pub(crate) created_ms: i64,
    id: RoomId,
    state: Mutex<State>,
}

/// What the lock guards.
pub(crate) struct State {
    pub(crate) status: RoomStatus,
    /// Unix milliseconds.
    pub(crate) updated_ms: i64,
    pub(crate) parties: Vec<Party>,
    pub(crate) ended: Option<Ended>,
    pub(crate) reports: Option<Reports>,
    record: Option<RoomRecording>,
    recording: Option<Arc<Recording>>,
    /// Whether anybody has joined: the first one decides about callbacks.
    begun: bool,
}

impl Room {
    pub(super) fn new(sid: ConferenceSid, name: String, id: RoomId, now_ms: i64) -> Self {
        let state = State {
            status: RoomStatus::Init,
            updated_ms: now_ms,
            parties: Vec::new(),
            ended: None,
            reports: None,
            record: None,
            recording: None,
            begun: false,
        };
        Self { sid, name, created_ms: now_ms, id, state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn status(&self) -> RoomStatus {
        self.state().status
    }

    /// Whether somebody could enter so.
    pub(crate) fn may_expect(&self, entry: &Entry) -> Result<(), NotAdded> {
        self.state().may_enter(None, entry)
    }

    /// Keeps a place for a leg that REST is calling, unless it is there already or over.
    pub(crate) fn expect(&self, network: &Network, leg: &Arc<Leg>, entry: &Entry, early_media: bool) {
        let mut state = self.state();
        let known = state.parties.iter().any(|party| party.leg.sid == leg.sid);
        if !known && !leg.status().is_final() && state.status != RoomStatus::Completed {
            let (party, ..) = new_party(network, leg, entry, false, early_media);
            state.parties.push(party);
        }
    }

    /// Takes somebody out by REST.
    pub(crate) fn take_out(&self, network: &Network, sid: &CallSid) {
        self.leave(network, sid, Left::ByApi);
    }

    /// The leg that REST was calling was not answered.
    pub(crate) fn never_came(&self, network: &Network, leg: &Leg) {
        let waits = self.state().parties.iter().any(|party| party.leg.sid == leg.sid && !party.joined);
        if waits {
            self.leave(network, &leg.sid, Left::NeverAnswered);
        }
    }

    /// Gives a leg a place.
    pub(super) fn enter(
        self: &Arc<Self>,
        network: &Arc<Network>,
        leg: &Arc<Leg>,
        entry: Entry,
    ) -> Result<Place, NotAdded> {
        let mut state = self.state();
        let expected = state.parties.iter().position(|party| party.leg.sid == leg.sid && !party.joined);
        let expected = expected.map(|index| state.parties.remove(index));
        state.may_enter(Some(&leg.sid), &entry)?;
        if !state.begun {
            state.begun = true;
            let reports = entry.callbacks.clone();
            state.reports = reports.map(|callbacks| Reports::start(network, self, callbacks));
        }
        let (mut party, told, announcements) = new_party(network, leg, &entry, true, false);
        if let Some(expected) = expected {
            // What REST has changed while it rang holds.
            party.muted = expected.muted;
            party.hold = expected.hold;
            party.end_on_exit = expected.end_on_exit;
            party.created_ms = expected.created_ms;
        }
        let beeps = matches!(party.beep, Beep::Both | Beep::OnEnter);
        state.parties.push(party);
        if state.status == RoomStatus::Init && state.record.is_none() {
            state.record = entry.record;
        }
        let inside = state.parties.iter().filter(|party| party.joined).count();
        let may_start = state.parties.iter().any(|party| party.joined && party.start_on_enter);
        if state.status == RoomStatus::Init && inside >= 2 && may_start {
            state.status = RoomStatus::InProgress;
            state.updated_ms = network.now_ms();
            state.report(network, &Event::Start, &leg.sid);
            if let Some(record) = state.record.take() {
                state.recording = Some(self.record(network, leg, record));
            }
        }
        state.report(network, &Event::Join, &leg.sid);
        self.arrange(network, &mut state);
        if beeps {
            self.beep(network, &state, Some(&leg.sid), Pattern::conference_enter());
        }
        Ok(Place::new(Arc::clone(network), Arc::clone(self), Arc::clone(leg), told, announcements))
    }

    /// Records what everybody says, until the end.
    fn record(&self, network: &Arc<Network>, leg: &Leg, record: RoomRecording) -> Arc<Recording> {
        let recording = network.recordings.create(NewRecording {
            call_sid: Some(leg.sid.clone()),
            conference_sid: Some(self.sid.clone()),
            source: RecordingSource::Conference,
            dual: false,
            track: Track::Both,
            trim: record.trim,
            name: None,
            now_ms: network.now_ms(),
        });
        network.switch.tap_room(self.id, Box::new(RoomTap(Arc::clone(&recording))));
        follow(network, &recording, leg.sid.clone(), record.callbacks);
        recording
    }

    /// Somebody leaves, for whatever reason; nothing happens if that one has left already.
    pub(crate) fn leave(&self, network: &Network, sid: &CallSid, why: Left) {
        let mut state = self.state();
        let Some(index) = state.parties.iter().position(|party| party.leg.sid == *sid) else { return };
        let (ends, beeps) = state.parties.get(index).map_or((false, false), |party| {
            let beeps = party.joined && matches!(party.beep, Beep::Both | Beep::OnExit);
            (party.joined && party.end_on_exit, beeps)
        });
        let label = state.remove(network, index, why);
        let kicked = why == Left::ByApi;
        let reason = match (ends, kicked) {
            (true, false) => Some("participant-with-end-conference-on-exit-left"),
            (true, true) => Some("participant-with-end-conference-on-exit-kicked"),
            (false, _) if !state.parties.is_empty() => None,
            (false, false) => Some("last-participant-left"),
            (false, true) => Some("last-participant-kicked"),
        };
        match reason {
            Some(reason) => {
                let ended = Ended { reason, by: Some((sid.clone(), label)) };
                state.end(network, ended, Left::ModeratorEnded);
            }
            None => {
                self.arrange(network, &mut state);
                if beeps {
                    self.beep(network, &state, None, Pattern::conference_leave());
                }
            }
        }
    }

    /// Ends the conference for everyone; `false` if it was over.
    pub(crate) fn complete(&self, network: &Network) -> bool {
        let mut state = self.state();
        if state.status == RoomStatus::Completed {
            return false;
        }
        let ended = Ended { reason: "conference-ended-via-api", by: None };
        state.end(network, ended, Left::ConferenceEndedByApi);
        true
    }

    /// Plays something to everyone.
    pub(crate) fn announce(&self, announcement: &Announcement) {
        for party in self.state().parties.iter().filter(|party| party.joined) {
            // A session that has just ended hears nothing any more.
            let _ = party.announcements.send(announcement.clone());
        }
    }

    /// An announcement is over, or could not be had.
    pub(super) fn announced(
        &self,
        network: &Network,
        sid: &CallSid,
        announcement: &Announcement,
        heard: bool,
    ) {
        let mut state = self.state();
        // An announcement to all is reported once, by whoever came first.
        let first = state.parties.iter().find(|party| party.joined).map(|party| party.leg.sid.clone());
        if announcement.alone || first.as_ref() == Some(sid) {
            let url = announcement.url.to_string();
            let event = if heard { Event::AnnouncementEnd(url) } else { Event::AnnouncementFail(url) };
            state.report(network, &event, sid);
        }
    }

    /// Everyone gets the seat and hears what is due; called after every change.
    pub(crate) fn arrange(&self, network: &Network, state: &mut State) {
        let started = state.status == RoomStatus::InProgress;
        let ports: Vec<_> =
            state.parties.iter().map(|party| (party.leg.sid.clone(), party.leg.port())).collect();
        let port_of = |sid: &CallSid| ports.iter().find(|(of, _)| of == sid).and_then(|(_, port)| *port);
        let rings = state
            .parties
            .iter()
            .any(|party| !party.joined && party.early_media && party.leg.state() == LegState::Ringing);
        for party in state.parties.iter().filter(|party| party.joined) {
            let hears = match &party.hold {
                Some(music) => Hears::Held(music.clone()),
                None if started => Hears::Conference,
                None => Hears::Waiting(party.wait.clone()),
            };
            let within = hears == Hears::Conference;
            let told = Told { hears, gone: false };
            let changed = party.told.send_if_modified(|known| {
                let changed = *known != told;
                known.clone_from(&told);
                changed
            });
            let Some(port) = party.leg.port() else { continue };
            if changed && within {
                network.switch.stop_playing(port);
            }
            let seat = Seat {
                room: self.id,
                speaks: within && !party.muted,
                hears: within,
                coaches: party.coaches.as_ref().and_then(port_of),
            };
            network.switch.sit(port, Some(seat));
            if within && rings {
                drop(network.switch.play(port, Player::new(Pattern::ringback(), 0)));
            }
        }
    }

    /// The one REST is calling rings now, or does no more: those inside hear it.
    pub(crate) fn hear_ringing(&self, network: &Network, rings: bool) {
        let mut state = self.state();
        if rings {
            self.arrange(network, &mut state);
            return;
        }
        for party in state.parties.iter().filter(|party| party.joined && party.hold.is_none()) {
            if let Some(port) = party.leg.port().filter(|_| state.status == RoomStatus::InProgress) {
                network.switch.stop_playing(port);
            }
        }
    }

    /// A beep for all that hear the conference, but the one who enters.
    fn beep(&self, network: &Network, state: &State, but: Option<&CallSid>, beep: Pattern) {
        if state.status != RoomStatus::InProgress {
            return;
        }
        let others = state.parties.iter().filter(|party| party.joined && party.hold.is_none());
        for party in others.filter(|party| Some(&party.leg.sid) != but) {
            if let Some(port) = party.leg.port() {
                network.switch.play_next(port, beep.clone());
            }
        }
    }
}

impl State {
    /// Whether a leg, which may be expected already, could enter so.
    fn may_enter(&self, leg: Option<&CallSid>, entry: &Entry) -> Result<(), NotAdded> {
        if self.status == RoomStatus::Completed {
            return Err(NotAdded::Over);
        }
        let others = || self.parties.iter().filter(|party| Some(&party.leg.sid) != leg);
        if entry.label.is_some() && others().any(|party| party.label == entry.label) {
            return Err(NotAdded::LabelTaken);
        }
        let coached = |who: &String| others().any(|party| party.joined && party.leg.sid.as_str() == who);
        if entry.coach.as_ref().is_some_and(|who| !coached(who)) {
            return Err(NotAdded::NobodyToCoach);
        }
        if others().count() >= entry.max_participants { Err(NotAdded::Full) } else { Ok(()) }
    }

    pub(crate) fn party_mut(&mut self, who: &str) -> Option<&mut Party> {
        self.parties.iter_mut().find(|party| party.is_called(who))
    }

    pub(crate) fn report(&mut self, network: &Network, event: &Event, about: &CallSid) {
        let party = self.parties.iter().find(|party| party.leg.sid == *about);
        if let Some(reports) = &mut self.reports {
            reports.add(network, event, about, party, self.ended.as_ref());
        }
    }

    /// Removes one, tells its session, and reports it; the label it had.
    fn remove(&mut self, network: &Network, index: usize, why: Left) -> Option<String> {
        let party = self.parties.get(index)?;
        let sid = party.leg.sid.clone();
        self.report(network, &Event::Leave(why), &sid);
        let party = self.parties.remove(index);
        self.updated_ms = network.now_ms();
        if let Some(port) = party.leg.port().filter(|_| party.joined) {
            network.switch.sit(port, None);
            network.switch.stop_playing(port);
        }
        party.told.send_modify(|told| told.gone = true);
        if !party.joined {
            party.leg.command(LegCommand::End(End::Canceled));
        }
        party.label
    }

    fn end(&mut self, network: &Network, ended: Ended, why: Left) {
        let about = ended.by.as_ref().map(|(sid, _)| sid.clone());
        let about = about.or_else(|| self.parties.first().map(|party| party.leg.sid.clone()));
        self.ended = Some(ended);
        while !self.parties.is_empty() {
            self.remove(network, 0, why);
        }
        self.status = RoomStatus::Completed;
        self.updated_ms = network.now_ms();
        if let Some(recording) = self.recording.take() {
            recording.stop();
        }
        if let Some(about) = about {
            self.report(network, &Event::End, &about);
        }
        // With its last word the reporter ends.
        self.reports = None;
    }
}

/// Feeds a recording what everybody says.
struct RoomTap(Arc<Recording>);

impl Tap for RoomTap {
    fn take(&mut self, said: &Frame, heard: &Frame) -> bool {
        self.0.feed(said, heard)
    }
}

type Ends = (Party, watch::Receiver<Told>, mpsc::UnboundedReceiver<Announcement>);

fn new_party(network: &Network, leg: &Arc<Leg>, entry: &Entry, joined: bool, early_media: bool) -> Ends {
    let now_ms = network.now_ms();
    let (told, ear) = watch::channel(Told { hears: Hears::Waiting(entry.wait.clone()), gone: false });
    let (announcements, heard) = mpsc::unbounded_channel();
    let party = Party {
        leg: Arc::clone(leg),
        label: entry.label.clone(),
        muted: entry.muted,
        hold: None,
        beep: entry.beep,
        start_on_enter: entry.start_on_enter,
        end_on_exit: entry.end_on_exit,
        coaches: entry.coach.as_deref().and_then(|sid| CallSid::parse(sid).ok()),
        wait: entry.wait.clone(),
        joined,
        early_media,
        created_ms: now_ms,
        updated_ms: now_ms,
        told,
        announcements,
    };
    (party, ear, heard)
}
