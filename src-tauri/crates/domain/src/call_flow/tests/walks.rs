//! Callers of every kind, walked through rules of every kind until their call is over.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::incoming::tests::{any_rules, mended};

/// What the world does at one step: how things stand with the agent, and what the caller does.
#[derive(Debug, Clone)]
struct Step {
    reachable: bool,
    busy: bool,
    do_not_disturb: bool,
    waiting: u32,
    minute: u16,
    status: CallStatus,
    key: Option<MenuKey>,
    waits_s: u32,
    stays: bool,
    result: QueueResult,
}

fn any_step() -> impl Strategy<Value = Step> {
    let status = select(vec![
        CallStatus::Completed,
        CallStatus::InProgress,
        CallStatus::Busy,
        CallStatus::NoAnswer,
        CallStatus::NoAnswer,
        CallStatus::Canceled,
        CallStatus::Failed,
    ]);
    let result = select(vec![
        QueueResult::Bridged,
        QueueResult::BridgingInProcess,
        QueueResult::Error,
        QueueResult::Hangup,
        QueueResult::Leave,
        QueueResult::Redirected,
        QueueResult::RedirectedFromBridged,
        QueueResult::QueueFull,
        QueueResult::SystemError,
    ]);
    let key =
        prop::option::of((0..10_u32).prop_map(|n| MenuKey::of(char::from_digit(n, 10).unwrap()).unwrap()));
    (
        (any::<bool>(), any::<bool>(), any::<bool>(), 0..4_u32, 0..1440_u16),
        (status, key, 1..90_u32, prop::bool::weighted(0.8), result),
    )
        .prop_map(
            |((reachable, busy, do_not_disturb, waiting, minute), (status, key, waits_s, stays, result))| {
                Step { reachable, busy, do_not_disturb, waiting, minute, status, key, waits_s, stays, result }
            },
        )
}

impl Step {
    fn situation(&self) -> Situation {
        let now = situation();
        Situation {
            agents: Agents::One { identity: identity(), reachable: self.reachable },
            busy: self.busy,
            do_not_disturb: self.do_not_disturb,
            waiting: self.waiting,
            local: LocalMoment { minute: self.minute, ..now.local },
            ..now
        }
    }

    /// What Twilio reports when `instruction` is done; `None` once the call is over. `waited_s` is how long
    /// the caller has been in the queue.
    fn happens(&self, instruction: &Instruction, waited_s: &mut u32) -> Option<Happened> {
        Some(match instruction {
            Instruction::Connect(connect) => dialled(connect.purpose, self.status),
            Instruction::Menu { place, .. } => Happened::Pressed { place: place.clone(), key: self.key },
            Instruction::Voicemail { .. } => Happened::MessageTaken,
            Instruction::Enqueue { .. } | Instruction::Wait { .. } if self.stays => {
                *waited_s += self.waits_s;
                Happened::Waiting { position: self.waiting + 1, waited_s: *waited_s }
            }
            Instruction::Enqueue { .. } | Instruction::Wait { .. } => {
                Happened::LeftQueue { result: self.result }
            }
            Instruction::LeaveQueue => Happened::LeftQueue { result: QueueResult::Leave },
            Instruction::Tell { .. }
            | Instruction::Decline
            | Instruction::HangUp
            | Instruction::Refuse { .. }
            | Instruction::TurnAway { .. } => return None,
        })
    }
}

fn any_caller() -> impl Strategy<Value = VoiceQuery> {
    select(vec![CALLER, "", "+266696687", "sip:desk@example.com", OURS]).prop_map(|from| query(from, OURS))
}

/// The most that can follow one another without a wait in the queue: five pages with five attempts each,
/// then the phone, a forward, the queue's entrance and exit, a message, the end.
const MOST_STEPS: usize = 5 * 5 + 8;

