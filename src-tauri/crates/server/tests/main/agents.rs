//! Several agents at one server: who is rung, who may call, and what they are told.

use dialer_simulator::{Simulator, SimulatorOptions};
use dialer_twilio::webhook::Form;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::cloud::{OURS, Running, THEIRS, account, call, from_agent};

fn caller(n: u8) -> Form {
    Form::new()
        .with("AccountSid", account())
        .with("CallSid", call(n))
        .with("Direction", "inbound")
        .with("From", THEIRS)
        .with("To", OURS)
}

/// The end of an agent's call, who heard a sentence.
fn over(n: u8) -> Form {
    from_agent(n, "").with("CallStatus", "completed").with("CallDuration", "3")
}

/// The seed's plain request, which has no direction and no CallSid.
fn short_form(to: &str) -> Form {
    Form::new().with("AccountSid", account()).with("To", to).with("From", OURS)
}

#[tokio::test]
async fn who_signed_in_is_rung_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]).await;
    for agent in ["albert", "berta"] {
        server.agent("/api/calls/token", json!({ "agentId": agent })).await;
    }
    server.stop().await;
    let server = Running::start(folder.path(), &[]).await;
    let document = server.voice(&caller(1)).await;
    for agent in ["albert", "berta"] {
        assert!(document.contains(&format!("<Identity>{agent}</Identity>")), "{document}");
    }
    server.stop().await;

    // Whatever became of the file, callers are answered.
    std::fs::write(folder.path().join("calls.sqlite.agents.json"), "{").unwrap();
    let server = Running::start(folder.path(), &[]).await;
    assert!(!server.voice(&caller(2)).await.contains("<Identity>"));
    server.stop().await;
}

#[tokio::test]
async fn of_twelve_agents_the_last_two_are_rung_by_the_next_call() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]).await;
    for n in 1..=12 {
        server.agent("/api/calls/token", json!({ "agentId": format!("agent_{n:02}") })).await;
    }
    let rung = |document: &str| document.matches("<Client ").count();
    let first = server.voice(&caller(1)).await;
    let second = server.voice(&caller(2)).await;
    assert_eq!((rung(&first), rung(&second)), (10, 10));
    for last in ["agent_11", "agent_12"] {
        assert!(!first.contains(last) && second.contains(last), "{last}: {first} {second}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_one_agent_asked_for_is_not_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[("REQUIRE_INTENT", "1")]).await;
    let ask = async |agent: &str| {
        let (status, answer) =
            server.agent("/api/calls/intents", json!({ "agentId": agent, "to": THEIRS })).await;
        assert_eq!(status, 200, "{answer}");
        answer["callId"].as_str().unwrap().to_owned()
    };
    let bertas = ask("berta").await;
    let document = server.voice(&from_agent(1, THEIRS).with("CallId", &bertas)).await;
    assert!(!document.contains("<Dial"), "albert's token, berta's wish: {document}");
    server.webhook("/api/calls/status", &over(1)).await;
    let row = server.logged(|row| !row["reason"].is_null()).await;
    assert!(row["reason"].as_str().unwrap().contains("POST /api/calls/intents"), "{row}");
    let alberts = ask("albert").await;
    let document = server.voice(&from_agent(2, THEIRS).with("CallId", &alberts)).await;
    assert!(document.contains("<Dial"), "{document}");

    // The short form is no way around it.
    let document = server.voice(&short_form(THEIRS)).await;
    assert!(!document.contains("<Dial"), "{document}");
    let wish = ask("albert").await;
    let document = server.voice(&short_form(THEIRS).with("CallId", &wish)).await;
    assert!(document.contains("<Dial") && document.contains(THEIRS), "{document}");
    let (_, figures) = server.read("/metrics").await;
    assert!(figures.contains("dialer_calls_refused_total{reason=\"not_asked_for\"} 2"), "{figures}");
    server.stop().await;
}

#[tokio::test]
async fn without_require_intent_the_short_form_is_connected() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]).await;
    assert!(server.voice(&short_form(THEIRS)).await.contains("<Dial"));
    server.stop().await;
}

