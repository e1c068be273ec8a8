//! The Webhooks configuration API, which no specification describes yet; the simulator's tests hold it against
//! what is known of it.

use dialer_twilio::rest::{RestError, WebhookMatch};
use dialer_twilio::signature::HmacAlgorithm;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::bench::{Recorded, Recorder, Response, json as answer, refusal};

/// Answers everything with `body`.
async fn always(status: u16, body: Value) -> Recorder {
    let body = body.to_string();
    Recorder::start(move |_, _| answer(status, &body)).await
}

fn asked(recorder: &Recorder) -> (String, String, Value) {
    let Recorded { sent, path_and_query, body, .. } = recorder.seen().pop().unwrap();
    (sent.method, path_and_query, serde_json::from_slice(&body).unwrap_or_default())
}

fn operation() -> Value {
    json!({ "operation": { "id": "op_1", "resourceId": "rule_1", "status": "PENDING", "completedAt": null } })
}

#[tokio::test]
async fn a_key_a_setting_and_a_rule_are_made() {
    let recorder =
        always(201, json!({ "id": "key_1", "friendlyName": "desk", "secret": "only-told-once" })).await;
    let key = recorder.client().0.create_shared_key("desk").await.unwrap();
    assert_eq!((key.id.as_str(), key.secret.expose_secret()), ("key_1", "only-told-once"));
    assert!(!format!("{key:?}").contains("only-told-once"));
    assert_eq!(
        asked(&recorder),
        ("POST".into(), "/webhooks/v1/Webhooks/SharedKeys".into(), json!({ "friendlyName": "desk" }))
    );

    let signature = json!({ "type": "SHARED_KEY", "sharedKeyId": "key_1", "algorithm": "HMAC_SHA256" });
    let recorder = always(201, json!({ "id": "setting_1", "signature": signature })).await;
    let setting =
        recorder.client().0.create_webhook_setting("desk", "key_1", HmacAlgorithm::Sha256).await.unwrap();
    assert_eq!(setting.signed_by, Some(("key_1".into(), HmacAlgorithm::Sha256)));
    let (_, path, body) = asked(&recorder);
    assert_eq!(path, "/webhooks/v1/Webhooks/Settings");
    assert_eq!(body, json!({ "friendlyName": "desk", "signature": signature }));

    for (matches, expected) in [
        (
            WebhookMatch::Prefix("https://a.example/".into()),
            json!({ "matchType": "PREFIX_MATCH", "prefix": "https://a.example/" }),
        ),
        (
            WebhookMatch::Exact("https://a.example/x".into()),
            json!({ "matchType": "EXACT_MATCH", "value": "https://a.example/x" }),
        ),
        (WebhookMatch::Default, json!({ "matchType": "DEFAULT" })),
    ] {
        let recorder = always(202, operation()).await;
        let made = recorder.client().0.create_webhook_rule("desk", &matches, "setting_1").await.unwrap();
        assert_eq!((made.id.as_str(), made.completed_ms), ("op_1", None));
        let (_, path, mut body) = asked(&recorder);
        assert_eq!(path, "/webhooks/v1/Webhooks/Rules");
        let object = body.as_object_mut().unwrap();
        assert_eq!(
            object.remove("settings").unwrap(),
            json!([{ "settingId": "setting_1", "percentage": 100 }])
        );
        assert_eq!(object.remove("friendlyName").unwrap(), "desk");
        assert_eq!(body, expected);
    }
}

#[tokio::test]
async fn a_rule_is_given_to_another_setting() {
    let recorder = always(202, operation()).await;
    let changed = recorder.client().0.update_webhook_rule("rule_1", "setting_2").await.unwrap();
    assert_eq!((changed.id.as_str(), changed.resource_id.as_deref()), ("op_1", Some("rule_1")));
    assert_eq!(
        asked(&recorder),
        (
            "PATCH".into(),
            "/webhooks/v1/Webhooks/Rules/rule_1".into(),
            json!({ "settings": [{ "settingId": "setting_2", "percentage": 100 }] })
        )
    );
}

#[tokio::test]
async fn lists_go_on_by_their_token() {
    let page = |number: usize, _: &Recorded| -> Response {
        let (id, next) = if number == 0 { ("rule_1", json!("2")) } else { ("rule_2", Value::Null) };
        let rule = json!({
            "id": id,
            "matchType": "PREFIX_MATCH",
            "prefix": "https://a.example/",
            "settings": [{ "settingId": "setting_1", "percentage": 100 }],
        });
        answer(200, &json!({ "rules": [rule], "meta": { "key": "rules", "nextToken": next } }).to_string())
    };
    let recorder = Recorder::start(page).await;
    let rules = recorder.client().0.webhook_rules().await.unwrap();
    let ids: Vec<_> = rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["rule_1", "rule_2"]);
    assert_eq!(rules[0].matches, WebhookMatch::Prefix("https://a.example/".into()));
    assert_eq!(rules[0].settings, ["setting_1"]);
    let paths: Vec<_> = recorder.seen().into_iter().map(|recorded| recorded.path_and_query).collect();
    assert_eq!(
        paths,
        ["/webhooks/v1/Webhooks/Rules?pageSize=50", "/webhooks/v1/Webhooks/Rules?pageSize=50&pageToken=2"]
    );

    let endless = always(200, json!({ "sharedKeys": [], "meta": { "nextToken": "x" } })).await;
    assert!(matches!(endless.client().0.shared_keys().await, Err(RestError::Malformed { .. })));
}

