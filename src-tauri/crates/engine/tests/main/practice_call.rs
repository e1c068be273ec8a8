//! Core, gateway, simulator and voice engine together: whole calls without a window.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use dialer_domain::call::{CallDirection, CallOutcome};
use dialer_domain::call_flow::Rules;
use dialer_domain::call_log::CallLogEntry;
use dialer_domain::phone_number::E164;
use dialer_engine::api::{Commands as _, HostEvent, LightState, PageId, PracticeCall};
use dialer_engine::call_log;
use dialer_engine::core::events;
use dialer_engine::practice::{Practice, PracticeOptions};
use dialer_engine::sound::Sound;
use dialer_media::devices::ToneDevices;

use crate::phone::Phone;

const TONE_NUMBER: &str = "+12025550101";
const ENDS_BY_ITSELF: &str = "+12025550131";

pub(crate) async fn practice(folder: &std::path::Path) -> (Practice, Arc<ToneDevices>) {
    let devices = Arc::new(ToneDevices::new(1_000.0));
    let practice = Practice::start(PracticeOptions {
        call_log: call_log::open(folder.join("calls.sqlite")).await.unwrap(),
        simulator_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        rules: Rules::default(),
        sounds: None,
        sound: Sound::Native(devices.clone()),
        events: events(),
    })
    .await
    .unwrap();
    (practice, devices)
}

/// The row of the newest call, once `done` says it is complete.
pub(crate) async fn logged(practice: &Practice, done: impl Fn(&CallLogEntry) -> bool) -> CallLogEntry {
    let mut events = practice.core.subscribe();
    let look = async {
        loop {
            let page = practice.core.list_call_log(None, 10).await.unwrap();
            if let Some(entry) = page.entries.into_iter().next().filter(|entry| done(entry)) {
                return entry;
            }
            // Any change of the log is a reason to look again.
            while !matches!(events.recv().await.unwrap(), HostEvent::CallLogChanged(_)) {}
        }
    };
    tokio::time::timeout(Duration::from_secs(20), look).await.expect("the call is logged in the end")
}

pub(crate) fn complete(entry: &CallLogEntry) -> bool {
    entry.outcome.is_some() && entry.legs.len() == 2 && entry.legs.iter().all(|leg| leg.status.is_final())
}

async fn heard_440(devices: &ToneDevices) {
    let listen = async {
        while devices.playout_report().dominant.is_none_or(|tone| (tone.hz - 440.0).abs() > 3.0) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), listen).await.expect("the far end's tone is heard");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_out_is_heard_and_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, devices) = practice(folder.path()).await;
    let mut phone = Phone::register(practice.core.clone()).await;
    let call = phone.call(TONE_NUMBER).await;
    heard_440(&devices).await;
    phone.hang_up(&call).await;
    let entry = logged(&practice, complete).await;
    assert_eq!(entry.id, call.id);
    assert_eq!(entry.direction, CallDirection::Outgoing);
    assert_eq!(entry.peer, TONE_NUMBER);
    assert_eq!(entry.outcome, Some(CallOutcome::Answered));
    assert_eq!(practice.core.list_call_log(None, 10).await.unwrap().entries.len(), 1, "one call is one row");
    practice.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_is_heard_and_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, devices) = practice(folder.path()).await;
    let mut phone = Phone::register(practice.core.clone()).await;
    practice
        .core
        .practice_incoming(PracticeCall { from: E164::parse_strict(TONE_NUMBER).unwrap() })
        .await
        .unwrap();
    let call = phone.answer().await;
    heard_440(&devices).await;
    phone.hang_up(&call).await;
    let entry = logged(&practice, complete).await;
    assert_eq!(entry.direction, CallDirection::Incoming);
    assert_eq!(entry.peer, TONE_NUMBER);
    assert_eq!(entry.outcome, Some(CallOutcome::Answered));
    assert_eq!(practice.core.list_call_log(None, 10).await.unwrap().entries.len(), 1, "one call is one row");
    practice.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_far_end_may_end_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    let mut phone = Phone::register(practice.core.clone()).await;
    let call = phone.call(ENDS_BY_ITSELF).await;
    phone.remote_hang_up(&call).await;
    let entry = logged(&practice, complete).await;
    assert_eq!(entry.outcome, Some(CallOutcome::Answered));
    practice.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lights_follow_the_phone() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    let mut view = practice.core.watch();
    assert_eq!(view.borrow().lights.calls_in.state, LightState::Starting);
    let _phone = Phone::register(practice.core.clone()).await;
    view.wait_for(|view| view.lights.calls_in.state == LightState::Ready).await.unwrap();
    practice.shutdown().await;
}

/// A page that is loaded anew has lost the SDK that carried its call.
#[tokio::test(flavor = "multi_thread")]
async fn a_reloaded_page_ends_the_call_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    let mut phone = Phone::register(practice.core.clone()).await;
    let call = phone.call(TONE_NUMBER).await;
    let mut view = practice.core.watch();
    view.wait_for(|view| !view.calls.is_empty()).await.unwrap();
    practice.core.snapshot(PageId(uuid::Uuid::new_v4())).await.unwrap();
    view.wait_for(|view| view.calls.is_empty()).await.unwrap();
    let entry = logged(&practice, |entry| entry.ended_at_ms.is_some()).await;
    assert_eq!(entry.id, call.id);
    practice.shutdown().await;
}

/// A program killed in a call leaves a row without an end; the next start writes one.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_forgotten_by_a_killed_program_is_ended_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let id = dialer_domain::call::CallId(uuid::Uuid::new_v4());
    {
        use dialer_domain::ports::CallStore as _;
        let log =
            dialer_storage::call_log::SqliteCallLog::open(&folder.path().join("calls.sqlite")).unwrap().log;
        for (what, at_ms) in [
            (dialer_domain::call::SdkCallEvent::Dialing, 1_000),
            (dialer_domain::call::SdkCallEvent::Accepted, 5_000),
        ] {
            let event = dialer_domain::call::CallEvent::Sdk {
                direction: CallDirection::Outgoing,
                call_sid: None,
                parent_call_sid: None,
                peer: TONE_NUMBER.into(),
                our_number: None,
                what,
                at_ms,
            };
            log.record(Some(id), event).unwrap();
        }
    }
    let (practice, _devices) = practice(folder.path()).await;
    let entry = logged(&practice, |entry| entry.id == id).await;
    assert_eq!(entry.ended_at_ms, Some(5_000), "the last moment known");
    practice.shutdown().await;
}

/// Closing the program in a call writes the call's true end before it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn quitting_in_a_call_logs_its_end() {
    use dialer_domain::ports::CallStore as _;
    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    let mut phone = Phone::register(practice.core.clone()).await;
    let call = phone.call(TONE_NUMBER).await;
    let up = logged(&practice, |entry| entry.answered_at_ms.is_some()).await;
    assert_eq!(up.ended_at_ms, None);
    practice.shutdown().await;
    drop(phone);
    let log = dialer_storage::call_log::SqliteCallLog::open(&folder.path().join("calls.sqlite"));
    // The core's last clone may still be on its way out with a task of the runtime.
    let entry = match log {
        Ok(opened) => opened.log.get(call.id).unwrap().unwrap(),
        Err(error) => panic!("the log is closed with the program: {error}"),
    };
    assert!(entry.ended_at_ms.is_some());
    assert_eq!(entry.outcome, Some(CallOutcome::Answered));
}
