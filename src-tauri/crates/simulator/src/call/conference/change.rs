//! What REST changes about a participant.

use dialer_domain::sid::CallSid;

use super::party::{Announcement, Music};
use super::report::Event;
use super::room::{Room, RoomStatus};
use crate::network::Network;
use crate::twiml::Beep;

/// A change; what is absent stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartyChange {
    pub(crate) muted: Option<bool>,
    /// The music of one on hold, or that the hold is over.
    pub(crate) hold: Option<Option<Music>>,
    pub(crate) end_on_exit: Option<bool>,
    pub(crate) beep_on_exit: Option<bool>,
    /// Who alone hears this one; nobody in particular for `Some(None)`.
    pub(crate) coaches: Option<Option<CallSid>>,
    pub(crate) wait: Option<Music>,
    pub(crate) announcement: Option<Announcement>,
}

/// Why a change is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotChanged {
    NoSuchParticipant,
    NobodyToCoach,
}

impl Room {
    /// Changes a participant, named by SID or label.
    pub(crate) fn change(&self, network: &Network, who: &str, change: PartyChange) -> Result<(), NotChanged> {
        let mut state = self.state();
        if state.status == RoomStatus::Completed {
            return Err(NotChanged::NoSuchParticipant);
        }
        if let Some(Some(coached)) = &change.coaches
            && !state.parties.iter().any(|party| party.joined && party.leg.sid == *coached)
        {
            return Err(NotChanged::NobodyToCoach);
        }
        let now_ms = network.now_ms();
        let party = state.party_mut(who).ok_or(NotChanged::NoSuchParticipant)?;
        let sid = party.leg.sid.clone();
        let mut events = Vec::new();
        if let Some(muted) = change.muted.filter(|muted| *muted != party.muted) {
            party.muted = muted;
            events.push(Event::Mute(muted));
        }
        if let Some(hold) = change.hold {
            if hold.is_some() != party.hold.is_some() {
                events.push(Event::Hold(hold.is_some()));
            }
            party.hold = hold;
        }
        if let Some(end_on_exit) = change.end_on_exit.filter(|ends| *ends != party.end_on_exit) {
            party.end_on_exit = end_on_exit;
            events.push(Event::Modify);
        }
        if let Some(coaches) = change.coaches.filter(|coaches| *coaches != party.coaches) {
            party.coaches = coaches;
            events.push(Event::Modify);
        }
        if let Some(on_exit) = change.beep_on_exit {
            let on_enter = matches!(party.beep, Beep::Both | Beep::OnEnter);
            party.beep = match (on_enter, on_exit) {
                (true, true) => Beep::Both,
                (true, false) => Beep::OnEnter,
                (false, true) => Beep::OnExit,
                (false, false) => Beep::Never,
            };
        }
        if let Some(wait) = change.wait {
            party.wait = wait;
        }
        if let Some(announcement) = change.announcement {
            // A session that has just ended hears nothing any more.
            let _ = party.announcements.send(announcement);
        }
        party.updated_ms = now_ms;
        events.dedup();
        for event in events {
            state.report(network, &event, &sid);
        }
        self.arrange(network, &mut state);
        Ok(())
    }
}
