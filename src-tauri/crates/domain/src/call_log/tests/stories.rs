//! Whole calls of every flow, in the order in which things happen.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use CallStatus::{Busy, Canceled, Completed, Failed, InProgress, Initiated, NoAnswer, Ringing};

/// How a call of [`turned`] goes on after it rings.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turn {
    AnsweredAndLeft,
    AnsweredAndLost(u32),
    Unanswered(CallStatus),
    HungUp,
    Refused,
    NeverReachedTwilio(u32),
}

pub(super) fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        Just(Turn::AnsweredAndLeft),
        select(vec![31_005, 53_405, 53_001]).prop_map(Turn::AnsweredAndLost),
        select(vec![Busy, NoAnswer, Canceled, Failed]).prop_map(Turn::Unanswered),
        Just(Turn::HungUp),
        Just(Turn::Refused),
        select(vec![31_402, 53_000, 0]).prop_map(Turn::NeverReachedTwilio),
    ]
}

pub(super) fn direction() -> impl Strategy<Value = CallDirection> {
    select(vec![CallDirection::Outgoing, CallDirection::Incoming])
}

/// A call between the agent and one other party.
pub(super) fn turned(direction: CallDirection, turn: Turn, talk_ms: i64) -> Script {
    let new = Script::new(direction);
    let outgoing = direction == CallDirection::Outgoing;
    let purpose = if outgoing { Purpose::Outgoing } else { Purpose::Ring };
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
            .recording(false, RecordingStatus::InProgress, None)
            .pause(talk_ms)
            .sdk(SdkCallEvent::HungUp)
            .sdk(SdkCallEvent::Ended)
            .leg_with(Completed, Some(talked_s), None)
            .dialled(purpose, Some(child()), Completed, Some(talked_s))
            .parent_ended(Completed, Some(talked_s + 1))
            .recording(false, RecordingStatus::Completed, Some(talked_s)),
        Turn::AnsweredAndLost(code) => rings
            .leg(InProgress)
            .sdk(SdkCallEvent::Accepted)
            .conference(child(), "participant-join")
            .conference(parent(), "participant-join")
            .sdk(SdkCallEvent::Reconnecting)
            .pause(talk_ms)
            .sdk_failed(code)
            .conference(child(), "participant-leave")
            .leg_with(Completed, Some(talked_s), None)
            .parent_ended(Completed, None),
        Turn::Unanswered(status) => {
            let told =
                if outgoing { rings.sdk_failed(31_005) } else { rings.sdk(SdkCallEvent::CanceledByCaller) };
            told.sdk(SdkCallEvent::Ended)
                .leg(status)
                .dialled(purpose, Some(child()), status, None)
                .parent_ended(Completed, Some(0))
        }
        Turn::HungUp | Turn::Refused | Turn::NeverReachedTwilio(_) => {
            let done = if outgoing { SdkCallEvent::HungUp } else { SdkCallEvent::Declined };
            let status = if outgoing { Canceled } else { Busy };
            rings
                .sdk(done)
                .sdk(SdkCallEvent::Ended)
                .leg(status)
                .dialled(purpose, Some(child()), status, None)
                .parent_ended(Canceled, None)
        }
    }
}

/// What a caller gets when the agent does not take the call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Instead {
    Nothing,
    Message { seconds: u32, written: bool },
    NoMessage,
    PassedOn(CallStatus),
    QueueThen(Left),
}

/// How a caller leaves the queue.
#[derive(Debug, Clone, Copy)]
pub(super) enum Left {
    HungUp,
    Taken,
    Overflow,
}

fn message(script: Script, seconds: u32, written: bool) -> Script {
    let taken = script
        .pause(i64::from(seconds) * 1000)
        .recording(true, RecordingStatus::InProgress, Some(seconds))
        .parent_ended(Completed, Some(seconds + 9))
        .recording(true, RecordingStatus::Completed, Some(seconds));
    if written { taken.transcribed("Please call me back.") } else { taken }
}

