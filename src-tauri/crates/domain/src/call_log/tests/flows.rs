//! Calls that go through queue, menu, voicemail and on to others.

use super::stories::{Instead, Left, came_in};
use super::*;
use CallStatus::{Busy, Canceled, Completed, Failed, InProgress, NoAnswer};

fn parties(row: &CallLogEntry) -> (CallDirection, &str) {
    (row.direction, row.peer.as_str())
}

const CALLER: (CallDirection, &str) = (CallDirection::Incoming, FAR_NUMBER);

#[test]
fn a_message_makes_a_missed_call_a_voicemail() {
    for rang in [false, true] {
        let call = came_in(rang, Instead::Message { seconds: 12, written: true });
        let row = call.row();
        assert_eq!(row.outcome, Some(CallOutcome::Voicemail), "rang: {rang}");
        assert_eq!(parties(&row), CALLER);
        assert_eq!((row.answered_at_ms, row.duration_s, row.reason.clone()), (None, None, None));
        let expected = Recording {
            recording_sid: recording_sid(),
            message: true,
            status: RecordingStatus::Completed,
            duration_s: Some(12),
            text: Some("Please call me back.".into()),
        };
        assert_eq!(row.recordings, [expected]);
        // The caller's end counts, not that of the ringing.
        let hung_up = call.events.iter().rfind(|event| matches!(event, CallEvent::LegStatus { .. })).unwrap();
        assert_eq!(row.ended_at_ms, Some(hung_up.at_ms()));
    }
}

#[test]
fn a_message_without_sound_is_none() {
    let rang = |script: Script| script.parent_ended(Completed, Some(9)).row();
    for (status, duration_s, outcome) in [
        (RecordingStatus::InProgress, Some(4), CallOutcome::Voicemail),
        (RecordingStatus::Completed, Some(4), CallOutcome::Voicemail),
        (RecordingStatus::Completed, None, CallOutcome::Voicemail),
        (RecordingStatus::Completed, Some(0), CallOutcome::Missed),
        (RecordingStatus::InProgress, None, CallOutcome::Missed),
        (RecordingStatus::Absent, None, CallOutcome::Missed),
        (RecordingStatus::Absent, Some(4), CallOutcome::Missed),
        (RecordingStatus::Failed, Some(4), CallOutcome::Missed),
    ] {
        let row = rang(Script::incoming().recording(true, status, duration_s));
        assert_eq!(row.outcome, Some(outcome), "{status:?} {duration_s:?}");
    }
    let recorded = rang(Script::incoming().recording(false, RecordingStatus::Completed, Some(4)));
    assert_eq!(recorded.outcome, Some(CallOutcome::Missed), "a recording of the call is no message");
}

#[test]
fn who_declined_and_got_a_message_has_a_voicemail() {
    let row = Script::incoming()
        .sdk(SdkCallEvent::Incoming)
        .sdk(SdkCallEvent::Declined)
        .leg(Busy)
        .dialled(Purpose::Ring, Some(child()), Busy, None)
        .recording(true, RecordingStatus::Completed, Some(3))
        .parent_ended(Completed, Some(12))
        .row();
    assert_eq!(row.outcome, Some(CallOutcome::Voicemail));
}

#[test]
fn a_caller_who_was_passed_on_spoke_there_and_not_to_the_agent() {
    for rang in [false, true] {
        let row = came_in(rang, Instead::PassedOn(Completed)).row();
        assert_eq!((row.outcome, row.duration_s), (Some(CallOutcome::Forwarded), Some(20)));
        assert_eq!(row.answered_at_ms, None, "the agent did not answer");
        assert_eq!(parties(&row), CALLER);
        let there = row.legs.iter().find(|leg| leg.call_sid == elsewhere()).unwrap();
        assert_eq!((there.role, there.status), (Some(LegRole::FarEnd), Completed));
    }
    for status in [Busy, NoAnswer, Failed] {
        assert_eq!(came_in(true, Instead::PassedOn(status)).row().outcome, Some(CallOutcome::Voicemail));
    }
    // Each of the two witnesses is enough.
    let by_leg = Script::incoming().passed_on(Completed, Some(8)).row();
    let by_action = Script::incoming().dialled(Purpose::Forward, Some(elsewhere()), Completed, Some(8)).row();
    for row in [by_leg, by_action] {
        assert_eq!((row.outcome, row.duration_s), (Some(CallOutcome::Forwarded), Some(8)));
        assert!(row.ended_at_ms.is_some());
    }
}

#[test]
fn a_forward_that_failed_says_why() {
    let row = Script::incoming()
        .push(CallEvent::LegStatus {
            call_sid: elsewhere(),
            parent_call_sid: Some(parent()),
            role: Some(LegRole::FarEnd),
            status: Failed,
            sequence: Some(0),
            at_ms: START,
            duration_s: None,
            error_code: Some(13_224),
        })
        .parent_ended(Completed, Some(3))
        .row();
    assert_eq!((row.outcome, row.error_code), (Some(CallOutcome::Missed), Some(13_224)));
}

