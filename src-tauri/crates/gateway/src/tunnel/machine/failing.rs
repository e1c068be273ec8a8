//! What follows from a failure: a pause, the breaker, the end of the program, and the ways out.

use std::time::Duration;

use dialer_domain::error::UserError;

use super::{Action, Machine, Moment, Phase, ProgramIs, serving};
use crate::tunnel::TunnelState;
use crate::tunnel::provider::{Pace, trouble};

/// So many failed attempts within [`Periods::breaker_window`](crate::tunnel::Periods) open the breaker.
const BREAKER_FAILURES: usize = 5;
/// So many programs in a row that end at once open the breaker.
const FLASHES: u32 = 3;

/// How often a session is tried to be had again while the last one may linger.
const LINGERING_TRIES: u32 = 4;

impl Machine {
    pub(super) fn ended(&mut self, reason: UserError, now: Moment, actions: &mut Vec<Action>) {
        let ended = std::mem::replace(&mut self.program, ProgramIs::Absent);
        let ProgramIs::Running { since } = ended else { return };
        let reason = self.complaint.take().unwrap_or(reason);
        match &mut self.phase {
            Phase::Starting { .. } | Phase::Verifying { .. } => {
                let flash = now.elapsed < since + self.rules.periods.flash;
                let blamed = now.way_out && !self.offline;
                self.flashes = if flash && blamed { self.flashes + 1 } else { 0 };
                if self.flashes >= FLASHES {
                    self.flashes = 0;
                    let until = now.elapsed + self.rules.periods.breaker_rest;
                    self.open(reason, Some(until), actions, now);
                } else {
                    self.fail(reason, true, now, actions);
                }
            }
            Phase::Serving(serving) => match serving.doomed.take() {
                Some(doomed) => self.open(doomed, None, actions, now),
                None => self.fail(reason, true, now, actions),
            },
            Phase::Waiting { .. } | Phase::Open { .. } => {}
        }
    }

