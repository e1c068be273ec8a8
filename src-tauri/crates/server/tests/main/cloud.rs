//! The headless server over real sockets: Twilio's hand on one side, an agent's on the other.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dialer_domain::call::CallOutcome;
use dialer_domain::ports::{Clock, SystemClock};
use dialer_domain::sid::{AccountSid, ApiKeySid};
use dialer_server::cloud::config::Config;
use dialer_server::cloud::{Cloud, health};
use dialer_twilio::access_token::{SigningKey, verify};
use dialer_twilio::signature::{SignedBody, WebhookKey, sign};
use dialer_twilio::webhook::Form;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const OURS: &str = "+12025550100";
pub(crate) const THEIRS: &str = "+12025550123";
const BASE: &str = "https://phone.example.com";
const AGENT_TOKEN: &str = "a-token-of-this-test-only";
const AUTH_TOKEN: &str = "0123456789abcdef0123456789abcdef";
const API_SECRET: &str = "Abcdefgh01234567Abcdefgh01234567";

pub(crate) fn account() -> String {
    format!("AC{}", "0a".repeat(16))
}

/// A clock that stands still, so that nobody's turn comes again.
struct StandingStill;

impl Clock for StandingStill {
    fn now_ms(&self) -> i64 {
        1_795_000_000_000
    }
}

pub(crate) struct Running {
    http: reqwest::Client,
    twilio: SocketAddr,
    agents: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    pub(crate) async fn start(folder: &Path, more: &[(&str, &str)]) -> Self {
        Self::start_at(folder, more, Arc::new(SystemClock)).await
    }

    async fn start_at(folder: &Path, more: &[(&str, &str)], clock: Arc<dyn Clock>) -> Self {
        let config = Config::read(&|name| {
            if let Some((_, value)) = more.iter().find(|(known, _)| *known == name) {
                return Some((*value).to_owned());
            }
            Some(match name {
                "TWILIO_ACCOUNT_SID" => account(),
                "TWILIO_AUTH_TOKEN" => AUTH_TOKEN.into(),
                "TWILIO_API_KEY" => format!("SK{}", "0b".repeat(16)),
                "TWILIO_API_SECRET" => API_SECRET.into(),
                "TWILIO_PHONE_NUMBER" => OURS.into(),
                "TWILIO_TWIML_APP_SID" => format!("AP{}", "0c".repeat(16)),
                "BACKEND_URL" => BASE.into(),
                "AGENT_API_TOKEN" => AGENT_TOKEN.into(),
                "DATABASE_URL" => format!("sqlite://{}", folder.join("calls.sqlite").display()),
                // Nobody listens there.
                "TWILIO_SIMULATOR" => "http://127.0.0.1:1".into(),
                _ => return None,
            })
        })
        .unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let cloud = Cloud::start(config, any, any, clock).await.unwrap();
        let (twilio, agents) = (cloud.local_addr(), cloud.agent_addr());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(cloud.run(async {
            let _ = stopped.await;
        }));
        Self { http: reqwest::Client::new(), twilio, agents, stop: Some(stop), running }
    }

