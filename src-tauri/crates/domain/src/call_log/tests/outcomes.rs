//! One call after another, as Twilio and the SDK report them.

use super::*;
use CallStatus::{Busy, Canceled, Completed, Failed, InProgress, Initiated, NoAnswer, Ringing};

/// An outgoing call whose far end rings: six seconds after its start.
fn ringing_out() -> Script {
    Script::outgoing().leg(Initiated).sdk(SdkCallEvent::Ringing).leg(Ringing)
}

/// An incoming call that rings here: four seconds after its start.
fn ringing_in() -> Script {
    Script::incoming().leg(Initiated).leg(Ringing).sdk(SdkCallEvent::Incoming)
}

fn outcome(script: &Script) -> Option<CallOutcome> {
    script.row().outcome
}

#[test]
fn nothing_known_is_no_row() {
    assert_eq!(fold(ID, &[]), None);
}

#[test]
fn an_outgoing_call_that_was_answered() {
    let call = ringing_out().leg(InProgress).sdk(SdkCallEvent::Accepted);
    let row = call.row();
    assert_eq!(row.peer, FAR_NUMBER);
    assert_eq!(row.our_number.as_deref(), Some("+12025550100"));
    assert_eq!(row.started_at_ms, START);
    assert_eq!(row.answered_at_ms, Some(START + 6000), "both legs are up when the later of the two is");
    assert_eq!((row.ended_at_ms, row.outcome, row.duration_s), (None, None, None));

    let call = call.pause(60_000).sdk(SdkCallEvent::HungUp).sdk(SdkCallEvent::Ended);
    let row = call.row();
    assert_eq!(row.ended_at_ms, Some(START + 68_000));
    assert_eq!(row.outcome, Some(CallOutcome::Answered));
    assert_eq!(row.duration_s, Some(62), "by our own clock until Twilio tells");
    assert_eq!((row.reason.as_deref(), row.error_code), (None, None));

    let row = call.leg_with(Completed, Some(59), None).parent_ended(Completed, Some(70)).row();
    assert_eq!(row.duration_s, Some(59), "Twilio's CallDuration of the far leg wins");
    assert_eq!(row.ended_at_ms, Some(START + 68_000), "our own clock still tells the end");
    let legs: Vec<_> = row.legs.iter().map(|leg| (leg.call_sid.clone(), leg.role, leg.status)).collect();
    assert_eq!(
        legs,
        [(parent(), Some(LegRole::Agent), Completed), (child(), Some(LegRole::FarEnd), Completed)],
        "parent first"
    );
}

#[test]
fn twilio_alone_tells_a_whole_call() {
    let row = Script::new(CallDirection::Outgoing)
        .leg(Initiated)
        .leg(Ringing)
        .leg(InProgress)
        .pause(9000)
        .leg_with(Completed, Some(10), None)
        .row();
    assert_eq!(row.direction, CallDirection::Outgoing, "a far leg with a parent was dialled for the agent");
    assert_eq!(row.outcome, Some(CallOutcome::Answered));
    assert_eq!((row.answered_at_ms, row.ended_at_ms), (Some(START + 2000), Some(START + 12_000)));
    assert_eq!(row.duration_s, Some(10));
    assert_eq!(row.peer, "", "nobody told who it was");
}

#[test]
fn the_last_callback_alone_still_tells_the_conversation() {
    let row = Script::new(CallDirection::Outgoing).pause(30_000).leg_with(Completed, Some(10), None).row();
    assert_eq!(row.outcome, Some(CallOutcome::Answered));
    assert_eq!(row.duration_s, Some(10));
    assert_eq!(row.ended_at_ms, Some(START + 30_000));
    assert!(row.answered_at_ms.unwrap() >= row.started_at_ms);
}

#[test]
fn the_sdk_alone_tells_a_whole_call() {
    let row = Script::new(CallDirection::Outgoing)
        .sdk(SdkCallEvent::Dialing)
        .sdk(SdkCallEvent::Ringing)
        .sdk(SdkCallEvent::Accepted)
        .pause(4000)
        .sdk(SdkCallEvent::Ended)
        .row();
    assert_eq!((row.outcome, row.duration_s), (Some(CallOutcome::Answered), Some(5)));
}

