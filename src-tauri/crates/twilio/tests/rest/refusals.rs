//! Answers that are not Twilio's, or not a success, and what the agent is told.

use dialer_domain::error::ErrorCode;
use dialer_twilio::rest::{CredentialKind, RestError};

use super::bench::{Recorder, Response, answer, json};

async fn error_of(respond: impl Fn() -> Response + Send + Sync + 'static) -> (RestError, usize) {
    let recorder = Recorder::start(move |_, _| respond()).await;
    let error = recorder.client().0.probe().await.unwrap_err();
    (error, recorder.count())
}

#[tokio::test]
async fn strangers_in_between_are_recognised() {
    let page = "<html><title>Hotel Wi-Fi</title></html>";
    for status in [200, 401, 403, 404, 511] {
        let (error, count) = error_of(move || answer(status, "text/html", page)).await;
        assert_eq!(error, RestError::NotTwilio { status, content_type: "text/html".into() });
        assert_eq!((error.user_error().code, count), (ErrorCode::Offline, 1));
    }
    let (error, _) = error_of(|| answer(407, "application/json", "{}")).await;
    assert!(error.user_error().message.contains("name and a password"), "{error}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Recorder::start(|_, _| json(200, "{}")).await;
    let target = format!("{}login", elsewhere.url);
    for status in [301, 302, 303, 307, 308] {
        let target = target.clone();
        let (error, count) = error_of(move || {
            let mut response = json(status, "{}");
            response.headers_mut().insert("location", target.parse().unwrap());
            response
        })
        .await;
        assert!(matches!(error, RestError::NotTwilio { .. }), "{error}");
        assert_eq!(count, 1);
    }
    assert_eq!(elsewhere.count(), 0, "credentials stay here");
}

#[tokio::test]
async fn both_forms_of_an_error_are_read() {
    let by = CredentialKind::AuthToken;
    let cases = [
        (
            answer(
                403,
                "application/problem+json",
                r#"{"type":"https://www.twilio.com/docs/errors/20006","title":"Access denied","detail":"No right for +12025550123","status":403,"code":20006}"#,
            ),
            RestError::Refused {
                status: 403,
                code: Some(20006),
                message: "No right for (number)".into(),
                by,
            },
        ),
        (
            json(400, r#"{"code":"21211","message":"Invalid 'To' Phone Number: +12025550123","status":400}"#),
            RestError::Refused {
                status: 400,
                code: Some(21211),
                message: "Invalid 'To' Phone Number: (number)".into(),
                by,
            },
        ),
        (
            json(404, ""),
            RestError::Refused { status: 404, code: None, message: "no reason given".into(), by },
        ),
        (
            answer(502, "text/html", "<p>Bad Gateway</p>"),
            RestError::Server { status: 502, code: None, message: "no reason given".into() },
        ),
    ];
    for (response, expected) in cases {
        let response = std::sync::Mutex::new(Some(response));
        let recorder = Recorder::start(move |_, _| {
            let given = response.lock().unwrap().take();
            given.unwrap_or_else(|| answer(502, "text/html", "<p>Bad Gateway</p>"))
        })
        .await;
        let error = recorder.client().0.probe().await.unwrap_err();
        assert_eq!(error, expected);
        assert!(!format!("{:?}", error.user_error()).contains("2025550123"));
    }
}

#[tokio::test]
async fn json_of_the_wrong_shape_is_not_taken_for_an_answer() {
    let recorder = Recorder::start(|number, _| {
        json(200, ["[]", "{}", "{\"keys\":{}}", "{\"keys\":[{\"sid\":\"AC1\"}]}", "{\"keys\":["][number])
    })
    .await;
    let client = recorder.client().0;
    for _ in 0..5 {
        let error = client.keys().await.unwrap_err();
        assert!(matches!(error, RestError::Malformed { .. }), "{error}");
    }
}

#[tokio::test]
async fn the_account_must_be_the_one_asked_about() {
    let other = format!(
        r#"{{"sid":"AC{}","friendly_name":"x","type":"Full","status":"active","auth_token":"t"}}"#,
        "b".repeat(32)
    );
    let recorder = Recorder::start(move |_, _| json(200, &other)).await;
    let error = recorder.client().0.account().await.unwrap_err();
    assert!(matches!(error, RestError::Malformed { .. }), "{error}");
}
