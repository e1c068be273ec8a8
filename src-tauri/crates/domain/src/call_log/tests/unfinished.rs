//! Rows that Twilio is asked about again.

use super::super::{Unfinished, unfinished};
use super::*;
use CallStatus::{Completed, InProgress, NoAnswer, Ringing};

const MINUTE: i64 = 60_000;

fn lacks(call: &Script, minutes: i64) -> Option<Unfinished> {
    unfinished(&call.row(), START + minutes * MINUTE)
}

#[test]
fn a_call_without_an_end_is_asked_about_after_a_quarter_of_an_hour_for_three_days() {
    for call in [
        Script::outgoing().leg(Ringing),
        Script::outgoing().leg(InProgress).sdk(SdkCallEvent::Accepted),
        Script::incoming().waiting(30),
    ] {
        assert_eq!(lacks(&call, 14), None);
        assert_eq!(lacks(&call, 15), Some(Unfinished::End));
        assert_eq!(lacks(&call, 3 * 24 * 60), Some(Unfinished::End));
        assert_eq!(lacks(&call, 3 * 24 * 60 + 1), None);
        assert_eq!(lacks(&call, -5), None, "the clock was set back");
    }
    let unknown = Script::new(CallDirection::Outgoing).sdk(SdkCallEvent::Dialing);
    assert_eq!(lacks(&unknown, 15), None, "there is no leg to ask about");
}

#[test]
fn a_leg_without_an_end_is_asked_about_though_the_call_has_one() {
    // The phone rang in vain; what became of the caller then was not told.
    let rang = Script::incoming().leg(Ringing).leg(NoAnswer);
    assert_eq!(lacks(&rang, 1), None);
    assert_eq!(lacks(&rang, 3), Some(Unfinished::End));
    assert_eq!(lacks(&rang.parent_ended(Completed, Some(30)), 3), None);
    let by_sdk = Script::outgoing().leg(InProgress).sdk(SdkCallEvent::Accepted).sdk(SdkCallEvent::Ended);
    assert_eq!(lacks(&by_sdk, 3), Some(Unfinished::End));
}

#[test]
fn a_conversation_without_its_length_is_asked_about() {
    let call =
        |duration_s| Script::outgoing().leg_with(Completed, duration_s, None).parent_ended(Completed, None);
    assert_eq!(lacks(&call(None), 1), None);
    assert_eq!(lacks(&call(None), 3), Some(Unfinished::Duration));
    assert_eq!(lacks(&call(Some(1)), 3), None);
    let passed_on = Script::incoming().passed_on(Completed, None).parent_ended(Completed, None);
    assert_eq!(lacks(&passed_on, 3), Some(Unfinished::Duration));
    let missed = Script::incoming().leg(NoAnswer).parent_ended(NoAnswer, None);
    assert_eq!(lacks(&missed, 60), None);
}

#[test]
fn a_recording_that_never_became_ready_is_asked_about() {
    let call = Script::outgoing()
        .recording(false, RecordingStatus::InProgress, None)
        .leg_with(Completed, Some(1), None)
        .parent_ended(Completed, Some(2));
    assert_eq!(lacks(&call, 9), None);
    assert_eq!(lacks(&call, 11), Some(Unfinished::Recording));
    assert_eq!(lacks(&call.recording(false, RecordingStatus::Absent, None), 11), None);
}
