//! The telephone switch: every 20 ms it takes what each party says and gives it to whom it concerns.
//!
//! One thread with absolute deadlines serves all calls, so that frames neither pile up nor run dry
//! between two legs; it sleeps for good while there is no call.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dialer_media::codec::{FRAME_MS, Frame, SILENCE};
use tokio::sync::oneshot;

use super::mixing::{Mixing, RoomId, Seat};
use super::pattern::{Pattern, Player};

/// A party's end of a connection.
pub(crate) trait Line: Send {
    /// What the party says in these 20 ms.
    fn speak(&mut self) -> Frame;
    /// What the party hears in these 20 ms.
    fn hear(&mut self, frame: &Frame);
}

/// Listens in at one party's line.
pub(crate) trait Tap: Send {
    /// Takes 20 ms of what the party said and heard; `false` when no more is wanted.
    fn take(&mut self, said: &Frame, heard: &Frame) -> bool;
}

/// Names a line at the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PortId(u64);

#[cfg(test)]
impl PortId {
    pub(super) fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// A switch that fell behind by more than this does not catch up: 200 ms.
const HOPELESS: Duration = Duration::from_millis(200);

pub(crate) struct Switch {
    ports: Mutex<Ports>,
    changed: Condvar,
}

#[derive(Default)]
struct Ports {
    lines: BTreeMap<PortId, Port>,
    room_taps: Vec<(RoomId, Box<dyn Tap>)>,
    next: u64,
    stopped: bool,
}

struct Port {
    line: Box<dyn Line>,
    joined: Option<PortId>,
    /// In a conference.
    seat: Option<Seat>,
    playing: Option<Playing>,
    saying: Frame,
    taps: Vec<Box<dyn Tap>>,
}

struct Playing {
    player: Player,
    /// Told when the last frame was heard; dropped when something else took over.
    done: oneshot::Sender<()>,
}

impl Switch {
    /// A running switch; its thread ends with [`Switch::stop`].
    pub(crate) fn start() -> std::io::Result<Arc<Self>> {
        let switch = Arc::new(Self { ports: Mutex::default(), changed: Condvar::new() });
        let serving = Arc::clone(&switch);
        std::thread::Builder::new().name("practice-switch".into()).spawn(move || serving.serve())?;
        Ok(switch)
    }

    fn lock(&self) -> MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, line: Box<dyn Line>) -> PortId {
        let mut ports = self.lock();
        let id = PortId(ports.next);
        ports.next += 1;
        ports.lines.insert(
            id,
            Port { line, joined: None, seat: None, playing: None, saying: SILENCE, taps: Vec::new() },
        );
        self.changed.notify_one();
        id
    }

    pub(crate) fn remove(&self, id: PortId) {
        let mut ports = self.lock();
        ports.part(id);
        ports.lines.remove(&id);
    }

    /// Lets two parties hear each other, and nobody else.
    pub(crate) fn join(&self, one: PortId, other: PortId) {
        let mut ports = self.lock();
        ports.part(one);
        ports.part(other);
        for (from, to) in [(one, other), (other, one)] {
            if let Some(port) = ports.lines.get_mut(&from) {
                port.joined = Some(to);
            }
        }
    }

    /// Separates a party from whom it was joined with.
    pub(crate) fn part(&self, id: PortId) {
        self.lock().part(id);
    }

    /// Gives a party a place in a conference, another one there, or none any more.
    pub(crate) fn sit(&self, id: PortId, seat: Option<Seat>) {
        let mut ports = self.lock();
        if seat.is_some() {
            ports.part(id);
        }
        if let Some(port) = ports.lines.get_mut(&id) {
            port.seat = seat;
        }
    }

    /// Plays something to one party, in place of what was being played to it. The answer comes with
    /// the last frame, or fails when something else took over or the party is gone.
    pub(crate) fn play(&self, id: PortId, player: Player) -> oneshot::Receiver<()> {
        let (done, finished) = oneshot::channel();
        if let Some(port) = self.lock().lines.get_mut(&id) {
            port.playing = Some(Playing { player, done });
        }
        finished
    }

    /// Plays something to one party after what is being played to it.
    pub(crate) fn play_next(&self, id: PortId, pattern: Pattern) {
        if let Some(port) = self.lock().lines.get_mut(&id) {
            match &mut port.playing {
                Some(playing) => playing.player.append(pattern),
                // Nobody waits for the end of this.
                None => {
                    port.playing =
                        Some(Playing { player: Player::new(pattern, 1), done: oneshot::channel().0 })
                }
            }
        }
    }

    /// Listens in at a conference, until the tap wants no more: what all say is said, nothing is heard.
    pub(crate) fn tap_room(&self, room: RoomId, tap: Box<dyn Tap>) {
        self.lock().room_taps.push((room, tap));
    }

    /// Listens in at a party's line, until the tap wants no more or the party is gone; then it is dropped.
    pub(crate) fn tap(&self, id: PortId, tap: Box<dyn Tap>) {
        if let Some(port) = self.lock().lines.get_mut(&id) {
            port.taps.push(tap);
        }
    }

    pub(crate) fn stop_playing(&self, id: PortId) {
        if let Some(port) = self.lock().lines.get_mut(&id) {
            port.playing = None;
        }
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        let mut ports = self.lock();
        ports.stopped = true;
        ports.lines.clear();
        ports.room_taps.clear();
        self.changed.notify_one();
    }

    fn serve(&self) {
        let frame = Duration::from_millis(FRAME_MS);
        let mut deadline = Instant::now();
        loop {
            let mut ports = self.lock();
            while ports.lines.is_empty() && !ports.stopped {
                ports = self.changed.wait(ports).unwrap_or_else(PoisonError::into_inner);
                deadline = Instant::now();
            }
            if ports.stopped {
                return;
            }
            ports.tick();
            drop(ports);
            deadline += frame;
            match deadline.checked_duration_since(Instant::now()) {
                Some(rest) => std::thread::sleep(rest),
                None if deadline.elapsed() > HOPELESS => deadline = Instant::now(),
                None => {}
            }
        }
    }
}

