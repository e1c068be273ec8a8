//! Connections that are always busy: the throughput of a server, and its latency at that load.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::connection::Connection;
use crate::latency::Tally;
use crate::twilio::{Kind, Twilio};

/// How long a connection rests after a failure, so that a dead server is not hammered.
const AFTER_FAILURE: Duration = Duration::from_millis(10);

pub(crate) struct Load {
    pub(crate) kind: Kind,
    pub(crate) connections: usize,
    pub(crate) warm_up: Duration,
    pub(crate) seconds: Duration,
}

/// Measures; what was sent before the end of the warm-up does not count. What is under way at the end is
/// waited for, and each connection asks at least once: a server that stalls is not spared its longest
/// answers.
pub(crate) fn measure(server: SocketAddr, twilio: &Twilio, seed: u64, load: &Load) -> anyhow::Result<Value> {
    let from = Instant::now() + load.warm_up;
    let until = from + load.seconds;
    let next = AtomicU64::new(0);
    let work = || {
        let mut tally = Tally::default();
        let mut connection = Connection::new(server);
        let mut request = Vec::new();
        while Instant::now() < until || tally.len() == 0 {
            twilio.write(load.kind, seed, next.fetch_add(1, Ordering::Relaxed), &mut request);
            let sent = Instant::now();
            let outcome = connection.ask(&request);
            let took = sent.elapsed();
            let failed = outcome.is_err();
            if sent >= from {
                tally.count(load.kind, outcome, took);
            }
            if failed {
                thread::sleep(AFTER_FAILURE);
            }
        }
        tally
    };
    let total = thread::scope(|scope| {
        let threads: Vec<_> = (0..load.connections).map(|_| scope.spawn(work)).collect();
        join(threads)
    })?;
    let mut report = total.report(from.elapsed());
    // With those of the warm-up, which cost the server as much.
    report["sent"] = next.into_inner().into();
    Ok(report)
}

/// What all `threads` together counted.
pub(crate) fn join(threads: Vec<thread::ScopedJoinHandle<'_, Tally>>) -> anyhow::Result<Tally> {
    let mut total = Tally::default();
    for thread in threads {
        total.add(thread.join().map_err(|_| anyhow::anyhow!("a connection's thread panicked"))?);
    }
    Ok(total)
}
