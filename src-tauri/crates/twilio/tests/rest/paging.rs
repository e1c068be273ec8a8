//! Lists over several pages.

use dialer_twilio::rest::{CallFilter, RestError};

use super::bench::{Recorder, json};

fn key(digit: char) -> String {
    let sid = format!("SK{}", digit.to_string().repeat(32));
    format!(r#"{{"sid":"{sid}","friendly_name":"key {digit}"}}"#)
}

fn keys(digit: char, next: &str) -> String {
    format!(r#"{{"keys":[{}],"next_page_uri":{next},"page":0}}"#, key(digit))
}

#[tokio::test]
async fn the_given_link_is_followed_below_the_same_host() {
    let recorder = Recorder::start(|number, _| {
        json(
            200,
            &match number {
                0 => keys('1', r#""/2010-04-01/Accounts/AC/Keys.json?PageSize=1&Page=1&PageToken=a%2Bb""#),
                1 => keys('2', r#""/2010-04-01/Accounts/AC/Keys.json?PageSize=1&Page=2&PageToken=c""#),
                _ => keys('3', "null"),
            },
        )
    })
    .await;
    let names: Vec<_> =
        recorder.client().0.keys().await.unwrap().into_iter().map(|key| key.friendly_name).collect();
    assert_eq!(names, ["key 1", "key 2", "key 3"]);
    let paths: Vec<_> = recorder.seen().into_iter().map(|seen| seen.path_and_query).collect();
    assert_eq!(
        paths[1..],
        [
            "/api/2010-04-01/Accounts/AC/Keys.json?PageSize=1&Page=1&PageToken=a%2Bb",
            "/api/2010-04-01/Accounts/AC/Keys.json?PageSize=1&Page=2&PageToken=c"
        ]
    );
    assert!(recorder.seen().iter().all(|seen| seen.authorization.is_some()));
}

#[tokio::test]
async fn an_absolute_link_of_twilios_is_followed_at_our_base() {
    let recorder = Recorder::start(|number, _| {
        let next = if number == 0 { r#""https://voice.twilio.com/v1/DialingPermissions/Countries?Page=1""# } else { "null" };
        json(200, &format!(r#"{{"content":[{{"iso_code":"G{number}"}}],"meta":{{"key":"content","next_page_url":{next}}}}}"#))
    })
    .await;
    let countries = recorder.client().0.country_permissions().await.unwrap();
    assert_eq!(countries.len(), 2);
    assert_eq!(recorder.seen()[1].path_and_query, "/voice/v1/DialingPermissions/Countries?Page=1");
}

#[tokio::test]
async fn a_foreign_page_is_not_asked_for() {
    let recorder = Recorder::start(|_, _| {
        json(200, r#"{"content":[],"meta":{"next_page_url":"https://voice.example.com/v1/DialingPermissions/Countries"}}"#)
    })
    .await;
    let error = recorder.client().0.country_permissions().await.unwrap_err();
    assert!(matches!(&error, RestError::Malformed { detail } if detail.contains("another host")), "{error}");
    assert_eq!(recorder.count(), 1);
}

#[tokio::test]
async fn a_circle_of_pages_and_one_without_end_are_left() {
    let recorder =
        Recorder::start(|_, _| json(200, &keys('1', r#""/2010-04-01/Accounts/AC/Keys.json?Page=1""#))).await;
    let error = recorder.client().0.keys().await.unwrap_err();
    assert!(matches!(&error, RestError::Malformed { detail } if detail.contains("back")), "{error}");
    assert_eq!(recorder.count(), 2);

    let recorder = Recorder::start(|number, _| {
        json(200, &keys('1', &format!(r#""/2010-04-01/Accounts/AC/Keys.json?Page={number}""#)))
    })
    .await;
    let error = recorder.client().0.keys().await.unwrap_err();
    assert!(matches!(&error, RestError::Malformed { detail } if detail.contains("no end")), "{error}");
    assert_eq!(recorder.count(), 100);
}

#[tokio::test]
async fn a_limit_asks_for_no_more_than_it_needs() {
    let call =
        |digit: usize| format!(r#"{{"sid":"CA{}","status":"completed"}}"#, digit.to_string().repeat(32));
    let recorder = Recorder::start(move |number, _| {
        json(
            200,
            &format!(
                r#"{{"calls":[{},{}],"next_page_uri":"/2010-04-01/Calls.json?Page={number}"}}"#,
                call(number),
                call(number)
            ),
        )
    })
    .await;
    let filter = CallFilter { limit: Some(3), ..CallFilter::default() };
    assert_eq!(recorder.client().0.calls(&filter).await.unwrap().len(), 3);
    assert_eq!(recorder.count(), 2);
    assert_eq!(recorder.seen()[0].sent.query, [("PageSize".to_owned(), "3".to_owned())]);
}
