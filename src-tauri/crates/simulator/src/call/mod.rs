//! Calls: legs, and the session that plays TwiML on the parent leg.

mod api;
mod application;
mod conference;
mod dial;
mod end;
mod enqueue;
mod gather;
mod leg;
mod permission;
mod place;
mod play;
mod record;
mod recorder;
mod scene;
mod session;
mod whisper;

pub(crate) use api::{Called, NewCall, call_out, end, redirect, ring_later};
pub(crate) use conference::{
    Announcement, ConferenceCallbacks, Conferences, Entry, Music, NotAdded, NotChanged, Party as Participant,
    PartyChange, Room, RoomRecording, RoomStatus, enter_conference,
};
pub(crate) use end::End;
pub use leg::CallRecord;
pub(crate) use leg::{Leg, LegCommand, LegDirection, LegState, NewLeg, Party, Utterance};
pub(crate) use place::sip_parts;
pub(crate) use recorder::{RecordingCallbacks, record_call};
pub(crate) use session::{Session, Start};