#[test]
fn a_caller_who_gave_up_waiting_is_missed_after_so_long() {
    let call = came_in(false, Instead::QueueThen(Left::HungUp));
    let row = call.row();
    assert_eq!((row.outcome, row.waited_s), (Some(CallOutcome::Missed), Some(33)));
    assert_eq!(parties(&row), CALLER);
    let waiting = Script::incoming().waiting(0).pause(29_000).waiting(30).row();
    assert_eq!((waiting.ended_at_ms, waiting.outcome, waiting.waited_s), (None, None, Some(30)));
    // The status callback alone ends it, too.
    let row = Script::incoming().waiting(30).parent_ended(Completed, Some(31)).row();
    assert_eq!((row.outcome, row.waited_s), (Some(CallOutcome::Missed), Some(30)));
}

#[test]
fn a_caller_who_gave_up_on_the_menu_is_missed() {
    assert_eq!(came_in(false, Instead::Nothing).row().outcome, Some(CallOutcome::Missed));
}

#[test]
fn a_caller_taken_out_of_the_queue_and_the_agents_own_leg_are_one_answered_call() {
    let row = came_in(false, Instead::QueueThen(Left::Taken)).row();
    assert_eq!(parties(&row), CALLER);
    assert_eq!(
        (row.outcome, row.duration_s, row.waited_s),
        (Some(CallOutcome::Answered), Some(40), Some(33))
    );
    assert!(row.answered_at_ms > Some(row.started_at_ms + 30_000));
    let roles: Vec<_> = row.legs.iter().map(|leg| (leg.call_sid.clone(), leg.role)).collect();
    assert_eq!(roles, [(parent(), Some(LegRole::FarEnd)), (taker(), Some(LegRole::Agent))]);
}

#[test]
fn who_is_taken_out_of_the_queue_is_known_while_the_two_speak() {
    let begun = Script::incoming().routed(None).waiting(0).pause(33_000);
    let taken = begun.taker_sdk(SdkCallEvent::Dialing).takes_next().dequeued(33);
    let row = taken.row();
    assert_eq!((parties(&row), row.waited_s, row.ended_at_ms), (CALLER, Some(33), None));
    let roles: Vec<_> = row.legs.iter().map(|leg| (leg.call_sid.clone(), leg.role)).collect();
    assert_eq!(roles, [(parent(), Some(LegRole::FarEnd)), (taker(), Some(LegRole::Agent))]);
    // Who hangs up in that moment has spoken to nobody.
    let gone = taken.left_queue(QueueResult::Hangup, 33).parent_ended(Completed, Some(34)).row();
    assert_eq!((parties(&gone), gone.outcome), (CALLER, Some(CallOutcome::Missed)));
}

#[test]
fn where_the_two_rows_are_not_joined_each_says_what_it_knows() {
    let apart = |event: &CallEvent| match event {
        CallEvent::Dialled { .. } | CallEvent::Dequeued { .. } => false,
        CallEvent::Routed { peer, .. } | CallEvent::Sdk { peer, .. } => peer != QUEUE_ADDRESS,
        CallEvent::LegStatus { call_sid, .. } => *call_sid == parent(),
        CallEvent::Waiting { .. }
        | CallEvent::LeftQueue { .. }
        | CallEvent::Recording { .. }
        | CallEvent::Transcribed { .. }
        | CallEvent::Conference { .. } => true,
    };
    let all = came_in(false, Instead::QueueThen(Left::Taken)).events;
    let callers: Vec<_> = all.iter().filter(|event| apart(event)).cloned().collect();
    let row = fold(ID, &callers).unwrap();
    assert_eq!((parties(&row), row.outcome, row.waited_s), (CALLER, Some(CallOutcome::Answered), Some(33)));
    assert!((38..=48).contains(&row.duration_s.unwrap()), "from the queue to its end: {:?}", row.duration_s);

    let joins = |event: &CallEvent| matches!(event, CallEvent::Dequeued { .. });
    let mut agents: Vec<_> = all.iter().filter(|event| !apart(event) && !joins(event)).cloned().collect();
    for event in &mut agents {
        if let CallEvent::Dialled { dialled_sid, .. } = event {
            *dialled_sid = None;
        }
    }
    let row = fold(ID, &agents).unwrap();
    assert_eq!(parties(&row), (CallDirection::Outgoing, QUEUE_ADDRESS));
    assert_eq!((row.outcome, row.duration_s), (Some(CallOutcome::Answered), Some(40)));
}

