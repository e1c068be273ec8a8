//! A leg's place in a conference, held by the session that plays its documents.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::party::{Announcement, Hears, Left, Music, Told};
use super::room::Room;
use crate::audio::{Pattern, Player};
use crate::call::{Leg, LegState, Session};
use crate::network::Network;

/// A place. Whoever drops it leaves the conference.
pub(crate) struct Place {
    network: Arc<Network>,
    pub(super) room: Arc<Room>,
    leg: Arc<Leg>,
    told: watch::Receiver<Told>,
    announcements: mpsc::UnboundedReceiver<Announcement>,
}

impl Drop for Place {
    fn drop(&mut self) {
        // A session that goes on elsewhere while its leg is up was sent there by REST.
        let gone = matches!(self.leg.state(), LegState::Ended(_));
        let why = if gone { Left::HungUp } else { Left::ByApi };
        self.room.leave(&self.network, &self.leg.sid, why);
    }
}

impl Place {
    pub(super) fn new(
        network: Arc<Network>,
        room: Arc<Room>,
        leg: Arc<Leg>,
        told: watch::Receiver<Told>,
        announcements: mpsc::UnboundedReceiver<Announcement>,
    ) -> Self {
        Self { network, room, leg, told, announcements }
    }

    /// Hears what is due, until it is taken out.
    pub(super) async fn stay(&mut self, session: &Session) {
        let mut heard: Option<Hears> = None;
        loop {
            let told = self.told.borrow_and_update().clone();
            if told.gone {
                return;
            }
            // Music has been stopped already for one who hears the conference now, and a beep may sound.
            if heard.as_ref() != Some(&told.hears) && told.hears != Hears::Conference {
                self.quiet();
            }
            tokio::select! {
                biased;
                changed = self.told.changed() => if changed.is_err() {
                    return;
                },
                Some(announcement) = self.announcements.recv() => {
                    let played = session.play_once(&announcement.url, announcement.method).await;
                    self.room.announced(&self.network, &self.leg.sid, &announcement, played);
                    // Music that was interrupted begins anew.
                    heard = None;
                    continue;
                }
                () = session.hear_music(&told.hears) => {}
            }
            heard = Some(told.hears);
        }
    }

    fn quiet(&self) {
        if let Some(port) = self.leg.port() {
            self.network.switch.stop_playing(port);
        }
    }
}

impl Session {
    /// Plays what someone hears who waits or is on hold; never ends.
    async fn hear_music(&self, hears: &Hears) {
        let (Hears::Waiting(music) | Hears::Held(music)) = hears else { return std::future::pending().await };
        match music {
            Music::Silence => {}
            Music::Usual => {
                if let Some(port) = self.leg.port() {
                    drop(self.network.switch.play(port, Player::new(Pattern::tune(), 0)));
                }
            }
            Music::From(url, method) => {
                // What cannot be had, or has nothing to hear in it, would be asked for without end.
                while self.play_once(url, *method).await {}
            }
        }
        std::future::pending().await
    }
}