#[test]
fn busy_no_answer_and_failed_are_told_by_the_far_leg_not_by_the_sdks_generic_error() {
    for (status, expected) in
        [(Busy, CallOutcome::Busy), (NoAnswer, CallOutcome::NoAnswer), (Failed, CallOutcome::Failed)]
    {
        let call = ringing_out().sdk_failed(31_005).sdk(SdkCallEvent::Ended).leg(status);
        let row = call.parent_ended(Completed, Some(0)).row();
        assert_eq!(row.outcome, Some(expected), "{status:?}");
        assert_eq!(row.error_code, None, "{status:?}");
        assert_eq!((row.answered_at_ms, row.duration_s), (None, None), "{status:?}");
        assert_eq!(row.reason.is_some(), status == Failed, "{status:?}");
    }
}

#[test]
fn a_parent_that_completed_without_an_answered_child_is_not_answered() {
    for status in [Busy, NoAnswer, Canceled, Failed] {
        let row = Script::outgoing().leg(status).parent_ended(Completed, Some(12)).row();
        assert_ne!(row.outcome, Some(CallOutcome::Answered), "{status:?}");
        assert_eq!(row.duration_s, None);
    }
    let row = Script::outgoing().parent_ended(Completed, Some(12)).row();
    assert_eq!(row.outcome, Some(CallOutcome::Failed));
    assert!(row.reason.unwrap().contains("before it was connected"));
    // An announcement after the busy tone answers the agent's leg, not the far end.
    let row = Script::outgoing().leg(Busy).sdk(SdkCallEvent::Accepted).sdk(SdkCallEvent::Ended).row();
    assert_eq!((row.outcome, row.answered_at_ms), (Some(CallOutcome::Busy), None));
}

#[test]
fn hanging_up_before_an_answer_cancels_whatever_twilio_calls_it() {
    for status in [NoAnswer, Canceled] {
        let row = ringing_out().sdk(SdkCallEvent::HungUp).sdk(SdkCallEvent::Ended).leg(status).row();
        assert_eq!((row.outcome, row.reason), (Some(CallOutcome::Canceled), None), "{status:?}");
    }
    assert_eq!(outcome(&ringing_out().sdk(SdkCallEvent::HungUp)), Some(CallOutcome::Canceled));
    assert_eq!(
        outcome(&ringing_out().leg(Busy).sdk(SdkCallEvent::HungUp)),
        Some(CallOutcome::Busy),
        "it was busy before the agent hung up"
    );
}

#[test]
fn a_refusal_says_why() {
    let refused = Script::new(CallDirection::Outgoing)
        .sdk(SdkCallEvent::Dialing)
        .routed(Some("No caller id has been chosen; choose one on the Account page."))
        .sdk(SdkCallEvent::Accepted)
        .sdk(SdkCallEvent::Ended)
        .parent_ended(Completed, Some(3));
    let row = refused.row();
    assert_eq!(row.outcome, Some(CallOutcome::Failed), "the agent heard an announcement, not a person");
    assert_eq!(row.reason.as_deref(), Some("No caller id has been chosen; choose one on the Account page."));

    // Twilio asked again and was answered otherwise.
    let row = Script::new(CallDirection::Outgoing)
        .routed(Some("The phone was starting."))
        .routed(None)
        .leg(InProgress)
        .leg_with(Completed, Some(4), None)
        .row();
    assert_eq!((row.outcome, row.reason), (Some(CallOutcome::Answered), None));
}

#[test]
fn the_sdk_gives_the_reason_where_twilio_never_knew_the_call() {
    let lost = Script::new(CallDirection::Outgoing).sdk(SdkCallEvent::Dialing);
    let row = lost.sdk_failed(31_402).row();
    assert_eq!((row.outcome, row.error_code), (Some(CallOutcome::Failed), Some(31_402)));
    assert_eq!(row.reason.as_deref(), reason::for_code(31_402));
    assert_eq!(row.ended_at_ms, Some(START + 1000), "nothing follows a failed connect");

    let row = Script::new(CallDirection::Outgoing).sdk(SdkCallEvent::Dialing).sdk_failed(0).row();
    assert_eq!((row.reason.as_deref(), row.error_code), (Some("The SDK said 0."), None));

    let row = Script::new(CallDirection::Outgoing).sdk(SdkCallEvent::Dialing).sdk_failed(39_999).row();
    assert_eq!((row.reason.as_deref(), row.error_code), (Some("The SDK said 39999."), Some(39_999)));
}

