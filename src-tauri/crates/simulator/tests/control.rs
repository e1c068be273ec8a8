//! The control API over HTTP, and the program.

use std::process::Stdio;

use dialer_simulator::{CallRecord, Happening, Heard, SimEvent, SimulatorOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::bench::{Answer, Bench, OUR_NUMBER};

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_can_be_arranged_and_followed_over_http() {
    let bench = Bench::start().await;
    let base = format!("{}/sim", bench.simulator.base_url());
    let http = client();
    bench
        .webhooks
        .answer("/http-voice", Answer::twiml("<Play loop=\"0\">http://192.0.2.1/never-fetched.mp3</Play>"));
    let app = json!({ "friendly_name": "over http", "voice_url": bench.webhooks.url("/http-voice") });
    let made: Value =
        http.post(format!("{base}/applications")).json(&app).send().await.unwrap().json().await.unwrap();
    let binding = json!({ "application_sid": made["sid"] });
    let bound = http.put(format!("{base}/numbers/{OUR_NUMBER}")).json(&binding).send().await.unwrap();
    assert_eq!(bound.status(), 204);
    let account: Value = http.get(format!("{base}/account")).send().await.unwrap().json().await.unwrap();
    assert_eq!(account["numbers"][0]["application_sid"], made["sid"]);
    let shown = account.to_string();
    for secret in [bench.simulator.account().auth_token, bench.simulator.account().api_key_secret] {
        assert!(
            !shown.contains(secrecy::ExposeSecret::expose_secret(&secret)),
            "no secret travels over HTTP"
        );
    }
    let incoming = json!({ "from": "+12025550109" });
    let placed: Value =
        http.post(format!("{base}/incoming")).json(&incoming).send().await.unwrap().json().await.unwrap();
    let call = placed["call_sid"].as_str().unwrap().to_owned();
    // Followed by number, without gaps.
    let (mut last, mut answered) = (0, false);
    while !answered {
        let url = format!("{base}/events?since={last}&wait_ms=30000");
        let events: Vec<SimEvent> = http.get(url).send().await.unwrap().json().await.unwrap();
        for event in events {
            assert_eq!(event.number, last + 1);
            last = event.number;
            answered |= matches!(event.what, Happening::LegStatus { status, .. } if status.as_wire() == "in-progress");
        }
    }
    let pressed = http
        .post(format!("{base}/calls/{call}/digits"))
        .json(&json!({ "digits": "5" }))
        .send()
        .await
        .unwrap();
    assert_eq!(pressed.status(), 204);
    let heard: Heard =
        http.get(format!("{base}/calls/{call}/heard")).send().await.unwrap().json().await.unwrap();
    assert!(heard.dtmf.is_empty(), "it pressed and did not hear");
    let hung_up = http.post(format!("{base}/calls/{call}/hangup")).json(&json!({})).send().await.unwrap();
    assert_eq!(hung_up.status(), 204);
    bench.event(|what| matches!(what, Happening::LegStatus { status, .. } if status.is_final())).await;
    let calls: Vec<CallRecord> =
        http.get(format!("{base}/calls")).send().await.unwrap().json().await.unwrap();
    assert_eq!((calls.len(), calls[0].status.as_wire()), (1, "completed"));
    let again = http.post(format!("{base}/calls/{call}/hangup")).json(&json!({})).send().await.unwrap();
    assert_eq!(again.status(), 404);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_far_ends_and_mistakes_over_http() {
    let bench = Bench::start().await;
    let base = format!("{}/sim", bench.simulator.base_url());
    let http = client();
    let put = http
        .put(format!("{base}/faults"))
        .json(&json!({ "withhold_heartbeats": true }))
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), 204);
    assert!(bench.simulator.faults().withhold_heartbeats);
    let table: Vec<Value> = http.get(format!("{base}/far-ends")).send().await.unwrap().json().await.unwrap();
    assert_eq!(table.len(), bench.simulator.far_ends().len());
    let script = json!({ "answer": { "does": "busy" } });
    let scripted = http.put(format!("{base}/far-ends/+12025550177")).json(&script).send().await.unwrap();
    assert_eq!(scripted.status(), 204);
    for (path, body, status) in [
        ("faults", json!({ "no_such_fault": true }), 422),
        ("far-ends/12", script, 422),
        ("numbers/+12025550199", json!({ "application_sid": null }), 404),
        ("numbers/+12025550190", json!({ "application_sid": "AP1" }), 422),
        ("applications/AP1", json!({}), 404),
    ] {
        let answer = http.put(format!("{base}/{path}")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["error"].is_string(), "{path}: {problem}");
    }
    let page =
        http.get(format!("{base}/account")).header("origin", "http://pages.example").send().await.unwrap();
    assert_eq!(page.status(), 403);
    let rebound = http.get(format!("{base}/account")).header("host", "rebound.example").send().await.unwrap();
    assert_eq!(rebound.status(), 403);
    let form = http.post(format!("{base}/signalling/cut")).form(&[("a", "b")]).send().await.unwrap();
    assert_eq!(form.status(), 415);
    let rest = http
        .get(format!("{}/api/2010-04-01/Accounts/AC1.json", bench.simulator.base_url()))
        .send()
        .await
        .unwrap();
    assert_eq!(rest.status(), 401, "REST wants credentials");
    for path in ["/nothing", "/nothing/here"] {
        let unknown = http.get(format!("{}{path}", bench.simulator.base_url())).send().await.unwrap();
        let body: Value = unknown.json().await.unwrap();
        assert_eq!((&body["code"], &body["status"]), (&json!(20_404), &json!(404)), "{path}");
    }
    bench.stop().await;
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dialer-simulator"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_serves_and_keeps_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("scenario.json");
    std::fs::write(
        &scenario,
        r#"{"applications":{"mine":{"voice_url":"http://127.0.0.1:9/"}},"numbers":{"+12025550195":"mine"}}"#,
    )
    .unwrap();
    let secrets = folder.path().join("secrets.json");
    let mut command = program();
    command
        .args(["--listen", "127.0.0.1:0", "--seed", "7", "--scenario"])
        .arg(&scenario)
        .arg("--secrets-file")
        .arg(&secrets);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = String::new();
    let mut base = None;
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(url) = line.strip_prefix("Base URL:") {
            base = Some(url.trim().to_owned());
        }
        said.push_str(&line);
        if line.contains("Ctrl-C") {
            break;
        }
    }
    let account: Value =
        client().get(format!("{}/sim/account", base.unwrap())).send().await.unwrap().json().await.unwrap();
    assert_eq!(account["numbers"][0]["number"], "+12025550195");
    assert!(
        said.contains(account["account_sid"].as_str().unwrap()) && said.contains("+12025550195"),
        "{said}"
    );
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&secrets).unwrap()).unwrap();
    assert_eq!(written["account_sid"], account["account_sid"]);
    assert!(!said.contains(written["auth_token"].as_str().unwrap()), "secrets are not printed unasked");
    assert!(written["test_account_sid"].is_string() && written["test_auth_token"].is_string());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&secrets).unwrap().permissions().mode() & 0o077,
            0,
            "for its owner only"
        );
        let pid = child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert_eq!(child.wait().await.unwrap().code(), Some(0), "Ctrl-C ends it in order");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_explains_what_it_cannot_do() {
    let taken = dialer_simulator::Simulator::start(SimulatorOptions::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "{\n  \"numbers\": [\n").unwrap();
    let broken = broken.to_str().unwrap().to_owned();
    for (arguments, code, words) in [
        (vec!["--listen".to_owned(), taken.signal_host()], 2, "taken by another program"),
        (vec!["--listen".into(), "0.0.0.0:0".into()], 2, "loopback"),
        (vec!["--scenario".into(), broken], 2, "line 2, column"),
        (vec!["--scenario".into(), "/no/such/file.json".into()], 2, "/no/such/file.json"),
        (vec!["--pace".into(), "0".into()], 2, "pace"),
    ] {
        let output = program().args(&arguments).output().await.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
    let help = program().arg("--help").output().await.unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    for far_end in taken.far_ends() {
        assert!(text.contains(far_end.number.as_str()), "--help lists {}", far_end.number);
    }
    assert!(text.contains("/sim/incoming"), "--help names the control API");
    taken.shutdown().await;
}
