//! Requests that are sent when they are due, whether or not earlier ones were answered.
//!
//! A latency begins at the moment the request was due, not when a free connection got round to
//! sending it: a server that stalls is charged for everything that waited (no coordinated omission).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::connections::Connections;
use crate::latency::{Tally, percentile};
use crate::requests::Requests;
use crate::twilio::{Kind, Twilio};

/// How many requests are made before the first is sent; some 200 MB of them.
const AHEAD: usize = 200_000;
/// From the last preparation to the first moment at which something can be due.
const RUN_UP: Duration = Duration::from_millis(20);

/// Moments at which requests are due, counted from the start of a load.
pub(crate) type Moments = Vec<Duration>;

/// Requests of one kind with the moments at which they are due.
pub(crate) struct Schedule<'a> {
    kind: Kind,
    requests: Requests<'a>,
    due: Moments,
    /// The most connections it may have. One is opened when none is free.
    most: usize,
    /// What is due earlier does not count.
    from: Duration,
    /// After this nothing is sent any more, due or not.
    until: Option<Duration>,
    next: usize,
    opened: usize,
    /// The one used last is used next.
    free: Vec<usize>,
    under_way: usize,
    /// How long after it was due each was sent that did not have to wait for a connection: the tool's
    /// own delay.
    late: Vec<Duration>,
    /// Whether the next one had no connection when it was due, or one before it that is only now sent.
    held_up: bool,
    /// How many had to wait for a connection.
    waited: usize,
    tally: Tally,
}

impl<'a> Schedule<'a> {
    pub(crate) fn new(twilio: &'a Twilio, kind: Kind, seed: u64, due: Moments, most: usize) -> Self {
        Self {
            kind,
            requests: Requests::ahead(twilio, kind, seed, due.len().min(AHEAD)),
            most,
            from: Duration::ZERO,
            until: None,
            next: 0,
            opened: 0,
            free: Vec::new(),
            under_way: 0,
            late: Vec::with_capacity(due.len()),
            held_up: false,
            waited: 0,
            tally: Tally::with_room(due.len()),
            due,
        }
    }

    pub(crate) fn counted_from(self, from: Duration) -> Self {
        Self { from, ..self }
    }

    pub(crate) fn sent_until(self, until: Duration) -> Self {
        Self { until: Some(until), ..self }
    }

    /// How many requests were counted.
    pub(crate) fn len(&self) -> usize {
        self.tally.len()
    }

    /// Rates are per second of `window`.
    pub(crate) fn report(mut self, window: Duration) -> Value {
        self.late.sort_unstable();
        let late = percentile(&self.late, 0.99);
        let mut report = self.tally.report(window);
        report["connections"] = self.opened.into();
        report["waited"] = self.waited.into();
        report["lateP99Ms"] = late.map(|late| late.as_secs_f64() * 1e3).into();
        report["madeLate"] = self.requests.made_late().into();
        report
    }

    /// Whether nothing more is sent, `now` after the start.
    fn is_over(&self, now: Duration) -> bool {
        self.next == self.due.len() || self.until.is_some_and(|until| now >= until)
    }

    /// Whether its next request is due, and a connection for it free or to be had.
    fn can_send(&mut self, now: Duration) -> bool {
        if self.is_over(now) || self.due[self.next] > now {
            self.held_up = false;
            return false;
        }
        let can = !self.free.is_empty() || self.opened < self.most;
        self.held_up |= !can;
        can
    }
}

/// One request that was sent.
#[derive(Clone, Copy)]
struct Turn {
    /// Whose it is.
    schedule: usize,
    due: Duration,
}

