//! Faults of REST, and a clock that is off.

use std::time::Duration;

use dialer_simulator::{Faults, Happening, RestFailure, RestFault};
use serde_json::json;

use super::{Rest, refusal};
use crate::bench::{Bench, Sdk, now_ms};

fn fault(method: &str, part: &str, then: RestFailure) -> RestFault {
    RestFault { method: Some(method.into()), path_contains: Some(part.into()), times: None, then }
}

fn rest(rules: Vec<RestFault>) -> Faults {
    Faults { rest: rules, ..Faults::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_come_as_often_as_they_should_and_where() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let balance = owner.of("Balance.json");
    let limited = json!({ "rest": [
        { "method": "get", "path_contains": "/Balance", "times": 1, "then": { "does": "too_many_requests", "retry_after_s": 3 } },
        { "path_contains": "/Balance", "times": 1, "then": { "does": "unavailable" } },
        { "path_contains": "/Balance", "times": 1, "then": { "does": "internal_error" } },
    ] });
    let put = owner.request("PUT", "/sim/faults").json(&limited).send().await.unwrap();
    assert_eq!(put.status(), 204);
    let first = owner.request("GET", &balance).send().await.unwrap();
    assert_eq!((first.status().as_u16(), first.headers()["retry-after"].to_str().unwrap()), (429, "3"));
    assert_eq!(owner.get(&owner.of("Keys.json")).await.0, 200, "other paths are well");
    assert_eq!(refusal(owner.get(&balance).await), (503, 20_503));
    assert_eq!(refusal(owner.get(&balance).await), (500, 20_500));
    assert_eq!(owner.get(&balance).await.0, 200);
    assert_eq!(owner.get("/sim/faults").await.1["rest"][0]["times"], 0);
    bench.event(|what| matches!(what, Happening::RestRequest { status: Some(429), .. })).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_internal_error_may_have_done_its_work() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let keys = owner.of("Keys.json");
    let count = async || owner.get(&keys).await.1["keys"].as_array().unwrap().len();
    let before = count().await;
    for (processed, more) in [(false, 0), (true, 1)] {
        bench.simulator.set_faults(rest(vec![fault(
            "POST",
            "/Keys",
            RestFailure::InternalError { processed },
        )]));
        assert_eq!(refusal(owner.post(&keys, &[]).await), (500, 20_500));
        assert_eq!(count().await, before + more);
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_held_before_is_not_processed_until_it_is_released() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let keys = owner.of("Keys.json");
    bench.simulator.set_faults(rest(vec![fault("POST", "/Keys", RestFailure::HoldBefore)]));
    let held = |count: usize| {
        let seen = bench.simulator.events_since(0).into_iter();
        seen.filter(|event| matches!(event.what, Happening::RestHeld { processed: false, .. })).count()
            >= count
    };
    let until_held = async |count| {
        while !held(count) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // A client that goes away leaves nothing behind.
    let gone = tokio::spawn({
        let (owner, keys) = (owner.clone(), keys.clone());
        async move { owner.post(&keys, &[("FriendlyName", "gone")]).await }
    });
    until_held(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    bench.event(|what| matches!(what, Happening::RestRequest { status: None, .. })).await;
    let waiting = tokio::spawn({
        let (owner, keys) = (owner.clone(), keys.clone());
        async move { owner.post(&keys, &[("FriendlyName", "patient")]).await }
    });
    until_held(2).await;
    let names = async || owner.get(&keys).await.1["keys"].to_string();
    assert!(!names().await.contains("patient"), "not processed yet");
    bench.simulator.set_faults(Faults::default());
    assert_eq!(waiting.await.unwrap().0, 201);
    let names = names().await;
    assert!(names.contains("patient") && !names.contains("gone"), "{names}");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_held_after_leaves_the_work_done() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let apps = owner.of("Applications.json");
    bench.simulator.set_faults(rest(vec![fault("POST", "/Applications", RestFailure::HoldAfter)]));
    let waiting = tokio::spawn({
        let (owner, apps) = (owner.clone(), apps.clone());
        async move { owner.post(&apps, &[("FriendlyName", "half known")]).await }
    });
    bench.event(|what| matches!(what, Happening::RestHeld { processed: true, .. })).await;
    let (_, found) = owner.get(&owner.of("Applications.json?FriendlyName=half%20known")).await;
    assert_eq!(found["applications"].as_array().unwrap().len(), 1, "Twilio has it");
    assert!(!waiting.is_finished(), "the client does not know");
    // A stop lets nobody wait.
    bench.stop().await;
    assert!(waiting.await.unwrap_err().is_panic(), "the connection broke");
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_that_come_between() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let balance = owner.of("Balance.json");
    let with = |then| bench.simulator.set_faults(rest(vec![fault("GET", "/Balance", then)]));
    let send = || owner.request("GET", &balance).send();
    with(RestFailure::SignInPage);
    let page = send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    with(RestFailure::Redirect);
    let redirect = send().await.unwrap();
    assert_eq!(redirect.status(), 302);
    assert!(redirect.headers().contains_key("location"));
    with(RestFailure::ProxySignIn);
    assert_eq!(send().await.unwrap().status(), 407);
    with(RestFailure::Close);
    assert!(send().await.unwrap_err().is_request(), "no answer at all");
    bench.event(|what| matches!(what, Happening::RestRequest { status: None, .. })).await;
    with(RestFailure::Truncate);
    let half = send().await.unwrap();
    assert_eq!(half.status(), 200);
    assert!(half.bytes().await.is_err(), "the body ends too early");
    with(RestFailure::Delay { ms: 50 });
    assert_eq!(send().await.unwrap().status(), 200);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twilios_clock_may_differ() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let token = bench.token("agent_1");
    // The token is good for an hour at most.
    let offset_ms = 2 * 3_600_000;
    bench.simulator.set_faults(Faults { date_offset_ms: offset_ms, ..Faults::default() });
    let answer = owner.request("GET", &owner.of("Balance.json")).send().await.unwrap();
    let date = answer.headers()["date"].to_str().unwrap().to_owned();
    let parsed = time::OffsetDateTime::parse(
        &date.replace("GMT", "+0000"),
        &time::format_description::well_known::Rfc2822,
    )
    .unwrap();
    let ahead_ms = parsed.unix_timestamp() * 1000 - now_ms();
    assert!((ahead_ms - offset_ms).abs() < 60_000, "{date}");
    let sdk = Sdk::connect(&bench.simulator).await;
    sdk.send("listen", json!({ "token": token }));
    bench.event(|what| matches!(what, Happening::TokenRefused { code: 31_205, .. })).await;
    bench.simulator.set_faults(Faults { date_offset_ms: -offset_ms, ..Faults::default() });
    sdk.send("listen", json!({ "token": token }));
    bench.event(|what| matches!(what, Happening::TokenRefused { code: 31_204, .. })).await;
    bench.stop().await;
}