#[test]
fn precise_sdk_errors_speak_where_the_far_leg_was_not_reported() {
    for (code, expected) in [
        (31_486, CallOutcome::Busy),
        (31_603, CallOutcome::Busy),
        (31_480, CallOutcome::NoAnswer),
        (31_008, CallOutcome::Canceled),
    ] {
        assert_eq!(
            outcome(&Script::outgoing().sdk(SdkCallEvent::Ringing).sdk_failed(code)),
            Some(expected),
            "{code}"
        );
    }
    let row = Script::outgoing().sdk(SdkCallEvent::Ringing).sdk_failed(31_603).row();
    assert_eq!(row.reason.as_deref(), Some("The other party declined the call."));
    // The generic error after ringing says no more than that nobody answered.
    assert_eq!(
        outcome(&Script::outgoing().sdk(SdkCallEvent::Ringing).sdk_failed(31_005)),
        Some(CallOutcome::NoAnswer)
    );
    assert_eq!(outcome(&Script::outgoing().sdk_failed(31_005)), Some(CallOutcome::Failed));
}

#[test]
fn twilios_error_code_gives_the_reason() {
    let row = Script::outgoing().sdk_failed(31_005).leg_with(Failed, None, Some(13_227)).row();
    assert_eq!((row.outcome, row.error_code), (Some(CallOutcome::Failed), Some(13_227)));
    assert!(row.reason.unwrap().starts_with("Calls to this country are switched off."));
}

#[test]
fn a_lost_connection_explains_an_answered_call() {
    let row = ringing_out()
        .leg(InProgress)
        .sdk(SdkCallEvent::Accepted)
        .sdk_failed(53_405)
        .sdk(SdkCallEvent::Ended)
        .row();
    assert_eq!((row.outcome, row.error_code), (Some(CallOutcome::Answered), Some(53_405)));
    assert_eq!(row.reason.as_deref(), reason::for_code(53_405));
}

#[test]
fn an_incoming_call_that_was_answered() {
    let row = ringing_in()
        .sdk(SdkCallEvent::Accepted)
        .leg(InProgress)
        .sdk(SdkCallEvent::Reconnecting)
        .sdk(SdkCallEvent::Reconnected)
        .sdk(SdkCallEvent::Ended)
        .leg_with(Completed, Some(3), None)
        .parent_ended(Completed, Some(9))
        .row();
    assert_eq!((row.outcome, row.duration_s), (Some(CallOutcome::Answered), Some(3)));
    assert_eq!(row.answered_at_ms, Some(START + 5000));
    let legs: Vec<_> = row.legs.iter().map(|leg| (leg.call_sid.clone(), leg.role)).collect();
    assert_eq!(legs, [(parent(), Some(LegRole::FarEnd)), (child(), Some(LegRole::Agent))]);
}

#[test]
fn the_callers_duration_serves_where_the_agents_leg_was_not_reported() {
    let row = Script::incoming()
        .sdk(SdkCallEvent::Accepted)
        .sdk(SdkCallEvent::Ended)
        .parent_ended(Completed, Some(31))
        .row();
    assert_eq!((row.outcome, row.duration_s), (Some(CallOutcome::Answered), Some(31)));
}

