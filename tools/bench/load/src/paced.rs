//! One kind of request at a fixed rate, due at random moments: what a caller notices of a server that is
//! not overloaded.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::schedule::{Schedule, at_random, keep};
use crate::twilio::{Kind, Twilio};

/// More connections than are ever under way, unless the server all but stands.
const MOST_CONNECTIONS: usize = 256;

pub(crate) struct Load {
    pub(crate) kind: Kind,
    /// Requests a second, on average.
    pub(crate) rate: u32,
    pub(crate) warm_up: Duration,
    pub(crate) seconds: Duration,
}

/// Measures; what is due before the end of the warm-up does not count. All that is due is sent and waited
/// for.
pub(crate) fn measure(server: SocketAddr, twilio: &Twilio, seed: u64, load: &Load) -> anyhow::Result<Value> {
    let due = at_random(load.rate, load.warm_up + load.seconds, seed);
    let schedule = Schedule::new(twilio, load.kind, seed, due, MOST_CONNECTIONS).counted_from(load.warm_up);
    let mut schedules = [schedule];
    keep(server, &mut schedules)?;
    let [schedule] = schedules;
    anyhow::ensure!(schedule.len() > 0, "no request was due in that time");
    Ok(schedule.report(load.seconds))
}
