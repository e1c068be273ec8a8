//! What must hold for every call, in every order of arrival.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use CallStatus::{Busy, Canceled, Completed, Failed, InProgress, Initiated, NoAnswer, Ringing};

/// How a call of [`story`] goes on after it rings.
#[derive(Debug, Clone, Copy)]
enum Turn {
    AnsweredAndLeft,
    AnsweredAndLost(u32),
    Unanswered(CallStatus),
    HungUp,
    Refused,
    NeverReachedTwilio(u32),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        Just(Turn::AnsweredAndLeft),
        select(vec![31_005, 53_405, 53_001]).prop_map(Turn::AnsweredAndLost),
        select(vec![Busy, NoAnswer, Canceled, Failed]).prop_map(Turn::Unanswered),
        Just(Turn::HungUp),
        Just(Turn::Refused),
        select(vec![31_402, 53_000, 0]).prop_map(Turn::NeverReachedTwilio),
    ]
}

/// A whole call in the order in which things happen.
fn story(direction: CallDirection, turn: Turn, talk_ms: i64) -> Script {
    let new = Script::new(direction);
    let outgoing = direction == CallDirection::Outgoing;
    let begun = if outgoing { new.sdk(SdkCallEvent::Dialing) } else { new };
    match turn {
        Turn::NeverReachedTwilio(code) => return begun.sdk_failed(code).sdk(SdkCallEvent::Ended),
        Turn::Refused => {
            let refused = begun.routed(Some("No outgoing number has been chosen."));
            let refused =
                if outgoing { refused.sdk(SdkCallEvent::Accepted).sdk(SdkCallEvent::Ended) } else { refused };
            return refused.parent_ended(Completed, Some(4));
        }
        Turn::AnsweredAndLeft | Turn::AnsweredAndLost(_) | Turn::Unanswered(_) | Turn::HungUp => {}
    }
    let rings_here = if outgoing { SdkCallEvent::Ringing } else { SdkCallEvent::Incoming };
    let rings = begun.routed(None).leg(Initiated).leg(Ringing).sdk(rings_here);
    let talked_s = u32::try_from(talk_ms / 1000).unwrap();
    match turn {
        Turn::AnsweredAndLeft => rings
            .leg(InProgress)
            .sdk(SdkCallEvent::Accepted)
            .pause(talk_ms)
            .sdk(SdkCallEvent::HungUp)
            .sdk(SdkCallEvent::Ended)
            .leg_with(Completed, Some(talked_s), None)
            .parent_ended(Completed, Some(talked_s + 1)),
        Turn::AnsweredAndLost(code) => rings
            .leg(InProgress)
            .sdk(SdkCallEvent::Accepted)
            .sdk(SdkCallEvent::Reconnecting)
            .pause(talk_ms)
            .sdk_failed(code)
            .leg_with(Completed, Some(talked_s), None)
            .parent_ended(Completed, None),
        Turn::Unanswered(status) => {
            let told =
                if outgoing { rings.sdk_failed(31_005) } else { rings.sdk(SdkCallEvent::CanceledByCaller) };
            told.sdk(SdkCallEvent::Ended).leg(status).parent_ended(Completed, Some(0))
        }
        Turn::HungUp | Turn::Refused | Turn::NeverReachedTwilio(_) => {
            let done = if outgoing { SdkCallEvent::HungUp } else { SdkCallEvent::Declined };
            rings
                .sdk(done)
                .sdk(SdkCallEvent::Ended)
                .leg(if outgoing { Canceled } else { Busy })
                .parent_ended(Canceled, None)
        }
    }
}

fn direction() -> impl Strategy<Value = CallDirection> {
    select(vec![CallDirection::Outgoing, CallDirection::Incoming])
}

fn whole_call() -> impl Strategy<Value = Vec<CallEvent>> {
    (direction(), turn(), 0..600_000_i64)
        .prop_map(|(direction, turn, talk_ms)| story(direction, turn, talk_ms).events)
}

