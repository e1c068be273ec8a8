//! Calls, what went wrong in them, and what there is not: recordings, conferences, queues.

use dialer_domain::error::ErrorCode;
use dialer_domain::sid::{CallSid, ConferenceSid, QueueSid, RecordingSid};
use dialer_twilio::rest::{
    CallFilter, CallUpdate, ConferenceFilter, ConferenceUpdate, Instructions, NewCall, NewParticipant,
    NewRecording, ParticipantUpdate, RecordingFilter, RecordingStatus,
};

use super::desk::{Desk, code};
use crate::bench::{Answer, OUR_NUMBER, now_ms};

/// Answers at once and echoes.
pub(super) const FRIEND: &str = "+12025550110";

pub(crate) async fn walk(desk: &Desk) {
    let sid = placed_and_ended(desk).await;
    gone_wrong(desk).await;
    refused(desk).await;
    no_recordings(desk, &sid).await;
    no_rooms(desk, &sid).await;
}

pub(super) fn call(to: &str, instructions: Instructions) -> NewCall {
    NewCall {
        to: to.into(),
        from: OUR_NUMBER.into(),
        instructions,
        timeout_s: Some(60),
        time_limit_s: None,
        status_callback: None,
        status_callback_events: Vec::new(),
        machine_detection: None,
    }
}

pub(super) fn pause() -> Instructions {
    Instructions::Twiml("<Response><Pause length=\"600\"/></Response>".into())
}

async fn placed_and_ended(desk: &Desk) -> CallSid {
    let status = desk.bench.webhooks.url("/placed").to_string();
    let new = NewCall {
        status_callback: Some(status),
        status_callback_events: vec!["answered".into(), "completed".into()],
        ..call(FRIEND, pause())
    };
    let placed = desk.key.create_call(&new).await.unwrap();
    assert_eq!((placed.to.as_deref(), placed.from.as_deref()), (Some(FRIEND), Some(OUR_NUMBER)));
    assert_eq!(placed.direction.as_deref(), Some("outbound-api"));
    desk.bench.webhooks.wait("/placed", 1).await;
    assert_eq!(desk.key.call(&placed.sid).await.unwrap().status, "in-progress");
    let filter = CallFilter {
        to: Some(FRIEND.into()),
        from: Some(OUR_NUMBER.into()),
        status: Some("in-progress".into()),
        started_from_ms: Some(now_ms() - 3_600_000),
        started_until_ms: None,
        limit: Some(5),
        parent: None,
    };
    let found = desk.key.calls(&filter).await.unwrap();
    assert_eq!(found.iter().map(|call| &call.sid).collect::<Vec<_>>(), [&placed.sid]);

    let next =
        CallUpdate::Play { document: "<Response><Say>Hello</Say><Pause length=\"600\"/></Response>".into() };
    assert_eq!(desk.key.update_call(&placed.sid, &next).await.unwrap().status, "in-progress");
    desk.key.update_call(&placed.sid, &CallUpdate::Complete).await.unwrap();
    let told = desk.bench.webhooks.wait("/placed", 2).await;
    assert_eq!(told[1].get("CallStatus"), "completed");
    let over = desk.key.call(&placed.sid).await.unwrap();
    assert_eq!(over.status, "completed");
    assert!(
        over.started_ms.is_some() && over.ended_ms >= over.started_ms && over.duration.is_some(),
        "{over:?}"
    );
    assert_eq!(code(desk.key.update_call(&placed.sid, &next).await), Some(21220));

    let events = desk.key.call_events(&placed.sid).await.unwrap();
    assert!(
        events.iter().any(|event| event.url.as_deref().is_some_and(|url| url.ends_with("/placed"))),
        "{events:?}"
    );
    assert_eq!(desk.key.call_notifications(&placed.sid).await.unwrap(), []);
    placed.sid
}