/// Walks a caller through and answers with every instruction and the step it was given at; `None` if the
/// call did not end.
fn walk(caller: &VoiceQuery, rules: &Rules, steps: &[Step]) -> Option<Vec<(Instruction, usize)>> {
    let mut walked = Vec::new();
    let mut waited_s = 0;
    let mut instruction = begin(caller, rules, &steps[0].situation());
    for at in 1.. {
        walked.push((instruction.clone(), at - 1));
        let step = &steps[at % steps.len()];
        let Some(happened) = steps[(at - 1) % steps.len()].happens(&instruction, &mut waited_s) else {
            return Some(walked);
        };
        instruction = go_on(caller, &happened, rules, &step.situation());
        let waits = walked.iter().filter(|(walked, _)| matches!(walked, Instruction::Wait { .. })).count();
        if walked.len() - waits > MOST_STEPS || waits > 600 {
            return None;
        }
    }
    None
}

fn ends(walked: &[(Instruction, usize)]) -> usize {
    walked.iter().filter(|(instruction, _)| matches!(instruction, Instruction::Connect(_))).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_call_comes_to_an_end(
        caller in any_caller(), incoming in any_rules(), steps in prop::collection::vec(any_step(), 1..30)
    ) {
        let rules = Rules { incoming: mended(incoming), ..Rules::default() };
        let walked = walk(&caller, &rules, &steps);
        prop_assert!(walked.is_some(), "no end in {} steps", MOST_STEPS);
        // The phone rings once at most, and a caller is passed on once at most.
        prop_assert!(ends(&walked.unwrap()) <= 2);
    }

    #[test]
    fn even_with_rules_that_should_not_have_been_kept(
        caller in any_caller(), incoming in any_rules(), steps in prop::collection::vec(any_step(), 1..30)
    ) {
        let rules = Rules { incoming, ..Rules::default() };
        prop_assert!(walk(&caller, &rules, &steps).is_some());
    }

    #[test]
    fn the_phone_rings_only_where_it_can_be_answered(
        caller in any_caller(), incoming in any_rules(), steps in prop::collection::vec(any_step(), 1..30)
    ) {
        let rules = Rules { incoming, ..Rules::default() };
        for (instruction, at) in walk(&caller, &rules, &steps).unwrap_or_default() {
            let step = &steps[at % steps.len()];
            match instruction {
                Instruction::Connect(connect) if connect.purpose == Purpose::Ring => {
                    prop_assert!(step.reachable && !step.busy && !step.do_not_disturb);
                    prop_assert_eq!(connect.to, vec![Destination::Client(identity())]);
                }
                Instruction::Connect(connect) => {
                    prop_assert_eq!(connect.purpose, Purpose::Forward, "callers never dial out");
                    prop_assert!(connect.caller_id.is_some() || caller.from.starts_with("+120255"));
                }
                Instruction::Enqueue { .. } => prop_assert!(step.waiting < rules.incoming.queue.most_waiting),
                Instruction::Refuse { .. } | Instruction::TurnAway { .. } => prop_assert!(false, "a caller is refused"),
                Instruction::Menu { .. }
                | Instruction::Voicemail { .. }
                | Instruction::Wait { .. }
                | Instruction::LeaveQueue
                | Instruction::Tell { .. }
                | Instruction::Decline
                | Instruction::HangUp => {}
            }
        }
    }

    #[test]
    fn nobody_is_declined_who_was_answered(
        caller in any_caller(), incoming in any_rules(), steps in prop::collection::vec(any_step(), 1..30)
    ) {
        let rules = Rules { incoming, ..Rules::default() };
        let walked = walk(&caller, &rules, &steps).unwrap_or_default();
        for pair in walked.windows(2) {
            let [(before, _), (after, _)] = pair else { continue };
            let spoken_to = matches!(before, Instruction::Menu { .. } | Instruction::Wait { .. } | Instruction::LeaveQueue);
            prop_assert!(!(spoken_to && *after == Instruction::Decline));
        }
    }
}