#[test]
fn an_incoming_call_that_was_not_answered() {
    let declined = ringing_in().sdk(SdkCallEvent::Declined).leg(Busy).parent_ended(Completed, Some(0));
    assert_eq!(outcome(&declined), Some(CallOutcome::Declined));
    assert_eq!(outcome(&ringing_in().leg(Busy)), Some(CallOutcome::Declined), "Twilio's word for reject()");
    assert_eq!(
        outcome(&ringing_in().sdk(SdkCallEvent::CanceledByCaller).leg(Canceled)),
        Some(CallOutcome::Missed)
    );
    assert_eq!(outcome(&ringing_in().leg(NoAnswer)), Some(CallOutcome::Missed));
    // The caller went on to voicemail: Twilio's parent leg is answered, the agent is not.
    assert_eq!(
        outcome(&ringing_in().leg(NoAnswer).parent_ended(Completed, Some(40))),
        Some(CallOutcome::Missed)
    );
    assert_eq!(outcome(&ringing_in().sdk_failed(31_008)), Some(CallOutcome::Missed));

    let row = Script::new(CallDirection::Incoming)
        .routed(Some("The agent was in another call."))
        .parent_ended(Completed, Some(4))
        .row();
    assert_eq!(row.outcome, Some(CallOutcome::Missed));
    assert_eq!(row.reason.as_deref(), Some("The agent was in another call."));

    let row = ringing_in().sdk_failed(31_401).leg(NoAnswer).row();
    assert_eq!((row.outcome, row.error_code), (Some(CallOutcome::Failed), Some(31_401)));
}

#[test]
fn an_answer_that_crosses_the_callers_hang_up_stays_an_answer() {
    let row = ringing_in().sdk(SdkCallEvent::Accepted).sdk(SdkCallEvent::Ended).leg(Canceled).row();
    assert_eq!(row.outcome, Some(CallOutcome::Answered));
}

#[test]
fn a_leg_keeps_its_furthest_status() {
    let late_ringing = ringing_out().leg(InProgress).leg(Ringing);
    assert_eq!(late_ringing.row().legs[1].status, Ringing, "the higher SequenceNumber wins");
    let after_the_end = ringing_out().leg(NoAnswer).leg(Ringing);
    assert_eq!(after_the_end.row().legs[1].status, NoAnswer, "nothing follows a final status");
}

#[test]
fn a_repeat_adds_nothing_and_the_earliest_time_stays() {
    let call = ringing_out();
    let known = distinct(&call.events);
    let mut repeated = call.events.last().unwrap().clone();
    if let CallEvent::LegStatus { at_ms, .. } = &mut repeated {
        *at_ms += 700;
    }
    let mut all = known.clone();
    all.push(repeated.clone());
    assert_eq!(distinct(&all), known);
    all.reverse();
    assert_eq!(distinct(&all), known);

    if let CallEvent::LegStatus { at_ms, error_code, .. } = &mut repeated {
        *at_ms -= 5000;
        *error_code = Some(13_224);
    }
    all.push(repeated);
    assert_eq!(distinct(&all).len(), known.len());
    assert_ne!(distinct(&all), known, "a repeat that knows more is joined");
}

#[test]
fn clocks_that_disagree_do_not_turn_time_round() {
    let skewed = |offset: i64| {
        let mut call = ringing_out().leg(InProgress).sdk(SdkCallEvent::Accepted).sdk(SdkCallEvent::Ended);
        for event in &mut call.events {
            if let CallEvent::LegStatus { at_ms, .. } = event {
                *at_ms += offset;
            }
        }
        call.row()
    };
    for offset in [-3_600_000, 3_600_000] {
        let row = skewed(offset);
        assert_eq!(row.started_at_ms, START, "our own clock tells the start");
        let (answered, ended) = (row.answered_at_ms.unwrap(), row.ended_at_ms.unwrap());
        assert!(row.started_at_ms <= answered && answered <= ended, "{offset}: {answered} {ended}");
        assert_eq!(
            (answered, ended),
            (START + 6000, START + 7000),
            "{offset}: Twilio's clock must not stretch the call"
        );
    }
}

#[test]
fn reasons_are_sentences() {
    let codes = (10_000..33_000).chain(53_000..54_000).chain(573_000..574_000);
    let reasons: Vec<_> = codes.filter_map(reason::for_code).collect();
    assert!(reasons.len() > 60);
    for sentence in reasons {
        assert!(sentence.ends_with('.') && sentence.starts_with(char::is_uppercase), "{sentence}");
        assert!(!sentence.contains("  "), "{sentence}");
    }
}