#[test]
fn an_empty_queue_is_told_as_such() {
    for status in [NoAnswer, Failed] {
        let row = Script::new(CallDirection::Outgoing)
            .taker_sdk(SdkCallEvent::Dialing)
            .takes_next()
            .dialled(Purpose::TakeNext, None, status, None)
            .taker_sdk(SdkCallEvent::Accepted)
            .taker_sdk(SdkCallEvent::Ended)
            .row();
        let outcome = if status == NoAnswer { CallOutcome::NoAnswer } else { CallOutcome::Failed };
        assert_eq!(row.outcome, Some(outcome), "what the agent heard was an announcement");
        let nobody = row.reason.as_deref() == Some("Nobody was waiting.");
        assert!(row.reason.is_some() && nobody == (status == NoAnswer), "{:?}", row.reason);
        assert_eq!(parties(&row), (CallDirection::Outgoing, QUEUE_ADDRESS));
    }
}

#[test]
fn the_end_of_a_connection_stands_in_for_lost_callbacks() {
    let row =
        Script::outgoing().pause(9_000).dialled(Purpose::Outgoing, Some(child()), Completed, Some(7)).row();
    assert_eq!((row.outcome, row.duration_s), (Some(CallOutcome::Answered), Some(7)));
    assert_eq!(row.ended_at_ms, Some(START + 11_000));
    assert_eq!(row.answered_at_ms, Some(START + 4_000));
    let roles: Vec<_> = row.legs.iter().map(|leg| (leg.call_sid.clone(), leg.role, leg.status)).collect();
    assert_eq!(roles[1], (child(), Some(LegRole::FarEnd), Completed));
    for (status, outcome) in [
        (Busy, CallOutcome::Busy),
        (NoAnswer, CallOutcome::NoAnswer),
        (Failed, CallOutcome::Failed),
        (Canceled, CallOutcome::Canceled),
    ] {
        for sid in [Some(child()), None] {
            let row = Script::outgoing().dialled(Purpose::Outgoing, sid.clone(), status, None).row();
            assert_eq!(row.outcome, Some(outcome), "{status:?} {sid:?}");
        }
    }
    let row = Script::incoming().dialled(Purpose::Ring, Some(child()), Busy, None).row();
    assert_eq!(row.outcome, Some(CallOutcome::Declined));
    // Alone, it still tells who called whom.
    let alone =
        |purpose| Script::new(CallDirection::Incoming).dialled(purpose, None, NoAnswer, None).row().direction;
    assert_eq!(alone(Purpose::Ring), CallDirection::Incoming);
    assert_eq!(alone(Purpose::Forward), CallDirection::Incoming);
    assert_eq!(alone(Purpose::Outgoing), CallDirection::Outgoing);
}

#[test]
fn the_leg_in_a_conference_is_up() {
    let row = Script::outgoing()
        .conference(child(), "participant-join")
        .pause(5_000)
        .conference(child(), "participant-leave")
        .parent_ended(Completed, Some(8))
        .row();
    // Nothing else says whose leg it was but the parent's role by its first request.
    assert_eq!(row.legs.len(), 2);
    let row = Script::outgoing().leg(CallStatus::Ringing).conference(child(), "participant-join").row();
    assert_eq!(row.legs[1].status, CallStatus::Ringing, "a callback with a number outranks it");
    assert!(row.answered_at_ms.is_some());
}

#[test]
fn what_rest_says_completes_a_row_that_lost_its_end() {
    let lost = Script::outgoing().leg(CallStatus::Ringing).leg(InProgress);
    assert_eq!(lost.row().ended_at_ms, None);
    let rest = |call_sid, parent_call_sid, status, duration_s| CallEvent::LegStatus {
        call_sid,
        parent_call_sid,
        role: None,
        status,
        sequence: None,
        at_ms: START + 60_000,
        duration_s,
        error_code: None,
    };
    let row = lost
        .push(rest(child(), Some(parent()), Completed, Some(42)))
        .push(rest(parent(), None, Completed, Some(50)))
        .row();
    assert_eq!((row.outcome, row.duration_s), (Some(CallOutcome::Answered), Some(42)));
    assert_eq!(row.ended_at_ms, Some(START + 60_000));
    let row = Script::incoming().push(rest(parent(), None, NoAnswer, None)).row();
    assert_eq!(row.outcome, Some(CallOutcome::Missed));
}

#[test]
fn a_recording_is_ready_for_good() {
    let row = Script::outgoing()
        .recording(false, RecordingStatus::Completed, Some(8))
        .recording(false, RecordingStatus::InProgress, None)
        .row();
    assert_eq!(
        (row.recordings[0].status, row.recordings[0].duration_s),
        (RecordingStatus::Completed, Some(8))
    );
    let row = Script::incoming().transcribed("Hello.").row();
    assert_eq!(row.recordings[0].text.as_deref(), Some("Hello."));
    assert!(row.recordings[0].message, "only messages are written down");
}
