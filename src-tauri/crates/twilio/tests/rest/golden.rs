//! Every request the client can send, as a golden file, and held against Twilio's specification.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use dialer_domain::account::{AppSettings, NumberRouting};
use dialer_domain::phone_number::E164;
use dialer_domain::sid::{
    AlertSid, ApiKeySid, CallSid, ConferenceSid, PhoneNumberSid, QueueSid, RecordingSid, TwimlAppSid,
};
use dialer_twilio::rest::{
    CallFilter, CallUpdate, CallerIdCheck, Client, ConferenceFilter, ConferenceUpdate, CountrySwitches,
    Instructions, NewCall, NewParticipant, NewRecording, ParticipantUpdate, RecordingFilter, RecordingStatus,
    RestError, UsagePeriod,
};

use super::bench::{ACCOUNT, Recorded, Recorder};
use super::examples::example_of;
use crate::specification;

const BASE: &str = "https://phone.example.com/api/calls";
/// 2026-09-29T12:00:00Z.
const NOON_MS: i64 = 1_790_683_200_000;

fn a(prefix: &str) -> String {
    format!("{prefix}{}", "a".repeat(32))
}

fn number(text: &str) -> E164 {
    E164::parse_strict(text).unwrap()
}

fn settings() -> AppSettings {
    AppSettings {
        friendly_name: "Kennex Dialer on desk (1a2b3c4d)".into(),
        voice_url: Some(format!("{BASE}/twiml")),
        voice_method: Some("POST".into()),
        voice_fallback_url: Some(String::new()),
        voice_fallback_method: Some("POST".into()),
        status_callback: Some(format!("{BASE}/status")),
        status_callback_method: Some("POST".into()),
    }
}

/// Sends every request there is, each at least once.
pub(super) async fn everything(client: &Client) -> Result<(), RestError> {
    account(client).await?;
    numbers(client).await?;
    calls(client).await?;
    rooms(client).await?;
    client.country_permissions().await?;
    client.country_permission("GB").await?;
    let britain = CountrySwitches {
        iso_code: "GB".into(),
        low_risk: true,
        high_risk_special: false,
        high_risk_tollfraud: false,
    };
    client.update_country_permissions(&[britain]).await?;
    client.voice_price(&number("+442079460000"), Some(&number("+12025550123"))).await?;
    client.voice_price(&number("+442079460000"), None).await?;
    client.country_prices("GB").await?;
    for period in [
        UsagePeriod::Today,
        UsagePeriod::Yesterday,
        UsagePeriod::ThisMonth,
        UsagePeriod::LastMonth,
        UsagePeriod::AllTime,
    ] {
        client.usage_records(Some("totalprice"), period).await?;
    }
    client.usage_records(None, UsagePeriod::Today).await?;
    Ok(())
}

async fn account(client: &Client) -> Result<(), RestError> {
    let key = ApiKeySid::parse(&a("SK")).unwrap();
    let app = TwimlAppSid::parse(&a("AP")).unwrap();
    client.account().await?;
    client.probe().await?;
    client.balance().await?;
    client.keys().await?;
    client.create_key("Kennex Dialer on desk (1a2b3c4d)").await?;
    client.delete_key(&key).await?;
    client.applications().await?;
    client.application(&app).await?;
    client.create_application(&settings()).await?;
    client
        .create_application(&AppSettings { friendly_name: "Bare".into(), ..AppSettings::default() })
        .await?;
    client.update_application(&app, &settings()).await?;
    client.delete_application(&app).await
}

