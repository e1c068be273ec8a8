//! What the supervisor does next: a state machine without effects. It is told what happened and what
//! time it is, and answers with what to do.
//!
//! ```text
//!  Starting ──▶ Verifying ──▶ Serving ──┐       Serving is Up or Degraded.
//!     ▲  │          │            │      │ heals by itself
//!     │  └── fails ─┴──▶ Waiting ◀──────┘
//!     │                     │  too often, or for good
//!     └──────── time ───────┴──▶ Open ── a click, a change of the network, time ──▶ Starting
//! ```

pub(in crate::tunnel) mod failing;
mod serving;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use dialer_domain::error::UserError;
use url::Url;

use super::TunnelState;
use super::periods::Periods;
use super::provider::{Finding, Pace, Report, trouble};

/// So many failed attempts to prove an address are enough, once there was time to start.
const VERIFY_ATTEMPTS: usize = 3;

/// When something happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Since the supervisor began; never goes backwards.
    pub(crate) elapsed: Duration,
    /// The same on the wall, for people.
    pub(crate) unix_ms: i64,
    /// Random, from 0 to 1, for spreading attempts.
    pub(crate) chance: f64,
    /// Whether the public address can be reached from this computer, as far as the system knows.
    pub(crate) way_out: bool,
}

/// What a look at the public address found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// This process is behind it.
    Proven,
    /// Not this time.
    Missed(UserError),
    /// The webhook server itself does not answer on this computer: no tunnel can help.
    NoServer(UserError),
    /// This computer has no way to the internet: no tunnel can help.
    Offline(UserError),
    /// The provider says that it cannot work, however often it is tried.
    Permanent(UserError),
}

/// What happened.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// Nothing but time passing.
    Tick,
    /// The program could not be started, and will not start by being tried again.
    NotStarted(UserError),
    /// The program said something.
    Said(Finding),
    /// The program is gone; why, as far as it can be told.
    Ended(UserError),
    /// The look at the public address with this number is over.
    Looked(u64, Outcome),
    /// The program's own interface was asked, in the attempt with this number.
    Asked(u64, Report),
    Retry,
    NetworkChanged,
    Offline(bool),
    InCall(bool),
    WebhookSeen,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start the program.
    Launch,
    /// End the program; [`Event::Ended`] is to follow.
    End,
    /// Forget the program, which does not end.
    Abandon,
    /// Look at the public address; [`Event::Looked`] with this number is to follow.
    Look(u64, Url),
    /// Ask the program's own interface; [`Event::Asked`] with this number is to follow.
    Ask(u64),
}

/// What does not change.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) periods: Periods,
    pub(crate) pace: Pace,
    /// The public address, where it is known beforehand.
    pub(crate) address: Option<Url>,
    /// Whether there is a program to start.
    pub(crate) has_program: bool,
    /// Whether the program can be asked.
    pub(crate) has_interface: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProgramIs {
    Absent,
    Running { since: Duration },
    Ending { since: Duration },
}

#[derive(Debug, Clone)]
enum Phase {
    Starting {
        since: Duration,
        /// With the time it was learnt.
        address: Option<(Url, Duration)>,
        connected: bool,
    },
    Verifying {
        since: Duration,
        url: Url,
        attempts: usize,
        next: Duration,
    },
    Serving(Serving),
    Waiting {
        until: Duration,
    },
    Open {
        /// When it is tried again by itself.
        until: Option<Duration>,
    },
}

/// An address that was proven.
#[derive(Debug, Clone)]
struct Serving {
    url: Url,
    since: Duration,
    /// Looks in a row that failed, and since when.
    misses: u32,
    missing: Option<Duration>,
    next_look: Duration,
    /// Since when the program says it is reconnecting.
    reconnecting: Option<Duration>,
    /// Questions in a row without an answer.
    silences: u32,
    /// What the program said that no repetition cures; believed once the address fails as well.
    doomed: Option<UserError>,
}