#[tokio::test]
async fn a_rule_for_addresses_of_an_unknown_kind_is_not_taken_for_the_default() {
    let list = |rule: Value| json!({ "rules": [rule], "meta": {} });
    let default = json!({ "id": "rule_1", "matchType": "DEFAULT", "settings": [] });
    let rules = always(200, list(default)).await.client().0.webhook_rules().await.unwrap();
    assert_eq!(rules[0].matches, WebhookMatch::Default);
    for odd in [
        json!({ "id": "rule_1", "matchType": "REGEX_MATCH", "value": ".*", "settings": [] }),
        json!({ "id": "rule_1", "matchType": "EXACT_MATCH", "settings": [] }),
    ] {
        let answer = always(200, list(odd)).await.client().0.webhook_rules().await;
        assert!(matches!(answer, Err(RestError::Malformed { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn a_request_is_repeated_under_one_name() {
    let recorder = Recorder::start(|number, _| match number {
        0 => refusal(500, 20500),
        _ => answer(201, r#"{"id":"key_1","secret":"s"}"#),
    })
    .await;
    recorder.client().0.create_shared_key("desk").await.unwrap();
    let names: Vec<_> =
        recorder.seen().into_iter().map(|recorded| recorded.idempotency_key.unwrap()).collect();
    assert_eq!(names.len(), 2);
    assert_eq!(names[0], names[1]);
    assert_eq!(uuid::Uuid::parse_str(&names[0]).unwrap().get_version_num(), 7);
    recorder.client().0.create_shared_key("desk").await.unwrap();
    assert_ne!(recorder.seen()[2].idempotency_key.as_deref(), Some(names[0].as_str()));
}

#[tokio::test]
async fn whether_an_account_has_it() {
    for (recorder, expected) in [
        (always(200, json!({ "sharedKeys": [], "meta": {} })).await, true),
        (Recorder::start(|_, _| refusal(403, 20006)).await, false),
        (Recorder::start(|_, _| refusal(404, 20404)).await, false),
    ] {
        assert_eq!(recorder.client().0.has_webhook_configuration().await, Ok(expected));
    }
    for status in [401, 503] {
        let failing = Recorder::start(move |_, _| refusal(status, 20003)).await;
        assert!(failing.client().0.has_webhook_configuration().await.is_err(), "unknown is not no");
    }
}

#[tokio::test]
async fn what_was_made_is_taken_away() {
    let recorder = Recorder::start(|_, _| answer(204, "")).await;
    let client = recorder.client().0;
    client.delete_shared_key("key_1").await.unwrap();
    client.delete_webhook_setting("setting_1").await.unwrap();
    let paths: Vec<_> =
        recorder.seen().into_iter().map(|asked| (asked.sent.method, asked.path_and_query)).collect();
    assert_eq!(
        paths,
        [
            ("DELETE".to_owned(), "/webhooks/v1/Webhooks/SharedKeys/key_1".to_owned()),
            ("DELETE".to_owned(), "/webhooks/v1/Webhooks/Settings/setting_1".to_owned()),
        ]
    );
    let recorder = always(202, operation()).await;
    let made = recorder.client().0.delete_webhook_rule("rule_1").await.unwrap().unwrap();
    assert_eq!(made.resource_id.as_deref(), Some("rule_1"));
    let lost =
        Recorder::start(|number, _| if number == 0 { refusal(500, 20500) } else { refusal(404, 20404) })
            .await;
    assert_eq!(lost.client().0.delete_webhook_rule("rule_1").await, Ok(None));
}

#[tokio::test]
async fn a_change_has_spread_once_it_is_completed() {
    let done = json!({ "id": "op_1", "status": "COMPLETED", "completedAt": "2026-09-29T12:00:00Z" });
    let recorder = always(200, done).await;
    let operation = recorder.client().0.webhook_operation("op_1").await.unwrap();
    assert_eq!(operation.completed_ms, Some(1_790_683_200_000));
    assert_eq!(asked(&recorder).1, "/webhooks/v1/Webhooks/Operations/op_1");
}

#[tokio::test]
async fn what_still_spreads_is_told_from_what_is_over() {
    let failed = json!({ "id": "op_3", "status": "FAILED", "completedAt": null, "error": { "code": 20001 } });
    let done = json!({ "id": "op_2", "status": "COMPLETED", "completedAt": "2026-09-29T12:00:00Z" });
    let pending = json!({ "id": "op_1", "status": "PENDING", "completedAt": null, "error": null });
    let recorder = always(200, json!({ "operations": [failed, done, pending], "meta": {} })).await;
    let operations = recorder.client().0.webhook_operations().await.unwrap();
    let pending: Vec<_> = operations.iter().filter(|operation| operation.is_pending()).collect();
    assert_eq!(pending.iter().map(|operation| operation.id.as_str()).collect::<Vec<_>>(), ["op_1"]);
    assert_eq!(asked(&recorder).1, "/webhooks/v1/Webhooks/Operations?pageSize=50");
}

#[tokio::test]
async fn an_address_is_tried_out() {
    let result = json!({ "response": { "statusCode": 204, "headers": {} }, "timing": { "totalMs": 81 } });
    let recorder = always(201, json!({ "url": "https://a.example/x", "result": result })).await;
    let delivery = recorder.client().0.test_webhook("https://a.example/x", Some("setting_1")).await.unwrap();
    assert_eq!((delivery.status, delivery.took_ms, delivery.error), (Some(204), Some(81), None));
    let (_, path, body) = asked(&recorder);
    assert_eq!(path, "/webhooks/v1/Webhooks/Tests");
    assert_eq!(body, json!({ "url": "https://a.example/x", "method": "POST", "settingId": "setting_1" }));
    let recorder = always(201, json!({ "result": { "error": "connection refused" } })).await;
    let delivery = recorder.client().0.test_webhook("https://a.example/x", None).await.unwrap();
    assert_eq!((delivery.status, delivery.error.as_deref()), (None, Some("connection refused")));
}
