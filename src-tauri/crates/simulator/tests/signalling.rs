//! The signalling protocol: tokens, registration, lost sockets, malformed frames.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dialer_domain::ports::Clock;
use dialer_domain::sid::CallSid;
use dialer_simulator::{Faults, Happening, IncomingCall, Pace, SimulatorOptions};
use dialer_twilio::access_token::{Claims, Grants, IncomingGrant, OutgoingGrant, VoiceGrant};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::bench::{Bench, Phone, Sdk, now_ms};

/// The claims of a good token, to be spoilt.
fn claims(bench: &Bench) -> Claims {
    let account = bench.simulator.account();
    let now = now_ms() / 1000;
    Claims {
        jti: format!("{}-{now}", account.api_key_sid),
        grants: Grants {
            identity: Some("agent_1".into()),
            voice: Some(VoiceGrant {
                incoming: Some(IncomingGrant { allow: true }),
                outgoing: Some(OutgoingGrant {
                    application_sid: bench.app.to_string(),
                    params: BTreeMap::new(),
                }),
                push_credential_sid: None,
                endpoint_id: None,
            }),
        },
        iat: Some(now),
        nbf: Some(now - 30),
        exp: now + 600,
        iss: account.api_key_sid.to_string(),
        sub: account.account_sid.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_bad_token_is_refused_with_its_code() {
    let bench = Bench::start().await;
    let secret = bench.simulator.account().api_key_secret;
    let sign = |claims: &Claims| claims.sign(None, &secret).unwrap().expose_secret().to_owned();
    let spoilt = |spoil: fn(&mut Claims)| {
        let mut claims = claims(&bench);
        spoil(&mut claims);
        sign(&claims)
    };
    let forged = claims(&bench).sign(None, &"another secret".into()).unwrap().expose_secret().to_owned();
    let cases = [
        ("no JWT", "not-a-jwt".to_owned(), 31_204),
        ("expired", spoilt(|claims| claims.exp -= 700), 31_205),
        ("not yet valid", spoilt(|claims| claims.nbf = claims.nbf.map(|nbf| nbf + 300)), 31_204),
        ("over 24 hours", spoilt(|claims| claims.exp += 86_400), 31_207),
        ("unknown key", spoilt(|claims| claims.iss = format!("SK{}", "0".repeat(32))), 31_203),
        ("other account", spoilt(|claims| claims.sub = format!("AC{}", "0".repeat(32))), 31_203),
        ("no voice grant", spoilt(|claims| claims.grants.voice = None), 31_201),
        ("no identity", spoilt(|claims| claims.grants.identity = None), 31_201),
        ("bad identity", spoilt(|claims| claims.grants.identity = Some("Zoë".into())), 31_105),
        ("forged", forged, 31_202),
    ];
    let mut sdk = Sdk::connect(&bench.simulator).await;
    for (name, token, code) in cases {
        sdk.send_listen(&token, 0);
        assert_eq!(sdk.expect("error").await["error"]["code"], code, "{name}");
        sdk.send("register", json!({ "media": { "audio": true } }));
        assert_eq!(sdk.expect("error").await["error"]["code"], 31_201, "{name}: not registered");
    }
    // The same socket takes a good one.
    let connected = sdk.listen(&bench.token("agent_1"), 0).await;
    assert_eq!(connected["token"]["identity"], "agent_1");
    assert!((3590..=3600).contains(&connected["token"]["ttl"].as_i64().unwrap()), "{connected}");
    for field in ["region", "edge", "home", "gateway"] {
        assert!(connected[field].is_string(), "{field}");
    }
    sdk.register().await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn registration_comes_and_goes() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    assert_eq!(bench.simulator.registered(), ["agent_1"]);
    sdk.register().await;
    assert_eq!(bench.simulator.registered(), ["agent_1"], "repeated every 30 s");
    sdk.send("register", json!({ "media": { "audio": false } }));
    sdk.expect("offline").await;
    assert!(bench.simulator.registered().is_empty());
    // A token for someone else on the same socket must register anew.
    sdk.register().await;
    sdk.listen(&bench.token("agent_2"), 0).await;
    assert!(bench.simulator.registered().is_empty());
    sdk.register().await;
    assert_eq!(bench.simulator.registered(), ["agent_2"]);
    drop(sdk);
    bench.event(|what| matches!(what, Happening::SocketClosed { .. })).await;
    assert!(bench.simulator.registered().is_empty());
    let outgoing_only = bench.new_token("agent_3").outgoing(bench.app.clone());
    let mut sdk = Sdk::connect(&bench.simulator).await;
    sdk.listen(&bench.sign(&outgoing_only), 0).await;
    sdk.send("register", json!({ "media": { "audio": true } }));
    assert_eq!(sdk.expect("error").await["error"]["code"], 31_201);
    bench.stop().await;
}

/// A clock that stands until it is moved.
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_runs_out_ends_the_registration_but_not_the_call() {
    // One second is left of the token by the simulator's own clock.
    let clock = Arc::new(TestClock(AtomicI64::new(now_ms())));
    let options = SimulatorOptions {
        pace: Pace::times(20.0).unwrap(),
        clock: clock.clone(),
        ..SimulatorOptions::default()
    };
    let bench = Bench::start_with(options).await;
    let mut sdk = Sdk::connect(&bench.simulator).await;
    sdk.listen(&bench.token("agent_1"), 0).await;
    sdk.register().await;
    let phone = Phone::new();
    bench.dial_number("+12025550101");
    sdk.invite(&phone, "To=x").await;
    let (call_sid, _) = sdk.answered(&phone).await;
    clock.0.fetch_add(3_599_000, Ordering::SeqCst);
    // A heartbeat or any frame makes the socket look at the clock again.
    sdk.send_text("\n");
    assert_eq!(sdk.expect("error").await["error"]["code"], 31_205);
    sdk.expect("offline").await;
    phone.reset();
    phone.hears(440.0).await;
    sdk.send("register", json!({ "media": { "audio": true } }));
    assert_eq!(sdk.expect("error").await["error"]["code"], 31_205);
    sdk.send("hangup", json!({ "callsid": call_sid }));
    bench.webhooks.wait("/parent", 1).await;
    sdk.invite(&Phone::new(), "To=x").await;
    assert_eq!(sdk.expect("hangup").await["error"]["code"], 31_205);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_frames_are_errors_and_the_socket_lives() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    let deep = "[".repeat(5_000);
    for text in [
        "",
        "{",
        "null",
        "\u{0}",
        "{\"type\":\"listen\"}",
        "{\"type\":\"roger\",\"payload\":{}}",
        deep.as_str(),
    ] {
        sdk.send_text(text);
        assert_eq!(sdk.expect("error").await["error"]["code"], 31_100, "{text:.20}");
    }
    // About calls that are not there: silence, or the news that they are over.
    for kind in ["hangup", "reject"] {
        sdk.send(kind, json!({ "callsid": "CAnone" }));
    }
    sdk.send("dtmf", json!({ "callsid": "CAnone", "dtmf": "1" }));
    sdk.send("answer", json!({ "callsid": "CAnone", "sdp": "v=0" }));
    assert_eq!(sdk.expect("hangup").await, json!({ "callsid": "CAnone" }));
    sdk.register().await;
    assert!(sdk.unexpected().is_empty());
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_come_by_themselves() {
    let bench = Bench::start().await;
    let mut sdk = Sdk::connect(&bench.simulator).await;
    sdk.expect("heartbeat").await;
    sdk.expect("heartbeat").await;
    bench.stop().await;
}

/// An answered call of `agent_1` that may be taken up again for `keep_s` seconds.
async fn call(bench: &Bench, phone: &Phone, keep_s: u32) -> (Sdk, CallSid, String) {
    let mut sdk = Sdk::connect(&bench.simulator).await;
    sdk.listen(&bench.token("agent_1"), keep_s).await;
    bench.dial_number("+12025550101");
    sdk.invite(phone, "To=x").await;
    let (call_sid, token) = sdk.answered(phone).await;
    phone.hears(440.0).await;
    (sdk, call_sid, token)
}

fn reconnect(sdk: &Sdk, call_sid: &CallSid, token: &str) {
    sdk.send("invite", json!({ "callsid": call_sid, "reconnect": token, "sdp": "v=0", "twilio": {} }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_its_socket_and_is_taken_up_again() {
    let bench = Bench::start().await;
    let phone = Phone::new();
    let (mut lost, call_sid, token) = call(&bench, &phone, 30).await;
    bench.simulator.cut_signalling();
    lost.expect_close().await;
    phone.reset();
    phone.hears(440.0).await;
    let mut sdk = Sdk::connect(&bench.simulator).await;
    sdk.listen(&bench.token("agent_1"), 30).await;
    reconnect(&sdk, &call_sid, &token);
    let answer = sdk.expect("answer").await;
    assert_eq!(answer["callsid"], json!(call_sid));
    assert!(answer["reconnect"].is_string());
    bench.event(|what| matches!(what, Happening::LegReconnected { .. })).await;
    bench.simulator.hang_up(&call_sid).unwrap();
    assert_eq!(sdk.expect("hangup").await["callsid"], json!(call_sid), "the new socket has the call");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_update_in_a_call_keeps_it() {
    let bench = Bench::start().await;
    let phone = Phone::new();
    let (mut sdk, call_sid, token) = call(&bench, &phone, 30).await;
    sdk.listen(&bench.token("agent_1"), 30).await;
    reconnect(&sdk, &call_sid, &token);
    assert_eq!(sdk.expect("answer").await["callsid"], json!(call_sid));
    phone.reset();
    phone.hears(440.0).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_taken_up_again_ends() {
    for keep_s in [0, 1] {
        let bench = Bench::start().await;
        let phone = Phone::new();
        let (sdk, call_sid, token) = call(&bench, &phone, keep_s).await;
        drop(sdk);
        let parent = bench.webhooks.wait("/parent", 1).await.remove(0);
        assert_eq!(parent.get("CallStatus"), "completed");
        let mut sdk = Sdk::connect(&bench.simulator).await;
        sdk.listen(&bench.token("agent_1"), 0).await;
        reconnect(&sdk, &call_sid, &token);
        assert_eq!(sdk.expect("hangup").await, json!({ "callsid": call_sid }), "the call is over");
        bench.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_cannot_be_taken_by_a_stranger() {
    let bench = Bench::start().await;
    let phone = Phone::new();
    let (_sdk, call_sid, token) = call(&bench, &phone, 30).await;
    let mut other = Sdk::connect(&bench.simulator).await;
    other.listen(&bench.token("agent_2"), 0).await;
    reconnect(&other, &call_sid, &token);
    other.expect("hangup").await;
    other.send("hangup", json!({ "callsid": call_sid }));
    let mut same = Sdk::connect(&bench.simulator).await;
    same.listen(&bench.token("agent_1"), 0).await;
    reconnect(&same, &call_sid, "guessed");
    assert_eq!(same.expect("hangup").await["error"]["code"], 31_209);
    phone.reset();
    phone.hears(440.0).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ice_restart_keeps_the_sound() {
    let bench = Bench::start().await;
    let phone = Phone::new();
    let (mut sdk, call_sid, _) = call(&bench, &phone, 0).await;
    let offer = phone.peer.ice_restart().await.unwrap();
    sdk.send("reinvite", json!({ "callsid": call_sid, "sdp": offer }));
    let answer = sdk.expect("answer").await;
    assert_eq!(answer["callsid"], json!(call_sid));
    phone.accept_answer(answer["sdp"].as_str().unwrap()).await;
    phone.reset();
    phone.hears(440.0).await;
    sdk.send("reinvite", json!({ "callsid": call_sid, "sdp": "nonsense" }));
    assert_eq!(sdk.expect("error").await["error"]["code"], 31_100);
    phone.reset();
    phone.hears(440.0).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn call_messages_are_acknowledged_or_refused() {
    let bench = Bench::start().await;
    let phone = Phone::new();
    let (mut sdk, call_sid, _) = call(&bench, &phone, 0).await;
    let message = |call: &str, kind: &str, content: String| {
        json!({ "callsid": call, "content": { "text": content }, "contenttype": "application/json",
                "messagetype": kind, "voiceeventsid": "KX1" })
    };
    let usual = "user-defined-message";
    sdk.send("message", message(call_sid.as_str(), usual, "hello".into()));
    assert_eq!(
        sdk.expect("ack").await,
        json!({ "acktype": "message", "callsid": call_sid, "voiceeventsid": "KX1" })
    );
    bench.event(|what| matches!(what, Happening::MessageReceived { content, .. } if content == "{\"text\":\"hello\"}")).await;
    for (payload, code) in [
        (message(call_sid.as_str(), "other", String::new()), 31_210),
        (message(call_sid.as_str(), usual, "x".repeat(20_000)), 31_212),
        (message("CAnone", usual, String::new()), 31_404),
    ] {
        sdk.send("message", payload);
        let error = sdk.expect("error").await;
        assert_eq!((&error["error"]["code"], &error["voiceeventsid"]), (&json!(code), &json!("KX1")));
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signalling_can_be_refused_and_delayed() {
    let bench = Bench::start().await;
    bench.simulator.set_faults(Faults { refuse_signalling: true, ..Faults::default() });
    assert!(Sdk::try_connect(&bench.simulator).await.is_err());
    bench.simulator.set_faults(Faults { delay_signalling_ms: 300, ..Faults::default() });
    let mut sdk = Sdk::connect(&bench.simulator).await;
    let before = std::time::Instant::now();
    sdk.listen(&bench.token("agent_1"), 0).await;
    assert!(before.elapsed().as_millis() >= 300);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_says_goodbye_and_frees_the_port() {
    let bench = Bench::start().await;
    let mut sdk = bench.agent("agent_1").await;
    bench.ring_client("agent_1");
    let caller = IncomingCall::from_number("+12025550101".to_owned().try_into().unwrap());
    bench.simulator.place_incoming(&caller).unwrap();
    sdk.expect("invite").await;
    let listen = bench.simulator.signal_host().parse().unwrap();
    let taken =
        dialer_simulator::Simulator::start(SimulatorOptions { listen, ..SimulatorOptions::default() }).await;
    assert!(matches!(taken, Err(dialer_simulator::StartError::PortInUse(_))), "{taken:?}");
    bench.simulator.shutdown().await;
    sdk.expect_close().await;
    bench.simulator.shutdown().await;
    let again =
        dialer_simulator::Simulator::start(SimulatorOptions { listen, ..SimulatorOptions::default() })
            .await
            .unwrap();
    again.shutdown().await;
    let open = "0.0.0.0:0".parse().unwrap();
    let refused =
        dialer_simulator::Simulator::start(SimulatorOptions { listen: open, ..SimulatorOptions::default() })
            .await;
    assert!(matches!(refused, Err(dialer_simulator::StartError::NotLoopback(_))), "{refused:?}");
}
