//! Genuine voice webhooks that come when they come, beside a flood of forged ones.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::schedule::{Schedule, at_random, evenly, keep};
use crate::twilio::{Kind, Twilio};

/// More connections than genuine webhooks are ever under way, unless the server all but stands.
const GENUINE_CONNECTIONS: usize = 16;

pub(crate) struct Load {
    pub(crate) genuine: u32,
    pub(crate) forged: u32,
    pub(crate) forged_connections: usize,
    pub(crate) seconds: Duration,
}

/// Measures. Genuine webhooks are all sent and waited for; forged ones that are still due at the end
/// are not, and the rate that was reached is told.
pub(crate) fn measure(server: SocketAddr, twilio: &Twilio, seed: u64, load: &Load) -> anyhow::Result<Value> {
    let due = at_random(load.genuine, load.seconds, seed);
    let genuine = Schedule::new(twilio, Kind::TwimlPost, seed, due, GENUINE_CONNECTIONS);
    let due = evenly(load.forged, load.seconds);
    // A forger knows no CallSid of ours.
    let forged = Schedule::new(twilio, Kind::TwimlForged, !seed, due, load.forged_connections)
        .sent_until(load.seconds);
    let mut schedules = [genuine, forged];
    keep(server, &mut schedules)?;
    let [genuine, forged] = schedules;
    anyhow::ensure!(genuine.len() > 0, "no genuine webhook was due in that time");
    Ok(json!({
        "genuine": genuine.report(load.seconds),
        "forged": forged.report(load.seconds),
    }))
}
