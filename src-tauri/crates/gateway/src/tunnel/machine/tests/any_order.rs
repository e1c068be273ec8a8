//! Whatever happens in whatever order, some things hold.

use std::time::Duration;

use proptest::prelude::*;

use super::{Bench, because, fixed, known, missed, quick, url};
use crate::tunnel::TunnelState;
use crate::tunnel::machine::{Action, Event, Outcome, Rules};
use crate::tunnel::provider::{Finding, Report};

/// The most programs started in an hour without a click, where none works for two minutes: five failures
/// in ten minutes and one trial after them, and one a minute while the tunnel is not to blame.
const STARTS_AN_HOUR: usize = 6 * (5 + 1) + 60;
/// One every 30 s more, by a network that comes and goes.
const NETWORK_STARTS_AN_HOUR: usize = 120;

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    /// The program, if there is one, ends.
    End,
    /// The look, if one is under way, is over.
    Look(u8),
    /// The question, if one is under way, is answered.
    Answer(u8),
    Say(u8),
    Tell(u8),
    /// There is a way out from now on, or there is none.
    WayOut(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u64..40_000).prop_map(Step::Pass),
        1 => Just(Step::End),
        4 => (0_u8..8).prop_map(Step::Look),
        2 => (0_u8..4).prop_map(Step::Answer),
        2 => (0_u8..6).prop_map(Step::Say),
        1 => (0_u8..6).prop_map(Step::Tell),
        1 => any::<bool>().prop_map(Step::WayOut),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    prop_oneof![Just(quick()), Just(known()), Just(fixed())]
}

/// What is wanted from outside at the moment.
#[derive(Default)]
struct World {
    program: bool,
    look: Option<(u64, url::Url)>,
    asked: Option<u64>,
    /// When programs were started.
    starts: Vec<Duration>,
    /// The address last proven.
    proven: Option<url::Url>,
}

impl World {
    /// Takes what the machine wants, which must make sense.
    fn take(&mut self, bench: &mut Bench) {
        for action in bench.take() {
            match action {
                Action::Launch => {
                    assert!(!self.program, "a second program beside the first");
                    self.program = true;
                    self.starts.push(bench.elapsed);
                }
                Action::End => assert!(self.program, "an end of nothing"),
                Action::Abandon => self.program = false,
                Action::Look(number, url) => self.look = Some((number, url)),
                Action::Ask(attempt) => self.asked = Some(attempt),
            }
        }
        if let TunnelState::Up { url, .. } = bench.state() {
            assert_eq!(Some(url), self.proven.as_ref(), "an address was told that was not proven");
        }
    }

    fn step(&mut self, bench: &mut Bench, step: &Step) {
        match step {
            Step::Pass(ms) => bench.pass(Duration::from_millis(*ms)),
            Step::End if std::mem::take(&mut self.program) => bench.tell(Event::Ended(because("ended"))),
            Step::Look(what) => {
                if let Some((number, url)) = self.look.take() {
                    let outcome = match what {
                        0..=3 => Outcome::Proven,
                        4 | 5 => missed(),
                        6 => Outcome::NoServer(because("server")),
                        _ => Outcome::Offline(because("offline")),
                    };
                    if outcome == Outcome::Proven {
                        self.proven = Some(url);
                    }
                    bench.tell(Event::Looked(number, outcome));
                }
            }
            Step::Answer(what) => {
                if let Some(attempt) = self.asked.take() {
                    bench.tell(Event::Asked(
                        attempt,
                        match what {
                            0 => Report::Connected { address: Some(url("a")) },
                            1 => Report::Connected { address: Some(url("b")) },
                            2 => Report::Reconnecting { address: None },
                            _ => Report::Silent,
                        },
                    ));
                }
            }
            Step::Say(what) if self.program => bench.tell(Event::Said(match what {
                0 => Finding::Address(url("a")),
                1 => Finding::Connected,
                2 => Finding::Trouble(because("trouble")),
                3 => Finding::Interface(([127, 0, 0, 1], 1).into()),
                4 => Finding::Held(because("held")),
                _ => Finding::Permanent(because("permanent")),
            })),
            Step::End | Step::Say(_) => {}
            Step::WayOut(way_out) => bench.way_out = *way_out,
            Step::Tell(what) => bench.tell(match what {
                0 => Event::NetworkChanged,
                1 => Event::Offline(true),
                2 => Event::Offline(false),
                3 => Event::InCall(true),
                4 => Event::InCall(false),
                _ => Event::WebhookSeen,
            }),
        }
        self.take(bench);
    }

    /// Everything works from now on: does the tunnel come up?
    fn recovers(&mut self, bench: &mut Bench) -> bool {
        // Longer than any pause there is.
        let end = bench.elapsed + Duration::from_secs(1_500);
        while bench.elapsed < end {
            self.step(bench, &Step::Look(0));
            self.step(bench, &Step::Say(0));
            self.step(bench, &Step::Say(1));
            self.step(bench, &Step::Answer(0));
            if matches!(bench.state(), TunnelState::Up { .. }) {
                return true;
            }
            self.step(bench, &Step::Pass(500));
        }
        false
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn there_is_a_way_out_of_everything(rules in rules(), steps in prop::collection::vec(step(), 0..120)) {
        let mut bench = Bench::new(rules);
        let mut world = World::default();
        world.take(&mut bench);
        for step in &steps {
            world.step(&mut bench, step);
        }
        bench.way_out = true;
        bench.tell(Event::Offline(false));
        world.take(&mut bench);
        // What no repetition cures takes a click; everything else heals by itself.
        if !world.recovers(&mut bench) {
            prop_assert!(matches!(bench.state(), TunnelState::Open { .. }), "{:?}", bench.state());
            bench.tell(Event::Retry);
            world.take(&mut bench);
            prop_assert!(world.recovers(&mut bench), "{:?}", bench.state());
        }
    }

    #[test]
    fn programs_are_not_started_without_end(rules in rules(), steps in prop::collection::vec(step(), 100..600)) {
        let mut bench = Bench::new(rules);
        // The worst luck: no pause at all between failures.
        bench.chance = 0.0;
        let mut world = World::default();
        world.take(&mut bench);
        for step in &steps {
            // Programs end as soon as they begin.
            world.step(&mut bench, &Step::End);
            world.step(&mut bench, step);
        }
        let changes = steps.iter().filter(|step| matches!(step, Step::Tell(0 | 2) | Step::WayOut(true))).count();
        let most = STARTS_AN_HOUR + changes.min(NETWORK_STARTS_AN_HOUR);
        for (n, start) in world.starts.iter().enumerate() {
            let hour = world.starts.iter().skip(n).take_while(|at| **at < *start + Duration::from_secs(3_600));
            prop_assert!(hour.count() <= most, "{:?}", world.starts);
        }
    }
}