/// Keeps all `schedules`, and waits for what is under way at the end.
pub(crate) fn keep(server: SocketAddr, schedules: &mut [Schedule<'_>]) -> anyhow::Result<()> {
    let mut connections = Connections::new(server)?;
    // The latest request of each connection.
    let mut turns: Vec<Turn> = Vec::new();
    let start = Instant::now() + RUN_UP;
    loop {
        for (number, schedule) in schedules.iter_mut().enumerate() {
            loop {
                let at = Instant::now();
                let now = at.saturating_duration_since(start);
                // Before the start not even what is due at once.
                if at < start || !schedule.can_send(now) {
                    break;
                }
                let turn = Turn { schedule: number, due: schedule.due[schedule.next] };
                let index = match schedule.free.pop() {
                    Some(index) => index,
                    None => {
                        schedule.opened += 1;
                        turns.push(turn);
                        connections.add()
                    }
                };
                turns[index] = turn;
                connections.ask(index, schedule.requests.next(), at);
                schedule.next += 1;
                schedule.under_way += 1;
                if turn.due < schedule.from {
                    continue;
                }
                if schedule.held_up {
                    schedule.waited += 1;
                } else {
                    schedule.late.push(now - turn.due);
                }
            }
        }
        let now = start.elapsed();
        if schedules.iter().all(|schedule| schedule.is_over(now) && schedule.under_way == 0) {
            return Ok(());
        }
        connections.look(Duration::ZERO, |index, outcome, seen| {
            let Turn { schedule, due } = turns[index];
            let schedule = &mut schedules[schedule];
            schedule.under_way -= 1;
            schedule.free.push(index);
            if due >= schedule.from {
                schedule.tally.count(schedule.kind, outcome, seen - start - due);
            }
        })?;
    }
}

/// Evenly apart.
pub(crate) fn evenly(per_second: u32, seconds: Duration) -> Moments {
    let count = (f64::from(per_second) * seconds.as_secs_f64()).round() as u64;
    (0..count).map(|number| Duration::from_secs_f64(number as f64 / f64::from(per_second))).collect()
}

/// Independent of each other, as calls are: the gaps are distributed exponentially.
pub(crate) fn at_random(per_second: u32, seconds: Duration, seed: u64) -> Moments {
    let mut state = seed;
    let mut at = 0.0;
    let gaps = std::iter::from_fn(|| {
        at += -(1.0 - uniform(&mut state)).ln() / f64::from(per_second);
        (at < seconds.as_secs_f64()).then(|| Duration::from_secs_f64(at))
    });
    gaps.collect()
}

/// SplitMix64, in `0.0..1.0`.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::responder::Responder;

    #[test]
    fn random_moments_are_as_many_as_asked_for_and_in_order() {
        let moments = at_random(100, Duration::from_secs(100), 1);
        assert!((9_700..10_300).contains(&moments.len()), "{}", moments.len());
        assert!(moments.is_sorted());
        assert!(moments.iter().all(|moment| *moment < Duration::from_secs(100)));
        assert_eq!(moments, at_random(100, Duration::from_secs(100), 1));
    }

    #[test]
    fn even_moments_are_evenly_apart() {
        let moments = evenly(5_000, Duration::from_secs(2));
        assert_eq!(moments.len(), 10_000);
        assert_eq!(moments[5_000], Duration::from_secs(1));
        assert!(evenly(0, Duration::from_secs(2)).is_empty());
    }

    /// What comes of requests due at `due`, in milliseconds, over at most `most` connections.
    fn kept(responder: &Responder, due: &[u64], most: usize) -> Value {
        let twilio = Twilio::fictitious();
        let due: Moments = due.iter().copied().map(Duration::from_millis).collect();
        let mut schedules = [Schedule::new(&twilio, Kind::TwimlPost, 1, due, most)];
        keep(responder.address, &mut schedules).unwrap();
        let [schedule] = schedules;
        let report = schedule.report(Duration::from_secs(1));
        assert_eq!((&report["wrong"], &report["failed"]), (&0.into(), &0.into()), "{report}");
        report
    }

    #[test]
    fn what_is_due_waits_for_no_earlier_answer() {
        // Answers nobody before four have asked: with three connections it would wait for ever.
        let responder = Responder::start(4).unwrap();
        let report = kept(&responder, &[0, 1, 2, 3], 256);
        assert_eq!((&report["requests"], &report["connections"]), (&4.into(), &4.into()), "{report}");
        assert_eq!(report["waited"], 0, "{report}");
        // The first waited until the last was due.
        assert!(report["maxMs"].as_f64().unwrap() >= 3.0, "{report}");
    }

    #[test]
    fn a_free_connection_is_used_again() {
        let responder = Responder::start(1).unwrap();
        let report = kept(&responder, &[0; 20], 2);
        assert_eq!((&report["requests"], &report["connections"]), (&20.into(), &2.into()), "{report}");
    }

    #[test]
    fn a_latency_begins_when_the_request_was_due() {
        // The third of the first schedule has no connection before those of the first two are answered,
        // and nobody is before the second schedule's only request.
        let responder = Responder::start(3).unwrap();
        let twilio = Twilio::fictitious();
        let due = |due: &[u64]| due.iter().copied().map(Duration::from_millis).collect::<Moments>();
        let mut schedules = [
            Schedule::new(&twilio, Kind::TwimlPost, 1, due(&[0, 1, 2]), 2),
            Schedule::new(&twilio, Kind::TwimlPost, 2, due(&[30]), 1),
        ];
        keep(responder.address, &mut schedules).unwrap();
        let [waited, _] = schedules;
        let report = waited.report(Duration::from_secs(1));
        assert_eq!((&report["requests"], &report["failed"]), (&3.into(), &0.into()), "{report}");
        assert!(report["maxMs"].as_f64().unwrap() >= 30.0, "{report}");
        assert_eq!(report["waited"], 1, "{report}");
    }

    #[test]
    fn nothing_is_sent_after_the_end_nor_counted_before_the_beginning() {
        let responder = Responder::start(1).unwrap();
        let twilio = Twilio::fictitious();
        let ms = Duration::from_millis;
        let due = vec![ms(0), ms(1), ms(3_600_000)];
        let schedule =
            Schedule::new(&twilio, Kind::TwimlPost, 1, due, 4).counted_from(ms(1)).sent_until(ms(200));
        let mut schedules = [schedule];
        keep(responder.address, &mut schedules).unwrap();
        assert_eq!(schedules[0].len(), 1);
    }
}
