//! Connections that are always busy: the throughput of a server. The latencies are those of a server
//! with more to do than it can, so they say the same once more: connections divided by throughput.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::connections::Connections;
use crate::latency::Tally;
use crate::requests::Requests;
use crate::twilio::{Kind, Twilio};

/// How long a connection rests after a failure, so that a dead server is not hammered.
const AFTER_FAILURE: Duration = Duration::from_millis(10);

pub(crate) struct Load {
    pub(crate) kind: Kind,
    pub(crate) connections: usize,
    /// How many requests are made before the first is sent.
    pub(crate) ahead: usize,
    pub(crate) warm_up: Duration,
    pub(crate) seconds: Duration,
}

/// What one connection has done.
#[derive(Clone, Copy)]
struct Turn {
    sent: Instant,
    /// Whether a request of it was counted.
    counted: bool,
}

/// Measures; what was sent before the end of the warm-up does not count. What is under way at the end is
/// waited for, and each connection asks at least once: a server that stalls is not spared its longest
/// answers.
pub(crate) fn measure(server: SocketAddr, twilio: &Twilio, seed: u64, load: &Load) -> anyhow::Result<Value> {
    let mut requests = Requests::ahead(twilio, load.kind, seed, load.ahead);
    let mut tally = Tally::with_room(load.ahead);
    let mut connections = Connections::new(server)?;
    let mut free: Vec<usize> = (0..load.connections).map(|_| connections.add()).collect();
    let mut resting = VecDeque::new();
    let mut under_way = 0;
    let mut busy = Duration::ZERO;
    let start = Instant::now();
    let from = start + load.warm_up;
    let until = from + load.seconds;
    let mut turns = vec![Turn { sent: start, counted: false }; load.connections];
    // When the answers that are being worked on were found.
    let mut found = Some(start);
    loop {
        let over = Instant::now() >= until;
        for index in free.drain(..) {
            if over && turns[index].counted {
                continue;
            }
            let request = requests.next();
            let sent = Instant::now();
            turns[index].sent = sent;
            connections.ask(index, request, sent);
            under_way += 1;
        }
        busy += found.map_or(Duration::ZERO, |found| found.elapsed());
        if under_way == 0 && resting.is_empty() {
            break;
        }
        found = connections.look(Duration::ZERO, |index, outcome, seen| {
            under_way -= 1;
            let turn = &mut turns[index];
            let failed = outcome.is_err();
            if turn.sent >= from {
                turn.counted = true;
                tally.count(load.kind, outcome, seen - turn.sent);
            }
            if failed {
                resting.push_back((seen + AFTER_FAILURE, index));
            } else {
                free.push(index);
            }
        })?;
        while let Some((_, index)) = resting.pop_front_if(|(rested, _)| *rested <= Instant::now()) {
            free.push(index);
        }
    }
    let took = start.elapsed();
    let mut report = tally.report(from.elapsed());
    // With those of the warm-up, which cost server and tool as much.
    let sent = requests.taken();
    report["sent"] = sent.into();
    report["madeLate"] = requests.made_late().into();
    report["toolUs"] = (busy.as_secs_f64() * 1e6 / sent as f64).into();
    report["toolBusy"] = (busy.as_secs_f64() / took.as_secs_f64()).into();
    Ok(report)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::responder::Responder;

    #[test]
    fn every_connection_asks_and_every_answer_is_counted() {
        let responder = Responder::start(1).unwrap();
        // No time at all: one request of each connection counts all the same.
        let load = Load {
            kind: Kind::TwimlPost,
            connections: 4,
            ahead: 2,
            warm_up: Duration::ZERO,
            seconds: Duration::ZERO,
        };
        let report = measure(responder.address, &Twilio::fictitious(), 1, &load).unwrap();
        assert_eq!(report["requests"], 4, "{report}");
        assert_eq!((&report["sent"], &report["madeLate"]), (&4.into(), &2.into()));
        assert_eq!((&report["wrong"], &report["failed"]), (&0.into(), &0.into()));
        assert_eq!(report["statuses"]["200"], 4);
    }

    #[test]
    fn a_wrong_answer_is_told() {
        let responder = Responder::start(1).unwrap();
        let load = Load {
            // Wants a 204.
            kind: Kind::Status,
            connections: 1,
            ahead: 1,
            warm_up: Duration::ZERO,
            seconds: Duration::ZERO,
        };
        let report = measure(responder.address, &Twilio::fictitious(), 1, &load).unwrap();
        assert_eq!(report["wrong"], 1, "{report}");
        assert!(report["trouble"].as_str().unwrap().starts_with("status 200: "));
    }
}
