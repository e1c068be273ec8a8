//! Connections: how long they may idle, and who goes when there are too many.
//!
//! Behind a tunnel or proxy few connections carry everybody's requests, and an address says nothing
//! about who is at the other end. So places are not given by address: everybody gets one, and when all
//! are taken the one goes that has kept us waiting longest. A connection on which Twilio's request is
//! being worked on stays, and one on which its answer is being taken goes last.

mod stream;

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use stream::Guarded;

/// How long the other side may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// From the first byte of a request's head to its last, and from the connection to the first byte.
    pub(crate) head: Duration,
    /// From one request to the next.
    pub(crate) idle: Duration,
    /// To take the next part of an answer.
    pub(crate) answer: Duration,
}

/// One connection, as those who decide about it see it.
pub(crate) struct Peer {
    state: Mutex<State>,
    evicted: Notify,
}

struct State {
    phase: Phase,
    since: Instant,
    /// Whether any request came before.
    served: bool,
    /// Whether any of those was Twilio's.
    good: bool,
    /// Whether the latest was.
    trusted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing of a request has come.
    Idle,
    /// Its head is coming.
    Head,
    /// Its body is coming, and who sent it is not known.
    Request,
    /// It is Twilio's.
    Trusted,
    /// Its answer is known, and not written yet.
    Answering,
    /// All of the answer is written or about to be, and not taken yet.
    Flushing,
    /// The connection ends.
    Evicted,
}

impl Peer {
    fn new() -> Self {
        let state =
            State { phase: Phase::Idle, since: Instant::now(), served: false, good: false, trusted: false };
        Self { state: Mutex::new(state), evicted: Notify::new() }
    }

    /// A request has come as far as its body.
    pub(crate) fn request_began(&self) {
        let mut state = self.state();
        state.trusted = false;
        state.enter(Phase::Request);
    }

    /// The request is Twilio's. False if the connection has been given up already.
    pub(crate) fn trust(&self) -> bool {
        let mut state = self.state();
        (state.good, state.trusted) = (true, true);
        state.enter(Phase::Trusted)
    }

    /// The answer is known: it is under way until the body returned in place of `body` is gone and
    /// everything is [flushed](Self::flushed).
    pub(crate) fn answered(self: Arc<Self>, body: Body) -> Answered {
        let mut state = self.state();
        state.served = true;
        state.enter(Phase::Answering);
        drop(state);
        Answered { body, peer: self }
    }

    /// Returns when the connection must end, because another needs its place.
    pub(crate) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Returns when the connection must end, because the other side takes too long.
    pub(crate) async fn overdue(&self, patience: Patience) {
        loop {
            let now = Instant::now();
            // Whatever begins from now on is not overdue before that.
            let soonest = now + patience.head.min(patience.idle);
            match self.deadline(patience) {
                Some(deadline) if deadline <= now => return,
                Some(deadline) => tokio::time::sleep_until(deadline.min(soonest)).await,
                None => tokio::time::sleep_until(soonest).await,
            }
        }
    }