impl Ports {
    fn part(&mut self, id: PortId) {
        let other = self.lines.get_mut(&id).and_then(|port| port.joined.take());
        if let Some(port) = other.and_then(|other| self.lines.get_mut(&other)) {
            port.joined = None;
        }
    }

    /// One turn of 20 ms.
    fn tick(&mut self) {
        for port in self.lines.values_mut() {
            port.saying = port.line.speak();
        }
        let said: BTreeMap<PortId, Frame> = self.lines.iter().map(|(id, port)| (*id, port.saying)).collect();
        let mut mixing = Mixing::default();
        for port in self.lines.values() {
            if let Some(seat) = port.seat {
                mixing.add(seat, &port.saying);
            }
        }
        self.room_taps.retain_mut(|(room, tap)| tap.take(&mixing.said_in(*room), &SILENCE));
        for (id, port) in &mut self.lines {
            let mut frame = match port.seat {
                Some(seat) => mixing.heard_by(*id, seat, &port.saying),
                None => port.joined.and_then(|other| said.get(&other)).copied().unwrap_or(SILENCE),
            };
            if let Some(playing) = &mut port.playing {
                match playing.player.next_frame() {
                    Some(played) => mix(&mut frame, &played),
                    None => {
                        if let Some(playing) = port.playing.take() {
                            // Whoever asked may have gone on to something else.
                            let _ = playing.done.send(());
                        }
                    }
                }
            }
            port.line.hear(&frame);
            let said = port.saying;
            port.taps.retain_mut(|tap| tap.take(&said, &frame));
        }
    }
}

fn mix(frame: &mut Frame, other: &Frame) {
    for (sample, added) in frame.iter_mut().zip(other) {
        *sample = sample.saturating_add(*added);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    /// Says a constant, and tells what it hears.
    struct Constant(i16, std::sync::mpsc::Sender<i16>);

    impl Line for Constant {
        fn speak(&mut self) -> Frame {
            [self.0; 960]
        }
        fn hear(&mut self, frame: &Frame) {
            let _ = self.1.send(frame[0]);
        }
    }

    fn ports() -> (Ports, PortId, PortId, std::sync::mpsc::Receiver<i16>) {
        let (heard, ears) = std::sync::mpsc::channel();
        let (unheard, _) = std::sync::mpsc::channel();
        let mut ports = Ports::default();
        for (index, line) in [Constant(100, heard), Constant(200, unheard)].into_iter().enumerate() {
            let port = Port {
                line: Box::new(line),
                joined: None,
                seat: None,
                playing: None,
                saying: SILENCE,
                taps: Vec::new(),
            };
            ports.lines.insert(PortId(index as u64), port);
        }
        (ports, PortId(0), PortId(1), ears)
    }

    #[test]
    fn joined_parties_hear_each_other_until_parted() {
        let (mut ports, one, other, ears) = ports();
        ports.tick();
        assert_eq!(ears.try_recv(), Ok(0), "nobody to hear");
        ports.lines.get_mut(&one).unwrap().joined = Some(other);
        ports.lines.get_mut(&other).unwrap().joined = Some(one);
        ports.tick();
        assert_eq!(ears.try_recv(), Ok(200));
        ports.part(other);
        ports.tick();
        assert_eq!(ears.try_recv(), Ok(0));
    }

    #[test]
    fn a_prompt_is_added_to_the_conversation_and_tells_its_end() {
        let (mut ports, one, other, ears) = ports();
        ports.lines.get_mut(&one).unwrap().joined = Some(other);
        let (done, mut finished) = oneshot::channel();
        let player = Player::new(Pattern::recording(vec![5; 960]), 1);
        ports.lines.get_mut(&one).unwrap().playing = Some(Playing { player, done });
        ports.tick();
        assert_eq!(ears.try_recv(), Ok(205));
        assert!(finished.try_recv().is_err());
        ports.tick();
        assert_eq!(finished.try_recv(), Ok(()));
        assert_eq!(ears.try_recv(), Ok(200));
    }

    /// Keeps the first samples of so many frames.
    struct Few(usize, std::sync::mpsc::Sender<(i16, i16)>);

    impl Tap for Few {
        fn take(&mut self, said: &Frame, heard: &Frame) -> bool {
            let _ = self.1.send((said[0], heard[0]));
            self.0 -= 1;
            self.0 > 0
        }
    }

    #[test]
    fn a_tap_takes_both_sides_until_it_wants_no_more() {
        let (mut ports, one, other, _ears) = ports();
        ports.lines.get_mut(&one).unwrap().joined = Some(other);
        let (taken, takes) = std::sync::mpsc::channel();
        ports.lines.get_mut(&one).unwrap().taps.push(Box::new(Few(2, taken)));
        (0..4).for_each(|_| ports.tick());
        assert_eq!(takes.try_iter().collect::<Vec<_>>(), [(100, 200), (100, 200)]);
        assert!(takes.recv().is_err(), "the tap is gone");
    }

    #[test]
    fn the_thread_serves_in_real_time_and_stops() {
        let switch = Switch::start().unwrap();
        let (heard, ears) = std::sync::mpsc::channel();
        switch.add(Box::new(Constant(1, heard)));
        for _ in 0..5 {
            ears.recv_timeout(Duration::from_secs(10)).unwrap();
        }
        switch.stop();
        // The line is dropped with the stop, so the channel runs dry instead of timing out.
        while ears.recv().is_ok() {}
    }
}