async fn numbers(client: &Client) -> Result<(), RestError> {
    let sid = PhoneNumberSid::parse(&a("PN")).unwrap();
    client.numbers().await?;
    client.number(&sid).await?;
    client.bind_number(&sid, &TwimlAppSid::parse(&a("AP")).unwrap()).await?;
    let before = NumberRouting {
        voice_url: Some("https://old.example.com/voice?a=1&b=ä".into()),
        voice_method: Some("GET".into()),
        voice_fallback_url: None,
        voice_fallback_method: Some("GET".into()),
        status_callback: Some(String::new()),
        status_callback_method: Some("GET".into()),
        voice_application_sid: None,
        trunk_sid: Some(format!("TK{}", "b".repeat(32))),
        voice_caller_id_lookup: Some(true),
        voice_receive_mode: Some("fax".into()),
    };
    client.restore_number(&sid, &before).await?;
    client.caller_ids().await?;
    let check = CallerIdCheck {
        number: number("+12025550123"),
        friendly_name: "Desk".into(),
        delay_s: 5,
        status_callback: Some(format!("{BASE}/verified")),
    };
    client.validate_caller_id(&check).await?;
    client.delete_caller_id(&sid).await
}

async fn calls(client: &Client) -> Result<(), RestError> {
    let sid = CallSid::parse(&a("CA")).unwrap();
    let filter = CallFilter {
        to: Some("+12025550123".into()),
        from: Some("client:agent".into()),
        parent: Some(sid.clone()),
        status: Some("in-progress".into()),
        started_from_ms: Some(NOON_MS),
        started_until_ms: Some(NOON_MS + 3_600_000),
        limit: Some(20),
    };
    client.calls(&filter).await?;
    client.calls(&CallFilter::default()).await?;
    client.call(&sid).await?;
    let call = |instructions| NewCall {
        to: "+12025550123".into(),
        from: "+12025550100".into(),
        instructions,
        timeout_s: Some(30),
        time_limit_s: Some(3600),
        status_callback: Some(format!("{BASE}/status")),
        status_callback_events: vec!["initiated".into(), "answered".into()],
        machine_detection: Some("Enable".into()),
    };
    let document = "<Response><Say>Hello &amp; welcome</Say></Response>";
    client.create_call(&call(Instructions::Url(format!("{BASE}/twiml")))).await?;
    client.create_call(&call(Instructions::Twiml(document.into()))).await?;
    client.create_call(&call(Instructions::App(TwimlAppSid::parse(&a("AP")).unwrap()))).await?;
    for update in [
        CallUpdate::Redirect { url: format!("{BASE}/held") },
        CallUpdate::Play { document: document.into() },
        CallUpdate::Complete,
        CallUpdate::Cancel,
    ] {
        client.update_call(&sid, &update).await?;
    }
    client.call_events(&sid).await?;
    client.call_notifications(&sid).await?;
    client.notifications(50).await?;
    client.alerts(NOON_MS).await?;
    client.alert(&AlertSid::parse(&a("NO")).unwrap()).await?;
    recordings(client, &sid).await
}

async fn recordings(client: &Client, call: &CallSid) -> Result<(), RestError> {
    let sid = RecordingSid::parse(&a("RE")).unwrap();
    let filter = RecordingFilter {
        call: Some(call.clone()),
        conference: Some(ConferenceSid::parse(&a("CF")).unwrap()),
        created_from_ms: Some(NOON_MS),
        limit: Some(20),
    };
    client.recordings(&filter).await?;
    client.recording(&sid).await?;
    client.transcriptions(&sid).await?;
    client.delete_recording(&sid).await?;
    let new = NewRecording {
        two_channels: true,
        track: Some("both".into()),
        status_callback: Some(format!("{BASE}/recording")),
        status_callback_events: vec!["completed".into(), "absent".into()],
    };
    client.start_recording(call, &new).await?;
    client.start_recording(call, &NewRecording::default()).await?;
    client.update_recording(call, None, RecordingStatus::PausedWithoutSilence).await?;
    client.update_recording(call, None, RecordingStatus::PausedWithSilence).await?;
    client.update_recording(call, Some(&sid), RecordingStatus::InProgress).await?;
    client.update_recording(call, Some(&sid), RecordingStatus::Stopped).await?;
    Ok(())
}