#[tokio::test]
async fn advice_names_what_is_set_at_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), &[]).await;
    let premium = "+19005550123";
    let (status, answer) =
        server.agent("/api/calls/intents", json!({ "agentId": "albert", "to": premium })).await;
    assert_eq!(status, 403);
    assert!(answer["error"].as_str().unwrap().contains("outgoing.premium in RULES_FILE"), "{answer}");
    server.voice(&from_agent(1, premium)).await;
    server.webhook("/api/calls/status", &over(1)).await;
    let row = server.logged(|row| !row["reason"].is_null()).await;
    assert!(row["reason"].as_str().unwrap().contains("outgoing.premium in RULES_FILE"), "{row}");
    server.stop().await;
}

#[tokio::test]
async fn the_days_money_is_held_to_twilios_prices() {
    let simulator = Simulator::start(SimulatorOptions::default()).await.unwrap();
    let practice = simulator.account();
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.json");
    // The simulator's calls within the United States cost 0.014 dollars a minute.
    let limit = json!({ "outgoing": { "money_per_day": { "micros": 45_000, "currency": "USD" }}});
    std::fs::write(&rules, limit.to_string()).unwrap();
    let more = [
        ("TWILIO_ACCOUNT_SID", practice.account_sid.as_str()),
        ("TWILIO_API_KEY", practice.api_key_sid.as_str()),
        ("TWILIO_API_SECRET", practice.api_key_secret.expose_secret()),
        ("TWILIO_SIMULATOR", &simulator.base_url()),
        ("RULES_FILE", rules.to_str().unwrap()),
    ];
    let server = Running::start(folder.path(), &more).await;
    let from_agent = |n| {
        let form = from_agent(n, THEIRS);
        let pairs = form.pairs().iter().filter(|(name, _)| name != "AccountSid").cloned();
        pairs.collect::<Form>().with("AccountSid", practice.account_sid.as_str())
    };
    let document = server.voice(&from_agent(1)).await;
    assert!(document.contains("timeLimit=\"180\""), "three minutes: {document}");
    let document = server.voice(&from_agent(2)).await;
    assert!(!document.contains("<Dial"), "and nothing for a second: {document}");
    server.stop().await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn who_is_taken_out_of_the_queue_is_in_one_row_with_who_takes_them() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.json");
    std::fs::write(&rules, r#"{"incoming":{"open":{"type":"queue"}}}"#).unwrap();
    let server = Running::start(folder.path(), &[("RULES_FILE", rules.to_str().unwrap())]).await;
    assert!(server.voice(&caller(1)).await.contains("<Enqueue"));
    let in_queue = |form: Form| form.with("CallStatus", "in-progress").with("QueueTime", "33");
    let waits = in_queue(caller(1)).with("QueuePosition", "1");
    assert_eq!(server.webhook("/api/calls/queue/wait", &waits).await.0, 200);
    assert!(server.read("/metrics").await.1.contains("dialer_queue_waiting 1"));
    let document = server.voice(&from_agent(2, "queue:")).await;
    assert!(document.contains("/api/calls/queue/taken"), "{document}");
    let taken = in_queue(caller(1)).with("DequeingCallSid", call(2));
    let (status, document) = server.webhook("/api/calls/queue/taken", &taken).await;
    assert_eq!((status, document.contains("<Response/>")), (200, true), "{document}");
    let row = server.logged(|row| row["legs"].as_array().is_some_and(|legs| legs.len() == 2)).await;
    assert_eq!((row["peer"].as_str(), row["waited_s"].as_u64()), (Some(THEIRS), Some(33)));
    assert!(server.read("/metrics").await.1.contains("dialer_queue_waiting 0"));
    server.stop().await;
}