    fn bytes_came(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            state.enter(Phase::Head);
        }
    }

    /// Some of an answer was taken.
    fn bytes_taken(&self) {
        let mut state = self.state();
        if matches!(state.phase, Phase::Answering | Phase::Flushing) {
            state.since = Instant::now();
        }
    }

    /// No more of the answer will come.
    fn handed_over(&self) {
        let mut state = self.state();
        if state.phase == Phase::Answering {
            state.enter(Phase::Flushing);
        }
    }

    /// All that was written has been taken.
    fn flushed(&self) {
        let mut state = self.state();
        if state.phase == Phase::Flushing {
            state.enter(Phase::Idle);
        }
    }

    /// When waiting for the other side ends; `None` while it is not the other side that is waited for, or
    /// somebody else looks at the clock.
    fn deadline(&self, patience: Patience) -> Option<Instant> {
        let state = self.state();
        match state.phase {
            Phase::Idle if state.served => Some(state.since + patience.idle),
            Phase::Idle | Phase::Head => Some(state.since + patience.head),
            Phase::Request | Phase::Trusted | Phase::Answering | Phase::Flushing | Phase::Evicted => None,
        }
    }

    /// The order in which connections go: by what they are, then by how long they have kept us waiting.
    /// `None` for one that stays.
    fn standing(&self) -> Option<(Rank, Instant)> {
        let state = self.state();
        let rank = match state.phase {
            Phase::Answering | Phase::Flushing if state.trusted => Rank::Taking,
            Phase::Idle | Phase::Head | Phase::Request | Phase::Answering | Phase::Flushing if state.good => {
                Rank::Twilio
            }
            Phase::Idle | Phase::Head | Phase::Request | Phase::Answering | Phase::Flushing => Rank::Stranger,
            Phase::Trusted | Phase::Evicted => return None,
        };
        Some((rank, state.since))
    }

    /// Ends the connection, unless Twilio's request has been recognised on it meanwhile.
    fn evict(&self) -> bool {
        let mut state = self.state();
        let goes = state.phase != Phase::Trusted && state.enter(Phase::Evicted);
        if goes {
            self.evicted.notify_one();
        }
        goes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase) -> bool {
        if self.phase == Phase::Evicted {
            return false;
        }
        (self.phase, self.since) = (phase, Instant::now());
        true
    }
}

/// What a connection that may go is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A stranger's, as far as anybody knows.
    Stranger,
    /// Twilio's, which came there before.
    Twilio,
    /// Twilio's, which is taking an answer: what a caller hears breaks off with it.
    Taking,
}

/// The body of an answer, which tells the connection when it is gone.
pub(crate) struct Answered {
    body: Body,
    peer: Arc<Peer>,
}

impl hyper::body::Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.peer.handed_over();
    }
}

/// The connections there are.
pub(crate) struct Connections {
    most: usize,
    peers: Mutex<Vec<Arc<Peer>>>,
}

/// What a new connection gets.
pub(crate) enum Place {
    /// A free one.
    Free(Arc<Peer>),
    /// That of another, which ends.
    Vacated(Arc<Peer>),
    /// None: on every connection there is a request of Twilio's being answered.
    None,
}