/// The state and what led to it.
#[derive(Debug)]
pub(crate) struct Machine {
    rules: Rules,
    state: TunnelState,
    phase: Phase,
    program: ProgramIs,
    /// Failures in a row.
    failures: u32,
    /// When the attempts failed that count against the breaker.
    counted: VecDeque<Duration>,
    /// When a program of ours was last up.
    last_up: Option<Duration>,
    /// Programs in a row that ended at once.
    flashes: u32,
    /// Whether the attempt under way is the one a breaker allows: if it fails, the breaker opens again.
    on_trial: bool,
    /// What the program said about not working.
    complaint: Option<UserError>,
    offline: bool,
    /// When it was last seen that there is no way out; `None` if there was one.
    cut_off: Option<Duration>,
    in_call: bool,
    /// The look under way.
    looking: Option<u64>,
    looks: u64,
    /// Programs started.
    attempts: u64,
    asking: bool,
    next_ask: Duration,
    /// When a change of the network last started something.
    network_start: Option<Duration>,
}

impl Machine {
    /// A machine at rest; the first [`Event::Tick`] sets it going.
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: TunnelState::Off,
            phase: Phase::Waiting { until: Duration::ZERO },
            program: ProgramIs::Absent,
            failures: 0,
            counted: VecDeque::new(),
            last_up: None,
            flashes: 0,
            on_trial: false,
            complaint: None,
            offline: false,
            cut_off: None,
            in_call: false,
            looking: None,
            looks: 0,
            attempts: 0,
            asking: false,
            next_ask: Duration::ZERO,
            network_start: None,
        }
    }

    pub(crate) fn state(&self) -> &TunnelState {
        &self.state
    }

    /// Takes in what happened and tells what to do, in this order.
    pub(crate) fn handle(&mut self, event: Event, now: Moment) -> Vec<Action> {
        let mut actions = Vec::new();
        let cut_off = (!now.way_out).then_some(now.elapsed);
        if std::mem::replace(&mut self.cut_off, cut_off).is_some() && now.way_out {
            self.way_is_back(now);
        }
        if let (Phase::Serving(_), ProgramIs::Running { .. }) = (&self.phase, self.program) {
            self.last_up = Some(now.elapsed);
        }
        match event {
            Event::Tick => {}
            Event::NotStarted(reason) => {
                self.program = ProgramIs::Absent;
                self.open(reason, None, &mut actions, now);
            }
            Event::Said(finding) => self.said(finding, now, &mut actions),
            Event::Ended(reason) => self.ended(reason, now, &mut actions),
            Event::Looked(number, outcome) => {
                if self.looking == Some(number) {
                    self.looking = None;
                    self.looked(outcome, now, &mut actions);
                }
            }
            Event::Asked(attempt, report) => {
                if attempt == self.attempts {
                    self.asking = false;
                    self.asked(report, now, &mut actions);
                }
            }
            Event::Retry => self.retry(now, &mut actions),
            Event::NetworkChanged => self.network_changed(now),
            Event::Offline(offline) => {
                let back = self.offline && !offline;
                self.offline = offline;
                if back {
                    self.network_changed(now);
                }
            }
            Event::InCall(in_call) => {
                self.in_call = in_call;
                let interval = self.interval();
                if let Phase::Serving(serving) = &mut self.phase {
                    serving.next_look = serving.next_look.min(now.elapsed + interval);
                }
            }
            Event::WebhookSeen => {
                if matches!(self.phase, Phase::Serving(_)) {
                    self.proven(now);
                }
            }
        }
        self.advance(now, &mut actions);
        actions
    }

    /// When [`Event::Tick`] is next due, since the supervisor began; `None` when only an event helps.
    pub(crate) fn next_tick(&self) -> Option<Duration> {
        let periods = &self.rules.periods;
        let look = |at: Duration| if self.looking.is_some() { None } else { Some(at) };
        let ask = if self.may_ask() { Some(self.next_ask) } else { None };
        let due = match &self.phase {
            Phase::Starting { since, address, .. } => {
                let settled = address.as_ref().map(|(_, learnt)| *learnt + periods.settle);
                [Some(*since + periods.start_deadline), settled, ask]
            }
            Phase::Verifying { next, .. } => [look(*next), None, None],
            Phase::Serving(serving) => [look(serving.next_look), ask, None],
            Phase::Waiting { until } => match self.program {
                ProgramIs::Absent => [Some(*until), None, None],
                ProgramIs::Running { since } | ProgramIs::Ending { since } => {
                    [Some((since + periods.end).max(*until)), None, None]
                }
            },
            Phase::Open { until } => [*until, None, None],
        };
        let way_back = self.cut_off.map(|seen| seen + periods.way_out);
        due.into_iter().flatten().chain(way_back).min()
    }

    fn may_ask(&self) -> bool {
        self.rules.has_interface && !self.asking && matches!(self.program, ProgramIs::Running { .. })
    }

    /// How long until the next look when all is well.
    fn interval(&self) -> Duration {
        if self.in_call { self.rules.pace.probe_in_call } else { self.rules.pace.probe }
    }

    /// Does what is due.
    fn advance(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let at = now.elapsed;
        let periods = self.rules.periods.clone();
        match &self.phase {
            Phase::Starting { since, address, connected } => {
                let since = *since;
                let ready = address
                    .as_ref()
                    .filter(|(_, learnt)| *connected || at >= *learnt + periods.settle)
                    .map(|(url, _)| url.clone());
                if let Some(url) = ready {
                    self.verify(url, since, now);
                    return self.advance(now, actions);
                }
                if at >= since + periods.start_deadline {
                    let late = || {
                        let seconds = periods.start_deadline.as_secs();
                        trouble(format!("The tunnel did not come up within {seconds} seconds."))
                    };
                    let reason = self.complaint.take().unwrap_or_else(late);
                    return self.fail(reason, true, now, actions);
                }
            }
            Phase::Verifying { url, next, .. } if self.looking.is_none() && at >= *next => {
                let url = url.clone();
                self.look(url, actions);
            }
            Phase::Serving(serving) if self.looking.is_none() && at >= serving.next_look => {
                let url = serving.url.clone();
                self.look(url, actions);
            }
            Phase::Waiting { until } if at >= *until => match self.program {
                ProgramIs::Absent => return self.start(now, actions),
                // A new program may need what the old one holds: its port at the host, its session.
                ProgramIs::Running { since } | ProgramIs::Ending { since } => {
                    if at >= since + periods.end {
                        self.program = ProgramIs::Absent;
                        actions.push(Action::Abandon);
                        return self.start(now, actions);
                    }
                }
            },
            Phase::Open { until: Some(until) } if at >= *until => {
                self.on_trial = true;
                self.phase = Phase::Waiting { until: at };
                return self.advance(now, actions);
            }
            Phase::Verifying { .. } | Phase::Serving(_) | Phase::Waiting { .. } | Phase::Open { .. } => {}
        }
        let wanted = matches!(self.phase, Phase::Starting { .. } | Phase::Serving(_));
        if wanted && self.may_ask() && at >= self.next_ask {
            self.asking = true;
            actions.push(Action::Ask(self.attempts));
        }
    }

    fn look(&mut self, url: Url, actions: &mut Vec<Action>) {
        self.looks += 1;
        self.looking = Some(self.looks);
        actions.push(Action::Look(self.looks, url));
    }

    fn start(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let at = now.elapsed;
        self.complaint = None;
        self.looking = None;
        match (self.rules.has_program, self.rules.address.clone()) {
            (false, Some(url)) => {
                self.verify(url, at, now);
                self.advance(now, actions);
            }
            (_, address) => {
                self.program = ProgramIs::Running { since: at };
                self.state = TunnelState::Starting;
                self.phase =
                    Phase::Starting { since: at, address: address.map(|url| (url, at)), connected: false };
                self.attempts += 1;
                self.asking = false;
                self.next_ask = at + self.rules.periods.agent_starting;
                actions.push(Action::Launch);
            }
        }
    }

    /// The address `url` of an attempt that began at `since` is to be proven.
    fn verify(&mut self, url: Url, since: Duration, now: Moment) {
        self.looking = None;
        self.state = TunnelState::Verifying { url: url.clone() };
        // A name that was just made up is not known everywhere yet, and asking too early makes that last.
        let pause = if self.rules.address.is_some() { Duration::ZERO } else { self.verify_pause(0) };
        self.phase = Phase::Verifying { since, url, attempts: 0, next: now.elapsed + pause };
    }

    fn verify_pause(&self, index: usize) -> Duration {
        let [first, second, last] = self.rules.periods.verify_pauses;
        [first, second].get(index).copied().unwrap_or(last)
    }

    fn said(&mut self, finding: Finding, now: Moment, actions: &mut Vec<Action>) {
        if matches!(self.program, ProgramIs::Ending { .. }) {
            return;
        }
        match finding {
            // Where the task finds the interface is its own business.
            Finding::Interface(_) => self.next_ask = self.next_ask.min(now.elapsed),
            Finding::Address(url) => {
                // Later on the output may contain what strangers sent, so only the interface is believed.
                if let Phase::Starting { address, connected, .. } = &mut self.phase {
                    address.get_or_insert((url, now.elapsed));
                    // Where nothing else will tell, the address comes when all is ready.
                    *connected |= !self.rules.has_interface;
                }
            }
            Finding::Connected => {
                if let Phase::Starting { connected, .. } = &mut self.phase {
                    *connected = true;
                }
            }
            // The first complaint is about the cause, the later ones about what came of it.
            Finding::Trouble(reason) => {
                self.complaint.get_or_insert(reason);
            }
            Finding::Held(reason) => match &self.phase {
                Phase::Starting { .. } | Phase::Verifying { .. } => self.held(reason, now, actions),
                // The program itself tries to get its session back.
                Phase::Serving(_) => {
                    self.complaint.get_or_insert(reason);
                }
                Phase::Waiting { .. } | Phase::Open { .. } => {}
            },
            Finding::Permanent(reason) => match &mut self.phase {
                Phase::Starting { .. } | Phase::Verifying { .. } => self.open(reason, None, actions, now),
                Phase::Serving(serving) => {
                    serving.doomed = Some(reason);
                    serving.next_look = serving.next_look.min(now.elapsed);
                }
                Phase::Waiting { .. } | Phase::Open { .. } => {}
            },
        }
    }

    fn looked(&mut self, outcome: Outcome, now: Moment, actions: &mut Vec<Action>) {
        match &self.phase {
            Phase::Verifying { since, attempts, .. } => {
                let (since, attempts) = (*since, *attempts + 1);
                match outcome {
                    Outcome::Proven => self.proven(now),
                    Outcome::Permanent(reason) => self.open(reason, None, actions, now),
                    Outcome::NoServer(reason) | Outcome::Offline(reason) => {
                        self.fail(reason, false, now, actions);
                    }
                    Outcome::Missed(reason) => {
                        let known = usize::from(self.rules.address.is_some());
                        let time = !self.rules.has_program
                            || now.elapsed >= since + self.rules.periods.start_deadline;
                        if attempts >= VERIFY_ATTEMPTS + known && time {
                            let reason = self.complaint.take().unwrap_or(reason);
                            self.fail(reason, true, now, actions);
                        } else {
                            let pause = self.verify_pause(attempts - known);
                            if let Phase::Verifying { attempts: count, next, .. } = &mut self.phase {
                                (*count, *next) = (attempts, now.elapsed + pause);
                            }
                        }
                    }
                }
            }
            Phase::Serving(_) => self.looked_serving(outcome, now, actions),
            Phase::Starting { .. } | Phase::Waiting { .. } | Phase::Open { .. } => {}
        }
    }
}