async fn gone_wrong(desk: &Desk) {
    let since_ms = now_ms() - 60_000;
    desk.bench.webhooks.answer("/broken", Answer::new(500, "text/html", "<p>oh</p>"));
    let url = desk.bench.webhooks.url("/broken").to_string();
    let placed = desk.key.create_call(&call(FRIEND, Instructions::Url(url.clone()))).await.unwrap();
    desk.bench.alert(11200).await;
    let of_call = desk.key.call_notifications(&placed.sid).await.unwrap();
    assert_eq!(of_call.len(), 1);
    assert_eq!((of_call[0].error_code.as_deref(), of_call[0].log.as_deref()), (Some("11200"), Some("0")));
    assert!(of_call[0].at_ms.is_some_and(|at_ms| at_ms >= since_ms));
    assert!(desk.key.notifications(10).await.unwrap().contains(&of_call[0]));

    let alerts = desk.key.alerts(since_ms).await.unwrap();
    let alert =
        alerts.iter().find(|alert| alert.resource_sid.as_deref() == Some(placed.sid.as_str())).unwrap();
    assert_eq!(alert.sid, of_call[0].sid);
    assert_eq!((alert.error_code.as_deref(), alert.log_level.as_deref()), (Some("11200"), Some("error")));
    let whole = desk.key.alert(&alert.sid).await.unwrap();
    assert_eq!(
        (whole.response_body.as_deref(), whole.request_url.as_deref()),
        (Some("<p>oh</p>"), Some(url.as_str()))
    );
    let events = desk.key.call_events(&placed.sid).await.unwrap();
    assert_eq!(events[0].response_code, Some(500));
    let unknown = "NO00000000000000000000000000000000".parse().unwrap();
    assert!(desk.key.alert(&unknown).await.unwrap_err().is_not_found());
}

async fn refused(desk: &Desk) {
    let not_ours = NewCall { from: "+12025550123".into(), ..call(FRIEND, pause()) };
    let error = desk.key.create_call(&not_ours).await.unwrap_err();
    assert_eq!(error.code(), Some(21210));
    assert!(!format!("{error:?} {:?}", error.user_error()).contains("2025550123"), "{error:?}");
    let error = desk.key.create_call(&call("+12", pause())).await.unwrap_err();
    assert_eq!((error.code(), error.user_error().code), (Some(21211), ErrorCode::InvalidEntry));
    let unknown = "CA00000000000000000000000000000000".parse().unwrap();
    assert!(desk.key.call(&unknown).await.unwrap_err().is_not_found());
    assert!(desk.key.call_events(&unknown).await.unwrap_err().is_not_found());
}

async fn no_recordings(desk: &Desk, over: &CallSid) {
    let unknown: RecordingSid = "RE00000000000000000000000000000000".parse().unwrap();
    assert_eq!(desk.key.recordings(&RecordingFilter::default()).await.unwrap(), []);
    let filter = RecordingFilter {
        call: Some(over.clone()),
        created_from_ms: Some(now_ms()),
        limit: Some(1),
        conference: None,
    };
    assert_eq!(desk.key.recordings(&filter).await.unwrap(), []);
    assert!(desk.key.recording(&unknown).await.unwrap_err().is_not_found());
    assert!(desk.key.transcriptions(&unknown).await.unwrap_err().is_not_found());
    assert!(desk.key.delete_recording(&unknown).await.unwrap_err().is_not_found());
    assert_eq!(code(desk.key.start_recording(over, &NewRecording::default()).await), Some(21220));
    let paused = RecordingStatus::PausedWithSilence;
    assert!(desk.key.update_recording(over, Some(&unknown), paused).await.unwrap_err().is_not_found());
    assert!(desk.key.update_recording(over, None, paused).await.unwrap_err().is_not_found());
}

async fn no_rooms(desk: &Desk, call: &CallSid) {
    let room: ConferenceSid = "CF00000000000000000000000000000000".parse().unwrap();
    let queue: QueueSid = "QU00000000000000000000000000000000".parse().unwrap();
    let running = ConferenceFilter { status: Some("in-progress".into()), ..ConferenceFilter::default() };
    assert_eq!(desk.key.conferences(&running).await.unwrap(), []);
    assert_eq!(desk.key.queues().await.unwrap(), []);
    let new = NewParticipant { from: OUR_NUMBER.into(), to: FRIEND.into(), ..NewParticipant::default() };
    let hold = ParticipantUpdate { hold: Some(true), ..ParticipantUpdate::default() };
    for error in [
        desk.key.update_conference(&room, &ConferenceUpdate::Complete).await.unwrap_err(),
        desk.key.participants(&room).await.unwrap_err(),
        desk.key.create_participant(room.as_str(), &new).await.unwrap_err(),
        desk.key.update_participant(&room, call.as_str(), &hold).await.unwrap_err(),
        desk.key.remove_participant(&room, call.as_str()).await.unwrap_err(),
        desk.key.queue_members(&queue).await.unwrap_err(),
        desk.key.dequeue(&queue, None, "https://phone.example.com/queue").await.unwrap_err(),
    ] {
        assert!(error.is_not_found(), "{error}");
    }
}