/// A call from outside that the agent does not answer at first: `rang` says whether the phone rang before.
pub(super) fn came_in(rang: bool, instead: Instead) -> Script {
    let begun = Script::incoming();
    let begun = if rang {
        begun
            .leg(Initiated)
            .leg(Ringing)
            .sdk(SdkCallEvent::Incoming)
            .sdk(SdkCallEvent::CanceledByCaller)
            .sdk(SdkCallEvent::Ended)
            .leg(NoAnswer)
            .dialled(Purpose::Ring, Some(child()), NoAnswer, None)
    } else {
        begun
    };
    match instead {
        Instead::Nothing => begun.parent_ended(Completed, Some(7)),
        Instead::Message { seconds, written } => message(begun, seconds, written),
        Instead::NoMessage => {
            begun.parent_ended(Completed, Some(8)).recording(true, RecordingStatus::Absent, None)
        }
        Instead::PassedOn(Completed) => begun
            .passed_on(Initiated, None)
            .passed_on(Ringing, None)
            .passed_on(InProgress, None)
            .pause(20_000)
            .passed_on(Completed, Some(20))
            .dialled(Purpose::Forward, Some(elsewhere()), Completed, Some(20))
            .parent_ended(Completed, Some(21)),
        Instead::PassedOn(status) => message(
            begun.passed_on(Initiated, None).passed_on(status, None).dialled(
                Purpose::Forward,
                Some(elsewhere()),
                status,
                None,
            ),
            6,
            false,
        ),
        Instead::QueueThen(left) => {
            let waits = begun.waiting(0).pause(29_000).waiting(30);
            match left {
                Left::HungUp => waits.left_queue(QueueResult::Hangup, 33).parent_ended(Completed, Some(34)),
                Left::Overflow => message(waits.left_queue(QueueResult::Leave, 35), 8, true),
                Left::Taken => waits
                    .taker_sdk(SdkCallEvent::Dialing)
                    .takes_next()
                    .dequeued(33)
                    .taker_sdk(SdkCallEvent::Accepted)
                    .pause(40_000)
                    .taker_sdk(SdkCallEvent::HungUp)
                    .taker_sdk(SdkCallEvent::Ended)
                    .dialled(Purpose::TakeNext, Some(parent()), Completed, Some(40))
                    .left_queue(QueueResult::Bridged, 33)
                    .other_leg((taker(), None), Some(LegRole::Agent), Completed, Some(43))
                    .parent_ended(Completed, Some(76)),
            }
        }
    }
}

pub(super) fn instead() -> impl Strategy<Value = Instead> {
    prop_oneof![
        Just(Instead::Nothing),
        (1..120_u32, any::<bool>()).prop_map(|(seconds, written)| Instead::Message { seconds, written }),
        Just(Instead::NoMessage),
        select(vec![Completed, Busy, NoAnswer, Failed]).prop_map(Instead::PassedOn),
        select(vec![Left::HungUp, Left::Taken, Left::Overflow]).prop_map(Instead::QueueThen),
    ]
}

/// How a call of [`came_in`] ends.
pub(super) fn outcome_of(instead: Instead) -> CallOutcome {
    match instead {
        Instead::Nothing | Instead::NoMessage | Instead::QueueThen(Left::HungUp) => CallOutcome::Missed,
        Instead::PassedOn(Completed) => CallOutcome::Forwarded,
        Instead::QueueThen(Left::Taken) => CallOutcome::Answered,
        Instead::Message { .. } | Instead::PassedOn(_) | Instead::QueueThen(Left::Overflow) => {
            CallOutcome::Voicemail
        }
    }
}

pub(super) fn unanswered() -> impl Strategy<Value = (bool, Instead)> {
    (any::<bool>(), instead())
}

/// Any whole call.
pub(super) fn whole_call() -> impl Strategy<Value = Vec<CallEvent>> {
    let empty_queue = Script::new(CallDirection::Outgoing)
        .taker_sdk(SdkCallEvent::Dialing)
        .takes_next()
        .dialled(Purpose::TakeNext, None, NoAnswer, None)
        .taker_sdk(SdkCallEvent::Accepted)
        .taker_sdk(SdkCallEvent::Ended);
    prop_oneof![
        4 => (direction(), turn(), 0..600_000_i64)
            .prop_map(|(direction, turn, talk_ms)| turned(direction, turn, talk_ms).events),
        4 => unanswered().prop_map(|(rang, instead)| came_in(rang, instead).events),
        1 => Just(empty_queue.events),
    ]
}
