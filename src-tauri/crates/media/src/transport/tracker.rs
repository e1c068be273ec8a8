//! What to say about the state of the connection, from what the library and the network tell.
//!
//! The library has no `failed`, notices a silent far end only after half a minute, and then does not
//! come back by itself. The Voice SDK outside Chromium ends a call on `failed` at once (voice-sdk
//! 2.18.5, `call.ts`), so `disconnected` is held while the connection may still recover.

use std::time::{Duration, Instant};

use str0m::IceConnectionState;

use crate::api::{ConnectionState, IceState};

/// Nothing heard for this long is `disconnected`; checks go both ways at least every three seconds.
const SILENCE: Duration = Duration::from_secs(5);

/// Follows one connection. Time comes from outside.
#[derive(Debug)]
pub(super) struct Tracker {
    failed_after: Duration,
    ice: IceConnectionState,
    encrypted: bool,
    remote_closed: bool,
    broken: bool,
    /// When offer and answer were last completed; `None` before the first time.
    negotiated: Option<Instant>,
    heard: Option<Instant>,
    /// Since when the connection has not been whole.
    trouble_since: Option<Instant>,
}

impl Tracker {
    pub(super) fn new(failed_after: Duration) -> Self {
        Self {
            failed_after,
            ice: IceConnectionState::New,
            encrypted: false,
            remote_closed: false,
            broken: false,
            negotiated: None,
            heard: None,
            trouble_since: None,
        }
    }

    /// Offer and answer are complete, for the first time or after a restart: patience begins anew.
    pub(super) fn negotiated(&mut self, now: Instant) {
        self.negotiated = Some(now);
        self.trouble_since = None;
    }

    pub(super) fn ice_moved(&mut self, state: IceConnectionState) {
        self.ice = state;
    }

    pub(super) fn encrypted(&mut self) {
        self.encrypted = true;
    }

    /// The far end said goodbye.
    pub(super) fn remote_closed(&mut self) {
        self.remote_closed = true;
    }

    /// The library has given up for good.
    pub(super) fn broken(&mut self) {
        self.broken = true;
    }

    /// Something genuine came from the far end.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    /// Whether sound can be sent.
    pub(super) fn is_open(&self) -> bool {
        self.encrypted && !self.remote_closed && !self.broken
    }

    /// Both states as they are at `now`.
    pub(super) fn states(&mut self, now: Instant) -> (IceState, ConnectionState) {
        if self.broken {
            return (self.ice_state(now), ConnectionState::Failed);
        }
        if self.negotiated.is_none() {
            return (IceState::New, ConnectionState::New);
        }
        let ice = self.ice_state(now);
        let whole = ice == IceState::Connected && self.encrypted && !self.remote_closed;
        if whole {
            self.trouble_since = None;
            return (IceState::Connected, ConnectionState::Connected);
        }
        let since = *self.trouble_since.get_or_insert(now);
        if now >= since + self.failed_after {
            let ice = if ice == IceState::Connected { ice } else { IceState::Failed };
            return (ice, ConnectionState::Failed);
        }
        let connection = if ice == IceState::Disconnected || self.remote_closed {
            ConnectionState::Disconnected
        } else {
            ConnectionState::Connecting
        };
        (ice, connection)
    }

    fn ice_state(&self, now: Instant) -> IceState {
        match self.ice {
            IceConnectionState::New | IceConnectionState::Checking => IceState::Checking,
            IceConnectionState::Connected | IceConnectionState::Completed => {
                let silent = self.heard.is_some_and(|heard| now >= heard + SILENCE);
                if silent { IceState::Disconnected } else { IceState::Connected }
            }
            IceConnectionState::Disconnected => IceState::Disconnected,
        }
    }

    /// When, after `now`, [`Tracker::states`] may change by the passing of time alone.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        self.negotiated?;
        let silence = self.heard.map(|heard| heard + SILENCE);
        let failure = self.trouble_since.map(|since| since + self.failed_after);
        silence.into_iter().chain(failure).filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn connected(start: Instant) -> Tracker {
        let mut tracker = Tracker::new(PATIENCE);
        assert_eq!(tracker.states(start), (IceState::New, ConnectionState::New));
        tracker.negotiated(start);
        assert_eq!(tracker.states(start), (IceState::Checking, ConnectionState::Connecting));
        tracker.ice_moved(IceConnectionState::Completed);
        tracker.heard(start);
        assert_eq!(tracker.states(start), (IceState::Connected, ConnectionState::Connecting));
        assert!(!tracker.is_open());
        tracker.encrypted();
        assert_eq!(tracker.states(start), (IceState::Connected, ConnectionState::Connected));
        assert!(tracker.is_open());
        tracker
    }

    #[test]
    fn a_silent_far_end_is_disconnected_comes_back_or_fails() {
        let start = Instant::now();
        let mut tracker = connected(start);
        assert_eq!(tracker.deadline(start), Some(start + SILENCE));
        assert_eq!(tracker.states(start + SILENCE).1, ConnectionState::Disconnected);
        tracker.heard(start + Duration::from_secs(20));
        assert_eq!(tracker.states(start + Duration::from_secs(20)).1, ConnectionState::Connected);
        let lost = start + Duration::from_secs(25);
        assert_eq!(tracker.states(lost).0, IceState::Disconnected);
        assert_eq!(
            tracker.states(lost + PATIENCE - Duration::from_millis(1)).1,
            ConnectionState::Disconnected
        );
        assert_eq!(tracker.deadline(lost), Some(lost + PATIENCE), "a moment that is past wakes nobody");
        assert_eq!(tracker.states(lost + PATIENCE), (IceState::Failed, ConnectionState::Failed));
        assert_eq!(tracker.deadline(lost + PATIENCE), None);
    }

    #[test]
    fn a_connection_that_never_comes_about_fails() {
        let start = Instant::now();
        let mut tracker = Tracker::new(PATIENCE);
        tracker.negotiated(start);
        tracker.states(start);
        assert_eq!(tracker.deadline(start), Some(start + PATIENCE));
        assert_eq!(tracker.states(start + PATIENCE), (IceState::Failed, ConnectionState::Failed));
    }

    #[test]
    fn a_restart_begins_a_new_wait() {
        let start = Instant::now();
        let mut tracker = connected(start);
        let late = start + Duration::from_secs(29);
        tracker.ice_moved(IceConnectionState::Disconnected);
        tracker.states(start);
        tracker.negotiated(late);
        tracker.ice_moved(IceConnectionState::Checking);
        assert_eq!(tracker.states(late), (IceState::Checking, ConnectionState::Connecting));
        assert_eq!(tracker.states(late + Duration::from_secs(10)).1, ConnectionState::Connecting);
        tracker.ice_moved(IceConnectionState::Connected);
        tracker.heard(late + Duration::from_secs(11));
        assert_eq!(tracker.states(late + Duration::from_secs(11)).1, ConnectionState::Connected);
    }

    #[test]
    fn a_goodbye_is_disconnected_and_a_breakdown_failed() {
        let start = Instant::now();
        let mut tracker = connected(start);
        tracker.remote_closed();
        assert_eq!(tracker.states(start).1, ConnectionState::Disconnected);
        assert!(!tracker.is_open());
        let mut tracker = connected(start);
        tracker.broken();
        assert_eq!(tracker.states(start).1, ConnectionState::Failed);
    }
}
