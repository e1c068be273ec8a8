//! The browser host over real sockets, in front of a real practice mode.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is the test's failure")]

mod agents;
mod cloud;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use dialer_domain::ports::SystemClock;
use dialer_engine::api::{Commands as _, Notice};
use dialer_engine::phone::{Phone, PhoneOptions};
use dialer_engine::sound::Sound;
use dialer_engine::twilio_at::TwilioAt;
use dialer_gateway::tunnel::TokioLauncher;
use dialer_server::browser_host::{fresh_secret, serve};
use dialer_storage::folders::Folders;
use dialer_storage::settings::Settings;
use dialer_storage::vault::ChosenVault;
use reqwest::StatusCode;
use reqwest::header::HOST;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A served page; everything ends when it is dropped.
struct Page {
    http: reqwest::Client,
    address: SocketAddr,
    secret: String,
    phone: Phone,
    _folder: tempfile::TempDir,
    _stop: oneshot::Sender<()>,
}

async fn page() -> Page {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<title>Kennex Dialer</title>").unwrap();
    let folders = Folders::throw_away().unwrap();
    let (settings, _) = Settings::open(&folders).unwrap();
    let phone = Phone::start(PhoneOptions {
        folders,
        settings,
        settings_notice: None,
        vault: Arc::new(ChosenVault::memory()),
        launcher: Arc::new(TokioLauncher),
        sound: Sound::OfPage,
        twilio: TwilioAt::Twilio,
        simulator_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        webhook_listen: None,
        clock: Arc::new(SystemClock),
    })
    .await
    .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let secret = fresh_secret();
    let shown = secret.expose_secret().to_owned();
    let (stop, stopped) = oneshot::channel::<()>();
    let (served, ui) = (phone.clone(), folder.path().to_owned());
    tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        serve(listener, served, secret, &ui, stopped).await.unwrap();
    });
    Page { http: reqwest::Client::new(), address, secret: shown, phone, _folder: folder, _stop: stop }
}

impl Page {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn post(&self, command: &str, arguments: &Value) -> reqwest::RequestBuilder {
        self.http.post(self.url(&format!("/host/{command}"))).bearer_auth(&self.secret).json(arguments)
    }
}

#[tokio::test]
async fn a_page_that_knows_the_secret_gets_its_answers() {
    let page = page().await;
    let answer = page
        .post("snapshot", &json!({ "page": "6f1cbd5a-6d3f-4a6e-9b1e-1d0a0f3b2c11" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let snapshot: Value = answer.json().await.unwrap();
    assert_eq!(snapshot["native_voice"], "absent");
    assert_eq!(snapshot["agent"]["name"], "Practice");
    let inspected: Value = page
        .post("inspect_number", &json!({ "text": "2025550123" }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(inspected["e164"], "+12025550123");
}

#[tokio::test]
async fn without_the_secret_nothing_is_answered() {
    let page = page().await;
    for given in [None, Some(""), Some("Bearer "), Some("Bearer wrong"), Some(page.secret.as_str())] {
        let mut request = page.http.post(page.url("/host/issue_access_token")).json(&json!({}));
        if let Some(given) = given {
            request = request.header("authorization", given);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{given:?}");
        assert!(!answer.text().await.unwrap().contains("eyJ"));
    }
    let events = page.http.get(page.url("/host/events")).send().await.unwrap();
    assert_eq!(events.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_name_pointed_at_this_computer_is_not_served() {
    let page = page().await;
    let answer = page.post("snapshot", &json!({})).header(HOST, "attacker.example").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
    let file = page.http.get(page.url("/")).header(HOST, "attacker.example").send().await.unwrap();
    assert_eq!(file.status(), StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn bad_commands_are_errors_the_page_can_show() {
    let page = page().await;
    for (command, arguments) in [
        ("no_such_command", json!({})),
        ("inspect_number", json!({ "text": 5 })),
        ("voice_create", json!({ "config": { "ice_servers": [] } })),
    ] {
        let answer = page.post(command, &arguments).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{command}");
        let error: Value = answer.json().await.unwrap();
        assert!(error["message"].as_str().is_some_and(|text| text.ends_with('.')), "{command}: {error}");
    }
    let broken =
        page.http.post(page.url("/host/snapshot")).bearer_auth(&page.secret).body("{").send().await.unwrap();
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    let huge = page.post("inspect_number", &json!({ "text": "1".repeat(300_000) })).send().await.unwrap();
    assert_eq!(huge.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn events_arrive_as_lines() {
    let page = page().await;
    let mut stream = page.http.get(page.url("/host/events")).bearer_auth(&page.secret).send().await.unwrap();
    let mut unread = Vec::new();
    assert_eq!(
        next_line(&mut stream, &mut unread).await,
        "",
        "the first line says that the page is subscribed"
    );
    let error = dialer_domain::error::UserError::new(dialer_domain::error::ErrorCode::Busy, "A notice.");
    page.phone.core().raise(Notice { id: "test".into(), error, dismissible: true });
    assert_eq!(next_notices(&mut stream, &mut unread).await[0]["id"], "test");
    page.phone.core().dismiss_notice("test".into()).await.unwrap();
    assert_eq!(next_notices(&mut stream, &mut unread).await, json!([]));
}

/// The next line of the stream, which may come in pieces or with its neighbours.
async fn next_line(stream: &mut reqwest::Response, unread: &mut Vec<u8>) -> String {
    loop {
        if let Some(end) = unread.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            return String::from_utf8(line).unwrap().trim_end().to_owned();
        }
        unread.extend_from_slice(&stream.chunk().await.unwrap().expect("the stream goes on"));
    }
}

/// What the next `notices_changed` says. The phone that just started may still be telling other things.
async fn next_notices(stream: &mut reqwest::Response, unread: &mut Vec<u8>) -> Value {
    loop {
        let line = next_line(stream, unread).await;
        let mut event: Value = serde_json::from_str(&line).unwrap();
        if event["event"] == "notices_changed" {
            return event["data"].take();
        }
    }
}

#[tokio::test]
async fn the_page_itself_needs_no_secret() {
    let page = page().await;
    let answer = page.http.get(page.url("/")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    assert!(answer.text().await.unwrap().contains("Kennex Dialer"));
}
