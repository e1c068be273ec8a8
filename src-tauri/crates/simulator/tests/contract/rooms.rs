//! Recordings, conferences and queues as the client meets them when there are some.

use dialer_domain::sid::CallSid;
use dialer_simulator::Happening;
use dialer_twilio::rest::{
    CallUpdate, ConferenceFilter, ConferenceUpdate, Instructions, NewParticipant, NewRecording,
    ParticipantUpdate, RecordingFilter, RecordingStatus,
};

use super::calls::{FRIEND, call, pause};
use super::desk::Desk;
use crate::bench::{Answer, OUR_NUMBER};

pub(crate) async fn walk(desk: &Desk) {
    let up = up(desk, pause()).await;
    recordings(desk, &up).await;
    desk.key.update_call(&up, &CallUpdate::Complete).await.unwrap();
    conference(desk).await;
    queue(desk).await;
}

/// A call that has been answered.
async fn up(desk: &Desk, instructions: Instructions) -> CallSid {
    let placed = desk.key.create_call(&call(FRIEND, instructions)).await.unwrap();
    let answered = |what: &Happening| {
        matches!(what, Happening::LegStatus { call_sid, status, .. }
            if *call_sid == placed.sid && status.as_wire() == "in-progress")
    };
    desk.bench.event(answered).await;
    placed.sid
}