impl Connections {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, peers: Mutex::default() }
    }

    /// Takes in a new connection.
    pub(crate) fn enter(&self) -> Place {
        let mut peers = self.peers();
        let full = peers.len() >= self.most;
        if full && !evict_one(&mut peers) {
            return Place::None;
        }
        let peer = Arc::new(Peer::new());
        peers.push(Arc::clone(&peer));
        if full { Place::Vacated(peer) } else { Place::Free(peer) }
    }

    /// The connection has ended.
    pub(crate) fn leave(&self, peer: &Arc<Peer>) {
        self.peers().retain(|other| !Arc::ptr_eq(other, peer));
    }

    fn peers(&self) -> MutexGuard<'_, Vec<Arc<Peer>>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn evict_one(peers: &mut Vec<Arc<Peer>>) -> bool {
    loop {
        let standings = peers.iter().enumerate().filter_map(|(at, peer)| Some((peer.standing()?, at)));
        let Some((_, at)) = standings.min() else { return false };
        // Between the two looks Twilio may have been recognised: then it is another one's turn.
        if peers[at].evict() {
            peers.swap_remove(at);
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn entered(connections: &Connections) -> Arc<Peer> {
        match connections.enter() {
            Place::Free(peer) | Place::Vacated(peer) => peer,
            Place::None => panic!("a place"),
        }
    }

    fn is_evicted(peer: &Peer) -> bool {
        peer.state().phase == Phase::Evicted
    }

    #[tokio::test(start_paused = true)]
    async fn who_kept_us_waiting_longest_goes() {
        let connections = Connections::new(2);
        let first = entered(&connections);
        tokio::time::advance(Duration::from_millis(1)).await;
        let second = entered(&connections);
        tokio::time::advance(Duration::from_millis(1)).await;
        first.bytes_came();
        let third = entered(&connections);
        assert!(is_evicted(&second) && !is_evicted(&first));
        second.evicted().await;
        connections.leave(&second);
        connections.leave(&third);
        assert!(matches!(connections.enter(), Place::Free(_)));
    }

    /// The answer is known, written and taken.
    fn answer(peer: &Arc<Peer>) {
        drop(Arc::clone(peer).answered(Body::empty()));
        peer.flushed();
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_go_before_twilio_and_what_is_being_answered_stays() {
        let connections = Connections::new(2);
        let twilio = entered(&connections);
        twilio.request_began();
        assert!(twilio.trust());
        answer(&twilio);
        tokio::time::advance(Duration::from_secs(60)).await;
        let stranger = entered(&connections);
        let other = entered(&connections);
        assert!(is_evicted(&stranger) && !is_evicted(&twilio));
        twilio.request_began();
        assert!(twilio.trust());
        other.request_began();
        assert!(other.trust());
        assert!(matches!(connections.enter(), Place::None));
        answer(&twilio);
        assert!(matches!(connections.enter(), Place::Vacated(_)));
        assert!(is_evicted(&twilio));
        assert!(!twilio.trust(), "nothing is begun on a connection that ends");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_twilio_is_taking_goes_last_and_that_of_a_stranger_does_not() {
        let connections = Connections::new(2);
        let twilio = entered(&connections);
        twilio.request_began();
        assert!(twilio.trust());
        let body = Arc::clone(&twilio).answered(Body::empty());
        tokio::time::advance(Duration::from_secs(1)).await;
        for body_is_gone in [false, true] {
            let stranger = entered(&connections);
            stranger.request_began();
            let refusal = Arc::clone(&stranger).answered(Body::empty());
            tokio::time::advance(Duration::from_secs(1)).await;
            let other = entered(&connections);
            assert!(is_evicted(&stranger) && !is_evicted(&twilio), "{body_is_gone}");
            connections.leave(&other);
            drop(refusal);
            twilio.flushed();
        }
        drop(body);
        let good = entered(&connections);
        good.request_began();
        assert!(good.trust());
        answer(&good);
        let other = entered(&connections);
        assert!(is_evicted(&good) && !is_evicted(&twilio), "it has kept us waiting for less time");
        other.request_began();
        assert!(other.trust());
        entered(&connections);
        assert!(is_evicted(&twilio), "there was no other");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_must_come_soon_and_the_next_may_take_its_time() {
        let seconds = Duration::from_secs;
        let patience = Patience { head: seconds(5), idle: seconds(75), answer: seconds(10) };
        let start = Instant::now();
        let peer = Arc::new(Peer::new());
        assert_eq!(peer.deadline(patience), Some(start + seconds(5)));
        tokio::time::advance(seconds(1)).await;
        peer.bytes_came();
        tokio::time::advance(seconds(1)).await;
        peer.bytes_came();
        assert_eq!(peer.deadline(patience), Some(start + seconds(6)), "from the first byte");
        peer.request_began();
        assert_eq!(peer.deadline(patience), None);
        let body = Arc::clone(&peer).answered(Body::empty());
        tokio::time::advance(seconds(100)).await;
        peer.flushed();
        assert_eq!(peer.deadline(patience), None, "more of the answer comes");
        drop(body);
        peer.bytes_came();
        assert_eq!(peer.deadline(patience), None, "not all of it is taken");
        peer.flushed();
        assert_eq!(peer.deadline(patience), Some(start + seconds(177)));
        peer.bytes_came();
        assert_eq!(peer.deadline(patience), Some(start + seconds(107)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_overdue_at_its_deadline_whenever_that_arose() {
        let seconds = Duration::from_secs;
        for (head, idle) in [(5, 75), (75, 5)] {
            let patience = Patience { head: seconds(head), idle: seconds(idle), answer: seconds(10) };
            let start = Instant::now();
            let peer = Arc::new(Peer::new());
            peer.request_began();
            let story = async {
                tokio::time::sleep(seconds(93)).await;
                answer(&peer);
                tokio::time::sleep(seconds(3)).await;
                peer.bytes_came();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = peer.overdue(patience) => {}
                () = story => {}
            }
            assert_eq!(start.elapsed(), seconds(96 + head));
        }
    }
}
