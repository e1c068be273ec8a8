//! Credentials and what they open; states of the account.

use dialer_domain::account::{AccountKind, AccountStanding};
use dialer_simulator::{AccountSettings, Happening, IncomingCall, KeyClass};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Rest, refusal};
use crate::bench::{Answer, Bench, Sdk, Webhooks};

#[tokio::test(flavor = "multi_thread")]
async fn each_class_of_credentials_opens_what_it_should() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let account = bench.simulator.account();
    let itself = format!("/api/2010-04-01/Accounts/{}.json", account.account_sid);
    let key = |class| {
        let (sid, secret) = bench.simulator.create_key(class, "a key");
        owner.signed_in(sid.as_str(), secret.expose_secret())
    };
    let (main, standard, restricted) =
        (key(KeyClass::Main), key(KeyClass::Standard), key(KeyClass::Restricted));

    let (status, shown) = owner.get(&itself).await;
    assert_eq!((status, &shown["type"], &shown["status"]), (200, &json!("Full"), &json!("active")));
    assert_eq!(shown["auth_token"], account.auth_token.expose_secret(), "as Twilio's answer has it");
    assert_eq!(main.get(&itself).await.0, 200);

    let secondary = "/accounts/v1/AuthTokens/Secondary";
    let iam = format!("/iam/v1/Keys?AccountSid={}", account.account_sid);
    for path in [itself.as_str(), &owner.of("Keys.json"), &iam] {
        assert_eq!(refusal(standard.get(path).await), (401, 20_003), "{path}");
        assert_eq!(refusal(restricted.get(path).await), (401, 70_051), "{path}");
    }
    assert_eq!(refusal(standard.post(secondary, &[]).await), (401, 20_003));

    for path in [owner.of("Applications.json"), owner.of("IncomingPhoneNumbers.json?PageSize=1")] {
        for caller in [&owner, &main, &standard, &restricted] {
            assert_eq!(caller.get(&path).await.0, 200, "{path}");
        }
    }
    let app = [("FriendlyName", "mine")];
    assert_eq!(standard.post(&owner.of("Applications.json"), &app).await.0, 201);
    assert_eq!(refusal(restricted.post(&owner.of("Applications.json"), &app).await), (401, 70_051));
    let countries = "/voice/v1/DialingPermissions/Countries";
    assert_eq!(standard.get(countries).await.0, 200);
    assert_eq!(refusal(restricted.get(countries).await), (401, 70_051));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_open_nothing() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let account = bench.simulator.account();
    let (test_account, test_token) = bench.simulator.test_credentials();
    let numbers = owner.of("IncomingPhoneNumbers.json");
    let token = account.auth_token.expose_secret();
    for (user, password) in [
        (account.account_sid.as_str(), "0123456789abcdef0123456789abcdef"),
        (account.account_sid.as_str(), ""),
        (account.account_sid.as_str(), &format!(" {token}")),
        ("AC0123456789abcdef0123456789abcdef", token),
        ("SK0123456789abcdef0123456789abcdef", account.api_key_secret.expose_secret()),
        (account.api_key_sid.as_str(), token),
    ] {
        assert_eq!(refusal(owner.signed_in(user, password).get(&numbers).await), (401, 20_003), "{user}");
    }
    let nobody = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = nobody.get(format!("{}{numbers}", bench.simulator.base_url())).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));

    let test = owner.signed_in(test_account.as_str(), test_token.expose_secret());
    let itself = format!("/api/2010-04-01/Accounts/{test_account}.json");
    assert_eq!(refusal(test.get(&itself).await), (403, 20_008));

    let other = "/api/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef";
    assert_eq!(refusal(owner.get(&format!("{other}.json")).await), (404, 20_404));
    assert_eq!(refusal(owner.get(&format!("{other}/Applications.json")).await), (401, 20_003));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_key_is_good_for_nothing_at_once() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let (status, made) = owner.post(&owner.of("Keys.json"), &[("FriendlyName", "on a laptop")]).await;
    assert_eq!(status, 201);
    let (sid, secret) = (made["sid"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let key_path = owner.of(&format!("Keys/{sid}.json"));
    let (_, shown) = owner.get(&key_path).await;
    assert_eq!((&shown["friendly_name"], &shown["secret"]), (&json!("on a laptop"), &Value::Null));

    let key = owner.signed_in(sid, secret);
    let probe = owner.of("IncomingPhoneNumbers.json?PageSize=1");
    assert_eq!(key.get(&probe).await.0, 200);
    let account = bench.simulator.account().account_sid;
    let token = dialer_twilio::access_token::AccessToken::new(account, sid.parse().unwrap(), "agent_1")
        .unwrap()
        .incoming(true)
        .outgoing(bench.app.clone());
    let jwt = token.sign(crate::bench::now_ms(), &secret.to_owned().into()).unwrap().jwt;
    let mut before = Sdk::connect(&bench.simulator).await;
    before.listen(jwt.expose_secret(), 0).await;
    before.register().await;

    assert_eq!(owner.delete(&key_path).await.0, 204);
    assert_eq!(refusal(key.get(&probe).await), (401, 20_003));
    assert_eq!(refusal(owner.get(&key_path).await), (404, 20_404));
    assert_eq!(refusal(owner.delete(&key_path).await), (404, 20_404));
    let after = Sdk::connect(&bench.simulator).await;
    after.send("listen", json!({ "token": jwt.expose_secret() }));
    bench.event(|what| matches!(what, Happening::TokenRefused { code: 31_203, .. })).await;
    before.send("register", json!({ "media": { "audio": true } }));
    assert_eq!(before.expect("error").await["error"]["code"], 31_203, "nor one that was connected");

    let too_long = "n".repeat(65);
    let refused = owner.post(&owner.of("Keys.json"), &[("FriendlyName", &too_long)]).await;
    assert_eq!(refusal(refused), (400, 70_001));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn iam_makes_restricted_keys_that_sign_no_tokens() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let account = bench.simulator.account().account_sid;
    let policy = r#"{"allow":["/twilio/voice/calls/read"]}"#;
    let form = [
        ("AccountSid", account.as_str()),
        ("KeyType", "restricted"),
        ("Policy", policy),
        ("FriendlyName", "r"),
    ];
    let (status, made) = owner.post("/iam/v1/Keys", &form).await;
    assert_eq!((status, &made["policy"]["allow"][0]), (201, &json!("/twilio/voice/calls/read")));
    let (sid, secret) = (made["sid"].as_str().unwrap(), made["secret"].as_str().unwrap().to_owned());
    let token =
        dialer_twilio::access_token::AccessToken::new(account, sid.parse().unwrap(), "agent_1").unwrap();
    let jwt = token.incoming(true).sign(crate::bench::now_ms(), &secret.into()).unwrap().jwt;
    let sdk = Sdk::connect(&bench.simulator).await;
    sdk.send("listen", json!({ "token": jwt.expose_secret() }));
    bench.event(|what| matches!(what, Happening::TokenRefused { code: 31_203, .. })).await;
    assert_eq!(refusal(owner.post("/iam/v1/Keys", &[]).await), (400, 20_001));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_token_signs_webhooks_and_the_old_one_opens_nothing() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let account = bench.simulator.account().account_sid.to_string();
    let promote = "/accounts/v1/AuthTokens/Promote";
    assert_eq!(refusal(owner.post(promote, &[]).await), (404, 20_404), "there is no second one yet");
    let (status, made) = owner.post("/accounts/v1/AuthTokens/Secondary", &[]).await;
    assert_eq!(status, 201);
    let second = owner.signed_in(&account, made["secondary_auth_token"].as_str().unwrap());
    let probe = owner.of("Balance.json");
    assert_eq!((owner.get(&probe).await.0, second.get(&probe).await.0), (200, 200));
    let (status, promoted) = second.post(promote, &[]).await;
    assert_eq!((status, &promoted["auth_token"]), (200, &made["secondary_auth_token"]));
    assert_eq!(refusal(owner.get(&probe).await), (401, 20_003));
    assert_eq!(second.get(&probe).await.0, 200);

    // This one checks signatures with the new token.
    let webhooks = Webhooks::start(&bench.simulator).await;
    webhooks.answer("/new", Answer::twiml("<Hangup/>"));
    let url = webhooks.url("/new");
    let app = owner.of(&format!("Applications/{}.json", bench.app));
    assert_eq!(second.post(&app, &[("VoiceUrl", url.as_str())]).await.0, 200);
    let call = IncomingCall::from_number("+12025550100".to_owned().try_into().unwrap());
    bench.simulator.place_incoming(&call).unwrap();
    webhooks.wait("/new", 1).await;
    assert!(webhooks.all_signed());
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_account_says_so_and_does_nothing() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let itself = format!("/api/2010-04-01/Accounts/{}.json", bench.simulator.account().account_sid);
    let set = |standing| {
        bench.simulator.set_account(AccountSettings { standing, ..bench.simulator.account_settings() });
    };
    set(AccountStanding::Suspended);
    let (status, shown) = owner.get(&itself).await;
    assert_eq!((status, &shown["status"]), (200, &json!("suspended")));
    assert_eq!(refusal(owner.get(&owner.of("Applications.json")).await), (403, 20_005));
    let call = [("To", "+12025550100"), ("From", crate::bench::OUR_NUMBER), ("Url", "http://127.0.0.1:9/")];
    assert_eq!(refusal(owner.post(&owner.of("Calls.json"), &call).await), (403, 10_001));
    let incoming = IncomingCall::from_number("+12025550100".to_owned().try_into().unwrap());
    bench.simulator.place_incoming(&incoming).unwrap();
    bench.alert(10_003).await;
    assert!(bench.webhooks.got("/voice").is_empty(), "nobody is asked about the call");
    let sdk = Sdk::connect(&bench.simulator).await;
    sdk.send("listen", json!({ "token": bench.token("agent_1") }));
    bench.event(|what| matches!(what, Happening::TokenRefused { code: 31_203, .. })).await;
    set(AccountStanding::Closed);
    assert_eq!(refusal(owner.get(&itself).await), (401, 20_005));
    set(AccountStanding::Active);
    assert_eq!(owner.get(&owner.of("Applications.json")).await.0, 200);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_the_account_can_be_set_over_http() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let change =
        json!({ "kind": "trial", "balance": "1.25", "currency": "EUR", "verified": ["+12025550100"] });
    let set = owner.request("PUT", "/sim/account").json(&change).send().await.unwrap();
    assert_eq!(set.status(), 204);
    let settings = bench.simulator.account_settings();
    assert_eq!((settings.kind, settings.standing), (AccountKind::Trial, AccountStanding::Active));
    let (_, balance) = owner.get(&owner.of("Balance.json")).await;
    assert_eq!((&balance["balance"], &balance["currency"]), (&json!("1.25"), &json!("EUR")));
    let (_, verified) = owner.get(&owner.of("OutgoingCallerIds.json")).await;
    assert_eq!(verified["outgoing_caller_ids"][0]["phone_number"], "+12025550100");
    let wrong = owner.request("PUT", "/sim/account").json(&json!({ "kind": "free" })).send().await.unwrap();
    assert_eq!(wrong.status(), 422);
    for secret in [bench.simulator.account().auth_token, bench.simulator.account().api_key_secret] {
        for path in ["/sim/account", "/sim/state"] {
            let shown = owner.get(path).await.1.to_string();
            assert!(!shown.contains(secret.expose_secret()), "{path} tells no secret");
        }
    }
    bench.stop().await;
}
