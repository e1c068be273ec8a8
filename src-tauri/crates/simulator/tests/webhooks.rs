//! How webhooks are asked, and what becomes of bad answers.

use std::time::Duration;

use dialer_domain::sid::CallSid;
use dialer_simulator::{
    Faults, Happening, IncomingCall, Pace, SimulatorOptions, TwimlApp, WebhookMethod, WebhookPurpose,
};
use url::Url;

use crate::bench::{Answer, Bench, OUR_NUMBER};

fn caller() -> IncomingCall {
    IncomingCall::from_number("+12025550101".to_owned().try_into().unwrap())
}

/// A telephone call to our number, lived to its end.
async fn call(bench: &Bench) -> CallSid {
    let call = bench.simulator.place_incoming(&caller()).unwrap();
    bench.event(|what| matches!(what, Happening::LegStatus { call_sid, status, .. } if *call_sid == call && status.is_final())).await;
    call
}

fn point(bench: &Bench, app: TwimlApp) {
    bench.simulator.update_application(&bench.app, app).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_answers_have_twilios_codes_and_the_caller_is_told() {
    let bench = Bench::start().await;
    let page = "<html><body>Bad gateway</body></html>";
    for (answer, code) in [
        (Answer::new(500, "text/xml", "<Response/>"), 11_200),
        (Answer::new(403, "text/plain", ""), 11_200),
        (Answer::new(200, "text/xml", ""), 11_770),
        (Answer::new(200, "text/xml", "x".repeat(70_000)), 11_750),
        (Answer::new(200, "text/xml", "<Response>"), 12_100),
        (Answer::new(200, "text/xml", "<?xml version=\"2.0\"?><Response/>"), 12_101),
        (Answer::new(200, "text/html", page), 12_102),
        (Answer::new(200, "application/json", "{}"), 12_300),
        (Answer::new(302, "text/plain", "").header("location", "/voice"), 11_215),
    ] {
        let before = bench.alerts().len();
        bench.webhooks.answer("/voice", answer);
        let call_sid = call(&bench).await;
        assert_eq!(bench.alerts().get(before..), Some(&[code][..]));
        let heard = bench.simulator.heard(&call_sid).expect("the apology answered the call");
        assert!(heard.level_dbfs > -60.0, "{code}: {heard:?}");
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unknown_in_a_document_is_a_warning() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/voice", Answer::twiml("<Sing/><Pause length=\"1\" tempo=\"x\"/><Hangup/>"));
    let call = call(&bench).await;
    assert_eq!(bench.alerts(), [12_200, 12_200]);
    assert!(bench.simulator.heard(&call).is_none(), "a first <Pause> does not answer");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_content_types_are_spoken_or_played() {
    let bench = Bench::start().await;
    for answer in [
        Answer::new(200, "text/plain", "Good morning to you all."),
        Answer::new(200, "text/plain", "<Response><Say>Good morning</Say></Response>"),
        Answer::new(200, "audio/mpeg", vec![0, 1, 2]),
    ] {
        bench.webhooks.answer("/voice", answer);
        let call = call(&bench).await;
        assert!(bench.simulator.heard(&call).is_some_and(|heard| heard.level_dbfs > -60.0));
    }
    assert!(bench.alerts().is_empty());
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn get_carries_the_parameters_in_the_query() {
    let bench = Bench::start().await;
    let mut voice_url = bench.webhooks.url("/voice");
    voice_url.set_query(Some("tenant=a%20b"));
    point(
        &bench,
        TwimlApp { voice_url: Some(voice_url), voice_method: WebhookMethod::Get, ..TwimlApp::default() },
    );
    bench.webhooks.answer("/voice", Answer::twiml("<Hangup/>"));
    let call = call(&bench).await;
    let got = bench.webhooks.wait("/voice", 1).await.remove(0);
    assert_eq!((got.method.as_str(), got.get("tenant"), got.get("CallSid")), ("GET", "a b", call.as_str()));
    assert!(got.signed);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_followed_and_cookies_kept() {
    let bench = Bench::start().await;
    let moved =
        Answer::new(302, "text/plain", "").header("location", "/new").header("set-cookie", "seen=1; Path=/");
    bench.webhooks.answer("/voice", moved);
    bench.webhooks.answer("/new", Answer::twiml("<Redirect method=\"POST\">/third?step=3</Redirect>"));
    bench.webhooks.answer("/third", Answer::twiml("<Hangup/>"));
    let call = call(&bench).await;
    let new = bench.webhooks.wait("/new", 1).await.remove(0);
    assert_eq!(
        (new.method.as_str(), new.form.pairs().len(), new.cookie.as_deref()),
        ("GET", 0, Some("seen=1"))
    );
    let third = bench.webhooks.wait("/third", 1).await.remove(0);
    assert_eq!(
        (third.method.as_str(), third.get("CallSid"), third.cookie.as_deref()),
        ("POST", call.as_str(), Some("seen=1"))
    );
    bench.webhooks.answer("/voice", Answer::new(307, "text/plain", "").header("location", "/kept"));
    bench.webhooks.answer("/kept", Answer::twiml("<Hangup/>"));
    bench.simulator.place_incoming(&caller()).unwrap();
    let kept = bench.webhooks.wait("/kept", 1).await.remove(0);
    assert_eq!((kept.method.as_str(), kept.get("CallStatus")), ("POST", "ringing"));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_redirect_for_ever_are_stopped() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/voice", Answer::twiml("<Redirect/>"));
    call(&bench).await;
    bench.alert(11_215).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_in_time_or_at_all_is_11205_and_the_fallback_is_asked() {
    let options = SimulatorOptions {
        pace: Pace::times(20.0).unwrap(),
        webhook_time_limit: Duration::from_millis(1500),
        ..SimulatorOptions::default()
    };
    let bench = Bench::start_with(options).await;
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = Url::parse(&format!("http://{}/voice", unused.local_addr().unwrap())).unwrap();
    drop(unused);
    bench.webhooks.answer("/slow", Answer::twiml("<Hangup/>").after(Duration::from_secs(30)));
    bench.webhooks.answer("/fallback", Answer::twiml("<Reject/>"));
    for (index, voice_url) in [nobody, bench.webhooks.url("/slow")].into_iter().enumerate() {
        let fallback = Some(bench.webhooks.url("/fallback"));
        point(
            &bench,
            TwimlApp {
                voice_url: Some(voice_url.clone()),
                voice_fallback_url: fallback,
                ..TwimlApp::default()
            },
        );
        call(&bench).await;
        assert_eq!(bench.alerts().get(index..), Some(&[11_205][..]));
        let asked = bench.webhooks.wait("/fallback", index + 1).await.remove(index);
        assert_eq!((asked.get("ErrorCode"), asked.get("ErrorUrl")), ("11205", voice_url.as_str()));
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn injected_faults_reach_the_webhooks() {
    let bench = Bench::start().await;
    bench.simulator.set_faults(Faults { drop_voice_webhooks: true, ..Faults::default() });
    call(&bench).await;
    assert!(bench.webhooks.got("/voice").is_empty());
    bench.alert(11_205).await;
    let dial = format!(
        "<Dial callerId=\"{OUR_NUMBER}\" timeout=\"5\"><Number statusCallback=\"/leg\" \
         statusCallbackEvent=\"initiated ringing answered completed\">+12025550131</Number></Dial>"
    );
    bench.webhooks.answer("/voice", Answer::twiml(&dial));
    let statuses = |from: usize| -> Vec<String> {
        bench.webhooks.got("/leg")[from..].iter().map(|leg| leg.get("SequenceNumber").to_owned()).collect()
    };
    bench.simulator.set_faults(Faults { reorder_status_callbacks: true, ..Faults::default() });
    call(&bench).await;
    bench.webhooks.wait("/leg", 4).await;
    bench.webhooks.wait("/parent", 2).await;
    assert_eq!(statuses(0), ["3", "2", "1", "0"]);
    let without_the_last = dial.replace(" completed\"", "\"").replace("/leg", "/begin");
    bench.webhooks.answer("/voice", Answer::twiml(&without_the_last));
    call(&bench).await;
    let begun = bench.webhooks.wait("/begin", 3).await;
    let begun: Vec<_> = begun.iter().map(|leg| leg.get("SequenceNumber")).collect();
    assert_eq!(begun, ["2", "1", "0"], "held ones leave even if the end is not reported");
    bench.webhooks.wait("/parent", 3).await;
    bench.webhooks.answer("/voice", Answer::twiml(&dial));
    bench.simulator.set_faults(Faults { duplicate_status_callbacks: true, ..Faults::default() });
    call(&bench).await;
    bench.webhooks.wait("/leg", 12).await;
    bench.webhooks.wait("/parent", 5).await;
    assert_eq!(statuses(4), ["0", "0", "1", "1", "2", "2", "3", "3"]);
    let tokens: Vec<_> = bench.webhooks.got("/leg").into_iter().map(|leg| leg.idempotency).collect();
    assert!(tokens.iter().all(Option::is_some));
    bench.simulator.set_faults(Faults { drop_status_callbacks: true, ..Faults::default() });
    let dropped = call(&bench).await;
    bench.event(|what| is_dropped(what, "/leg")).await;
    bench.event(|what| is_dropped(what, "/parent") && of_call(what, &dropped)).await;
    bench.simulator.set_faults(Faults::default());
    call(&bench).await;
    bench.webhooks.wait("/leg", 16).await;
    bench.webhooks.wait("/parent", 6).await;
    assert_eq!(statuses(12), ["0", "1", "2", "3"], "those of the call before were dropped");
    bench.stop().await;
}

/// Whether the last callback of a leg was not sent.
fn is_dropped(what: &Happening, path: &str) -> bool {
    matches!(what, Happening::Webhook { url, status: None, call_status: Some(status), .. }
        if url.ends_with(path) && status == "completed")
}

fn of_call(what: &Happening, call: &CallSid) -> bool {
    matches!(what, Happening::Webhook { call_sid, .. } if call_sid == call)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_callback_that_is_refused_is_a_warning_and_nothing_more() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/voice", Answer::twiml("<Say>Hello.</Say>"));
    bench.webhooks.answer("/parent", Answer::new(500, "text/plain", "no"));
    call(&bench).await;
    bench.alert(15_003).await;
    bench
        .event(|what| {
            matches!(
                what,
                Happening::Webhook { purpose: WebhookPurpose::StatusCallback, status: Some(500), .. }
            )
        })
        .await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_on_this_computer_is_played() {
    let bench = Bench::start().await;
    let mut samples = vec![0_i16; 16_000];
    dialer_media::signal::Tone::at_rate(650.0, -10.0, 8_000).fill(&mut samples);
    let mut file =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
    file.extend(u32::try_from(samples.len() * 2).unwrap().to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bench.webhooks.answer("/hello.wav", Answer::new(200, "audio/wav", file));
    bench.webhooks.answer("/voice", Answer::twiml("<Play loop=\"0\">/hello.wav</Play>"));
    let call = bench.simulator.place_incoming(&caller()).unwrap();
    bench.heard(&call, |heard| heard.dominant_hz.is_some_and(|hz| (hz - 650.0).abs() < 3.0)).await;
    bench.simulator.hang_up(&call).unwrap();
    bench.webhooks.answer("/voice", Answer::twiml("<Play digits=\"42#\"/>"));
    let call = bench.simulator.place_incoming(&caller()).unwrap();
    bench.heard(&call, |heard| heard.dtmf == "42#").await;
    // A file is no webhook and not signed, so the bench would complain.
    bench.simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_status_callback_answers_should_be_nothing_or_a_document() {
    let bench = Bench::start().await;
    bench.webhooks.answer("/voice", Answer::twiml("<Reject/>"));
    for (count, answer, code) in [
        (1, Answer::new(200, "text/plain", "OK"), Some(12_300)),
        (2, Answer::new(200, "text/html", "<html>OK</html>"), Some(12_102)),
        (3, Answer::twiml("<Dial>+12025550100</Dial>"), None),
        (4, Answer::new(200, "application/json", ""), None),
    ] {
        let before = bench.alerts().len();
        bench.webhooks.answer("/parent", answer);
        let call = call(&bench).await;
        bench
            .event(|what| {
                matches!(what, Happening::Webhook { purpose: WebhookPurpose::StatusCallback, call_sid, .. }
                    if *call_sid == call)
            })
            .await;
        match code {
            Some(code) => bench.alert(code).await,
            None => assert_eq!(bench.alerts().len(), before),
        }
        assert_eq!(bench.simulator.calls().len(), count, "nothing of it is played");
    }
    bench.stop().await;
}
