//! Requests that come when they are due, whether or not earlier ones were answered.
//!
//! A latency begins at the moment the request was due, not when a free connection got round to
//! sending it: a server that stalls is charged for everything that waited (no coordinated omission).

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::closed::join;
use crate::connection::Connection;
use crate::latency::Tally;
use crate::twilio::{Kind, Twilio};

/// More connections than genuine webhooks are ever under way, unless the server all but stands.
const GENUINE_CONNECTIONS: usize = 16;
/// How much too late a sleeping thread may wake; the rest of a wait is spent looking at the clock.
const WAKE_EARLY: Duration = Duration::from_micros(150);

pub(crate) struct Load {
    pub(crate) genuine: u32,
    pub(crate) forged: u32,
    pub(crate) forged_connections: usize,
    pub(crate) seconds: Duration,
}

/// Requests of one kind with the moments at which they are due.
struct Schedule {
    kind: Kind,
    seed: u64,
    due: Vec<Instant>,
    next: AtomicUsize,
    /// After this moment nothing is sent any more, due or not.
    until: Option<Instant>,
    /// Whether to watch the clock for the last stretch of a wait.
    exact: bool,
}

/// Measures. Genuine webhooks are all sent and waited for; forged ones that are still due at the end
/// are not, and the rate that was reached is told.
pub(crate) fn measure(server: SocketAddr, twilio: &Twilio, seed: u64, load: &Load) -> anyhow::Result<Value> {
    let start = Instant::now() + Duration::from_millis(20);
    let genuine = Schedule {
        kind: Kind::TwimlPost,
        seed,
        due: at_random(start, load.genuine, load.seconds, seed),
        next: AtomicUsize::new(0),
        until: None,
        exact: true,
    };
    let forged = Schedule {
        kind: Kind::TwimlForged,
        // A forger knows no CallSid of ours.
        seed: !seed,
        due: evenly(start, load.forged, load.seconds),
        next: AtomicUsize::new(0),
        until: Some(start + load.seconds),
        exact: false,
    };
    let (genuine, forged) = thread::scope(|scope| {
        let keep = |schedule, connections| {
            (0..connections).map(|_| scope.spawn(move || keep(schedule, server, twilio))).collect::<Vec<_>>()
        };
        let genuine = keep(&genuine, GENUINE_CONNECTIONS);
        let forged = keep(&forged, if load.forged == 0 { 0 } else { load.forged_connections });
        anyhow::Ok((join(genuine)?, join(forged)?))
    })?;
    anyhow::ensure!(genuine.len() > 0, "no genuine webhook was due in that time");
    Ok(json!({
        "genuine": genuine.report(load.seconds),
        "forged": forged.report(load.seconds),
    }))
}

/// Sends what is due next, until nothing is.
fn keep(schedule: &Schedule, server: SocketAddr, twilio: &Twilio) -> Tally {
    let mut tally = Tally::default();
    let mut connection = Connection::new(server);
    let mut request = Vec::new();
    loop {
        let number = schedule.next.fetch_add(1, Ordering::Relaxed);
        let Some(due) = schedule.due.get(number).copied() else { return tally };
        twilio.write(schedule.kind, schedule.seed, number as u64, &mut request);
        wait(due, schedule.exact);
        if schedule.until.is_some_and(|until| Instant::now() >= until) {
            return tally;
        }
        let outcome = connection.ask(&request);
        tally.count(schedule.kind, outcome, due.elapsed());
    }
}

fn wait(due: Instant, exact: bool) {
    let early = if exact { WAKE_EARLY } else { Duration::ZERO };
    thread::sleep(due.saturating_duration_since(Instant::now()).saturating_sub(early));
    while exact && Instant::now() < due {
        std::hint::spin_loop();
    }
}

fn evenly(start: Instant, per_second: u32, seconds: Duration) -> Vec<Instant> {
    let count = (f64::from(per_second) * seconds.as_secs_f64()).round() as u64;
    (0..count).map(|number| start + Duration::from_secs_f64(number as f64 / f64::from(per_second))).collect()
}

/// Independent of each other, as calls are: the gaps are distributed exponentially.
fn at_random(start: Instant, per_second: u32, seconds: Duration, seed: u64) -> Vec<Instant> {
    let mut state = seed;
    let mut at = 0.0;
    let gaps = std::iter::from_fn(|| {
        at += -(1.0 - uniform(&mut state)).ln() / f64::from(per_second);
        (at < seconds.as_secs_f64()).then(|| start + Duration::from_secs_f64(at))
    });
    gaps.collect()
}

/// SplitMix64, in `0.0..1.0`: the same seed gives the same moments to both servers.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_moments_are_as_many_as_asked_for_and_in_order() {
        let start = Instant::now();
        let moments = at_random(start, 100, Duration::from_secs(100), 1);
        assert!((9_700..10_300).contains(&moments.len()), "{}", moments.len());
        assert!(moments.is_sorted());
        assert!(moments.iter().all(|moment| *moment - start < Duration::from_secs(100)));
        assert_eq!(moments, at_random(start, 100, Duration::from_secs(100), 1));
    }

    #[test]
    fn even_moments_are_evenly_apart() {
        let start = Instant::now();
        let moments = evenly(start, 5_000, Duration::from_secs(2));
        assert_eq!(moments.len(), 10_000);
        assert_eq!(moments[5_000] - start, Duration::from_secs(1));
        assert!(evenly(start, 0, Duration::from_secs(2)).is_empty());
    }
}
