//! The machine against the rules it must keep, step by step and in any order of events.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

mod any_order;
mod network;
mod step_by_step;

use std::time::Duration;

use dialer_domain::error::UserError;
use url::Url;

use super::{Action, Event, Machine, Moment, Outcome, Rules};
use crate::tunnel::TunnelState;
use crate::tunnel::periods::Periods;
use crate::tunnel::provider::{Pace, trouble};

/// When the tests begin, in Unix milliseconds.
const BEGAN_MS: i64 = 1_700_000_000_000;

/// A machine, its time, and what it wants done.
pub(super) struct Bench {
    pub(super) machine: Machine,
    pub(super) elapsed: Duration,
    /// How much of each pause is waited for.
    pub(super) chance: f64,
    pub(super) way_out: bool,
    /// What was wanted and not yet taken.
    pub(super) actions: Vec<Action>,
}

impl Bench {
    pub(super) fn new(rules: Rules) -> Self {
        let mut bench = Self {
            machine: Machine::new(rules),
            elapsed: Duration::ZERO,
            chance: 1.0,
            way_out: true,
            actions: Vec::new(),
        };
        bench.tell(Event::Tick);
        bench
    }

    pub(super) fn tell(&mut self, event: Event) {
        let unix_ms = BEGAN_MS + i64::try_from(self.elapsed.as_millis()).unwrap();
        let now = Moment { elapsed: self.elapsed, unix_ms, chance: self.chance, way_out: self.way_out };
        self.actions.extend(self.machine.handle(event, now));
    }

    /// Lets time pass, ticking when it is due.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.elapsed + time;
        while let Some(due) = self.machine.next_tick().filter(|due| *due <= end) {
            assert!(
                due > self.elapsed || !self.overdue(),
                "a tick that does nothing would be repeated for ever"
            );
            self.elapsed = self.elapsed.max(due);
            self.tell(Event::Tick);
        }
        self.elapsed = end;
    }

    pub(super) fn pass_s(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    /// Whether ticking once more would still leave something due.
    fn overdue(&mut self) -> bool {
        self.tell(Event::Tick);
        self.machine.next_tick().is_some_and(|due| due <= self.elapsed)
    }

    /// Takes what was wanted so far.
    pub(super) fn take(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Answers the look that was asked for.
    pub(super) fn look(&mut self, outcome: Outcome) {
        let number = self.actions.iter().rev().find_map(|action| match action {
            Action::Look(number, _) => Some(*number),
            Action::Launch | Action::End | Action::Abandon | Action::Ask(_) => None,
        });
        self.actions.retain(|action| !matches!(action, Action::Look(..)));
        self.tell(Event::Looked(number.expect("a look is wanted"), outcome));
    }

    pub(super) fn state(&self) -> &TunnelState {
        self.machine.state()
    }

    /// The reason of a state that has one.
    pub(super) fn reason(&self) -> String {
        match self.state() {
            TunnelState::Degraded { reason, .. }
            | TunnelState::Backoff { reason, .. }
            | TunnelState::Open { reason, .. } => reason.message.clone(),
            state @ (TunnelState::Off
            | TunnelState::Starting
            | TunnelState::Verifying { .. }
            | TunnelState::Up { .. }) => panic!("{state:?} has no reason"),
        }
    }
}

pub(super) fn url(host: &str) -> Url {
    format!("https://{host}.example.com").parse().unwrap()
}

pub(super) fn because(word: &str) -> UserError {
    trouble(word)
}

pub(super) fn missed() -> Outcome {
    Outcome::Missed(because("missed"))
}

/// A program whose address is learnt, with an interface: a temporary address of Cloudflare, but at the
/// pace of the others.
pub(super) fn quick() -> Rules {
    let periods = Periods::default();
    let pace = Pace {
        probe: periods.probe,
        probe_in_call: periods.probe_in_call,
        backoff_base: periods.backoff_base,
        backoff_cap: periods.backoff_cap,
    };
    Rules { periods, pace, address: None, has_program: true, has_interface: true }
}

/// A program whose address is known beforehand and that only its output tells about: ssh.
pub(super) fn known() -> Rules {
    Rules { address: Some(url("own")), has_interface: false, ..quick() }
}

/// No program at all.
pub(super) fn fixed() -> Rules {
    Rules { has_program: false, ..known() }
}