    /// The attempt failed. `counts` tells whether the tunnel is to blame.
    pub(super) fn fail(&mut self, reason: UserError, counts: bool, now: Moment, actions: &mut Vec<Action>) {
        let at = now.elapsed;
        if let Phase::Serving(serving) = &self.phase
            && at >= serving.since + self.rules.periods.steady
        {
            self.failures = 0;
            self.counted.clear();
            self.flashes = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let window = self.rules.periods.breaker_window;
        self.counted.retain(|failed| at < *failed + window);
        let reason = if counts && !now.way_out { no_way_out(reason) } else { reason };
        let counts = counts && now.way_out && !self.offline;
        // With nothing to start, trying costs nothing and harms nobody.
        if counts && self.rules.has_program {
            self.counted.push_back(at);
            if self.on_trial || self.counted.len() >= BREAKER_FAILURES {
                let until = at + self.rules.periods.breaker_rest;
                return self.open(reason, Some(until), actions, now);
            }
        }
        self.end_program(at, actions);
        let pause = if counts {
            backoff(&self.rules.pace, self.failures, now.chance)
        } else {
            self.rules.pace.backoff_cap.min(self.rules.periods.backoff_cap)
        };
        self.wait(at + pause, reason, now);
    }

    /// Another session has what the program needs. Shortly after a program of ours was up, that is taken
    /// for its session and waited for; then, or if no program was up, it is somebody else's.
    pub(super) fn held(&mut self, reason: UserError, now: Moment, actions: &mut Vec<Action>) {
        let (at, linger) = (now.elapsed, self.rules.periods.linger);
        if self.last_up.is_none_or(|up| at >= up + linger) {
            return self.open(reason, None, actions, now);
        }
        self.failures = self.failures.saturating_add(1);
        self.end_program(at, actions);
        let waiting =
            "The tunnel's provider has not let go of the last connection yet. It is tried again shortly.";
        self.wait(at + linger / LINGERING_TRIES, trouble(waiting).with_detail(reason.message), now);
    }

    /// Stops trying; until `until`, where that is worth it by itself.
    pub(super) fn open(
        &mut self,
        reason: UserError,
        until: Option<Duration>,
        actions: &mut Vec<Action>,
        now: Moment,
    ) {
        self.end_program(now.elapsed, actions);
        self.looking = None;
        self.on_trial = false;
        self.phase = Phase::Open { until };
        self.state = TunnelState::Open { reason, until_ms: until.map(|until| unix_ms(until, now)) };
    }

    pub(super) fn wait(&mut self, until: Duration, reason: UserError, now: Moment) {
        self.looking = None;
        self.phase = Phase::Waiting { until };
        let until_ms = unix_ms(until, now);
        self.state = TunnelState::Backoff { failures: self.failures, until_ms, reason };
    }

    pub(super) fn end_program(&mut self, at: Duration, actions: &mut Vec<Action>) {
        if let ProgramIs::Running { .. } = self.program {
            self.program = ProgramIs::Ending { since: at };
            actions.push(Action::End);
        }
    }

    pub(super) fn retry(&mut self, now: Moment, actions: &mut Vec<Action>) {
        match (&mut self.phase, &self.state) {
            (Phase::Waiting { until }, _) => *until = now.elapsed,
            (Phase::Open { .. }, _) => self.phase = Phase::Waiting { until: now.elapsed },
            (Phase::Serving(serving), TunnelState::Degraded { reason, .. })
                if serving.misses >= serving::MISSES_DEGRADED =>
            {
                let reason = reason.clone();
                self.end_program(now.elapsed, actions);
                self.wait(now.elapsed, reason, now);
            }
            (Phase::Serving(serving), _) => serving.next_look = now.elapsed,
            // Under way already; if it fails, what failed before the click no longer counts.
            (Phase::Starting { .. } | Phase::Verifying { .. }, _) => {}
        }
        self.failures = 0;
        self.counted.clear();
        self.flashes = 0;
        self.on_trial = false;
    }

    /// There is a way out again. What failed on the network before says nothing about this one.
    pub(super) fn way_is_back(&mut self, now: Moment) {
        self.failures = 0;
        self.flashes = 0;
        self.network_changed(now);
    }

    pub(super) fn network_changed(&mut self, now: Moment) {
        let at = now.elapsed;
        // A network that comes and goes must not start programs every time.
        let earliest =
            self.network_start.map_or(at, |last| (last + self.rules.periods.network_settle).max(at));
        match &mut self.phase {
            Phase::Serving(serving) => {
                serving.next_look = at;
                return;
            }
            Phase::Waiting { until } => {
                *until = (*until).min(earliest);
                if let TunnelState::Backoff { until_ms, .. } = &mut self.state {
                    *until_ms = unix_ms(*until, now);
                }
            }
            Phase::Open { until } if earliest > at => {
                let sooner = until.map_or(earliest, |until| until.min(earliest));
                *until = Some(sooner);
                if let TunnelState::Open { until_ms, .. } = &mut self.state {
                    *until_ms = Some(unix_ms(sooner, now));
                }
                return;
            }
            Phase::Open { .. } => {
                self.on_trial = true;
                self.phase = Phase::Waiting { until: at };
            }
            Phase::Starting { .. } | Phase::Verifying { .. } => return,
        }
        self.network_start = Some(earliest);
    }
}

/// What is wrong when this computer has no way to the internet; `seen` is what came of that.
pub(in crate::tunnel) fn no_way_out(seen: UserError) -> UserError {
    let reason = trouble("This computer is offline. The tunnel goes on by itself when the network is back.");
    reason.with_detail(match seen.detail {
        Some(detail) => format!("{} ({detail})", seen.message),
        None => seen.message,
    })
}

/// The moment `at`, which is told since the supervisor began, in Unix milliseconds.
fn unix_ms(at: Duration, now: Moment) -> i64 {
    let pause = i64::try_from(at.saturating_sub(now.elapsed).as_millis()).unwrap_or(i64::MAX);
    now.unix_ms.saturating_add(pause)
}

/// How long to wait after so many failures in a row: a random part of a time that doubles with each.
pub(super) fn backoff(pace: &Pace, failures: u32, chance: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    pace.backoff_base.saturating_mul(1 << doublings).min(pace.backoff_cap).mul_f64(chance.clamp(0.0, 1.0))
}