    /// Ends as a service that is stopped.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(Duration::from_secs(20), &mut self.running).await.unwrap().unwrap().unwrap();
    }

    pub(crate) async fn agent(&self, path: &str, body: Value) -> (u16, Value) {
        let answer = self
            .http
            .post(format!("http://{}{path}", self.agents))
            .bearer_auth(AGENT_TOKEN)
            .json(&body)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub(crate) async fn read(&self, path: &str) -> (u16, String) {
        let answer = self
            .http
            .get(format!("http://{}{path}", self.agents))
            .bearer_auth(AGENT_TOKEN)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// A webhook as Twilio sends it.
    pub(crate) async fn webhook(&self, path: &str, form: &Form) -> (u16, String) {
        let key = WebhookKey::AuthToken(SecretString::from(AUTH_TOKEN));
        let signature = sign(&key, &format!("{BASE}{path}"), SignedBody::Form(form.pairs()));
        let answer = self
            .http
            .post(format!("http://{}{path}", self.twilio))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("X-Twilio-Signature", signature)
            .body(form.encode())
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn voice(&self, form: &Form) -> String {
        let (status, document) = self.webhook("/api/calls/twiml", form).await;
        assert_eq!(status, 200);
        document
    }

    /// The newest row of the log, once it is as `done` says.
    pub(crate) async fn logged(&self, done: impl Fn(&Value) -> bool) -> Value {
        let look = async {
            loop {
                let (status, page) = self.read("/api/calls").await;
                assert_eq!(status, 200);
                let page: Value = serde_json::from_str(&page).unwrap();
                let row = page["calls"][0].clone();
                if !row.is_null() && done(&row) {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), look).await.expect("the call is logged in the end")
    }
}

pub(crate) fn call(n: u8) -> String {
    format!("CA{}", format!("{n:02x}").repeat(16))
}

pub(crate) fn from_agent(n: u8, to: &str) -> Form {
    Form::new()
        .with("AccountSid", account())
        .with("CallSid", call(n))
        .with("Direction", "inbound")
        .with("From", "client:albert")
        .with("Caller", "client:albert")
        .with("To", to)
}

#[tokio::test]
async fn an_agent_signs_in_calls_and_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]).await;
    let (status, answer) = server.agent("/api/calls/token", json!({ "agentId": "albert" })).await;
    assert_eq!((status, &answer["identity"]), (200, &json!("albert")));
    let keys = |key: &ApiKeySid| {
        (key.as_str() == format!("SK{}", "0b".repeat(16))).then(|| SigningKey {
            account_sid: AccountSid::parse(&account()).unwrap(),
            secret: SecretString::from(API_SECRET),
        })
    };
    let now_ms = SystemClock.now_ms();
    let token = verify(answer["token"].as_str().unwrap(), now_ms / 1_000, keys).unwrap();
    assert_eq!(token.identity.as_str(), "albert");
    let expires = answer["expiresAt"].as_i64().unwrap();
    assert!((3_500..=3_600).contains(&(expires - now_ms / 1_000)), "Unix seconds, in an hour");

    let document = server.voice(&from_agent(1, THEIRS)).await;
    assert!(document.contains(&format!(r#"callerId="{OURS}""#)) && document.contains(THEIRS), "{document}");
    let incoming = Form::new()
        .with("AccountSid", account())
        .with("CallSid", call(2))
        .with("Direction", "inbound")
        .with("From", THEIRS)
        .with("To", OURS);
    let document = server.voice(&incoming).await;
    assert!(document.contains("<Identity>albert</Identity>"), "{document}");
    server.stop().await;
}

#[tokio::test]
async fn nobody_is_rung_before_somebody_signed_in() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]).await;
    let incoming = Form::new()
        .with("AccountSid", account())
        .with("CallSid", call(2))
        .with("Direction", "inbound")
        .with("From", THEIRS)
        .with("To", OURS);
    let document = server.voice(&incoming).await;
    assert!(!document.contains("<Client"), "{document}");
    server.stop().await;
}

#[tokio::test]
async fn without_the_bearer_token_agents_routes_answer_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]).await;
    for token in [None, Some(""), Some("guess"), Some("a-token-of-this-test-onlY")] {
        for path in ["/api/calls/token", "/api/calls/intents"] {
            let mut request = server
                .http
                .post(format!("http://{}{path}", server.agents))
                .json(&json!({ "agentId": "albert", "to": THEIRS }));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 401, "{token:?}");
            assert!(!answer.text().await.unwrap().contains("eyJ"));
        }
    }
    let (status, _) = server.webhook("/api/calls/token", &Form::new().with("agentId", "albert")).await;
    assert_eq!(status, 404, "the listener for Twilio has no tokens");
    server.stop().await;
}

