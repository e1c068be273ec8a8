//! What must hold for every call, in every order of arrival.

use proptest::prelude::*;
use proptest::sample::select;

use super::stories::{Turn, came_in, direction, outcome_of, turn, turned, unanswered, whole_call};
use super::*;
use CallStatus::{Busy, Canceled, Completed, Failed, InProgress, Initiated, NoAnswer, Ringing};

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
    let peer = || {
        select(vec![
            String::new(),
            FAR_NUMBER.to_owned(),
            "client:other".to_owned(),
            QUEUE_ADDRESS.to_owned(),
        ])
    };
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
        any_later_event(),
    ]
}

/// Events of queue, recordings, conferences and ends of connections.
fn any_later_event() -> impl Strategy<Value = CallEvent> {
    let sid = || (1..=3_u8).prop_map(|n| CallSid::from_bytes([n; 16]));
    let recording = || (1..=2_u8).prop_map(|n| RecordingSid::from_bytes([n; 16]));
    let time = || (0..8_i64).prop_map(|n| START + n * 700);
    let seconds = || prop::option::of(0..90_u32);
    let purpose = select(vec![Purpose::Outgoing, Purpose::Ring, Purpose::Forward, Purpose::TakeNext]);
    let status = select(vec![InProgress, Completed, Busy, NoAnswer, Canceled, Failed]);
    let result =
        select(vec![QueueResult::Bridged, QueueResult::Hangup, QueueResult::Leave, QueueResult::QueueFull]);
    let kept = select(vec![
        RecordingStatus::InProgress,
        RecordingStatus::Completed,
        RecordingStatus::Absent,
        RecordingStatus::Failed,
    ]);
    let what = select(vec!["participant-join", "participant-leave", "conference-end"]);
    prop_oneof![
        (sid(), prop::option::of(sid()), purpose, status, seconds(), time()).prop_map(
            |(call_sid, dialled_sid, purpose, status, duration_s, at_ms)| CallEvent::Dialled {
                call_sid,
                dialled_sid,
                purpose,
                status,
                duration_s,
                at_ms
            }
        ),
        (sid(), 0..90_u32, time()).prop_map(|(call_sid, waited_s, at_ms)| CallEvent::Waiting {
            call_sid,
            waited_s,
            at_ms
        }),
        (sid(), result, seconds(), time()).prop_map(|(call_sid, result, waited_s, at_ms)| {
            CallEvent::LeftQueue { call_sid, result, waited_s, at_ms }
        }),
        (sid(), sid(), seconds(), time()).prop_map(|(call_sid, agent_sid, waited_s, at_ms)| {
            CallEvent::Dequeued { call_sid, agent_sid, waited_s, at_ms }
        }),
        (sid(), recording(), kept, any::<bool>(), seconds(), time()).prop_map(
            |(call_sid, recording_sid, status, message, duration_s, at_ms)| CallEvent::Recording {
                call_sid,
                recording_sid,
                status,
                message,
                duration_s,
                at_ms
            }
        ),
        (sid(), recording(), "[a-b]?", time()).prop_map(|(call_sid, recording_sid, text, at_ms)| {
            CallEvent::Transcribed { call_sid, recording_sid, text, at_ms }
        }),
        (sid(), what, prop::option::of(0..4_u32), time()).prop_map(|(call_sid, what, sequence, at_ms)| {
            CallEvent::Conference {
                call_sid,
                conference_sid: ConferenceSid::from_bytes([6; 16]),
                what: what.into(),
                sequence,
                at_ms,
            }
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
        CallEvent::Dialled { status, .. } => status.is_final() && *status != Completed,
        CallEvent::Waiting { .. }
        | CallEvent::LeftQueue { .. }
        | CallEvent::Dequeued { .. }
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
                // Until the voice webhook came, who called whom was a guess.
                let same_way = before.direction == after.direction;
                let un_answered = before.outcome == Some(CallOutcome::Answered) && after.outcome != before.outcome;
                if un_answered && same_way {
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
            | CallEvent::Dequeued { .. }
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
        let events = turned(direction, turn, talk_ms).events;
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
        let spoke = matches!(row.outcome, Some(CallOutcome::Answered | CallOutcome::Forwarded));
        prop_assert!(spoke || row.duration_s.is_none());
    }

    #[test]
    fn a_call_that_came_in_ends_as_it_went((rang, instead) in unanswered()) {
        let row = came_in(rang, instead).row();
        prop_assert_eq!(row.outcome, Some(outcome_of(instead)));
        prop_assert_eq!((row.direction, row.peer.as_str()), (CallDirection::Incoming, FAR_NUMBER));
    }

    #[test]
    fn what_is_lost_never_makes_the_row_contradict_what_remains(
        ((rang, instead), kept) in (unanswered(), prop::collection::vec(prop::bool::weighted(0.6), 40))
    ) {
        let whole = came_in(rang, instead);
        let remains: Vec<_> =
            whole.events.iter().zip(kept).filter(|(_, kept)| *kept).map(|(event, _)| event.clone()).collect();
        let Some(row) = fold(ID, &remains) else { return Ok(()) };
        let truth = whole.row();
        let said = |test: fn(&CallEvent) -> bool| remains.iter().any(test);
        let was_routed = said(|event| matches!(event, CallEvent::Routed { peer, .. } if peer != QUEUE_ADDRESS));
        if was_routed {
            prop_assert_eq!((row.direction, row.peer.as_str()), (CallDirection::Incoming, FAR_NUMBER));
        }
        prop_assert!(row.waited_s <= truth.waited_s);
        prop_assert!(row.recordings.len() <= truth.recordings.len());
        let spoke = |row: &CallLogEntry| row.outcome == Some(CallOutcome::Answered);
        if was_routed {
            prop_assert!(!spoke(&row) || spoke(&truth), "answered by {:?}", remains);
        }
        let proved = said(|event| matches!(
            event,
            CallEvent::LeftQueue { result: QueueResult::Bridged, .. }
                | CallEvent::Dialled { purpose: Purpose::TakeNext, status: Completed, .. }
        ));
        prop_assert!(!proved || (spoke(&row) && row.ended_at_ms.is_some()), "{:?}", row);
        let passed_on = said(|event| matches!(event, CallEvent::Dialled { purpose: Purpose::Forward, status: Completed, .. }));
        prop_assert!(!passed_on || row.outcome == Some(CallOutcome::Forwarded), "{:?}", row);
        let message = said(|event| matches!(
            event,
            CallEvent::Recording { message: true, status: RecordingStatus::Completed, .. } | CallEvent::Transcribed { .. }
        ));
        prop_assert!(!message || row.outcome == Some(CallOutcome::Voicemail), "{:?}", row);
    }

    #[test]
    fn what_rest_says_makes_up_for_lost_ends(
        ((rang, instead), kept) in (unanswered(), prop::collection::vec(any::<bool>(), 40))
    ) {
        let whole = came_in(rang, instead);
        let truth = whole.row();
        let is_end = |event: &CallEvent| matches!(event, CallEvent::LegStatus { status, .. } if status.is_final());
        let mut remains: Vec<_> =
            whole.events.iter().zip(kept).filter(|(event, kept)| *kept || !is_end(event)).map(|(event, _)| event.clone()).collect();
        // What REST knows is how each leg stands, and nothing of callbacks.
        for leg in &truth.legs {
            let reported = whole.events.iter().rfind(
                |event| matches!(event, CallEvent::LegStatus { call_sid, .. } if *call_sid == leg.call_sid && is_end(event)),
            );
            if let Some(CallEvent::LegStatus { call_sid, parent_call_sid, status, at_ms, duration_s, .. }) = reported.cloned() {
                let (role, sequence, error_code) = (None, None, None);
                remains.push(CallEvent::LegStatus {
                    call_sid, parent_call_sid, role, status, sequence, at_ms, duration_s, error_code
                });
            }
        }
        let row = fold(ID, &remains).unwrap();
        prop_assert_eq!((row.outcome, row.duration_s, row.waited_s), (truth.outcome, truth.duration_s, truth.waited_s));
        prop_assert_eq!(row.ended_at_ms, truth.ended_at_ms);
    }
}
