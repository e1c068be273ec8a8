//! Proxies from the environment, which is a process's own: each test runs its part in a child.

use std::process::{Command, ExitStatus};

use dialer_twilio::rest::{BaseUrls, Client, ClientOptions, RestError, UnreachableCause};
use url::Url;

use super::bench::{Recorder, answer, client, json, owner};

/// Runs the ignored test `name` of this binary with a proxy.
async fn child(name: &str, proxy: &Url, simulator: &Url) -> ExitStatus {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--ignored", "--exact", "--nocapture", name])
        .envs(["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].map(|name| (name, proxy.as_str())))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env("DIALER_TEST_SIMULATOR", simulator.as_str());
    tokio::task::spawn_blocking(move || command.status().unwrap()).await.unwrap()
}

#[tokio::test]
async fn twilio_is_reached_through_the_proxy_and_this_computer_is_not() {
    let proxy = Recorder::start(|_, _| answer(407, "text/html", "<p>Who are you?</p>")).await;
    let simulator = Recorder::start(|_, _| json(200, "{}")).await;
    assert!(child("rest::proxies::behind_a_proxy", &proxy.url, &simulator.url).await.success());
    assert_eq!(simulator.count(), 1);
    let seen = proxy.seen();
    assert_eq!(seen.len(), 1, "a proxy that refuses is not asked again");
    assert_eq!(seen[0].sent.method, "CONNECT");
    assert_eq!(seen[0].authorization, None, "the account's credentials are not the proxy's");
}

#[tokio::test]
#[ignore = "a part of another test, which sets its environment"]
async fn behind_a_proxy() {
    let twilio = Client::new(BaseUrls::twilio(), owner(), ClientOptions::default()).unwrap();
    let error = twilio.probe().await.unwrap_err();
    let is_proxy = matches!(error, RestError::Unreachable { cause: UnreachableCause::Proxy, .. });
    assert!(is_proxy, "{error:?}");
    assert!(error.user_error().message.contains("proxy"));

    let simulator = Url::parse(&std::env::var("DIALER_TEST_SIMULATOR").unwrap()).unwrap();
    client(&simulator, ClientOptions::default()).0.probe().await.unwrap();
}