#[tokio::test]
async fn bad_requests_of_agents_get_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_at(folder.path(), &[], Arc::new(StandingStill)).await;
    for (body, expected) in [
        (json!({}), 422),
        (json!({ "agentId": "" }), 400),
        (json!({ "agentId": "albert einstein" }), 400),
        (json!({ "agentId": "a".repeat(122) }), 400),
        (json!({ "agentId": "a".repeat(8_000) }), 413),
    ] {
        let (status, answer) = server.agent("/api/calls/token", body).await;
        assert_eq!(status, expected, "{answer}");
        assert!(answer["error"].as_str().is_some_and(|error| error.len() > 10), "{answer}");
    }
    let mut refused = 0;
    for _ in 0..15 {
        let (status, _) = server.agent("/api/calls/token", json!({ "agentId": "eager" })).await;
        refused += usize::from(status == 429);
    }
    assert_eq!(refused, 5, "ten at once for each agent");
    let (status, _) = server.agent("/api/calls/token", json!({ "agentId": "patient" })).await;
    assert_eq!(status, 200, "others are not concerned");
    server.stop().await;
}

#[tokio::test]
async fn with_require_intent_only_calls_asked_for_are_connected_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[("REQUIRE_INTENT", "1")]).await;
    let document = server.voice(&from_agent(1, THEIRS)).await;
    assert!(!document.contains("<Dial"), "a token alone cannot dial: {document}");

    let ask = json!({ "agentId": "albert", "to": THEIRS });
    let (status, answer) = server.agent("/api/calls/intents", ask).await;
    assert_eq!(status, 200, "{answer}");
    let call_id = answer["callId"].as_str().unwrap();
    let document = server.voice(&from_agent(2, THEIRS).with("CallId", call_id)).await;
    assert!(document.contains("<Dial"), "{document}");
    let document = server.voice(&from_agent(3, THEIRS).with("CallId", call_id)).await;
    assert!(!document.contains("<Dial"), "used up: {document}");

    let (status, answer) =
        server.agent("/api/calls/intents", json!({ "agentId": "albert", "to": "+33123456789" })).await;
    assert_eq!(status, 403);
    assert!(answer["error"].as_str().unwrap().contains("France"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn calls_are_logged_and_the_log_outlives_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]).await;
    server.voice(&from_agent(1, THEIRS)).await;
    let far_leg = |status: &str| {
        Form::new()
            .with("AccountSid", account())
            .with("CallSid", call(9))
            .with("ParentCallSid", call(1))
            .with("CallStatus", status)
            .with("From", OURS)
            .with("To", THEIRS)
    };
    for (sequence, status) in ["initiated", "ringing", "in-progress"].into_iter().enumerate() {
        let form = far_leg(status).with("SequenceNumber", sequence.to_string());
        assert_eq!(server.webhook("/api/calls/status", &form).await.0, 204);
    }
    let last = far_leg("completed").with("SequenceNumber", "3").with("CallDuration", "42");
    server.webhook("/api/calls/status", &last).await;
    let row = server.logged(|row| row["duration_s"] == 42).await;
    assert_eq!(row["outcome"], serde_json::to_value(CallOutcome::Answered).unwrap());
    server.stop().await;

    let server = Running::start(folder.path(), &[]).await;
    server.logged(|row| row["duration_s"] == 42).await;
    server.stop().await;
}

#[tokio::test]
async fn monitoring_sees_how_the_server_is() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.read(path).await.0, 200, "{path}");
    }
    server.agent("/api/calls/token", json!({ "agentId": "albert" })).await;
    let (_, figures) = server.read("/metrics").await;
    assert!(
        figures.contains("dialer_agents_signed_in 1") && figures.contains("dialer_tokens_issued_total 1")
    );
    health::check(server.agents).await.unwrap();
    let address = server.agents;
    server.stop().await;
    assert!(health::check(address).await.unwrap_err().to_string().contains("nothing answers"));
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path(), &[]).await;
    let mut half = TcpStream::connect(server.agents).await.unwrap();
    let head = format!(
        "POST /api/calls/token HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {AGENT_TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        server.agents
    );
    half.write_all(head.as_bytes()).await.unwrap();
    server.voice(&from_agent(1, THEIRS)).await;
    drop(server.stop.take());
    // systemd and Docker kill after 15 seconds.
    let ended = tokio::time::timeout(Duration::from_secs(12), &mut server.running).await;
    ended.expect("the server ends in time").unwrap().unwrap();

    let server = Running::start(folder.path(), &[]).await;
    server.logged(|row| row["peer"] == THEIRS).await;
    server.stop().await;
}
