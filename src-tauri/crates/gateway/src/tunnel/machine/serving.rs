//! What happens while a proven address is in use.

use dialer_domain::error::UserError;

use super::{Action, Machine, Moment, Outcome, Phase, Serving};
use crate::tunnel::TunnelState;
use crate::tunnel::provider::{Report, trouble};

/// So many looks in a row that failed are told.
pub(super) const MISSES_DEGRADED: u32 = 2;
/// So many looks in a row that failed end the attempt.
const MISSES_FAILED: u32 = 3;
/// So many questions in a row without an answer are worth a look.
const SILENCES: u32 = 2;

impl Machine {
    /// This process was seen behind the address.
    pub(super) fn proven(&mut self, now: Moment) {
        let at = now.elapsed;
        let next_look = at + self.interval();
        if matches!(self.phase, Phase::Verifying { .. } | Phase::Serving(_)) {
            // Whatever it was about is over.
            self.complaint = None;
        }
        match &mut self.phase {
            Phase::Verifying { url, .. } => {
                let url = url.clone();
                self.state = TunnelState::Up { url: url.clone(), since_ms: now.unix_ms };
                self.phase = Phase::Serving(Serving {
                    url,
                    since: at,
                    misses: 0,
                    missing: None,
                    next_look,
                    reconnecting: None,
                    silences: 0,
                    doomed: None,
                });
                self.on_trial = false;
                self.next_ask = at + self.rules.periods.agent;
            }
            Phase::Serving(serving) => {
                serving.misses = 0;
                serving.missing = None;
                serving.next_look = next_look;
                serving.doomed = None;
                if !matches!(self.state, TunnelState::Up { .. }) {
                    self.state = TunnelState::Up { url: serving.url.clone(), since_ms: now.unix_ms };
                }
            }
            Phase::Starting { .. } | Phase::Waiting { .. } | Phase::Open { .. } => {}
        }
    }

    pub(super) fn looked_serving(&mut self, outcome: Outcome, now: Moment, actions: &mut Vec<Action>) {
        let at = now.elapsed;
        let reconnect = self.rules.periods.reconnect;
        let after_miss = self.rules.periods.probe_after_miss;
        let Phase::Serving(serving) = &mut self.phase else { return };
        match outcome {
            Outcome::Proven => self.proven(now),
            Outcome::Permanent(reason) => self.open(reason, None, actions, now),
            Outcome::NoServer(reason) | Outcome::Offline(reason) => {
                serving.next_look = at + after_miss;
                self.degrade(reason);
            }
            Outcome::Missed(reason) => {
                serving.misses += 1;
                serving.next_look = at + after_miss;
                if let Some(doomed) = serving.doomed.take() {
                    return self.open(doomed, None, actions, now);
                }
                let missing = *serving.missing.get_or_insert(at);
                let given_time = serving.reconnecting.is_some_and(|since| at < since + reconnect);
                // Offline, a restart would only cost the address. But what the system says may be wrong.
                let offline = self.offline && at < missing + self.rules.periods.breaker_rest;
                let spared = given_time || offline;
                let misses = serving.misses;
                if misses >= MISSES_FAILED && !spared {
                    let reason = self.complaint.take().unwrap_or(reason);
                    return self.fail(reason, true, now, actions);
                }
                if misses >= MISSES_DEGRADED || given_time {
                    self.degrade(reason);
                }
            }
        }
    }

    pub(super) fn asked(&mut self, report: Report, now: Moment, actions: &mut Vec<Action>) {
        let at = now.elapsed;
        let serving = matches!(self.phase, Phase::Serving(_));
        let periods = &self.rules.periods;
        self.next_ask = at + if serving { periods.agent } else { periods.agent_starting };
        match &mut self.phase {
            Phase::Starting { address, connected, .. } => {
                let (told, stands) = match report {
                    Report::Connected { address } => (address, true),
                    Report::Reconnecting { address } => (address, false),
                    Report::Silent => return,
                };
                if let Some(url) = told
                    && address.as_ref().is_none_or(|(known, _)| *known != url)
                {
                    *address = Some((url, at));
                }
                *connected |= stands;
            }
            Phase::Serving(serving) => match report {
                Report::Connected { address: Some(url) } if url != serving.url => {
                    let since = at;
                    self.verify(url, since, now);
                    self.advance(now, actions);
                }
                Report::Connected { .. } => {
                    serving.silences = 0;
                    if serving.reconnecting.take().is_some() {
                        serving.next_look = at;
                    }
                }
                Report::Reconnecting { .. } => {
                    serving.silences = 0;
                    if serving.reconnecting.is_none() {
                        serving.reconnecting = Some(at);
                        serving.next_look = at;
                        self.complaint.get_or_insert_with(reconnecting);
                    }
                }
                Report::Silent => {
                    serving.silences = serving.silences.saturating_add(1);
                    if serving.silences == SILENCES {
                        serving.next_look = at;
                    }
                }
            },
            Phase::Verifying { .. } | Phase::Waiting { .. } | Phase::Open { .. } => {}
        }
    }

    /// Tells that the address does not answer while it is given time.
    fn degrade(&mut self, reason: UserError) {
        if let Phase::Serving(serving) = &self.phase {
            self.state = TunnelState::Degraded { url: serving.url.clone(), reason };
        }
    }
}

fn reconnecting() -> UserError {
    trouble("The tunnel program lost its connection and could not get it back.")
}