/// Any order, and each event up to three times; a repeat arrives later than the first.
fn shaken(events: Vec<CallEvent>) -> impl Strategy<Value = Vec<CallEvent>> {
    let copies = prop::collection::vec(1..=3_usize, events.len());
    copies
        .prop_map(move |copies| {
            let repeat = |(event, copies): (&CallEvent, usize)| {
                (0..copies).map(|n| later(event, n)).collect::<Vec<_>>()
            };
            events.iter().zip(copies).flat_map(repeat).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

fn later(event: &CallEvent, n: usize) -> CallEvent {
    let mut event = event.clone();
    *event.at_ms_mut() += 1500 * i64::try_from(n).unwrap();
    event
}

/// Events that need not make sense together, of few enough values that they often touch.
fn any_event() -> impl Strategy<Value = CallEvent> {
    let sid = || (1..=3_u8).prop_map(|n| CallSid::from_bytes([n; 16]));
    let time = || (0..8_i64).prop_map(|n| START + n * 700);
    let status = select(vec![
        CallStatus::Queued,
        Initiated,
        Ringing,
        InProgress,
        Completed,
        Busy,
        NoAnswer,
        Canceled,
        Failed,
    ]);
    let role = prop::option::of(select(vec![LegRole::Agent, LegRole::FarEnd]));
    let code = || select(vec![0_u32, 31_005, 31_008, 31_486, 13_227, 39_999]);
    let what = prop_oneof![
        select(vec![
            SdkCallEvent::Dialing,
            SdkCallEvent::Ringing,
            SdkCallEvent::Incoming,
            SdkCallEvent::Accepted,
            SdkCallEvent::Reconnecting,
            SdkCallEvent::HungUp,
            SdkCallEvent::Declined,
            SdkCallEvent::CanceledByCaller,
            SdkCallEvent::Ended,
        ]),
        code().prop_map(|code| SdkCallEvent::Failed { code, message: String::new() }),
    ];
    let peer = || select(vec![String::new(), FAR_NUMBER.to_owned(), "client:other".to_owned()]);
    let refusal = prop::option::of(Just("The phone was not registered.".to_owned()));
    prop_oneof![
        (sid(), direction(), peer(), prop::option::of(peer()), time(), refusal).prop_map(
            |(call_sid, direction, peer, our_number, at_ms, refusal)| CallEvent::Routed {
                call_sid,
                direction,
                peer,
                our_number,
                at_ms,
                refusal
            }
        ),
        (
            (sid(), prop::option::of(sid()), role, status),
            (prop::option::of(0..4_u32), time(), prop::option::of(0..90_u32), prop::option::of(code()))
        )
            .prop_map(
                |((call_sid, parent_call_sid, role, status), (sequence, at_ms, duration_s, error_code))| {
                    CallEvent::LegStatus {
                        call_sid,
                        parent_call_sid,
                        role,
                        status,
                        sequence,
                        at_ms,
                        duration_s,
                        error_code,
                    }
                }
            ),
        (
            direction(),
            prop::option::of(sid()),
            prop::option::of(sid()),
            peer(),
            prop::option::of(peer()),
            what,
            time()
        )
            .prop_map(|(direction, call_sid, parent_call_sid, peer, our_number, what, at_ms)| {
                CallEvent::Sdk { direction, call_sid, parent_call_sid, peer, our_number, what, at_ms }
            }),
    ]
}

fn any_events() -> impl Strategy<Value = Vec<CallEvent>> {
    prop::collection::vec(any_event(), 1..12)
}

/// Twilio's own word that an outgoing call reached nobody, which outweighs the SDK's "accepted".
fn denies_a_conversation(event: &CallEvent) -> bool {
    match event {
        CallEvent::Routed { refusal, .. } => refusal.is_some(),
        CallEvent::LegStatus { status, parent_call_sid, .. } => {
            status.is_final() && parent_call_sid.is_some()
        }
        CallEvent::Dialled { .. }
        | CallEvent::Waiting { .. }
        | CallEvent::LeftQueue { .. }
        | CallEvent::Recording { .. }
        | CallEvent::Transcribed { .. }
        | CallEvent::Conference { .. }
        | CallEvent::Sdk { .. } => false,
    }
}

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(
        (call, shaken) in whole_call().prop_flat_map(|call| (Just(call.clone()), shaken(call)))
    ) {
        prop_assert_eq!(fold(ID, &call), fold(ID, &shaken));
    }

    #[test]
    fn not_even_for_events_that_make_no_sense_together(
        (events, shaken) in any_events().prop_flat_map(|events| (Just(events.clone()), shaken(events)))
    ) {
        prop_assert_eq!(fold(ID, &events), fold(ID, &shaken));
    }

    #[test]
    fn batches_fold_like_the_whole(
        (shaken, cuts) in whole_call().prop_flat_map(shaken).prop_flat_map(|events| {
            let count = events.len();
            (Just(events), prop::collection::vec(0..=count, 0..5))
        })
    ) {
        let mut cuts = cuts;
        cuts.extend([0, shaken.len()]);
        cuts.sort_unstable();
        let mut known = Vec::new();
        for cut in cuts.windows(2) {
            known.extend_from_slice(&shaken[cut[0]..cut[1]]);
            known = distinct(&known);
        }
        prop_assert_eq!(fold(ID, &known), fold(ID, &shaken));
        prop_assert_eq!(distinct(&known), known);
    }

    #[test]
    fn what_is_known_stays_known(events in whole_call().prop_flat_map(shaken)) {
        let mut before: Option<CallLogEntry> = None;
        for count in 1..=events.len() {
            let after = fold(ID, &events[..count]).unwrap();
            prop_assert_eq!(after.ended_at_ms.is_some(), after.outcome.is_some());
            if let Some(before) = before {
                prop_assert!(after.ended_at_ms.is_some() || before.ended_at_ms.is_none(), "un-ended by {:?}", events[count - 1]);
                if before.outcome == Some(CallOutcome::Answered) && after.outcome != Some(CallOutcome::Answered) {
                    prop_assert!(denies_a_conversation(&events[count - 1]), "un-answered by {:?}", events[count - 1]);
                    prop_assert!(before.duration_s.is_some() && after.direction == CallDirection::Outgoing);
                }
                for leg in before.legs.iter().filter(|leg| leg.status.is_final()) {
                    prop_assert!(after.legs.iter().any(|now| now.call_sid == leg.call_sid && now.status.is_final()));
                }
            }
            before = Some(after);
        }
    }

    #[test]
    fn a_conversation_proved_by_twilio_is_never_undone(
        (direction, rest) in (direction(), any_events())
    ) {
        let proved = Script::new(direction).routed(None).leg(InProgress).leg_with(Completed, Some(5), None);
        // A stranger's direction would make it another call.
        let rest = rest.into_iter().filter(|event| match event {
            CallEvent::Routed { direction: theirs, .. } | CallEvent::Sdk { direction: theirs, .. } => *theirs == direction,
            CallEvent::LegStatus { .. }
            | CallEvent::Dialled { .. }
            | CallEvent::Waiting { .. }
            | CallEvent::LeftQueue { .. }
            | CallEvent::Recording { .. }
            | CallEvent::Transcribed { .. }
            | CallEvent::Conference { .. } => true,
        });
        let all: Vec<_> = proved.events.iter().cloned().chain(rest).collect();
        prop_assert_eq!(fold(ID, &all).unwrap().outcome, Some(CallOutcome::Answered));
    }

    #[test]
    fn as_things_happen_an_answer_is_final(
        (direction, turn, talk_ms) in (direction(), turn(), 0..600_000_i64)
    ) {
        let events = story(direction, turn, talk_ms).events;
        let rows: Vec<_> = (1..=events.len()).map(|count| fold(ID, &events[..count]).unwrap()).collect();
        let first_answer = rows.iter().position(|row| row.outcome == Some(CallOutcome::Answered));
        if let Some(first) = first_answer {
            prop_assert!(rows[first..].iter().all(|row| row.outcome == Some(CallOutcome::Answered)));
        }
        let talked = matches!(turn, Turn::AnsweredAndLeft | Turn::AnsweredAndLost(_));
        prop_assert_eq!(first_answer.is_some(), talked);
    }

    #[test]
    fn an_ended_call_is_never_un_ended(events in any_events()) {
        let ended: Vec<_> = (1..=events.len()).map(|count| fold(ID, &events[..count]).unwrap().ended_at_ms.is_some()).collect();
        prop_assert!(ended.is_sorted());
    }

    #[test]
    fn times_run_forward(events in any_events()) {
        let row = fold(ID, &events).unwrap();
        let moments: Vec<_> = [Some(row.started_at_ms), row.answered_at_ms, row.ended_at_ms].into_iter().flatten().collect();
        prop_assert!(moments.is_sorted());
        prop_assert!(row.outcome == Some(CallOutcome::Answered) || row.duration_s.is_none());
    }
}