async fn recordings(desk: &Desk, up: &CallSid) {
    let new = NewRecording {
        two_channels: true,
        track: Some("both".into()),
        status_callback: Some(desk.bench.webhooks.url("/recorded").to_string()),
        status_callback_events: vec!["in-progress".into(), "completed".into(), "absent".into()],
    };
    let begun = desk.key.start_recording(up, &new).await.unwrap();
    assert_eq!((begun.status.as_str(), begun.channels), ("in-progress", Some(2)));
    assert_eq!((begun.source.as_deref(), begun.call_sid.as_ref()), (Some("StartCallRecordingAPI"), Some(up)));
    assert_eq!(begun.duration.as_deref(), Some("-1"));
    for (status, shown) in [
        (RecordingStatus::PausedWithoutSilence, "paused"),
        (RecordingStatus::InProgress, "in-progress"),
        (RecordingStatus::PausedWithSilence, "paused"),
    ] {
        assert_eq!(desk.key.update_recording(up, None, status).await.unwrap().status, shown);
    }
    // Silence is sound too, and some of it makes a recording.
    desk.bench.heard(up, |heard| heard.frames > 50).await;
    let stopped = desk.key.update_recording(up, Some(&begun.sid), RecordingStatus::Stopped).await.unwrap();
    assert_eq!(stopped.status, "stopped");
    let told = desk.bench.webhooks.wait("/recorded", 2).await;
    assert_eq!(told[1].get("RecordingStatus"), "completed");
    let filter = RecordingFilter { call: Some(up.clone()), ..RecordingFilter::default() };
    let listed = desk.key.recordings(&filter).await.unwrap();
    assert_eq!(listed, [desk.key.recording(&begun.sid).await.unwrap()]);
    assert_eq!((listed[0].status.as_str(), listed[0].channels), ("completed", Some(2)));
    assert!(listed[0].media_url.as_ref().is_some_and(|url| url.ends_with(begun.sid.as_str())));
    let wav = desk.key.recording_wav(&begun.sid).await.unwrap();
    assert_eq!((&wav[..4], &wav[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    assert_eq!(desk.key.transcriptions(&begun.sid).await.unwrap(), []);
    desk.key.delete_recording(&begun.sid).await.unwrap();
    assert!(desk.key.recording(&begun.sid).await.unwrap_err().is_not_found());
    assert!(desk.key.recording_wav(&begun.sid).await.unwrap_err().is_not_found());
}

async fn conference(desk: &Desk) {
    let guest = |label: &str| NewParticipant {
        from: OUR_NUMBER.into(),
        to: FRIEND.into(),
        label: Some(label.into()),
        timeout_s: Some(30),
        early_media: Some(true),
        beep: Some("false".into()),
        muted: Some(false),
        start_conference_on_enter: Some(true),
        end_conference_on_exit: Some(false),
        caller_id: Some(OUR_NUMBER.into()),
        status_callback: Some(desk.bench.webhooks.url("/guest").to_string()),
        status_callback_events: vec!["answered".into()],
    };
    let one = desk.key.create_participant("contract", &guest("one")).await.unwrap();
    let two = desk.key.create_participant(one.conference_sid.as_str(), &guest("two")).await.unwrap();
    assert_eq!(
        (two.conference_sid.as_str(), two.label.as_deref()),
        (one.conference_sid.as_str(), Some("two"))
    );
    let room = &one.conference_sid;
    let started = ConferenceFilter {
        friendly_name: Some("contract".into()),
        status: Some("in-progress".into()),
        limit: Some(1),
    };
    while desk.key.conferences(&started).await.unwrap().first().map(|found| &found.sid) != Some(room) {
        tokio::task::yield_now().await;
    }
    let inside = desk.key.participants(room).await.unwrap();
    let labels: Vec<_> = inside.iter().filter_map(|party| party.label.as_deref()).collect();
    assert_eq!(labels, ["two", "one"], "newest first");
    assert!(inside.iter().all(|party| party.status == "connected"), "{inside:?}");
    let hold = ParticipantUpdate {
        hold: Some(true),
        hold_url: Some("https://phone.example.com/music".into()),
        muted: Some(true),
        ..ParticipantUpdate::default()
    };
    let held = desk.key.update_participant(room, "one", &hold).await.unwrap();
    assert_eq!((held.hold, held.muted, held.call_sid == one.call_sid), (true, true, true));
    let coach = ParticipantUpdate {
        coaching: Some(true),
        call_sid_to_coach: Some(two.call_sid.clone()),
        ..ParticipantUpdate::default()
    };
    let coaching = desk.key.update_participant(room, "one", &coach).await.unwrap();
    assert_eq!((coaching.coaching, coaching.call_sid_to_coach), (true, Some(two.call_sid)));
    desk.key.remove_participant(room, "two").await.unwrap();
    desk.bench.webhooks.answer("/say", Answer::twiml("<Say>Goodbye</Say>"));
    let url = desk.bench.webhooks.url("/say").to_string();
    desk.key.update_conference(room, &ConferenceUpdate::Announce { url }).await.unwrap();
    desk.bench.webhooks.wait("/say", 1).await;
    let over = desk.key.update_conference(room, &ConferenceUpdate::Complete).await.unwrap();
    assert_eq!(
        (over.status.as_str(), over.reason_conference_ended.as_deref()),
        ("completed", Some("conference-ended-via-api"))
    );
}

async fn queue(desk: &Desk) {
    let url = desk.bench.webhooks.url("/enqueue").to_string();
    desk.bench.webhooks.answer("/enqueue", Answer::twiml("<Enqueue waitUrl=\"\">contract</Enqueue>"));
    desk.bench.webhooks.answer("/dequeued", Answer::twiml("<Pause length=\"600\"/>"));
    let waiting = up(desk, Instructions::Url(url)).await;
    desk.bench.event(|what| matches!(what, Happening::Queued { call_sid, .. } if *call_sid == waiting)).await;
    let queues = desk.key.queues().await.unwrap();
    assert_eq!((queues[0].friendly_name.as_deref(), queues[0].current_size), (Some("contract"), 1));
    let members = desk.key.queue_members(&queues[0].sid).await.unwrap();
    assert_eq!((&members[0].call_sid, members[0].position), (&waiting, 1));
    assert!(members[0].enqueued_ms.is_some());
    let next = desk.bench.webhooks.url("/dequeued").to_string();
    let taken = desk.key.dequeue(&queues[0].sid, None, &next).await.unwrap();
    assert_eq!(taken.call_sid, waiting);
    let asked = desk.bench.webhooks.wait("/dequeued", 1).await;
    assert_eq!(asked[0].get("CallSid"), waiting.as_str());
    desk.key.update_call(&waiting, &CallUpdate::Complete).await.unwrap();
}
