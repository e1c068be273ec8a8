//! The account's conferences.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dialer_domain::sid::ConferenceSid;

use super::party::{Entry, NotAdded};
use super::room::{Room, RoomStatus};
use super::seat::Place;
use crate::account::SidSource;
use crate::audio::RoomId;
use crate::call::Leg;
use crate::network::Network;

/// How many conferences that are over are remembered.
const KEPT: usize = 1_000;
/// Keeps the SIDs of conferences apart from those of calls.
const OWN_SEED: u64 = 0x636f_6e66;

/// All conferences remembered, oldest first.
pub(crate) struct Conferences {
    sids: SidSource,
    next: AtomicU64,
    rooms: Mutex<Vec<Arc<Room>>>,
}

impl Conferences {
    pub(crate) fn new(seed: u64) -> Self {
        Self { sids: SidSource::new(seed ^ OWN_SEED), next: AtomicU64::new(1), rooms: Mutex::default() }
    }

    /// All conferences, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn by_sid(&self, sid: &str) -> Option<Arc<Room>> {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.iter().find(|room| room.sid.as_str() == sid).cloned()
    }

    /// The conference of this name that is not over, or a new one.
    pub(crate) fn open(&self, network: &Network, name: &str) -> Arc<Room> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |room: &&Arc<Room>| room.name == name && room.status() != RoomStatus::Completed;
        if let Some(room) = rooms.iter().find(open) {
            return Arc::clone(room);
        }
        let id = RoomId(self.next.fetch_add(1, Ordering::Relaxed));
        let sid: ConferenceSid = self.sids.conference();
        let room = Arc::new(Room::new(sid, name.to_owned(), id, network.now_ms()));
        rooms.push(Arc::clone(&room));
        if rooms.len() > KEPT
            && let Some(over) = rooms.iter().position(|room| room.status() == RoomStatus::Completed)
        {
            rooms.remove(over);
        }
        room
    }

    /// Gives a leg a place in the conference of this name.
    pub(super) fn enter(
        &self,
        network: &Arc<Network>,
        name: &str,
        leg: &Arc<Leg>,
        entry: Entry,
    ) -> Result<Place, NotAdded> {
        loop {
            let room = self.open(network, name);
            // A room that ended in between is not entered; the next one of that name is another.
            match room.enter(network, leg, entry.clone()) {
                Err(NotAdded::Over) => {}
                result => return result,
            }
        }
    }
}
