//! `<Dial><Conference>`: a leg enters a conference, stays, and leaves.
//!
//! Twilio's pages on `<Conference>` and errors 13240, 16020 and 16025. A leg that is not added because
//! of its label goes on with the next verb, one that has nobody to coach or finds the conference full
//! with `action`. `timeout` and `callerId` of `<Dial>` have no effect; `timeLimit` and `hangupOnStar`
//! have.

mod change;
mod music;
mod party;
mod report;
mod room;
mod rooms;
mod seat;

use std::time::Duration;

use url::Url;

use super::dial::next_key;
use super::leg::{LegCommand, Party as LegParty};
use super::session::Session;
use crate::account::WebhookMethod;
use crate::event::{AlertLevel, DigitPath};
use crate::twiml::{ConferenceNoun, Destination, Dial, Document, Verb};

pub(crate) use change::{NotChanged, PartyChange};
pub(crate) use party::{Announcement, ConferenceCallbacks, Entry, Music, NotAdded, Party, RoomRecording};
pub(crate) use room::{Room, RoomStatus};
pub(crate) use rooms::Conferences;

/// `timeLimit` of `<Dial>` unless it says otherwise.
const LONGEST_STAY: Duration = Duration::from_secs(14_400);

/// How a `<Dial><Conference>` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stayed {
    /// The leg was in the conference: `DialCallStatus` is `answered`.
    Inside,
    /// The leg was not added, and its document goes on with the next verb.
    NotAdded,
    /// The leg was not added, and `action` says what is next: `DialCallStatus` is `failed`.
    Failed,
}

/// The document of somebody who is called into a conference.
pub(crate) fn enter_conference(name: &str, entry: &Entry) -> Document {
    let dial = Dial {
        action: None,
        method: WebhookMethod::Post,
        answer_on_bridge: false,
        caller_id: None,
        timeout: Duration::ZERO,
        time_limit: LONGEST_STAY,
        hangup_on_star: false,
        sequential: false,
        record: None,
        destination: Destination::Conference(Box::new(entry.noun(name))),
    };
    Document { verbs: vec![Verb::Dial(Box::new(dial))], warnings: Vec::new() }
}

impl Session {
    /// Takes part in a conference, for as long as the leg, the conference and REST let it.
    pub(crate) async fn conference(&self, dial: &Dial, noun: &ConferenceNoun, base: &Url) -> Stayed {
        if !self.leg.answer().await {
            return Stayed::Failed;
        }
        let mut keys = self.leg.keys();
        let entry = Entry::of(noun, base);
        let place = match self.network.conferences.enter(&self.network, &noun.name, &self.leg, entry) {
            Ok(place) => place,
            Err(why) => return self.not_added(why),
        };
        let room = std::sync::Arc::clone(&place.room);
        let limit = self.network.pace.sleep(dial.time_limit);
        tokio::pin!(limit);
        let stay = async move {
            let mut place = place;
            place.stay(self).await;
        };
        tokio::pin!(stay);
        loop {
            tokio::select! {
                _ = self.leg.ended() => break,
                // Taken out by the conference; there is nothing left to leave.
                _ = &mut stay => break,
                () = &mut limit => {
                    room.leave(&self.network, &self.leg.sid, party::Left::HungUp);
                    break;
                }
                Some((digit, via)) = next_key(&mut keys) => {
                    if dial.hangup_on_star && digit == '*' {
                        room.leave(&self.network, &self.leg.sid, party::Left::HungUp);
                        break;
                    }
                    self.share_key(&room, digit, via);
                }
            }
        }
        Stayed::Inside
    }

    fn not_added(&self, why: NotAdded) -> Stayed {
        let (code, text, stayed) = match why {
            NotAdded::LabelTaken => {
                (16_025, "The participant label is in use by another participant", Stayed::NotAdded)
            }
            NotAdded::NobodyToCoach => (13_240, "The call to coach is not in the conference", Stayed::Failed),
            NotAdded::Full | NotAdded::Over => {
                (16_020, "The conference has reached its largest number of participants", Stayed::Failed)
            }
        };
        self.network.alert(&self.leg.sid, AlertLevel::Error, code, text);
        stayed
    }

    /// A key that did not come as sound is passed on to the others; as sound they hear it anyway.
    fn share_key(&self, room: &Room, digit: char, via: DigitPath) {
        if self.leg.party != LegParty::Sdk {
            return;
        }
        let state = room.state();
        for party in state.parties.iter().filter(|party| party.joined && party.leg.sid != self.leg.sid) {
            party.leg.command(LegCommand::Digit(digit, via));
        }
    }
}
