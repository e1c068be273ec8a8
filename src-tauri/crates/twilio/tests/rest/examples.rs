//! Twilio's own examples: read by the client, and a test of the tests, because what checks the
//! simulator's answers must let Twilio's pass.

use serde_json::Value;

use super::bench::{Recorded, Response, answer, json};
use crate::specification::{self, Specification};

/// The fullest example answer to a request, as a last page.
pub(super) fn example_of(files: &[Specification], recorded: &Recorded) -> Response {
    let Some(operation) = specification::find(files, &recorded.sent) else {
        return json(404, r#"{"code":20404,"message":"no such thing","status":404}"#);
    };
    let fullest = operation.examples().into_iter().max_by_key(|(_, _, value)| value.to_string().len());
    match fullest {
        Some((_, status, value)) => {
            let mut value: Value = value.clone();
            for (holder, link) in [("", "/next_page_uri"), ("/meta", "/meta/next_page_url")] {
                if value.pointer(holder).is_some()
                    && let Some(link) = value.pointer_mut(link)
                {
                    *link = Value::Null;
                }
            }
            json(status, &value.to_string())
        }
        None => answer(operation.empty_success().unwrap(), "application/json", ""),
    }
}

#[test]
fn the_examples_pass_their_own_schemas() {
    let files = specification::load();
    let mut deviations = Vec::new();
    let mut count = 0;
    for (name, operation) in specification::operations(&files) {
        for (example, status, value) in operation.examples() {
            count += 1;
            let body = value.to_string();
            let found = operation.check_answer(status, "application/json", body.as_bytes());
            let ours = found.into_iter().filter(|found| !specification::tolerated(found));
            deviations.extend(ours.map(|found| format!("{name} {example}: {found}")));
        }
    }
    assert!(count > 60, "the files are whole: {count}");
    assert!(deviations.is_empty(), "{} deviations:\n{}", deviations.len(), deviations.join("\n"));
}

#[test]
fn a_wrong_answer_does_not_pass() {
    let files = specification::load();
    let operations = specification::operations(&files);
    let (_, operation) = operations.iter().find(|(name, _)| name.ends_with("/Calls/{Sid}.json")).unwrap();
    let (_, status, value) = operation.examples()[0];
    let deviations = |change: &dyn Fn(&mut Value)| {
        let mut value = value.clone();
        change(&mut value);
        let found = operation.check_answer(status, "application/json", value.to_string().as_bytes());
        found.into_iter().map(|found| found.to_string()).collect::<Vec<_>>()
    };
    let clean = deviations(&|_| ());
    let added = |change: &dyn Fn(&mut Value)| {
        deviations(change).into_iter().filter(|found| !clean.contains(found)).collect::<Vec<_>>()
    };
    assert_eq!(
        added(&|call| call["status"] = "talking".into()),
        ["status is none of its words: \"talking\""]
    );
    assert_eq!(added(&|call| call["sid"] = "CA1".into()).len(), 2);
    assert_eq!(
        added(&|call| call["start_time"] = "2026-09-29".into()),
        ["start_time is no date-time-rfc-2822"]
    );
    assert_eq!(added(&|call| call["to"] = 5.into()), ["to is no string"]);
    assert_eq!(added(&|call| call["surprise"] = 5.into()), ["surprise is not documented"]);
    assert_eq!(
        added(&|call| {
            call.as_object_mut().unwrap().remove("direction");
        }),
        ["direction is missing"]
    );
    let shown =
        |found: Vec<specification::Deviation>| found.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(operation.check_answer(204, "", b"")), ["status 204 is not listed", "error is no JSON"]);
    let error = br#"{"code":20404,"message":"m","more_info":"https://www.twilio.com/docs/errors/20404","status":404}"#;
    assert!(operation.check_answer(404, "application/json", error).is_empty());
    assert_eq!(
        shown(operation.check_answer(400, "application/json", error)),
        ["error status is not that of the answer"]
    );
}