async fn rooms(client: &Client) -> Result<(), RestError> {
    let sid = ConferenceSid::parse(&a("CF")).unwrap();
    let call = CallSid::parse(&a("CA")).unwrap();
    let filter = ConferenceFilter {
        friendly_name: Some("room 1".into()),
        status: Some("in-progress".into()),
        limit: Some(1),
    };
    client.conferences(&filter).await?;
    client.update_conference(&sid, &ConferenceUpdate::Complete).await?;
    client.update_conference(&sid, &ConferenceUpdate::Announce { url: format!("{BASE}/announce") }).await?;
    client.participants(&sid).await?;
    let new = NewParticipant {
        from: "+12025550100".into(),
        to: "+12025550123".into(),
        label: Some("customer".into()),
        timeout_s: Some(30),
        early_media: Some(true),
        beep: Some("false".into()),
        muted: Some(false),
        start_conference_on_enter: Some(true),
        end_conference_on_exit: Some(false),
        caller_id: Some("+12025550100".into()),
        status_callback: Some(format!("{BASE}/status")),
        status_callback_events: vec!["ringing".into(), "completed".into()],
    };
    client.create_participant("room 1", &new).await?;
    let update = ParticipantUpdate {
        muted: Some(true),
        hold: Some(true),
        hold_url: Some(format!("{BASE}/music")),
        announce_url: Some(format!("{BASE}/announce")),
        end_conference_on_exit: Some(true),
        coaching: Some(true),
        call_sid_to_coach: Some(call.clone()),
        beep_on_exit: Some(false),
    };
    client.update_participant(&sid, call.as_str(), &update).await?;
    let resume = ParticipantUpdate { hold: Some(false), ..ParticipantUpdate::default() };
    client.update_participant(&sid, "the customer", &resume).await?;
    client.remove_participant(&sid, call.as_str()).await?;
    let queue = QueueSid::parse(&a("QU")).unwrap();
    client.queues().await?;
    client.queue_members(&queue).await?;
    client.dequeue(&queue, None, &format!("{BASE}/queue")).await?;
    client.dequeue(&queue, Some(&call), &format!("{BASE}/queue")).await?;
    Ok(())
}

fn shown(requests: &[Recorded]) -> String {
    let mut text = String::from(
        "# Every request of the REST client: method, product, path and query as sent; below it the form.\n",
    );
    for Recorded { sent, path_and_query, .. } in requests {
        let path = path_and_query.strip_prefix(&format!("/{}", sent.product)).unwrap();
        writeln!(text, "{} {} {}", sent.method, sent.product, path.replace(ACCOUNT, "{AC}")).unwrap();
        for (name, value) in &sent.form {
            writeln!(text, "{}", format!("    {name} = {value}").trim_end()).unwrap();
        }
    }
    text
}

#[tokio::test]
async fn requests_are_those_of_the_golden_file_and_of_the_specification() {
    let files = specification::load();
    let recorder = Recorder::start(move |_, recorded| example_of(&files, recorded)).await;
    everything(&recorder.client().0).await.unwrap();

    let seen = recorder.seen();
    let files = specification::load();
    let mut deviations = Vec::new();
    let mut used = BTreeSet::new();
    for Recorded { sent, path_and_query, .. } in &seen {
        let operation =
            specification::find(&files, sent).unwrap_or_else(|| panic!("unknown: {path_and_query}"));
        used.insert(format!("{} {}", sent.method, operation.template));
        let ours = operation.check_request(sent).into_iter().filter(|found| !specification::tolerated(found));
        deviations.extend(ours.map(|found| format!("{} {found}", operation.template)));
    }
    assert_eq!(deviations, Vec::<String>::new());
    // Both ways: no request without a specification, no specification without a request.
    let specified = specification::operations(&files).into_iter().map(|(name, _)| name).collect();
    assert_eq!(used, specified);

    let golden = include_str!("../golden/rest_requests.txt");
    let actual = shown(&seen);
    assert!(golden == actual, "the requests have changed; they are now:\n{actual}");
}
